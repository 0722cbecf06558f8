"""The page of the Generate tab."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtGui import QFocusEvent, QShowEvent
from PyQt5.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.decoding import at_temperature
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.pages.generate.input_form import InputForm
from seqdec_gui.gui.pages.generate.results import Result, ResultsTable, as_csv, read_results
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.tasks.child_task import ChildTask, sentence_of
from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.widgets.number_boxes import DecimalBox, WholeNumberBox
from seqdec_gui.gui.widgets.run_picker import RunPicker
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.files import write_atomically
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.generate_inputs import Row, RunInputs, in_words, read_inputs, rows_of_data
from seqdec_gui.runs.task_results import Generated
from seqdec_gui.runs.tasks import Cancelled, GenerateTask, Notice, Progress

NO_RUN = "Generating needs a run with weights. Train the design first; its runs are then listed here."
"""The text of the page while the design has no run with weights."""
MAX_SEED = 2**31 - 1
"""The largest seed."""


class GeneratePage(QWidget):
    """The page that generates sequences in a child process, without blocking the window. Object name `generate_panel`."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("generate_panel")
        self.setProperty("role", "page")
        self.setAttribute(Qt.WA_StyledBackground)
        self._workspace = workspace
        self._inputs: RunInputs | None = None
        self._reading: background.Operation | None = None
        self._folder: Path | None = None
        self._asked: tuple[str, ...] = ()  # the inputs of the rows, in words
        self.task = ChildTask(self)
        self.picker = RunPicker(workspace, "generate")
        self.form = InputForm()
        self.results = ResultsTable()
        self._empty = EmptyState("creation", "No trained run yet", NO_RUN, "Go to the Train tab")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._arranged())
        self._stack.addWidget(QWidget())  # until the runs are listed
        self._stack.setCurrentIndex(2)
        self._connect()

    # -- the parts
    def _arranged(self) -> QWidget:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._scrolled_form(), 1)
        line = QFrame()
        line.setProperty("role", "line")
        column.addWidget(line)
        column.addLayout(self._actions())
        left.setMinimumWidth(300)
        splitter = QSplitter()
        splitter.addWidget(left)
        splitter.addWidget(self._right())
        splitter.setSizes([300, 500])
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        top = QHBoxLayout()
        top.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        top.addWidget(self.picker)
        under = QFrame()
        under.setProperty("role", "line")
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(under)
        layout.addWidget(splitter, 1)
        return holder

    def _scrolled_form(self) -> QScrollArea:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(*4 * (3 * theme.SPACE,))
        column.setSpacing(4 * theme.SPACE)
        column.addWidget(self.form)
        column.addLayout(self._options())
        column.addStretch(1)
        area = QScrollArea(widgetResizable=True)
        area.setAccessibleName("What to generate")
        area.setFrameShape(QFrame.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        area.setWidget(inside)
        return area

    def _options(self) -> QFormLayout:
        self._count = WholeNumberBox(objectName="generate_count", minimum=1, maximum=100_000, value=1)
        self._temperature = DecimalBox(objectName="generate_temperature", minimum=0.0, maximum=10.0, singleStep=0.1)
        self._temperature.setSpecialValueText("0 (most probable)")
        self._temperature.setToolTip(
            "0 takes the most probable symbol at every step; 1 draws from the model's probabilities; "
            "more than 1 makes improbable symbols more frequent."
        )
        self._seed = WholeNumberBox(objectName="generate_seed", minimum=0, maximum=MAX_SEED)
        self._seed.setToolTip("The same seed gives the same sequences again.")
        for box in (self._count, self._temperature, self._seed):
            box.refused.connect(self._workspace.status_message)
        form = QFormLayout()
        form.setHorizontalSpacing(3 * theme.SPACE)
        form.setVerticalSpacing(2 * theme.SPACE)
        form.setLabelAlignment(Qt.AlignLeft | Qt.AlignVCenter)
        for words, field in (("Samples per row", self._count), ("Temperature", self._temperature), ("Seed", self._seed)):
            label = QLabel(words)
            label.setProperty("role", "dim")
            label.setBuddy(field)
            field.setAccessibleName(words)
            form.addRow(label, field)
        return form

    def _actions(self) -> QVBoxLayout:
        self._error = WrappedLabel(name="generate_error")
        self._error.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self._error.setProperty("role", "error")
        self._error.hide()
        self._progress = QProgressBar(objectName="generate_progress", textVisible=False)
        self._progress.hide()
        self._button = QPushButton("Generate", objectName="generate_button")
        self._button.setProperty("kind", "primary")
        self._cancel = QPushButton("Cancel", objectName="cancel_generate_button")
        self._cancel.hide()
        row = QHBoxLayout()
        row.setSpacing(2 * theme.SPACE)
        row.addWidget(self._button, 1)
        row.addWidget(self._cancel)
        column = QVBoxLayout()
        column.setContentsMargins(*4 * (3 * theme.SPACE,))
        column.setSpacing(2 * theme.SPACE)
        column.addWidget(self._error)
        column.addWidget(self._progress)
        column.addLayout(row)
        return column

    def _right(self) -> QWidget:
        self._summary = QLabel(objectName="generate_summary", wordWrap=True)
        self._summary.setProperty("role", "small")
        self._copy = QPushButton("Copy", objectName="copy_results_button", enabled=False)
        self._save = QPushButton("Save as CSV…", objectName="save_results_button", enabled=False)
        head = QHBoxLayout()
        head.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        head.setSpacing(2 * theme.SPACE)
        head.addWidget(self._summary, 1)
        head.addWidget(self._copy)
        head.addWidget(self._save)
        self._hint = QLabel("The generated sequences appear here.", alignment=Qt.AlignCenter, wordWrap=True)
        self._hint.setProperty("role", "dim")
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.results, 1)
        column.addWidget(self._hint, 1)
        self.results.hide()
        return holder

    def _connect(self) -> None:
        self._empty.button.clicked.connect(self._on_empty_button_clicked)
        self._button.clicked.connect(self._on_button_clicked)
        self._cancel.clicked.connect(self.task.cancel)
        self._copy.clicked.connect(self._on_copy_clicked)
        self._save.clicked.connect(self._on_save_clicked)
        self.form.failed.connect(self._on_failed)
        self.form.judged.connect(self._on_form_judged)
        self.picker.refreshed.connect(self._on_picker_refreshed)
        self.picker.changed.connect(self._on_picker_changed)
        self.task.progressed.connect(self._on_task_progressed)
        self.task.returned.connect(self._on_task_returned)
        self.task.failed.connect(self._on_task_failed)
        self.task.finished.connect(self._on_task_finished)
        self._workspace.document.path_changed.connect(self._on_document_path_changed)
        self._workspace.document.design_changed.connect(self._on_document_design_changed)

    # -- the run
    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self.picker.refresh()

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Put the cursor where one types."""
        super().focusInEvent(event)
        if self._inputs is not None:
            self.form.take_focus()

    @pyqtSlot()
    def _on_picker_refreshed(self) -> None:
        self._stack.setCurrentIndex(0 if self.picker.run is None else 1)
        run = None if self.picker.run is None else self.picker.run.run
        if run is None or self._inputs is None or self._inputs.run != run:
            self._on_picker_changed()

    @pyqtSlot()
    def _on_picker_changed(self) -> None:
        """Read the inputs of the chosen run in a thread."""
        chosen = None if self.picker.run is None else self.picker.run.run
        if chosen is not None and self._inputs is not None and self._inputs.run == chosen:
            return
        if self._reading is not None:
            self._reading.cancel()
        self._inputs = None
        self._button.setEnabled(False)
        if chosen is not None:
            run: RunFolder = chosen
            self._reading = background.run(lambda: read_inputs(run), self._on_inputs_read, self._on_failed, self)

    def _on_inputs_read(self, inputs: RunInputs) -> None:
        self._reading = None
        self._inputs = inputs
        self.form.show_inputs(inputs)
        self._on_form_judged()
        if self.hasFocus():
            self.form.take_focus()

    @pyqtSlot()
    def _on_form_judged(self) -> None:
        """Say what the button waits for: nothing can be generated, something typed is wrong, something is missing."""
        inputs = self._inputs
        if inputs is None or self.task.running:
            return
        wrong = inputs.obstacle or self.form.fault
        missing = "" if wrong else self.form.missing
        said = wrong if inputs.obstacle or self.form.source != "typed" else ""  # a field says itself what is wrong in it
        self._say_error(said or missing, "error" if said else "small")
        self._button.setToolTip(wrong or missing)
        self._button.setEnabled(self._may_generate)

    @pyqtSlot(object)
    def _on_document_path_changed(self, _path: Path | None) -> None:
        self._inputs = None
        if self.isVisible():
            self.picker.refresh()

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        self._empty.words.setText(NO_RUN)

    @pyqtSlot()
    def _on_empty_button_clicked(self) -> None:
        self._workspace.page_requested.emit(PageName.TRAIN)

    # -- generating
    @pyqtSlot()
    def _on_button_clicked(self) -> None:
        inputs = self._inputs
        if inputs is None or self.task.running:
            return
        self._say_error("")
        try:
            if not inputs.ports:
                self._start(inputs, rows=())
            elif self.form.source == "file":
                self._start(inputs, file=self.form.read_file(), keep=self.form.kept_columns)
            elif self.form.source == "typed":
                self._start(inputs, rows=self.form.read_typed())
            else:
                self._read_data(inputs)
        except InvalidInput as error:
            self._on_failed(error)

    def _read_data(self, inputs: RunInputs) -> None:
        fitted, data, first_step = inputs.fitted, inputs.data, inputs.first_step
        assert data is not None
        first, count = self.form.data_range()
        self._button.setEnabled(False)

        def done(rows: list[Row]) -> None:
            self._start(inputs, rows=tuple(rows))

        background.run(
            lambda: rows_of_data(fitted, data, first, count, inputs.reading, first_step), done, self._on_failed, self
        )

    def _start(self, inputs: RunInputs, rows: tuple[Row, ...] = (), file: str = "", keep: tuple[str, ...] = ()) -> None:
        self._asked = tuple(in_words(row) for row in rows)
        for box in (self._count, self._temperature, self._seed):
            box.interpretText()  # take over text in a box that still has the focus
        self._folder = Path(tempfile.mkdtemp(prefix="seqdec-gui-generate-"))
        task = GenerateTask(
            run=str(inputs.run.path),
            output=str(self._folder / "samples.csv"),
            input=file,
            rows=rows,
            count=self._count.value(),
            strategy=at_temperature(self._temperature.value()),
            seed=self._seed.value(),
            checkpoint=self.picker.checkpoint,
            mark_unfinished=True,
            keep=keep,
        )
        self._progress.setRange(0, 0)
        self._progress.show()
        self._cancel.show()
        self._button.setEnabled(False)
        self._button.setText("Generating…")
        self.task.start(task)

    @pyqtSlot(object)
    def _on_task_progressed(self, event: Progress | Notice) -> None:
        if isinstance(event, Progress):
            self._progress.setRange(0, event.total)
            self._progress.setValue(event.done)
        else:
            self._say_error(event.text, "warning")

    @pyqtSlot(object)
    def _on_task_returned(self, made: Generated) -> None:
        folder, path = self._folder, Path(made.path)

        def read() -> list[Result]:
            try:
                return read_results(path)
            finally:
                _remove(folder)

        background.run(read, self._show_results, self._on_failed, self)

    @pyqtSlot(object)
    def _on_task_failed(self, error: Exception) -> None:
        _remove(self._folder)
        self._on_failed(error)

    def _show_results(self, results: list[Result]) -> None:
        self.results.show_results(results, self._asked)
        self.results.setVisible(bool(results))
        self._hint.setVisible(not results)
        made = [result for result in results if not result.problem]
        rows = len({result.row for result in made})
        different = len({result.text for result in made})
        refused = len(results) - len(made)
        self._summary.setToolTip(f"of {counted(rows, 'row')}")
        not_decoded = f"; {counted(refused, 'row')} could not be decoded" if refused else ""
        distinct = f", {different:,} different" if len(made) > 1 else ""
        self._summary.setText(f"{counted(len(made), 'sequence')}{distinct}{not_decoded}")
        for button in (self._copy, self._save):
            button.setEnabled(bool(results))

    @pyqtSlot(object)
    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError | OSError):
            raise error
        self._say_error("" if isinstance(error, Cancelled) else sentence_of(error))
        self._button.setEnabled(self._may_generate)
        if isinstance(error, Cancelled):
            self._workspace.status_message.emit("Generating was cancelled.")

    @pyqtSlot()
    def _on_task_finished(self) -> None:
        self._progress.hide()
        self._cancel.hide()
        self._button.setText("Generate")
        self._button.setEnabled(self._may_generate)

    @property
    def _may_generate(self) -> bool:
        if self._inputs is None or self._inputs.obstacle or self.task.running:
            return False
        return not self.form.fault and not self.form.missing

    def _say_error(self, text: str, role: str = "error") -> None:
        polish(self._error, "role", role)
        self._error.setText(text)
        self._error.setVisible(bool(text))

    # -- results
    @pyqtSlot()
    def _on_copy_clicked(self) -> None:
        count = self.results.copy()
        self._workspace.status_message.emit(f"Copied {counted(count, 'sequence')}.")

    @pyqtSlot()
    def _on_save_clicked(self) -> None:
        name = "samples.csv" if self._inputs is None else f"{self._inputs.run.name}.csv"
        start = self._workspace.proposed_file(name)
        notify.choose_target(self, "Save sequences", ["CSV (*.csv)"], "csv", self._save_to, start)

    def _save_to(self, path: Path) -> None:
        text = as_csv(self.results.results.results)
        message = f"The sequences were saved as {path}."

        def done(_nothing: None) -> None:
            self._workspace.status_message.emit(message)

        background.run(lambda: write_atomically(path, text.encode()), done, self._on_failed, self)


def _remove(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
