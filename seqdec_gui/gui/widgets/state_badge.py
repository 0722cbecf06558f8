"""A coloured badge with a run's state in a word."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, QSize, Qt
from PyQt5.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.runs.run_words import STATE_WORDS


def state_color(state: str) -> str:
    """Return the colour of a state."""
    look = theme.current()
    if state in ("running", "starting", "stopping", "ending", "reading"):
        return look.accent
    if state == "finished":
        return look.ok
    if state in ("failed", "crashed", "unreadable"):
        return look.error
    return look.warning if state == "paused" else look.text_dim


class Badge(QWidget):
    """Shows the state of a run. Object name `run_state`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run_state")
        self.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
        self.state = ""

    def set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.setAccessibleName(f"State: {self.text}")
            self.updateGeometry()
            self.update()

    @property
    def text(self) -> str:
        return STATE_WORDS.get(self.state, self.state)

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(theme.font("small", bold=True)).horizontalAdvance(self.text)
        return QSize(int(width) + 4 * theme.SPACE, 5 * theme.SPACE)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if not self.state:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        color = state_color(self.state)
        painter.setPen(Qt.NoPen)
        painter.setBrush(theme.color(color, 0.16))
        painter.drawRoundedRect(QRectF(self.rect()), self.height() / 2, self.height() / 2)
        painter.setFont(theme.font("small", bold=True))
        painter.setPen(theme.color(color))
        painter.drawText(self.rect(), Qt.AlignCenter, self.text)
