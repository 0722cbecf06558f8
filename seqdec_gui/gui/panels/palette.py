"""The palette: the kinds of blocks by category, to drag onto the canvas, with a search field."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QAbstractButton, QLabel, QLineEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.gui.look import canvas_style, theme
from seqdec_gui.gui.look.theme import SPACE
from seqdec_gui.gui.pages.design.design_view import DesignView

ENTRY_HEIGHT = 32
"""The height of an entry, in pixels."""
ICON_SIZE = 18
"""The side of an entry's icon, in pixels."""
DRAG_DISTANCE = 4
"""The distance that the mouse moves before a press becomes a drag, in pixels."""


IMPORTED = "keras_model"
"""The kind that needs a file: it is imported with a dialog instead of being added directly."""


class Entry(QAbstractButton):
    """One kind of block. It is dragged onto the canvas, or added by double-click or Enter."""

    chosen = pyqtSignal(str)
    stepped = pyqtSignal(int)  # 1 for the next entry, -1 for the previous one

    def __init__(self, kind: type[Kind], view: DesignView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self._view = view
        self.setObjectName(f"palette_{kind.kind()}")
        self.setAccessibleName(f"Add {kind.title}")
        self.setAccessibleDescription(kind.summary)
        self.setToolTip(kind.summary)
        self.setFocusPolicy(Qt.ClickFocus)
        self.setCursor(Qt.OpenHandCursor)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setAttribute(Qt.WA_Hover)
        self._pressed_at: QPoint | None = None
        self._dragging = False
        self.clicked.connect(self._on_clicked)

    @pyqtSlot()
    def _on_clicked(self) -> None:
        """Add the block: what an assistive program presses. The mouse and the keys do not come here."""
        self.chosen.emit(self.kind.kind())

    def sizeHint(self) -> QSize:
        words = QFontMetrics(theme.font("body")).horizontalAdvance(self.kind.title)
        return QSize(ENTRY_HEIGHT + words + 5 * SPACE, ENTRY_HEIGHT)

    def fits(self, words: list[str]) -> bool:
        """Return whether all these words occur in the entry's title, kind or summary."""
        text = f"{self.kind.title} {self.kind.kind()} {self.kind.summary}".lower()
        return all(word in text for word in words)

    # -- mouse
    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        if event.button() == Qt.LeftButton:
            self._pressed_at = event.pos()
            self.setCursor(Qt.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        if self._pressed_at is None:
            return
        if not self._dragging and (event.pos() - self._pressed_at).manhattanLength() >= DRAG_DISTANCE:
            self._dragging = True
            self._view.interaction.begin_placing(self.kind.kind())
        if self._dragging:
            self._view.interaction.move_placing(event.globalPos())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        if event.button() != Qt.LeftButton:
            return
        dragging, self._dragging, self._pressed_at = self._dragging, False, None
        self.setCursor(Qt.OpenHandCursor)
        if dragging and self.kind.kind() == IMPORTED:
            self._view.interaction.cancel_placing()
            if self._view.viewport().rect().contains(self._view.viewport().mapFromGlobal(event.globalPos())):
                self.chosen.emit(IMPORTED)
        elif dragging:
            self._view.interaction.finish_placing(event.globalPos())

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        if event.button() == Qt.LeftButton:
            self.chosen.emit(self.kind.kind())

    def _stop_dragging(self) -> None:
        if self._dragging:
            self._dragging = False
            self._pressed_at = None
            self._view.interaction.cancel_placing()
            self.setCursor(Qt.OpenHandCursor)

    # -- keyboard
    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        if event.key() == Qt.Key_Escape and self._dragging:
            self._stop_dragging()
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter, Qt.Key_Space):
            self.chosen.emit(self.kind.kind())
        elif event.key() in (Qt.Key_Up, Qt.Key_Down):
            self.stepped.emit(-1 if event.key() == Qt.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        super().focusOutEvent(event)
        self.update()

    # -- painting
    def paintEvent(self, event: QPaintEvent | None) -> None:
        look, painter = canvas_style.current(), QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setRenderHint(QPainter.SmoothPixmapTransform)
        room = self.rect().adjusted(1, 1, -1, -1)
        painter.setPen(canvas_style.pen(look.accent, 1.5) if self.hasFocus() else Qt.NoPen)
        painter.setBrush(look.pill if self.underMouse() or self._dragging else Qt.NoBrush)
        painter.drawRoundedRect(room, theme.RADIUS, theme.RADIUS)
        tile = room.adjusted(SPACE, 2, 0, -2)
        tile.setWidth(tile.height())
        painter.setPen(Qt.NoPen)
        painter.setBrush(look.tint[self.kind.category])
        painter.drawRoundedRect(tile, 5, 5)
        pixmap = look.icon(self.kind())
        at = tile.center() - QPoint(ICON_SIZE // 2 - 1, ICON_SIZE // 2 - 1)
        painter.drawPixmap(at.x(), at.y(), ICON_SIZE, ICON_SIZE, pixmap)
        painter.setFont(theme.font("body"))
        painter.setPen(look.text)
        words = room.adjusted(tile.right() + 2 * SPACE, 0, -SPACE, 0)
        title = painter.fontMetrics().elidedText(self.kind.title, Qt.ElideRight, words.width())
        painter.drawText(words, Qt.AlignVCenter | Qt.AlignLeft, title)
        painter.end()


class Palette(QWidget):
    """Lists all kinds of the catalog."""

    import_requested = pyqtSignal()  # a Keras model was chosen

    def __init__(self, view: DesignView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self.setAccessibleName("Blocks")
        self._view = view
        self.search = QLineEdit()
        self.search.setObjectName("palette_search")
        self.search.setPlaceholderText("Search blocks")
        self.search.setAccessibleName("Search blocks")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._on_search_text_changed)
        self.search.returnPressed.connect(self._on_search_return_pressed)
        self._nothing = QLabel("No block fits the search.")
        self._nothing.setProperty("role", "dim")
        self._nothing.setWordWrap(True)
        self._nothing.hide()
        self._headings: dict[str, QLabel] = {}
        self.entries: list[Entry] = []
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(2 * SPACE, 0, 2 * SPACE, 2 * SPACE)
        self._list.setSpacing(2)
        for kind in KINDS.values():
            self._add(kind)
        self._list.addWidget(self._nothing)
        self._list.addStretch(1)
        self._area = QScrollArea()
        self._area.setWidget(inner)
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        top = QVBoxLayout()
        top.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, SPACE)
        top.addWidget(self.search)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self._area, 1)
        self._set_tab_stop(self.entries[0])
        theme.notifier.changed.connect(self._on_theme_changed)

    def sizeHint(self) -> QSize:
        """Return a size in which no title is cut, while the list scrolls."""
        widest = max(entry.sizeHint().width() for entry in self.entries)
        return QSize(widest + 4 * SPACE + self._area.verticalScrollBar().sizeHint().width(), super().sizeHint().height())

    def _add(self, kind: type[Kind]) -> None:
        if kind.category not in self._headings:
            heading = self._headings[kind.category] = QLabel(kind.category)
            heading.setProperty("role", "section")
            heading.setContentsMargins(SPACE, 2 * SPACE, 0, SPACE)
            self._list.addWidget(heading)
        entry = Entry(kind, self._view)
        entry.chosen.connect(self._on_entry_chosen)
        entry.stepped.connect(self._on_entry_stepped)
        self.entries.append(entry)
        self._list.addWidget(entry)

    def _shown(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.isHidden()]

    def _set_tab_stop(self, current: Entry) -> None:
        """Make this entry the only one that Tab reaches; Up and Down move on from there."""
        for entry in self.entries:
            entry.setFocusPolicy(Qt.StrongFocus if entry is current else Qt.ClickFocus)

    @pyqtSlot(str)
    def _on_entry_chosen(self, kind: str) -> None:
        if kind == IMPORTED and self.receivers(self.import_requested):
            self.import_requested.emit()
        else:
            self._view.editor.add_block(kind)

    @pyqtSlot(int)
    def _on_entry_stepped(self, step: int) -> None:
        shown, sender = self._shown(), self.sender()
        at = next(i for i, entry in enumerate(shown) if entry is sender) + step
        if at < 0:
            self.search.setFocus()
        elif at < len(shown):
            self._set_tab_stop(shown[at])
            shown[at].setFocus(Qt.TabFocusReason)
            self._area.ensureWidgetVisible(shown[at])

    @pyqtSlot(str)
    def _on_search_text_changed(self, text: str) -> None:
        words = text.lower().split()
        for entry in self.entries:
            entry.setVisible(entry.fits(words))
        shown = self._shown()
        for category, heading in self._headings.items():
            heading.setVisible(any(entry.kind.category == category for entry in shown))
        self._nothing.setVisible(not shown)
        if shown:
            self._set_tab_stop(shown[0])

    @pyqtSlot()
    def _on_search_return_pressed(self) -> None:
        """Add the first block whose title contains the words; if none does, the first one in the list."""
        shown, words = self._shown(), self.search.text().lower().split()
        titled = [entry for entry in shown if all(word in entry.kind.title.lower() for word in words)]
        if shown:
            self._on_entry_chosen((titled or shown)[0].kind.kind())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move from the search field to the list with Down, and empty the field with Escape."""
        assert event is not None
        shown = self._shown()
        if event.key() == Qt.Key_Down and self.search.hasFocus() and shown:
            self._set_tab_stop(shown[0])
            shown[0].setFocus(Qt.TabFocusReason)
        elif event.key() == Qt.Key_Escape and self.search.text():
            self.search.clear()
        else:
            super().keyPressEvent(event)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.update()
