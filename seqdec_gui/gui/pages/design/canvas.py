"""The window onto the canvas: zoom, pan, fit, grid, and where blocks and ports lie in it."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt5.QtCore import QEvent, QPoint, QRect, QRectF, Qt
from PyQt5.QtGui import QKeyEvent, QPainter, QPixmap, QWheelEvent
from PyQt5.QtWidgets import QFrame, QGraphicsView, QPinchGesture, QWidget

from seqdec_gui.domain.design import Port
from seqdec_gui.domain.link_judge import End
from seqdec_gui.gui.pages.design import style as styles
from seqdec_gui.gui.pages.design.scene import DesignScene
from seqdec_gui.gui.pages.design.style import GRID

LEAST_ZOOM, MOST_ZOOM = 0.05, 4.0
STEP = 1.2
DOT = 2  # of the grid, pixels
BORDER = 28  # what `fit` leaves free around the design, pixels


class Canvas(QGraphicsView):
    """Shows a DesignScene."""

    def __init__(self, scene: DesignScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self.design_scene = scene
        self.fits_itself = True  # until the user looks elsewhere, a change of size fits the design again
        self.setRenderHints(QPainter.Antialiasing | QPainter.TextAntialiasing | QPainter.SmoothPixmapTransform)
        self.setViewportUpdateMode(QGraphicsView.SmartViewportUpdate)
        self.setOptimizationFlags(QGraphicsView.DontSavePainterState | QGraphicsView.DontAdjustForAntialiasing)
        self.setTransformationAnchor(QGraphicsView.NoAnchor)
        self.setResizeAnchor(QGraphicsView.AnchorViewCenter)
        self.setFrameShape(QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().grabGesture(Qt.PinchGesture)
        self.centerOn(0, 0)

    # -- where things are, for tests and overlays
    def block_ids(self) -> tuple[str, ...]:
        """The blocks in the design's order."""
        return tuple(block.id for block in self.design_scene.document.design.blocks)

    def block_rect(self, block_id: str) -> QRect:
        """A block's outline in viewport coordinates. Raises KeyError."""
        item = self.design_scene.blocks[block_id]
        return self.mapFromScene(item.body.translated(item.pos())).boundingRect()

    def port_point(self, block_id: str, port: str, is_output: bool | None = None) -> QPoint:
        """Where wires end at a port, in viewport coordinates. Raises KeyError.

        `is_output` tells an output from an input of the same name; without it the output is meant.
        """
        for side in (True, False) if is_output is None else (is_output,):
            anchor = self.design_scene.anchor(End(Port(block_id, port), side))
            if anchor is not None:
                return self.mapFromScene(anchor)
        raise KeyError(f"{block_id}.{port}")

    def wire_point(self, source: str, target: str) -> QPoint:
        """A point on the wire between two ports written `block.port`, in viewport coordinates. Raises KeyError."""
        for link, wire in self.design_scene.wires.items():
            if (str(link.source), str(link.target)) == (source, target):
                return self.mapFromScene(wire.path.pointAtPercent(0.5))
        raise KeyError(f"{source} -> {target}")

    # -- zoom, pan, fit
    @property
    def zoom(self) -> float:
        """Pixels for each scene unit."""
        return self.transform().m11()

    def zoom_by(self, factor: float, at: QPoint | None = None) -> None:
        """Zoom, with the point `at` of the viewport (by default its centre) staying where it is."""
        wanted = max(LEAST_ZOOM, min(MOST_ZOOM, self.zoom * factor))
        at = self.viewport().rect().center() if at is None else at
        before = self.mapToScene(at)
        self.setTransform(self.transform().fromScale(wanted, wanted))
        self.fits_itself = False
        drift = at - self.mapFromScene(before)
        self.pan(drift.x(), drift.y())

    def zoom_in(self) -> None:
        self.zoom_by(STEP)

    def zoom_out(self) -> None:
        self.zoom_by(1 / STEP)

    def zoom_reset(self) -> None:
        """One scene unit for each pixel."""
        self.zoom_by(1 / self.zoom)

    def pan(self, dx: int, dy: int) -> None:
        """Move what is shown by so many pixels."""
        self.fits_itself = False
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - dx)
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() - dy)

    def fit(self, block_ids: Iterable[str] | None = None) -> None:
        """Show all blocks, or these; never larger than one to one."""
        rect = self.design_scene.bounds(block_ids)
        if rect.isEmpty():
            self.zoom_reset()
            self.centerOn(0, 0)
            return
        room = self.viewport().size()
        across = max(room.width() - 2 * BORDER, 50) / rect.width()
        down = max(room.height() - 2 * BORDER, 50) / rect.height()
        wanted = max(LEAST_ZOOM, min(across, down, 1.0))
        self.setTransform(self.transform().fromScale(wanted, wanted))
        self.centerOn(rect.center())

    def reveal(self, block_id: str) -> None:
        """Scroll as little as it takes to show a block."""
        item = self.design_scene.blocks[block_id]
        self.ensureVisible(item.body.translated(item.pos()), 40, 40)

    def visible_rect(self) -> QRectF:
        """What is shown, in scene coordinates."""
        return QRectF(self.mapToScene(QPoint(0, 0)), self.mapToScene(self.viewport().rect().bottomRight()))

    # -- Qt
    def wheelEvent(self, event: QWheelEvent | None) -> None:
        assert event is not None
        delta = event.angleDelta()
        if event.modifiers() & Qt.ShiftModifier:
            self.pan(delta.y() or delta.x(), 0)
        elif delta.y():
            self.zoom_by(STEP ** (delta.y() / 120), event.position().toPoint())
        else:
            self.pan(delta.x(), 0)
        event.accept()

    def viewportEvent(self, event: QEvent | None) -> bool:
        assert event is not None
        if event.type() == QEvent.NativeGesture and event.gestureType() == Qt.ZoomNativeGesture:
            self.zoom_by(1.0 + event.value(), event.pos())
            return True
        if event.type() == QEvent.Gesture:
            pinch = event.gesture(Qt.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self.zoom_by(pinch.scaleFactor(), self.viewport().mapFromGlobal(pinch.centerPoint().toPoint()))
                return True
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        control = bool(event.modifiers() & Qt.ControlModifier)
        key = event.key()
        if control and key in (Qt.Key_Plus, Qt.Key_Equal):
            self.zoom_in()
        elif control and key in (Qt.Key_Minus, Qt.Key_Underscore):
            self.zoom_out()
        elif control and key == Qt.Key_0:
            self.zoom_reset()
        elif key in ARROWS:
            dx, dy = ARROWS[key]
            self.pan(-60 * dx, -60 * dy)
        else:
            event.ignore()

    def drawBackground(self, painter: QPainter | None, rect: QRectF) -> None:
        assert painter is not None
        look, transform = styles.current(), painter.worldTransform()
        zoom = transform.m11()
        painter.fillRect(rect, look.canvas)
        step = 2 * GRID if zoom > 0.7 else 8 * GRID if zoom > 0.25 else 0
        if not step:
            return
        # One row of dots is painted and then copied: thousands of single points would take longer than all blocks.
        room = transform.mapRect(rect).toAlignedRect()
        ratio = painter.device().devicePixelRatioF()
        row = QPixmap(round(room.width() * ratio), round(DOT * ratio))
        row.setDevicePixelRatio(ratio)
        row.fill(look.canvas)
        pencil, dots = QPainter(row), styles.mixed(look.canvas, look.dim, 0.35)
        for number in range(int(rect.left() // step), int(rect.right() // step) + 1):
            pencil.fillRect(round(number * step * zoom + transform.dx()) - room.left(), 0, DOT, DOT, dots)
        pencil.end()
        painter.save()
        painter.resetTransform()
        for number in range(int(rect.top() // step), int(rect.bottom() // step) + 1):
            painter.drawPixmap(room.left(), round(number * step * zoom + transform.dy()), row)
        painter.restore()


ARROWS = {Qt.Key_Left: (-1, 0), Qt.Key_Right: (1, 0), Qt.Key_Up: (0, -1), Qt.Key_Down: (0, 1)}
