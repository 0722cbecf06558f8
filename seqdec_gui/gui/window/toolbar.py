"""The tool bar: actions, the choice of devices, and the Train button."""

from __future__ import annotations

from itertools import accumulate

from PyQt5.QtCore import QSize, Qt, pyqtSlot
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QLabel, QSizePolicy, QToolBar, QWidget

from seqdec_gui.gui.window.actions import TOOLBAR, Actions, shortcut_text
from seqdec_gui.gui.window.device_picker import DevicePicker
from seqdec_gui.gui.window.train_button import TrainButton
from seqdec_gui.gui.workspace.workspace import Workspace

GAP = 2
"""The space between two buttons, in pixels, as in the style sheet."""
MARGINS = 24
"""The space around all buttons together, in pixels."""


class ToolBar(QToolBar):
    """The tool bar with `device_picker` and `train_button`, which are always seen. Object name `toolbar`."""

    def __init__(self, actions: Actions, workspace: Workspace) -> None:
        super().__init__("Tools", objectName="toolbar")
        self.device_picker = DevicePicker(workspace.devices)
        self.train_button = TrainButton(workspace)
        self.setMovable(False)
        self.setIconSize(QSize(20, 20))
        self.setToolButtonStyle(Qt.ToolButtonIconOnly)
        for name in TOOLBAR:
            if name:
                self.addAction(actions[name])
            else:
                self.addSeparator()
        self._first = self.actions()
        self._shown = len(self._first)
        self._widths: list[int] = []
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Preferred)
        self._gap = self.addWidget(gap)
        self.addWidget(self.device_picker)
        self.addAction(actions["measure"])
        self.addWidget(QLabel("  "))
        self.addWidget(self.train_button)
        self.train_button.readiness_changed.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit()

    @pyqtSlot()
    def _fit(self, *_changes: object) -> None:
        """Leave out the last of the buttons that menus have too, where there is no room for them beside Train."""
        if not self.isVisible():
            return
        if not self._widths:
            self._widths = [self._width_of(action) for action in self._first]
        others = [action for action in self.actions() if action not in self._first and action is not self._gap]
        room = self.width() - MARGINS - sum(map(self._width_of, others))
        fitting = sum(total <= room for total in accumulate(self._widths))
        for action in self._first[fitting : self._shown]:
            self.removeAction(action)
        self.insertActions(self._gap, self._first[self._shown : fitting])
        if fitting != self._shown:
            self._shown = fitting
            self.show_shortcuts()

    def _width_of(self, action: QAction) -> int:
        """Return the width that a part takes at least, with the gap beside it."""
        widget = self.widgetForAction(action)
        return int(max(widget.sizeHint().width(), widget.minimumWidth())) + GAP

    def show_shortcuts(self) -> None:
        """Add the shortcuts to the tooltips. Qt removes them when an action gets another icon."""
        for action in self.actions():
            button = self.widgetForAction(action)
            if action.text() and button is not None:
                button.setToolTip(shortcut_text(action))
