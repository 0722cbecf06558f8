"""The window's actions on the design view: what each calls, and when it can do something."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QObject, pyqtSlot
from PyQt5.QtWidgets import QApplication

from seqdec_gui.gui.window.actions import Actions
from seqdec_gui.gui.window.design_tab import DesignTab
from seqdec_gui.gui.window.design_tabs import DesignTabs
from seqdec_gui.gui.workspace.workspace import PageName


def handlers(tab: DesignTab) -> dict[str, Callable[[], None]]:
    """Return the methods that the actions on the design view of a tab call, by the action's name."""
    view, editor = tab.design_view, tab.design_view.editor
    return {
        "cut": editor.cut,
        "copy": editor.copy,
        "paste": editor.paste,
        "duplicate": editor.duplicate,
        "delete": editor.delete,
        "select_all": editor.select_all,
        "zoom_in": view.zoom_in,
        "zoom_out": view.zoom_out,
        "zoom_reset": view.zoom_reset,
        "fit": view.fit,
        "auto_layout": editor.auto_layout,
    }


def needs(tab: DesignTab) -> dict[str, tuple[bool, str]]:
    """Return whether each action can do something now, and why it cannot; those that always can are left out."""
    chosen, some = bool(tab.document.selection), bool(tab.document.design.blocks)
    return {
        **dict.fromkeys(("cut", "copy", "duplicate"), (chosen, "Select a block first")),
        **dict.fromkeys(("select_all", "fit", "auto_layout"), (some, "The design has no blocks")),
        "delete": (chosen or bool(tab.design_view.design_scene.selected_links), "Select a block or a wire first"),
        "paste": (tab.design_view.editor.can_paste(), "The clipboard holds no blocks"),
        "rename": (len(tab.document.selection) == 1, "Select one block first"),
    }


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
            handlers(tab)[name]()

    @pyqtSlot()
    def enable(self) -> None:
        """Enable the actions on the Design page only, and only those that can do something.

        On other pages their keys belong to tables and texts.
        """
        tab = self._designs.current
        shown = tab.pages.current == PageName.DESIGN
        known = needs(tab) if shown else {}
        for name in self._actions.canvas:
            can, reason = known.get(name, (True, ""))
            self._actions.enable(name, shown and can, reason if shown else "Only on the Design page")
        self._actions.enable("rename", *needs(tab)["rename"])
