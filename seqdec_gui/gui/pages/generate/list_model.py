"""A table model over a list in memory, which it sorts and filters itself: quick with many thousand rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from seqdec_gui.gui.look import theme


class ListModel(QAbstractTableModel):
    """Shows the places of a list that were chosen, in the order of a column.

    A subclass gives `titles`, and the `value` and `shown_text` of a cell, by the place in the list and the column. `UserRole`
    returns the value.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown: list[int] = []
        self._sorted_by: tuple[int, Qt.SortOrder] = (-1, Qt.AscendingOrder)

    # -- what a subclass gives
    @property
    def titles(self) -> Sequence[str]:
        raise NotImplementedError

    def value(self, place: int, column: int) -> object:
        raise NotImplementedError

    def shown_text(self, value: object, column: int, place: int) -> str:
        raise NotImplementedError

    def holds_text(self, column: int) -> bool:
        raise NotImplementedError

    def tip(self, value: object, column: int, place: int) -> str:
        return ""

    def title_tip(self, column: int) -> str:
        return ""

    def monospaced(self, column: int) -> bool:
        return False

    # -- order
    def choose(self, places: list[int]) -> None:
        """Show these places of the list, between `beginResetModel` and `endResetModel`."""
        self._shown = self._ordered(places)

    def place(self, row: int) -> int:
        """Return the place in the list of a row of the table."""
        return self._shown[row]

    def sort(self, column: int, order: Qt.SortOrder = Qt.AscendingOrder) -> None:
        """Sort by a column; -1 restores the order of the list. Selected rows stay selected."""
        self._sorted_by = (column, order)
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        chosen = [self._shown[index.row()] for index in before]
        self._shown = self._ordered(sorted(self._shown))
        rows = {place: row for row, place in enumerate(self._shown)} if before else {}
        after = [self.index(rows[place], index.column()) for place, index in zip(chosen, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _ordered(self, places: list[int]) -> list[int]:
        column, order = self._sorted_by
        if not 0 <= column < len(self.titles):
            return places
        return sorted(places, key=lambda place: _key(self.value(place, column)), reverse=order == Qt.DescendingOrder)

    # -- the interface of Qt
    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.titles)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> object:
        column, place = index.column(), self._shown[index.row()]
        if role == Qt.DisplayRole:
            return self.shown_text(self.value(place, column), column, place)
        if role == Qt.UserRole:
            return self.value(place, column)
        if role == Qt.ToolTipRole:
            return self.tip(self.value(place, column), column, place) or None
        if role == Qt.FontRole and self.monospaced(column):
            return theme.font(monospace=True)
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | (Qt.AlignLeft if self.holds_text(column) else Qt.AlignRight))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.DisplayRole) -> object:
        if orientation == Qt.Vertical:
            return None
        if role == Qt.DisplayRole:
            return self.titles[section]
        if role == Qt.ToolTipRole:
            return self.title_tip(section) or None
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | (Qt.AlignLeft if self.holds_text(section) else Qt.AlignRight))
        return None


def _key(value: object) -> tuple[int, float, str]:
    """Return what to sort by: nothing first, then numbers by their size, also where they are written as text, then text."""
    if value is None or value == "":
        return (0, 0.0, "")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return (2, 0.0, str(value))
    return (2, 0.0, str(value)) if math.isnan(number) else (1, number, "")
