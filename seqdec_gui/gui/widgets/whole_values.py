"""Draws numbers in cells that are too narrow: whole numbers or none, since a number that is cut reads as another one."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QModelIndex, QObject, Qt
from PyQt5.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from seqdec_gui.gui.look import theme

MORE = "…"
"""What stands for the values that have no room."""


class WholeValues(QStyledItemDelegate):
    """Leaves out values of an array at its end, and a single number that does not fit. Other columns are drawn as usual.

    `is_number(column)` says whether a column holds numbers.
    """

    def __init__(self, is_number: Callable[[int], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_number = is_number

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        if option is not None and self._is_number(index.column()):
            room = option.rect.width() - 4 * theme.SPACE
            option.text = whole_values(option.text, lambda text: option.fontMetrics.horizontalAdvance(text) <= room)
            option.textElideMode = Qt.ElideNone


def whole_values(text: str, fits: Callable[[str], bool]) -> str:
    """Return as many of the values in `1.5, 2, 3` as fit, with `…` for the others."""
    if fits(text):
        return text
    values = [value for value in text.split(", ") if value != MORE]
    low, high = 0, len(values)
    while low < high:  # the most values that fit, by halving
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(", ".join([*values[:middle], MORE])) else (low, middle - 1)
    return ", ".join([*values[:low], MORE])
