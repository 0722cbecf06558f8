"""The scene of the canvas: one item per block and per wire, kept equal to the document's design."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable
from typing import cast

from PyQt5 import sip
from PyQt5.QtCore import QObject, QPointF, QRectF, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QGraphicsScene

from seqdec_gui.domain.block_edits import room_for
from seqdec_gui.domain.design import Design, Link
from seqdec_gui.domain.drawing import layout, routing
from seqdec_gui.domain.drawing.places import free_place, snapped
from seqdec_gui.domain.drawing.routing import Grid, Rect, Router, Wire
from seqdec_gui.domain.link_judge import End, LinkJudge
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import PortType
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.canvas_style import MAX_TEXT_GROWTH
from seqdec_gui.gui.pages.design.annotation_layer import AnnotationLayer
from seqdec_gui.gui.pages.design.block_item import BlockItem
from seqdec_gui.gui.pages.design.wire_item import LABEL_HEIGHT, WireItem
from seqdec_gui.gui.workspace.document import DesignDocument

MAX_COORDINATE = 90_000.0
"""The largest coordinate that is shown, in scene units. Only a file written by hand can have a larger one."""

SCENE_SIZE = 200_000.0
"""The side of the scene, whose middle is (0, 0), in scene units."""

MAX_WIRES_AT_ONCE = 40
"""Up to this many wires are routed in the same frame; of more wires some are routed in each turn of the event loop."""

ROUTING_TURN_S = 0.008
"""How long wires are routed in one turn of the event loop."""


class DesignScene(QGraphicsScene):
    """Shows the document's design, and never changes it."""

    links_selected = pyqtSignal()

    content_moved = pyqtSignal()
    """Blocks, frames or notes are somewhere else than before, or there are others."""

    def __init__(self, document: DesignDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.blocks: dict[str, BlockItem] = {}
        self.wires: dict[Link, WireItem] = {}
        self.selected_links: frozenset[Link] = frozenset()
        self.annotations = AnnotationLayer(self)
        """The frames and notes."""
        self.router: Router[Link] = Router()
        """The outlines of all blocks and the routes of all wires, in scene units."""
        self._labels: Grid[Link] = Grid()
        self._links_of: dict[str, list[Link]] = {}
        self._unrouted: dict[Link, None] = {}
        self._unlabelled: dict[Link, None] = {}
        self._routing_timer = QTimer(self, interval=0, timeout=self._on_routing_timer_timeout)
        self._emphasised: tuple[str | None, Link | None] = (None, None)
        self.setItemIndexMethod(QGraphicsScene.BspTreeIndex)
        self.setSceneRect(-SCENE_SIZE / 2, -SCENE_SIZE / 2, SCENE_SIZE, SCENE_SIZE)
        self._show(document.design)
        document.design_changed.connect(self._on_document_design_changed)
        document.selection_changed.connect(self._on_document_selection_changed)
        theme.notifier.changed.connect(self._on_theme_changed)

    # -- following the document
    @pyqtSlot(object, object)
    def _on_document_design_changed(self, _old: Design, new: Design) -> None:
        self._show(new)

    @pyqtSlot(object)
    def _on_document_selection_changed(self, selection: frozenset[str]) -> None:
        for block_id, item in self.blocks.items():
            if item.selected != (block_id in selection):
                item.selected = block_id in selection
                item.setZValue(1 if item.selected or item.expanded else 0)
                item.update()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        moved = [block_id for block_id, item in self.blocks.items() if item.lay_out()]
        resized = [link for link, wire in self.wires.items() if wire.lay_out()]
        self._reroute(set(), moved, resized)
        self.annotations.lay_out()
        self.update()

    def _show(self, design: Design) -> None:
        report = self.document.report
        problems = _by_block(report.problems, design)
        ids = {block.id for block in design.blocks}
        beside: set[Link] = set()
        for block_id in self.blocks.keys() - ids:
            self.removeItem(self.blocks.pop(block_id))
            beside |= self._wires_round(block_id)
            self.router.blocks.drop(block_id)
        wired = _wired(design)
        touched: set[str] = set()
        for block in design.blocks:
            item = self.blocks.get(block.id)
            if item is None:
                item = self.blocks[block.id] = BlockItem(block)
                item.selected = block.id in self.document.selection
                self.addItem(item)
                touched.add(block.id)
            inference = report.inference.blocks[block.id]
            if item.show_block(block, inference, problems.get(block.id, ()), wired.get(block.id, frozenset())):
                touched.add(block.id)
            place = _place(block.position)
            item.setPos(place)
            if self.router.blocks.rects.get(block.id) != self.rect_of(block.id):  # a dragged item is there before its routes
                touched.add(block.id)
        self._show_wires(design, problems, touched, beside)
        self.annotations.show(design)
        self.content_moved.emit()

    def _show_wires(
        self, design: Design, problems: dict[str, tuple[Problem, ...]], touched: set[str], beside: set[Link]
    ) -> None:
        drawn = {
            link: None
            for link in design.links
            if self.anchor(End(link.source, True)) is not None and self.anchor(End(link.target, False)) is not None
        }
        for link in self.wires.keys() - drawn.keys():
            gone = self.wires.pop(link)
            self.removeItem(gone)
            self.removeItem(gone.label)
            self.router.forget(link)
            self._labels.drop(link)
            self._unrouted.pop(link, None)
            self._unlabelled.pop(link, None)
        stale = beside & drawn.keys()
        resized: set[Link] = set()
        for link in drawn:
            wire = self.wires.get(link)
            if wire is None:
                wire = self.wires[link] = WireItem(link)
                self.addItem(wire)
                self.addItem(wire.label)
                stale.add(link)
            if wire.show_type(*self._carried(link, problems)):
                resized.add(link)
        self._links_of = {}
        for link in drawn:
            self._links_of.setdefault(link.source.block, []).append(link)
            self._links_of.setdefault(link.target.block, []).append(link)
        self.select_links(self.selected_links & drawn.keys())
        self._reroute(stale, touched, resized)

    def _carried(self, link: Link, problems: dict[str, tuple[Problem, ...]]) -> tuple[PortType | None, str]:
        """Return the type that a wire carries, None while it is unknown, and the text of its error or ""."""
        port_type = self.document.report.inference.blocks[link.source.block].outputs.get(link.source.port)
        errors = [
            problem
            for problem in problems.get(link.target.block, ())
            if problem.where == str(link.target) and problem.severity == "error"
        ]
        return port_type, (errors[0].text if errors else "")

    # -- routes
    def _reroute(self, stale: set[Link], touched: Collection[str], resized: Collection[Link] = ()) -> None:
        """Route anew the `stale` wires, the wires of `touched` blocks, and those that touched blocks are or were in the way of.

        The labels of `resized` wires are placed anew as well.
        """
        stale, blocks = set(stale), self.router.blocks
        for block_id in touched:
            stale |= self._wires_round(block_id)
            blocks.put(block_id, after := self.rect_of(block_id))
            stale |= self.router.touching(after.grown(routing.MARGIN - 2.0))
            stale.update(self._links_of.get(block_id, ()))
        stale |= self._unrouted.keys()
        for link in stale:
            self.router.forget(link)
        unlabelled = stale.union(resized, self._unlabelled)
        for link in unlabelled:
            self._labels.drop(link)
        self._unlabelled = {link: None for link in self.wires if link in unlabelled}
        self._unrouted = dict.fromkeys(sorted((link for link in self.wires if link in stale), key=self._span_of))
        if len(self._unrouted) <= MAX_WIRES_AT_ONCE:
            self.finish_routes()
            return
        for link in self._unrouted:
            wire = self._wire(link)
            self.wires[link].show_route(routing.simple(wire.source, wire.target), None)
        self._routing_timer.start()

    def _wires_round(self, block_id: str) -> set[Link]:
        """Return the wires that may have gone round a block where it was."""
        before = self.router.blocks.rects.get(block_id)
        return set() if before is None else self.router.touching(before.grown(2.5 * routing.STUB))

    def finish_routes(self) -> None:
        """Route all wires and place all labels that are still waiting."""
        self._routing_timer.stop()
        self._route_until(math.inf)

    @pyqtSlot()
    def _on_routing_timer_timeout(self) -> None:
        # Qt deletes the items of a scene before the scene with its timers, whoever clears or closes it.
        if any(sip.isdeleted(item) for item in (*self.wires.values(), *self.blocks.values())) or not self._route_until(
            time.perf_counter() + ROUTING_TURN_S
        ):
            self._routing_timer.stop()

    def _route_until(self, until: float) -> bool:
        """Route waiting wires, then place waiting labels, until this time (`perf_counter`). Returns whether any is left."""
        while self._unrouted and time.perf_counter() < until:
            link = next(iter(self._unrouted))
            del self._unrouted[link]
            self.wires[link].show_route(self.router.route(link, self._wire(link)), None)
        while self._unlabelled and not self._unrouted and time.perf_counter() < until:
            link = next(iter(self._unlabelled))
            del self._unlabelled[link]
            self._place_label(link)
        return bool(self._unrouted or self._unlabelled)

    def _span_of(self, link: Link) -> float:
        """Return the distance between a wire's ends: short wires are routed first, so that long ones go round them."""
        wire = self._wire(link)
        return abs(wire.source[0] - wire.target[0]) + abs(wire.source[1] - wire.target[1])

    def _wire(self, link: Link) -> Wire:
        source, target = self.anchor(End(link.source, True)), self.anchor(End(link.target, False))
        assert source is not None
        assert target is not None
        return Wire((source.x(), source.y()), (target.x(), target.y()), link.source, self.wires[link].label.longest)

    def _place_label(self, link: Link) -> None:
        """Put a wire's label, shortened if need be, where it covers no block, no label and few other wires, or hide it."""
        item, path = self.wires[link], self.router.routes[link]
        chosen: Rect | None = None
        for number, width in enumerate(item.label.widths):
            chosen = self._label_room(link, path, width)
            if chosen is not None:
                item.label.choose(number)
                grown = self._labels.free(chosen.scaled(MAX_TEXT_GROWTH)) and self.router.blocks.free(
                    chosen.scaled(MAX_TEXT_GROWTH).grown(3.0)
                )
                item.label.set_growth(MAX_TEXT_GROWTH if grown else 1.0)
                self._labels.put(link, chosen.scaled(MAX_TEXT_GROWTH) if grown else chosen)
                break
        else:
            item.label.choose(0)  # under the mouse it lies over everything
        item.show_route(path, chosen)

    def _label_room(self, link: Link, path: routing.Path, width: float) -> Rect | None:
        """Return the place for a label of this width on a wire, None if there is none."""
        chosen: Rect | None = None
        least = 1000
        for place in routing.label_places(path, width, LABEL_HEIGHT):
            if not self.router.blocks.free(place.grown(3.0)) or not self._labels.free(place.grown(2.0)):
                continue
            others = self.router.touching(place) - {link}
            if any(other.source == link.source and other in self._labels.rects for other in others):
                continue  # a shared stretch of one output's wires says it once
            if len(others) < least:
                chosen, least = place, len(others)
            if not others:
                break
        return chosen

    def drag_blocks(self, block_ids: Iterable[str], by: QPointF) -> None:
        """Show these blocks moved by `by` from their places in the design, with their wires on simple routes."""
        links: dict[Link, None] = {}
        for block_id in block_ids:
            item = self.blocks.get(block_id)
            if item is not None:
                item.setPos(_place(item.block.position) + by)
                links.update(dict.fromkeys(self._links_of.get(block_id, ())))
        for link in links:
            wire = self._wire(link)
            self.wires[link].show_route(routing.simple(wire.source, wire.target), None)
        self.content_moved.emit()

    def drop_blocks(self, block_ids: Collection[str]) -> None:
        """Show dragged blocks at their places in the design again."""
        for block_id in block_ids:
            if block_id in self.blocks:
                self.blocks[block_id].setPos(_place(self.blocks[block_id].block.position))
        self._reroute(set(), [block_id for block_id in block_ids if block_id in self.blocks])
        self.content_moved.emit()

    # -- geometry
    def anchor(self, end: End) -> QPointF | None:
        """Return the point where wires end at a port, in scene coordinates; None for an unknown port."""
        item = self.blocks.get(end.port.block)
        return None if item is None else item.anchor(end)

    def rect_of(self, block_id: str) -> Rect:
        """Return a block's outline in scene coordinates."""
        item = self.blocks[block_id]
        x, y = item.x(), item.y()
        return Rect(x, y, x + item.width, y + item.height)

    def bounds(self, block_ids: Iterable[str] | None = None) -> QRectF:
        """Return the rectangle that encloses these blocks; None means everything on the canvas."""
        rect = QRectF()
        for block_id in self.blocks if block_ids is None else block_ids:
            rect |= self.blocks[block_id].body.translated(self.blocks[block_id].pos())
        if block_ids is None:
            for wire in self.wires.values():
                rect |= wire.path.controlPointRect()
            rect |= self.annotations.bounds()
        return rect

    def block_at(self, point: QPointF) -> str | None:
        """Return the uppermost block whose outline encloses this point, or None."""
        hits = [item for item in self.blocks.values() if item.body.contains(point - item.pos())]
        return max(hits, key=lambda item: item.zValue()).block.id if hits else None

    def blocks_in(self, area: QRectF) -> list[str]:
        """Return the ids of the blocks whose outlines meet this area."""
        return [key for key, item in self.blocks.items() if area.intersects(item.body.translated(item.pos()))]

    def port_at(self, point: QPointF) -> End | None:
        """Return the port nearest to this point and within its reach, or None."""
        best: tuple[float, End] | None = None
        for item in self.items(QRectF(point.x() - 14, point.y() - 14, 28, 28)):
            if not isinstance(item, BlockItem):
                continue
            end = item.port_at(point - item.pos())
            if end is not None:
                away = (item.pos() + item.rows[end].anchor) - point
                distance = away.manhattanLength()
                if best is None or distance < best[0]:
                    best = (distance, end)
        return None if best is None else best[1]

    def wire_at(self, point: QPointF, slack: float = 8.0) -> Link | None:
        """Return the wire within this distance of a point, or None."""
        area = QRectF(point.x() - slack, point.y() - slack, 2 * slack, 2 * slack)
        hits = [item for item in self.items(area) if isinstance(item, WireItem) and item.hit(point, slack)]
        return hits[0].link if hits else None

    def free_place(self, width: float, height: float, wished: QPointF) -> QPointF:
        """Return the place on the grid nearest to `wished` where a block of this size meets no other and no note."""
        return QPointF(*free_place(self.annotations.taken(self.router.blocks), width, height, (wished.x(), wished.y())))

    # -- appearance
    def select_links(self, links: Collection[Link]) -> None:
        """Mark these wires, and no others, as selected."""
        chosen = frozenset(links)
        if chosen == self.selected_links:
            return
        self.selected_links = chosen
        for link, wire in self.wires.items():
            if wire.selected != (link in chosen):
                wire.show_state(selected=link in chosen)
        self.links_selected.emit()

    def show_targets(self, judge: LinkJudge | None) -> None:
        """Let the ports glow that a wire from the judge's start may end at, and dim the others; None shows all as usual."""
        allowed: dict[str, dict[End, bool]] = {}
        if judge is not None:
            for end in judge.candidates():
                allowed.setdefault(end.port.block, {})[end] = judge.verdict(end).ok
            allowed.setdefault(judge.start.port.block, {})[judge.start] = True
            allowed = {block_id: ends for block_id, ends in allowed.items() if any(ends.values())}
        self.show_ports(None if judge is None else allowed)

    def show_ports(self, allowed: dict[str, dict[End, bool]] | None) -> None:
        """Let the allowed ports of these blocks glow, and dim all others; None shows all as usual."""
        for block_id, item in self.blocks.items():
            targets = None if allowed is None else allowed.get(block_id, {})
            if item.targets != targets:
                item.targets = targets
                item.update()
            item.setOpacity(1.0 if allowed is None or block_id in allowed else 0.6)

    def emphasise_port(self, end: End | None) -> None:
        """Draw this port larger, and no other."""
        for item in self.blocks.values():
            emphasised = end if end is not None and end in item.rows else None
            if item.emphasised_port != emphasised:
                item.emphasised_port = emphasised
                item.update()

    def emphasise(self, block_id: str | None, link: Link | None) -> None:
        """Emphasise this block and this wire, and no others."""
        if (block_id, link) == self._emphasised:
            return
        self._emphasised = (block_id, link)
        for other, item in self.blocks.items():
            if item.hovered != (other == block_id):
                item.hovered = other == block_id
                item.update()
        for other_link, wire in self.wires.items():
            if wire.hovered != (other_link == link):
                wire.show_state(hovered=other_link == link)

    def focus_block(self, block_id: str | None) -> None:
        """Draw the ring of the keyboard focus round this block, and no other."""
        for other, item in self.blocks.items():
            if item.focused != (other == block_id):
                item.focused = other == block_id
                item.update()

    # -- layers inside
    def set_expanded(self, block_id: str, expanded: bool) -> dict[str, tuple[float, float]]:
        """Show or hide a block's layers. Returns by how much other blocks must move (dx, dy) to make room."""
        item = self.blocks[block_id]
        boxes = {key: (other.x(), other.y(), other.width, other.height) for key, other in self.blocks.items()}
        item.expanded = expanded
        item.lay_out()
        item.setZValue(1 if item.selected or expanded else 0)
        self._reroute(set(), [block_id])
        return room_for(boxes, block_id, item.width, item.height) if expanded else {}

    def arranged(self) -> dict[str, tuple[float, float]]:
        """Return the positions of all blocks in the automatic layout, computed from their present sizes."""
        boxes = {block_id: layout.Box(item.width, item.height) for block_id, item in self.blocks.items()}
        edges = []
        for link, wire in self.wires.items():
            source = self.blocks[link.source.block].rows[End(link.source, True)].anchor.y()
            target = self.blocks[link.target.block].rows[End(link.target, False)].anchor.y()
            edges.append(layout.Edge(link.source.block, link.target.block, source, target, wire.label.longest))
        return {key: (snapped(x), snapped(y)) for key, (x, y) in layout.layered(boxes, edges).items()}


def _place(position: tuple[float, float]) -> QPointF:
    """Return the place where a block with this position is shown."""
    return QPointF(*(max(-MAX_COORDINATE, min(MAX_COORDINATE, value)) for value in position))


def _by_block(problems: Iterable[Problem], design: Design) -> dict[str, tuple[Problem, ...]]:
    """Return the problems of each block, its ports and its parameters by block id, in the order of the report."""
    ids = {block.id for block in design.blocks}
    by_block: dict[str, list[Problem]] = {}
    for problem in problems:
        block_id = problem.where.partition(".")[0]
        if block_id in ids:
            by_block.setdefault(block_id, []).append(problem)
    return {block_id: tuple(several) for block_id, several in by_block.items()}


def _wired(design: Design) -> dict[str, frozenset[End]]:
    """Return the ports that a wire begins or ends at, by block id."""
    ends_by_block: dict[str, set[End]] = {}
    for link in design.links:
        ends_by_block.setdefault(link.source.block, set()).add(End(link.source, True))
        ends_by_block.setdefault(link.target.block, set()).add(End(link.target, False))
    return cast("dict[str, frozenset[End]]", {block_id: frozenset(ends) for block_id, ends in ends_by_block.items()})
