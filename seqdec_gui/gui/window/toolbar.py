"""The tool bar: actions, the choice of devices, and the Train button."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QLabel, QSizePolicy, QToolBar, QWidget

from seqdec_gui.gui.window.actions import TOOLBAR, Actions, shortcut_text
from seqdec_gui.gui.window.device_picker import DevicePicker
from seqdec_gui.gui.window.train_button import TrainButton
from seqdec_gui.gui.workspace.workspace import Workspace


class ToolBar(QToolBar):
    """The tool bar with `device_picker` and `train_button`. Object name `toolbar`."""

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
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Preferred)
        self.addWidget(gap)
        self.addWidget(self.device_picker)
        self.addAction(actions["measure"])
        self.addWidget(QLabel("  "))
        self.addWidget(self.train_button)

    def show_shortcuts(self) -> None:
        """Add the shortcuts to the tooltips. Qt removes them when an action gets another icon."""
        for action in self.actions():
            button = self.widgetForAction(action)
            if action.text() and button is not None:
                button.setToolTip(shortcut_text(action))
