"""Asks the user for what an edit of one block needs: a new name, or a port to connect with."""

from __future__ import annotations

from functools import partial

from PyQt5.QtCore import QRect, QRectF, QSize

from seqdec_gui.domain.annotations import Frame
from seqdec_gui.gui.dialogs.connect import ConnectDialog, starts_of
from seqdec_gui.gui.look.canvas_style import HEADER_HEIGHT
from seqdec_gui.gui.pages.design.annotating import Annotating
from seqdec_gui.gui.pages.design.annotation_item import TITLE_HEIGHT
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.fields import NoteField, RenameField, TitleField

MIN_FIELD_HEIGHT = 28
"""The least height of the field that renames a block, in pixels."""

MIN_FIELD_WIDTH = 140
"""The least width of the field that renames a block, in pixels."""

MOST_FIELD_WIDTH = 320
"""The greatest width of the field for a frame's title, in pixels."""

MIN_NOTE = QSize(160, 80)
"""The least size of the field for a note, in pixels."""


class BlockPrompts:
    """Opens the fields for names, titles and notes, and the *Connect to...* dialog. Each ends by an edit, or by none."""

    def __init__(self, view: CanvasView, editor: DesignEditor, annotating: Annotating) -> None:
        self._view, self._editor, self._annotating = view, editor, annotating
        annotating.writing_requested.connect(self.write)

    def write(self, annotation_id: str) -> None:
        """Open a field over a frame's title or a note, in which the user writes."""
        item, viewport = self._view.design_scene.annotations.items[annotation_id], self._view.viewport()
        one, written = item.annotation, QRectF(item.outline)
        if isinstance(one, Frame):
            written.setHeight(min(written.height(), TITLE_HEIGHT))
        written.setWidth(min(written.width(), MOST_FIELD_WIDTH / self._view.zoom))
        self._view.reveal_rect(written)
        rect = self._view.mapFromScene(item.outline).boundingRect()
        field: TitleField | NoteField
        if isinstance(one, Frame):
            place = QRect(
                rect.left() + 4, rect.top() + 2, max(min(rect.width() - 8, MOST_FIELD_WIDTH), MIN_FIELD_WIDTH), MIN_FIELD_HEIGHT
            )
            field = TitleField(one.title, place, viewport)
        else:
            place = QRect(rect.topLeft(), QSize(max(rect.width(), MIN_NOTE.width()), max(rect.height(), MIN_NOTE.height())))
            field = NoteField(one.text, place, viewport)
        field.written.connect(partial(self._annotating.write, annotation_id))
        self._opened(field)

    def rename_block(self, block_id: str) -> None:
        """Open a field over the block's title in which the user types another name."""
        self._view.reveal(block_id)
        rect = self._view.block_rect(block_id)
        height = max(int(HEADER_HEIGHT * self._view.zoom) - 8, MIN_FIELD_HEIGHT)
        place = QRect(rect.left() + 4, rect.top() + 4, max(rect.width() - 8, MIN_FIELD_WIDTH), height)
        self._opened(RenameField(self._editor.document, block_id, place, self._view.viewport()))

    def _opened(self, field: TitleField | NoteField | RenameField) -> None:
        field.closed.connect(self._view.setFocus)
        field.follow(self._editor.document)

    def connect_block(self, block_id: str) -> ConnectDialog:
        """Open the dialog *Connect to...* for a block, and return it."""
        document = self._editor.document
        dialog = ConnectDialog(document, f"Connect {block_id} to", starts_of(document, block_id), self._view)
        dialog.chosen.connect(self._editor.connect_choice)
        dialog.open()
        return dialog
