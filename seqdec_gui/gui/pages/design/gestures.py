"""Mouse gestures, one class each. A gesture changes the design only when it is finished, by one edit of the editor."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QGraphicsRectItem

from seqdec_gui.domain.annotations import MIN_SIDE
from seqdec_gui.domain.drawing.places import snapped
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.pages.design.annotating import Annotating
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.splicing import Splicing
from seqdec_gui.gui.pages.design.verdict_tip import VerdictTip

DRAG_DISTANCE = 4
"""How far the mouse moves after a press before the press becomes a drag, in pixels."""


class Gesture:
    """What the mouse does from press to release. All mouse positions are viewport coordinates."""

    cursor: Qt.CursorShape | None = None
    """The cursor during the drag; None leaves it as it is."""

    scrolls = False
    """Whether the canvas scrolls while the mouse rests at its edge."""

    def __init__(self, view: CanvasView, editor: DesignEditor, at: QPoint) -> None:
        self.view, self.editor, self.scene, self.pressed_at = view, editor, view.design_scene, at
        self.moved = False

    def move(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        """Handle a move of the mouse. Moves shorter than DRAG_DISTANCE after the press are ignored."""
        if not self.moved and (at - self.pressed_at).manhattanLength() < DRAG_DISTANCE:
            return
        self.moved = True
        self.drag(at, modifiers)

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        """Show what a release at this place would do."""

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        """Carry out the gesture: the button was released here."""
        self.cancel()

    def cancel(self) -> None:
        """Leave everything as it was before the press."""


class Pan(Gesture):
    """Moves the canvas: the middle button, or the left one while Space is held."""

    cursor = Qt.ClosedHandCursor

    def __init__(self, view: CanvasView, editor: DesignEditor, at: QPoint) -> None:
        super().__init__(view, editor, at)
        self._last = at

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        by, self._last = at - self._last, at
        self.view.pan(by.x(), by.y())


class RubberBand(Gesture):
    """Selects the blocks that a rectangle drawn on the canvas meets; `adding` (Shift or Ctrl) keeps the former selection."""

    scrolls = True

    def __init__(self, view: CanvasView, editor: DesignEditor, at: QPoint, adding: bool) -> None:
        super().__init__(view, editor, at)
        self._kept = editor.document.selection if adding else frozenset()
        self._before = editor.document.selection
        self._drawn_before = self.scene.annotations.selected
        self._drawn_kept = self._drawn_before if adding else frozenset()
        self._from = view.mapToScene(at)
        self._item: QGraphicsRectItem | None = None

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        if self._item is None:
            look = canvas_style.current()
            self._item = QGraphicsRectItem()
            fill = QColor(look.accent)
            fill.setAlphaF(0.12)
            self._item.setBrush(fill)
            outline = canvas_style.pen(look.accent, 1.2)
            outline.setCosmetic(True)
            self._item.setPen(outline)
            self._item.setZValue(10)
            self.scene.addItem(self._item)
        rect = QRectF(self._from, self.view.mapToScene(at)).normalized()
        self._item.setRect(rect)
        met = {key for key, item in self.scene.blocks.items() if rect.intersects(item.body.translated(item.pos()))}
        self.editor.document.select(self._kept | met)
        self.scene.annotations.select(self._drawn_kept | self.scene.annotations.met_by(rect))

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        self._drop()
        if not self.moved:
            self.editor.document.select(self._kept)
            self.scene.annotations.select(self._drawn_kept)
            self.scene.select_links(())

    def cancel(self) -> None:
        self._drop()
        self.editor.document.select(self._before)
        self.scene.annotations.select(self._drawn_before)

    def _drop(self) -> None:
        if self._item is not None:
            self.scene.removeItem(self._item)
            self._item = None


class Move(Gesture):
    """Moves the selected blocks, frames and notes; the one under the mouse stays on the grid.

    A frame takes along what lies in it. A single block without wires can be dropped on a wire, which it is put into.
    """

    cursor = Qt.SizeAllCursor
    scrolls = True

    def __init__(self, view: CanvasView, editor: DesignEditor, at: QPoint, start: tuple[float, float], tip: VerdictTip) -> None:
        super().__init__(view, editor, at)
        self._start = start
        self._ids, self._annotation_ids = editor.carried()
        self._from = view.mapToScene(at)
        self._by = QPointF()
        self._splicing = self._splicing_of(tip)

    def _splicing_of(self, tip: VerdictTip) -> Splicing | None:
        """Return what a drop on a wire would do, or None if more than a block without wires is dragged."""
        only, design = self.editor.only_selected(), self.editor.design
        if only is None or any(only in (link.source.block, link.target.block) for link in design.links):
            return None
        block = design.block(only)
        fits = block.parameters.inputs() and block.parameters.outputs()
        return Splicing(self.view, self.editor, block, tip) if fits else None

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        wished = QPointF(*self._start) + self.view.mapToScene(at) - self._from
        self._by = QPointF(snapped(wished.x()) - self._start[0], snapped(wished.y()) - self._start[1])
        self.scene.drag_blocks(self._ids, self._by)
        self.scene.annotations.drag(self._annotation_ids, self._by)
        if self._splicing is not None:
            self._splicing.look(at)

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        link = self._splicing.link if self._splicing is not None else None
        self._end_splicing()
        if self.moved and link is not None:
            block = self.editor.design.block(self._ids[0])
            place = QPointF(*block.position) + self._by
            self.scene.drop_blocks(self._ids)
            self.editor.insert_into(link, block, place)
        elif self.moved and not self._by.isNull():
            self.editor.move(self._ids, self._annotation_ids, self._by)
        elif self.moved:
            self.cancel()

    def cancel(self) -> None:
        self._end_splicing()
        self.scene.drop_blocks(self._ids)
        self.scene.annotations.drop(self._annotation_ids)

    def _end_splicing(self) -> None:
        if self._splicing is not None:
            self._splicing.end()


class Resize(Gesture):
    """Makes a frame or note larger or smaller by its lower right corner."""

    cursor = Qt.SizeFDiagCursor
    scrolls = True

    def __init__(self, view: CanvasView, editor: DesignEditor, annotating: Annotating, at: QPoint, annotation_id: str) -> None:
        super().__init__(view, editor, at)
        self._annotating, self._id = annotating, annotation_id
        self._item = self.scene.annotations.items[annotation_id]
        self._from, self._size = view.mapToScene(at), self._item.size

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        by = self.view.mapToScene(at) - self._from
        width, height = snapped(self._size.width() + by.x()), snapped(self._size.height() + by.y())
        self._item.resize(QSizeF(max(width, MIN_SIDE), max(height, MIN_SIDE)))

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        if self.moved:
            size = self._item.size
            self.cancel()
            self._annotating.resize(self._id, size)

    def cancel(self) -> None:
        self.scene.annotations.drop([self._id])
