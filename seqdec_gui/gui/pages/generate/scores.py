"""The scores of given sequences: read from the file of a task, shown in a table, and saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QWidget

from seqdec_gui.data.row_file import RowFile
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.pages.generate.list_model import ListModel
from seqdec_gui.gui.pages.generate.list_table import ListTable
from seqdec_gui.runs.quality.errors import StepChoice
from seqdec_gui.runs.task_results import AGAINST_COLUMNS, CANDIDATES_COLUMN, SCORE_COLUMNS, SYMBOL_COLUMNS

HEADER = (*SCORE_COLUMNS, *SYMBOL_COLUMNS)
"""The first columns of the file of a score task in JSON Lines."""
PROBLEM = "problem"
TITLES = ("Row", "Sequence", "log p", "Symbols", "per symbol", "Input", "Problem")
"""The titles of the columns of the table; columns that were carried over follow under their own names."""
TEXT, LOG, SYMBOLS, MEAN, INPUT, WHY = range(1, 7)
MAX_WIDTH = 240


class ScoredRow(NamedTuple):
    """One sequence and how likely it is, or with a `problem` a row that could not be scored; `row` counts from 0."""

    row: int
    text: str
    log_probability: float | None
    symbols: tuple[str, ...] = ()
    logs: tuple[float, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    @property
    def mean(self) -> float | None:
        """The log-probability per symbol, the end symbol counted."""
        return self.log_probability / len(self.logs) if self.log_probability is not None and self.logs else None


def read_scores(path: Path) -> list[ScoredRow]:
    """Return the rows of the JSON Lines file that a score task writes."""
    found = []
    for line in path.read_bytes().splitlines():
        cells: dict[str, Any] = msgspec.json.decode(line)
        further = {name: cell for name, cell in cells.items() if name not in (*HEADER, PROBLEM)}
        kept = tuple((name, "" if cell is None else str(cell)) for name, cell in further.items())
        symbols, logs = (tuple(cells.get(name) or ()) for name in HEADER[4:])
        log = cells["log_probability"]
        found.append(ScoredRow(cells["row"], cells["text"] or "", log, symbols, logs, kept, cells.get(PROBLEM) or ""))
    return found


def log_probability_against(row: ScoredRow) -> float | None:
    """Return how likely the other model finds a sequence; None where there is none, or it cannot score it."""
    cell = dict(row.kept).get(AGAINST_COLUMNS[0], "")
    return float(cell) if cell else None


def read_steps(path: Path) -> tuple[StepChoice, ...]:
    """Return the likeliest symbols at each step of the first sequence of a file in JSON Lines. Raises SeqdecError."""
    line = path.read_bytes().splitlines()[0]
    cells: dict[str, Any] = msgspec.json.decode(line)
    if cells.get(PROBLEM):
        raise SeqdecError(f"The steps of this sequence cannot be shown: {cells[PROBLEM]}")
    return msgspec.convert(cells[CANDIDATES_COLUMN], tuple[StepChoice, ...])


def save_scores(path: Path, rows: Sequence[ScoredRow]) -> None:
    """Write CSV or JSON Lines (.jsonl) as the command line writes it with `--tokens`. Raises SeqdecError."""
    lists = path.suffix.lower() == ".jsonl"
    told = any(row.problem for row in rows)
    names = [name for name, _ in rows[0].kept] if rows else []
    with RowFile(path, (*HEADER[:4], *HEADER[4 if lists else 5 :], *names, *[PROBLEM] * told)) as file:
        for row in rows:
            made: tuple[object, ...] = (None,) * (5 if lists else 4)
            if not row.problem:
                symbols = [list(row.symbols)] if lists else []
                made = (row.text, row.log_probability, len(row.logs), *symbols, list(row.logs))
            file.write([(row.row, *made, *(cell for _, cell in row.kept), *[row.problem] * told)])


class ScoresModel(ListModel):
    """A table model of scored rows; rows are shown from 1."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[ScoredRow] = []
        self._inputs: Sequence[str] = ()
        self._kept: list[str] = []

    @property
    def titles(self) -> Sequence[str]:
        return (*TITLES, *self._kept)

    def show_rows(self, rows: list[ScoredRow], inputs: Sequence[str]) -> None:
        self.beginResetModel()
        self.rows, self._inputs = rows, inputs
        self._kept = [name for name, _ in rows[0].kept] if rows else []
        self.choose(list(range(len(rows))))
        self.endResetModel()

    def row_at(self, row: int) -> ScoredRow:
        return self.rows[self.place(row)]

    def value(self, place: int, column: int) -> object:
        row = self.rows[place]
        if column >= len(TITLES):
            return row.kept[column - len(TITLES)][1]
        given = self._inputs[row.row] if row.row < len(self._inputs) else ""
        symbols = None if row.problem else len(row.logs)
        return (row.row, row.text, row.log_probability, symbols, row.mean, given, row.problem)[column]

    def holds_text(self, column: int) -> bool:
        return column == TEXT or column >= INPUT

    def shown_text(self, value: object, column: int, _place: int) -> str:
        if value is None:
            return "–"
        if column == 0:
            return f"{int(value) + 1:,}"  # type: ignore[call-overload]
        return f"{value:.3f}" if column in (LOG, MEAN) else str(value).replace("\n", "⏎")

    def tip(self, value: object, column: int, _place: int) -> str:
        return str(value) if self.holds_text(column) else ""

    def title_tip(self, column: int) -> str:
        return {
            LOG: "Natural logarithm of the probability of the whole sequence, its end included",
            SYMBOLS: "How many symbols count, the end symbol too",
            MEAN: "log p / symbols: how likely the symbols are on average",
        }.get(column, "")

    def monospaced(self, column: int) -> bool:
        return column == TEXT


class ScoresTable(ListTable):
    """The table of scored rows, sorted by a click on a header. Object name `scores_table`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.scores = ScoresModel()
        super().__init__(self.scores, "scores_table", TEXT, {0: 52, LOG: 84, SYMBOLS: 80, MEAN: 92}, parent)
        self.scores.setParent(self)
        self.setAccessibleName("Scored sequences")
        self.horizontalHeader().moveSection(INPUT, TEXT)

    def show_rows(self, rows: list[ScoredRow], inputs: Sequence[str]) -> None:
        """Show these rows. `inputs` are texts about what each sequence belongs to, if known."""
        self.show_unsorted()
        self.scores.show_rows(rows, inputs)
        self.setColumnHidden(INPUT, not any(inputs))
        self.setColumnHidden(WHY, not any(row.problem for row in rows))
        for column in range(INPUT, self.scores.columnCount()):
            width = max(self.sizeHintForColumn(column), self.horizontalHeader().sectionSizeHint(column))
            self.setColumnWidth(column, min(MAX_WIDTH, width))
        self.scrollToTop()

    def all_shown(self) -> list[ScoredRow]:
        """Return the rows in the order of the table."""
        return [self.scores.row_at(row) for row in range(self.scores.rowCount())]
