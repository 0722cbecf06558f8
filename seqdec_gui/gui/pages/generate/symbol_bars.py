"""The probability of each symbol of a sequence as a bar."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QRect, QSize, Qt, pyqtSlot
from PyQt5.QtGui import QHelpEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QToolTip, QWidget

from seqdec_gui.gui.look import theme

WIDTH = 22
"""The width of a symbol with its bar, in pixels."""
HEIGHT = 72
"""The height of a bar for the probability 1."""
END = "end"
"""What stands below the end symbol."""


class SymbolBars(QWidget):
    """A bar per symbol, as high as its probability, 0 to 1; the least likely one in the colour of warnings.

    Object name `symbol_bars`. The words of a symbol are its tooltip, and all of them the accessible description.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("symbol_bars")
        self.setAccessibleName("Probability of each symbol")
        self.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
        self._symbols: list[str] = []
        self._logs: list[float] = []
        theme.notifier.changed.connect(self._on_theme_changed)

    def show_symbols(self, symbols: Sequence[str], logs: Sequence[float]) -> None:
        """Show symbols, "" for the end symbol, and the natural logarithms of their probabilities."""
        self._symbols = [symbol if symbol else END for symbol in symbols]
        self._logs = list(logs)
        self.setAccessibleDescription(", ".join(self.words(place) for place in range(len(self._logs))))
        self.updateGeometry()
        self.setFixedSize(self.sizeHint())
        self.update()

    def words(self, place: int) -> str:
        """Return what is known of a symbol: `Symbol 3, V: p = 0.91, log p = -0.094`."""
        symbol, log = self._symbols[place], self._logs[place]
        return f"Symbol {place + 1}, {symbol}: p = {math.exp(log):.3g}, log p = {log:.3f}"

    def centre(self, place: int) -> int:
        """Return the x of the middle of a bar, in pixels."""
        return self._wide * place + self._wide // 2

    @property
    def _wide(self) -> int:
        font = self.fontMetrics()
        return max(WIDTH, *(font.horizontalAdvance(symbol) + 6 for symbol in self._symbols), 0) if self._symbols else WIDTH

    def sizeHint(self) -> QSize:
        return QSize(max(1, self._wide * len(self._logs)), HEIGHT + self.fontMetrics().height() + 2 * theme.SPACE)

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent):
            place = event.x() // self._wide
            QToolTip.showText(event.globalPos(), self.words(place) if 0 <= place < len(self._logs) else "", self)
            return True
        return bool(super().event(event))

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        look, painter = theme.current(), QPainter(self)
        least = min(self._logs, default=0.0)
        for place, (symbol, log) in enumerate(zip(self._symbols, self._logs, strict=True)):
            left, high = self._wide * place, max(1, round(HEIGHT * math.exp(min(0.0, log))))
            painter.fillRect(QRect(left + 3, 0, self._wide - 6, HEIGHT), theme.color(look.hover))
            ink = look.warning if log == least and math.exp(log) < 0.5 else look.accent
            painter.fillRect(QRect(left + 3, HEIGHT - high, self._wide - 6, high), theme.color(ink))
            painter.setPen(theme.color(look.text))
            painter.drawText(QRect(left, HEIGHT + theme.SPACE, self._wide, self.fontMetrics().height()), Qt.AlignCenter, symbol)
        painter.end()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.update()
