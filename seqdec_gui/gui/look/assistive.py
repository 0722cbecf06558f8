"""Whether a screen reader or another assistive program listens, read from the accessibility bus (org.a11y.Status)."""

from __future__ import annotations

import os
import sys
from typing import Any

from PyQt5.QtCore import QObject, QVariant, pyqtSignal, pyqtSlot
from PyQt5.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusPendingReply, QDBusVariant

from seqdec_gui.gui.look.portal import has_session_bus

SERVICE = "org.a11y.Bus"
"""The D-Bus name of what starts the accessibility bus."""
PATH = "/org/a11y/bus"
"""The object path of its state."""
STATUS = "org.a11y.Status"
"""The interface with the state."""
ENABLED = ("ScreenReaderEnabled", "IsEnabled")
"""The properties that say so; Qt's bridge follows the first."""
ALWAYS_ON = "QT_LINUX_ACCESSIBILITY_ALWAYS_ON"
"""The environment variable by which Qt talks to the accessibility bus whatever its state."""


class Assistance(QObject):
    """Emits `began` once an assistive program listens: at the start of the window, or later. It is never taken back."""

    began = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.active = bool(os.environ.get(ALWAYS_ON)) or sys.platform != "linux"
        self._watchers: list[QDBusPendingCallWatcher] = []

    def ask(self) -> None:
        """Ask for the state and listen for changes. Blocks nothing, and does nothing without a session bus."""
        if self.active or not has_session_bus():
            return
        bus = QDBusConnection.sessionBus()
        if not bus.isConnected():
            return
        properties = "org.freedesktop.DBus.Properties"
        bus.connect(SERVICE, PATH, properties, "PropertiesChanged", self._on_bus_properties_changed)
        for name in ENABLED:
            question = QDBusMessage.createMethodCall(SERVICE, PATH, properties, "Get")
            question.setArguments([STATUS, name])
            watcher = QDBusPendingCallWatcher(bus.asyncCall(question), self)
            watcher.finished.connect(self._on_call_finished)
            self._watchers.append(watcher)

    @pyqtSlot(QDBusPendingCallWatcher)
    def _on_call_finished(self, watcher: QDBusPendingCallWatcher) -> None:
        reply = QDBusPendingReply(watcher)
        if not reply.isError():
            self._hear(reply.argumentAt(0))
        self._watchers.remove(watcher)
        watcher.deleteLater()

    @pyqtSlot(QDBusMessage)
    def _on_bus_properties_changed(self, message: QDBusMessage) -> None:
        arguments = message.arguments()
        if len(arguments) >= 2 and arguments[0] == STATUS and isinstance(arguments[1], dict):
            for name in ENABLED:
                self._hear(arguments[1].get(name, False))

    def _hear(self, value: Any) -> None:
        while isinstance(value, QDBusVariant | QVariant):
            value = value.variant() if isinstance(value, QDBusVariant) else value.value()
        if value is True and not self.active:
            self.active = True
            self.began.emit()
