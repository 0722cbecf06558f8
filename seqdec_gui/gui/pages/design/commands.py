"""The commands of the canvas by name, for the window's menus, and whether each can do something at present."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt5.QtCore import QObject, pyqtSignal, pyqtSlot

from seqdec_gui.domain.design import Design
from seqdec_gui.gui.pages.design import clipboard
from seqdec_gui.gui.pages.design.adding import Adding
from seqdec_gui.gui.pages.design.annotating import Annotating
from seqdec_gui.gui.pages.design.canvas_overlays import CanvasOverlays
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor


class CanvasCommands(QObject):
    """What the window's actions on the canvas call. An action of the same name stands in `gui/window/actions.py`."""

    abilities_changed = pyqtSignal()
    """Other commands than before can do something."""

    def __init__(
        self,
        view: CanvasView,
        editor: DesignEditor,
        annotating: Annotating,
        adding: Adding,
        overlays: CanvasOverlays,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._scene = editor, view.design_scene
        self.handlers: dict[str, Callable[[], object]] = {
            "cut": editor.cut,
            "copy": editor.copy,
            "paste": editor.paste,
            "duplicate": editor.duplicate,
            "delete": editor.delete,
            "select_all": editor.select_all,
            "find": overlays.find_bar.open_bar,
            "add_block": adding.search,
            "connect_new": self._connect_new,
            "add_note": annotating.add_note,
            "add_frame": annotating.add_frame,
            "align_left": partial(editor.align, "left"),
            "align_right": partial(editor.align, "right"),
            "align_top": partial(editor.align, "top"),
            "align_bottom": partial(editor.align, "bottom"),
            "align_column": partial(editor.align, "column"),
            "align_row": partial(editor.align, "row"),
            "distribute_across": partial(editor.distribute, "across"),
            "distribute_down": partial(editor.distribute, "down"),
            "auto_layout": editor.auto_layout,
            "zoom_in": view.zoom_in,
            "zoom_out": view.zoom_out,
            "zoom_reset": view.zoom_reset,
            "fit": view.fit,
            "show_all": view.show_all,
            "minimap": overlays.toggle_minimap,
        }
        self._adding = adding
        self._clipboard = clipboard.watch()
        editor.document.selection_changed.connect(self._on_something_changed)
        editor.document.design_changed.connect(self._on_document_design_changed)
        self._scene.links_selected.connect(self._on_something_changed)
        self._scene.annotations.selection_changed.connect(self._on_something_changed)
        self._clipboard.changed.connect(self._on_something_changed)

    def obstacle(self, name: str) -> str:
        """Return why a command can do nothing at present, in a sentence; empty if it can."""
        blocks, drawn = len(self._editor.document.selection), bool(self._scene.annotations.selected)
        match name:
            case "cut" | "copy" | "duplicate" if not blocks and not drawn:
                return "Select a block first"
            case "delete" if not blocks and not drawn and not self._scene.selected_links:
                return "Select a block or a wire first"
            case "paste" if not self._clipboard.holds_blocks():
                return "The clipboard holds no blocks"
            case "connect_new" if self._editor.only_selected() is None:
                return "Select one block first"
            case "select_all" | "find" | "fit" | "show_all" if not self._has_content():
                return "The design has no blocks"
            case "auto_layout" if not self._editor.design.blocks:
                return "The design has no blocks"
        if name.startswith("align_") and blocks < 2:
            return "Select two blocks or more first"
        if name.startswith("distribute_") and blocks < 3:
            return "Select three blocks or more first"
        return ""

    def _has_content(self) -> bool:
        return bool(self._editor.design.blocks or self._editor.design.annotations)

    def _connect_new(self) -> None:
        only = self._editor.only_selected()
        if only is not None:
            self._adding.offer_for_block(only)

    @pyqtSlot()
    def _on_something_changed(self, *_what: object) -> None:
        self.abilities_changed.emit()

    @pyqtSlot(object, object)
    def _on_document_design_changed(self, old: Design, new: Design) -> None:
        if bool(old.blocks) != bool(new.blocks) or bool(old.annotations) != bool(new.annotations):
            self.abilities_changed.emit()
