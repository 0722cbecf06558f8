"""What tables that list something have in common: no grid, rows of equal height, no row numbers, and Tab leaves them."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QFontMetrics
from PyQt5.QtWidgets import QAbstractItemView, QTableView

from seqdec_gui.gui.look import theme

TITLE_PADDING = 5 * theme.SPACE
"""The space around the title of a column, in pixels."""


def show_as_list(table: QTableView, row_height: int) -> None:
    """Apply it to a table; `row_height` is in pixels."""
    table.setTabKeyNavigation(False)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollPerPixel)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(row_height)
    table.horizontalHeader().setHighlightSections(False)


def fit_columns(table: QTableView) -> None:
    """Set the widths of the columns by their contents.

    Titles of several words are broken into two lines if their alignment says so.
    """
    metrics, model, header = QFontMetrics(theme.font("small", bold=True)), table.model(), table.horizontalHeader()
    header.setFixedHeight(2 * metrics.lineSpacing() + 4 * theme.SPACE)
    for place in range(model.columnCount()):
        words = str(model.headerData(place, Qt.Horizontal)).split()
        splits = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words) + 1)]
        title = min(max(map(metrics.horizontalAdvance, lines)) for lines in splits)
        table.setColumnWidth(place, max(table.sizeHintForColumn(place), title + TITLE_PADDING))
