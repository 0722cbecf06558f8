"""A bar above the pages with a message and buttons to act on it. It never takes the focus."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt5.QtCore import pyqtSlot
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from seqdec_gui.domain.menu_text import literal
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.workspace.workspace import Notice


class MessageBar(QFrame):
    """Shows the latest message; when it is closed or answered, the one before it. Object name `message_bar`.

    A message takes the place of an earlier one of the same topic. Closing it with the cross calls nothing.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message_bar")
        self.setProperty("role", "bar")
        self._notices: dict[str, Notice] = {}
        self._text = QLabel(wordWrap=True)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(2 * theme.SPACE)
        self._close = QToolButton(objectName="message_bar_close", toolTip="Close", autoRaise=True)
        self._close.setAccessibleName("Close the message")
        self._close.clicked.connect(self._on_close_clicked)
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

    def tell(self, text: str, topic: str = "", **actions: tuple[str, Callable[[], None]]) -> None:
        """Show a sentence and a button per action: `restore=("Restore", function)` gives the button `message_bar_restore`."""
        self.take(Notice(topic, text, actions))

    @pyqtSlot(Notice)
    def take(self, notice: Notice) -> None:
        """Show a notice, or take that of its topic away if it has no text. A correction changes what is still shown."""
        if notice.corrects and notice.topic not in self._notices:
            return
        if not (notice.corrects and notice.text):  # a correction keeps its place among the others
            self._notices.pop(notice.topic, None)
        if notice.text:
            self._notices[notice.topic] = notice
        self._show_latest()

    def _show_latest(self) -> None:
        if not self._notices:
            self.hide()
            return
        notice = list(self._notices.values())[-1]
        self._show_buttons(notice.topic, notice.actions)
        self._text.setText(notice.text)
        self.show()

    def _show_buttons(self, topic: str, actions: Mapping[str, tuple[str, Callable[[], None]]]) -> None:
        while self._buttons.count():
            old = self._buttons.takeAt(0).widget()
            old.setObjectName("")  # it is deleted later, and must not be found until then
            old.hide()
            old.deleteLater()
        for name, (label, function) in actions.items():
            button = QPushButton(literal(label), objectName=f"message_bar_{name}")
            button.clicked.connect(lambda _checked, act=function: (self.take(Notice(topic)), act()))
            self._buttons.addWidget(button)

    @pyqtSlot()
    def _on_close_clicked(self) -> None:
        if self._notices:
            self._notices.popitem()
        self._show_latest()

    def _on_theme_changed(self) -> None:
        self._close.setIcon(icon("close"))
