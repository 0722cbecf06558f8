"""The table of the rows that went wrong, the worst first."""

from __future__ import annotations

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PyQt5.QtWidgets import QAbstractItemView, QTableView

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.last_column import LastColumn
from seqdec_gui.gui.widgets.number_cells import NumberCells
from seqdec_gui.gui.widgets.table_style import show_as_list
from seqdec_gui.gui.widgets.text_differences import OTHER, DifferenceCells
from seqdec_gui.runs.quality.errors import WrongRow

TITLES = ("Row", "Edits", "log p", "Input", "Target", "Generated")
ROW, EDITS, LIKELIHOOD, INPUT, TARGET, GENERATED = range(6)
WIDTHS = {ROW: 60, EDITS: 56, LIKELIHOOD: 76, INPUT: 100, TARGET: 110}
"""The widths of the columns at first, in pixels."""


class WorstRows(QAbstractTableModel):
    """A table model of the rows with errors; rows are shown from 1."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[WrongRow, ...] = ()
        self._last: LastColumn | None = None

    def show_in(self, table: QTableView) -> None:
        """Give a table this model and its look."""
        table.setModel(self)
        table.setAccessibleName("Rows with errors, the worst first")
        table.setItemDelegate(NumberCells(table))
        table.setItemDelegateForColumn(GENERATED, DifferenceCells(table))
        table.setSelectionBehavior(QAbstractItemView.SelectRows)
        table.setSelectionMode(QAbstractItemView.SingleSelection)
        table.setAlternatingRowColors(True)
        show_as_list(table, 24)
        for column, width in WIDTHS.items():
            table.setColumnWidth(column, width)
        self._last = LastColumn(table)

    def show_rows(self, rows: tuple[WrongRow, ...]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()
        if self._last is not None:
            self._last.fit()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(TITLES)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.DisplayRole, Qt.ToolTipRole):
            texts = (
                f"{row.row + 1:,}", str(row.edits), f"{row.target_log_probability:.2f}", row.input, row.target, row.generated,
            )  # fmt: skip
            return texts[column].replace("\n", "⏎") if role == Qt.DisplayRole or column >= INPUT else None
        if role == OTHER:
            return row.target if column == GENERATED else None
        if role == Qt.FontRole and column >= TARGET:
            return theme.font(monospace=True)
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | (Qt.AlignLeft if column >= INPUT else Qt.AlignRight))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.DisplayRole) -> object:
        if orientation == Qt.Vertical:
            return None
        if role == Qt.DisplayRole:
            return TITLES[section]
        if role == Qt.ToolTipRole and section == LIKELIHOOD:
            return "Natural logarithm of the probability of the target, its end included"
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | (Qt.AlignLeft if section >= INPUT else Qt.AlignRight))
        return None
