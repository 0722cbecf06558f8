"""Names of files, columns and designs, which may be longer than their place: they must not push others out of it."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QLabel, QSizePolicy, QWidget

LEAST_WIDTH = 40


class ElidedLabel(QLabel):
    """Shortens its text in the middle where there is no room for it; the whole is the tooltip then, unless it has another."""

    def __init__(self, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._full = ""
        self.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)

    def setText(self, text: str | None) -> None:
        if self.toolTip() == self._full:
            self.setToolTip("")
        self._full = text or ""
        self._elide()

    def full_text(self) -> str:
        return self._full

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.FontChange:
            self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, Qt.ElideMiddle, max(LEAST_WIDTH, self.width()))
        super().setText(shown)
        if self.toolTip() in ("", self._full):
            self.setToolTip(self._full if shown != self._full else "")
