"""The tip beside the mouse while a wire is drawn or columns are dragged: whether a drop is possible, and why not."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QPoint, QRect, QSize, Qt
from PyQt5.QtWidgets import QLabel, QWidget

MAX_TEXT_WIDTH = 360
"""The width at which the text wraps, in pixels."""

MARGIN = 8
"""The space between the tip's edge and its text, and between the tip and the places it keeps off, in pixels."""

MOUSE_DISTANCE = 18
"""How far from the mouse the tip begins, in pixels."""

SEARCH_STEP = 24
"""The distance between the places that are tried when those beside the mouse are taken, in pixels."""

SEARCH_REACH = 320
"""How far from the mouse places are tried, in pixels; those further away would not be read."""


class VerdictTip(QLabel):
    """A label over the canvas that keeps off the mouse and off the places that the user aims at."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("verdict_tip")
        self.setTextFormat(Qt.PlainText)
        self.setWordWrap(True)
        self.setMargin(MARGIN)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.NoFocus)
        self.hide()

    def show_text(self, text: str, mouse: QPoint, keep_off: Sequence[QRect]) -> None:
        """Show a text near the mouse, or hide the tip if it is empty.

        `mouse` and the places to keep off are in the parent's coordinates. Where no place is wholly free, the one that covers
        least is taken.
        """
        if not text:
            self.hide()
            return
        if text != self.text():
            self.setText(text)
            self.resize(self._wrapped_size(text))
        self.move(tip_place(self.size(), self.parentWidget().rect(), mouse, keep_off))
        self.show()
        self.raise_()

    def _wrapped_size(self, text: str) -> QSize:
        """Return the size of the tip when its text wraps at MAX_TEXT_WIDTH."""
        self.ensurePolished()
        widest = QRect(0, 0, min(MAX_TEXT_WIDTH, max(self.parentWidget().width() - 2 * MARGIN, 1)), 10_000)
        wrapped = self.fontMetrics().boundingRect(widest, Qt.TextWordWrap, text)
        return QSize(min(wrapped.width(), widest.width()) + 2 * MARGIN + 2, wrapped.height() + 2 * MARGIN + 2)


def tip_place(size: QSize, room: QRect, mouse: QPoint, keep_off: Sequence[QRect]) -> QPoint:
    """Return the top left corner for a tip of this size inside `room`.

    It is the place nearest to the mouse that meets neither the mouse nor any of the places to keep off; where there is none,
    the place that covers least of them.
    """
    taken = [
        *(rect.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN) for rect in keep_off),
        QRect(mouse.x() - MOUSE_DISTANCE, mouse.y() - MOUSE_DISTANCE, 2 * MOUSE_DISTANCE, 2 * MOUSE_DISTANCE),
    ]
    right, bottom = max(room.right() - size.width(), 0), max(room.bottom() - size.height(), 0)
    beside = [
        QPoint(mouse.x() + dx, mouse.y() + dy)
        for dx in (MOUSE_DISTANCE, -MOUSE_DISTANCE - size.width())
        for dy in (MOUSE_DISTANCE, -MOUSE_DISTANCE - size.height(), -size.height() // 2)
    ]
    fitting = [at for at in beside if room.left() <= at.x() <= right and room.top() <= at.y() <= bottom]
    for at in fitting:
        if not any(rect.intersects(QRect(at, size)) for rect in taken):
            return at
    columns = _steps(mouse.x() - SEARCH_REACH - size.width(), mouse.x() + SEARCH_REACH, right)
    rows = _steps(mouse.y() - SEARCH_REACH - size.height(), mouse.y() + SEARCH_REACH, bottom)
    grid = [QPoint(x, y) for x in columns for y in rows]

    def badness(at: QPoint) -> tuple[int, int]:
        tip = QRect(at, size)
        covered = (tip & rect for rect in taken)
        area = sum(part.width() * part.height() for part in covered if not part.isEmpty())
        return area, (tip.center() - mouse).manhattanLength()

    return min(grid, key=badness)


def _steps(first: int, last: int, most: int) -> list[int]:
    """Return coordinates from `first` to `last` that lie between 0 and `most`, both of which are included if in reach."""
    first, last = min(max(first, 0), most), min(max(last, 0), most)
    return [*range(first, last, SEARCH_STEP), last]
