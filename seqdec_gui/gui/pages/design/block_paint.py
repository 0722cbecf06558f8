"""Paints a block: header, ports, badges and, when it is expanded, the layers inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPainterPath, QStaticText

from seqdec_gui.domain.design import Block
from seqdec_gui.domain.link_judge import End
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import MemoryType, PortType, StatesType
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.look.canvas_style import (
    CORNER_RADIUS,
    DETAIL_SCALE,
    HEADER_HEIGHT,
    ICON_SIZE,
    PADDING,
    PORT_RADIUS,
    PORT_SCALE,
    TITLE_SCALE,
)  # fmt: skip
from seqdec_gui.gui.pages.design.layer_graph import LayerGraph

BADGE_RADIUS = 9.0
"""The radius of the mark of an error or warning at a block's corner, in scene units."""


class PortRow:
    """A port as it is painted: its place, its texts, and what is known of it."""

    __slots__ = ("anchor", "end", "optional", "port_type", "text", "type_text", "type_width", "wired", "wrong")

    def __init__(self, end: End, anchor: QPointF) -> None:
        self.end = end
        self.anchor = anchor
        """The centre of the port, in the block's coordinates."""
        self.text: QStaticText | None = None
        self.type_text: QStaticText | None = None
        self.type_width = 0.0
        self.port_type: PortType | None = None
        self.optional = False
        self.wired = False
        self.wrong = False


class PaintedBlock(Protocol):
    """What is painted of a block. Lengths and places are scene units in the block's own coordinates."""

    block: Block
    problems: tuple[Problem, ...]
    expanded: bool
    selected: bool
    focused: bool
    hovered: bool
    width: float
    rows: dict[End, PortRow]
    targets: Mapping[End, bool] | None
    emphasised_port: End | None
    layer_graph: LayerGraph | None
    layer_graph_top: float
    layer_texts: Sequence[Sequence[QStaticText]]
    expander: QRectF
    badge: QRectF
    texts: dict[str, tuple[QStaticText, float]]
    text_growth: float
    """The factor by which all texts can be painted larger at small scales."""

    @property
    def body(self) -> QRectF:
        """The block's outline."""


def paint_block(painter: QPainter, item: PaintedBlock) -> None:
    """Paint a block in its own coordinates, with fewer details at smaller scales."""
    look = canvas_style.current()
    scale = painter.worldTransform().m11()
    _paint_body(painter, item, look, scale)
    if scale >= TITLE_SCALE:
        _paint_header(painter, item, look, scale)
    if scale >= PORT_SCALE:
        for row in item.rows.values():
            _paint_port(painter, item, look, row, scale)
    if item.layer_graph is not None and scale >= PORT_SCALE:
        _paint_layer_graph(painter, item, look, scale)
    _paint_badge(painter, item, look, scale)


def _severity(item: PaintedBlock) -> str:
    return item.problems[0].severity if item.problems else ""


def _paint_body(painter: QPainter, item: PaintedBlock, look: canvas_style.CanvasStyle, scale: float) -> None:
    body, category = item.body, item.block.parameters.category
    severity = _severity(item)
    outline = look.error if severity == "error" else look.warning if severity == "warning" else look.outline
    width = 1.2
    if item.selected:
        outline, width = look.accent, 2.2
    elif item.hovered and not severity:
        outline = look.category[category]
    if scale < PORT_SCALE:
        painter.setPen(canvas_style.pen(outline, 0 if not item.selected else 2.0 / scale))
        painter.setBrush(look.tint[category])
        painter.drawRect(body)
        painter.fillRect(QRectF(0, 0, item.width, HEADER_HEIGHT / 3), look.category[category])
        return
    painter.setPen(Qt.NoPen)
    painter.setBrush(look.shadow)
    painter.drawRoundedRect(body.translated(0, 1.5).adjusted(-1, 0, 1, 1.5), CORNER_RADIUS + 1, CORNER_RADIUS + 1)
    painter.setBrush(look.body)
    painter.drawRoundedRect(body, CORNER_RADIUS, CORNER_RADIUS)
    header = QPainterPath()
    header.setFillRule(Qt.WindingFill)
    header.addRoundedRect(QRectF(0, 0, item.width, HEADER_HEIGHT), CORNER_RADIUS, CORNER_RADIUS)
    if item.rows or item.layer_graph is not None:
        header.addRect(QRectF(0, HEADER_HEIGHT - CORNER_RADIUS, item.width, CORNER_RADIUS))
    painter.setBrush(look.tint[category])
    painter.drawPath(header)
    painter.setBrush(Qt.NoBrush)
    painter.setPen(canvas_style.pen(outline, width))
    painter.drawRoundedRect(body, CORNER_RADIUS, CORNER_RADIUS)
    if item.focused:
        ring = QColor(look.accent)
        ring.setAlphaF(0.3)
        painter.setPen(canvas_style.pen(ring, 4))
        painter.drawRoundedRect(body.adjusted(-3, -3, 3, 3), CORNER_RADIUS + 2, CORNER_RADIUS + 2)


def _paint_header(painter: QPainter, item: PaintedBlock, look: canvas_style.CanvasStyle, scale: float) -> None:
    category = item.block.parameters.category
    icon = look.icon(item.block.parameters)  # of more pixels on a screen of high density
    painter.drawPixmap(QRectF(PADDING, 15, ICON_SIZE, ICON_SIZE), icon, QRectF(icon.rect()))
    x = PADDING + ICON_SIZE + 8
    painter.setPen(look.text)
    if scale < DETAIL_SCALE:
        painter.setFont(look.far_font)
        painter.drawStaticText(QPointF(x, (HEADER_HEIGHT - look.far_metrics.height()) / 2), item.texts["far"][0])
        return
    growth = canvas_style.text_growth(scale, item.text_growth)
    painter.setFont(look.title_font)
    canvas_style.draw_text(painter, QPointF(x, 6 - 9 * (growth - 1)), item.texts["name"][0], growth)
    painter.setFont(look.small_font)
    painter.setPen(look.dim)
    canvas_style.draw_text(painter, QPointF(x, 26 - 5 * (growth - 1)), item.texts["kind"][0], growth)
    if not item.badge.isEmpty():
        painter.setPen(Qt.NoPen)
        painter.setBrush(canvas_style.mixed(look.tint[category], look.category[category], 0.16))
        text, width = item.texts["badge"]
        badge = item.badge.adjusted(-item.badge.width() * (growth - 1), -2 * (growth - 1), 0, 2 * (growth - 1))
        painter.drawRoundedRect(badge, 8, 8)
        painter.setPen(look.text)
        middle = badge.center() - QPointF(width * growth / 2, look.small_metrics.height() * growth / 2)
        canvas_style.draw_text(painter, middle, text, growth)
    if not item.expander.isEmpty():
        painter.setPen(look.text if item.hovered else look.dim)
        if growth == 1.0:
            painter.drawStaticText(QPointF(item.expander.left(), item.expander.top()), item.texts["expand"][0])
        _paint_chevron(painter, item, look)


def _paint_chevron(painter: QPainter, item: PaintedBlock, look: canvas_style.CanvasStyle) -> None:
    x, y, up = item.expander.right() - 9, item.expander.center().y(), -1 if item.expanded else 1
    painter.setPen(canvas_style.pen(look.text if item.hovered else look.dim, 1.5))
    painter.drawPolyline(QPointF(x - 3.5, y - 1.8 * up), QPointF(x, y + 1.8 * up), QPointF(x + 3.5, y - 1.8 * up))


def _paint_port(painter: QPainter, item: PaintedBlock, look: canvas_style.CanvasStyle, row: PortRow, scale: float) -> None:
    allowed = None if item.targets is None else item.targets.get(row.end)
    dimmed, emphasised = item.targets is not None and not allowed, item.emphasised_port == row.end
    color = look.faint if dimmed else look.error if row.wrong else look.wire[canvas_style.wire_class(row.port_type)]
    if allowed:
        color = look.ok
    filled = row.wired or allowed or (row.end.is_output and row.port_type is not None)
    painter.setPen(canvas_style.pen(color if not dimmed else look.outline, 1.8))
    painter.setBrush(color if filled and not dimmed else look.body)
    if allowed or emphasised:
        glow = QColor(look.error if emphasised and dimmed else color)
        glow.setAlphaF(0.45 if emphasised else 0.22)
        painter.save()
        painter.setPen(Qt.NoPen)
        painter.setBrush(glow)
        painter.drawEllipse(row.anchor, PORT_RADIUS + (8 if emphasised else 5), PORT_RADIUS + (8 if emphasised else 5))
        painter.restore()
    grow = 1.2 if emphasised else 0.0
    if isinstance(row.port_type, StatesType | MemoryType):
        painter.drawRoundedRect(
            QRectF(row.anchor.x() - 4.5 - grow, row.anchor.y() - 8 - grow, 9 + 2 * grow, 16 + 2 * grow), 4.5, 4.5
        )
    else:
        painter.drawEllipse(row.anchor, PORT_RADIUS + grow, PORT_RADIUS + grow)
    if scale < DETAIL_SCALE or row.text is None:
        return
    painter.setFont(look.small_font)
    painter.setPen(look.faint if dimmed else look.dim if row.optional and not row.wired else look.text)
    growth = canvas_style.text_growth(scale, item.text_growth)
    y = row.anchor.y() - growth * look.small_metrics.height() / 2
    if not row.end.is_output:
        canvas_style.draw_text(painter, QPointF(PADDING + 2, y), row.text, growth)
        return
    x = item.width - PADDING - 2 - row.text.size().width() * growth
    canvas_style.draw_text(painter, QPointF(x, y), row.text, growth)
    if row.type_text is not None:
        painter.setPen(look.faint if dimmed else look.dim)
        canvas_style.draw_text(painter, QPointF(x - (row.type_width + 8) * growth, y), row.type_text, growth)


def _paint_layer_graph(painter: QPainter, item: PaintedBlock, look: canvas_style.CanvasStyle, scale: float) -> None:
    assert item.layer_graph is not None
    painter.setPen(canvas_style.pen(look.border, 1))
    painter.drawLine(QPointF(0.5, item.layer_graph_top), QPointF(item.width - 0.5, item.layer_graph_top))
    dx, dy = (item.width - item.layer_graph.width) / 2, item.layer_graph_top + PADDING
    painter.save()
    painter.translate(dx, dy)
    painter.setPen(canvas_style.pen(look.faint, 1.3))
    painter.setBrush(Qt.NoBrush)
    for a, b in item.layer_graph.wires:
        path = QPainterPath(a)
        bend = QPointF(0, min(max((b.y() - a.y()) / 2, 8.0), 40.0))
        path.cubicTo(a + bend, b - bend, b)
        painter.drawPath(path)
    for box, texts in zip(item.layer_graph.boxes, item.layer_texts, strict=True):
        painter.setPen(canvas_style.pen(look.outline, 1))
        painter.setBrush(look.canvas if not box.is_input else look.body)
        painter.drawRoundedRect(box.rect, 5, 5)
        if scale >= DETAIL_SCALE:
            painter.setFont(look.small_font)
            for number, text in enumerate(texts):
                painter.setPen(look.text if number == 0 else look.dim)
                painter.drawStaticText(box.rect.topLeft() + QPointF(8, 4 + 16 * number), text)
    if item.layer_graph.left_out and scale >= DETAIL_SCALE:
        painter.setPen(look.dim)
        painter.drawText(QPointF(0, item.layer_graph.height + 16), f"… and {item.layer_graph.left_out} more layers")
    painter.restore()


def _paint_badge(painter: QPainter, item: PaintedBlock, look: canvas_style.CanvasStyle, scale: float) -> None:
    severity = _severity(item)
    if severity not in ("error", "warning"):
        return
    color = look.error if severity == "error" else look.warning
    center = QPointF(item.width - 2, 2)
    radius = BADGE_RADIUS * max(1.0, TITLE_SCALE / max(scale, 0.05))  # never too small to be seen
    painter.setPen(canvas_style.pen(look.canvas, 2))
    painter.setBrush(color)
    painter.drawEllipse(center, radius, radius)
    painter.setPen(canvas_style.pen(look.body, 2.0 * radius / BADGE_RADIUS))
    painter.drawLine(center + QPointF(0, -0.45 * radius), center + QPointF(0, 0.1 * radius))
    painter.drawPoint(center + QPointF(0, 0.48 * radius))
