"""The page of the Generate tab."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from PyQt5.QtCore import Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QFocusEvent, QShowEvent
from PyQt5.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.pages.generate.codes_mode import CodesMode
from seqdec_gui.gui.pages.generate.feed_map_form import FeedMapForm
from seqdec_gui.gui.pages.generate.form_area import FormArea
from seqdec_gui.gui.pages.generate.generate_mode import GenerateMode
from seqdec_gui.gui.pages.generate.input_form import InputForm
from seqdec_gui.gui.pages.generate.mode import Mode, Order, Source
from seqdec_gui.gui.pages.generate.score_mode import ScoreMode
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.tasks.child_task import ChildTask, sentence_of
from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.widgets.run_picker import RunPicker
from seqdec_gui.gui.widgets.segments import Segments
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.generate_inputs import Row, RunInputs, read_inputs, rows_of_data
from seqdec_gui.runs.tasks import Cancelled, Notice, Progress

NO_RUN = "Generating needs a run with weights. Train the design first; its runs are then listed here."
"""The text of the page while the design has no run with weights."""
MODES = (
    ("generate", "Generate", "Make sequences from rows"),
    ("score", "Score", "How likely the model finds given sequences"),
    ("codes", "Codes", "The codes of rows, and sequences from codes between and around them"),
)
"""The modes of the page: name, words and help."""
LEFT_WIDTH = 320
"""The width of the form when the page is first shown, in pixels."""


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
        self._source = Source()
        self.task = ChildTask(self)
        self.picker = RunPicker(workspace, "generate")
        self.form = InputForm()
        self.feed_map = FeedMapForm()
        self.generating = GenerateMode(workspace, self.feed_map)
        self.modes: dict[str, Mode] = {"generate": self.generating}
        """The modes that were chosen so far; each is made when it is first."""
        self._at_work: Mode = self.generating
        self._empty = EmptyState("creation", "No trained run yet", NO_RUN, "Go to the Train tab")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        holder = QWidget()
        self._stack.addWidget(holder)
        self._stack.addWidget(QWidget())  # until the runs are listed
        self._stack.setCurrentIndex(2)
        self._arrange(holder)
        self._connect()

    # -- the parts
    def _arrange(self, holder: QWidget) -> None:
        """Put the parts into their places, from the outermost inwards: what is moved with its contents is styled once more."""
        self._choose = Segments(MODES, "generate_mode")
        top = QHBoxLayout()
        top.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        top.setSpacing(3 * theme.SPACE)
        top.addWidget(self._choose)
        top.addWidget(self.picker, 1)
        under = QFrame()
        under.setProperty("role", "line")
        splitter, left = QSplitter(), QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(under)
        layout.addWidget(splitter, 1)
        self._views = QStackedWidget()
        splitter.addWidget(left)
        splitter.addWidget(self._views)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        area = FormArea(QWidget())
        area.setAccessibleName("What to generate")
        column.addWidget(area, 1)
        line = QFrame()
        line.setProperty("role", "line")
        column.addWidget(line)
        column.addLayout(self._actions())
        self._fill_form(area.widget())
        self._views.addWidget(self.generating)
        splitter.setSizes([LEFT_WIDTH, 600])
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)

    def _fill_form(self, inside: QWidget) -> None:
        column = QVBoxLayout(inside)
        column.setContentsMargins(*4 * (3 * theme.SPACE,))
        column.setSpacing(4 * theme.SPACE)
        self.form.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Maximum)
        column.addWidget(self.form)
        column.addWidget(self.feed_map)
        self._options = QVBoxLayout()
        self._options.setSpacing(4 * theme.SPACE)
        column.addLayout(self._options)
        if self.generating.options is not None:
            self._options.addWidget(self.generating.options)
        column.addStretch(1)

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

    def _connect(self) -> None:
        self._empty.button.clicked.connect(self._on_empty_button_clicked)
        self._button.clicked.connect(self._on_button_clicked)
        self._cancel.clicked.connect(self.task.cancel)
        self._choose.chosen.connect(self._on_mode_chosen)
        self.form.failed.connect(self._on_failed)
        self.form.judged.connect(self._on_form_judged)
        self.form.source_changed.connect(self._on_source_changed)
        self.feed_map.edited.connect(self._on_form_judged)
        self.feed_map.kept.connect(self._on_feed_map_kept)
        self._follow(self.generating)
        self.picker.refreshed.connect(self._on_picker_refreshed)
        self.picker.changed.connect(self._on_picker_changed)
        self.task.progressed.connect(self._on_task_progressed)
        self.task.returned.connect(self._on_task_returned)
        self.task.failed.connect(self._on_task_failed)
        self.task.finished.connect(self._on_task_finished)
        self._workspace.document.path_changed.connect(self._on_document_path_changed)
        self._workspace.document.design_changed.connect(self._on_document_design_changed)

    def _follow(self, mode: Mode) -> None:
        mode.edited.connect(self._on_form_judged)
        mode.failed.connect(self._on_failed)
        mode.asked.connect(self._on_mode_asked)

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
        for mode in self.modes.values():
            mode.show_run(inputs)
        self.form.show_inputs(self.mode.form_inputs(inputs))
        self._on_form_judged()
        QTimer.singleShot(0, self._on_fields_shown)  # Qt shows new fields of a visible form later

    @pyqtSlot()
    def _on_fields_shown(self) -> None:
        if self.hasFocus():
            self.form.take_focus()

    # -- the mode
    @property
    def mode(self) -> Mode:
        """The mode that is chosen."""
        return self.modes[self._choose.value]

    def _make_mode(self, name: str) -> None:
        if name in self.modes:
            return
        workspace = self._workspace
        mode = ScoreMode(workspace) if name == "score" else CodesMode(workspace, self.generating.strategy)
        self.modes[name] = mode
        self._views.addWidget(mode)
        if mode.options is not None:
            self._options.addWidget(mode.options)
        self._follow(mode)
        mode.source_changed(self.form.source)
        if self._inputs is not None:
            mode.show_run(self._inputs)

    @pyqtSlot(str)
    def _on_mode_chosen(self, name: str) -> None:
        self._make_mode(name)
        self._views.setCurrentWidget(self.mode)
        for other, mode in self.modes.items():
            if mode.options is not None:
                mode.options.setVisible(other == name)
        if not self.task.running:
            self._button.setText(self.mode.verb)
        if self._inputs is not None:
            self.form.show_inputs(self.mode.form_inputs(self._inputs))
        self._say_error("")
        self._on_form_judged()

    @pyqtSlot(str)
    def _on_source_changed(self, source: str) -> None:
        for mode in self.modes.values():
            mode.source_changed(source)

    @pyqtSlot()
    def _on_form_judged(self) -> None:
        """Say what the button waits for: nothing can be generated, something typed is wrong, something is missing."""
        if self._inputs is None or self.task.running:
            return
        wrong, missing = self._wrong, self._missing
        in_place = {self.feed_map.fault, self.generating.fault, self.form.fault if self.form.source == "typed" else ""}
        said = "" if wrong in in_place else wrong  # a field says itself what is wrong in it
        self._say_error(said or ("" if wrong else missing), "error" if said else "small")
        self._button.setToolTip(wrong or missing)
        self._button.setEnabled(self._may_start)

    @pyqtSlot(object)
    def _on_feed_map_kept(self, pairs: tuple[tuple[str, str], ...]) -> None:
        document = self._workspace.document
        data = msgspec.structs.replace(document.design.data, feed_map=pairs)
        document.edit(document.design.with_data(data), "Keep what is fed after a prediction")
        self._workspace.status_message.emit("The design keeps what is fed; runs that are trained from now on need no file.")

    @property
    def _wrong(self) -> str:
        """Why the task cannot be done with what is chosen; empty if it can."""
        inputs = self._inputs
        if inputs is None:
            return ""
        obstacle = "" if self.feed_map.needed else inputs.obstacle
        return obstacle or self.mode.fault or self.feed_map.fault or self.form.fault

    @property
    def _missing(self) -> str:
        return self.feed_map.missing or self.form.missing

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

    # -- the task
    @pyqtSlot()
    def _on_button_clicked(self) -> None:
        inputs = self._inputs
        if inputs is None or self.task.running:
            return
        self._say_error("")
        self.mode.keep_choice()
        try:
            if not self.mode.form_inputs(inputs).ports:
                self._start(inputs, Source())
            elif self.form.source == "file":
                self._start(inputs, Source(file=self.form.read_file(), keep=self.form.kept_columns))
            elif self.form.source == "typed":
                self._start_rows(inputs, self.form.read_typed())
            elif self.form.source == "split":
                self._start(inputs, Source(split=self.form.split))
            else:
                self._read_data(inputs)
        except InvalidInput as error:
            self._on_failed(error)

    def _read_data(self, inputs: RunInputs) -> None:
        shown = self.mode.form_inputs(inputs)
        data, first_step = shown.data, shown.first_step
        assert data is not None
        first, count = self.form.data_range()
        self._button.setEnabled(False)

        def done(rows: list[Row]) -> None:
            self._start_rows(inputs, tuple(rows))

        background.run(
            lambda: rows_of_data(shown.fitted, data, first, count, shown.reading, first_step), done, self._on_failed, self
        )

    def _start_rows(self, inputs: RunInputs, rows: tuple[Row, ...]) -> None:
        self._start(inputs, Source(rows, words=tuple(map(self.mode.words, rows))))

    def _start(self, inputs: RunInputs, source: Source) -> None:
        order = self._order(inputs)
        self._run(self.mode.task(source, order), order, source)

    @pyqtSlot()
    def _on_mode_asked(self) -> None:
        inputs = self._inputs
        if inputs is None or self.task.running:
            return
        order = self._order(inputs)
        task = self.mode.next_task(order)
        if task is None:
            _remove(order.folder)
            self._say_error(self.mode.stale)
        else:
            self._run(task, order, Source())

    def _order(self, inputs: RunInputs) -> Order:
        folder = Path(tempfile.mkdtemp(prefix="seqdec-gui-generate-"))
        return Order(inputs, self.picker.checkpoint, self.feed_map.path, folder)

    def _run(self, task: Any, order: Order, source: Source) -> None:
        self._source, self._at_work, self._folder = source, self.mode, order.folder
        self._say_error("")
        self._progress.setRange(0, 0)
        self._progress.show()
        self._cancel.show()
        self._button.setEnabled(False)
        self._button.setText(self.mode.busy)
        self.task.start(task)

    @pyqtSlot(object)
    def _on_task_progressed(self, event: Progress | Notice) -> None:
        if isinstance(event, Progress):
            self._progress.setRange(0, event.total)
            self._progress.setValue(event.done)
        else:
            self._say_error(event.text, "warning")

    @pyqtSlot(object)
    def _on_task_returned(self, result: Any) -> None:
        folder, mode, source = self._folder, self._at_work, self._source

        def read() -> Any:
            try:
                return mode.read(result)
            finally:
                _remove(folder)

        background.run(read, lambda content: mode.show_result(result, content, source), self._on_failed, self)

    @pyqtSlot(object)
    def _on_task_failed(self, error: Exception) -> None:
        _remove(self._folder)
        self._on_failed(error)

    @pyqtSlot(object)
    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError | OSError):
            raise error
        self._say_error("" if isinstance(error, Cancelled) else sentence_of(error))
        self._button.setEnabled(self._may_start)
        if isinstance(error, Cancelled):
            self._workspace.status_message.emit(f"{self._at_work.busy.rstrip('…')} was cancelled.")

    @pyqtSlot()
    def _on_task_finished(self) -> None:
        self._progress.hide()
        self._cancel.hide()
        self._button.setText(self.mode.verb)
        self._button.setEnabled(self._may_start)

    @property
    def _may_start(self) -> bool:
        return self._inputs is not None and not self.task.running and not self._wrong and not self._missing

    def _say_error(self, text: str, role: str = "error") -> None:
        polish(self._error, "role", role)
        self._error.setText(text)
        self._error.setVisible(bool(text))


def _remove(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
