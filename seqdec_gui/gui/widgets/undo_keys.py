"""Undo and Redo for the whole window, also while the cursor is in a text field that has nothing to undo itself."""

from __future__ import annotations

from typing import Any, TypeAlias

from PyQt5.QtCore import QEvent, QObject, pyqtSlot
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit, QWidget


class UndoKeys(QObject):
    """Lets the keys of Undo and Redo through to the actions of `window`.

    A text field of Qt keeps these keys to itself whether it has something to undo or not. The widget with the focus is watched,
    and no other, so that no event but its own takes longer.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        QApplication.instance().focusChanged.connect(self._on_focus_changed)

    @pyqtSlot("QWidget*", "QWidget*")
    def _on_focus_changed(self, old: QWidget | None, now: QWidget | None) -> None:
        if old is not None:
            old.removeEventFilter(self)
        if now is not None and now.window() is self._window and _text_of(now) is not None:
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent) -> bool:
        text = _text_of(watched) if event.type() == QEvent.ShortcutOverride else None
        if text is None or not isinstance(event, QKeyEvent):
            return False
        if event.matches(QKeySequence.Undo):
            idle = not _can_undo(text)
        else:
            idle = event.matches(QKeySequence.Redo) and not _can_redo(text)
        if idle:
            event.ignore()  # so that the action of the window has it
        return idle


_Text: TypeAlias = "QLineEdit | QPlainTextEdit | QTextEdit"


def _text_of(widget: Any) -> _Text | None:
    """Return the text field that a widget is or contains."""
    if isinstance(widget, QAbstractSpinBox | QComboBox):
        return widget.lineEdit()
    return widget if isinstance(widget, QLineEdit | QPlainTextEdit | QTextEdit) else None


def _can_undo(text: _Text) -> bool:
    return bool(text.isUndoAvailable() if isinstance(text, QLineEdit) else text.document().isUndoAvailable())


def _can_redo(text: _Text) -> bool:
    return bool(text.isRedoAvailable() if isinstance(text, QLineEdit) else text.document().isRedoAvailable())
