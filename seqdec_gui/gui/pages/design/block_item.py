"""One block on the canvas: what it shows, how large it is, where its ports lie. One item a block."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QPainter, QPainterPath, QStaticText
from PyQt5.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from seqdec_gui.domain.codes import is_absent
from seqdec_gui.domain.design import Block
from seqdec_gui.domain.link_judge import End, ends_of
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.shapes import BlockInference
from seqdec_gui.domain.types import PortType
from seqdec_gui.gui.pages.design import style as styles
from seqdec_gui.gui.pages.design.block_paint import paint_block
from seqdec_gui.gui.pages.design.layers import WIDTH, Inside, inside
from seqdec_gui.gui.pages.design.style import FOOT, HEADER, ICON, LEAST_WIDTH, MOST_WIDTH, PAD, PORT, ROW

REACH = 9.0  # how far from its centre a port is still hit


class PortRow:
    """A port as painted: where, its name, and what is known of it."""

    __slots__ = ("anchor", "end", "given", "optional", "text", "type_text", "type_width", "wired", "wrong")

    def __init__(self, end: End, anchor: QPointF) -> None:
        self.end, self.anchor = end, anchor
        self.text: QStaticText | None = None
        self.type_text: QStaticText | None = None
        self.type_width = 0.0
        self.given: PortType | None = None
        self.optional = self.wired = self.wrong = False


class BlockItem(QGraphicsItem):
    """Shows a block; the scene tells it what changed. It takes no events of its own: gestures do."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block
        self.known: BlockInference | None = None
        self.problems: tuple[Problem, ...] = ()
        self.wired: frozenset[End] = frozenset()
        self.expanded = self.selected = self.focused = self.hovered = False
        self.marks: dict[End, bool] | None = None  # while a wire is drawn: which ports it may end at
        self.hot: End | None = None  # the port under the mouse or the wire
        self.width, self.height = LEAST_WIDTH, HEADER
        self.rows: dict[End, PortRow] = {}
        self.inside: Inside | None = None
        self.inside_top = 0.0
        self.expander = QRectF()
        self.badge = QRectF()
        self.texts: dict[str, tuple[QStaticText, float]] = {}
        self.layer_texts: list[list[QStaticText]] = []
        self.setAcceptedMouseButtons(Qt.NoButton)
        self.setFlag(QGraphicsItem.ItemUsesExtendedStyleOption, False)

    # -- what is shown
    def show_block(self, block: Block, known: BlockInference, problems: tuple[Problem, ...], wired: frozenset[End]) -> bool:
        """Show this state of the block. Returns whether its size or ports changed."""
        same = (block.parameters, block.id) == (self.block.parameters, self.block.id)
        if same and self.known is not None and problems == self.problems and wired == self.wired and _same(known, self.known):
            self.block, self.known = block, known
            return False
        self.block, self.known, self.problems, self.wired = block, known, problems, wired
        return self.lay_out()

    def lay_out(self) -> bool:
        """Measure everything again, after a change of content, fonts or expansion. Returns whether geometry changed."""
        before = (self.width, self.height, [(end, row.anchor) for end, row in self.rows.items()])
        self.prepareGeometryChange()
        look, kind = styles.current(), self.block.parameters
        count = self.known.parameters if self.known is not None else 0
        layers = len(self.known.submodel.calls) if self.known is not None and self.known.submodel is not None else 0
        badge = styles.count_text(count) if count else ""
        badge_width = look.small_metrics.horizontalAdvance(badge) + 14 if badge else 0.0
        expand = f"{layers} layer{'s' * (layers != 1)}" if layers else ""
        expand_width = look.small_metrics.horizontalAdvance(expand) + 18 if expand else 0.0
        ends = list(ends_of(self.block))
        self._show_inside()
        left = max((self._row_width(end) for end in ends if not end.is_output), default=0.0)
        right = max((self._row_width(end) for end in ends if end.is_output), default=0.0)
        head = PAD + ICON + 8
        name_wish = head + look.title_metrics.horizontalAdvance(self.block.id) + (badge_width + 8 if badge else 0) + PAD
        kind_wish = head + look.small_metrics.horizontalAdvance(kind.title) + (expand_width + 8 if expand else 0) + PAD
        wish = max(LEAST_WIDTH, name_wish, kind_wish, left + right + 2 * PAD + (20 if left and right else 4))
        width = min(wish, MOST_WIDTH)
        if self.inside is not None:
            width = max(width, self.inside.width + 2 * PAD + 8)
        self.width = -(-width // (2 * styles.GRID)) * 2 * styles.GRID
        self._lay_out_rows(ends, left, right)
        self.badge = QRectF(self.width - PAD - badge_width, 7, badge_width, 17) if badge else QRectF()
        self.expander = QRectF(self.width - PAD - expand_width, 26, expand_width, 17) if expand else QRectF()
        self._put("badge", badge, badge_width, small=True)
        self._put("expand", expand, expand_width, small=True)
        self._put("name", self.block.id, self.width - head - PAD - (badge_width + 8 if badge else 0))
        self._put("kind", kind.title, self.width - head - PAD - (expand_width + 8 if expand else 0), small=True)
        far = look.far_metrics.elidedText(self.block.id, Qt.ElideRight, self.width - head - 4)
        self.texts["far"] = (look.static_text(far, "far"), 0.0)
        self.update()
        return before != (self.width, self.height, [(end, row.anchor) for end, row in self.rows.items()])

    def _row_width(self, end: End) -> float:
        metrics = styles.current().small_metrics
        text = styles.short_type(self._given(end)) if end.is_output and end not in self.wired else ""
        return metrics.horizontalAdvance(end.port.port) + (metrics.horizontalAdvance(text) + 8 if text else 0) + 6

    def _given(self, end: End) -> PortType | None:
        if self.known is None:
            return None
        return (self.known.outputs if end.is_output else self.known.inputs).get(end.port.port)

    def _lay_out_rows(self, ends: list[End], left: float, right: float) -> None:
        look = styles.current()
        wrong = {problem.where for problem in self.problems if problem.severity == "error" and not is_absent(problem.code)}
        optional = {port.name for port in self.block.parameters.inputs() if port.optional}
        room = self.width - 2 * PAD - 8
        if left + right > room:
            right = max(min(right, room * 0.6), room - left)
            left = room - right
        self.rows = {}
        number = {False: 0, True: 0}
        for end in ends:
            y = HEADER + ROW * (number[end.is_output] + 0.5) + 2
            number[end.is_output] += 1
            row = PortRow(end, QPointF(self.width if end.is_output else 0.0, y))
            row.given, row.wired = self._given(end), end in self.wired
            row.wrong, row.optional = str(end.port) in wrong and not end.is_output, end.port.port in optional
            limit = right if end.is_output else left
            if end.is_output and not row.wired and row.given is not None:
                text = styles.short_type(row.given)
                row.type_width = look.small_metrics.horizontalAdvance(text)
                if row.type_width + 30 < limit:
                    row.type_text = look.static_text(text)
                    limit -= row.type_width + 8
            name = look.small_metrics.elidedText(end.port.port, Qt.ElideMiddle, max(limit, 20))
            row.text = look.static_text(name)
            self.rows[end] = row
        self.height = HEADER + ROW * max(number[False], number[True]) + (FOOT if ends else 0.0)
        if self.inside is not None:
            self.inside_top = self.height + 4
            self.height += self.inside.height + 2 * PAD + 4 + (18 if self.inside.left_out else 0)
        self.height = -(-self.height // styles.GRID) * styles.GRID

    def _show_inside(self) -> None:
        submodel = self.known.submodel if self.known is not None else None
        if not self.expanded or submodel is None:
            self.inside, self.layer_texts = None, []
            return
        look, room = styles.current(), WIDTH - 16
        self.inside = inside(submodel)
        self.layer_texts = [
            [look.static_text(look.small_metrics.elidedText(line, Qt.ElideMiddle, room)) for line in box.lines]
            for box in self.inside.boxes
        ]

    def _put(self, name: str, text: str, room: float, small: bool = False) -> None:
        look = styles.current()
        metrics, font = (look.small_metrics, "small") if small else (look.title_metrics, "title")
        shown = metrics.elidedText(text, Qt.ElideRight, max(room, 10.0)) if text else ""
        self.texts[name] = (look.static_text(shown, font), metrics.horizontalAdvance(shown))

    # -- geometry
    @property
    def body(self) -> QRectF:
        """The block's outline, in its own coordinates."""
        return QRectF(0, 0, self.width, self.height)

    def boundingRect(self) -> QRectF:
        return QRectF(-PORT - 6, -12, self.width + 2 * PORT + 18, self.height + 22)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.body.adjusted(-REACH, 0, REACH, 0))
        return path

    def anchor(self, end: End) -> QPointF | None:
        """Where wires end at this port, in scene coordinates."""
        row = self.rows.get(end)
        return None if row is None else self.pos() + row.anchor

    def port_at(self, point: QPointF) -> End | None:
        """The port under a point in the block's own coordinates."""
        near = [row for row in self.rows.values() if (row.anchor - point).manhattanLength() <= REACH + 4]
        return min(near, key=lambda row: (row.anchor - point).manhattanLength()).end if near else None

    # -- texts for people
    def error_texts(self) -> list[str]:
        return [problem.text + (f" {problem.hint}" if problem.hint else "") for problem in self.problems]

    def tool_tip(self, point: QPointF) -> str:
        """What to say at a point in the block's own coordinates."""
        end = self.port_at(point)
        if end is not None:
            return self._port_tip(end)
        if self.problems:
            return "\n".join(self.error_texts())
        if self.known is not None and self.badge.contains(point):
            return f"{self.known.parameters:,} parameters, {self.known.trainable:,} of them trainable"
        if self.expander.contains(point):
            return "Hide the layers" if self.expanded else "Show the layers inside"
        return f"{self.block.id}: {self.block.parameters.title}\n{self.block.parameters.summary}"

    def _port_tip(self, end: End) -> str:
        row, kind = self.rows[end], self.block.parameters
        words = (
            {port.name: port.gives for port in kind.outputs()} if end.is_output else {p.name: p.takes for p in kind.inputs()}
        )
        lines = [f"{end.port}: {words.get(end.port.port, '')}"]
        if row.given is not None:
            lines.append(str(row.given))
        lines += [problem.sentence() for problem in self.problems if problem.where == str(end.port)]
        return "\n".join(lines)

    def description(self) -> str:
        """The block in words, for screen readers."""
        kind = self.block.parameters
        parts = [f"{kind.title} {self.block.id}"]
        for end, row in self.rows.items():
            side = "output" if end.is_output else "input"
            parts.append(f"{side} {end.port.port} {row.given or ''}{'' if row.wired else ', not connected'}".replace(" ,", ","))
        if self.known is not None and self.known.parameters:
            parts.append(f"{self.known.parameters:,} parameters")
        return "; ".join([*parts, *self.error_texts()])

    def paint(self, painter: QPainter | None, option: QStyleOptionGraphicsItem | None, widget: QWidget | None = None) -> None:
        assert painter is not None
        paint_block(painter, self)


def _same(a: BlockInference, b: BlockInference) -> bool:
    """Whether a block would look the same; submodels are shared while nothing about them changes."""
    kept: tuple[Any, ...] = (a.inputs, a.outputs, a.parameters, a.trainable)
    return a.submodel is b.submodel and kept == (b.inputs, b.outputs, b.parameters, b.trainable)
