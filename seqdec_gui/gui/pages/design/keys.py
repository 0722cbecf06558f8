"""What keys do on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence

from seqdec_gui.gui.pages.design.canvas import ARROWS
from seqdec_gui.gui.pages.design.style import GRID

if TYPE_CHECKING:
    from seqdec_gui.gui.pages.design.view import DesignView


def edit(view: DesignView, event: QKeyEvent) -> bool:
    """Keys that work on the design or on the selection. Returns whether this was one."""
    stack = view.document.undo_stack
    standard = (
        (QKeySequence.SelectAll, view.select_all), (QKeySequence.Copy, view.copy), (QKeySequence.Cut, view.cut),
        (QKeySequence.Paste, view.paste), (QKeySequence.Undo, stack.undo), (QKeySequence.Redo, stack.redo),
    )  # fmt: skip
    for keys, act in standard:
        if event.matches(keys):
            act()
            return True
    if event.modifiers() & Qt.ControlModifier:
        acts = {Qt.Key_D: view.duplicate, Qt.Key_L: view.auto_layout, Qt.Key_Y: stack.redo}
        if event.key() in acts:
            acts[event.key()]()
            return True
    return False


def act_on_block(view: DesignView, event: QKeyEvent) -> bool:
    """Keys without Ctrl: on the selected block, or on the view. Returns whether this was one."""
    key, only = event.key(), view.only_selected()
    if event.modifiers() & (Qt.ControlModifier | Qt.AltModifier):
        return False
    if key in ARROWS and view.document.selection:
        step = 1 if event.modifiers() & Qt.ShiftModifier else GRID
        view.nudge(ARROWS[key][0] * step, ARROWS[key][1] * step)
    elif key in (Qt.Key_Delete, Qt.Key_Backspace):
        view.delete()
    elif key == Qt.Key_Escape:
        view.offer_bar.hide()
        view.document.select(())
        view.design_scene.select_links(())
    elif key == Qt.Key_Space:
        view.panning = True
        view.show_cursor()
    elif key == Qt.Key_F:
        view.fit(view.selected_blocks() or None)
    elif only is not None and key in (Qt.Key_Return, Qt.Key_Enter):
        view.edit_requested.emit(only)
    elif only is not None and key == Qt.Key_F2:
        view.rename_block(only)
    elif only is not None and key == Qt.Key_C:
        view.connect_block(only)
    elif only is not None and key == Qt.Key_E:
        view.toggle_expanded(only)
    else:
        return False
    return True
