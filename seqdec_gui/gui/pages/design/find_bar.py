"""The bar that finds blocks, frames and notes, and steps through what was found."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QEvent, QObject, QRectF, Qt, pyqtSlot
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.design_search import Hit, found
from seqdec_gui.gui.look import icons, theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.look.theme import SPACE
from seqdec_gui.gui.pages.design.canvas_view import READABLE_ZOOM, CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.widgets.elided_label import ElidedLabel

WIDTH = 380
"""The width of the bar, in pixels."""


class FindBar(QFrame):
    """Search field `find_text`, count `find_count`, buttons `find_previous`, `find_next` and `find_close`."""

    def __init__(self, view: CanvasView, editor: DesignEditor, parent: QWidget | None = None) -> None:
        super().__init__(parent or view)
        self._view, self._editor = view, editor
        self._hits: tuple[Hit, ...] = ()
        self._at = 0
        self.setObjectName("find_bar")
        self.setAccessibleName("Find on the canvas")
        self.setProperty("role", "card")
        self.setAttribute(Qt.WA_NoMousePropagation)
        self.text = QLineEdit()
        self.text.setObjectName("find_text")
        self.text.setPlaceholderText("Find block, kind, layer or note")
        self.text.setAccessibleName("Find block, kind, layer or note")
        self.text.textChanged.connect(self._on_text_changed)
        self.text.installEventFilter(self)
        self.setFocusPolicy(Qt.ClickFocus)
        self.setFocusProxy(self.text)  # or a press in here would give the focus to the canvas
        self._count = QLabel()
        self._count.setObjectName("find_count")
        self._count.setProperty("role", "small")
        self._reason = ElidedLabel()
        self._reason.setObjectName("find_reason")
        self._reason.setProperty("role", "small")
        layout = QHBoxLayout()
        layout.setSpacing(SPACE)
        layout.addWidget(self.text, 1)
        layout.addWidget(self._count)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, SPACE, SPACE)
        column.setSpacing(SPACE)
        column.addLayout(layout)
        column.addWidget(self._reason)
        self._buttons: dict[str, QToolButton] = {}
        for name, icon, words, command in (
            ("find_previous", "chevron-up", "Previous (Shift+Enter)", lambda: self.step(-1)),
            ("find_next", "chevron-down", "Next (Enter)", lambda: self.step(1)),
            ("find_close", "close", "Close (Escape)", self.close_bar),
        ):
            button = self._button(name, words, command)
            self._buttons[icon] = button
            layout.addWidget(button)
        editor.document.design_changed.connect(self._on_document_design_changed)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    def _button(self, name: str, words: str, command: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setToolTip(words)
        button.setAccessibleName(words)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.TabFocus)
        button.clicked.connect(lambda _checked: command())
        return button

    def open_bar(self) -> None:
        """Show the bar and select its text, to be written over."""
        self.show()
        self.raise_()
        self.text.selectAll()
        self.text.setFocus(Qt.ShortcutFocusReason)
        self._search()

    def close_bar(self) -> None:
        """Hide the bar; the last block found stays selected."""
        if self.isVisible():
            self._view.setFocus(Qt.OtherFocusReason)
            self.hide()

    def place(self) -> None:
        """Move to the upper right corner of the view."""
        room = self._view.viewport().width() - 4 * SPACE
        width = min(WIDTH, room)
        self.layout().activate()
        self.setGeometry(self._view.viewport().width() - width - 2 * SPACE, 2 * SPACE, width, self.sizeHint().height())

    def step(self, by: int) -> None:
        """Go to the next hit, or the one before; the first follows the last."""
        if self._hits:
            self._at = (self._at + by) % len(self._hits)
            self._show_hit()

    def _search(self) -> None:
        document = self._editor.document
        self._hits = found(document.design, document.report.inference, self.text.text())
        self._at = min(self._at, max(len(self._hits) - 1, 0))
        self._show_count()

    def _show_hit(self) -> None:
        hit, editor = self._hits[self._at], self._editor
        if hit.what == "block":
            editor.go_to(hit.id)
            self._bring_in_sight(editor.scene.bounds([hit.id]))
        else:
            editor.document.select(())
            editor.scene.annotations.select([hit.id])
            self._bring_in_sight(editor.scene.annotations.bounds([hit.id]))
        self._show_count()
        editor.announced.emit(f"{self._count.text()}: {self._place()}.")

    def _bring_in_sight(self, rect: QRectF) -> None:
        """Centre the view on what was found, unless all of it is seen, can be read, and is not under this bar."""
        shown = self._view.mapFromScene(rect).boundingRect()
        seen = self._view.visible_rect().contains(rect) and not shown.intersects(self.geometry())
        if not seen or self._view.zoom < READABLE_ZOOM:
            self._view.centre_on(rect)

    def _show_count(self) -> None:
        words = bool(self.text.text().strip())
        count = f"{self._at + 1} of {len(self._hits)}" if self._hits else "Nothing found" if words else ""
        self._count.setText(count)
        self._reason.setText(self._place() if self._hits else "")
        self._reason.setVisible(bool(self._hits))
        self.place()
        polish(self.text, "invalid", words and not self._hits)
        for icon in ("chevron-up", "chevron-down"):
            self._buttons[icon].setEnabled(bool(self._hits))

    def _place(self) -> str:
        """Return where the words of the present hit are: `model_2: layer Decoder_LSTM_0`."""
        hit = self._hits[self._at]
        return f"{hit.id}: {hit.reason}" if hit.what == "block" else hit.reason.capitalize()

    @pyqtSlot(str)
    def _on_text_changed(self, _text: str) -> None:
        self._at = 0
        self._search()
        if self._hits:
            self._show_hit()

    @pyqtSlot(object, object)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        if self.isVisible():
            self._search()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        for name, button in self._buttons.items():
            button.setIcon(icons.icon(name))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Step with Enter, Shift+Enter, Up, Down and F3; close with Escape."""
        if isinstance(event, QKeyEvent) and event.type() in (QEvent.ShortcutOverride, QEvent.KeyPress):
            back = bool(event.modifiers() & Qt.ShiftModifier)
            steps = {Qt.Key_Return: -1 if back else 1, Qt.Key_Enter: -1 if back else 1, Qt.Key_F3: -1 if back else 1,
                     Qt.Key_Up: -1, Qt.Key_Down: 1}  # fmt: skip
            if event.key() != Qt.Key_Escape and event.key() not in steps:
                return False
            event.accept()
            if event.type() == QEvent.KeyPress:
                if event.key() == Qt.Key_Escape:
                    self.close_bar()
                else:
                    self.step(steps[event.key()])
            return True
        return super().eventFilter(watched, event)
