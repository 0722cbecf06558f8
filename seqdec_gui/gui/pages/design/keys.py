"""The keys of the canvas."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence

from seqdec_gui.domain.drawing.places import GRID_STEP
from seqdec_gui.gui.pages.design.block_prompts import BlockPrompts
from seqdec_gui.gui.pages.design.canvas_overlays import CanvasOverlays
from seqdec_gui.gui.pages.design.canvas_view import ARROWS, CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor

KEY_WORDS = (
    ("Next and previous block, in the order of the data", "Tab, Shift+Tab"),
    ("Move the selected blocks by the grid, by a point", "Arrows, Shift+Arrows"),
    ("Connect the block to…", "C"),
    ("Show or hide the layers of the block", "E"),
    ("Edit the parameters of the block", "Enter"),
    ("Fit the selection, or everything", "F"),
    ("End a drag, select nothing", "Esc"),
    ("Pan", "Space and drag, middle button"),
    ("Zoom", "Wheel"),
)
"""The keys and gestures of the canvas that are not actions of the window, in words."""


class CanvasKeys:
    """Calls the method of the view or editor that belongs to a key."""

    def __init__(self, view: CanvasView, editor: DesignEditor, prompts: BlockPrompts, overlays: CanvasOverlays) -> None:
        self._view, self._editor, self._prompts, self._overlays = view, editor, prompts, overlays

    def press(self, event: QKeyEvent) -> bool:
        """Carry out the command of a key. Returns whether it has one."""
        return self._press_shortcut(event) or self._press_plain_key(event)

    def _press_shortcut(self, event: QKeyEvent) -> bool:
        """Keys with Ctrl, and those that the platform assigns to standard commands."""
        editor, stack = self._editor, self._editor.document.undo_stack
        standard = (
            (QKeySequence.SelectAll, editor.select_all), (QKeySequence.Copy, editor.copy), (QKeySequence.Cut, editor.cut),
            (QKeySequence.Paste, editor.paste), (QKeySequence.Undo, stack.undo), (QKeySequence.Redo, stack.redo),
        )  # fmt: skip
        for keys, command in standard:
            if event.matches(keys):
                command()
                return True
        if event.modifiers() & Qt.ControlModifier:
            commands = {Qt.Key_D: editor.duplicate, Qt.Key_L: editor.auto_layout, Qt.Key_Y: stack.redo}
            if event.key() in commands:
                commands[event.key()]()
                return True
        return False

    def _press_plain_key(self, event: QKeyEvent) -> bool:
        """Keys without Ctrl and Alt."""
        key, editor = event.key(), self._editor
        if event.modifiers() & (Qt.ControlModifier | Qt.AltModifier):
            return False
        if key in ARROWS and editor.document.selection:
            step = 1 if event.modifiers() & Qt.ShiftModifier else GRID_STEP
            editor.nudge(ARROWS[key][0] * step, ARROWS[key][1] * step)
        elif key in (Qt.Key_Delete, Qt.Key_Backspace):
            editor.delete()
        elif key == Qt.Key_Escape:
            self._overlays.hide_offer()
            editor.document.select(())
            self._view.design_scene.select_links(())
        elif key == Qt.Key_F:
            self._view.fit(editor.selected_blocks() or None)
        else:
            only = editor.only_selected()
            return only is not None and self._press_block_key(key, only)
        return True

    def _press_block_key(self, key: int, block_id: str) -> bool:
        """Keys that concern the one selected block."""
        if key in (Qt.Key_Return, Qt.Key_Enter):
            self._editor.edit_requested.emit(block_id)
        elif key == Qt.Key_F2:
            self._prompts.rename_block(block_id)
        elif key == Qt.Key_C:
            self._prompts.connect_block(block_id)
        elif key == Qt.Key_E:
            self._editor.toggle_expanded(block_id)
        else:
            return False
        return True
