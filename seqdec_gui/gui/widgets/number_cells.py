"""Cells of tables that never show a part of a number: it is there as a whole, or there are dots in its place."""

from __future__ import annotations

import re
from collections.abc import Callable

from PyQt5.QtCore import QModelIndex, QSize, Qt
from PyQt5.QtGui import QPainter
from PyQt5.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

DOTS = "…"
ROUNDING = 2
"""The width that may be lost in rounding, in pixels."""
_ITEM = re.compile(r"[^,]+(?:,|$)")
_NUMBERS = re.compile(r"[-+\d.,eE%× /:]+")


class NumberCells(QStyledItemDelegate):
    """Paints dots for a number that has no room, or that reaches over the edge of the table.

    Numbers are what is aligned right, and texts that consist of digits; of a list of numbers the first ones are shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._painting = False
        self._padding: int | None = None

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        self._painting = True  # sizes are computed from whole texts
        try:
            super().paint(painter, option, index)
        finally:
            self._painting = False

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        if not self._painting or option is None or not option.text:
            return
        right = bool(option.displayAlignment & Qt.AlignRight)
        if right or is_numbers(option.text):
            option.text = shortened(option.text, option.fontMetrics.horizontalAdvance, self._room(option, right))

    def _room(self, option: QStyleOptionViewItem, right: bool) -> int:
        """Return the width for the text of a cell, in pixels; 0 if it would be cut by the edge of the table."""
        view = option.widget
        if not isinstance(view, QAbstractItemView):
            return int(option.rect.width())
        if self._padding is None:
            self._padding = cell_padding(view)
        seen = option.rect.intersected(view.viewport().rect())
        whole = seen.right() == option.rect.right() if right else seen.left() == option.rect.left()
        return int(seen.width()) - self._padding + ROUNDING if whole else 0


def cell_padding(view: QAbstractItemView) -> int:
    """Return the width of a cell of a table without its text, in pixels, with what is lost in rounding the text's width."""
    option = QStyleOptionViewItem()
    option.initFrom(view)
    option.features |= QStyleOptionViewItem.HasDisplay
    option.text = "0"
    whole = view.style().sizeFromContents(QStyle.CT_ItemViewItem, option, QSize(), view).width()
    return int(whole - option.fontMetrics.horizontalAdvance(option.text)) + ROUNDING


def is_numbers(text: str) -> bool:
    """Return whether a text is a number, or several."""
    return _NUMBERS.fullmatch(text) is not None and any(map(str.isdigit, text))


def shortened(text: str, measure: Callable[[str], int], room: int) -> str:
    """Return the text if it fits into `room` pixels, the first of its numbers and dots, or dots alone."""
    if measure(text) <= room:
        return text
    kept = ""
    for item in _ITEM.findall(text) if ", " in text else ():
        if measure(f"{kept}{item} {DOTS}") > room:
            break
        kept += item
    return f"{kept} {DOTS}" if kept else DOTS
