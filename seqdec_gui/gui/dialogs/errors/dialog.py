"""The dialog that shows where a trained run goes wrong: worst rows, confused symbols, errors by position and length."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

import msgspec
from PyQt5.QtCore import QModelIndex, Qt, pyqtSlot
from PyQt5.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QTableView,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.generation import attends
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.wording import counted, verb_for
from seqdec_gui.gui.dialogs.errors.attention_tab import AttentionTab
from seqdec_gui.gui.dialogs.errors.charts import CandidatesChart, ConfusionMap, ShareChart
from seqdec_gui.gui.dialogs.errors.worst_rows import WorstRows
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.tasks.child_task import ChildTask, sentence_of
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.events import Started
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.notes import display_name
from seqdec_gui.runs.quality.errors import Errors
from seqdec_gui.runs.reader import read_events
from seqdec_gui.runs.task_results import ErrorsFound
from seqdec_gui.runs.tasks import Cancelled, ErrorsTask, Notice, Progress

SPLITS = (("validation", "Validation rows"), ("test", "Test rows"), ("training", "Training rows"))
ORDERS = (("edits", "Most edits first"), ("likelihood", "Least likely targets first"))
EXPLANATION = "Decodes up to 2,000 of these rows greedily with the best weights, and compares them with their targets."
"""The text of a dialog that has not analysed anything: what the button will do."""
SIZE = (1080, 720)
"""The size of the dialog where the screen has room for it, in pixels."""


class ErrorsDialog(KeepsFocus, QDialog):
    """Analyses the errors of one run. Closing the dialog cancels that. Object name `errors_dialog`."""

    def __init__(self, workspace: Workspace, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("errors_dialog")
        self._workspace = workspace
        self._run = RunFolder(path)
        self.setWindowTitle(f"Errors of {display_name(self._run.path)}")
        self._scratch = tempfile.TemporaryDirectory(prefix="seqdec-gui-errors-")
        weakref.finalize(self, self._scratch.cleanup)
        self._trained_on = 0
        self.errors: Errors | None = None
        self.task = ChildTask(self)
        self._build()
        self._lay_out()
        self.task.progressed.connect(self._on_task_progressed)
        self.task.returned.connect(self._on_task_returned)
        self.task.failed.connect(self._on_task_failed)
        self._refresh()
        background.run(lambda: _facts_of(self._run), self._on_counted, owner=self)

    def _build(self) -> None:
        self.splits = _choice("errors_split", "Rows to decode", SPLITS)
        self.orders = _choice("errors_order", "Order of the rows", ORDERS)
        self.analyse_button = QPushButton("Analyse", objectName="analyse_errors")
        self.analyse_button.setDefault(True)
        polish(self.analyse_button, "kind", "primary")
        self.analyse_button.clicked.connect(self.analyse)
        self.sentence = QLabel(EXPLANATION, objectName="errors_sentence", wordWrap=True)
        self._progress = QProgressBar(objectName="errors_progress", textVisible=False)
        self._progress.setAccessibleName("Progress of the analysis")
        self.model = WorstRows(self)
        self.table = QTableView(objectName="worst_rows")
        self.model.show_in(self.table)
        self.table.selectionModel().currentRowChanged.connect(self._on_row_changed)
        self.confusion = ConfusionMap()
        self.positions = ShareChart("position_chart", "Errors by position", "Position in the target")
        self.lengths = ShareChart("length_chart", "Wrong rows by length", "Tokens of the target")
        self.candidates = CandidatesChart()
        self.attention = AttentionTab(self._workspace, self._run.path)
        self.of_row = QTabWidget(objectName="row_charts")
        self.of_row.addTab(self.candidates, "Steps")
        self.of_row.setTabVisible(self.of_row.addTab(self.attention, "Attention"), False)
        self.charts = QTabWidget(objectName="error_charts")
        for widget, title in (
            (self.confusion, "Confusion"), (self.positions, "By position"), (self.lengths, "By length"),
        ):  # fmt: skip
            self.charts.addTab(widget, title)
        self._save = QPushButton("Save…", objectName="save_errors", toolTip="Save all of this as JSON")
        self._save.clicked.connect(self._on_save_clicked)
        self._close = QPushButton("Close", objectName="errors_close")
        self._close.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        above = QHBoxLayout()
        above.setSpacing(2 * theme.SPACE)
        for widget in (self.splits, self.orders, self.analyse_button):
            above.addWidget(widget)
        above.addStretch(1)
        right = QSplitter(Qt.Vertical)
        right.addWidget(self.charts)
        right.addWidget(self.of_row)
        right.setSizes([380, 240])
        self.results = QSplitter(Qt.Horizontal, objectName="errors_found")
        self.results.addWidget(self.table)
        self.results.addWidget(right)
        self.results.setSizes([520, 520])
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * theme.SPACE)
        buttons.addStretch(1)
        buttons.addWidget(self._save)
        buttons.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (4 * theme.SPACE,))
        layout.setSpacing(2 * theme.SPACE)
        layout.addLayout(above)
        layout.addWidget(self.sentence)
        layout.addWidget(self._progress)
        layout.addWidget(self.results, 1)
        layout.addStretch(0)
        layout.addLayout(buttons)
        self.resize(*SIZE)

    # -- state
    def _on_counted(self, facts: tuple[int, bool]) -> None:
        self._trained_on, attending = facts
        self.of_row.setTabVisible(self.of_row.indexOf(self.attention), attending)

    def _refresh(self) -> None:
        running = self.task.running
        self._progress.setVisible(running)
        self.results.setVisible(self.errors is not None)
        self._save.setEnabled(self.errors is not None and not running)
        for widget in (self.splits, self.orders):
            widget.setEnabled(not running)
        self.analyse_button.setText("Cancel" if running else "Analyse" if self.errors is None else "Analyse again")

    def _say(self, text: str, role: str = "") -> None:
        polish(self.sentence, "role", role)
        self.sentence.setText(text)

    # -- analysing
    @pyqtSlot()
    def analyse(self) -> None:
        """Analyse the chosen rows; or cancel that."""
        if self.task.running:
            self.task.cancel()
            return
        self._progress.setRange(0, 0)
        self._say(EXPLANATION, "dim")
        self.task.start(
            ErrorsTask(
                run=str(self._run.path), output=str(Path(self._scratch.name) / "errors.json"),
                split=self.splits.currentData(), order=self.orders.currentData(), trained_on=self._trained_on,
            )
        )  # fmt: skip
        self._refresh()

    @pyqtSlot(object)
    def _on_task_progressed(self, event: object) -> None:
        if isinstance(event, Progress) and event.total:
            self._progress.setRange(0, event.total)
            self._progress.setValue(event.done)
        elif isinstance(event, Notice):
            self._say(event.text, "dim")

    @pyqtSlot(object)
    def _on_task_returned(self, result: ErrorsFound) -> None:
        background.run(lambda: _read(Path(result.paths[0])), self._on_read, owner=self)

    def _on_read(self, errors: Errors) -> None:
        self.errors = errors
        self._say(summary(errors))
        self.model.show_rows(errors.worst)
        self.confusion.show_confusion(errors.confusion)
        told = [each for each in errors.positions if each.rows]
        self.positions.show_shares([each.position for each in told], [each.wrong / each.rows for each in told])
        lengths = [each.length for each in errors.lengths]
        self.lengths.show_shares(lengths, [1 - each.exact / each.rows for each in errors.lengths])
        self._refresh()
        if errors.worst:
            self.table.selectRow(0)

    @pyqtSlot(object)
    def _on_task_failed(self, error: Exception) -> None:
        self._refresh()
        if not isinstance(error, SeqdecError):
            raise error
        cancelled = isinstance(error, Cancelled)
        self._say(EXPLANATION if cancelled else sentence_of(error), "" if cancelled else "error")

    @pyqtSlot(QModelIndex, QModelIndex)
    def _on_row_changed(self, current: QModelIndex, _before: QModelIndex) -> None:
        row = self.model.rows[current.row()] if current.isValid() else None
        self.candidates.show_steps(() if row is None else row.steps)
        split = "validation" if self.errors is None else self.errors.split
        self.attention.show_row(row, split, self._trained_on)  # type: ignore[arg-type]

    # -- the rest
    @pyqtSlot()
    def _on_save_clicked(self) -> None:
        start = self._workspace.proposed_file(f"{self._run.name}-errors.json")
        notify.choose_target(self, "Save errors", ["JSON (*.json)"], "json", self.save, start)

    def save(self, path: Path) -> None:
        """Save the errors as JSON."""
        try:
            shutil.copyfile(Path(self._scratch.name) / "errors.json", path)
        except OSError as error:
            notify.failure(self, error)
            return
        self._workspace.status_message.emit(f"Errors saved to {path}.")

    def reject(self) -> None:
        self.task.cancel()
        self.attention.task.cancel()
        super().reject()


def summary(errors: Errors) -> str:
    """Return how many rows are right, and the error rate with its edits."""
    if not errors.rows:
        return "There are no rows."
    right = f"{errors.exact:,} of {counted(errors.rows, 'row')} {verb_for(errors.exact, 'are')} right"
    right += f" ({errors.exact / errors.rows:.1%})."
    rate = "" if errors.error_rate is None else f" {errors.rate.capitalize()} ({errors.short}) {errors.error_rate:.2%}:"
    edits = (
        f" {counted(errors.substitutions, 'substitution')}, {counted(errors.insertions, 'insertion')}, "
        f"{counted(errors.deletions, 'deletion')}."
    )
    return right + rate + edits


def _choice(name: str, title: str, choices: tuple[tuple[str, str], ...]) -> QComboBox:
    box = QComboBox(objectName=name)
    box.setAccessibleName(title)
    for value, text in choices:
        box.addItem(text, value)
    return box


def _rows_trained_on(run: RunFolder) -> int:
    """Return how many rows the run trained on; 0 where its events do not say."""
    try:
        starts = [event for event in read_events(run) if isinstance(event, Started)]
    except (SeqdecError, OSError):
        return 0
    return starts[-1].rows.training if starts else 0


def _facts_of(run: RunFolder) -> tuple[int, bool]:
    """Return how many rows the run trained on, and whether its design attends to something."""
    try:
        attending = attends(run.read_spec().load_design())
    except (SeqdecError, OSError):
        attending = False
    return _rows_trained_on(run), attending


def _read(path: Path) -> Errors:
    return msgspec.json.decode(path.read_bytes(), type=Errors)


def open_errors(workspace: Workspace, path: Path) -> ErrorsDialog:
    """Open the dialog for a run."""
    dialog = ErrorsDialog(workspace, path, notify.window_of(workspace))
    notify.present(dialog)
    return dialog
