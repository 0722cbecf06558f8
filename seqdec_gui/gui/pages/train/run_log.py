"""The messages of the run and the output of its process, in a tab of the bottom panel."""

from __future__ import annotations

import time

from PyQt5.QtCore import pyqtSignal, pyqtSlot
from PyQt5.QtGui import QTextCharFormat, QTextCursor
from PyQt5.QtWidgets import QHBoxLayout, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.segments import Segments
from seqdec_gui.gui.workspace.training_session import MAX_LOG_LINES, FollowedRun
from seqdec_gui.runs.events import Message

NO_RUN = "The Train tab shows no run."
"""The text of the panel while the Train page shows no run."""


class LogPanel(QWidget):
    """Two views, `run_messages` and `run_log`. `filled` is emitted with whether a run is shown."""

    filled = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._followed: FollowedRun | None = None
        self._shown = 0
        self.messages = _text("run_messages", "Messages of the run")
        self.log = _text("run_log", "Output of the run's process")
        self.log.setLineWrapMode(QPlainTextEdit.NoWrap)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.messages)
        self._stack.addWidget(self.log)
        self._choice = Segments([("messages", "Messages", "Messages of the run"), ("log", "Log file", "log.txt")], "log")
        self._choice.chosen.connect(self._on_choice_chosen)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, theme.SPACE, 0)
        layout.setSpacing(0)
        layout.addWidget(self._stack, 1)
        beside = QVBoxLayout()
        beside.setContentsMargins(0, theme.SPACE, 0, 0)
        beside.addWidget(self._choice)
        beside.addStretch(1)
        layout.addLayout(beside)
        theme.notifier.changed.connect(self._on_theme_changed)

    def show_run(self, followed: FollowedRun | None) -> None:
        if self._followed is not None:
            self._followed.log_received.disconnect(self._on_followed_log_received)
        self._followed = followed
        self._shown = 0
        self.messages.clear()
        self.log.clear()
        self.messages.setPlaceholderText("Nothing to report." if followed is not None else NO_RUN)
        self.log.setPlaceholderText("Nothing printed yet." if followed is not None else NO_RUN)
        if followed is not None:
            self.log.setPlainText("\n".join(followed.log))
            _to_end(self.log)
            followed.log_received.connect(self._on_followed_log_received)
            self.refresh()
        self.filled.emit(followed is not None)

    @property
    def has_run(self) -> bool:
        return self._followed is not None

    @pyqtSlot()
    def refresh(self) -> None:
        """Append the new messages."""
        if self._followed is None:
            return
        history = self._followed.history
        fresh = min(history.message_count - self._shown, len(history.messages))
        if fresh > 0:
            for message in list(history.messages)[-fresh:]:
                self._add(message)
            self._shown = history.message_count

    def _add(self, message: Message) -> None:
        style = QTextCharFormat()
        look = theme.current()
        style.setForeground(theme.color(look.text if message.severity == "info" else look.severity(message.severity)))
        quiet = QTextCharFormat()
        quiet.setForeground(theme.color(look.text_dim))
        cursor = QTextCursor(self.messages.document())
        cursor.movePosition(QTextCursor.End)
        if not self.messages.document().isEmpty():
            cursor.insertBlock()
        cursor.insertText(time.strftime("%H:%M:%S  ", time.localtime(message.time)), quiet)
        cursor.insertText(message.text, style)
        _to_end(self.messages)

    @pyqtSlot(str)
    def _on_followed_log_received(self, text: str) -> None:
        at_end = self.log.verticalScrollBar().value() >= self.log.verticalScrollBar().maximum() - 2
        self.log.appendPlainText(text.rstrip("\n"))
        if at_end:
            _to_end(self.log)

    @pyqtSlot(str)
    def _on_choice_chosen(self, value: str) -> None:
        self._stack.setCurrentWidget(self.log if value == "log" else self.messages)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.messages.clear()
        self._shown = 0
        if self._followed is not None:
            self._shown = self._followed.history.message_count - len(self._followed.history.messages)
        self.refresh()


def _text(name: str, accessible: str) -> QPlainTextEdit:
    text = QPlainTextEdit(objectName=name, readOnly=True)
    text.setAccessibleName(accessible)
    text.setProperty("kind", "plain")
    text.setMaximumBlockCount(MAX_LOG_LINES)
    text.setFont(theme.font("small", monospace=name == "run_log"))
    text.setMinimumHeight(48)
    return text


def _to_end(text: QPlainTextEdit) -> None:
    text.verticalScrollBar().setValue(text.verticalScrollBar().maximum())
