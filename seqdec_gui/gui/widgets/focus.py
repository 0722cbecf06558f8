"""Keeping the keyboard focus in place when the focused widget is disabled or hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtWidgets import QAbstractButton, QApplication, QWidget

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QWidget as _Window
else:
    _Window = object  # two classes of Qt cannot be bases of one

_SUCCESSOR = "focus_successor"
"""The property with the widget that takes over the focus."""
_RESTS = "focus_rests"
"""The property of a widget on which the focus rested once: where that goes away too, the focus goes on to rest."""


def follow_focus(widget: QWidget, successor: QWidget) -> None:
    """Give the focus of `widget` to `successor`, as soon as that can take it, when `widget` is disabled or hidden."""
    widget.setProperty(_SUCCESSOR, successor)


class KeepsFocus(_Window):
    """A mixin for windows, before the Qt class, that keeps the focus from moving to a neighbouring widget.

    When a focused widget is disabled or hidden, Qt focuses the next widget in the tab order, where the next key does something
    unexpected: after Pause, Space was Stop. If one of the two is a button, the focus rests on the surrounding widget instead,
    where Space and Enter do nothing, until the widget or its successor (see `follow_focus`) can take it.
    """

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Move the focus on Tab. Qt also calls this when a focused widget can no longer have the focus."""
        lost = self.focusWidget()
        if lost is None or _can_have_focus(lost):
            return bool(super().focusNextPrevChild(forward))
        moved = bool(super().focusNextPrevChild(forward))
        rested = bool(lost.property(_RESTS))
        if rested or isinstance(lost, QAbstractButton) or isinstance(self.focusWidget(), QAbstractButton):
            rest = _surrounding(lost, self)
            rest.setProperty(_RESTS, True)
            rest.setFocus(Qt.OtherFocusReason)
            _Waiting(lost, rest)
            return True
        return moved


class _Waiting(QObject):
    """Returns the focus to a widget, or to its successor, unless the user has moved it meanwhile."""

    def __init__(self, lost: QWidget, rest: QWidget) -> None:
        super().__init__(rest)
        self._rest = rest
        successor = lost.property(_SUCCESSOR)
        self._candidates = [lost] if successor is None else [lost, successor]
        for candidate in self._candidates:
            candidate.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent) -> bool:
        if not isinstance(watched, QWidget):
            return False
        if event.type() in (QEvent.EnabledChange, QEvent.Show) and self._candidates and _can_have_focus(watched):
            still_there = self._rest.window().focusWidget() is self._rest
            for candidate in self._candidates:
                candidate.removeEventFilter(self)
            self._candidates = []
            self.deleteLater()
            if still_there:
                watched.setFocus(Qt.OtherFocusReason)
        return False


def _can_have_focus(widget: QWidget) -> bool:
    return bool(widget.isEnabled() and widget.isVisible())


def _surrounding(lost: QWidget, window: QWidget) -> QWidget:
    """Return the nearest surrounding widget that can have the focus and does nothing on Space and Enter."""
    around = lost.parentWidget()
    while around is not None and around is not window:
        if _can_have_focus(around) and around.focusProxy() is None and around is not QApplication.focusWidget():
            return around
        around = around.parentWidget()
    return window


__all__ = ["KeepsFocus", "follow_focus"]
