"""The mode that generates: strategy and limits on the left, sequences to sort, filter, look at and save on the right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.generated_results import Filter, Result, read_results, save_results
from seqdec_gui.data.molecule_pictures import can_draw
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.generate.decoding_choice import choice_for, keep_choice
from seqdec_gui.gui.pages.generate.feed_map_form import FeedMapForm
from seqdec_gui.gui.pages.generate.mode import Mode, Order, Source, fields_of_rows
from seqdec_gui.gui.pages.generate.results_table import ResultsTable
from seqdec_gui.gui.pages.generate.strategy_form import StrategyForm
from seqdec_gui.gui.pages.generate.structures import Structures
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.generate_inputs import RunInputs
from seqdec_gui.runs.task_results import Generated
from seqdec_gui.runs.tasks import GenerateTask

FILTERS = {
    "finished": ("Finished", "Leave out sequences that were cut at the greatest length, and rows that failed"),
    "different": ("Different", "Of equal sequences the first"),
    "best": ("Best per row", "The likeliest sequence of each row"),
}
"""The words and help of the buttons that filter."""
FILE_KINDS = ["CSV (*.csv)", "SMILES (*.smi)", "JSON Lines (*.jsonl)"]
"""The kinds of files that sequences are saved as."""


class GenerateMode(Mode):
    """The sequences that were generated. Object names in the package's docstring."""

    verb, busy = "Generate", "Generating…"

    def __init__(self, workspace: Workspace, feed_map: FeedMapForm) -> None:
        super().__init__(workspace)
        self._run = ""
        self._name = "samples"
        self._feed_map = feed_map
        self.strategy = StrategyForm()
        self.options = self.strategy
        self.results = ResultsTable()
        self.structures = Structures(self.results)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._head())
        layout.addWidget(self._tools())
        self._both = QWidget()
        beside = QHBoxLayout(self._both)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        beside.addWidget(self.results, 1)
        beside.addWidget(self.structures)
        layout.addWidget(self._both, 1)
        self._hint = QLabel("The generated sequences appear here.", alignment=Qt.AlignCenter, wordWrap=True)
        self._hint.setProperty("role", "dim")
        layout.addWidget(self._hint, 1)
        for widget in (self._both, self._bar):
            widget.hide()
        self.strategy.edited.connect(self.edited)
        self.strategy.refused.connect(workspace.status_message)

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
        return self._bar

    # -- the run
    def show_run(self, inputs: RunInputs | None) -> None:
        self._run = "" if inputs is None else str(inputs.run.path)
        self._name = "samples" if inputs is None else inputs.run.name
        choice = choice_for(self._run)
        self.strategy.show_run(inputs, choice)
        self._feed_map.show_run(inputs, choice.feed_map)
        predicted = None if inputs is None else inputs.predicted
        self._draw.setVisible(can_draw() and predicted is not None and isinstance(predicted.port.codec, FittedText))
        self._draw.setChecked(self._draw.isVisibleTo(self._bar) and _is_smiles(inputs))

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
        return GenerateTask(**fields, mark_unfinished=True, feed_map=order.feed_map)

    def read(self, result: Generated) -> list[Result]:
        return read_results(Path(result.path))

    def show_result(self, _result: Any, content: list[Result], source: Source) -> None:
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


def _is_smiles(inputs: RunInputs | None) -> bool:
    """Return whether a run predicts SMILES, by its symbols or the name of its column."""
    if inputs is None or inputs.predicted is None:
        return False
    port = inputs.predicted.port
    codec = port.codec
    named = any("smiles" in name.casefold() for name in (port.name, *port.columns))
    return isinstance(codec, FittedText) and (codec.tokens == "smiles" or named)
