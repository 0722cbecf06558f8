"""The context menus of blocks, wires and the canvas."""

from __future__ import annotations

from functools import partial

from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtWidgets import QMenu

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Link
from seqdec_gui.gui.pages.design.block_prompts import BlockPrompts
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.widgets.menu_entry import add_entry


class CanvasMenus:
    """Makes menus that are shown by `popup` and delete themselves when they close."""

    def __init__(self, view: CanvasView, editor: DesignEditor, prompts: BlockPrompts) -> None:
        self._view, self._editor, self._prompts = view, editor, prompts

    def block_menu(self, block_id: str) -> QMenu:
        """Return the menu of a block; with several selected blocks it has only the commands that concern all of them."""
        menu, editor, prompts = self._menu("menu_block"), self._editor, self._prompts
        item = self._view.design_scene.blocks[block_id]
        if len(editor.selected_blocks()) <= 1:
            add_entry(menu, "Edit parameters", lambda: editor.edit_requested.emit(block_id), "Enter")
            add_entry(menu, "Rename", lambda: prompts.rename_block(block_id), "F2")
            add_entry(menu, "Connect to…", lambda: prompts.connect_block(block_id), "C")
            text = "Hide layers" if item.expanded else "Show layers inside"
            add_entry(menu, text, lambda: editor.toggle_expanded(block_id), "E", item.expanded or item.has_layers)
            wires = [link for link in editor.design.links if block_id in (link.source.block, link.target.block)]
            add_entry(menu, "Disconnect all wires", lambda: editor.disconnect_links(wires), enabled=bool(wires))
            menu.addSeparator()
        add_entry(menu, "Cut", editor.cut, "Ctrl+X")
        add_entry(menu, "Copy", editor.copy, "Ctrl+C")
        add_entry(menu, "Duplicate", editor.duplicate, "Ctrl+D")
        add_entry(menu, "Delete", editor.delete, "Del")
        return menu

    def wire_menu(self, link: Link) -> QMenu:
        """Return the menu of a wire."""
        menu, editor = self._menu("menu_wire"), self._editor
        add_entry(menu, "Remove wire", lambda: editor.disconnect_links([link]), "Del")
        menu.addSeparator()
        add_entry(menu, f"Select {link.source.block}", lambda: editor.go_to(link.source.block))
        add_entry(menu, f"Select {link.target.block}", lambda: editor.go_to(link.target.block))
        return menu

    def canvas_menu(self, at: QPointF) -> QMenu:
        """Return the menu of the canvas; blocks are added and pasted at this place, in scene coordinates."""
        menu, editor = self._menu("menu_canvas"), self._editor
        has_blocks = bool(editor.design.blocks)
        add = QMenu("Add block", menu)
        menu.addMenu(add)
        category = ""
        for name, kind in KINDS.items():
            if category and kind.category != category:
                add.addSeparator()
            category = kind.category
            add_entry(add, kind.title, partial(editor.add_block, name, at))
        add_entry(menu, "Paste", lambda: editor.paste(at), "Ctrl+V")
        add_entry(menu, "Select all", editor.select_all, "Ctrl+A", has_blocks)
        menu.addSeparator()
        add_entry(menu, "Arrange automatically", editor.auto_layout, "Ctrl+L", has_blocks)
        add_entry(menu, "Fit in window", self._view.fit, "F", has_blocks)
        return menu

    def _menu(self, name: str) -> QMenu:
        menu = QMenu(self._view)
        menu.setObjectName(name)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        return menu
