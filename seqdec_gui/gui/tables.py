"""How a table looks that lists something: lines without a grid, one height, no row numbers."""

from __future__ import annotations

from PyQt5.QtWidgets import QAbstractItemView, QTableView


def show_as_list(table: QTableView, row_height: int) -> None:
    """Height in pixels."""
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollPerPixel)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(row_height)
    table.horizontalHeader().setHighlightSections(False)
