"""The window's actions on the design view: connected with the design in front, and enabled where they can do something."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSlot
from PyQt5.QtWidgets import QApplication

from seqdec_gui.gui.window.actions import Actions
from seqdec_gui.gui.window.design_tabs import DesignTabs
from seqdec_gui.gui.workspace.workspace import PageName


class CanvasActions(QObject):
    """Connects the actions with the design in front, and enables those that can do something there."""

    def __init__(self, actions: Actions, designs: DesignTabs) -> None:
        super().__init__(designs)
        self._actions = actions
        self._designs = designs
        for name in actions.canvas:
            actions[name].triggered.connect(lambda _checked, name=name: self._call(name))
        QApplication.clipboard().dataChanged.connect(self.enable)

    def _call(self, name: str) -> None:
        """Do what an action does, unless a drag is in progress: an edit could remove what is dragged."""
        tab = self._designs.current
        if tab.idle:
            tab.design_view.commands.handlers[name]()

    @pyqtSlot()
    def enable(self) -> None:
        """Enable the actions on the Design page only, and only those that can do something.

        On other pages their keys belong to tables and texts.
        """
        tab = self._designs.current
        shown, commands = tab.pages.current == PageName.DESIGN, tab.design_view.commands
        for name in self._actions.canvas:
            reason = commands.obstacle(name) if shown else "Only on the Design page"
            self._actions.enable(name, not reason, reason)
        self._actions.enable("rename", len(tab.document.selection) == 1, "Select one block first")
