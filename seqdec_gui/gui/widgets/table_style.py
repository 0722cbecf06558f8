"""What tables that list something have in common: no grid, rows of equal height, no row numbers, and Tab leaves them."""

from __future__ import annotations

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


def title_width(title: str, lines: int = 2) -> int:
    """Return the width that a title of a column needs, in pixels; one of several words may stand in two lines."""
    metrics, words = QFontMetrics(theme.font("small", bold=True)), title.split() if lines == 2 else [title]
    splits = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words) + 1)]
    return int(min(max(map(metrics.horizontalAdvance, split)) for split in splits)) + TITLE_PADDING


def title_height() -> int:
    """Return the height of a header whose titles may have two lines, in pixels."""
    return 2 * int(QFontMetrics(theme.font("small", bold=True)).lineSpacing()) + 4 * theme.SPACE
