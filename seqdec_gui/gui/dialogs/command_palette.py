"""The command palette: a field to search all actions of the window by name, and to run one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from PyQt5.QtCore import QEvent, QModelIndex, QObject, QRect, QRectF, QSize, Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter
from PyQt5.QtWidgets import (
    QFrame,
    QGraphicsDropShadowEffect,
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

from seqdec_gui.domain.fuzzy import Match, match
from seqdec_gui.gui.look import preferences, theme

WIDTH = 600
"""The width of the palette, in pixels, where the window is wide enough."""
ROWS = 11
"""The number of lines that are shown at once."""
ROW_HEIGHT = 32
"""The height of a line, in pixels."""
RECENT_SCORE = 10.0
"""What the last action that was run is preferred by; earlier ones by less."""
_COMMAND, _PLACES = Qt.UserRole, Qt.UserRole + 1


class Command(msgspec.Struct, frozen=True):
    """One line of the palette.

    `name` identifies it among the recent ones, `group` is shown dimmed before the title, `reason` says why it cannot be run.
    """

    name: str
    title: str
    group: str
    run: Callable[[], object]
    keys: str = ""
    enabled: bool = True
    reason: str = ""


def ranked(commands: Sequence[Command], query: str, recent: Sequence[str]) -> list[tuple[Command, tuple[int, ...]]]:
    """Return the commands that match, the best first, each with the places of the letters of its title that match.

    Those that were run last come first among equals, then those that can be run.
    """
    found: list[tuple[tuple[float, bool, int], Command, tuple[int, ...]]] = []
    for order, command in enumerate(commands):
        in_title = match(query, command.title)
        in_both = in_title or _match_with_group(query, command)
        if in_both is None:
            continue
        favour = RECENT_SCORE * (1 - recent.index(command.name) / len(recent)) if command.name in recent else 0.0
        score = in_both.score if query.strip() else 0.0
        found.append(((-score - favour, not command.enabled, order), command, in_both.places if query.strip() else ()))
    found.sort(key=lambda line: line[0])
    return [(command, places) for _, command, places in found]


def _match_with_group(query: str, command: Command) -> Match | None:
    """Return the match of a query that names the menu too, such as `file save`."""
    found = match(query, f"{command.group} {command.title}")
    if found is None:
        return None
    before = len(command.group) + 1
    return Match(found.score / 2, tuple(place - before for place in found.places if place >= before))


class CommandPalette(QFrame):
    """Lies over the upper part of a window until a command was chosen, Escape pressed, or something else clicked.

    Object names `command_palette`, `command_search`, `command_list`.
    """

    def __init__(self, window: QWidget, commands: Sequence[Command]) -> None:
        super().__init__(window)
        self.setObjectName("command_palette")
        self.setAccessibleName("Command palette")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self._commands = tuple(commands)
        self._recent = preferences.recent_commands()
        self._former_focus = window.focusWidget()
        self.search = QLineEdit(objectName="command_search", placeholderText="Search actions", clearButtonEnabled=True)
        self.search.setAccessibleName("Search actions")
        self.list = QListWidget(objectName="command_list")
        self.list.setAccessibleName("Actions")
        self.list.setFocusPolicy(Qt.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self.list.setItemDelegate(_Line(self.list))
        self._nothing = QLabel("No action is called like that.", alignment=Qt.AlignCenter)
        self._nothing.setProperty("role", "dim")
        self._nothing.setMinimumHeight(2 * ROW_HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (2 * theme.SPACE,))
        layout.setSpacing(2 * theme.SPACE)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        layout.addWidget(self._nothing)
        shadow = QGraphicsDropShadowEffect(self, blurRadius=36, xOffset=0, yOffset=8)
        shadow.setColor(theme.color("#000000", 0.35))
        self.setGraphicsEffect(shadow)
        self.search.textChanged.connect(self._on_search_text_changed)
        self.search.installEventFilter(self)
        self.list.itemClicked.connect(self._on_list_item_clicked)
        window.installEventFilter(self)
        self._handle = window.windowHandle()
        if self._handle is not None:
            self._handle.installEventFilter(self)  # sees every click before the widget below it
        self._on_search_text_changed("")

    def present(self) -> None:
        """Show the palette with the cursor in its field."""
        self._place()
        self.show()
        self.raise_()
        self.search.setFocus(Qt.PopupFocusReason)

    def _place(self) -> None:
        window = self.parentWidget()
        width = min(WIDTH, window.width() - 8 * theme.SPACE)
        self.setFixedWidth(width)
        self.adjustSize()
        self.move((window.width() - width) // 2, 12 * theme.SPACE)

    @pyqtSlot(str)
    def _on_search_text_changed(self, query: str) -> None:
        self.list.clear()
        for command, places in ranked(self._commands, query, self._recent):
            item = QListWidgetItem(command.title)
            item.setData(_COMMAND, command)
            item.setData(_PLACES, places)
            why = "" if command.enabled else f", not available now. {command.reason}"
            item.setData(Qt.AccessibleTextRole, f"{command.group}: {command.title} {command.keys}{why}")
            self.list.addItem(item)
        count = self.list.count()
        self.list.setCurrentRow(0)
        self.list.setVisible(count > 0)
        self.list.setFixedHeight(min(count, ROWS) * ROW_HEIGHT + 2)
        self._nothing.setVisible(count == 0)
        if self.isVisible():
            self._place()

    @pyqtSlot(QListWidgetItem)
    def _on_list_item_clicked(self, item: QListWidgetItem) -> None:
        self._run(item)

    def _run(self, item: QListWidgetItem | None) -> None:
        command = item.data(_COMMAND) if item is not None else None
        if command is None or not command.enabled:
            return
        preferences.remember_command(command.name)
        self._end()
        QTimer.singleShot(0, command.run)  # once the focus is back where the action may look for it

    def _end(self) -> None:
        self.parentWidget().removeEventFilter(self)
        if self._handle is not None:
            self._handle.removeEventFilter(self)
        self.search.removeEventFilter(self)
        if self._former_focus is not None and self.search.hasFocus():
            self._former_focus.setFocus()
        self.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move in the list with the arrow keys, and close at a click elsewhere or when the field loses the focus."""
        if watched is self.search:
            if event.type() == QEvent.KeyPress:
                return self._press(event)
            if event.type() == QEvent.FocusOut and event.reason() not in (Qt.PopupFocusReason, Qt.ActiveWindowFocusReason):
                QTimer.singleShot(0, self._close_unless_focused)
        elif watched is self._handle:
            if event.type() == QEvent.MouseButtonPress and not self.geometry().contains(event.pos()):
                QTimer.singleShot(0, self._close)
        elif event.type() == QEvent.Resize:
            QTimer.singleShot(0, self._place)
        return False

    @pyqtSlot()
    def _close_unless_focused(self) -> None:
        if not self.search.hasFocus():
            self._close()

    @pyqtSlot()
    def _close(self) -> None:
        if self.isVisible():
            self._end()

    def _press(self, event: QKeyEvent) -> bool:
        steps = {Qt.Key_Down: 1, Qt.Key_Up: -1, Qt.Key_PageDown: ROWS - 1, Qt.Key_PageUp: 1 - ROWS}
        if event.key() == Qt.Key_Escape:
            self._end()
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter):
            self._run(self.list.currentItem())
        elif event.key() in (Qt.Key_Tab, Qt.Key_Backtab):
            return True
        elif event.key() in steps and self.list.count():
            step, count, row = steps[event.key()], self.list.count(), self.list.currentRow()
            around = abs(step) == 1
            self.list.setCurrentRow((row + step) % count if around else max(0, min(count - 1, row + step)))
        else:
            return False
        return True


class _Line(QStyledItemDelegate):
    """Paints a command: its menu dimmed, its title with what matches in bold, and its keys or why it cannot be run."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:
        return QSize(100, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        command: Command = index.data(_COMMAND)
        look = theme.current()
        painter.save()
        painter.setRenderHint(QPainter.Antialiasing)
        chosen = bool(option.state & QStyle.State_Selected)
        if chosen or option.state & QStyle.State_MouseOver:
            painter.setPen(Qt.NoPen)
            painter.setBrush(theme.color(look.selection if chosen else look.hover))
            painter.drawRoundedRect(QRectF(option.rect.adjusted(0, 1, 0, -1)), theme.RADIUS, theme.RADIUS)
        area = option.rect.adjusted(3 * theme.SPACE, 0, -3 * theme.SPACE, 0)
        text = look.text if command.enabled else look.text_disabled
        right = command.keys if command.enabled else command.reason
        small = QFont(option.font)
        small.setPointSizeF(option.font.pointSizeF() * 0.9)
        room = self._paint_right(painter, area, right, small, look.text_dim)
        x = area.left()
        painter.setFont(option.font)
        for words, bold, colour in self._pieces(command, index.data(_PLACES) or (), text, look.text_dim):
            font = QFont(option.font)
            font.setBold(bold)
            painter.setFont(font)
            painter.setPen(theme.color(colour))
            metrics = QFontMetrics(font)
            left = area.right() - room - x
            if left <= 0:
                break
            shown = metrics.elidedText(words, Qt.ElideRight, left)
            painter.drawText(
                QRect(x, area.top(), left, area.height()), Qt.AlignLeft | Qt.AlignVCenter | Qt.TextSingleLine, shown
            )
            x += metrics.horizontalAdvance(words)
        painter.restore()

    def _paint_right(self, painter: QPainter, area: QRect, words: str, font: QFont, colour: str) -> int:
        """Paint the words at the right and return the width that they take."""
        if not words:
            return 0
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(words, Qt.ElideRight, area.width() * 3 // 5)
        painter.setFont(font)
        painter.setPen(theme.color(colour))
        painter.drawText(area, Qt.AlignRight | Qt.AlignVCenter | Qt.TextSingleLine, shown)
        return metrics.horizontalAdvance(shown) + 4 * theme.SPACE

    def _pieces(self, command: Command, places: Sequence[int], text: str, dim: str) -> list[tuple[str, bool, str]]:
        """Return the parts of the line with their weight and colour."""
        pieces = [(f"{command.group}  ", False, dim)]
        bold = set(places)
        start = 0
        for end in range(1, len(command.title) + 1):
            if end == len(command.title) or (end in bold) != (start in bold):
                pieces.append((command.title[start:end], start in bold, text))
                start = end
        return pieces


__all__ = ["Command", "CommandPalette", "ranked"]
