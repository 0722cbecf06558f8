"""Layouts that fill lines from left to right, as text does."""

from __future__ import annotations

from math import ceil

from PyQt5.QtCore import QRect, QSize, Qt
from PyQt5.QtWidgets import QLayout, QLayoutItem, QWidget

from seqdec_gui.gui.look import theme


class FlowLayout(QLayout):
    """A layout that fills lines from left to right."""

    def __init__(self, parent: QWidget | None = None, gap: int = theme.SPACE) -> None:
        super().__init__(parent)
        self.setContentsMargins(0, 0, 0, 0)
        self._gap = gap
        self._items: list[QLayoutItem] = []

    def addItem(self, item: QLayoutItem | None) -> None:
        if item is not None:
            self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientations:
        return Qt.Orientations()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        sizes = [item.sizeHint() for item in self._items if not item.isEmpty()]
        return QSize(max((size.width() for size in sizes), default=0), max((size.height() for size in sizes), default=0))

    def _arrange(self, rect: QRect, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            if item.isEmpty():
                continue
            size = item.sizeHint()
            if x > rect.x() and x + size.width() > rect.right() + 1:
                x, y, line = rect.x(), y + line + 2, 0
            if move:
                item.setGeometry(QRect(x, y, min(size.width(), rect.width()), size.height()))
            x += size.width() + self._gap
            line = max(line, size.height())
        return y + line - rect.y()


class EvenFlow(FlowLayout):
    """A flow whose items are equally wide: as wide as the widest at least, and so wide that together they fill a line.

    Fewer items than `least` are as wide as if there were so many.
    """

    def __init__(self, parent: QWidget | None = None, gap: int = theme.SPACE, least: int = 1) -> None:
        super().__init__(parent, gap)
        self._least = least

    def _arrange(self, rect: QRect, move: bool) -> int:
        shown = [item for item in self._items if not item.isEmpty()]
        if not shown:
            return 0
        widest, height = self.minimumSize().width(), self.minimumSize().height()
        most = max((rect.width() + self._gap) // (widest + self._gap), 1)
        wished = max(len(shown), self._least)
        in_line = wished if wished <= most else min(ceil(len(shown) / ceil(len(shown) / most)), most)
        for place, item in enumerate(shown if move else ()):
            line, column = divmod(place, in_line)
            left = column * (rect.width() + self._gap) // in_line
            right = (column + 1) * (rect.width() + self._gap) // in_line - self._gap
            item.setGeometry(QRect(rect.x() + left, rect.y() + line * (height + self._gap), right - left, height))
        return ceil(len(shown) / in_line) * (height + self._gap) - self._gap
