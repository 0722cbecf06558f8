"""The context menus of blocks, wires, frames, notes and the canvas."""

from __future__ import annotations

from functools import partial

from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt5.QtWidgets import QMenu

from seqdec_gui.domain.annotations import COLORS
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Link
from seqdec_gui.domain.drawing.alignment import Side
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.pages.design import clipboard
from seqdec_gui.gui.pages.design.adding import Adding
from seqdec_gui.gui.pages.design.annotating import Annotating
from seqdec_gui.gui.pages.design.block_prompts import BlockPrompts
from seqdec_gui.gui.pages.design.canvas_overlays import CanvasOverlays
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.widgets.menu_entry import add_entry


class CanvasMenus:
    """Makes menus that are shown by `popup` and delete themselves when they close."""

    def __init__(
        self,
        view: CanvasView,
        editor: DesignEditor,
        annotating: Annotating,
        adding: Adding,
        prompts: BlockPrompts,
        overlays: CanvasOverlays,
    ) -> None:
        self._view, self._editor, self._prompts, self._overlays = view, editor, prompts, overlays
        self._annotating, self._adding = annotating, adding

    def block_menu(self, block_id: str) -> QMenu:
        """Return the menu of a block; with several selected blocks it has only the commands that concern all of them."""
        menu, editor, prompts = self._menu("menu_block"), self._editor, self._prompts
        item = self._view.design_scene.blocks[block_id]
        number = len(editor.selected_blocks())
        if number <= 1:
            add_entry(menu, "Edit parameters", lambda: editor.edit_requested.emit(block_id), "Enter")
            add_entry(menu, "Rename", lambda: prompts.rename_block(block_id), "F2")
            add_entry(menu, "Connect to…", lambda: prompts.connect_block(block_id), "C")
            add_entry(menu, "Connect to new block…", lambda: self._adding.offer_for_block(block_id), "Shift+C")
            text = "Hide layers" if item.expanded else "Show layers inside"
            add_entry(menu, text, lambda: editor.toggle_expanded(block_id), "E", item.expanded or item.has_layers)
            wires = [link for link in editor.design.links if block_id in (link.source.block, link.target.block)]
            kind = editor.design.block(block_id).parameters
            if kind.imported is not None:
                add_entry(menu, "Split into submodels…", lambda: editor.split_requested.emit(block_id))
            if editor.document.report.inference.blocks[block_id].parameters:
                add_entry(menu, "Weights…", lambda: editor.weights_requested.emit(block_id))
            add_entry(menu, "Disconnect all wires", lambda: editor.disconnect_links(wires), enabled=bool(wires))
        else:
            self._add_arranging(menu, number)
        menu.addSeparator()
        add_entry(menu, "Frame round selection", self._annotating.add_frame, "Ctrl+G")
        menu.addSeparator()
        self._add_editing(menu)
        return menu

    def _add_arranging(self, menu: QMenu, number: int) -> None:
        """Add the entries that align and distribute several blocks."""
        editor = self._editor
        sides: tuple[tuple[str, Side, str], ...] = (
            ("Align left", "left", "Ctrl+Shift+Left"), ("Align right", "right", "Ctrl+Shift+Right"),
            ("Align top", "top", "Ctrl+Shift+Up"), ("Align bottom", "bottom", "Ctrl+Shift+Down"),
            ("Centre in a column", "column", "Ctrl+Shift+C"), ("Centre in a row", "row", "Ctrl+Shift+E"),
        )  # fmt: skip
        for text, side, keys in sides:
            add_entry(menu, text, partial(editor.align, side), keys)
        menu.addSeparator()
        add_entry(menu, "Distribute across", lambda: editor.distribute("across"), "Ctrl+Alt+H", number > 2)
        add_entry(menu, "Distribute down", lambda: editor.distribute("down"), "Ctrl+Alt+V", number > 2)

    def _add_editing(self, menu: QMenu) -> None:
        editor = self._editor
        add_entry(menu, "Cut", editor.cut, "Ctrl+X")
        add_entry(menu, "Copy", editor.copy, "Ctrl+C")
        add_entry(menu, "Duplicate", editor.duplicate, "Ctrl+D")
        add_entry(menu, "Delete", editor.delete, "Del")

    def annotation_menu(self, annotation_id: str) -> QMenu:
        """Return the menu of a frame or note."""
        menu, annotating = self._menu("menu_annotation"), self._annotating
        item = self._view.design_scene.annotations.items[annotation_id]
        words = "Edit title" if item.is_frame else "Edit text"
        add_entry(menu, words, lambda: annotating.writing_requested.emit(annotation_id), "Enter")
        if item.is_frame:
            add_entry(menu, "Fit to its blocks", lambda: annotating.fit_frame(annotation_id))
            add_entry(menu, "Select what is inside", lambda: annotating.select_inside(annotation_id))
        colors = QMenu("Colour", menu)
        colors.setObjectName("menu_annotation_color")
        menu.addMenu(colors)
        ids = self._editor.selected_annotations() or (annotation_id,)
        for name in COLORS:
            add_entry(colors, name.replace("gray", "grey").capitalize(), partial(annotating.color, ids, name))
            action, chosen = colors.actions()[-1], item.annotation.color == name
            action.setIcon(_swatch(canvas_style.current().annotation[name], chosen))
            action.setCheckable(True)
            action.setChecked(chosen)
        menu.addSeparator()
        self._add_editing(menu)
        return menu

    def wire_menu(self, link: Link, at: QPointF) -> QMenu:
        """Return the menu of a wire, for a request at this place of the scene."""
        menu, editor = self._menu("menu_wire"), self._editor
        add_entry(menu, "Insert block…", lambda: self._adding.offer_for_insertion(link, at), "I")
        add_entry(menu, "Remove wire", lambda: editor.disconnect_links([link]), "Del")
        menu.addSeparator()
        add_entry(menu, f"Select {link.source.block}", lambda: editor.go_to(link.source.block))
        add_entry(menu, f"Select {link.target.block}", lambda: editor.go_to(link.target.block))
        return menu

    def canvas_menu(self, at: QPointF) -> QMenu:
        """Return the menu of the canvas; blocks are added and pasted at this place, in scene coordinates."""
        menu, editor = self._menu("menu_canvas"), self._editor
        has_blocks = bool(editor.design.blocks)
        anything = has_blocks or bool(editor.design.annotations)
        add_entry(menu, "Search blocks…", lambda: self._adding.search(at), "Tab")
        add = QMenu("Add block", menu)
        menu.addMenu(add)
        category = ""
        for name, kind in KINDS.items():
            if category and kind.category != category:
                add.addSeparator()
            category = kind.category
            add_entry(add, kind.title, partial(editor.add_block, name, at))
        add_entry(menu, "Add note", lambda: self._annotating.add_note(at), "N")
        add_entry(menu, "Add frame", lambda: self._annotating.add_frame(at), "Ctrl+G")
        menu.addSeparator()
        add_entry(menu, "Paste", lambda: editor.paste(at), "Ctrl+V", clipboard.watch().holds_blocks())
        add_entry(menu, "Select all", editor.select_all, "Ctrl+A", anything)
        add_entry(menu, "Find…", self._overlays.find_bar.open_bar, "Ctrl+F", anything)
        menu.addSeparator()
        add_entry(menu, "Arrange automatically", editor.auto_layout, "Ctrl+L", has_blocks)
        add_entry(menu, "Fit in window", self._view.fit, "F", anything)
        add_entry(menu, "Whole design", self._view.show_all, "Shift+F", anything)
        return menu

    def _menu(self, name: str) -> QMenu:
        menu = QMenu(self._view)
        menu.setObjectName(name)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        return menu


def _swatch(color: QColor, chosen: bool) -> QIcon:
    """Return a square in this colour, with a tick if it is the colour in use."""
    pixmap = QPixmap(32, 32)
    pixmap.fill(Qt.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.Antialiasing)
    painter.setPen(Qt.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(pixmap.rect().adjusted(1, 1, -1, -1), 7, 7)
    if chosen:
        painter.setPen(canvas_style.pen(canvas_style.current().body, 4.0))
        painter.drawPolyline(QPointF(8, 17), QPointF(14, 23), QPointF(25, 10))
    painter.end()
    return QIcon(pixmap)
