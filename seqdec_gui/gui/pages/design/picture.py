"""A small picture of a design, drawn by what draws the canvas: its blocks with their names, and its wires."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, QSize, Qt
from PyQt5.QtGui import QPainter, QPixmap

from seqdec_gui.domain.design import Design
from seqdec_gui.gui.look.canvas_style import PORT_SCALE, TITLE_SCALE
from seqdec_gui.gui.pages.design.block_item import block_preview
from seqdec_gui.gui.pages.design.scene import DesignScene
from seqdec_gui.gui.workspace.document import DesignDocument

GAP = 32.0
"""The space between two columns of blocks, in scene units: less than on the canvas, for larger names."""
GREATEST_SCALE = 0.4
"""The greatest scale of a picture, in pixels per scene unit."""


def picture(design: Design, size: QSize, ratio: float = 1.0) -> QPixmap:
    """Return a picture of the design fitted into `size` logical pixels, with a transparent background."""
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.transparent)
    if not design.blocks:
        return pixmap
    document = DesignDocument(_drawn_together(design))
    scene = DesignScene(document)
    scene.finish_routes()  # of many wires some would wait for their turn, which comes after the picture
    area = scene.itemsBoundingRect()
    scale = min(size.width() / area.width(), size.height() / area.height(), GREATEST_SCALE)
    if PORT_SCALE <= scale < TITLE_SCALE:  # neither names nor colours would be seen
        scale = 0.99 * PORT_SCALE
    target = QRectF(0, 0, area.width() * scale, area.height() * scale)
    target.moveCenter(QRectF(0, 0, size.width(), size.height()).center())
    painter = QPainter(pixmap)
    painter.setRenderHints(QPainter.Antialiasing | QPainter.SmoothPixmapTransform)
    scene.render(painter, target, area)
    painter.end()
    scene.deleteLater()
    document.deleteLater()
    return pixmap


def _drawn_together(design: Design) -> Design:
    """Return the design with less space between its columns; blocks that begin at the same x form one."""
    moved: dict[str, tuple[float, float]] = {}
    x = 0.0
    for left in sorted({block.position[0] for block in design.blocks}):
        column = [block for block in design.blocks if block.position[0] == left]
        moved |= {block.id: (x, block.position[1]) for block in column}
        x += max(block_preview(block).width for block in column) + GAP
    return design.moved(moved).with_annotations(())  # which would lie elsewhere
