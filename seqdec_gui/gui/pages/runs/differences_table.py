"""The table of the differences between two runs, or between a run and the open design."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.number_cells import NumberCells, cell_padding, is_numbers
from seqdec_gui.gui.widgets.table_style import show_as_list, title_width
from seqdec_gui.runs.differences import Difference

LEAST = 110
"""The width that texts keep, in pixels, if there is no room for all of them."""


class DifferencesTable(QTableWidget):
    """Three columns: parameter, old and new value. Numbers have the room that they need; texts share what is left.

    Object name `differences_table`.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 3, parent)
        self.setObjectName("differences_table")
        self.setAccessibleName("Differences")
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setHorizontalHeaderLabels(("Parameter", "Before", "After"))
        show_as_list(self, 6 * theme.SPACE)
        self.setItemDelegate(NumberCells(self))
        self.setTextElideMode(Qt.ElideMiddle)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.Interactive)
        self.horizontalHeader().setTextElideMode(Qt.ElideMiddle)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignLeft | Qt.AlignVCenter)

    def show_differences(self, old: str, new: str, differences: Sequence[Difference]) -> None:
        """Show the changes from `old` to `new`."""
        self.setRowCount(len(differences))
        for place, title in enumerate(("Parameter", old or "Before", new or "After")):
            header = QTableWidgetItem(title)
            header.setToolTip(title)
            self.setHorizontalHeaderItem(place, header)
        for row, difference in enumerate(differences):
            for column, text in enumerate((difference.what, difference.old, difference.new)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.setItem(row, column, item)
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Give the columns their widths: the numbers first, then the texts as far as there is room."""
        if not self.rowCount():
            return
        padding = cell_padding(self)
        texts = [[self.item(row, column).text() for row in range(self.rowCount())] for column in range(3)]
        widths = [[self.fontMetrics().horizontalAdvance(text) + padding for text in column] for column in texts]
        titles = [title_width(self.horizontalHeaderItem(column).text(), lines=1) for column in range(3)]
        wanted = [max((title, *column)) for title, column in zip(titles, widths, strict=True)]
        given = [min(LEAST, wanted[0])] + [
            max((width for width, text in zip(*column, strict=True) if is_numbers(text)), default=min(LEAST, most))
            for *column, most in zip(widths[1:], texts[1:], wanted[1:], strict=True)
        ]
        missing = [want - has for want, has in zip(wanted, given, strict=True)]
        room = max(0, self.viewport().width() - sum(given))
        share = min(1.0, room / sum(missing)) if sum(missing) else 0.0
        given = [has + int(share * more) for has, more in zip(given, missing, strict=True)]
        rest = max(0, self.viewport().width() - sum(given))
        given = [given[0], given[1] + rest // 2, given[2] + rest - rest // 2]
        for column, width in enumerate(given):
            self.setColumnWidth(column, width)
