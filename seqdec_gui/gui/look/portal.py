"""The desktop's preferences for light or dark and for high contrast, read from the portal (org.freedesktop.portal.Settings)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QObject, QVariant, pyqtSignal, pyqtSlot
from PyQt5.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusPendingReply, QDBusVariant

SERVICE = "org.freedesktop.portal.Desktop"
"""The D-Bus name of the desktop portal."""
PATH = "/org/freedesktop/portal/desktop"
"""The object path of the desktop portal."""
INTERFACE = "org.freedesktop.portal.Settings"
"""The D-Bus interface with the desktop's settings."""
NAMESPACE = "org.freedesktop.appearance"
"""The group of settings that contains the colour scheme."""
KEY = "color-scheme"
"""The setting with the preferred colour scheme."""
PREFERS_DARK = 1
"""The value of the setting that means dark; 0 means no preference and 2 light."""
CONTRAST = "contrast"
"""The setting with the preferred contrast."""
PREFERS_HIGH = 1
"""The value of that setting that means high; 0 means no preference."""


class Portal(QObject):
    """Emits `dark_preferred` and `contrast_preferred` with the desktop's preferences, at first and at every change.

    Emits nothing on desktops without a portal.
    """

    dark_preferred = pyqtSignal(bool)
    contrast_preferred = pyqtSignal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watchers: dict[QDBusPendingCallWatcher, str] = {}

    def ask(self) -> None:
        """Request the preference and listen for changes.

        Does nothing without a session bus, as Qt would try to start one and block.
        """
        if not has_session_bus():
            return
        bus = QDBusConnection.sessionBus()
        if not bus.isConnected():
            return
        bus.connect(SERVICE, PATH, INTERFACE, "SettingChanged", self._on_portal_setting_changed)
        for key in (KEY, CONTRAST):
            question = QDBusMessage.createMethodCall(SERVICE, PATH, INTERFACE, "Read")
            question.setArguments([NAMESPACE, key])
            watcher = QDBusPendingCallWatcher(bus.asyncCall(question), self)
            self._watchers[watcher] = key
            watcher.finished.connect(self._on_call_finished)

    @pyqtSlot(QDBusPendingCallWatcher)
    def _on_call_finished(self, watcher: QDBusPendingCallWatcher) -> None:
        reply, key = QDBusPendingReply(watcher), self._watchers.pop(watcher)
        if not reply.isError():  # an older portal knows nothing of contrast
            self._tell(key, reply.argumentAt(0))
        watcher.deleteLater()

    @pyqtSlot(QDBusMessage)
    def _on_portal_setting_changed(self, message: QDBusMessage) -> None:
        arguments = message.arguments()
        if len(arguments) == 3 and arguments[0] == NAMESPACE and arguments[1] in (KEY, CONTRAST):
            self._tell(arguments[1], arguments[2])

    def _tell(self, key: str, value: Any) -> None:
        while isinstance(value, QDBusVariant | QVariant):  # `Read` wraps the number twice
            value = value.variant() if isinstance(value, QDBusVariant) else value.value()
        if isinstance(value, int):
            (self.dark_preferred if key == KEY else self.contrast_preferred).emit(
                value == (PREFERS_DARK if key == KEY else PREFERS_HIGH)
            )


def has_session_bus() -> bool:
    """Return whether there is a session bus; Qt would try to start one, and block."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS")) or (bool(runtime) and (Path(runtime) / "bus").exists())
