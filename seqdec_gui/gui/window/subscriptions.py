"""Connections that end together, for a widget of the window that follows one open design after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import QObject, pyqtBoundSignal


class Subscriptions:
    """Connections of signals, ended by `drop`."""

    def __init__(self) -> None:
        self._connections: list[Any] = []

    def add(self, signal: pyqtBoundSignal, slot: Callable[..., object]) -> None:
        """Call `slot` whenever the signal is emitted, until `drop`."""
        self._connections.append(signal.connect(slot))

    def drop(self) -> None:
        """End all connections. Those of objects that have been deleted have ended by themselves."""
        for connection in self._connections:
            QObject.disconnect(connection)
        self._connections.clear()
