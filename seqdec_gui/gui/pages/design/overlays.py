"""Widgets that lie over the canvas: the empty state, and the repairs of a refused wire."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QRect, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.domain.adapters import Adapter
from seqdec_gui.domain.menu_text import literal
from seqdec_gui.gui.look import icons
from seqdec_gui.gui.look.theme import SPACE


class EmptyState(QWidget):
    """Tells how to begin a design. Its texts let the mouse through to the canvas; its button does not."""

    templates_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName("empty_state")
        title = QLabel("Nothing here yet")
        title.setProperty("role", "title")
        text = QLabel(
            "Drag a block from the palette, or double-click here to search.\nConnect blocks by dragging from port to port."
        )
        text.setProperty("role", "dim")
        self.button = QPushButton("Start from a template")
        self.button.setObjectName("empty_state_templates")
        self.button.clicked.connect(self.templates_requested)
        layout = QVBoxLayout(self)
        layout.setSpacing(3 * SPACE)
        layout.addStretch(1)
        for widget in (title, text):
            widget.setAlignment(Qt.AlignCenter)
            widget.setAttribute(Qt.WA_TransparentForMouseEvents)
            layout.addWidget(widget)
        layout.addWidget(self.button, 0, Qt.AlignCenter)
        layout.addStretch(1)

    def place(self, room: QRect) -> None:
        """Move to the middle of `room`, no larger than needed, so that blocks can be dropped beside it."""
        size = self.sizeHint()
        self.setGeometry((room.width() - size.width()) // 2, (room.height() - size.height()) // 2, size.width(), size.height())


class OfferBar(QFrame):
    """Shows why a wire was refused, with a button for each adapter that would make it possible."""

    accepted = pyqtSignal(Adapter)

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName("offer_bar")
        self.setProperty("role", "card")
        self.setAttribute(Qt.WA_NoMousePropagation)  # a press beside its buttons must not reach the canvas, which hides it
        self._reason = QLabel()
        self._reason.setObjectName("offer_reason")
        self._reason.setWordWrap(True)
        self._close = QToolButton()
        self._close.setObjectName("offer_close")
        self._close.setToolTip("Dismiss")
        self._close.setAutoRaise(True)
        self._close.clicked.connect(self.hide)
        top = QHBoxLayout()
        top.addWidget(self._reason, 1)
        top.addWidget(self._close, 0, Qt.AlignTop)
        self._buttons = QVBoxLayout()
        self._buttons.setSpacing(SPACE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(top)
        layout.addLayout(self._buttons)
        self.adapters: list[Adapter] = []
        self._corner = QRect()
        self.hide()

    def offer(self, reason: str, adapters: Sequence[Adapter]) -> None:
        """Show the reason, and one button for each adapter."""
        self._reason.setText(reason)
        self._close.setIcon(icons.icon("close"))
        while (item := self._buttons.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        self.adapters = list(adapters)
        for number, adapter in enumerate(adapters):
            button = QPushButton(literal(f"Put between: {adapter.title}"))
            button.setObjectName(f"offer_{number}")
            button.setProperty("kind", "primary" if number == 0 else "")
            button.clicked.connect(self._on_button_clicked)
            self._buttons.addWidget(button)
        self.show()
        self.raise_()
        self.place()

    def keep_off(self, corner: QRect) -> None:
        """Cover nothing of this corner of the parent from now on."""
        self._corner = corner
        if self.isVisible():
            self.place()

    def place(self) -> None:
        """Move to the middle of the parent's lower edge, or as near to it as the corner that is kept free allows."""
        room = self.parentWidget().rect()
        width = max(min(460, room.width() - 8 * SPACE), 120)
        self.setFixedWidth(width)
        height = self.layout().heightForWidth(width) if self.layout().hasHeightForWidth() else self.sizeHint().height()
        place = QRect((room.width() - width) // 2, room.height() - height - 4 * SPACE, width, height)
        if place.intersects(self._corner):
            beside = self._corner.left() - width - 2 * SPACE
            if beside >= SPACE:
                place.moveLeft(beside)
            else:
                place.moveBottom(self._corner.top() - 2 * SPACE)
        self.setGeometry(place)

    @pyqtSlot()
    def _on_button_clicked(self) -> None:
        number = int(self.sender().objectName().removeprefix("offer_"))
        self.hide()
        self.accepted.emit(self.adapters[number])
