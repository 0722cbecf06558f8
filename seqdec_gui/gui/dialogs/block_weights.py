"""The dialog that chooses the weights that a block begins with, and shows first what goes where.

Object names: `weights_dialog`, `weights_now`, `weights_file`, `weights_choose_run`, `weights_other_run`, `weights_no_runs`,
`weights_part`, `weights_table`, `weights_status`, `weights_in_spite`, `weights_progress`, `weights_remove`, `weights_use`,
`weights_cancel`.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.design import BlockWeights
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.wording import listed
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.scheme import color
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.tasks.child_task import ChildTask, sentence_of
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.widgets.run_picker import RunPicker
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.block_weights import shapes_in_words, source_file, source_words, weights_task, with_found
from seqdec_gui.runs.imports import import_folder
from seqdec_gui.runs.task_results import WeightsFound
from seqdec_gui.runs.tasks import Cancelled, WeightsTask

FILTER = "Weights and models (*.h5 *.hdf5 *.keras)"
"""The filter of the file dialog."""
HOW = {"name": "same name", "order": "shape and order", "": "does not fit"}
"""What joined two layers, in words."""
WHOLE = "all of the file"
"""What the part "" is called."""


def choose_weights(workspace: Workspace, block_id: str) -> QDialog:
    """Open the dialog for a block of the open design."""
    return notify.present(WeightsDialog(workspace, block_id, notify.window_of(workspace)))


def weights_words(weights: BlockWeights | None, imported: bool) -> str:
    """Return where the weights of a block come from, in words."""
    if weights is None:
        return "those of the file" if imported else "new ones"
    return weights.source or f"{Path(weights.file).name}, {weights.part}"


class WeightsDialog(KeepsFocus, QDialog):
    """Looks into a file or a run, shows what goes where, and lets the block begin with it in a step that can be undone."""

    def __init__(self, workspace: Workspace, block_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("weights_dialog")
        self.setWindowTitle(f"Weights of {block_id}")
        self._workspace = workspace
        self._block_id = block_id
        self._task: WeightsTask | None = None
        self._found: WeightsFound | None = None
        self.job = ChildTask(self)
        self._build()
        self.job.returned.connect(self._on_job_returned)
        self.job.failed.connect(self._on_job_failed)
        self._show_now()
        self._runs.refresh()
        self.resize(720, 560)

    def _build(self) -> None:
        self._now = QLabel(objectName="weights_now", wordWrap=True)
        self._remove = QPushButton("Begin with New Ones", objectName="weights_remove")
        self._remove.setAutoDefault(False)  # Return is not to remove anything
        self._remove.clicked.connect(self._on_remove_clicked)
        self._file = QPushButton("Choose File…", objectName="weights_file")
        self._file.setToolTip("A .h5, .weights.h5 or .keras file of Keras 3 or Keras 2, or a checkpoint")
        self._file.clicked.connect(self._on_file_clicked)
        self._runs = RunPicker(self._workspace, "weights", self, named_weights=False)
        self._from_run = QPushButton("Look at This Run", objectName="weights_choose_run")
        self._from_run.clicked.connect(self._on_from_run_clicked)
        self._no_runs = QLabel("This design has no trained run yet.", objectName="weights_no_runs")
        self._no_runs.setProperty("role", "dim")
        self._runs.refreshed.connect(self._on_runs_refreshed)
        self._other_run = QPushButton("Other Run…", objectName="weights_other_run")
        self._other_run.setToolTip("The folder of a run of another design")
        self._other_run.clicked.connect(self._on_other_run_clicked)
        self._part = QComboBox(objectName="weights_part")
        self._part.setAccessibleName("Block of the run, or model inside the file")
        self._part.activated.connect(self._on_part_activated)
        self._part_label = QLabel("Taken from")
        self._table = QTreeWidget(objectName="weights_table")
        self._table.setAccessibleName("What goes where")
        self._table.setHeaderLabels(("Layer of the block", "Weights", "From", "Joined by"))
        self._table.setRootIsDecorated(False)
        self._table.setUniformRowHeights(True)
        self._table.setSelectionMode(QAbstractItemView.NoSelection)
        self._table.header().setSectionResizeMode(QHeaderView.ResizeToContents)
        self._table.setMinimumHeight(160)
        self._status = QLabel(objectName="weights_status", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._status.setProperty("role", "small")
        self._status.setText("Choose a file or a run: what goes where is shown before anything is done.")
        self._in_spite = QCheckBox("Use them though the block computes something else", objectName="weights_in_spite")
        self._in_spite.hide()
        self._in_spite.toggled.connect(self._on_in_spite_toggled)
        self._progress = QProgressBar(objectName="weights_progress", textVisible=False)
        self._progress.setAccessibleName("Progress of the search")
        self._progress.setRange(0, 0)
        self._progress.hide()
        self._use = QPushButton("Use These Weights", objectName="weights_use", enabled=False)
        polish(self._use, "kind", "primary")
        self._use.clicked.connect(self._on_use_clicked)
        cancel = QPushButton("Cancel", objectName="weights_cancel")
        cancel.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (5 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        layout.addLayout(_row((self._now, 1), (self._remove, 0)))
        layout.addLayout(_row((self._runs, 1), (self._from_run, 0)))
        layout.addLayout(_row((self._no_runs, 1), (None, 1), (self._other_run, 0), (self._file, 0)))
        layout.addLayout(_row((self._part_label, 0), (self._part, 0), (None, 1)))
        layout.addWidget(self._table, 1)
        layout.addWidget(self._status)
        layout.addWidget(self._in_spite)
        layout.addWidget(self._progress)
        layout.addLayout(_row((None, 1), (cancel, 0), (self._use, 0)))
        self._show_parts(())
        self._file.setFocus()

    @property
    def _folder(self) -> Path | None:
        """The folder of the design; None if it has no file."""
        path = self._workspace.document.path
        return None if path is None else path.parent

    def _show_now(self) -> None:
        block = self._workspace.document.design.block(self._block_id)
        imported = block.parameters.imported is not None
        self._now.setText(f"{self._block_id} begins with {weights_words(block.weights, imported)}.")
        self._remove.setText("Those of Its File" if imported else "Begin with New Ones")
        self._remove.setEnabled(block.weights is not None)

    # -- choosing
    @pyqtSlot()
    def _on_file_clicked(self) -> None:
        notify.choose_file(self, f"Weights for {self._block_id}", [FILTER], self.look_at)

    @pyqtSlot()
    def _on_other_run_clicked(self) -> None:
        notify.choose_folder(self, "Folder of a run", lambda path: self.look_at(source_file(path)))

    @pyqtSlot()
    def _on_from_run_clicked(self) -> None:
        if self._runs.run is not None:
            self.look_at(self._runs.run.run.checkpoint(self._runs.checkpoint))

    @pyqtSlot()
    def _on_runs_refreshed(self) -> None:
        any_run = self._runs.run is not None
        self._runs.setVisible(any_run)
        self._from_run.setVisible(any_run)
        self._no_runs.setVisible(not any_run)

    @pyqtSlot(int)
    def _on_part_activated(self, _index: int) -> None:
        if self._task is not None:
            self.look_at(Path(self._task.path), self._part.currentData())

    def look_at(self, path: Path, part: str = "") -> None:
        """Look into a file, and show what of it would go where."""
        if self.job.running:
            return
        try:
            self._task = weights_task(self._workspace.document.design, self._block_id, path, self._workspace.folder, part)
        except InvalidInput as error:
            self._say(sentence_of(error), "error")
            return
        self._found = None
        self._in_spite.hide()
        self._start(self._task, f"Looking into {path.name}")

    @pyqtSlot(bool)
    def _on_in_spite_toggled(self, on: bool) -> None:
        self._use.setEnabled(self._found is not None and self._found.fits and (on or not self._found.differing))

    def _start(self, task: WeightsTask, text: str) -> None:
        self._use.setEnabled(False)
        self._progress.show()
        self._say(text, "small")
        self.job.start(task)

    # -- results
    @pyqtSlot(object)
    def _on_job_returned(self, found: WeightsFound) -> None:
        self._progress.hide()
        if found.file:
            self._take(found)
            return
        self._found = found
        self._show_parts(found.parts, found.part)
        self._show_rows(found)
        self._in_spite.setChecked(False)
        self._in_spite.setVisible(found.fits and bool(found.differing))
        self._use.setEnabled(found.fits and not found.differing)
        lost = [row for row in found.rows if not row.how]
        lines = []
        if lost:
            lines.append(f"These weights do not fit {self._block_id}. {lost[0].layer}: {lost[0].why}")
        else:
            lines.append(f"Every layer of {self._block_id} gets weights.")
            if others := [name or WHOLE for name in found.fitting if name != found.part]:
                lines.append(f"Other weights fit too, those of {listed(others)}: choose above.")
        differing = [f"{row.layer}: {row.why}" for row in found.rows if row.how and row.why]
        if found.left_out:
            lines.append(f"Not used: {', '.join(found.left_out)}.")
        self._say("\n".join([*lines, *differing, *found.notes]), "error" if lost else "warning" if differing else "small")

    def _take(self, found: WeightsFound) -> None:
        """Let the block begin with weights that were written."""
        document = self._workspace.document
        assert self._task is not None
        if not document.design.has(self._block_id):
            self._say("The block is gone.", "error")
            return
        source = source_words(Path(self._task.path), found.part)
        new = with_found(document.design, self._block_id, found, source, self._folder)
        document.edit(new, f"Weights of {self._block_id}")
        self._workspace.status_message.emit(f"{self._block_id} begins with {source}.")
        self.accept()

    @pyqtSlot(object)
    def _on_job_failed(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError):
            raise error
        self._progress.hide()
        if not isinstance(error, Cancelled):
            self._table.clear()
            self._show_parts(())
            self._say(sentence_of(error), "error")

    def _show_rows(self, found: WeightsFound) -> None:
        self._table.clear()
        scheme = theme.current()
        for row in found.rows:
            cells = [row.layer, shapes_in_words(row.shapes), row.source or "nothing", HOW[row.how]]
            item = QTreeWidgetItem(self._table, cells)
            for column in range(len(cells)):
                item.setToolTip(column, row.why or cells[column])
            item.setForeground(3, color(scheme.ok if row.how and not row.why else scheme.warning if row.how else scheme.error))

    def _show_parts(self, parts: tuple[str, ...], chosen: str = "") -> None:
        shown = len(parts) > 1
        self._part.setVisible(shown)
        self._part_label.setVisible(shown)
        self._part.clear()
        for part in parts:
            self._part.addItem(part or WHOLE, part)
        self._part.setCurrentIndex(self._part.findData(chosen))

    def _say(self, text: str, role: str) -> None:
        polish(self._status, "role", role)
        self._status.setText(text)

    # -- acts
    @pyqtSlot()
    def _on_use_clicked(self) -> None:
        if self._task is None or self._found is None or self.job.running:
            return
        folder = import_folder(Path(self._task.path), self._folder)
        replace = msgspec.structs.replace
        self._task = replace(
            self._task,
            folder=str(folder),
            part=self._found.part,
            sha256=self._found.sha256,
            in_spite=self._in_spite.isChecked(),
        )
        self._start(self._task, "Writing the weights beside the design")

    @pyqtSlot()
    def _on_remove_clicked(self) -> None:
        document = self._workspace.document
        document.edit(document.design.with_weights(self._block_id, None), f"Weights of {self._block_id}")
        self._show_now()

    def reject(self) -> None:
        """End the child process and close."""
        self.job.cancel()
        super().reject()


def _row(*items: tuple[QWidget | None, int]) -> QHBoxLayout:
    """Return widgets side by side, each with its stretch; None is a gap."""
    row = QHBoxLayout()
    row.setSpacing(2 * theme.SPACE)
    for widget, stretch in items:
        if widget is None:
            row.addStretch(stretch)
        else:
            row.addWidget(widget, stretch)
    return row
