"""The gesture that draws a wire from a port to another one, or to a place where a new block is to be."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QPointF, QRect, Qt
from PyQt5.QtGui import QPainterPath
from PyQt5.QtWidgets import QGraphicsPathItem

from seqdec_gui.domain.link_judge import End, LinkJudge
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.validation import Verdict
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.gestures import Gesture
from seqdec_gui.gui.pages.design.verdict_tip import VerdictTip

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
        color = look.accent if verdict is None else look.ok if verdict.ok else look.error
        self._item.setPath(loose_wire(start, to, self._start.is_output))
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
            elif self.scene.block_at(self.view.mapToScene(at)) is None and self.view.viewport().rect().contains(at):
                self.editor.wire_dropped.emit(self._start, self.view.mapToScene(at))
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


def loose_wire(start: QPointF, to: QPointF, from_output: bool) -> QPainterPath:
    """Return the path of a wire from a port to a place that is no port."""
    a, b = (start, to) if from_output else (to, start)
    bend = QPointF(min(max(MIN_BEND, abs(b.x() - a.x()) / 2), MAX_BEND), 0)
    path = QPainterPath(a)
    path.cubicTo(a + bend, b - bend, b)
    return path
