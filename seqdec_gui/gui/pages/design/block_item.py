"""The item of one block on the canvas: what it shows, how large it is, and where its ports lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QPainter, QPainterPath, QStaticText
from PyQt5.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from seqdec_gui.domain.codes import is_absent
from seqdec_gui.domain.design import Block
from seqdec_gui.domain.drawing.places import GRID_STEP
from seqdec_gui.domain.link_judge import End, ends_of
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.shapes import BlockInference, infer_block
from seqdec_gui.domain.types import PortType
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.look.canvas_style import (
    FOOTER_HEIGHT,
    HEADER_HEIGHT,
    ICON_SIZE,
    MAX_BLOCK_WIDTH,
    MAX_TEXT_GROWTH,
    MIN_BLOCK_WIDTH,
    PADDING,
    PORT_RADIUS,
    PORT_ROW_HEIGHT,
)  # fmt: skip
from seqdec_gui.gui.pages.design.block_paint import PortRow, paint_block
from seqdec_gui.gui.pages.design.layer_graph import BOX_WIDTH, LayerGraph, layer_graph

PORT_REACH = 9.0
"""How far outside a block's edge its ports are still pressed, in scene units."""

WIDEST_COUNT = "9,999,999"
"""The longest text of `canvas_style.count_text`, for which every block with layers has room."""

WIDEST_LAYERS = "999 layers"
"""The longest count of layers for which every block with layers has room."""

BADGE_PADDING = 14.0
"""The space round the count of parameters, left and right together, in scene units."""

EXPANDER_PADDING = 18.0
"""The space for the arrow behind the count of layers, in scene units."""

TYPE_GAP = 8.0
"""The space between the type and the name of an output, in scene units."""


class BlockItem(QGraphicsItem):
    """Shows a block, a `PaintedBlock`. The scene tells it what changed; mouse events go to gestures and not to items."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block
        self.inference: BlockInference | None = None
        self.problems: tuple[Problem, ...] = ()
        self.wired: frozenset[End] = frozenset()
        self.expanded = False
        self.selected = False
        self.focused = False
        self.hovered = False
        self.targets: Mapping[End, bool] | None = None
        """The ports that a wire being drawn may end at; None while no wire is drawn."""
        self.emphasised_port: End | None = None
        self.width = MIN_BLOCK_WIDTH
        self.height = HEADER_HEIGHT
        self.rows: dict[End, PortRow] = {}
        self.layer_graph: LayerGraph | None = None
        self.layer_graph_top = 0.0
        self.expander = QRectF()
        self.badge = QRectF()
        self.texts: dict[str, tuple[QStaticText, float]] = {}
        self.text_growth = 1.0
        self.layer_texts: list[list[QStaticText]] = []
        self.setAcceptedMouseButtons(Qt.NoButton)
        self.setFlag(QGraphicsItem.ItemUsesExtendedStyleOption, False)

    # -- what is shown
    def show_block(self, block: Block, inference: BlockInference, problems: tuple[Problem, ...], wired: frozenset[End]) -> bool:
        """Show this state of the block. Returns whether its size or the places of its ports changed."""
        same = (block.parameters, block.id) == (self.block.parameters, self.block.id)
        if (
            same
            and self.inference is not None
            and problems == self.problems
            and wired == self.wired
            and _looks_same(inference, self.inference)
        ):
            self.block, self.inference = block, inference
            return False
        self.block, self.inference, self.problems, self.wired = block, inference, problems, wired
        return self.lay_out()

    def lay_out(self) -> bool:
        """Measure everything anew, after a change of content, fonts or expansion.

        Returns whether the size or the places of ports changed.
        """
        before = (self.width, self.height, [(end, row.anchor) for end, row in self.rows.items()])
        self.prepareGeometryChange()
        look, kind = canvas_style.current(), self.block.parameters
        count = self.inference.parameters if self.inference is not None else 0
        layers = len(self.inference.submodel.calls) if self.inference is not None and self.inference.submodel is not None else 0
        badge = canvas_style.count_text(count) if count else ""
        badge_width = look.small_metrics.horizontalAdvance(badge) + BADGE_PADDING if badge else 0.0
        expand = f"{layers} layer{'s' * (layers != 1)}" if layers else ""
        expand_width = look.small_metrics.horizontalAdvance(expand) + EXPANDER_PADDING if expand else 0.0
        ends = list(ends_of(self.block))
        self._lay_out_layers()
        left = max((self._row_width(end) for end in ends if not end.is_output), default=0.0)
        right = max((self._row_width(end) for end in ends if end.is_output), default=0.0)
        self.width = self._fitting_width(left, right)
        head = PADDING + ICON_SIZE + 8
        self._lay_out_rows(ends, left, right)
        self.badge = QRectF(self.width - PADDING - badge_width, 7, badge_width, 17) if badge else QRectF()
        self.expander = QRectF(self.width - PADDING - expand_width, 26, expand_width, 17) if expand else QRectF()
        self._set_text("badge", badge, badge_width, small=True)
        self._set_text("expand", expand, expand_width, small=True)
        self._set_text("name", self.block.id, self.width - head - PADDING - (badge_width + 8 if badge else 0))
        self._set_text("kind", kind.title, self.width - head - PADDING - (expand_width + 8 if expand else 0), small=True)
        far = look.far_metrics.elidedText(self.block.id, Qt.ElideRight, self.width - head - 4)
        self.texts["far"] = (look.static_text(far, "far"), 0.0)
        self.text_growth = self._room_to_grow(head, badge_width)
        self.update()
        return before != (self.width, self.height, [(end, row.anchor) for end, row in self.rows.items()])

    def _room_to_grow(self, head: float, badge_width: float) -> float:
        """Return the factor by which all texts can be painted larger at small scales and still fit.

        The count of layers is then left out, and texts may come nearer to the edge.
        """
        room = self.width - head - PADDING / 2
        badge = badge_width + 6 if badge_width else 0.0
        arrow = EXPANDER_PADDING if not self.expander.isEmpty() else 0.0
        lines = [(room, self.texts["name"][1] + badge), (room - arrow, self.texts["kind"][1])]
        rows: dict[float, float] = {}
        for row in self.rows.values():
            width = row.text.size().width() if row.text is not None else 0.0
            taken = width + (row.type_width + TYPE_GAP if row.type_text is not None else 0.0)
            rows[row.anchor.y()] = rows.get(row.anchor.y(), 0.0) + taken
        lines += [(self.width - 2 * PADDING - 8, taken) for taken in rows.values()]
        return max(min([MAX_TEXT_GROWTH, *(fits / taken for fits, taken in lines if taken)]), 1.0)

    def _fitting_width(self, left: float, right: float) -> float:
        """Return the width for the block's name, kind and ports, a multiple of two grid steps.

        It depends on the block alone and not on its wires: the count of parameters and layers, which are known only once the
        inputs are connected, have their room from the start. Otherwise a block would grow under the wire that is dropped on it.
        """
        look, kind = canvas_style.current(), self.block.parameters
        small = look.small_metrics
        has_layers = bool(kind.inputs()) and bool(kind.outputs())
        badge_room = small.horizontalAdvance(WIDEST_COUNT) + BADGE_PADDING + 8 if has_layers else 0.0
        expander_room = small.horizontalAdvance(WIDEST_LAYERS) + EXPANDER_PADDING + 8 if has_layers else 0.0
        head = 2 * PADDING + ICON_SIZE + 8
        needed = max(
            MIN_BLOCK_WIDTH,
            head + look.title_metrics.horizontalAdvance(self.block.id) + badge_room,
            head + small.horizontalAdvance(kind.title) + expander_room,
            left + right + 2 * PADDING + (20 if left and right else 4),
        )
        width = min(needed, MAX_BLOCK_WIDTH)
        if self.layer_graph is not None:
            width = max(width, self.layer_graph.width + 2 * PADDING + 8)
        return -(-width // (2 * GRID_STEP)) * 2 * GRID_STEP

    def _row_width(self, end: End) -> float:
        """Return the width that the name of a port needs. Its type is shown only where the block has room for it."""
        return canvas_style.current().small_metrics.horizontalAdvance(end.port.port) + 6.0

    def _port_type(self, end: End) -> PortType | None:
        if self.inference is None:
            return None
        return (self.inference.outputs if end.is_output else self.inference.inputs).get(end.port.port)

    def _lay_out_rows(self, ends: list[End], left: float, right: float) -> None:
        look = canvas_style.current()
        wrong = {problem.where for problem in self.problems if problem.severity == "error" and not is_absent(problem.code)}
        optional = {port.name for port in self.block.parameters.inputs() if port.optional}
        room = self.width - 2 * PADDING - 8
        if left + right > room:
            right = max(min(right, room * 0.6), room - left)
            left = room - right
        else:
            right = room - left - (TYPE_GAP if left else 0.0)
        self.rows = {}
        number = {False: 0, True: 0}
        for end in ends:
            y = HEADER_HEIGHT + PORT_ROW_HEIGHT * (number[end.is_output] + 0.5) + 2
            number[end.is_output] += 1
            row = PortRow(end, QPointF(self.width if end.is_output else 0.0, y))
            row.port_type, row.wired = self._port_type(end), end in self.wired
            row.wrong, row.optional = str(end.port) in wrong and not end.is_output, end.port.port in optional
            limit = right if end.is_output else left
            if end.is_output and not row.wired and row.port_type is not None:
                room_for_type = limit - look.small_metrics.horizontalAdvance(end.port.port) - TYPE_GAP
                long = canvas_style.short_type(row.port_type)
                for text in (long, long.removeprefix("ids ")):
                    row.type_width = look.small_metrics.horizontalAdvance(text)
                    if row.type_width < room_for_type:
                        row.type_text = look.static_text(text)
                        limit -= row.type_width + TYPE_GAP
                        break
            name = look.small_metrics.elidedText(end.port.port, Qt.ElideMiddle, max(limit, 20))
            row.text = look.static_text(name)
            self.rows[end] = row
        self.height = HEADER_HEIGHT + PORT_ROW_HEIGHT * max(number[False], number[True]) + (FOOTER_HEIGHT if ends else 0.0)
        if self.layer_graph is not None:
            self.layer_graph_top = self.height + 4
            self.height += self.layer_graph.height + 2 * PADDING + 4 + (18 if self.layer_graph.left_out else 0)
        self.height = -(-self.height // GRID_STEP) * GRID_STEP

    def _lay_out_layers(self) -> None:
        submodel = self.inference.submodel if self.inference is not None else None
        if not self.expanded or submodel is None:
            self.layer_graph, self.layer_texts = None, []
            return
        look, room = canvas_style.current(), BOX_WIDTH - 16
        self.layer_graph = layer_graph(submodel)
        self.layer_texts = [
            [look.static_text(look.small_metrics.elidedText(line, Qt.ElideMiddle, room)) for line in box.lines]
            for box in self.layer_graph.boxes
        ]

    def _set_text(self, name: str, text: str, room: float, small: bool = False) -> None:
        look = canvas_style.current()
        metrics, font = (look.small_metrics, "small") if small else (look.title_metrics, "title")
        shown = metrics.elidedText(text, Qt.ElideRight, max(room, 10.0)) if text else ""
        self.texts[name] = (look.static_text(shown, font), metrics.horizontalAdvance(shown))

    @property
    def has_layers(self) -> bool:
        """Whether the layers inside are known, which needs connected inputs."""
        return self.inference is not None and self.inference.submodel is not None

    # -- geometry
    @property
    def body(self) -> QRectF:
        """The block's outline, in its own coordinates."""
        return QRectF(0, 0, self.width, self.height)

    def boundingRect(self) -> QRectF:
        return QRectF(-PORT_RADIUS - 6, -12, self.width + 2 * PORT_RADIUS + 18, self.height + 22)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.body.adjusted(-PORT_REACH, 0, PORT_REACH, 0))
        return path

    def anchor(self, end: End) -> QPointF | None:
        """Return the point where wires end at a port, in scene coordinates; None for an unknown port."""
        row = self.rows.get(end)
        return None if row is None else self.pos() + row.anchor

    def port_at(self, point: QPointF) -> End | None:
        """Return the port under a point in the block's own coordinates, or None."""
        near = [row for row in self.rows.values() if (row.anchor - point).manhattanLength() <= PORT_REACH + 4]
        return min(near, key=lambda row: (row.anchor - point).manhattanLength()).end if near else None

    def expander_at(self, point: QPointF, slack: bool = False) -> bool:
        """Return whether a point of the scene is on the button that shows the layers; `slack` adds a few units round it."""
        if self.expander.isEmpty():
            return False
        button = self.expander.adjusted(-4, -3, 4, 3) if slack else self.expander
        return button.contains(point - self.pos())

    # -- texts for people
    def error_texts(self) -> list[str]:
        """Return the sentences of the block's problems, the worst first."""
        return [problem.text + (f" {problem.hint}" if problem.hint else "") for problem in self.problems]

    def tool_tip(self, point: QPointF) -> str:
        """Return the tool tip for a point in the block's own coordinates."""
        end = self.port_at(point)
        if end is not None:
            return self._port_tip(end)
        if self.problems:
            return "\n".join(self.error_texts())
        if self.inference is not None and self.badge.contains(point):
            return f"{self.inference.parameters:,} parameters, {self.inference.trainable:,} of them trainable"
        if self.expander.contains(point):
            return "Hide the layers" if self.expanded else "Show the layers inside"
        return f"{self.block.id}: {self.block.parameters.title}\n{self.block.parameters.summary}"

    def _port_tip(self, end: End) -> str:
        row, kind = self.rows[end], self.block.parameters
        words = (
            {port.name: port.gives for port in kind.outputs()} if end.is_output else {p.name: p.takes for p in kind.inputs()}
        )
        lines = [f"{end.port}: {words.get(end.port.port, '')}"]
        if row.port_type is not None:
            lines.append(str(row.port_type))
        lines += [problem.sentence() for problem in self.problems if problem.where == str(end.port)]
        return "\n".join(lines)

    def description(self) -> str:
        """Return the block, its ports and its problems as one line of text for screen readers."""
        kind = self.block.parameters
        parts = [f"{kind.title} {self.block.id}"]
        for end, row in self.rows.items():
            side = "output" if end.is_output else "input"
            parts.append(
                f"{side} {end.port.port} {row.port_type or ''}{'' if row.wired else ', not connected'}".replace(" ,", ",")
            )
        if self.inference is not None and self.inference.parameters:
            parts.append(f"{self.inference.parameters:,} parameters")
        return "; ".join([*parts, *self.error_texts()])

    def paint(self, painter: QPainter | None, option: QStyleOptionGraphicsItem | None, widget: QWidget | None = None) -> None:
        assert painter is not None
        paint_block(painter, self)


def _looks_same(a: BlockInference, b: BlockInference) -> bool:
    """Return whether a block looks the same with both; submodels are shared while nothing about them changes."""
    kept: tuple[Any, ...] = (a.inputs, a.outputs, a.parameters, a.trainable)
    return a.submodel is b.submodel and kept == (b.inputs, b.outputs, b.parameters, b.trainable)


def block_preview(block: Block) -> BlockItem:
    """Return an item that shows a block without wires: to measure it, or to show it while it is dragged in."""
    item = BlockItem(block)
    item.show_block(block, infer_block(block, {}), (), frozenset())
    return item
