"""A wire on the canvas, and the label with the shape that travels on it."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPainterPath, QPainterPathStroker, QStaticText
from PyQt5.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from seqdec_gui.domain.design import Link
from seqdec_gui.domain.drawing.routing import Rect
from seqdec_gui.domain.types import PortType
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.look.canvas_style import DETAIL_SCALE, PORT_SCALE

LABEL_HEIGHT = 18.0
"""The height of the label on a wire, in scene units."""

LABEL_PADDING = 7.0
"""The space left and right of a label's text, in scene units."""


class WireLabel(QGraphicsItem):
    """The label of a wire. It is an item of its own, so that it lies above all wires."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: tuple[float, ...] = ()
        """The widths of the label with each of its texts, the longest first, in scene units."""
        self.color = self.text_color = QColor()
        self._texts: tuple[QStaticText, ...] = ()
        self._chosen = 0
        self.text_growth = 1.0
        """The factor by which the label can be painted larger at small scales."""
        self.setAcceptedMouseButtons(Qt.NoButton)
        self.setZValue(-0.2)

    @property
    def width(self) -> float:
        """The width of the label with the text that it shows, in scene units; 0 if there is none."""
        return self.widths[self._chosen] if self.widths else 0.0

    @property
    def longest(self) -> float:
        """The width of the label with its longest text."""
        return self.widths[0] if self.widths else 0.0

    def show_texts(self, texts: Sequence[str]) -> None:
        """Show the longest of these texts, unless a shorter one was chosen, and measure the label anew."""
        look = canvas_style.current()
        self.prepareGeometryChange()
        self._texts = tuple(look.static_text(text) for text in texts)
        self.widths = tuple(look.small_metrics.horizontalAdvance(text) + 2 * LABEL_PADDING for text in texts)
        self._chosen = min(self._chosen, max(len(texts) - 1, 0))

    def choose(self, place: int) -> None:
        """Show the text at this place, 0 for the longest."""
        if place != self._chosen:
            self.prepareGeometryChange()
            self._chosen = place
            self.update()

    def boundingRect(self) -> QRectF:
        return self._outline(self.text_growth).adjusted(-1, -1, 1, 1)

    def _outline(self, growth: float) -> QRectF:
        width, height = self.width * growth, LABEL_HEIGHT * growth
        return QRectF(-width / 2, -height / 2, width, height)

    def set_growth(self, growth: float) -> None:
        """Say by how much the label may be painted larger at small scales."""
        if growth != self.text_growth:
            self.prepareGeometryChange()
            self.text_growth = growth

    def paint(self, painter: QPainter | None, option: QStyleOptionGraphicsItem | None, widget: QWidget | None = None) -> None:
        assert painter is not None
        if painter.worldTransform().m11() < DETAIL_SCALE or not self._texts:
            return
        look = canvas_style.current()
        growth = canvas_style.text_growth(painter.worldTransform().m11(), self.text_growth)
        outline = self._outline(growth)
        painter.setPen(canvas_style.pen(canvas_style.mixed(look.canvas, self.color, 0.45), 1))
        painter.setBrush(look.canvas)
        painter.drawRoundedRect(outline, outline.height() / 2, outline.height() / 2)
        painter.setFont(look.small_font)
        painter.setPen(self.text_color)
        corner = QPointF(LABEL_PADDING - self.width / 2, -look.small_metrics.height() / 2) * growth
        canvas_style.draw_text(painter, corner, self._texts[self._chosen], growth)


class WireItem(QGraphicsItem):
    """A wire along a route. Selected or under the mouse it shows its label even where there is no room for it."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link
        self.port_type: PortType | None = None
        self.problem = ""
        self.selected = self.hovered = self.faded = False
        self.points: tuple[tuple[float, float], ...] = ()
        self.path = QPainterPath()
        self.label = WireLabel()
        self.label_place: Rect | None = None
        self._has_type = False
        self._shape: QPainterPath | None = None
        self._rect = QRectF()
        self.setAcceptedMouseButtons(Qt.NoButton)
        self.setZValue(-1)

    def show_type(self, port_type: PortType | None, problem: str) -> bool:
        """Show the type that the wire carries, and its problem if not empty. Returns whether the label's width changed."""
        if self._has_type and (port_type, problem) == (self.port_type, self.problem):
            return False
        self.port_type, self.problem, self._has_type = port_type, problem, True
        return self.lay_out()

    def lay_out(self) -> bool:
        """Measure the label again. Returns whether its width changed."""
        before = self.label.widths
        self.label.show_texts(canvas_style.wire_texts(self.port_type))
        self.show_state()
        return self.label.widths != before

    def show_state(self, **state: bool) -> None:
        """Set any of `selected`, `hovered` and `faded`, and show the wire accordingly."""
        for name, value in state.items():
            setattr(self, name, value)
        look = canvas_style.current()
        self.setZValue(-0.4 if self.hovered else -0.5 if self.selected else -1)
        self.label.setZValue(-0.1 if self.hovered or self.selected else -0.2)
        self.label.color = self.color()
        self.label.text_color = look.error if self.problem else look.text
        self.label.setVisible((self.label_place is not None or self.selected or self.hovered) and not self.faded)
        self.label.update()
        self.update()

    def color(self) -> QColor:
        """Return the colour of the wire in its present state."""
        look = canvas_style.current()
        if self.selected:
            return look.accent
        return look.error if self.problem else look.wire[canvas_style.wire_class(self.port_type)]

    def show_route(self, points: Sequence[tuple[float, float]], label: Rect | None) -> None:
        """Lead the wire along these points, and put the label into this place; None means that there is no room for it."""
        if tuple(points) == self.points and label == self.label_place:
            return
        self.prepareGeometryChange()
        if tuple(points) != self.points:
            self.points = tuple(points)
            self.path = canvas_style.rounded([QPointF(x, y) for x, y in points])
            self._shape = None
        self.label_place = label
        self._rect = self.path.controlPointRect().adjusted(-8, -8, 8, 8)
        if label is not None:
            self.label.setPos((label.left + label.right) / 2, (label.top + label.bottom) / 2)
        else:
            self.label.setPos(self.path.pointAtPercent(0.5))
        self.show_state()

    def boundingRect(self) -> QRectF:
        return self._rect

    def shape(self) -> QPainterPath:
        if self._shape is None:
            stroker = QPainterPathStroker()
            stroker.setWidth(12)
            self._shape = stroker.createStroke(self.path)
        return self._shape

    def hit(self, point: QPointF, slack: float) -> bool:
        """Return whether a point of the scene lies on the label, or within `slack` of the wire."""
        if self.label_place is not None and self.label.boundingRect().contains(point - self.label.pos()):
            return True
        return self.shape().intersects(QRectF(point.x() - slack / 2, point.y() - slack / 2, slack, slack))

    def tool_tip(self) -> str:
        """Return the two ports, and the problem of the wire or the type that it carries."""
        return f"{self.link}\n{self.problem or self.port_type or 'The shape is not known yet.'}"

    def paint(self, painter: QPainter | None, option: QStyleOptionGraphicsItem | None, widget: QWidget | None = None) -> None:
        assert painter is not None
        scale, color = painter.worldTransform().m11(), self.color()
        if self.faded:
            painter.setOpacity(0.25)
        painter.setBrush(Qt.NoBrush)
        if scale < PORT_SCALE:
            painter.setPen(canvas_style.pen(color, 0 if not self.selected else 2 / scale))
            painter.drawPolyline(*[QPointF(x, y) for x, y in self.points])
            return
        width = canvas_style.wire_width(self.port_type) + (1.2 if self.selected or self.hovered else 0.0)
        painter.setPen(canvas_style.pen(color, width, Qt.DashLine if self.problem else Qt.SolidLine))
        painter.drawPath(self.path)
