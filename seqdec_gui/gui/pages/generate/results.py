"""Generated sequences as a table, to copy and to save."""

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
FINISHED = "finished"
"""The further column of files, where a sequence was cut at the greatest length."""
CUT_SIGN = " …"
"""Shown after a sequence that was cut at the greatest length."""
TITLES = ("Row", "Sample", "Text", "log p", "Input")
SAMPLE = 1
TEXT = 2
LOG = 3
INPUT = 4
LEAST_INPUT = 64
WIDEST_INPUT = 160


class Result(NamedTuple):
    """One sequence; `row` and `sample` count from 0 as in the file."""

    row: int
    sample: int
    text: str
    log_probability: float | None
    finished: bool = True


def read_results(path: Path) -> list[Result]:
    """The rows of the CSV file that a generate task writes."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        next(lines, None)
        return [
            Result(int(row), int(sample), text, float(log) if log else None, finished != ["0"])
            for row, sample, text, log, *finished in lines
        ]


def as_csv(results: Sequence[Result]) -> str:
    """The same as the file, so that what is saved can be read like what the command line writes.

    Where a sequence was cut, the column `finished` says which, as with `--mark-unfinished`.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(lines_of(results))
    return out.getvalue()


def lines_of(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """The header and the cells of every result."""
    marked = not all(result.finished for result in results)
    lines: list[tuple[str, ...]] = [(*HEADER, FINISHED) if marked else HEADER]
    for row, sample, text, log, finished in results:
        cells = (str(row), str(sample), text, "" if log is None else f"{log:.6f}")
        lines.append((*cells, str(int(finished))) if marked else cells)
    return lines


class ResultsModel(QAbstractTableModel):
    """Rows and samples are shown from 1. `UserRole` gives what to sort by."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.results: list[Result] = []
        self.inputs: Sequence[str] = ()

    def show_results(self, results: list[Result], inputs: Sequence[str]) -> None:
        self.beginResetModel()
        self.results = results
        self.inputs = inputs
        self.endResetModel()

    def _value(self, row: int, column: int) -> object:
        result = self.results[row]
        if column != INPUT:
            return result[column]
        return self.inputs[result.row] if result.row < len(self.inputs) else ""

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.results)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(TITLES)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> object:
        value = self._value(index.row(), index.column())
        if role == Qt.UserRole:
            return float("-inf") if value is None else value
        if role == Qt.DisplayRole:
            if index.column() < TEXT:
                return f"{int(value) + 1:,}"  # type: ignore[call-overload]
            if index.column() == LOG:
                return "–" if value is None else f"{value:.3f}"
            cut = CUT_SIGN if index.column() == TEXT and not self.results[index.row()].finished else ""
            return str(value).replace("\n", "⏎") + cut
        if role == Qt.ToolTipRole:
            if index.column() == TEXT and not self.results[index.row()].finished:
                return f"{value}\nUnfinished: it had no end symbol yet at the greatest length, and was cut there."
            return str(value) if index.column() in (TEXT, INPUT) else None
        if role == Qt.FontRole and index.column() == TEXT:
            return theme.font(monospace=True)
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | (Qt.AlignLeft if index.column() in (TEXT, INPUT) else Qt.AlignRight))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.DisplayRole) -> object:
        if orientation == Qt.Vertical:
            return None
        if role == Qt.DisplayRole:
            return TITLES[section]
        if role == Qt.ToolTipRole and section == LOG:
            return "Natural logarithm of the probability of the whole sequence, its end included"
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | (Qt.AlignLeft if section in (TEXT, INPUT) else Qt.AlignRight))
        return None


class ResultsTable(QTableView):
    """Object name `results_table`; sorts by a click on a header, copies the selected rows with Ctrl+C."""

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
        header.setSectionResizeMode(TEXT, QHeaderView.Stretch)
        header.moveSection(INPUT, TEXT)
        for section, width in ((0, 52), (SAMPLE, 68), (LOG, 76)):
            header.setSectionResizeMode(section, QHeaderView.Fixed)
            header.resizeSection(section, width)
        header.setSortIndicator(-1, Qt.AscendingOrder)

    def show_results(self, results: list[Result], inputs: Sequence[str] = ()) -> None:
        """`inputs`: what each row was made from, in words, where that is known."""
        self.horizontalHeader().setSortIndicator(-1, Qt.AscendingOrder)
        self.results.show_results(results, inputs)
        self.setColumnHidden(INPUT, not any(inputs))
        self.setColumnWidth(INPUT, min(WIDEST_INPUT, max(LEAST_INPUT, self.sizeHintForColumn(INPUT))))
        self.setColumnHidden(SAMPLE, not any(result.sample for result in results))
        self.scrollToTop()

    def shown(self) -> list[Result]:
        """The selected rows in the order of the table, or all of them where none is selected."""
        chosen = sorted({index.row() for index in self.selectionModel().selectedIndexes()}) or range(self._sorted.rowCount())
        return [self.results.results[self._sorted.mapToSource(self._sorted.index(row, 0)).row()] for row in chosen]

    def copy(self) -> int:
        """Put the rows of `shown` on the clipboard, with tabs for spreadsheets; how many."""
        rows = self.shown()
        QApplication.clipboard().setText("\n".join("\t".join(cells) for cells in lines_of(rows)))
        return len(rows)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)
