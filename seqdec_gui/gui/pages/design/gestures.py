"""Mouse gestures, one class each. A gesture changes the design only when it is finished, by one edit of the editor."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PyQt5.QtGui import QColor, QPainterPath
from PyQt5.QtWidgets import QGraphicsPathItem, QGraphicsRectItem

from seqdec_gui.domain import block_edits as edits
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Link
from seqdec_gui.domain.drawing.places import snapped
from seqdec_gui.domain.link_judge import End, LinkJudge
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.validation import Verdict
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.pages.design.block_item import block_preview
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.verdict_tip import VerdictTip

DRAG_DISTANCE = 4
"""How far the mouse moves after a press before the press becomes a drag, in pixels."""

MAX_REPAIRS_SHOWN = 3
"""How many adapters the tip beside a refused wire lists."""

MIN_BEND = 40.0
"""The least length of the curve's handles at both ends of a wire that is being drawn, in scene units."""

MAX_BEND = 140.0
"""The largest length of the curve's handles at both ends of a wire that is being drawn, in scene units."""

TIP_REACH = 700
"""How far from the mouse a part of the verdict tip can lie, in pixels; ports further away cannot be covered by it."""

PORT_ROOM = QPoint(12, 12)
"""Half the size of the square round a port that the verdict tip keeps off, in pixels."""


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

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        self._drop()
        if not self.moved:
            self.editor.document.select(self._kept)
            self.scene.select_links(())

    def cancel(self) -> None:
        self._drop()
        self.editor.document.select(self._before)

    def _drop(self) -> None:
        if self._item is not None:
            self.scene.removeItem(self._item)
            self._item = None


class Move(Gesture):
    """Moves the selected blocks; the one under the mouse stays on the grid."""

    cursor = Qt.SizeAllCursor
    scrolls = True

    def __init__(self, view: CanvasView, editor: DesignEditor, at: QPoint, block_id: str) -> None:
        super().__init__(view, editor, at)
        self._block_id = block_id
        self._ids = editor.selected_blocks()
        self._from = view.mapToScene(at)
        self._by = QPointF()

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        start = self.scene.blocks[self._block_id].block.position
        wished = QPointF(*start) + self.view.mapToScene(at) - self._from
        self._by = QPointF(snapped(wished.x()) - start[0], snapped(wished.y()) - start[1])
        self.scene.drag_blocks(self._ids, self._by)

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        if self.moved and not self._by.isNull():
            self.editor.move_blocks(self._ids, self._by)
        elif self.moved:
            self.scene.drop_blocks(self._ids)

    def cancel(self) -> None:
        self.scene.drop_blocks(self._ids)


class DrawWire(Gesture):
    """Draws a wire from a port to another one.

    A press on an input that has a wire picks that wire up: dropped on another port it is moved, dropped elsewhere removed.
    """

    cursor = Qt.CrossCursor
    scrolls = True

    def __init__(self, view: CanvasView, editor: DesignEditor, at: QPoint, end: End, tip: VerdictTip) -> None:
        super().__init__(view, editor, at)
        self._pressed = end
        design = editor.design
        self._picked = None if end.is_output else design.into(end.port)
        if self._picked is not None:
            design, end = design.unlinked([self._picked]), End(self._picked.source, True)
        self._start, self._base = end, design
        self._judge: LinkJudge | None = None
        self._item: QGraphicsPathItem | None = None
        self._tip = tip
        self._tip_content: tuple[End | None, str] = (None, "")

    def _begin(self) -> LinkJudge:
        inference = self.editor.document.report.inference if self._picked is None else infer(self._base)
        judge = self._judge = LinkJudge(self._base, inference, self._start)
        self.scene.show_targets(judge)
        self._item = QGraphicsPathItem()
        self._item.setZValue(5)
        self._item.setAcceptedMouseButtons(Qt.NoButton)
        self.scene.addItem(self._item)
        if self._picked in self.scene.wires:
            self.scene.wires[self._picked].show_state(faded=True)
        return judge

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        judge = self._judge or self._begin()
        point = self.view.mapToScene(at)
        end = self._target(judge, point)
        verdict = None if end is None else judge.verdict(end)
        self.scene.emphasise_port(end)
        self._show_line(point if end is None else self.scene.anchor(end) or point, verdict)
        self._show_tip(at, end, verdict, judge)

    def _target(self, judge: LinkJudge, point: QPointF) -> End | None:
        """Return the port that a release at this place would connect, or None.

        Inside a block it is the nearest of the block's ports, those with a good verdict first.
        """
        end = self.scene.port_at(point)
        if end is not None:
            return None if end == self._start else end
        block_id = self.scene.block_at(point)
        if block_id is None or block_id == self._start.port.block:
            return None
        item = self.scene.blocks[block_id]
        rows = [row for row in item.rows.values() if row.end.is_output != self._start.is_output]
        if not rows:
            return None
        local = point - item.pos()
        return min(rows, key=lambda row: (not judge.verdict(row.end).ok, abs(row.anchor.y() - local.y()))).end

    def _show_line(self, to: QPointF, verdict: Verdict | None) -> None:
        assert self._item is not None
        look, start = canvas_style.current(), self.scene.anchor(self._start)
        if start is None:
            return
        a, b = (start, to) if self._start.is_output else (to, start)
        bend = QPointF(min(max(MIN_BEND, abs(b.x() - a.x()) / 2), MAX_BEND), 0)
        path = QPainterPath(a)
        path.cubicTo(a + bend, b - bend, b)
        color = look.accent if verdict is None else look.ok if verdict.ok else look.error
        self._item.setPath(path)
        self._item.setPen(canvas_style.pen(color, 2.6, Qt.SolidLine if verdict is None or verdict.ok else Qt.DashLine))

    def _show_tip(self, at: QPoint, end: End | None, verdict: Verdict | None, judge: LinkJudge) -> None:
        text = ""
        if end is not None and verdict is not None:
            text = f"{'✓' if verdict.ok else '✗'} {end.port}: {verdict.reason}"
            repairs = judge.adapters(end)[:MAX_REPAIRS_SHOWN]
            if repairs:
                text += "\nRelease to put a block between:\n" + "\n".join(f"  • {adapter.title}" for adapter in repairs)
        if (end, text) == self._tip_content and not self._tip_is_in_the_way(at, end):
            return
        self._tip_content = (end, text)
        self._tip.show_text(text, at, self._places_to_keep_off(at, end))

    def _tip_is_in_the_way(self, at: QPoint, end: End | None) -> bool:
        """Return whether the mouse or a scrolled canvas brought the tip over what the user aims at."""
        if end is None or not self._tip.isVisible():
            return False
        place = self._tip.geometry()
        return bool(place.contains(at) or place.intersects(self.view.block_rect(end.port.block)))

    def _places_to_keep_off(self, at: QPoint, end: End | None) -> list[QRect]:
        """Return the target block and the ports that the tip could cover, in viewport coordinates."""
        if end is None:
            return []
        places = [self.view.block_rect(end.port.block)]
        reach = QRect(at - QPoint(TIP_REACH, TIP_REACH), at + QPoint(TIP_REACH, TIP_REACH)) & self.view.viewport().rect()
        area = self.view.mapToScene(reach).boundingRect()
        for block_id in self.scene.blocks_in(area):
            for row in self.scene.blocks[block_id].rows.values():
                port = self.view.port_point(block_id, row.end.port.port, row.end.is_output)
                places.append(QRect(port - PORT_ROOM, port + PORT_ROOM))
        return places

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        judge = self._judge
        if judge is None:
            self.editor.document.select([self._pressed.port.block])
            return
        end = self._target(judge, self.view.mapToScene(at))
        self.cancel()
        if end is None:
            if self._picked is not None:
                self.editor.disconnect_links([self._picked])
            return
        link, verdict = judge.link(end), judge.verdict(end)
        if verdict.ok and link is not None:
            if link != self._picked:
                self.editor.connect_ports(link, self._picked)
        else:
            self.editor.refuse(verdict.reason, link, judge.adapters(end))

    def cancel(self) -> None:
        if self._item is not None:
            self.scene.removeItem(self._item)
            self._item = None
        self._judge = None
        self.scene.show_targets(None)
        self.scene.emphasise_port(None)
        if self._picked in self.scene.wires:
            self.scene.wires[self._picked].show_state(faded=False)
        self._tip.hide()


class Place(Gesture):
    """Drags a block in from the palette. It is added where it is dropped, and put into a wire that it is dropped on."""

    cursor = Qt.DragCopyCursor

    def __init__(self, view: CanvasView, editor: DesignEditor, at: QPoint, kind: str) -> None:
        super().__init__(view, editor, at)
        self.kind = kind
        self._block = Block(editor.design.free_id(kind), KINDS[kind]())
        self._item = block_preview(self._block)
        self._item.setOpacity(0.75)
        self._item.setZValue(6)
        self._item.setVisible(False)
        self.scene.addItem(self._item)
        self._splices: dict[Link, bool] = {}

    def _corner(self, at: QPoint) -> QPointF:
        return self.view.mapToScene(at) - QPointF(self._item.width / 2, 24.0)

    def _inside(self, at: QPoint) -> bool:
        return bool(self.view.viewport().rect().contains(at))

    def _wire(self, at: QPoint) -> Link | None:
        """Return the wire under the mouse that the block can be put into, or None."""
        point = self.view.mapToScene(at)
        link = self.scene.wire_at(point) if self.scene.block_at(point) is None else None
        if link is None:
            return None
        if link not in self._splices:
            inference = self.editor.document.report.inference
            self._splices[link] = edits.spliced(self.editor.design, inference, self._block, link) is not None
        return link if self._splices[link] else None

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        self._item.setVisible(self._inside(at))
        self._item.setPos(self._corner(at))
        self.scene.emphasise(None, self._wire(at))

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        corner, wire = self._corner(at), self._wire(at) if self._inside(at) else None
        self.cancel()
        if self._inside(at):
            self.editor.add_block(self.kind, corner, wire)

    def cancel(self) -> None:
        self.scene.removeItem(self._item)
        self.scene.emphasise(None, None)
