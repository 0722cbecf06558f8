"""A wire on the canvas, and the label that says what it carries."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPainterPath, QPainterPathStroker, QStaticText
from PyQt5.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from seqdec_gui.domain.design import Link
from seqdec_gui.domain.drawing.routing import Rect
from seqdec_gui.domain.types import PortType
from seqdec_gui.gui.pages.design import style as styles
from seqdec_gui.gui.pages.design.style import FAR, NEAR

LABEL_HEIGHT = 18.0


class WireLabel(QGraphicsItem):
    """What a wire carries, in a pill. An item of its own, so that it lies above all wires."""

    def __init__(self) -> None:
        super().__init__()
        self.width = 0.0
        self.color = self.text_color = QColor()
        self._text: QStaticText | None = None
        self._text_width = 0.0
        self.setAcceptedMouseButtons(Qt.NoButton)
        self.setZValue(-0.2)

    def show_text(self, text: str) -> None:
        look = styles.current()
        self.prepareGeometryChange()
        self._text = look.static_text(text)
        self._text_width = look.small_metrics.horizontalAdvance(text)
        self.width = self._text_width + 14 if text else 0.0

    def boundingRect(self) -> QRectF:
        return QRectF(-self.width / 2, -LABEL_HEIGHT / 2, self.width, LABEL_HEIGHT).adjusted(-1, -1, 1, 1)

    def paint(self, painter: QPainter | None, option: QStyleOptionGraphicsItem | None, widget: QWidget | None = None) -> None:
        assert painter is not None
        if painter.worldTransform().m11() < NEAR or self._text is None or not self.width:
            return
        look = styles.current()
        painter.setPen(styles.pen(styles.mixed(look.canvas, self.color, 0.45), 1))
        painter.setBrush(look.canvas)
        painter.drawRoundedRect(self.boundingRect().adjusted(1, 1, -1, -1), LABEL_HEIGHT / 2, LABEL_HEIGHT / 2)
        painter.setFont(look.small_font)
        painter.setPen(self.text_color)
        painter.drawStaticText(QPointF(-self._text_width / 2, -look.small_metrics.height() / 2), self._text)


class WireItem(QGraphicsItem):
    """Paints a route. Selected or under the mouse it shows its label even where there is no room for it."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link
        self.given: PortType | None = None
        self.problem = ""
        self.selected = self.hovered = self.faded = False
        self.points: tuple[tuple[float, float], ...] = ()
        self.path = QPainterPath()
        self.label = WireLabel()
        self.label_place: Rect | None = None
        self._known = False
        self._shape: QPainterPath | None = None
        self._rect = QRectF()
        self.setAcceptedMouseButtons(Qt.NoButton)
        self.setZValue(-1)

    def show_type(self, given: PortType | None, problem: str) -> bool:
        """Show what the wire carries and why it is wrong, if it is. Returns whether the label's size changed."""
        if self._known and (given, problem) == (self.given, self.problem):
            return False
        self.given, self.problem, self._known = given, problem, True
        return self.lay_out()

    def lay_out(self) -> bool:
        """Measure the label again. Returns whether its width changed."""
        before = self.label.width
        self.label.show_text(styles.short_type(self.given))
        self.show_state()
        return self.label.width != before

    def show_state(self, **state: bool) -> None:
        """Be `selected`, `hovered` or `faded`, or not."""
        for name, value in state.items():
            setattr(self, name, value)
        look = styles.current()
        self.setZValue(-0.4 if self.hovered else -0.5 if self.selected else -1)
        self.label.setZValue(-0.1 if self.hovered or self.selected else -0.2)
        self.label.color = self.color()
        self.label.text_color = look.error if self.problem else look.text
        self.label.setVisible((self.label_place is not None or self.selected or self.hovered) and not self.faded)
        self.label.update()
        self.update()

    def color(self) -> QColor:
        look = styles.current()
        if self.selected:
            return look.accent
        return look.error if self.problem else look.wire[styles.wire_class(self.given)]

    def show_route(self, points: Sequence[tuple[float, float]], label: Rect | None) -> None:
        """Lie along these points, with the label there."""
        if tuple(points) == self.points and label == self.label_place:
            return
        self.prepareGeometryChange()
        if tuple(points) != self.points:
            self.points = tuple(points)
            self.path = styles.rounded([QPointF(x, y) for x, y in points])
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
        """Whether a point of the scene lies on the wire or its label."""
        if self.label_place is not None and self.label.boundingRect().contains(point - self.label.pos()):
            return True
        return self.shape().intersects(QRectF(point.x() - slack / 2, point.y() - slack / 2, slack, slack))

    def tool_tip(self) -> str:
        return f"{self.link}\n{self.problem or self.given or 'The shape is not known yet.'}"

    def paint(self, painter: QPainter | None, option: QStyleOptionGraphicsItem | None, widget: QWidget | None = None) -> None:
        assert painter is not None
        scale, color = painter.worldTransform().m11(), self.color()
        if self.faded:
            painter.setOpacity(0.25)
        painter.setBrush(Qt.NoBrush)
        if scale < FAR:
            painter.setPen(styles.pen(color, 0 if not self.selected else 2 / scale))
            painter.drawPolyline(*[QPointF(x, y) for x, y in self.points])
            return
        width = styles.wire_width(self.given) + (1.2 if self.selected or self.hovered else 0.0)
        painter.setPen(styles.pen(color, width, Qt.DashLine if self.problem else Qt.SolidLine))
        painter.drawPath(self.path)
