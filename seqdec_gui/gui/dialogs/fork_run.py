"""The dialog *New run from a checkpoint*: where a new run leaves the curve of another one, and what is different from there.

Object names: `fork_dialog`, `fork_point`, `fork_open_design`, `fork_changes`, `fork_settings`, `fork_problems`, `fork_start`,
`fork_queue`, `fork_cancel`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import Qt, QTimer, pyqtSlot
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import parse_assignment, set_value
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError, errors
from seqdec_gui.domain.validation import check
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.workspace import queueing
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs import folder
from seqdec_gui.runs.batches import batch_problems
from seqdec_gui.runs.differences import differences
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.fork import fork, fork_problems
from seqdec_gui.runs.fork_points import ForkPoint, fork_points, point_at
from seqdec_gui.runs.notes import display_name

CHECK_MS = 200
"""The time from the last key to the check of what was typed, in milliseconds."""
EXAMPLE = "training.learning_rate=1e-4\ntraining.epochs=40"
"""What stands in the empty field of the settings."""


def open_fork(workspace: Workspace, run: Path, step: float | None = None) -> None:
    """Open the dialog for a run, with the latest checkpoint at or before a step of its curve chosen."""
    folder_of_run = RunFolder(run)

    def read() -> tuple[Design, tuple[ForkPoint, ...]]:
        return folder_of_run.read_spec().load_design(), fork_points(folder_of_run)

    def then(known: tuple[Design, tuple[ForkPoint, ...]]) -> None:
        design, points = known
        if not points:
            text = f"{display_name(run)} has written no checkpoint yet, so no run can go on from it."
            notify.message(workspace, "No checkpoint", text)
            return
        notify.present(ForkDialog(workspace, folder_of_run, design, points, step, notify.window_of(workspace)))

    background.run(read, then, lambda error: notify.failure(workspace, error, "The run cannot be read"), workspace)


class ForkDialog(KeepsFocus, QDialog):
    """Lets the user choose a checkpoint and other settings, says what is wrong with them, and starts the run."""

    def __init__(
        self,
        workspace: Workspace,
        run: RunFolder,
        design: Design,
        points: tuple[ForkPoint, ...],
        step: float | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("fork_dialog")
        self.setWindowTitle("New run from a checkpoint")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self._workspace, self._run, self._before, self._points = workspace, run, design, points
        self._design: Design | None = design
        self.point = QComboBox(objectName="fork_point")
        self.point.setAccessibleName("Checkpoint")
        for point in points:
            self.point.addItem(point.words[0].upper() + point.words[1:])
        self.point.setCurrentIndex(self._first(step))
        self.open_design = QCheckBox("Take the settings of the open design", objectName="fork_open_design")
        self.open_design.setChecked(workspace.document.design.id == design.id and bool(design.id))
        self.settings = QPlainTextEdit(objectName="fork_settings")
        self.settings.setAccessibleName("Settings, one NAME=VALUE a line")
        self.settings.setPlaceholderText(EXAMPLE)
        self.settings.setTabChangesFocus(True)
        self.settings.setFixedHeight(4 * self.settings.fontMetrics().lineSpacing() + 4 * theme.SPACE)
        self._changes = QLabel(objectName="fork_changes", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._problems = QLabel(objectName="fork_problems", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        for label in (self._changes, self._problems):
            label.setTextFormat(Qt.PlainText)
        self._changes.setProperty("role", "small")
        self._lay_out()
        self._check = QTimer(self, singleShot=True, interval=CHECK_MS)
        self._check.timeout.connect(self._show_check)
        self.settings.textChanged.connect(self._check.start)
        self.open_design.toggled.connect(self._show_check)
        self.point.currentIndexChanged.connect(self._show_check)
        self._show_check()

    def _lay_out(self) -> None:
        title = QLabel(f"Go on from {display_name(self._run.path)}", wordWrap=True)
        title.setProperty("role", "value")
        form = QFormLayout()
        form.setSpacing(2 * theme.SPACE)
        form.addRow("From", self.point)
        form.addRow("", self.open_design)
        form.addRow("And set", self.settings)
        form.addRow("Changes", self._changes)
        buttons = QDialogButtonBox(self)
        self.start = QPushButton("Start", objectName="fork_start")
        self.start.setProperty("kind", "primary")
        cancel = QPushButton("Cancel", objectName="fork_cancel")
        buttons.addButton(self.start, QDialogButtonBox.AcceptRole)
        buttons.addButton(cancel, QDialogButtonBox.RejectRole)
        self.start.clicked.connect(self._on_start_clicked)
        self.queue = QPushButton("Add to Queue", objectName="fork_queue")
        buttons.addButton(self.queue, QDialogButtonBox.ActionRole)
        self.queue.clicked.connect(self._on_queue_clicked)
        cancel.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (5 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        layout.addWidget(title)
        layout.addLayout(form)
        layout.addWidget(self._problems)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.setMinimumWidth(560)

    def _first(self, step: float | None) -> int:
        """Return the checkpoint to show at first: the one that covers the step, or the last."""
        wanted = point_at(self._points, step) if step is not None else self._points[-1]
        return self._points.index(wanted) if wanted is not None else 0

    @property
    def assignments(self) -> tuple[str, ...]:
        """The settings that were typed, one a line."""
        return tuple(line.strip() for line in self.settings.toPlainText().splitlines() if line.strip())

    def _changed_design(self) -> Design:
        """Return the design of the new run. Raises InvalidInput for settings that are no settings."""
        design = self._workspace.document.design if self.open_design.isChecked() else self._before
        for line in self.assignments:
            design = set_value(design, *parse_assignment(line))
        return design

    @pyqtSlot()
    def _show_check(self, *_changes: object) -> None:
        """Show what would be changed, and why it cannot be."""
        problems: tuple[Problem, ...]
        try:
            self._design = design = self._changed_design()
        except InvalidInput as error:
            self._design, problems = None, error.problems
        else:
            changes = differences(self._before, design)
            self._changes.setText("\n".join(f"{each.what}: {each.old} → {each.new}" for each in changes) or "None")
            devices = self._workspace.devices.resolved
            batches = batch_problems(design.training, devices)
            problems = (*fork_problems(self._before, design), *errors(check(design).problems), *batches)
        wrong = errors(problems)
        self._problems.setText("\n".join(problem.sentence() for problem in (wrong or problems)))
        self._problems.setVisible(bool(problems))
        polish(self._problems, "role", "error" if wrong else "small")
        for button in (self.start, self.queue):
            button.setEnabled(not wrong)
            button.setToolTip("Correct the settings first" if wrong else "")

    @pyqtSlot()
    def _on_start_clicked(self) -> None:
        session = session_of(self._workspace)

        def then(target: RunFolder) -> None:
            self._workspace.page_requested.emit(PageName.TRAIN)
            session.resume(target)

        self._make(lambda target: target, then)

    @pyqtSlot()
    def _on_queue_clicked(self) -> None:
        def add(target: RunFolder) -> RunFolder:
            queueing.put(target, target.read_spec())
            return target

        workspace = self._workspace
        self._make(add, lambda _target: workspace.page_requested.emit(PageName.QUEUE))

    def _make(self, use: Callable[[RunFolder], RunFolder], then: Callable[[RunFolder], None]) -> None:
        """Make the folder of the new run, in a thread, and close the dialog."""
        self._show_check()
        if self._design is None or not self.start.isEnabled():
            return
        design, point, overrides = self._design, self._points[self.point.currentIndex()], self.assignments
        workspace, parent, devices = self._workspace, self._run, self._workspace.devices.resolved

        def make() -> RunFolder:
            asked = parent.read_spec()
            place = asked.design_path or None
            target = folder.create(None, place, parent=parent.path.parent, name=asked.name)
            try:
                fork(parent, point.name, design, target, overrides, devices)
            except SeqdecError:
                folder.discard(target, started=False)
                raise
            return use(target)

        background.run(make, then, lambda error: notify.failure(workspace, error, "The run was not forked"), workspace)
        self.accept()
