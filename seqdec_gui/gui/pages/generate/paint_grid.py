"""A square image that is painted with the mouse or the keyboard, such as a digit."""

from __future__ import annotations

import numpy as np
from PyQt5.QtCore import QPoint, QRect, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from seqdec_gui.gui.look import theme

MAX_GRID_PIXELS = 232
"""The greatest side of the image on the screen, in pixels."""
_STEPS = {Qt.Key_Left: (-1, 0), Qt.Key_Right: (1, 0), Qt.Key_Up: (0, -1), Qt.Key_Down: (0, 1)}
"""The columns and rows that an arrow key moves the cursor by."""


class PaintGrid(QWidget):
    """A grid of cells to paint. `values` has the shape `(side, side)`; 0 is empty, and painting sets a cell to `ink`.

    The right button, or painting a painted cell, clears it.
    """

    changed = pyqtSignal()

    def __init__(self, side: int, ink: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.values = np.zeros((side, side))
        self.ink = ink
        self._stroke: float | None = None
        self._cursor = QPoint(0, 0)
        self._cell = max(3, MAX_GRID_PIXELS // side)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
        self.setCursor(Qt.CrossCursor)
        self.setAccessibleName(f"Image of {side} by {side} values")
        self.setToolTip("Paint with the left mouse button, erase with the right one.")
        theme.notifier.changed.connect(self._on_theme_changed)

    @property
    def side(self) -> int:
        return len(self.values)

    def set_values(self, values: np.ndarray) -> None:
        """Show these `side * side` values, row by row from the top."""
        self.values = np.array(values, np.float64).reshape(self.side, self.side)
        self.update()
        self.changed.emit()

    @pyqtSlot()
    def wipe(self) -> None:
        self.set_values(np.zeros((self.side, self.side)))

    def cell_centre(self, column: int, row: int) -> QPoint:
        """Return the centre of a cell in the widget's coordinates."""
        return QPoint(int((column + 0.5) * self._cell) + 1, int((row + 0.5) * self._cell) + 1)

    def sizeHint(self) -> QSize:
        return QSize(self.side * self._cell + 2, self.side * self._cell + 2)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    # -- strokes
    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.pos())
        if cell is None:
            return
        wipes = event.button() == Qt.RightButton or self.values[cell.y(), cell.x()] >= self.ink
        self._stroke = 0.0 if wipes else self.ink
        self._put(cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.pos())
        if self._stroke is not None and cell is not None and cell != self._cursor:
            self._put(cell)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        self._stroke = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _STEPS:
            across, down = _STEPS[event.key()]
            last = self.side - 1
            self._cursor = QPoint(min(last, max(0, self._cursor.x() + across)), min(last, max(0, self._cursor.y() + down)))
            self.update()
        elif event.key() == Qt.Key_Space:
            painted = self.values[self._cursor.y(), self._cursor.x()] > 0
            self._stroke = 0.0 if painted else self.ink
            self._put(self._cursor)
            self._stroke = None
        elif event.key() in (Qt.Key_Delete, Qt.Key_Backspace):
            self.wipe()
        else:
            super().keyPressEvent(event)

    def _put(self, cell: QPoint) -> None:
        self._cursor = cell
        self.values[cell.y(), cell.x()] = self._stroke
        self.update()
        self.changed.emit()

    def _cell_at(self, position: QPoint) -> QPoint | None:
        cell = QPoint((position.x() - 1) // self._cell, (position.y() - 1) // self._cell)
        return cell if 0 <= cell.x() < self.side and 0 <= cell.y() < self.side else None

    # -- painting
    def paintEvent(self, event: QPaintEvent | None) -> None:
        look = theme.current()
        painter = QPainter(self)
        size = self._cell
        ground, ink = theme.color(look.window), theme.color(look.text)
        for row in range(self.side):
            for column in range(self.side):
                box = QRect(1 + column * size, 1 + row * size, size, size)
                painter.fillRect(box, ground)
                share = min(1.0, max(0.0, float(self.values[row, column]) / (self.ink or 1.0)))
                if share:
                    ink.setAlphaF(share)
                    painter.fillRect(box, ink)
        painter.setPen(theme.color(look.border))
        if size >= 8:
            for line in range(1, self.side):
                painter.drawLine(1 + line * size, 1, 1 + line * size, self.side * size)
                painter.drawLine(1, 1 + line * size, self.side * size, 1 + line * size)
        painter.setPen(theme.color(look.accent if self.hasFocus() else look.control_border))
        painter.drawRect(0, 0, self.side * size + 1, self.side * size + 1)
        if self.hasFocus():
            painter.drawRect(QRect(1 + self._cursor.x() * size, 1 + self._cursor.y() * size, size, size))
        painter.end()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.update()
