"""The items of frames and notes on the canvas: what they look like, and where they are grabbed."""

from __future__ import annotations

from PyQt5.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt5.QtGui import QColor, QPainter, QStaticText, QTextOption
from PyQt5.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from seqdec_gui.domain.annotations import MAX_SIDE, Annotation, Frame, Note
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.look.canvas_style import DETAIL_SCALE, PORT_SCALE, TITLE_SCALE

TITLE_HEIGHT = 30.0
"""The height of the strip with a frame's title, in scene units."""

TITLE_GROWTH = 1.4
"""How much larger a frame's title is painted at small scales."""

NOTE_PADDING = 10.0
"""The space between a note's edge and its text, in scene units."""

LINE_SEPARATOR = "\u2028"
"""What Qt breaks lines at in a text that it lays out itself."""

HANDLE_SIZE = 16.0
"""The side of the corner that resizes a frame or note, in scene units."""

BORDER_REACH = 6.0
"""How near the edge of a frame the mouse must be to grab it there, in scene units."""

FRAME_RADIUS = 10.0
"""The radius of a frame's corners, in scene units."""

NOTE_RADIUS = 6.0
"""The radius of a note's corners, in scene units."""


class AnnotationItem(QGraphicsItem):
    """Shows a frame or note. The layer tells it what changed; mouse events go to gestures and not to items."""

    def __init__(self, annotation: Annotation) -> None:
        super().__init__()
        self.annotation = annotation
        self.selected = self.hovered = self.focused = False
        self.size = QSizeF(*annotation.size)
        self._text: QStaticText | None = None
        self.setAcceptedMouseButtons(Qt.NoButton)
        self.setZValue(-3 if self.is_frame else -2)

    @property
    def is_frame(self) -> bool:
        """Whether it is a frame, which lies behind all notes, wires and blocks."""
        return isinstance(self.annotation, Frame)

    def show_annotation(self, annotation: Annotation) -> None:
        """Show this state of the frame or note, at its place in the design."""
        if annotation != self.annotation or self.size != QSizeF(*annotation.size):
            self.annotation = annotation
            self.resize(QSizeF(*annotation.size))
        self.setPos(QPointF(*annotation.position))

    def resize(self, size: QSizeF) -> None:
        """Show another size, which the design has not got yet while the mouse is down."""
        self.prepareGeometryChange()
        self.size = size
        self.lay_out()

    def lay_out(self) -> None:
        """Lay the text out anew, after a change of text, size or fonts."""
        self._text = None
        self.setZValue(-3 if self.is_frame else -2)
        self.update()

    @property
    def body(self) -> QRectF:
        """The outline, in the item's own coordinates."""
        return QRectF(QPointF(0, 0), self.size)

    @property
    def outline(self) -> QRectF:
        """The outline, in scene coordinates."""
        return self.body.translated(self.pos())

    def handle(self) -> QRectF:
        """Return the corner that resizes, in the item's own coordinates."""
        return QRectF(self.size.width() - HANDLE_SIZE, self.size.height() - HANDLE_SIZE, HANDLE_SIZE, HANDLE_SIZE)

    def grabbed_at(self, point: QPointF) -> bool:
        """Return whether a point of the scene grabs it: a note anywhere, a frame at its title and its edges.

        Within a frame the mouse reaches the canvas and the blocks.
        """
        local = point - self.pos()
        if not self.body.adjusted(-BORDER_REACH, -BORDER_REACH, BORDER_REACH, BORDER_REACH).contains(local):
            return False
        if not self.is_frame:
            return self.body.contains(local)
        inner = self.body.adjusted(BORDER_REACH, TITLE_HEIGHT, -BORDER_REACH, -BORDER_REACH)
        return not inner.contains(local) or self.handle().contains(local)

    def handle_at(self, point: QPointF) -> bool:
        """Return whether a point of the scene is on the corner that resizes."""
        return self.handle().contains(point - self.pos())

    def description(self) -> str:
        """Return the frame or note as one line of text for screen readers."""
        one = self.annotation
        words = f"Frame {one.title or 'without a title'}" if isinstance(one, Frame) else f"Note: {one.text or 'empty'}"
        return f"{words} ({one.color})"

    def boundingRect(self) -> QRectF:
        return self.body.adjusted(-6, -6, 6, 6)

    def paint(self, painter: QPainter | None, option: QStyleOptionGraphicsItem | None, widget: QWidget | None = None) -> None:
        assert painter is not None
        look, scale = canvas_style.current(), painter.worldTransform().m11()
        color = look.annotation[self.annotation.color]
        if self.is_frame:
            self._paint_frame(painter, look, color, scale)
        else:
            self._paint_note(painter, look, color, scale)
        if self.focused and scale >= PORT_SCALE:
            ring = QColor(look.accent)
            ring.setAlphaF(0.3)
            painter.setPen(canvas_style.pen(ring, 4))
            painter.setBrush(Qt.NoBrush)
            painter.drawRoundedRect(self.body.adjusted(-3, -3, 3, 3), FRAME_RADIUS + 2, FRAME_RADIUS + 2)
        if (self.selected or self.hovered) and scale >= PORT_SCALE:
            self._paint_handle(painter, look.accent if self.selected else color)

    def _outline_pen(self, painter: QPainter, look: canvas_style.CanvasStyle, color: QColor, faint: float) -> None:
        scale = painter.worldTransform().m11()
        outline = look.accent if self.selected else canvas_style.mixed(look.canvas, color, 1.0 if self.hovered else faint)
        painter.setPen(canvas_style.pen(outline, (2.2 if self.selected else 1.3) * max(1.0, 0.5 / scale)))

    def _paint_frame(self, painter: QPainter, look: canvas_style.CanvasStyle, color: QColor, scale: float) -> None:
        fill = QColor(color)
        fill.setAlphaF(0.10 if look.theme.dark else 0.07)
        self._outline_pen(painter, look, color, 0.55)
        painter.setBrush(fill)
        painter.drawRoundedRect(self.body, FRAME_RADIUS, FRAME_RADIUS)
        title = self.annotation.title if isinstance(self.annotation, Frame) else ""
        if scale < TITLE_SCALE or not title:
            return
        far = scale < DETAIL_SCALE
        metrics, font = (look.far_metrics, look.far_font) if far else (look.title_metrics, look.title_font)
        growth = 1.0 if far else canvas_style.text_growth(scale, TITLE_GROWTH)
        shown = metrics.elidedText(title, Qt.ElideRight, max((self.size.width() - 24) / growth, 10.0))
        painter.setFont(font)
        painter.setPen(color)
        top = max((TITLE_HEIGHT - metrics.height() * growth) / 2, 2)
        canvas_style.draw_text(painter, QPointF(12, top), look.static_text(shown, "far" if far else "title"), growth)

    def _paint_note(self, painter: QPainter, look: canvas_style.CanvasStyle, color: QColor, scale: float) -> None:
        self._outline_pen(painter, look, color, 0.4)
        painter.setBrush(canvas_style.mixed(look.body, color, 0.16 if look.theme.dark else 0.10))
        painter.drawRoundedRect(self.body, NOTE_RADIUS, NOTE_RADIUS)
        painter.fillRect(QRectF(1.5, NOTE_RADIUS, 3, self.size.height() - 2 * NOTE_RADIUS), color)
        if scale < TITLE_SCALE:
            return
        painter.save()
        room = self.body.adjusted(NOTE_PADDING, NOTE_PADDING / 2, -NOTE_PADDING / 2, -NOTE_PADDING / 2)
        painter.setClipRect(room, Qt.IntersectClip)
        text = self.annotation.text if isinstance(self.annotation, Note) else ""
        painter.setFont(look.small_font)
        painter.setPen(look.text if text else look.faint)
        if self._text is None:
            self._text = wrapped(text or "Empty note: double-click to write", self.size.width())
        painter.drawStaticText(QPointF(NOTE_PADDING + 2, NOTE_PADDING), self._text)
        painter.restore()

    def _paint_handle(self, painter: QPainter, color: QColor) -> None:
        painter.setPen(canvas_style.pen(color, 1.4))
        right, bottom = self.size.width() - 4, self.size.height() - 4
        for reach in (5.0, 10.0):
            painter.drawLine(QPointF(right - reach, bottom), QPointF(right, bottom - reach))


def wrapped(text: str, width: float) -> QStaticText:
    """Return a note's text, laid out for a note of this width."""
    static = QStaticText(text.replace("\n", LINE_SEPARATOR))
    static.setTextFormat(Qt.PlainText)
    static.setTextWidth(max(width - 2 * NOTE_PADDING - 2, 20.0))
    static.setTextOption(QTextOption(Qt.AlignLeft))
    static.prepare(font=canvas_style.current().small_font)
    return static


def fitting_height(text: str, width: float) -> float:
    """Return the height of a note of this width that shows all of its text."""
    return min(wrapped(text, width).size().height() + 2 * NOTE_PADDING + 2, MAX_SIDE)
