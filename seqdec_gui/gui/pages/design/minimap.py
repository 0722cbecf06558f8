"""The mini-map: the whole canvas in a corner of the view, with the part that is shown. Dragging in it moves the view."""

from __future__ import annotations

from PyQt5.QtCore import QPointF, QRectF, QSize, Qt, pyqtSlot
from PyQt5.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PyQt5.QtWidgets import QWidget

from seqdec_gui.gui.look import canvas_style, theme
from seqdec_gui.gui.pages.design.canvas_view import ZOOM_STEP, CanvasView

SIZE = QSize(176, 112)
"""The size of the mini-map, in pixels."""

SMALL_SIZE = QSize(128, 80)
"""The size of the mini-map in a small view, in pixels."""

SMALL_VIEW = QSize(760, 520)
"""Views narrower or lower than this are small, in pixels."""

MARGIN = 6.0
"""The space between the edge of the mini-map and what it shows, in pixels."""


class MiniMap(QWidget):
    """Paints blocks and frames as rectangles, from the items of the view's scene."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view = view
        self.setObjectName("minimap")
        self.setAccessibleName("Mini-map")
        self.setAccessibleDescription("The whole design, with the part that is shown. Click or drag to move the view.")
        self.setToolTip("Click or drag to move the view")
        self.setCursor(Qt.PointingHandCursor)
        self.setFocusPolicy(Qt.NoFocus)
        self._rects: dict[str, list[QRectF]] | None = None
        self._bounds = QRectF()
        """The rectangle that encloses all blocks, frames and notes."""
        view.viewport_moved.connect(self._on_view_changed)
        view.design_scene.content_moved.connect(self._on_content_changed)
        view.design_scene.document.selection_changed.connect(self._on_content_changed)
        theme.notifier.changed.connect(self._on_view_changed)

    def wanted_size(self) -> QSize:
        """Return the size for the present size of the view."""
        room = self._view.viewport().size()
        return SMALL_SIZE if room.width() < SMALL_VIEW.width() or room.height() < SMALL_VIEW.height() else SIZE

    @pyqtSlot()
    def _on_view_changed(self) -> None:
        if self.isVisible():
            self.update()

    @pyqtSlot()
    def _on_content_changed(self, _what: object = None) -> None:
        self._rects = None
        self._on_view_changed()

    def _area(self) -> QRectF:
        """Return the part of the scene that the map shows."""
        self._rects_by_color()
        return self._view.visible_rect() | self._bounds

    def _scale(self, area: QRectF) -> tuple[float, QPointF]:
        """Return pixels per scene unit, and where the area's upper left corner lies on the map."""
        room = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        scale = min(room.width() / max(area.width(), 1.0), room.height() / max(area.height(), 1.0))
        return scale, room.center() - QPointF(area.width() * scale / 2, area.height() * scale / 2)

    def point_of(self, point: QPointF) -> QPointF:
        """Return where a point of the scene lies on the map."""
        area = self._area()
        scale, corner = self._scale(area)
        return corner + (point - area.topLeft()) * scale

    def _move_view(self, at: QPointF) -> None:
        area = self._area()
        scale, corner = self._scale(area)
        self._view.refits_on_resize = False
        self._view.centerOn(area.topLeft() + (at - corner) / scale)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()
        if event.button() == Qt.LeftButton:
            self._move_view(event.localPos())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()
        if event.buttons() & Qt.LeftButton:
            self._move_view(event.localPos())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        assert event is not None
        event.accept()
        self._view.zoom_by(ZOOM_STEP ** (event.angleDelta().y() / 120))

    def _rects_by_color(self) -> dict[str, list[QRectF]]:
        """Return the outlines of all blocks in scene coordinates by category, those of selected blocks under ""."""
        if self._rects is None:
            self._rects = {}
            self._bounds = self._view.design_scene.annotations.bounds()
            for item in self._view.design_scene.blocks.values():
                key, place = "" if item.selected else item.block.parameters.category, item.pos()
                rect = QRectF(place.x(), place.y(), item.width, item.height)
                self._rects.setdefault(key, []).append(rect)
                self._bounds |= rect
        return self._rects

    def paintEvent(self, event: QPaintEvent | None) -> None:
        look, area = canvas_style.current(), self._area()
        scale, corner = self._scale(area)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(canvas_style.pen(look.border, 1))
        painter.setBrush(look.body)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)
        painter.save()
        painter.translate(corner)
        painter.scale(scale, scale)
        painter.translate(-area.topLeft())
        painter.setPen(Qt.NoPen)
        for drawn in self._view.design_scene.annotations.items.values():
            tint = QColor(look.annotation[drawn.annotation.color])
            tint.setAlphaF(0.25)
            painter.fillRect(drawn.outline, tint)
        for key, rects in self._rects_by_color().items():
            color = look.category[key] if key else look.accent
            painter.setPen(canvas_style.pen(color, 0))  # one pixel, so that the smallest block is seen
            painter.setBrush(color)
            painter.drawRects(rects)
        painter.restore()
        seen = self._view.visible_rect()
        shown = QRectF(self.point_of(seen.topLeft()), seen.size() * scale) & QRectF(self.rect()).adjusted(2, 2, -2, -2)
        veil = QColor(look.accent)
        veil.setAlphaF(0.10)
        painter.setBrush(veil)
        painter.setPen(canvas_style.pen(look.accent, 1.4))
        painter.drawRoundedRect(shown, 3, 3)
        painter.end()
