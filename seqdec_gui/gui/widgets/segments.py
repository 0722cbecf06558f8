"""A choice among a few values as a row of buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QHBoxLayout, QToolButton, QWidget


class Segments(QFrame):
    """Buttons of which one is pressed. Emits `chosen` with its value. The buttons are named `<name>_<value>`."""

    chosen = pyqtSignal(str)

    def __init__(self, choices: Sequence[tuple[str, str, str]], name: str, parent: QWidget | None = None) -> None:
        """Make the buttons. `choices` has value, text and tooltip of each; the first is pressed."""
        super().__init__(parent)
        self._values = [value for value, _, _ in choices]
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for index, (value, text, tip) in enumerate(choices):
            button = QToolButton(objectName=f"{name}_{value}", text=text, toolTip=tip, checkable=True, checked=index == 0)
            button.setAccessibleName(f"{name}: {text}")
            button.setToolButtonStyle(Qt.ToolButtonTextOnly)
            self._group.addButton(button, index)
            layout.addWidget(button)
        self._group.buttonClicked.connect(self._on_group_button_clicked)

    @property
    def value(self) -> str:
        return self._values[self._group.checkedId()]

    def choose(self, value: str) -> None:
        """Press a button without emitting `chosen`."""
        self._group.button(self._values.index(value)).setChecked(True)

    def offer(self, value: str, offered: bool) -> None:
        """Let a value be chosen, or not."""
        self._group.button(self._values.index(value)).setEnabled(offered)

    @pyqtSlot(QAbstractButton)
    def _on_group_button_clicked(self, button: QAbstractButton) -> None:
        self.chosen.emit(self._values[self._group.id(button)])
