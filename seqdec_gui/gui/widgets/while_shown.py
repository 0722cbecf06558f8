"""What is looked at again and again, but only while a widget shows it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QEvent, QObject, QTimerEvent
from PyQt5.QtWidgets import QWidget


class WhileShown(QObject):
    """Calls `refresh` when a widget comes into sight, and every `interval_ms` milliseconds until it goes."""

    def __init__(self, widget: QWidget, refresh: Callable[[], object], interval_ms: int) -> None:
        super().__init__(widget)
        self._refresh, self._interval = refresh, interval_ms
        self._timer = 0
        widget.installEventFilter(self)

    @property
    def running(self) -> bool:
        return bool(self._timer)

    def eventFilter(self, _widget: QObject | None, event: QEvent | None) -> bool:
        assert event is not None
        if event.type() == QEvent.Show and not self._timer:
            self._timer = self.startTimer(self._interval)
            self._refresh()
        elif event.type() == QEvent.Hide and self._timer:
            self.killTimer(self._timer)
            self._timer = 0
        return False

    def timerEvent(self, _event: QTimerEvent | None) -> None:
        self._refresh()
