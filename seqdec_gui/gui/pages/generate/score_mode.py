"""The mode that scores: how likely the model finds given sequences, row by row and symbol by symbol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt5.QtCore import QModelIndex, Qt, pyqtSlot
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSplitter, QVBoxLayout, QWidget

from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.generate.comparison_plot import ComparisonPlot
from seqdec_gui.gui.pages.generate.mode import Mode, Order, Source, fields_of_rows
from seqdec_gui.gui.pages.generate.other_model import OtherModel
from seqdec_gui.gui.pages.generate.scores import ScoredRow, ScoresTable, log_probability_against, read_scores, save_scores
from seqdec_gui.gui.pages.generate.symbol_bars import SymbolBars
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.generate_inputs import Row, RunInputs, in_words, scoring_inputs
from seqdec_gui.runs.notes import display_name
from seqdec_gui.runs.task_results import Scored
from seqdec_gui.runs.tasks import ScoreTask

NO_PROBABILITIES = "This run predicts numbers, which have no probabilities, so that nothing can be scored."


class ScoreMode(Mode):
    """The scored rows, and the symbols of the one that is clicked.

    Object names: `score_summary`, `scores_table`, `symbol_words`, `symbol_bars`, `save_scores_button`.
    """

    verb, busy = "Score", "Scoring…"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._inputs: RunInputs | None = None
        self._against = ""
        words = WrappedLabel(
            "Give rows and the sequences that belong to them: the log-likelihood of each is what generating reports as log p, "
            "the end symbol counted."
        )
        words.setProperty("role", "small")
        self.other = OtherModel(workspace)
        self.options = QWidget()
        column = QVBoxLayout(self.options)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * theme.SPACE)
        column.addWidget(words)
        column.addWidget(self.other)
        self.table = ScoresTable()
        self.plot = ComparisonPlot("against_plot", "Likelihood under both models", "log p", "log p")
        self._both = QSplitter(Qt.Horizontal)
        self._both.addWidget(self.table)
        self._both.addWidget(self.plot)
        self._both.setSizes([420, 260])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._head())
        layout.addWidget(self._both, 1)
        layout.addWidget(self._symbols())
        self._hint = QLabel("The log-likelihoods of your sequences appear here.", alignment=Qt.AlignCenter, wordWrap=True)
        self._hint.setProperty("role", "dim")
        layout.addWidget(self._hint, 1)
        for widget in (self._both, self._below, self.plot):
            widget.hide()
        self.plot.chosen.connect(self._on_plot_chosen)
        self.table.selectionModel().currentRowChanged.connect(self._on_current_row_changed)

    def _head(self) -> QHBoxLayout:
        self._summary = QLabel(objectName="score_summary", wordWrap=True)
        self._summary.setProperty("role", "small")
        self._save = QPushButton("Save as…", objectName="save_scores_button", enabled=False)
        self._save.clicked.connect(self._on_save_clicked)
        head = QHBoxLayout()
        head.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        head.addWidget(self._summary, 1)
        head.addWidget(self._save)
        return head

    def _symbols(self) -> QWidget:
        self._below = QWidget()
        self._words = QLabel(objectName="symbol_words")
        self._words.setProperty("role", "small")
        self._bars = SymbolBars()
        area = QScrollArea()
        area.setAccessibleName("Probability of each symbol")
        area.setFrameShape(QFrame.NoFrame)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        area.setWidget(self._bars)
        area.setFixedHeight(self._bars.sizeHint().height() + area.horizontalScrollBar().sizeHint().height())
        line = QFrame()
        line.setProperty("role", "line")
        layout = QVBoxLayout(self._below)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * theme.SPACE)
        layout.addWidget(line)
        inside = QVBoxLayout()
        inside.setContentsMargins(3 * theme.SPACE, 0, 3 * theme.SPACE, 2 * theme.SPACE)
        inside.addWidget(self._words)
        inside.addWidget(area)
        layout.addLayout(inside)
        return self._below

    def show_run(self, inputs: RunInputs | None) -> None:
        self._inputs = inputs
        self.other.show_run(None if inputs is None else inputs.run)

    def form_inputs(self, inputs: RunInputs) -> RunInputs:
        return scoring_inputs(inputs)

    def words(self, row: Row) -> str:
        sequence = "" if self._inputs is None or self._inputs.predicted is None else self._inputs.predicted.port.name
        return in_words({name: value for name, value in row.items() if name != sequence})

    @property
    def fault(self) -> str:
        found = None if self._inputs is None else self._inputs.predicted
        return NO_PROBABILITIES if found is not None and found.numbers else ""

    def task(self, source: Source, order: Order) -> ScoreTask:
        self._against = self.other.name
        fields = fields_of_rows(source, order, "scores.jsonl")
        return ScoreTask(**fields, tokens=True, feed_map=order.feed_map, against=self.other.path)

    def read(self, result: Scored) -> list[ScoredRow]:
        return read_scores(Path(result.path))

    def show_result(self, result: Scored, content: list[ScoredRow], source: Source) -> None:
        self.table.show_rows(content, source.words)
        refused = f"; {counted(result.refused, 'row')} could not be scored" if result.refused else ""
        self._summary.setText(
            f"{counted(result.rows, 'sequence')}: perplexity {result.perplexity:.5g}, log-likelihood "
            f"{result.log_probability:.6g} ({result.log_probability / max(1, result.rows):.4g} per row){refused}"
        )
        self._compare(result, content)
        self._summary.setToolTip(f"Perplexity: exp(- log-likelihood / symbols), over {counted(result.symbols, 'symbol')}")
        self._hint.setVisible(not content)
        for widget in (self._both, self._below):
            widget.setVisible(bool(content))
        self._save.setEnabled(bool(content))
        first = next((row for row in range(len(content)) if not content[row].problem), -1)
        self.table.setCurrentIndex(self.table.scores.index(first, 0) if first >= 0 else QModelIndex())

    def _compare(self, result: Scored, rows: list[ScoredRow]) -> None:
        """Show how likely the sequences are under the other model, if there is one."""
        self.plot.setVisible(bool(result.compared))
        if self._against and not result.compared:
            self._summary.setText(f"{self._summary.text()}; {self._against} could score none of them")
        if not result.compared:
            return
        name = "" if self._inputs is None else display_name(self._inputs.run.path)
        self.plot.say(f"log p under {self._against}", f"log p under {name}")
        self.plot.show_points([log_probability_against(row) for row in rows], [row.log_probability for row in rows])
        mean = (result.compared_log_probability - result.against_log_probability) / result.compared
        self._summary.setText(f"{self._summary.text()}; {mean:+.4g} per row against {self._against}")

    @pyqtSlot(int)
    def _on_plot_chosen(self, place: int) -> None:
        """Select the row whose point was clicked."""
        model = self.table.scores
        row = next((row for row in range(model.rowCount()) if model.place(row) == place), -1)
        if row >= 0:
            self.table.setCurrentIndex(model.index(row, 0))

    @pyqtSlot(QModelIndex, QModelIndex)
    def _on_current_row_changed(self, now: QModelIndex, _before: Any) -> None:
        row = self.table.scores.row_at(now.row()) if now.isValid() else None
        if row is None or row.problem:
            self._words.setText("" if row is None else row.problem)
            self._bars.show_symbols((), ())
            return
        self._words.setText(f"Row {row.row + 1}: how likely each symbol is after those before it")
        self._bars.show_symbols(row.symbols, row.logs)

    @pyqtSlot()
    def _on_save_clicked(self) -> None:
        name = "scores" if self._inputs is None else self._inputs.run.name
        start = self._workspace.proposed_file(f"{name}-scores.csv")
        kinds = ["CSV (*.csv)", "JSON Lines (*.jsonl)"]
        notify.choose_target(self, "Save scores", kinds, "csv", self._save_to, start)

    def _save_to(self, path: Path) -> None:
        rows = self.table.all_shown()

        def done(_nothing: None) -> None:
            self._workspace.status_message.emit(f"Saved {counted(len(rows), 'row')} as {path}.")

        background.run(lambda: save_scores(path, rows), done, self.failed.emit, self)
