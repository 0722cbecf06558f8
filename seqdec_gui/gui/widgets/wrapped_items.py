"""Draws the items of a list with their whole text: lines break anywhere if a word is too long, and nothing scrolls sideways."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QModelIndex, QObject, QPointF, QRect, QSize, Qt
from PyQt5.QtGui import QIcon, QPainter, QTextCharFormat, QTextLayout, QTextOption
from PyQt5.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from seqdec_gui.gui.look import theme

PLACE_ROLE = Qt.UserRole + 1
"""The role of the first part of an item's text that is drawn as a link: its number of characters."""
ICON = 16
"""The side of the icon, in pixels."""
MARGIN = 2 * theme.SPACE
"""The space left and right of an item's contents, in pixels."""


class WrappedItems(QStyledItemDelegate):
    """Draws icon and text in as many lines as they need. The place that a click leads to is drawn as a link."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent) -> bool:
        if event.type() == QEvent.Resize and watched is self._view.viewport():
            self._view.scheduleDelayedItemsLayout()  # another width needs other heights
        return False

    def _width(self) -> int:
        """Return the width of an item beside the scroll bar, whether or not that is there: it may come with the last item."""
        bar = self._view.verticalScrollBar()
        room = self._view.viewport().width()
        return int(room if bar.isVisible() else room - bar.sizeHint().width())

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        width = self._width()
        height = self._layout(index, option, width).boundingRect().height()
        return QSize(width, max(ICON, round(height + 0.5)) + MARGIN)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        assert painter is not None
        painter.save()
        style_option = QStyleOptionViewItem(option)
        self.initStyleOption(style_option, index)
        style_option.text, style_option.icon = "", QIcon()
        widget: QWidget = self._view
        widget.style().drawControl(QStyle.CE_ItemViewItem, style_option, painter, widget)
        place = option.rect
        icon = index.data(Qt.DecorationRole)
        line = option.fontMetrics.height()
        if isinstance(icon, QIcon):
            icon.paint(painter, QRect(place.left() + MARGIN, place.top() + MARGIN // 2 + (line - ICON) // 2, ICON, ICON))
        painter.setPen(theme.color(theme.current().text))
        at = QPointF(place.left() + 2 * MARGIN + ICON, place.top() + MARGIN / 2)
        self._layout(index, option, self._width()).draw(painter, at)
        painter.restore()

    def _layout(self, index: QModelIndex, option: QStyleOptionViewItem, width: int) -> QTextLayout:
        """Return the laid out text of an item in a list of this width."""
        text = str(index.data(Qt.DisplayRole) or "")
        layout = QTextLayout(text, option.font)
        wrapping = QTextOption()
        wrapping.setWrapMode(QTextOption.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(wrapping)
        length = index.data(PLACE_ROLE) or 0
        if length:
            link = QTextCharFormat()
            link.setForeground(theme.color(theme.current().accent))
            link.setFontUnderline(True)
            part = QTextLayout.FormatRange()
            part.start, part.length, part.format = 0, int(length), link
            layout.setFormats([part])
        room = max(60, width - 3 * MARGIN - ICON)
        layout.beginLayout()
        top = 0.0
        while (line := layout.createLine()).isValid():
            line.setLineWidth(room)
            line.setPosition(QPointF(0.0, top))
            top += line.height()
        layout.endLayout()
        return layout
