"""A small picture of a design: its blocks in the colours of their categories, and their links."""

from __future__ import annotations

from PyQt5.QtCore import QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QPainter, QPainterPath, QPen, QPixmap

from seqdec_gui.domain.design import Design
from seqdec_gui.gui.look import theme

BLOCK_SIZE = (170.0, 74.0)
"""The width and height of every block, in scene units."""
MARGIN = 12.0
"""The space around the design, in scene units."""


def thumbnail(design: Design, size: QSize, ratio: float = 1.0) -> QPixmap:
    """Return a picture of the design fitted into `size` logical pixels, with a transparent background."""
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.transparent)
    if design.blocks:
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.Antialiasing)
        _paint(painter, design, QRectF(0, 0, size.width(), size.height()))
        painter.end()
    return pixmap


def _paint(painter: QPainter, design: Design, target: QRectF) -> None:
    rects = {block.id: QRectF(*block.position, *BLOCK_SIZE) for block in design.blocks}
    whole = QRectF()
    for rect in rects.values():
        whole = whole.united(rect)
    room = target.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
    scale = min(room.width() / whole.width(), room.height() / whole.height(), 0.4)
    painter.translate(target.center())
    painter.scale(scale, scale)
    painter.translate(-whole.center())
    look = theme.current()
    painter.setPen(QPen(theme.color(look.text_dim, 0.75), 1.4 / scale))
    for link in design.links:
        if link.source.block in rects and link.target.block in rects:
            painter.drawPath(_wire(rects[link.source.block], rects[link.target.block]))
    for block in design.blocks:
        colour = look.category[block.parameters.category]
        painter.setPen(QPen(theme.color(colour), 1.4 / scale))
        painter.setBrush(theme.color(look.surface_raised))
        painter.drawRoundedRect(rects[block.id], 12, 12)
        painter.setBrush(theme.color(colour, 0.22))
        painter.drawRoundedRect(rects[block.id], 12, 12)


def _wire(source: QRectF, target: QRectF) -> QPainterPath:
    start = QPointF(source.right(), source.center().y())
    end = QPointF(target.left(), target.center().y())
    bend = max(40.0, abs(end.x() - start.x()) / 2)
    path = QPainterPath(start)
    path.cubicTo(start + QPointF(bend, 0), end - QPointF(bend, 0), end)
    return path
