"""A small histogram, painted: bars, the ends of the axis, and the count under the mouse."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, QSize, Qt, pyqtSlot
from PyQt5.QtGui import QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QToolTip, QWidget

from seqdec_gui.data.display import number_text
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.data.measuring import Histogram

MIN_BAR_HEIGHT = 2.0
"""The height of the bar of the smallest count above 0, in pixels."""


class HistogramView(QWidget):
    """A painted histogram of a column. Object name `column_histogram`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("column_histogram")
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setMouseTracking(True)
        self.histogram: Histogram | None = None
        self._words = "rows"
        theme.notifier.changed.connect(self._on_theme_changed)

    def show_histogram(self, histogram: Histogram | None, words: str) -> None:
        """Show a histogram; `words` names what is counted: rows, values."""
        self.histogram = histogram
        self._words = words
        if histogram is not None:
            ends = f"from {number_text(histogram.low)} to {number_text(histogram.high)}"
            self.setAccessibleName(f"Histogram of {sum(histogram.counts):,} {words} {ends}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, 76)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.update()

    def _bars(self) -> list[QRectF]:
        """Return a rectangle per count, on the baseline above the labels."""
        assert self.histogram is not None
        counts = self.histogram.counts
        largest = max(counts) or 1
        base = self.height() - self.fontMetrics().height() - theme.SPACE
        pitch = self.width() / len(counts)
        gap = 1.0 if pitch >= 4 else 0.0
        bars = []
        for place, count in enumerate(counts):
            height = 0.0 if not count else max(MIN_BAR_HEIGHT, count / largest * (base - 2))
            bars.append(QRectF(place * pitch + gap / 2, base - height, max(pitch - gap, 1.0), height))
        return bars

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font("small"))
        look = theme.current()
        base = self.height() - self.fontMetrics().height() - theme.SPACE
        painter.fillRect(QRectF(0, base, self.width(), 1), theme.color(look.border))
        if self.histogram is not None:
            for bar in self._bars():
                painter.fillRect(bar, theme.color(look.accent))
            painter.setPen(theme.color(look.text_dim))
            below = QRectF(0, base + 2, self.width(), self.height() - base - 2)
            painter.drawText(below, Qt.AlignLeft | Qt.AlignVCenter, number_text(_plain(self.histogram.low)))
            if self.histogram.high > self.histogram.low:
                painter.drawText(below, Qt.AlignRight | Qt.AlignVCenter, number_text(_plain(self.histogram.high)))
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.histogram is None:
            return
        counts = self.histogram.counts
        place = min(len(counts) - 1, max(0, int(event.x() / self.width() * len(counts))))
        QToolTip.showText(event.globalPos(), f"{self._part(place)}: {counts[place]:,} {self._words}", self)

    def _part(self, place: int) -> str:
        histogram = self.histogram
        assert histogram is not None
        if histogram.whole:
            return number_text(_plain(histogram.low + place))
        width = (histogram.high - histogram.low) / len(histogram.counts)
        low = histogram.low + place * width
        return f"{number_text(_plain(low))} to {number_text(_plain(low + width))}"


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value
