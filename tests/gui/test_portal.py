"""The desktop's wishes, light or dark and high contrast, over a real bus with a portal of our own on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DAEMON = shutil.which("dbus-daemon")
pytestmark = pytest.mark.skipif(DAEMON is None, reason="no dbus-daemon here")

PORTAL = """
import sys
from PyQt5.QtCore import QCoreApplication, QObject, QTimer, Q_CLASSINFO, pyqtSlot
from PyQt5.QtDBus import QDBusConnection, QDBusMessage, QDBusVariant

class Settings(QObject):
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.portal.Settings")

    @pyqtSlot(str, str, result=QDBusVariant)
    def Read(self, namespace, key):
        assert namespace == "org.freedesktop.appearance" and key in ("color-scheme", "contrast")
        QTimer.singleShot(200, lambda: self.change(key))
        return QDBusVariant(QDBusVariant(1))

    def change(self, key):
        path, interface = "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings"
        signal = QDBusMessage.createSignal(path, interface, "SettingChanged")
        signal.setArguments(["org.freedesktop.appearance", key, QDBusVariant(2 if key == "color-scheme" else 0)])
        QDBusConnection.sessionBus().send(signal)

application = QCoreApplication(sys.argv)
bus, settings = QDBusConnection.sessionBus(), Settings()
assert bus.registerObject("/org/freedesktop/portal/desktop", settings, QDBusConnection.ExportAllSlots)
assert bus.registerService("org.freedesktop.portal.Desktop")
print("ready", flush=True)
application.exec_()
"""
ASKING = """
import sys
from PyQt5.QtCore import QCoreApplication
from seqdec_gui.gui.look.portal import Portal

application, heard = QCoreApplication(sys.argv), []
portal = Portal()

def hear(what):
    heard.append(what)
    if len(heard) == 4:
        print(*sorted(heard))
        application.quit()

portal.dark_preferred.connect(lambda dark: hear(f"dark-{heard_of('dark')}-{dark}"))
portal.contrast_preferred.connect(lambda high: hear(f"high-{heard_of('high')}-{high}"))

def heard_of(word):
    return sum(word in what for what in heard)

portal.ask()
application.exec_()
"""


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A session bus of our own, with a portal that prefers dark and then light."""
    config = tmp_path / "bus.conf"
    config.write_text(
        f"<busconfig><type>session</type><listen>unix:path={tmp_path}/bus</listen>"
        '<policy context="default"><allow send_destination="*"/><allow own="*"/><allow eavesdrop="false"/></policy></busconfig>'
    )
    assert DAEMON is not None
    environment = os.environ | {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/bus"}
    daemon = subprocess.Popen([DAEMON, f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE)
    assert daemon.stdout is not None
    daemon.stdout.readline()
    portal = subprocess.Popen([sys.executable, "-c", PORTAL], env=environment, stdout=subprocess.PIPE)
    assert portal.stdout is not None
    try:
        assert portal.stdout.readline() == b"ready\n"
        yield environment
    finally:
        for process in (portal, daemon):
            process.kill()
            process.communicate()


def test_the_portals_answer_and_its_changes_are_heard(bus: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", ASKING], env=bus, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.split() == ["dark-0-True", "dark-1-False", "high-0-True", "high-1-False"], done.stderr


def test_without_a_bus_nothing_is_asked(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
    code = "from seqdec_gui.gui.look.portal import Portal; Portal().ask()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
