"""The view of the canvas: zoom, pan, fit, the grid, and where blocks and ports lie in the viewport.

The view decides nothing about the design. Mouse, keyboard and focus events go to its `CanvasInput`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from PyQt5.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)  # fmt: skip
from PyQt5.QtWidgets import QFrame, QGraphicsView, QPinchGesture, QWidget

from seqdec_gui.domain.design import Port
from seqdec_gui.domain.drawing.places import GRID_STEP
from seqdec_gui.domain.link_judge import End
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.pages.design.scene import DesignScene

MIN_ZOOM = 0.05
"""The smallest zoom, in pixels per scene unit."""

MAX_ZOOM = 4.0
"""The largest zoom, in pixels per scene unit."""

READABLE_ZOOM = canvas_style.DETAIL_SCALE
"""The smallest zoom at which everything is painted: names of ports, and shapes on wires."""

OVERVIEW_ZOOM = 0.3
"""The smallest zoom at which `fit` shows everything: the names of blocks are painted large below READABLE_ZOOM."""

ZOOM_STEP = 1.2
"""The factor of one zoom step, and of one notch of the mouse wheel."""

DOT_SIZE = 2
"""The side of a dot of the grid, in pixels."""

FIT_BORDER = 24
"""The space that `fit` leaves around the blocks, in pixels."""

KEY_PAN = 60
"""How far an arrow key moves the canvas, in pixels."""

ARROWS = {Qt.Key_Left: (-1, 0), Qt.Key_Right: (1, 0), Qt.Key_Up: (0, -1), Qt.Key_Down: (0, 1)}
"""The direction of each arrow key as (x, y), with y growing downwards."""


def _scale_for(room: QRect, rect: QRectF) -> float:
    """Return the zoom at which a part of the scene fills this much of the viewport."""
    return min(max(room.width(), 50) / rect.width(), max(room.height(), 50) / rect.height())


class CanvasInput(Protocol):
    """Handles the input events of a canvas view. Mouse positions in events are viewport coordinates."""

    def mouse_pressed(self, event: QMouseEvent) -> None:
        """Handle a press of a mouse button."""

    def mouse_moved(self, event: QMouseEvent) -> None:
        """Handle a move of the mouse, with or without a button."""

    def mouse_released(self, event: QMouseEvent) -> None:
        """Handle the release of a mouse button."""

    def mouse_double_clicked(self, event: QMouseEvent) -> None:
        """Handle the second press of a double click."""

    def mouse_left(self) -> None:
        """Handle the mouse leaving the view."""

    def key_pressed(self, event: QKeyEvent) -> bool:
        """Handle a key. Returns False for a key that the view should handle itself."""

    def key_released(self, event: QKeyEvent) -> None:
        """Handle the release of a key."""

    def tab_pressed(self, forward: bool) -> bool:
        """Handle Tab or Shift+Tab. Returns False if the focus should leave the view."""

    def focus_changed(self, has_focus: bool) -> None:
        """Handle that the view got or lost the keyboard focus."""

    def focus_taken_by_key(self) -> None:
        """Handle that the view is about to get the keyboard focus by Tab."""

    def menu_requested(self, event: QContextMenuEvent) -> None:
        """Handle a request for a context menu."""

    def tool_tip_requested(self, event: QHelpEvent) -> None:
        """Handle a mouse that rests over the viewport."""


class CanvasView(QGraphicsView):
    """Shows a DesignScene. Without a `CanvasInput` it can only be zoomed and panned."""

    resized = pyqtSignal()

    viewport_moved = pyqtSignal()
    """Another part of the scene is shown, or at another zoom."""

    def __init__(self, scene: DesignScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self.design_scene = scene
        self.refits_on_resize = True
        """Whether a change of size fits the design again. It ends when the user zooms, pans or edits."""
        self.covered_corner = QSize()
        """How much of the viewport is covered by widgets in its corner below right, in pixels."""
        self._input: CanvasInput | None = None
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

    def set_input(self, handler: CanvasInput) -> None:
        """Send all input events to this handler from now on."""
        self._input = handler

    # -- where things are, in viewport coordinates
    def block_ids(self) -> tuple[str, ...]:
        """Return the ids of all blocks in the design's order."""
        return tuple(block.id for block in self.design_scene.document.design.blocks)

    def block_rect(self, block_id: str) -> QRect:
        """Return a block's outline in viewport coordinates. Raises KeyError for an unknown block."""
        item = self.design_scene.blocks[block_id]
        return self.mapFromScene(item.body.translated(item.pos())).boundingRect()

    def port_point(self, block_id: str, port: str, is_output: bool | None = None) -> QPoint:
        """Return the point where wires end at a port, in viewport coordinates. Raises KeyError for an unknown port.

        `is_output` distinguishes an output from an input of the same name; with None the output is preferred.
        """
        for side in (True, False) if is_output is None else (is_output,):
            anchor = self.design_scene.anchor(End(Port(block_id, port), side))
            if anchor is not None:
                return self.mapFromScene(anchor)
        raise KeyError(f"{block_id}.{port}")

    def wire_point(self, source: str, target: str) -> QPoint:
        """Return the middle of the wire between two ports written `block.port`, in viewport coordinates. Raises KeyError."""
        for link, wire in self.design_scene.wires.items():
            if (str(link.source), str(link.target)) == (source, target):
                return self.mapFromScene(wire.path.pointAtPercent(0.5))
        raise KeyError(f"{source} -> {target}")

    def visible_rect(self) -> QRectF:
        """Return the part of the scene that is shown, in scene coordinates."""
        return QRectF(self.mapToScene(QPoint(0, 0)), self.mapToScene(self.viewport().rect().bottomRight()))

    # -- zoom, pan, fit
    @property
    def zoom(self) -> float:
        """The scale of the view, in pixels per scene unit."""
        return self.transform().m11()

    def zoom_by(self, factor: float, at: QPoint | None = None) -> None:
        """Zoom so that the point `at` of the viewport stays where it is; None means the centre of the viewport."""
        scale = max(MIN_ZOOM, min(MAX_ZOOM, self.zoom * factor))
        at = self.viewport().rect().center() if at is None else at
        before = self.mapToScene(at)
        self.setTransform(self.transform().fromScale(scale, scale))
        self.refits_on_resize = False
        drift = at - self.mapFromScene(before)
        self.pan(drift.x(), drift.y())
        self.viewport_moved.emit()

    def zoom_in(self) -> None:
        """Zoom in by one step."""
        self.zoom_by(ZOOM_STEP)

    def zoom_out(self) -> None:
        """Zoom out by one step."""
        self.zoom_by(1 / ZOOM_STEP)

    def zoom_reset(self) -> None:
        """Zoom to one pixel per scene unit."""
        self.zoom_by(1 / self.zoom)

    def pan(self, dx: int, dy: int) -> None:
        """Move the shown blocks by this many pixels."""
        self.refits_on_resize = False
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - dx)
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() - dy)

    def fit(self, block_ids: Iterable[str] | None = None) -> None:
        """Show these blocks, or everything, at a zoom of at most one pixel per scene unit.

        No block is cut off, unless the names of blocks could not be read any more: then the beginning of the design is shown,
        with the names of ports and the shapes.
        """
        rect = self.design_scene.bounds(block_ids)
        overview = not rect.isEmpty() and OVERVIEW_ZOOM <= _scale_for(self._bordered(), rect) < READABLE_ZOOM
        self._show_rect(rect, OVERVIEW_ZOOM if overview else READABLE_ZOOM)

    def show_all(self) -> None:
        """Show everything, however small it becomes."""
        self._show_rect(self.design_scene.bounds(), MIN_ZOOM)

    def show_rect(self, rect: QRectF) -> None:
        """Show a part of the scene, readable."""
        self._show_rect(rect, READABLE_ZOOM)

    def _show_rect(self, rect: QRectF, least: float) -> None:
        if rect.isEmpty():
            self.zoom_reset()
            self.centerOn(0, 0)
            return
        room = self._free_room(rect, least)
        scale = max(least, min(_scale_for(room, rect), 1.0))
        self.setTransform(self.transform().fromScale(scale, scale))
        wide, high = room.width() / scale, room.height() / scale
        x = rect.center().x() if rect.width() <= wide else rect.left() + wide / 2
        y = rect.center().y() if rect.height() <= high else rect.top() + high / 2
        off = QPointF(self.viewport().rect().center() - room.center()) / scale
        self.centerOn(QPointF(x, y) + off)
        self.viewport_moved.emit()

    def _free_room(self, rect: QRectF, least: float) -> QRect:
        """Return the part of the viewport to show `rect` in: all of it, or what is above or left of the covered corner.

        No block lies in the corner, unless it must: where keeping it free would need a smaller zoom than `least`.
        """
        whole = self._bordered()
        above = whole.adjusted(0, 0, 0, -self.covered_corner.height())
        left = whole.adjusted(0, 0, -self.covered_corner.width(), 0)
        scale = max(least, min(_scale_for(whole, rect), 1.0))
        if above.height() > 50 and _scale_for(above, rect) >= scale:
            return above
        if not self._reaches_corner(rect, whole, scale):
            return whole
        free = max((above, left), key=lambda room: _scale_for(room, rect))
        return free if _scale_for(free, rect) >= least else whole

    def _bordered(self) -> QRect:
        return self.viewport().rect().adjusted(FIT_BORDER, FIT_BORDER, -FIT_BORDER, -FIT_BORDER)

    def _reaches_corner(self, rect: QRectF, room: QRect, scale: float) -> bool:
        """Return whether a block would lie in the covered corner if `rect` were shown in the middle of `room`."""
        edge = self.viewport().rect().bottomRight()
        covered = QRectF(QPointF(edge) - QPointF(self.covered_corner.width(), self.covered_corner.height()), QPointF(edge))
        centre = QPointF(room.center())
        shown = QRectF((covered.topLeft() - centre) / scale, (covered.bottomRight() - centre) / scale).translated(rect.center())
        return any(shown.intersects(item.body.translated(item.pos())) for item in self.design_scene.blocks.values())

    def centre_on(self, rect: QRectF) -> None:
        """Scroll to a part of the scene, and zoom in if it could not be read."""
        if self.zoom < READABLE_ZOOM:
            self.zoom_by(READABLE_ZOOM / self.zoom)
        self.refits_on_resize = False
        self.centerOn(rect.center())

    def cover_corner(self, size: QSize) -> None:
        """Note how much of the viewport is covered in its corner below right, and fit the design again as on a change of size.

        What covers it is as wide as the zoom is long in words: where it becomes narrower nothing moves, or it might for ever.
        """
        before, self.covered_corner = self.covered_corner, size
        if self.refits_on_resize and (size.height() != before.height() or size.width() > before.width()):
            self.fit()

    def reveal(self, block_id: str) -> None:
        """Scroll to a block if part of it is outside the viewport; a block that is wholly visible moves nothing."""
        item = self.design_scene.blocks[block_id]
        self.reveal_rect(item.body.translated(item.pos()))

    def reveal_rect(self, rect: QRectF) -> None:
        """Scroll to a part of the scene if some of it is outside the viewport, or under what covers its corner."""
        if not self.visible_rect().contains(rect):
            self.ensureVisible(rect, 40, 40)
        shown, room = self.mapFromScene(rect).boundingRect(), self.viewport().rect()
        corner = QRect(QPoint(0, 0), self.covered_corner)
        corner.moveBottomRight(room.bottomRight())
        if not shown.intersects(corner):
            return
        up, left = shown.bottom() - corner.top() + FIT_BORDER, shown.right() - corner.left() + FIT_BORDER
        if up <= shown.top() and (up <= left or left > shown.left()):
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() + up)
        elif left <= shown.left():
            self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() + left)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self.viewport_moved.emit()

    # -- Qt events that the view handles itself
    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.resized.emit()  # first: what lies over the corner takes its new place, which `fit` keeps free
        if self.refits_on_resize:
            self.fit()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        assert event is not None
        delta = event.angleDelta()
        if event.modifiers() & Qt.ShiftModifier:
            self.pan(delta.y() or delta.x(), 0)
        elif delta.y():
            self.zoom_by(ZOOM_STEP ** (delta.y() / 120), event.position().toPoint())
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
        if isinstance(event, QHelpEvent) and event.type() == QEvent.ToolTip and self._input is not None:
            self._input.tool_tip_requested(event)
            return True
        return super().viewportEvent(event)

    def _press_key(self, event: QKeyEvent) -> None:
        """Zoom with Ctrl and plus, minus or 0; pan with arrows; leave other keys to the window."""
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
            self.pan(-KEY_PAN * dx, -KEY_PAN * dy)
        else:
            event.ignore()

    # -- Qt events for the input handler
    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()
        if self._input is not None:
            self._input.mouse_pressed(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()
        if self._input is not None:
            self._input.mouse_moved(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()
        if self._input is not None:
            self._input.mouse_released(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()
        if self._input is not None:
            self._input.mouse_double_clicked(event)

    def leaveEvent(self, event: QEvent | None) -> None:
        if self._input is not None:
            self._input.mouse_left()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        event.accept()
        if self._input is None or not self._input.key_pressed(event):
            self._press_key(event)

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        if self._input is not None:
            self._input.key_released(event)
        super().keyReleaseEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Let Tab walk the blocks while the view itself has the focus; a button over the canvas passes it on as usual."""
        if self.hasFocus() and self._input is not None and self._input.tab_pressed(forward):
            return True
        return super().focusNextPrevChild(forward)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        assert event is not None
        super().focusInEvent(event)
        if self._input is not None:
            if event.reason() in (Qt.TabFocusReason, Qt.BacktabFocusReason):
                self._input.focus_taken_by_key()
            self._input.focus_changed(True)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        super().focusOutEvent(event)
        if self._input is not None:
            self._input.focus_changed(False)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        assert event is not None
        event.accept()
        if self._input is not None:
            self._input.menu_requested(event)

    # -- painting
    def drawBackground(self, painter: QPainter | None, rect: QRectF) -> None:
        assert painter is not None
        look, transform = canvas_style.current(), painter.worldTransform()
        zoom = transform.m11()
        painter.fillRect(rect, look.canvas)
        step = 2 * GRID_STEP if zoom > 0.7 else 8 * GRID_STEP if zoom > 0.25 else 0
        if not step:
            return
        # One row of dots is painted and then copied: thousands of single points would take longer than all blocks.
        area = transform.mapRect(rect).toAlignedRect()
        ratio = painter.device().devicePixelRatioF()
        row = QPixmap(round(area.width() * ratio), round(DOT_SIZE * ratio))
        row.setDevicePixelRatio(ratio)
        row.fill(look.canvas)
        row_painter, color = QPainter(row), canvas_style.mixed(look.canvas, look.dim, 0.35)
        for column in range(int(rect.left() // step), int(rect.right() // step) + 1):
            row_painter.fillRect(round(column * step * zoom + transform.dx()) - area.left(), 0, DOT_SIZE, DOT_SIZE, color)
        row_painter.end()
        painter.save()
        painter.resetTransform()
        for line in range(int(rect.top() // step), int(rect.bottom() // step) + 1):
            painter.drawPixmap(area.left(), round(line * step * zoom + transform.dy()), row)
        painter.restore()
