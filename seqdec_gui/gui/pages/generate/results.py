"""The table of generated sequences, to copy and to save."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.table_style import show_as_list

HEADER = ("row", "sample", "text", "log_probability")
"""The columns of the file of a generate task."""
FINISHED_TITLE = "finished"
"""The additional column of the file if a sequence reached the greatest length before its end."""
CUT_SIGN = " …"
"""The text shown after a sequence that reached the greatest length before its end."""
PROBLEM_TITLE = "problem"
"""The last column of the file if some rows could not be decoded: why."""
TITLES = ("Row", "Sample", "Text", "log p", "Input", "Problem")
"""The titles of the columns of the table; columns that were carried over follow under their own names."""
SAMPLE_COLUMN = 1
"""The table's column with the number of the sample."""
TEXT_COLUMN = 2
"""The table's column with the sequence."""
LOG_COLUMN = 3
"""The table's column with the logarithm of the probability."""
INPUT_COLUMN = 4
"""The table's column with what the row was made from."""
PROBLEM_COLUMN = 5
"""The table's column with the reason why a row could not be decoded."""
MIN_INPUT_WIDTH = 64
"""The least width of the column of inputs, in pixels."""
MAX_INPUT_WIDTH = 160
"""The greatest width of the column of inputs, and of those carried over, in pixels."""
MAX_PROBLEM_WIDTH = 320
"""The greatest width of the column of problems, in pixels."""


class Result(NamedTuple):
    """One sequence, or with a `problem` a row that could not be decoded; `row` and `sample` count from 0 as in the file.

    `kept` are the columns that were carried over, names and cells; all results of a file have the same.
    """

    row: int
    sample: int | None
    text: str
    log_probability: float | None
    finished: bool = True
    kept: tuple[tuple[str, str], ...] = ()
    problem: str = ""


def read_results(path: Path) -> list[Result]:
    """Return the rows of the CSV file that a generate task writes."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        further = next(lines, [])[len(HEADER) :]
        marked = further[:1] == [FINISHED_TITLE]
        told = further[-1:] == [PROBLEM_TITLE]
        names = further[marked : len(further) - told]
        results = []
        for row, sample, text, log, *more in lines:
            kept = tuple(zip(names, more[marked:], strict=False))
            finished = not marked or more[0] != "0"
            problem = more[-1] if told else ""
            number = int(sample) if sample else None
            results.append(Result(int(row), number, text, float(log) if log else None, finished, kept, problem))
        return results


def as_csv(results: Sequence[Result]) -> str:
    """Return the results in the same CSV format as the command line writes.

    If a sequence was cut off, the column `finished` says which, as with `--mark-unfinished`.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(lines_of(results))
    return out.getvalue()


def lines_of(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """Return the header and the cells of every result."""
    marked, told = not all(result.finished for result in results), any(result.problem for result in results)
    names = kept_names(results)
    lines: list[tuple[str, ...]] = [(*HEADER, *[FINISHED_TITLE] * marked, *names, *[PROBLEM_TITLE] * told)]
    for result in results:
        sample = "" if result.sample is None else str(result.sample)
        log = "" if result.log_probability is None else f"{result.log_probability:.6f}"
        finished = "" if result.problem else str(int(result.finished))
        kept = [cell for _, cell in result.kept]
        cells = (str(result.row), sample, result.text, log, *[finished] * marked, *kept, *[result.problem] * told)
        lines.append(cells)
    return lines


def kept_names(results: Sequence[Result]) -> list[str]:
    """Return the names of the columns that were carried over."""
    return [name for name, _ in results[0].kept] if results else []


class ResultsModel(QAbstractTableModel):
    """A table model of the results. Rows and samples are shown from 1; `UserRole` returns the value to sort by."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.results: list[Result] = []
        self.inputs: Sequence[str] = ()
        self._kept: list[str] = []

    def show_results(self, results: list[Result], inputs: Sequence[str]) -> None:
        self.beginResetModel()
        self.results = results
        self.inputs = inputs
        self._kept = kept_names(results)
        self.endResetModel()

    def _value(self, row: int, column: int) -> object:
        result = self.results[row]
        if column < INPUT_COLUMN:
            return result[column]
        if column > PROBLEM_COLUMN:
            return result.kept[column - len(TITLES)][1]
        if column == PROBLEM_COLUMN:
            return result.problem
        return self.inputs[result.row] if result.row < len(self.inputs) else ""

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.results)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(TITLES) + len(self._kept)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> object:
        value = self._value(index.row(), index.column())
        if role == Qt.UserRole:
            lowest: object = -1 if index.column() == SAMPLE_COLUMN else float("-inf")
            return lowest if value is None else value
        if role == Qt.DisplayRole:
            if index.column() < TEXT_COLUMN:
                return "–" if value is None else f"{int(value) + 1:,}"  # type: ignore[call-overload]
            if index.column() == LOG_COLUMN:
                return "–" if value is None else f"{value:.3f}"
            cut = CUT_SIGN if index.column() == TEXT_COLUMN and not self.results[index.row()].finished else ""
            return str(value).replace("\n", "⏎") + cut
        if role == Qt.ToolTipRole:
            if index.column() == TEXT_COLUMN and not self.results[index.row()].finished:
                return f"{value}\nUnfinished: it had no end symbol yet at the greatest length, and was cut there."
            return str(value) if _holds_text(index.column()) else None
        if role == Qt.FontRole and index.column() == TEXT_COLUMN:
            return theme.font(monospace=True)
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | (Qt.AlignLeft if _holds_text(index.column()) else Qt.AlignRight))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.DisplayRole) -> object:
        if orientation == Qt.Vertical:
            return None
        if role == Qt.DisplayRole:
            return (*TITLES, *self._kept)[section]
        if role == Qt.ToolTipRole and section == LOG_COLUMN:
            return "Natural logarithm of the probability of the whole sequence, its end included"
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | (Qt.AlignLeft if _holds_text(section) else Qt.AlignRight))
        return None


def _greatest_width(column: int) -> int:
    return MAX_PROBLEM_WIDTH if column == PROBLEM_COLUMN else MAX_INPUT_WIDTH


def _holds_text(column: int) -> bool:
    return column == TEXT_COLUMN or column >= INPUT_COLUMN


class ResultsTable(QTableView):
    """The table of results, sorted by a click on a header. Ctrl+C copies the selected rows. Object name `results_table`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("results_table")
        self.setAccessibleName("Generated sequences")
        self.results = ResultsModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.results)
        self._sorted.setSortRole(Qt.UserRole)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        show_as_list(self, 26)
        self.setAlternatingRowColors(True)
        self.verticalHeader().setSectionResizeMode(QHeaderView.Fixed)
        header = self.horizontalHeader()
        header.setSectionResizeMode(TEXT_COLUMN, QHeaderView.Stretch)
        header.moveSection(INPUT_COLUMN, TEXT_COLUMN)
        for section, width in ((0, 52), (SAMPLE_COLUMN, 68), (LOG_COLUMN, 76)):
            header.setSectionResizeMode(section, QHeaderView.Fixed)
            header.resizeSection(section, width)
        header.setSortIndicator(-1, Qt.AscendingOrder)

    def show_results(self, results: list[Result], inputs: Sequence[str] = ()) -> None:
        """Show these results. `inputs` are texts about what each row was generated from, if known."""
        self.horizontalHeader().setSortIndicator(-1, Qt.AscendingOrder)
        self.results.show_results(results, inputs)
        self.setColumnHidden(INPUT_COLUMN, not any(inputs))
        self.setColumnWidth(INPUT_COLUMN, min(MAX_INPUT_WIDTH, max(MIN_INPUT_WIDTH, self.sizeHintForColumn(INPUT_COLUMN))))
        self.setColumnHidden(SAMPLE_COLUMN, not any(result.sample for result in results))
        self.setColumnHidden(PROBLEM_COLUMN, not any(result.problem for result in results))
        for column in range(PROBLEM_COLUMN, self.results.columnCount()):
            width = max(self.sizeHintForColumn(column), self.horizontalHeader().sectionSizeHint(column))
            self.setColumnWidth(column, min(_greatest_width(column), max(MIN_INPUT_WIDTH, width)))
        self.scrollToTop()

    def shown(self) -> list[Result]:
        """Return the selected rows in the order of the table, or all rows if none is selected."""
        chosen = sorted({index.row() for index in self.selectionModel().selectedIndexes()}) or range(self._sorted.rowCount())
        return [self.results.results[self._sorted.mapToSource(self._sorted.index(row, 0)).row()] for row in chosen]

    def copy(self) -> int:
        """Copy the rows of `shown` to the clipboard, separated by tabs for spreadsheets. Return their number."""
        rows = self.shown()
        QApplication.clipboard().setText("\n".join("\t".join(cells) for cells in lines_of(rows)))
        return len(rows)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)
