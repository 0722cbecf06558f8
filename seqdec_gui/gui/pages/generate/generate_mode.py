"""The mode that generates: strategy and limits on the left, sequences to sort, filter, look at and save on the right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from PyQt5.QtCore import QModelIndex, Qt, pyqtSlot
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.generated_results import Filter, Result, read_results, save_results
from seqdec_gui.data.molecule_pictures import can_draw, may_be_smiles
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.dialogs.errors.charts import CandidatesChart
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.generate.decoding_choice import choice_for, keep_choice
from seqdec_gui.gui.pages.generate.feed_map_form import FeedMapForm
from seqdec_gui.gui.pages.generate.mode import Mode, Order, Source, fields_of_rows
from seqdec_gui.gui.pages.generate.properties_view import PropertiesView
from seqdec_gui.gui.pages.generate.results_table import ResultsTable
from seqdec_gui.gui.pages.generate.scores import read_steps
from seqdec_gui.gui.pages.generate.strategy_form import StrategyForm
from seqdec_gui.gui.pages.generate.structures import Structures
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.attention.view import AttentionView
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.attention import read_attention
from seqdec_gui.runs.generate_inputs import RunInputs
from seqdec_gui.runs.quality.properties import can_compute, named_by_inputs
from seqdec_gui.runs.task_results import Attended, Scored
from seqdec_gui.runs.tasks import AttentionTask, GenerateTask, ScoreTask

FILTERS = {
    "finished": ("Finished", "Leave out sequences that were cut at the greatest length, and rows that failed"),
    "different": ("Different", "Of equal sequences the first"),
    "best": ("Best per row", "The likeliest sequence of each row"),
}
"""The words and help of the buttons that filter."""
STEP_CANDIDATES = 5
"""The number of symbols that are shown at each step."""
STALE = "These sequences are of another run, or of other weights. Generate again."
"""Why nothing more is found out about the sequences in the table."""
FILE_KINDS = ["CSV (*.csv)", "SMILES (*.smi)", "JSON Lines (*.jsonl)"]
"""The kinds of files that sequences are saved as."""


class GenerateMode(Mode):
    """The sequences that were generated. Object names in the package's docstring."""

    verb, busy = "Generate", "Generating…"
    stale = STALE
    steps: CandidatesChart
    attention: AttentionView
    properties: PropertiesView

    def __init__(self, workspace: Workspace, feed_map: FeedMapForm) -> None:
        super().__init__(workspace)
        self._run = ""
        self._name = "samples"
        self._properties: tuple[str, ...] = ()  # those that the inputs of the run name
        self._making: tuple[Source, Order] | None = None
        self._made_from: tuple[Source, Order] | None = None
        self._steps_of: Result | None = None
        self._attention_of: Result | None = None
        self._feed_map = feed_map
        self.strategy = StrategyForm()
        self.options = self.strategy
        self.results = ResultsTable()
        self.structures = Structures(self.results)
        self._plotted = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._head())
        layout.addWidget(self._tools())
        above = QWidget()
        beside = QHBoxLayout(above)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        beside.addWidget(self.results, 1)
        beside.addWidget(self.structures)
        below = QSplitter(Qt.Horizontal)
        self._both = QSplitter(Qt.Vertical)
        self._both.addWidget(above)
        self._both.addWidget(below)
        self._both.setSizes([420, 220])
        self._both.setChildrenCollapsible(False)
        self._below = below
        layout.addWidget(self._both, 1)
        self._hint = QLabel("The generated sequences appear here.", alignment=Qt.AlignCenter, wordWrap=True)
        self._hint.setProperty("role", "dim")
        layout.addWidget(self._hint, 1)
        for widget in (self._both, self._bar):
            widget.hide()
        self.strategy.edited.connect(self.edited)
        self.strategy.refused.connect(workspace.status_message)
        self.results.selectionModel().currentRowChanged.connect(self._on_current_row_changed)
        self._show_below()

    def _head(self) -> QHBoxLayout:
        self._summary = QLabel(objectName="generate_summary", wordWrap=True)
        self._summary.setProperty("role", "small")
        self._copy = QPushButton("Copy", objectName="copy_results_button", enabled=False)
        self._copy.setToolTip("Copy the selected rows, or all that are shown, for a spreadsheet")
        self._save = QPushButton("Save as…", objectName="save_results_button", enabled=False)
        self._save.setToolTip("Save the rows that are shown, in their order: CSV, SMILES or JSON Lines")
        self._copy.clicked.connect(self._on_copy_clicked)
        self._save.clicked.connect(self._on_save_clicked)
        head = QHBoxLayout()
        head.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        head.setSpacing(2 * theme.SPACE)
        head.addWidget(self._summary, 1)
        head.addWidget(self._copy)
        head.addWidget(self._save)
        return head

    def _tools(self) -> QWidget:
        self._bar = QWidget()
        row = QHBoxLayout(self._bar)
        row.setContentsMargins(3 * theme.SPACE, 0, 3 * theme.SPACE, 2 * theme.SPACE)
        row.setSpacing(theme.SPACE)
        self._search = QLineEdit(objectName="filter_results", placeholderText="Filter", clearButtonEnabled=True)
        self._search.setAccessibleName("Filter the results by text")
        self._search.setMinimumWidth(80)
        self._search.textChanged.connect(self._on_filter_changed)
        row.addWidget(self._search, 1)
        self._filters: dict[str, QToolButton] = {}
        for name, (words, tip) in FILTERS.items():
            button = QToolButton(objectName=f"filter_{name}", text=words, toolTip=tip, checkable=True)
            button.toggled.connect(self._on_filter_changed)
            row.addWidget(button)
            self._filters[name] = button
        self._draw = QToolButton(objectName="show_structures", text="Structures", checkable=True)
        self._draw.setToolTip("Draw the sequences as structures of SMILES")
        self._draw.toggled.connect(self._on_draw_toggled)
        row.addWidget(self._draw)
        self._steps_button = QToolButton(objectName="show_steps", text="Steps", checkable=True)
        self._steps_button.setToolTip("Show the likeliest symbols at each step of the row that is clicked")
        self._attention_button = QToolButton(objectName="show_attention", text="Attention", checkable=True)
        self._attention_button.setToolTip("Show which steps the model attends to while it makes the row that is clicked")
        self._properties_button = QToolButton(objectName="show_properties", text="Properties", checkable=True)
        self._properties_button.setToolTip("Compute properties of the molecules, and plot them against the wanted ones")
        for button in (self._steps_button, self._attention_button, self._properties_button):
            button.toggled.connect(self._on_below_toggled)
            row.addWidget(button)
        return self._bar

    # -- the run
    def show_run(self, inputs: RunInputs | None) -> None:
        self._run = "" if inputs is None else str(inputs.run.path)
        self._name = "samples" if inputs is None else inputs.run.name
        choice = choice_for(self._run)
        self.strategy.show_run(inputs, choice)
        self._feed_map.show_run(inputs, choice.feed_map)
        predicted = None if inputs is None else inputs.predicted
        self._draw.setVisible(can_draw() and _is_smiles(inputs, perhaps=True))
        self._draw.setChecked(self._draw.isVisibleTo(self._bar) and _is_smiles(inputs))
        self._steps_button.setVisible(predicted is not None and not predicted.numbers)
        self._attention_button.setVisible(self._steps_button.isVisibleTo(self._bar) and inputs is not None and inputs.attends)
        if not self._attention_button.isVisibleTo(self._bar):
            self._attention_button.setChecked(False)
        self._made_from = None
        self._offer_properties(())
        if inputs is not None and self._draw.isVisibleTo(self._bar):
            fitted, run = inputs.fitted, self._run
            background.run(
                lambda: tuple(each.name for each in named_by_inputs(fitted) if can_compute(each.name)),
                lambda names: self._offer_properties(names if run == self._run else ()),
                lambda _error: None,  # rdkit is broken, or was removed
                self,
            )

    def _offer_properties(self, names: tuple[str, ...]) -> None:
        """Offer to compute the properties that the inputs of the run name; they are, unless the button is switched off."""
        self._properties = names
        self._properties_button.setVisible(bool(names))
        self._properties_button.setChecked(bool(names))

    def keep_choice(self) -> None:
        if self._run:
            keep_choice(self._run, msgspec.structs.replace(self.strategy.choice(), feed_map=self._feed_map.name))

    def source_changed(self, source: str) -> None:
        self.strategy.limits.offer_column(source == "file")

    @property
    def fault(self) -> str:
        return self.strategy.fault

    # -- the task
    def task(self, source: Source, order: Order) -> GenerateTask:
        fields = fields_of_rows(source, order, "samples.csv") | self.strategy.choice().task_fields()
        self._making = (source, order)
        wanted = ("auto",) if self._properties and self._properties_button.isChecked() else ()
        return GenerateTask(**fields, mark_unfinished=True, feed_map=order.feed_map, properties=wanted)

    def next_task(self, order: Order) -> ScoreTask | AttentionTask | None:
        """Return the task that looks at the current row more closely; None if its run or weights are no longer chosen."""
        result, made, wanted = self._current(), self._made_from, self._wanted()
        if result is None or made is None or not wanted:
            return None
        source, before = made
        if (before.inputs.run, before.checkpoint, before.feed_map) != (order.inputs.run, order.checkpoint, order.feed_map):
            return None
        given = ((result.row, result.text),)
        if wanted == "attention":
            self._attention_of = result
            fields = fields_of_rows(source._replace(keep=()), order, "attention.json")
            return AttentionTask(**fields, given=given, feed_map=order.feed_map)
        self._steps_of = result
        fields = fields_of_rows(source._replace(keep=()), order, "steps.jsonl")
        return ScoreTask(**fields, given=given, candidates=STEP_CANDIDATES, feed_map=order.feed_map)

    def read(self, result: Any) -> Any:
        if isinstance(result, Scored):
            return read_steps(Path(result.path))
        if isinstance(result, Attended):
            return read_attention(Path(result.path))
        return read_results(Path(result.path))

    def show_result(self, result: Any, content: Any, source: Source) -> None:
        if isinstance(result, Scored | Attended):
            if isinstance(result, Scored):
                self.steps.show_steps(content)
            else:
                self.attention.show_attention(content[0] if content else None)
            self._ask()  # what else is shown of the row, or of another that was clicked meanwhile
            return
        self._show_sequences(content, source)

    def _show_sequences(self, content: list[Result], source: Source) -> None:
        self._made_from = self._making
        self._steps_of = self._attention_of = None
        if content:
            self._make_plots()
        if self._plotted:
            self.steps.show_steps(())
            self.attention.show_attention(None)
            self.properties.show_results(content)
        self.results.show_results(content, source.words)
        self._hint.setVisible(not content)
        for widget in (self._both, self._bar):
            widget.setVisible(bool(content))
        self._on_draw_toggled()
        for button in (self._copy, self._save):
            button.setEnabled(bool(content))
        self._filters["best"].setEnabled(any(result.sample for result in content))
        self._filters["finished"].setEnabled(any(result.problem or not result.finished for result in content))
        self._say_how_many()

    def _say_how_many(self) -> None:
        results = self.results.results.results
        made = [result for result in results if not result.problem]
        rows = len({result.row for result in made})
        different = len({result.text for result in made})
        refused = len(results) - len(made)
        shown = self.results.results.rowCount()
        self._summary.setToolTip(f"of {counted(rows, 'row')}")
        not_decoded = f"; {counted(refused, 'row')} could not be decoded" if refused else ""
        fewer = f"; {shown:,} shown" if shown < len(results) else ""
        distinct = f", {different:,} different" if len(made) > 1 else ""
        self._summary.setText(f"{counted(len(made), 'sequence')}{distinct}{not_decoded}{fewer}")

    # -- results
    @pyqtSlot()
    def _on_filter_changed(self, *_value: object) -> None:
        chosen = {name: button.isChecked() for name, button in self._filters.items()}
        self.results.results.set_filter(Filter(self._search.text().strip(), **chosen))
        self._say_how_many()

    @pyqtSlot()
    def _on_draw_toggled(self, *_on: object) -> None:
        self.structures.setVisible(self._draw.isChecked())

    # -- below the results
    def _make_plots(self) -> None:
        """Make the plots for the first sequences: they take as long as all the rest of the page."""
        if not self._plotted:
            self._plotted = True
            self.steps = CandidatesChart()
            self.attention = AttentionView(self._workspace)
            self.properties = PropertiesView()
            self.properties.chosen.connect(self._on_property_chosen)
            for view in (self.steps, self.attention, self.properties):
                self._below.addWidget(view)
            self._show_below()

    def _show_below(self) -> None:
        buttons = (self._steps_button, self._attention_button, self._properties_button)
        if self._plotted:
            views: tuple[QWidget, ...] = (self.steps, self.attention, self.properties)
            for button, view in zip(buttons, views, strict=True):
                view.setVisible(button.isChecked())
        self._below.setVisible(any(button.isChecked() for button in buttons))

    @pyqtSlot()
    def _on_below_toggled(self, *_on: object) -> None:
        before = self._plotted and self.attention.isVisibleTo(self._below)
        self._show_below()
        if self._attention_button.isChecked() and not before:
            self._both.setSizes([220, 420])  # a line for each symbol
        self._ask()

    def _current(self) -> Result | None:
        """Return the sequence of the row that is clicked; None if there is none, or it could not be decoded."""
        index = self.results.currentIndex()
        result = self.results.results.result_at(index.row()) if index.isValid() else None
        return None if result is None or result.problem else result

    @pyqtSlot(QModelIndex, QModelIndex)
    def _on_current_row_changed(self, _now: QModelIndex, _before: QModelIndex) -> None:
        self._ask()

    def _wanted(self) -> str:
        """Return what is to be found out about the current row next: steps, attention, or nothing."""
        now = self._current()
        if now is not None and self._steps_button.isChecked() and now != self._steps_of:
            return "steps"
        return "attention" if now is not None and self._attention_button.isChecked() and now != self._attention_of else ""

    def _ask(self) -> None:
        if self._wanted():
            self.asked.emit()

    @pyqtSlot(int)
    def _on_property_chosen(self, place: int) -> None:
        """Select the row of a molecule that was clicked in the plot."""
        model = self.results.results
        row = next((row for row in range(model.rowCount()) if model.place(row) == place), -1)
        if row >= 0:
            self.results.setCurrentIndex(model.index(row, 0))

    @pyqtSlot()
    def _on_copy_clicked(self) -> None:
        count = self.results.copy()
        self._workspace.status_message.emit(f"On the clipboard: {counted(count, 'row')}.")

    @pyqtSlot()
    def _on_save_clicked(self) -> None:
        start = self._workspace.proposed_file(f"{self._name}.csv")
        notify.choose_target(self, "Save sequences", FILE_KINDS, "csv", self._save_to, start)

    def _save_to(self, path: Path) -> None:
        results = self.results.all_shown()

        def done(_nothing: None) -> None:
            self._workspace.status_message.emit(f"Saved {counted(len(results), 'row')} as {path}.")

        background.run(lambda: save_results(path, results), done, self.failed.emit, self)


def _is_smiles(inputs: RunInputs | None, perhaps: bool = False) -> bool:
    """Return whether a run predicts SMILES, by its tokens or the name of its column; or `perhaps` does, by its symbols."""
    port = None if inputs is None or inputs.predicted is None else inputs.predicted.port
    if port is None or not isinstance(port.codec, FittedText):
        return False
    named = any("smiles" in name.casefold() for name in (port.name, *port.columns))
    written = port.codec.tokens not in ("words", "selfies") and not port.codec.lowercase
    return port.codec.tokens == "smiles" or named or (perhaps and written and may_be_smiles(port.codec.charset))
