"""Asks the user for what an edit of one block needs: a new name, or a port to connect with."""

from __future__ import annotations

from PyQt5.QtCore import QRect

from seqdec_gui.gui.dialogs.connect import ConnectDialog, starts_of
from seqdec_gui.gui.look.canvas_style import HEADER_HEIGHT
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.overlays import RenameField

MIN_FIELD_HEIGHT = 28
"""The least height of the field that renames a block, in pixels."""

MIN_FIELD_WIDTH = 140
"""The least width of the field that renames a block, in pixels."""


class BlockPrompts:
    """Opens the rename field and the *Connect to...* dialog over a view. Both end by an edit, or by none."""

    def __init__(self, view: CanvasView, editor: DesignEditor) -> None:
        self._view, self._editor = view, editor

    def rename_block(self, block_id: str) -> None:
        """Open a field over the block's title in which the user types another name."""
        self._view.reveal(block_id)
        rect = self._view.block_rect(block_id)
        height = max(int(HEADER_HEIGHT * self._view.zoom) - 8, MIN_FIELD_HEIGHT)
        place = QRect(rect.left() + 4, rect.top() + 4, max(rect.width() - 8, MIN_FIELD_WIDTH), height)
        field = RenameField(self._editor.document, block_id, place, self._view.viewport())
        field.closed.connect(self._view.setFocus)

    def connect_block(self, block_id: str) -> ConnectDialog:
        """Open the dialog *Connect to...* for a block, and return it."""
        document = self._editor.document
        dialog = ConnectDialog(document, f"Connect {block_id} to", starts_of(document, block_id), self._view)
        dialog.chosen.connect(self._editor.connect_choice)
        dialog.open()
        return dialog
