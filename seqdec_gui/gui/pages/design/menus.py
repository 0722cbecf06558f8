"""Context menus of blocks, wires and canvas. They pop up and are gone; nothing waits for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtWidgets import QAction, QMenu

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Link

if TYPE_CHECKING:
    from seqdec_gui.gui.pages.design.view import DesignView


def _menu(view: DesignView, name: str) -> QMenu:
    menu = QMenu(view)
    menu.setObjectName(name)
    menu.setAttribute(Qt.WA_DeleteOnClose)
    return menu


def add_action(menu: QMenu, text: str, done: Callable[[], object], keys: str = "", enabled: bool = True) -> None:
    """Add a line to a menu; `keys` are shown at its right, for keys that the view handles itself."""
    action = QAction(text + (f"\t{keys}" if keys else ""), menu)
    action.setEnabled(enabled)

    def on_triggered(_checked: bool) -> None:
        done()

    action.triggered.connect(on_triggered)
    menu.addAction(action)


def block_menu(view: DesignView, block_id: str) -> QMenu:
    """For a block, or for all selected ones if it is among several."""
    menu, many = _menu(view, "menu_block"), len(view.selected_blocks()) > 1
    item = view.design_scene.blocks[block_id]
    if not many:
        add_action(menu, "Edit parameters", lambda: view.edit_requested.emit(block_id), "Enter")
        add_action(menu, "Rename", lambda: view.rename_block(block_id), "F2")
        add_action(menu, "Connect to…", lambda: view.connect_block(block_id), "C")
        has_layers = item.known is not None and item.known.submodel is not None
        text = "Hide layers" if item.expanded else "Show layers inside"
        add_action(menu, text, lambda: view.toggle_expanded(block_id), "E", item.expanded or has_layers)
        wired = [link for link in view.design.links if block_id in (link.source.block, link.target.block)]
        add_action(menu, "Disconnect all wires", lambda: view.disconnect_links(wired), enabled=bool(wired))
        menu.addSeparator()
    add_action(menu, "Cut", view.cut, "Ctrl+X")
    add_action(menu, "Copy", view.copy, "Ctrl+C")
    add_action(menu, "Duplicate", view.duplicate, "Ctrl+D")
    add_action(menu, "Delete", view.delete, "Del")
    return menu


def wire_menu(view: DesignView, link: Link) -> QMenu:
    menu = _menu(view, "menu_wire")
    add_action(menu, "Remove wire", lambda: view.disconnect_links([link]), "Del")
    menu.addSeparator()
    add_action(menu, f"Select {link.source.block}", lambda: view.go_to(link.source.block))
    add_action(menu, f"Select {link.target.block}", lambda: view.go_to(link.target.block))
    return menu


def canvas_menu(view: DesignView, at: QPointF) -> QMenu:
    """For the canvas; `at` is the place in the scene where blocks are added."""
    menu = _menu(view, "menu_canvas")
    add = QMenu("Add block", menu)
    menu.addMenu(add)
    category = ""
    for name, kind in KINDS.items():
        if category and kind.category != category:
            add.addSeparator()
        category = kind.category
        add_action(add, kind.title, partial(view.add_block, name, at))
    add_action(menu, "Paste", lambda: view.paste(at), "Ctrl+V")
    add_action(menu, "Select all", view.select_all, "Ctrl+A", bool(view.design.blocks))
    menu.addSeparator()
    add_action(menu, "Arrange automatically", view.auto_layout, "Ctrl+L", bool(view.design.blocks))
    add_action(menu, "Fit in window", view.fit, "F", bool(view.design.blocks))
    return menu
