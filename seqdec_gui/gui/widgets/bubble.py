"""A speech bubble that points at something in a window and lets every click through, except on its own button."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QPainter, QPainterPath, QPaintEvent
from PyQt5.QtWidgets import QLabel, QPushButton, QWidget

from seqdec_gui.gui.look import theme

WIDTH = 268
"""The width of the text, in pixels."""
PADDING = 3 * theme.SPACE
"""The space around the text, in pixels."""
ARROW = 9
"""The height of the arrow, in pixels, and half its width."""
DISTANCE = 3
"""The space between the arrow and what it points at, in pixels."""


class Bubble(QWidget):
    """Points at a rectangle of its window from below, above, or beside it. `dismissed` is emitted when its button is clicked.

    Object names `help_bubble`, `help_bubble_text`, `help_bubble_skip`. It never takes the focus.
    """

    dismissed = pyqtSignal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("help_bubble")
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self._arrow = QPoint()
        self._body = QRect()
        self._label = QLabel(self, wordWrap=True, objectName="help_bubble_text")
        self._label.setProperty("role", "on_accent")
        # Beside the bubble and not in it, where no click would arrive.
        self._skip = QPushButton("Skip", window, objectName="help_bubble_skip", focusPolicy=Qt.NoFocus)
        self._skip.setProperty("kind", "on_accent")
        self._skip.setCursor(Qt.PointingHandCursor)
        self._skip.clicked.connect(self.dismissed)
        self.hide()
        self._skip.hide()

    @property
    def text(self) -> str:
        return self._label.text()

    def point_at(self, target: QRect, text: str, button: str = "Skip") -> None:
        """Show a sentence beside a rectangle, which is given in coordinates of the window."""
        self._label.setText(text)
        self._skip.setText(button)
        self.setAccessibleName(text)
        size = self._size()
        window = self.parentWidget().rect().adjusted(theme.SPACE, theme.SPACE, -theme.SPACE, -theme.SPACE)
        body = self._place(target, size, window)
        self._arrow = _nearest(target, body)
        whole = body.adjusted(-ARROW, -ARROW, ARROW, ARROW)
        self._body = body.translated(-whole.topLeft())
        self.setGeometry(whole)
        self._label.setGeometry(self._body.adjusted(PADDING, PADDING, -PADDING, -PADDING - self._skip.sizeHint().height()))
        self._arrow -= whole.topLeft()
        hint = self._skip.sizeHint()
        corner = body.bottomRight() - QPoint(hint.width() + 2 * theme.SPACE, hint.height() + 2 * theme.SPACE)
        self._skip.setGeometry(QRect(corner, hint))
        self.show()
        self._skip.show()
        self.raise_()
        self._skip.raise_()
        self.update()

    def conceal(self) -> None:
        """Hide the bubble and its button."""
        self.hide()
        self._skip.hide()

    def remove(self) -> None:
        """Delete the bubble and its button."""
        self.conceal()
        self._skip.deleteLater()
        self.deleteLater()

    def _size(self) -> QSize:
        room = WIDTH - 2 * PADDING
        height = self._label.heightForWidth(room)
        return QSize(WIDTH, height + 2 * PADDING + self._skip.sizeHint().height() + theme.SPACE)

    def _place(self, target: QRect, size: QSize, window: QRect) -> QRect:
        """Return where the bubble lies: below the target, above, right or left of it, whichever has room first."""
        gap = ARROW + DISTANCE
        middle = target.center()
        x = max(window.left(), min(middle.x() - size.width() // 2, window.right() - size.width()))
        y = max(window.top(), min(middle.y() - size.height() // 2, window.bottom() - size.height()))
        places = (
            QRect(QPoint(x, target.bottom() + gap), size),
            QRect(QPoint(x, target.top() - gap - size.height()), size),
            QRect(QPoint(target.right() + gap, y), size),
            QRect(QPoint(target.left() - gap - size.width(), y), size),
        )
        return next((place for place in places if window.contains(place)), places[0])

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        outline = QPainterPath()
        outline.setFillRule(Qt.WindingFill)
        outline.addRoundedRect(QRectF(self._body), 8, 8)
        outline = outline.united(_tip(QPointF(self._arrow), QRectF(self._body)))
        painter.setPen(Qt.NoPen)
        painter.setBrush(theme.color(theme.current().accent))
        painter.drawPath(outline)


def _nearest(target: QRect, body: QRect) -> QPoint:
    """Return the point of the target that the arrow shows at: on the side of the bubble."""
    x = max(body.left() + 20, min(target.center().x(), body.right() - 20))
    y = max(body.top() + 20, min(target.center().y(), body.bottom() - 20))
    if body.top() > target.bottom():
        return QPoint(x, body.top() - ARROW)
    if body.bottom() < target.top():
        return QPoint(x, body.bottom() + ARROW)
    return QPoint(body.left() - ARROW if body.left() > target.right() else body.right() + ARROW, y)


def _tip(point: QPointF, body: QRectF) -> QPainterPath:
    path = QPainterPath(point)
    if point.y() < body.top() or point.y() > body.bottom():
        edge = body.top() + 1 if point.y() < body.top() else body.bottom() - 1
        path.lineTo(point.x() - ARROW, edge)
        path.lineTo(point.x() + ARROW, edge)
    else:
        edge = body.left() + 1 if point.x() < body.left() else body.right() - 1
        path.lineTo(edge, point.y() - ARROW)
        path.lineTo(edge, point.y() + ARROW)
    path.closeSubpath()
    return path
