"""The edits of frames and notes. Each goes through the document as one undo step."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from PyQt5.QtCore import QObject, QPointF, QRectF, QSizeF, pyqtSignal

from seqdec_gui.domain.annotations import MAX_SIDE, MIN_SIDE, Annotation, AnnotationColor, Frame, Note, around
from seqdec_gui.domain.drawing.places import GRID_STEP, free_place, snapped
from seqdec_gui.gui.pages.design.annotation_item import TITLE_HEIGHT, fitting_height
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor

FRAME_MARGIN = 20.0
"""The space between a frame and the blocks that it is drawn round, in scene units."""


class Annotating(QObject):
    """Adds and changes frames and notes; the editor moves, copies and deletes them together with blocks."""

    writing_requested = pyqtSignal(str)
    """The id of a frame whose title, or a note whose text, the user is to write."""

    def __init__(self, view: CanvasView, editor: DesignEditor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view, self._editor, self._scene = view, editor, view.design_scene

    def annotation(self, annotation_id: str) -> Annotation:
        """Return a frame or note of the present design. Raises KeyError."""
        return {one.id: one for one in self._editor.design.annotations}[annotation_id]

    def add_frame(self, at: QPointF | None = None) -> str:
        """Draw a frame round what is selected, or an empty one at this place or near the middle of the view; return its id."""
        design = self._editor.design
        blocks, annotations = self._editor.carried()
        frame_id = design.free_annotation_id(Frame)
        rects = [item.body.translated(item.pos()) for key, item in self._scene.blocks.items() if key in blocks]
        rects += [item.outline for key, item in self._scene.annotations.items.items() if key in annotations]
        if rects and at is None:
            boxes = [(rect.x(), rect.y(), rect.width(), rect.height()) for rect in rects]
            x, y, width, height = around(boxes, FRAME_MARGIN, TITLE_HEIGHT - FRAME_MARGIN / 2)
            frame = Frame(frame_id, "Frame", position=(x, y), size=(max(width, MIN_SIDE), max(height, MIN_SIDE)))
        else:
            frame = Frame(frame_id, "Frame")
            frame = msgspec.structs.replace(frame, position=self._place(frame.size, at))
        return self._add(frame, "Add a frame")

    def add_note(self, at: QPointF | None = None) -> str:
        """Add an empty note at this place, or near the middle of the view where nothing lies, and return its id."""
        note = Note(self._editor.design.free_annotation_id(Note))
        return self._add(msgspec.structs.replace(note, position=self._place(note.size, at)), "Add a note")

    def _place(self, size: tuple[float, float], at: QPointF | None) -> tuple[float, float]:
        if at is not None:
            return snapped(at.x()), snapped(at.y())
        middle = self._view.visible_rect().center()
        taken = self._scene.annotations.taken(self._scene.router.blocks, frames=True)
        return free_place(taken, *size, (middle.x() - size[0] / 2, middle.y() - size[1] / 2))

    def _add(self, one: Annotation, text: str) -> str:
        self._editor.document.edit(self._editor.design.with_annotation(one), text, select=())
        self._scene.annotations.select([one.id])
        self._editor.announced.emit(f"{text}.".replace("Add", "Added"))
        self.writing_requested.emit(one.id)
        return one.id

    def write(self, annotation_id: str, words: str) -> None:
        """Set the title of a frame, or the text of a note, which grows if it has become too small for it."""
        one = self.annotation(annotation_id)
        if isinstance(one, Frame):
            new: Annotation = msgspec.structs.replace(one, title=words)
        else:
            height = max(one.size[1], fitting_height(words, one.size[0])) if words else one.size[1]
            new = msgspec.structs.replace(one, text=words, size=(one.size[0], height))
        self._change(new, "Rename frame" if isinstance(one, Frame) else "Write note")

    def color(self, ids: Collection[str], color: AnnotationColor) -> None:
        """Give frames and notes a colour."""
        design = self._editor.design
        several = [msgspec.structs.replace(one, color=color) if one.id in ids else one for one in design.annotations]
        self._editor.document.edit(design.with_annotations(several), f"Colour {color}")

    def resize(self, annotation_id: str, size: QSizeF, merge_key: tuple[object, ...] | None = None) -> None:
        """Give a frame or note a size, or the nearest that it may have."""
        one = self.annotation(annotation_id)
        new = msgspec.structs.replace(one, size=(_side(size.width()), _side(size.height())))
        self._change(new, "Resize", merge_key)

    def grow(self, columns: int, rows: int) -> None:
        """Make the selected frames and notes wider and higher by this many steps of the grid, by keyboard."""
        for annotation_id in self._editor.selected_annotations():
            width, height = self.annotation(annotation_id).size
            size = QSizeF(width + columns * GRID_STEP, height + rows * GRID_STEP)
            self.resize(annotation_id, size, ("grow", annotation_id))

    def fit_frame(self, frame_id: str) -> None:
        """Draw a frame closely round what lies in it."""
        blocks, held = self._scene.annotations.inside([frame_id], self._scene.blocks)
        rects: list[QRectF] = [self._scene.blocks[key].body.translated(self._scene.blocks[key].pos()) for key in blocks]
        rects += [self._scene.annotations.items[key].outline for key in held]
        if not rects:
            self._editor.refused.emit("Nothing lies in the frame.")
            return
        boxes = [(rect.x(), rect.y(), rect.width(), rect.height()) for rect in rects]
        x, y, width, height = around(boxes, FRAME_MARGIN, TITLE_HEIGHT - FRAME_MARGIN / 2)
        new = msgspec.structs.replace(self.annotation(frame_id), position=(x, y), size=(_side(width), _side(height)))
        self._change(new, "Fit frame")

    def select_inside(self, frame_id: str) -> None:
        """Select what lies in a frame."""
        blocks, held = self._scene.annotations.inside([frame_id], self._scene.blocks)
        self._editor.document.select(blocks)
        self._scene.annotations.select(held)

    def _change(self, new: Annotation, text: str, merge_key: tuple[object, ...] | None = None) -> None:
        self._editor.document.edit(self._editor.design.with_annotation(new), text, merge_key)


def _side(length: float) -> float:
    """Return a length on the grid that a side may have."""
    return max(MIN_SIDE, min(MAX_SIDE, snapped(length)))
