"""Mouse gestures, one class each. A gesture touches the design only when it is finished, as one step back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QPoint, QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainterPath
from PyQt5.QtWidgets import QGraphicsPathItem, QGraphicsRectItem, QToolTip

from seqdec_gui.domain import block_edits as edits
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Link
from seqdec_gui.domain.link_judge import End, Judge
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.validation import Verdict
from seqdec_gui.gui.pages.design import style as styles
from seqdec_gui.gui.pages.design.editing import preview
from seqdec_gui.gui.pages.design.places import snapped

if TYPE_CHECKING:
    from seqdec_gui.gui.pages.design.view import DesignView

START = 4  # pixels the mouse moves before a press becomes a drag
LINES_OF_TIP = 3


class Gesture:
    """From press to release. `move` and `finish` get the mouse in viewport coordinates."""

    cursor: Qt.CursorShape | None = None
    scrolls = False  # whether the canvas follows when the mouse rests at its edge

    def __init__(self, view: DesignView, at: QPoint) -> None:
        self.view, self.scene, self.pressed_at = view, view.design_scene, at
        self.moved = False

    def move(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        """The mouse moved; small tremors after the press do not count."""
        if not self.moved and (at - self.pressed_at).manhattanLength() < START:
            return
        self.moved = True
        self.drag(at, modifiers)

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        """The mouse is somewhere else."""

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        """The button was released."""
        self.cancel()

    def cancel(self) -> None:
        """Leave everything as it was before the press."""


class Pan(Gesture):
    """Middle button, or space and the left one: the canvas follows the hand."""

    cursor = Qt.ClosedHandCursor

    def __init__(self, view: DesignView, at: QPoint) -> None:
        super().__init__(view, at)
        self._last = at

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        by, self._last = at - self._last, at
        self.view.pan(by.x(), by.y())


class RubberBand(Gesture):
    """On the canvas: selects the blocks that the rectangle meets, added to the selection with Shift or Ctrl."""

    scrolls = True

    def __init__(self, view: DesignView, at: QPoint, adding: bool) -> None:
        super().__init__(view, at)
        self._kept = view.document.selection if adding else frozenset()
        self._before = view.document.selection
        self._from = view.mapToScene(at)
        self._item: QGraphicsRectItem | None = None

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        if self._item is None:
            look = styles.current()
            self._item = QGraphicsRectItem()
            fill = QColor(look.accent)
            fill.setAlphaF(0.12)
            self._item.setBrush(fill)
            outline = styles.pen(look.accent, 1.2)
            outline.setCosmetic(True)
            self._item.setPen(outline)
            self._item.setZValue(10)
            self.scene.addItem(self._item)
        rect = QRectF(self._from, self.view.mapToScene(at)).normalized()
        self._item.setRect(rect)
        met = {key for key, item in self.scene.blocks.items() if rect.intersects(item.body.translated(item.pos()))}
        self.view.document.select(self._kept | met)

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        self._drop()
        if not self.moved:
            self.view.document.select(self._kept)
            self.scene.select_links(())

    def cancel(self) -> None:
        self._drop()
        self.view.document.select(self._before)

    def _drop(self) -> None:
        if self._item is not None:
            self.scene.removeItem(self._item)
            self._item = None


class Move(Gesture):
    """On a block: moves the selected blocks, the one under the mouse keeping to the grid."""

    cursor = Qt.SizeAllCursor
    scrolls = True

    def __init__(self, view: DesignView, at: QPoint, block_id: str) -> None:
        super().__init__(view, at)
        self._block_id = block_id
        self._ids = view.selected_blocks()
        self._from = view.mapToScene(at)
        self._by = QPointF()

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        start = self.scene.blocks[self._block_id].block.position
        wished = QPointF(*start) + self.view.mapToScene(at) - self._from
        self._by = QPointF(snapped(wished.x()) - start[0], snapped(wished.y()) - start[1])
        self.scene.drag_blocks(self._ids, self._by)

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        if self.moved and not self._by.isNull():
            self.view.move_blocks(self._ids, self._by)
        elif self.moved:
            self.scene.drop_blocks(self._ids)

    def cancel(self) -> None:
        self.scene.drop_blocks(self._ids)


class DrawWire(Gesture):
    """From a port to another. At an input that has a wire, that wire is picked up: dropped elsewhere it is moved or removed."""

    cursor = Qt.CrossCursor
    scrolls = True

    def __init__(self, view: DesignView, at: QPoint, end: End) -> None:
        super().__init__(view, at)
        self._pressed = end
        design = view.design
        self._picked = None if end.is_output else design.into(end.port)
        if self._picked is not None:
            design, end = design.unlinked([self._picked]), End(self._picked.source, True)
        self._start, self._base = end, design
        self._judge: Judge | None = None
        self._item: QGraphicsPathItem | None = None
        self._tip: tuple[End | None, str] = (None, "")

    def _begin(self) -> Judge:
        inference = self.view.document.report.inference if self._picked is None else infer(self._base)
        judge = self._judge = Judge(self._base, inference, self._start)
        self.scene.mark(judge)
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
        self.scene.heat(end)
        self._show_line(point if end is None else self.scene.anchor(end) or point, verdict)
        self._show_tip(at, end, verdict, judge)

    def _target(self, judge: Judge, point: QPointF) -> End | None:
        """The port under the mouse; over the inside of a block the nearest of its ports, good ones first."""
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
        look, start = styles.current(), self.scene.anchor(self._start)
        if start is None:
            return
        a, b = (start, to) if self._start.is_output else (to, start)
        bend = QPointF(min(max(40.0, abs(b.x() - a.x()) / 2), 140.0), 0)
        path = QPainterPath(a)
        path.cubicTo(a + bend, b - bend, b)
        color = look.accent if verdict is None else look.ok if verdict.ok else look.error
        self._item.setPath(path)
        self._item.setPen(styles.pen(color, 2.6, Qt.SolidLine if verdict is None or verdict.ok else Qt.DashLine))

    def _show_tip(self, at: QPoint, end: End | None, verdict: Verdict | None, judge: Judge) -> None:
        text = ""
        if end is not None and verdict is not None:
            text = f"{'✓' if verdict.ok else '✗'} {end.port}: {verdict.reason}"
            offers = judge.adapters(end)[:LINES_OF_TIP]
            if offers:
                text += "\nRelease to put a block between:\n" + "\n".join(f"  • {adapter.title}" for adapter in offers)
        if (end, text) == self._tip:
            return
        self._tip = (end, text)
        if text:
            QToolTip.showText(self.view.viewport().mapToGlobal(at) + QPoint(12, 18), text, self.view.viewport())
        else:
            QToolTip.hideText()

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        judge = self._judge
        if judge is None:
            self.view.document.select([self._pressed.port.block])
            return
        end = self._target(judge, self.view.mapToScene(at))
        self.cancel()
        if end is None:
            if self._picked is not None:
                self.view.disconnect_links([self._picked])
            return
        link, verdict = judge.link(end), judge.verdict(end)
        if verdict.ok and link is not None:
            if link != self._picked:
                self.view.connect_ports(link, self._picked)
        else:
            self.view.refuse(verdict.reason, link, judge.adapters(end))

    def cancel(self) -> None:
        if self._item is not None:
            self.scene.removeItem(self._item)
            self._item = None
        self._judge = None
        self.scene.mark(None)
        self.scene.heat(None)
        if self._picked in self.scene.wires:
            self.scene.wires[self._picked].show_state(faded=False)
        QToolTip.hideText()


class Place(Gesture):
    """A block dragged in from the palette: added where it is dropped, and put into the wire if it is dropped on one."""

    cursor = Qt.DragCopyCursor

    def __init__(self, view: DesignView, at: QPoint, kind: str) -> None:
        super().__init__(view, at)
        self.kind = kind
        self._block = Block(view.design.free_id(kind), KINDS[kind]())
        self._item = preview(self._block)
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
        """The wire under the mouse into which the block can be put."""
        point = self.view.mapToScene(at)
        link = self.scene.wire_at(point) if self.scene.block_at(point) is None else None
        if link is None:
            return None
        if link not in self._splices:
            inference = self.view.document.report.inference
            self._splices[link] = edits.spliced(self.view.design, inference, self._block, link) is not None
        return link if self._splices[link] else None

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        self._item.setVisible(self._inside(at))
        self._item.setPos(self._corner(at))
        self.scene.hover(None, self._wire(at))

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        corner, wire = self._corner(at), self._wire(at) if self._inside(at) else None
        self.cancel()
        if self._inside(at):
            self.view.add_block(self.kind, corner, wire)

    def cancel(self) -> None:
        self.scene.removeItem(self._item)
        self.scene.hover(None, None)
