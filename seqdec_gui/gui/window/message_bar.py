"""A bar above the pages with a message and buttons to act on it. It never takes the focus."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon


class MessageBar(QFrame):
    """Shows one message at a time; `tell` replaces it. Closing it with the cross calls nothing. Object name `message_bar`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message_bar")
        self.setProperty("role", "bar")
        self._text = QLabel(wordWrap=True)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(2 * theme.SPACE)
        self._close = QToolButton(objectName="message_bar_close", toolTip="Close", autoRaise=True)
        self._close.setAccessibleName("Close the message")
        self._close.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE)
        layout.setSpacing(3 * theme.SPACE)
        layout.addWidget(self._text, 1)
        layout.addLayout(self._buttons)
        layout.addWidget(self._close)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def tell(self, text: str, **actions: tuple[str, Callable[[], None]]) -> None:
        """Show a sentence and a button per action: `restore=("Restore", function)` gives the button `message_bar_restore`."""
        while self._buttons.count():
            self._buttons.takeAt(0).widget().deleteLater()
        for name, (label, function) in actions.items():
            button = QPushButton(label, objectName=f"message_bar_{name}")
            button.clicked.connect(lambda _checked, act=function: (self.hide(), act()))
            self._buttons.addWidget(button)
        self._text.setText(text)
        self.show()

    def _on_theme_changed(self) -> None:
        self._close.setIcon(icon("close"))
