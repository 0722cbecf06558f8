"""A label for text that may be too long: names of files, runs and designs, facts, reasons."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QSize, Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QLabel, QSizePolicy, QWidget

MIN_WIDTH = 24
"""The least width of a label, in pixels."""


class ElidedLabel(QLabel):
    """Shortens its text if there is no room, and then shows all of it as a tooltip, unless it has another tooltip.

    It takes all the width of its layout or, with `fills` off, no more than the text needs.
    """

    def __init__(
        self, name: str = "", mode: Qt.TextElideMode = Qt.ElideMiddle, *, fills: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._mode = mode
        self._full = ""
        self.setSizePolicy(QSizePolicy.Ignored if fills else QSizePolicy.Preferred, QSizePolicy.Preferred)

    def setText(self, text: str | None) -> None:
        if text == self._full:  # a layout that has nothing to do costs the window a frame
            return
        if self.toolTip() == self._full:
            self.setToolTip("")
        self._full = text or ""
        self.setAccessibleName(self._full)
        self.updateGeometry()
        self._elide()

    def full_text(self) -> str:
        return self._full

    def sizeHint(self) -> QSize:
        margins = self.contentsMargins()
        words = self.fontMetrics().horizontalAdvance(self._full)
        return QSize(words + margins.left() + margins.right() + 2, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(MIN_WIDTH, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.FontChange:
            self.updateGeometry()
            self._elide()

    def _elide(self) -> None:
        room = max(MIN_WIDTH, self.contentsRect().width())
        shown = self.fontMetrics().elidedText(self._full, self._mode, room)
        super().setText(shown)
        if self.toolTip() in ("", self._full):
            self.setToolTip(self._full if shown != self._full else "")
