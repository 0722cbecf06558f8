"""The keys of the canvas."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence

from seqdec_gui.domain.design import Link
from seqdec_gui.domain.drawing.places import GRID_STEP
from seqdec_gui.gui.pages.design.adding import Adding
from seqdec_gui.gui.pages.design.annotating import Annotating
from seqdec_gui.gui.pages.design.block_prompts import BlockPrompts
from seqdec_gui.gui.pages.design.canvas_overlays import CanvasOverlays
from seqdec_gui.gui.pages.design.canvas_view import ARROWS, CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor

KEY_WORDS = (
    ("Search a block to add where the mouse points", "Double-click, Tab, Shift+A"),
    ("Add a block that fits a port", "Drop a wire, Shift+C"),
    ("Put a block into a wire", "Drop it there, I"),
    ("Next and previous block, in the order of the data, then frames and notes", "Tab, Shift+Tab"),
    ("Move what is selected by the grid, by a point", "Arrows, Shift+Arrows"),
    ("Make a frame or note larger or smaller", "Alt+Arrows"),
    ("Add a note", "N"),
    ("Write in a frame or note", "Enter, F2"),
    ("Connect the block to…", "C"),
    ("Show or hide the layers of the block", "E"),
    ("Edit the parameters of the block", "Enter"),
    ("Fit the selection, or everything", "F"),
    ("Show the whole design, however small", "Shift+F"),
    ("Show or hide the mini-map", "M"),
    ("Next and previous block found", "F3, Shift+F3"),
    ("End a drag, select nothing", "Esc"),
    ("Pan", "Space and drag, middle button"),
    ("Zoom", "Wheel"),
)
"""The keys and gestures of the canvas that are not actions of the window, in words."""


class CanvasKeys:
    """Calls the method of the view or editor that belongs to a key."""

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

    def press(self, event: QKeyEvent) -> bool:
        """Carry out the command of a key. Returns whether it has one."""
        return self._press_shortcut(event) or self._press_plain_key(event)

    def _press_shortcut(self, event: QKeyEvent) -> bool:
        """Keys with Ctrl, and those that the platform assigns to standard commands."""
        editor, stack = self._editor, self._editor.document.undo_stack
        standard = (
            (QKeySequence.SelectAll, editor.select_all), (QKeySequence.Copy, editor.copy), (QKeySequence.Cut, editor.cut),
            (QKeySequence.Paste, editor.paste), (QKeySequence.Find, self._overlays.find_bar.open_bar),
            (QKeySequence.Undo, stack.undo), (QKeySequence.Redo, stack.redo),
        )  # fmt: skip
        for keys, command in standard:
            if event.matches(keys):
                command()
                return True
        if event.modifiers() & Qt.ControlModifier:
            commands = {
                Qt.Key_D: editor.duplicate, Qt.Key_L: editor.auto_layout, Qt.Key_Y: stack.redo, Qt.Key_B: self._adding.search,
                Qt.Key_G: self._annotating.add_frame,
            }  # fmt: skip
            if event.key() in commands:
                commands[event.key()]()
                return True
        return False

    def _press_plain_key(self, event: QKeyEvent) -> bool:
        """Keys without Ctrl and Alt."""
        key, editor = event.key(), self._editor
        drawn, shift = editor.selected_annotations(), bool(event.modifiers() & Qt.ShiftModifier)
        if event.modifiers() & Qt.AltModifier and key in ARROWS and drawn:
            self._annotating.grow(*ARROWS[key])
            return True
        if event.modifiers() & (Qt.ControlModifier | Qt.AltModifier):
            return False
        if key in ARROWS and (editor.document.selection or drawn):
            step = 1 if event.modifiers() & Qt.ShiftModifier else GRID_STEP
            editor.nudge(ARROWS[key][0] * step, ARROWS[key][1] * step)
        elif key in (Qt.Key_Delete, Qt.Key_Backspace):
            editor.delete()
        elif key == Qt.Key_Escape:
            self._overlays.hide_offer()
            self._overlays.find_bar.close_bar()
            editor.select_none()
        elif key == Qt.Key_F:
            self._view.show_all() if shift else self._view.fit(editor.selected_blocks() or None)
        elif key == Qt.Key_A and shift:
            self._adding.search()
        elif key == Qt.Key_N and not shift:
            self._annotating.add_note()
        elif key == Qt.Key_M and not shift:
            self._overlays.toggle_minimap()
        elif key == Qt.Key_F3:
            self._overlays.find_bar.step(-1 if shift else 1)
        else:
            only, link = editor.only_selected(), self._only_link()
            if only is not None:
                return self._press_block_key(key, only, shift)
            if key in (Qt.Key_Return, Qt.Key_Enter, Qt.Key_F2) and len(drawn) == 1:
                self._annotating.writing_requested.emit(drawn[0])
                return True
            if key == Qt.Key_I and link is not None:
                self._adding.offer_for_insertion(link)
                return True
            return False
        return True

    def _only_link(self) -> Link | None:
        """Return the selected wire if exactly one is selected, else None."""
        links = self._view.design_scene.selected_links
        return next(iter(links)) if len(links) == 1 else None

    def _press_block_key(self, key: int, block_id: str, shift: bool) -> bool:
        """Keys that concern the one selected block."""
        if key in (Qt.Key_Return, Qt.Key_Enter):
            self._editor.edit_requested.emit(block_id)
        elif key == Qt.Key_F2:
            self._prompts.rename_block(block_id)
        elif key == Qt.Key_C and shift:
            self._adding.offer_for_block(block_id)
        elif key == Qt.Key_C:
            self._prompts.connect_block(block_id)
        elif key == Qt.Key_E:
            self._editor.toggle_expanded(block_id)
        else:
            return False
        return True
