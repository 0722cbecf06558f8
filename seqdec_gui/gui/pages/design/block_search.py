"""A list of blocks over the canvas to search and choose from: what can be added here, or what fits a wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PyQt5.QtCore import QEvent, QModelIndex, QObject, QPoint, QRect, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QColor, QFontMetrics, QIcon, QKeyEvent, QPainter
from PyQt5.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.gui.look import icons, theme
from seqdec_gui.gui.look.theme import SPACE

WIDTH = 340
"""The width of the list, in pixels."""

MAX_HEIGHT = 400
"""The largest height of the list with its search field, in pixels."""

LEAST_HEIGHT = 230
"""The least height of the list, even where that hides the place that it belongs to, in pixels."""

BASE_HEIGHT = 84
"""The height without any entry, in pixels."""

DISTANCE = 12
"""How far from its place the list begins, in pixels."""

ROW_HEIGHT = 44
"""The height of one entry, in pixels."""

TILE = 28
"""The side of the square behind an entry's icon, in pixels."""

_ENTRY = Qt.UserRole + 1
"""The role of an item's number among the entries."""


class Entry(NamedTuple):
    """One line: a title, a sentence below it, an icon in the colour of a category, and what choosing it does."""

    title: str
    detail: str
    icon: str
    category: str
    words: str
    command: Callable[[], object]


def matches(entries: Sequence[Entry], text: str) -> list[int]:
    """Return the numbers of the entries with all words of a text, those whose title begins with it first."""
    words = text.lower().split()
    ranked: list[tuple[int, int]] = []
    for number, entry in enumerate(entries):
        title, everything = entry.title.lower(), f"{entry.title} {entry.detail} {entry.words}".lower()
        if all(word in everything for word in words):
            rank = 0 if title.startswith(" ".join(words)) else 1 if all(word in title for word in words) else 2
            ranked.append((rank if words else 0, number))
    return [number for _, number in sorted(ranked)]


class BlockSearch(QFrame):
    """Search field `block_search_text` and list `block_search_list`.

    Enter or a click chooses; Escape or a press elsewhere closes. It deletes itself when it closes.
    """

    closed = pyqtSignal()

    def __init__(self, title: str, entries: Sequence[Entry], empty: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("block_search")
        self.setAccessibleName(title)
        self.setProperty("role", "card")
        self.setAttribute(Qt.WA_NoMousePropagation)
        self._entries, self._empty, self._is_closed = list(entries), empty, False
        heading = QLabel(title)
        heading.setProperty("role", "section")
        heading.setContentsMargins(SPACE, 0, 0, 0)
        self.text = QLineEdit()
        self.text.setObjectName("block_search_text")
        self.text.setPlaceholderText("Search")
        self.text.setAccessibleName(title)
        self.text.textChanged.connect(self._on_text_changed)
        self.text.installEventFilter(self)
        self.setFocusPolicy(Qt.ClickFocus)
        self.setFocusProxy(self.text)  # or a press in here would give the focus to the canvas
        self.list = QListWidget()
        self.list.setObjectName("block_search_list")
        self.list.setAccessibleName(title)
        self.list.setFocusPolicy(Qt.NoFocus)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.itemClicked.connect(self._on_list_item_clicked)
        self.list.itemEntered.connect(self.list.setCurrentItem)
        self.list.currentItemChanged.connect(self._on_list_current_item_changed)
        self._nothing = QLabel()
        self._nothing.setObjectName("block_search_nothing")
        self._nothing.setProperty("role", "dim")
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignLeft | Qt.AlignTop)
        self._nothing.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(SPACE)
        for widget in (heading, self.text):
            layout.addWidget(widget)
        layout.addWidget(self._nothing, 1)  # one of the two is shown, and fills the room
        layout.addWidget(self.list, 1)
        self._on_text_changed("")

    def open_at(self, at: QPoint) -> None:
        """Show the list beside this point of the parent, inside the parent."""
        room = self.parentWidget().rect().adjusted(SPACE, SPACE, -SPACE, -SPACE)
        height = min(MAX_HEIGHT, room.height(), BASE_HEIGHT + max(len(self._entries), 1) * ROW_HEIGHT)
        place = QRect(at.x() + DISTANCE, at.y() - 6 * SPACE, min(WIDTH, room.width()), height)
        if place.right() > room.right():  # below the point or above it, so that the point stays in sight
            below, above = room.bottom() - at.y() - DISTANCE, at.y() - room.top() - DISTANCE
            place.setHeight(min(height, max(below, above, LEAST_HEIGHT)))
            place.moveRight(room.right())
            place.moveTop(at.y() + DISTANCE if below >= min(above, place.height()) else at.y() - DISTANCE - place.height())
        place.moveTop(max(min(place.top(), room.bottom() - place.height()), room.top()))
        self.setGeometry(place)
        self.show()
        self.raise_()
        self.text.setFocus(Qt.PopupFocusReason)

    @pyqtSlot(str)
    def _on_text_changed(self, text: str) -> None:
        self.list.clear()
        look = theme.current()
        for number in matches(self._entries, text):
            entry = self._entries[number]
            item = QListWidgetItem(icons.icon(entry.icon, look.category.get(entry.category, look.text_dim)), entry.title)
            item.setData(_ENTRY, number)
            item.setData(Qt.UserRole, entry.detail)
            item.setData(Qt.AccessibleTextRole, f"{entry.title}, {entry.detail}")
            item.setToolTip(entry.detail)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.setVisible(self.list.count() > 0)
        self._nothing.setVisible(not self.list.count())
        self._nothing.setText(self._empty if not self._entries else "No block fits the search.")

    @pyqtSlot(QListWidgetItem, QListWidgetItem)
    def _on_list_current_item_changed(self, item: QListWidgetItem | None, _former: QListWidgetItem | None) -> None:
        """Tell screen readers, which follow the search field, what Enter would choose."""
        self.text.setAccessibleDescription("" if item is None else item.data(Qt.AccessibleTextRole))

    @pyqtSlot(QListWidgetItem)
    def _on_list_item_clicked(self, item: QListWidgetItem) -> None:
        self._choose(item)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        command = self._entries[item.data(_ENTRY)].command
        self.close_list()
        command()

    def close_list(self) -> None:
        """Close without a choice."""
        if not self._is_closed:
            self._is_closed = True
            self.closed.emit()  # takes the focus first: a hidden field would pass it on as Tab does
            self.hide()
            self.deleteLater()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Walk the list with Up and Down, choose with Enter, close with Escape, while the search field has the focus."""
        if isinstance(event, QKeyEvent) and event.type() in (QEvent.ShortcutOverride, QEvent.KeyPress):
            steps = {Qt.Key_Up: -1, Qt.Key_Down: 1, Qt.Key_PageUp: -6, Qt.Key_PageDown: 6, Qt.Key_Backtab: -1, Qt.Key_Tab: 1}
            key = event.key()
            if key not in (Qt.Key_Escape, Qt.Key_Return, Qt.Key_Enter) and key not in steps:
                return False
            event.accept()
            if event.type() == QEvent.KeyPress:
                if key == Qt.Key_Escape:
                    self.close_list()
                elif key in steps:
                    row = self.list.currentRow() + steps[key]
                    self.list.setCurrentRow(max(0, min(row, self.list.count() - 1)))
                else:
                    self._choose(self.list.currentItem())
            return True
        lost = event is not None and event.type() == QEvent.FocusOut and not self.text.hasFocus()
        if lost and self.window().isActiveWindow():  # another window in front of this one closes nothing
            self.close_list()
        return super().eventFilter(watched, event)


class _Delegate(QStyledItemDelegate):
    """Paints an entry: an icon on a tile, the title, and the sentence below it, cut to one line."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(120, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        look, rect = theme.current(), option.rect.adjusted(0, 1, 0, -1)
        painter.save()
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(Qt.NoPen)
        if option.state & QStyle.State_Selected:
            painter.setBrush(QColor(look.selection))
            painter.drawRoundedRect(rect, theme.RADIUS, theme.RADIUS)
        tile = QRect(rect.left() + SPACE, rect.center().y() - TILE // 2 + 1, TILE, TILE)
        painter.setBrush(QColor(look.hover))
        painter.drawRoundedRect(tile, 5, 5)
        icon = index.data(Qt.DecorationRole)
        if isinstance(icon, QIcon):
            icon.paint(painter, tile.adjusted(5, 5, -5, -5))
        room = rect.adjusted(TILE + 4 * SPACE, 0, -SPACE, 0)
        for text, font, color, top in (
            (index.data(Qt.DisplayRole), theme.font("body"), look.text, 4),
            (index.data(Qt.UserRole), theme.font("small"), look.text_dim, 22),
        ):
            painter.setFont(font)
            painter.setPen(QColor(color))
            shown = QFontMetrics(font).elidedText(text, Qt.ElideRight, room.width())
            painter.drawText(room.adjusted(0, top - 2, 0, 0), Qt.AlignLeft | Qt.AlignTop, shown)
        painter.restore()
