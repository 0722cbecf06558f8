"""The table over a `ListModel`: rows are selected as a whole, and a click on a header sorts."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from seqdec_gui.gui.pages.generate.list_model import ListModel
from seqdec_gui.gui.widgets.table_style import show_as_list

ROW_HEIGHT = 26
"""The height of a row, in pixels."""


class ListTable(QTableView):
    """A sorted table. The column `stretched` takes the room that is left, those of `widths` have their pixels."""

    def __init__(self, model: ListModel, name: str, stretched: int, widths: Mapping[int, int], parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setModel(model)
        self.setSortingEnabled(True)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        show_as_list(self, ROW_HEIGHT)
        self.setAlternatingRowColors(True)
        self.verticalHeader().setSectionResizeMode(QHeaderView.Fixed)
        header = self.horizontalHeader()
        header.setSectionResizeMode(stretched, QHeaderView.Stretch)
        for section, width in widths.items():
            header.setSectionResizeMode(section, QHeaderView.Fixed)
            header.resizeSection(section, width)
        self.show_unsorted()

    def show_unsorted(self) -> None:
        """Take the sign of the sorted column away: rows are in the order of the list."""
        self.horizontalHeader().setSortIndicator(-1, Qt.AscendingOrder)
