"""One block on the canvas: it paints header, ports, badges and, when expanded, its layers. One item a block."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPainterPath, QStaticText
from PyQt5.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from seqdec_gui.domain.design import Block
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.shapes import BlockInference
from seqdec_gui.domain.types import PortType, StatesType
from seqdec_gui.gui.design_view import style as styles
from seqdec_gui.gui.design_view.judge import End, ends_of
from seqdec_gui.gui.design_view.layers import WIDTH, Inside, inside
from seqdec_gui.gui.design_view.style import (
    CORNER,
    FAR,
    FOOT,
    HEADER,
    ICON,
    LEAST_WIDTH,
    MIDDLE,
    MOST_WIDTH,
    NEAR,
    PAD,
    PORT,
    ROW,
)

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
        self.expander = QRectF()
        self.badge = QRectF()
        self._texts: dict[str, tuple[QStaticText, float]] = {}
        self._layer_texts: list[list[QStaticText]] = []
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
        self._texts["far"] = (look.static_text(far, "far"), 0.0)
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
        wrong = {problem.where for problem in self.problems if problem.severity == "error" and problem.code != "open_input"}
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
            self._inside_top = self.height + 4
            self.height += self.inside.height + 2 * PAD + 4 + (18 if self.inside.left_out else 0)
        self.height = -(-self.height // styles.GRID) * styles.GRID

    def _show_inside(self) -> None:
        submodel = self.known.submodel if self.known is not None else None
        if not self.expanded or submodel is None:
            self.inside, self._layer_texts = None, []
            return
        look, room = styles.current(), WIDTH - 16
        self.inside = inside(submodel)
        self._layer_texts = [
            [look.static_text(look.small_metrics.elidedText(line, Qt.ElideMiddle, room)) for line in box.lines]
            for box in self.inside.boxes
        ]

    def _put(self, name: str, text: str, room: float, small: bool = False) -> None:
        look = styles.current()
        metrics, font = (look.small_metrics, "small") if small else (look.title_metrics, "title")
        shown = metrics.elidedText(text, Qt.ElideRight, max(room, 10.0)) if text else ""
        self._texts[name] = (look.static_text(shown, font), metrics.horizontalAdvance(shown))

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

    # -- painting
    def paint(self, painter: QPainter | None, option: QStyleOptionGraphicsItem | None, widget: QWidget | None = None) -> None:
        assert painter is not None
        look = styles.current()
        scale = painter.worldTransform().m11()
        self._paint_body(painter, look, scale)
        if scale >= MIDDLE:
            self._paint_header(painter, look, scale)
        if scale >= FAR:
            for row in self.rows.values():
                self._paint_port(painter, look, row, scale)
        if self.inside is not None and scale >= FAR:
            self._paint_inside(painter, look, scale)
        self._paint_badge(painter, look, scale)

    def _severity(self) -> str:
        return self.problems[0].severity if self.problems else ""

    def _paint_body(self, painter: QPainter, look: styles.Style, scale: float) -> None:
        body, category = self.body, self.block.parameters.category
        severity = self._severity()
        outline = look.error if severity == "error" else look.warning if severity == "warning" else look.outline
        width = 1.2
        if self.selected:
            outline, width = look.accent, 2.2
        elif self.hovered and not severity:
            outline = look.category[category]
        if scale < FAR:
            painter.setPen(styles.pen(outline, 0 if not self.selected else 2.0 / scale))
            painter.setBrush(look.tint[category])
            painter.drawRect(body)
            painter.fillRect(QRectF(0, 0, self.width, HEADER / 3), look.category[category])
            return
        painter.setPen(Qt.NoPen)
        painter.setBrush(look.shadow)
        painter.drawRoundedRect(body.translated(0, 1.5).adjusted(-1, 0, 1, 1.5), CORNER + 1, CORNER + 1)
        painter.setBrush(look.body)
        painter.drawRoundedRect(body, CORNER, CORNER)
        header = QPainterPath()
        header.setFillRule(Qt.WindingFill)
        header.addRoundedRect(QRectF(0, 0, self.width, HEADER), CORNER, CORNER)
        if self.rows or self.inside is not None:
            header.addRect(QRectF(0, HEADER - CORNER, self.width, CORNER))
        painter.setBrush(look.tint[category])
        painter.drawPath(header)
        painter.setBrush(Qt.NoBrush)
        painter.setPen(styles.pen(outline, width))
        painter.drawRoundedRect(body, CORNER, CORNER)
        if self.focused:
            ring = QColor(look.accent)
            ring.setAlphaF(0.3)
            painter.setPen(styles.pen(ring, 4))
            painter.drawRoundedRect(body.adjusted(-3, -3, 3, 3), CORNER + 2, CORNER + 2)

    def _paint_header(self, painter: QPainter, look: styles.Style, scale: float) -> None:
        category = self.block.parameters.category
        painter.drawPixmap(QRectF(PAD, 15, ICON, ICON), look.icon(self.block.parameters), QRectF(0, 0, 2 * ICON, 2 * ICON))
        x = PAD + ICON + 8
        painter.setPen(look.text)
        if scale < NEAR:
            painter.setFont(look.far_font)
            painter.drawStaticText(QPointF(x, (HEADER - look.far_metrics.height()) / 2), self._texts["far"][0])
            return
        painter.setFont(look.title_font)
        painter.drawStaticText(QPointF(x, 6), self._texts["name"][0])
        painter.setFont(look.small_font)
        painter.setPen(look.dim)
        painter.drawStaticText(QPointF(x, 26), self._texts["kind"][0])
        if not self.badge.isEmpty():
            painter.setPen(Qt.NoPen)
            painter.setBrush(styles.mixed(look.tint[category], look.category[category], 0.16))
            painter.drawRoundedRect(self.badge, 8, 8)
            painter.setPen(look.text)
            text, width = self._texts["badge"]
            painter.drawStaticText(QPointF(self.badge.center().x() - width / 2, self.badge.top() + 1), text)
        if not self.expander.isEmpty():
            painter.setPen(look.text if self.hovered else look.dim)
            painter.drawStaticText(QPointF(self.expander.left(), self.expander.top()), self._texts["expand"][0])
            self._paint_chevron(painter, look)

    def _paint_chevron(self, painter: QPainter, look: styles.Style) -> None:
        x, y, up = self.expander.right() - 9, self.expander.center().y(), -1 if self.expanded else 1
        painter.setPen(styles.pen(look.text if self.hovered else look.dim, 1.5))
        painter.drawPolyline(QPointF(x - 3.5, y - 1.8 * up), QPointF(x, y + 1.8 * up), QPointF(x + 3.5, y - 1.8 * up))

    def _paint_port(self, painter: QPainter, look: styles.Style, row: PortRow, scale: float) -> None:
        mark = None if self.marks is None else self.marks.get(row.end)
        dimmed, hot = self.marks is not None and not mark, self.hot == row.end
        color = look.faint if dimmed else look.error if row.wrong else look.wire[styles.wire_class(row.given)]
        if mark:
            color = look.ok
        filled = row.wired or mark or (row.end.is_output and row.given is not None)
        painter.setPen(styles.pen(color if not dimmed else look.outline, 1.8))
        painter.setBrush(color if filled and not dimmed else look.body)
        if mark or hot:
            glow = QColor(look.error if hot and dimmed else color)
            glow.setAlphaF(0.45 if hot else 0.22)
            painter.save()
            painter.setPen(Qt.NoPen)
            painter.setBrush(glow)
            painter.drawEllipse(row.anchor, PORT + (8 if hot else 5), PORT + (8 if hot else 5))
            painter.restore()
        grow = 1.2 if hot else 0.0
        if isinstance(row.given, StatesType):
            painter.drawRoundedRect(
                QRectF(row.anchor.x() - 4.5 - grow, row.anchor.y() - 8 - grow, 9 + 2 * grow, 16 + 2 * grow), 4.5, 4.5
            )
        else:
            painter.drawEllipse(row.anchor, PORT + grow, PORT + grow)
        if scale < NEAR or row.text is None:
            return
        painter.setFont(look.small_font)
        painter.setPen(look.faint if dimmed else look.dim if row.optional and not row.wired else look.text)
        y = row.anchor.y() - look.small_metrics.height() / 2
        if not row.end.is_output:
            painter.drawStaticText(QPointF(PAD + 2, y), row.text)
            return
        x = self.width - PAD - 2 - row.text.size().width()
        painter.drawStaticText(QPointF(x, y), row.text)
        if row.type_text is not None:
            painter.setPen(look.faint if dimmed else look.dim)
            painter.drawStaticText(QPointF(x - row.type_width - 8, y), row.type_text)

    def _paint_inside(self, painter: QPainter, look: styles.Style, scale: float) -> None:
        assert self.inside is not None
        painter.setPen(styles.pen(look.border, 1))
        painter.drawLine(QPointF(0.5, self._inside_top), QPointF(self.width - 0.5, self._inside_top))
        dx, dy = (self.width - self.inside.width) / 2, self._inside_top + PAD
        painter.save()
        painter.translate(dx, dy)
        painter.setPen(styles.pen(look.faint, 1.3))
        painter.setBrush(Qt.NoBrush)
        for a, b in self.inside.wires:
            path = QPainterPath(a)
            bend = QPointF(0, min(max((b.y() - a.y()) / 2, 8.0), 40.0))
            path.cubicTo(a + bend, b - bend, b)
            painter.drawPath(path)
        for box, texts in zip(self.inside.boxes, self._layer_texts, strict=True):
            painter.setPen(styles.pen(look.outline, 1))
            painter.setBrush(look.canvas if not box.is_input else look.body)
            painter.drawRoundedRect(box.rect, 5, 5)
            if scale >= NEAR:
                painter.setFont(look.small_font)
                for number, text in enumerate(texts):
                    painter.setPen(look.text if number == 0 else look.dim)
                    painter.drawStaticText(box.rect.topLeft() + QPointF(8, 4 + 16 * number), text)
        if self.inside.left_out and scale >= NEAR:
            painter.setPen(look.dim)
            painter.drawText(QPointF(0, self.inside.height + 16), f"… and {self.inside.left_out} more layers")
        painter.restore()

    def _paint_badge(self, painter: QPainter, look: styles.Style, scale: float) -> None:
        severity = self._severity()
        if severity not in ("error", "warning"):
            return
        color = look.error if severity == "error" else look.warning
        center, radius = QPointF(self.width - 2, 2), 9.0 if scale >= MIDDLE else 9.0 * MIDDLE / max(scale, 0.05)
        painter.setPen(styles.pen(look.canvas, 2))
        painter.setBrush(color)
        painter.drawEllipse(center, radius, radius)
        painter.setPen(styles.pen(look.body, 2.0 * radius / 9))
        painter.drawLine(center + QPointF(0, -0.45 * radius), center + QPointF(0, 0.1 * radius))
        painter.drawPoint(center + QPointF(0, 0.48 * radius))


def _same(a: BlockInference, b: BlockInference) -> bool:
    """Whether a block would look the same; submodels are shared while nothing about them changes."""
    kept: tuple[Any, ...] = (a.inputs, a.outputs, a.parameters, a.trainable)
    return a.submodel is b.submodel and kept == (b.inputs, b.outputs, b.parameters, b.trainable)
