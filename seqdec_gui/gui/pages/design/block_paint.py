"""How a block looks: header, ports, badges and, when expanded, its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPainterPath

from seqdec_gui.domain.types import StatesType
from seqdec_gui.gui.pages.design import style as styles
from seqdec_gui.gui.pages.design.style import CORNER, FAR, HEADER, ICON, MIDDLE, NEAR, PAD, PORT

if TYPE_CHECKING:
    from seqdec_gui.gui.pages.design.block_item import BlockItem, PortRow


def paint_block(painter: QPainter, item: BlockItem) -> None:
    """Paint the block in its own coordinates; the further away, the less of it."""
    look = styles.current()
    scale = painter.worldTransform().m11()
    _paint_body(painter, item, look, scale)
    if scale >= MIDDLE:
        _paint_header(painter, item, look, scale)
    if scale >= FAR:
        for row in item.rows.values():
            _paint_port(painter, item, look, row, scale)
    if item.inside is not None and scale >= FAR:
        _paint_inside(painter, item, look, scale)
    _paint_badge(painter, item, look, scale)


def _severity(item: BlockItem) -> str:
    return item.problems[0].severity if item.problems else ""


def _paint_body(painter: QPainter, item: BlockItem, look: styles.Style, scale: float) -> None:
    body, category = item.body, item.block.parameters.category
    severity = _severity(item)
    outline = look.error if severity == "error" else look.warning if severity == "warning" else look.outline
    width = 1.2
    if item.selected:
        outline, width = look.accent, 2.2
    elif item.hovered and not severity:
        outline = look.category[category]
    if scale < FAR:
        painter.setPen(styles.pen(outline, 0 if not item.selected else 2.0 / scale))
        painter.setBrush(look.tint[category])
        painter.drawRect(body)
        painter.fillRect(QRectF(0, 0, item.width, HEADER / 3), look.category[category])
        return
    painter.setPen(Qt.NoPen)
    painter.setBrush(look.shadow)
    painter.drawRoundedRect(body.translated(0, 1.5).adjusted(-1, 0, 1, 1.5), CORNER + 1, CORNER + 1)
    painter.setBrush(look.body)
    painter.drawRoundedRect(body, CORNER, CORNER)
    header = QPainterPath()
    header.setFillRule(Qt.WindingFill)
    header.addRoundedRect(QRectF(0, 0, item.width, HEADER), CORNER, CORNER)
    if item.rows or item.inside is not None:
        header.addRect(QRectF(0, HEADER - CORNER, item.width, CORNER))
    painter.setBrush(look.tint[category])
    painter.drawPath(header)
    painter.setBrush(Qt.NoBrush)
    painter.setPen(styles.pen(outline, width))
    painter.drawRoundedRect(body, CORNER, CORNER)
    if item.focused:
        ring = QColor(look.accent)
        ring.setAlphaF(0.3)
        painter.setPen(styles.pen(ring, 4))
        painter.drawRoundedRect(body.adjusted(-3, -3, 3, 3), CORNER + 2, CORNER + 2)


def _paint_header(painter: QPainter, item: BlockItem, look: styles.Style, scale: float) -> None:
    category = item.block.parameters.category
    painter.drawPixmap(QRectF(PAD, 15, ICON, ICON), look.icon(item.block.parameters), QRectF(0, 0, 2 * ICON, 2 * ICON))
    x = PAD + ICON + 8
    painter.setPen(look.text)
    if scale < NEAR:
        painter.setFont(look.far_font)
        painter.drawStaticText(QPointF(x, (HEADER - look.far_metrics.height()) / 2), item.texts["far"][0])
        return
    painter.setFont(look.title_font)
    painter.drawStaticText(QPointF(x, 6), item.texts["name"][0])
    painter.setFont(look.small_font)
    painter.setPen(look.dim)
    painter.drawStaticText(QPointF(x, 26), item.texts["kind"][0])
    if not item.badge.isEmpty():
        painter.setPen(Qt.NoPen)
        painter.setBrush(styles.mixed(look.tint[category], look.category[category], 0.16))
        painter.drawRoundedRect(item.badge, 8, 8)
        painter.setPen(look.text)
        text, width = item.texts["badge"]
        painter.drawStaticText(QPointF(item.badge.center().x() - width / 2, item.badge.top() + 1), text)
    if not item.expander.isEmpty():
        painter.setPen(look.text if item.hovered else look.dim)
        painter.drawStaticText(QPointF(item.expander.left(), item.expander.top()), item.texts["expand"][0])
        _paint_chevron(painter, item, look)


def _paint_chevron(painter: QPainter, item: BlockItem, look: styles.Style) -> None:
    x, y, up = item.expander.right() - 9, item.expander.center().y(), -1 if item.expanded else 1
    painter.setPen(styles.pen(look.text if item.hovered else look.dim, 1.5))
    painter.drawPolyline(QPointF(x - 3.5, y - 1.8 * up), QPointF(x, y + 1.8 * up), QPointF(x + 3.5, y - 1.8 * up))


def _paint_port(painter: QPainter, item: BlockItem, look: styles.Style, row: PortRow, scale: float) -> None:
    mark = None if item.marks is None else item.marks.get(row.end)
    dimmed, hot = item.marks is not None and not mark, item.hot == row.end
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
    x = item.width - PAD - 2 - row.text.size().width()
    painter.drawStaticText(QPointF(x, y), row.text)
    if row.type_text is not None:
        painter.setPen(look.faint if dimmed else look.dim)
        painter.drawStaticText(QPointF(x - row.type_width - 8, y), row.type_text)


def _paint_inside(painter: QPainter, item: BlockItem, look: styles.Style, scale: float) -> None:
    assert item.inside is not None
    painter.setPen(styles.pen(look.border, 1))
    painter.drawLine(QPointF(0.5, item.inside_top), QPointF(item.width - 0.5, item.inside_top))
    dx, dy = (item.width - item.inside.width) / 2, item.inside_top + PAD
    painter.save()
    painter.translate(dx, dy)
    painter.setPen(styles.pen(look.faint, 1.3))
    painter.setBrush(Qt.NoBrush)
    for a, b in item.inside.wires:
        path = QPainterPath(a)
        bend = QPointF(0, min(max((b.y() - a.y()) / 2, 8.0), 40.0))
        path.cubicTo(a + bend, b - bend, b)
        painter.drawPath(path)
    for box, texts in zip(item.inside.boxes, item.layer_texts, strict=True):
        painter.setPen(styles.pen(look.outline, 1))
        painter.setBrush(look.canvas if not box.is_input else look.body)
        painter.drawRoundedRect(box.rect, 5, 5)
        if scale >= NEAR:
            painter.setFont(look.small_font)
            for number, text in enumerate(texts):
                painter.setPen(look.text if number == 0 else look.dim)
                painter.drawStaticText(box.rect.topLeft() + QPointF(8, 4 + 16 * number), text)
    if item.inside.left_out and scale >= NEAR:
        painter.setPen(look.dim)
        painter.drawText(QPointF(0, item.inside.height + 16), f"… and {item.inside.left_out} more layers")
    painter.restore()


def _paint_badge(painter: QPainter, item: BlockItem, look: styles.Style, scale: float) -> None:
    severity = _severity(item)
    if severity not in ("error", "warning"):
        return
    color = look.error if severity == "error" else look.warning
    center, radius = QPointF(item.width - 2, 2), 9.0 if scale >= MIDDLE else 9.0 * MIDDLE / max(scale, 0.05)
    painter.setPen(styles.pen(look.canvas, 2))
    painter.setBrush(color)
    painter.drawEllipse(center, radius, radius)
    painter.setPen(styles.pen(look.body, 2.0 * radius / 9))
    painter.drawLine(center + QPointF(0, -0.45 * radius), center + QPointF(0, 0.1 * radius))
    painter.drawPoint(center + QPointF(0, 0.48 * radius))
