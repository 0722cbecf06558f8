"""The button that stops a run."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QPushButton


class StopButton(QPushButton):
    """A button that distinguishes mouse and keyboard: a click emits `clicked`, Space and Enter emit `key_pressed`."""

    key_pressed = pyqtSignal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key_Space, Qt.Key_Return, Qt.Key_Enter, Qt.Key_Select):
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self.key_pressed.emit()
