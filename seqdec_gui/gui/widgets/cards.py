"""Cards in a grid with as many columns as fit."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QRect, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QPainter, QPaintEvent, QPixmap
from PyQt5.QtWidgets import (
    QAbstractButton,
    QLabel,
    QLayout,
    QLayoutItem,
    QSizePolicy,
    QStyle,
    QStyleOption,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.wording import breakable, shortened
from seqdec_gui.gui.look import theme

MOST_LETTERS = 44
"""The greatest length of a title on a card; a longer one loses letters in its middle."""

LONG_WORD = 18
"""The length from which a word may be broken, in letters: the narrowest card has room for no more."""


class Card(QAbstractButton):
    """A picture, a title and a sentence. A click, Enter or Space activates the card."""

    activated = pyqtSignal()

    def __init__(self, title: str, summary: str = "", picture_height: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setContentsMargins(1, 1, 1, 1)  # the border
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Preferred)  # a button's height would be fixed before texts wrap
        self.setFocusPolicy(Qt.StrongFocus)
        self.setCursor(Qt.PointingHandCursor)
        self.setAccessibleName(title)
        self.setAccessibleDescription(summary)
        self.setAttribute(Qt.WA_Hover)
        self.clicked.connect(self.activated)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (3 * theme.SPACE,))
        layout.setSpacing(theme.SPACE)
        self._picture = QLabel(alignment=Qt.AlignCenter)
        self._picture.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)  # a picture must not widen its card
        self._picture.setFixedHeight(picture_height)
        heading = QLabel(breakable(shortened(title, MOST_LETTERS), LONG_WORD), wordWrap=True)
        heading.setTextFormat(Qt.PlainText)
        if len(title) > MOST_LETTERS:
            self.setToolTip(title)
        heading.setProperty("role", "value")
        words = QLabel(breakable(summary, LONG_WORD), wordWrap=True)
        words.setProperty("role", "small")
        words.setAlignment(Qt.AlignLeft | Qt.AlignTop)
        layout.addWidget(self._picture)
        layout.addWidget(heading)
        layout.addWidget(words)
        layout.addStretch(1)
        self._picture.setVisible(picture_height > 0)  # only now: without a parent they would be shown as windows of their own
        words.setVisible(bool(summary))

    @property
    def room(self) -> int:
        """Return the width that a picture can have, in pixels."""
        margins = self.layout().contentsMargins()
        return int(self.width() - margins.left() - margins.right() - 2)

    def set_picture(self, picture: QPixmap) -> None:
        self._picture.setPixmap(picture)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key_Return, Qt.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ground and the border that the style sheet has for a card."""
        option = QStyleOption()
        option.initFrom(self)
        self.style().drawPrimitive(QStyle.PE_Widget, option, QPainter(self), self)


GREATEST_STRETCH = 1.4
"""How much wider than the least width the items of a grid become, to fill a row."""


class GridLayout(QLayout):
    """A layout of items of equal size, with as many in a row as fit. The items fill the row's width if they are enough."""

    def __init__(self, parent: QWidget | None = None, least_width: int = 200, gap: int = 3 * theme.SPACE) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._least_width = least_width
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem | None) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def sizeHint(self) -> QSize:
        return QSize(3 * self._least_width + 2 * self._gap, self.heightForWidth(3 * self._least_width + 2 * self._gap))

    def minimumSize(self) -> QSize:
        return QSize(self._least_width, 0)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def _arrange(self, rect: QRect, move: bool) -> int:
        """Place the items if `move`, and return the height that they need."""
        shown = [item for item in self._items if item.widget() is not None and not item.widget().isHidden()]
        if not shown:
            return 0
        columns = min(len(shown), max(1, (rect.width() + self._gap) // (self._least_width + self._gap)))
        width = min((rect.width() - (columns - 1) * self._gap) // columns, int(GREATEST_STRETCH * self._least_width))
        height = max(_height(item, width) for item in shown)
        for place, item in enumerate(shown):
            row, column = divmod(place, columns)
            if move:
                corner = rect.topLeft() + QPoint(column * (width + self._gap), row * (height + self._gap))
                item.setGeometry(QRect(corner, QSize(width, height)))
        rows = -(-len(shown) // columns)
        return rows * height + (rows - 1) * self._gap


def _height(item: QLayoutItem, width: int) -> int:
    return item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
