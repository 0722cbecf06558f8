"""The frames and notes of a scene: their items, which of them are selected, and what lies in a frame."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from PyQt5.QtCore import QObject, QPointF, QRectF, pyqtSignal
from PyQt5.QtWidgets import QGraphicsScene

from seqdec_gui.domain.annotations import Note
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.drawing.routing import Grid, Rect
from seqdec_gui.gui.pages.design.annotation_item import AnnotationItem
from seqdec_gui.gui.pages.design.block_item import BlockItem


class AnnotationLayer(QObject):
    """Shows the frames and notes of the design that it is given, and never changes it."""

    selection_changed = pyqtSignal()

    def __init__(self, scene: QGraphicsScene) -> None:
        super().__init__(scene)
        self._scene = scene
        self.items: dict[str, AnnotationItem] = {}
        self.selected: frozenset[str] = frozenset()

    def show(self, design: Design) -> None:
        """Show the frames and notes of this design, and no others."""
        present = {one.id: one for one in design.annotations}
        for gone in self.items.keys() - present.keys():
            self._scene.removeItem(self.items.pop(gone))
        for annotation_id, one in present.items():
            item = self.items.get(annotation_id)
            if item is None:
                item = self.items[annotation_id] = AnnotationItem(one)
                self._scene.addItem(item)
            item.show_annotation(one)
        self.select(self.selected & present.keys())

    def lay_out(self) -> None:
        """Lay all texts out anew, after a change of fonts."""
        for item in self.items.values():
            item.lay_out()

    def select(self, ids: Iterable[str]) -> None:
        """Select these frames and notes, and no others."""
        chosen = frozenset(ids) & self.items.keys()
        if chosen == self.selected:
            return
        self.selected = chosen
        for annotation_id, item in self.items.items():
            if item.selected != (annotation_id in chosen):
                item.selected = annotation_id in chosen
                item.update()
        self.selection_changed.emit()

    def emphasise(self, annotation_id: str | None) -> None:
        """Emphasise this frame or note, and no other."""
        for other, item in self.items.items():
            if item.hovered != (other == annotation_id):
                item.hovered = other == annotation_id
                item.update()

    def focus(self, annotation_id: str | None) -> None:
        """Draw the ring of the keyboard focus round this frame or note, and no other."""
        for other, item in self.items.items():
            if item.focused != (other == annotation_id):
                item.focused = other == annotation_id
                item.update()

    def drag(self, ids: Iterable[str], by: QPointF) -> None:
        """Show these moved by `by` from their places in the design."""
        for annotation_id in ids:
            item = self.items.get(annotation_id)
            if item is not None:
                item.setPos(QPointF(*item.annotation.position) + by)

    def drop(self, ids: Iterable[str]) -> None:
        """Show these at their places and in their sizes in the design again."""
        for annotation_id in ids:
            item = self.items.get(annotation_id)
            if item is not None:
                item.show_annotation(item.annotation)

    # -- geometry
    def item_at(self, point: QPointF) -> str | None:
        """Return the frame or note that a press at this point of the scene grabs, the smallest if there are several."""
        hits = [item for item in self.items.values() if item.grabbed_at(point)]
        best = min(hits, key=lambda item: (item.is_frame, item.size.width() * item.size.height()), default=None)
        return None if best is None else best.annotation.id

    def met_by(self, area: QRectF) -> set[str]:
        """Return the notes that an area meets, and the frames that lie wholly in it."""
        return {
            annotation_id
            for annotation_id, item in self.items.items()
            if (area.contains(item.outline) if item.is_frame else area.intersects(item.outline))
        }

    def bounds(self, ids: Collection[str] | None = None) -> QRectF:
        """Return the rectangle that encloses these, or all."""
        rect = QRectF()
        for annotation_id, item in self.items.items():
            if ids is None or annotation_id in ids:
                rect |= item.outline
        return rect

    def taken(self, blocks: Grid[str], frames: bool = False) -> Grid[str]:
        """Return what a new block or note must not cover: blocks, notes, and frames if asked for."""
        taken: Grid[str] = Grid()
        for key, rect in blocks.rects.items():
            taken.put(key, rect)
        for key, item in self.items.items():
            if frames or isinstance(item.annotation, Note):
                outline = item.outline
                taken.put(f"annotation {key}", Rect(outline.left(), outline.top(), outline.right(), outline.bottom()))
        return taken

    def inside(self, ids: Collection[str], blocks: Mapping[str, BlockItem]) -> tuple[set[str], set[str]]:
        """Return the blocks whose middle lies in one of these frames, and the frames and notes that lie in them.

        A frame is not inside one that is as small as itself, so that two frames never carry each other.
        """
        held_blocks: set[str] = set()
        held: set[str] = set()
        for frame_id in ids:
            frame = self.items.get(frame_id)
            if frame is None or not frame.is_frame:
                continue
            area = frame.outline
            held_blocks |= {key for key, item in blocks.items() if area.contains(item.body.translated(item.pos()).center())}
            held |= {
                key
                for key, item in self.items.items()
                if key != frame_id
                and area.contains(item.outline.center())
                and (not item.is_frame or (area.contains(item.outline) and item.outline != area))
            }
        return held_blocks, held
