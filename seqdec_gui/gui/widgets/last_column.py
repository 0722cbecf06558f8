"""The last column of a table: it takes the room that is left over, and is never narrower than what stands in it."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject
from PyQt5.QtWidgets import QTableView


class LastColumn(QObject):
    """Stretches the last column of `table` over free room. Where there is none, the table scrolls instead of cutting it.

    Qt alone makes a stretched column as narrow as what is left. Call `fit` after the contents have changed.
    """

    def __init__(self, table: QTableView) -> None:
        super().__init__(table)
        self._table = table
        table.viewport().installEventFilter(self)

    def fit(self) -> None:
        """Set the width of the last column that is seen."""
        table, header = self._table, self._table.horizontalHeader()
        seen = [place for place in range(header.count()) if not header.isSectionHidden(place)]
        if not seen:
            return
        last = max(seen, key=header.visualIndex)
        needed = max(table.sizeHintForColumn(last), header.sectionSizeHint(last))
        left = table.viewport().width() - sum(header.sectionSize(place) for place in seen if place != last)
        header.setStretchLastSection(False)
        header.resizeSection(last, max(needed, left))

    @property
    def width(self) -> int:
        """Return the width at which the table has all its columns without scrolling, in pixels."""
        table, header = self._table, self._table.horizontalHeader()
        seen = [place for place in range(header.count()) if not header.isSectionHidden(place)]
        needed = [max(table.sizeHintForColumn(place), header.sectionSizeHint(place)) for place in seen]
        return int(sum(needed) + 2 * table.frameWidth() + table.verticalScrollBar().sizeHint().width())

    def eventFilter(self, _watched: QObject | None, event: QEvent) -> bool:
        if event.type() == QEvent.Resize:
            self.fit()
        return False
