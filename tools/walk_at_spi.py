"""Opens the window, walks its tree on the accessibility bus as a screen reader does, and prints it.

    QT_LINUX_ACCESSIBILITY_ALWAYS_ON=1 tools/on_screen.sh dbus-run-session -- python tools/walk_at_spi.py DESIGN

Exit status 1 if a control that can be seen has no name, or a block is missing. It needs at-spi2-core, the package jeepney, and
PyQt5 of a distribution (python3-pyqt5, 5.15.11 or newer): the wheels on PyPI have no bridge to AT-SPI.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, Properties, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

ACCESSIBLE = "org.a11y.atspi.Accessible"
REGISTRY = "org.a11y.atspi.Registry"
ROOT = "/org/a11y/atspi/accessible/root"
SHOWING, FOCUSABLE = 25, 11
DEEPEST = 40


def bus_of_assistance() -> DBusConnection:
    """The accessibility bus, which the session bus starts when it is asked for."""
    session = open_dbus_connection("SESSION")
    launcher = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
    answer = session.send_and_get_reply(new_method_call(launcher, "GetAddress"))
    session.close()
    return open_dbus_connection(answer.body[0])


class Walk:
    """The accessibles of one program, each a line: its depth, its role, its name."""

    def __init__(self, bus: DBusConnection) -> None:
        self._bus = bus
        self.names: list[str] = []
        self.nameless: list[str] = []

    def call(self, owner: str, path: str, name: str) -> Any:
        address = DBusAddress(path, owner, ACCESSIBLE)
        return self._bus.send_and_get_reply(new_method_call(address, name), timeout=20).body[0]

    def get(self, owner: str, path: str, name: str) -> Any:
        question = Properties(DBusAddress(path, owner, ACCESSIBLE)).get(name)
        return self._bus.send_and_get_reply(question, timeout=20).body[0][1]

    def program(self) -> tuple[str, str]:
        """The program of this process on the bus."""
        for owner, path in self.call(REGISTRY, ROOT, "GetChildren"):
            asked = new_method_call(
                DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus"),
                "GetConnectionUnixProcessID",
                "s",
                (owner,),
            )
            if self._bus.send_and_get_reply(asked).body[0] == os.getpid():
                return owner, path
        raise LookupError("the window is not on the accessibility bus")

    def below(self, owner: str, path: str, depth: int = 0) -> None:
        low, high = self.call(owner, path, "GetState")
        states = low | high << 32
        line = {
            "role": self.call(owner, path, "GetRoleName"),
            "name": self.get(owner, path, "Name"),
            "focusable": bool(states >> FOCUSABLE & 1),
            "showing": bool(states >> SHOWING & 1),
        }
        print("  " * depth + f"{line['role']} {line['name']!r}" + ("" if line["showing"] else " (hidden)"), flush=True)
        self.names.append(line["name"])
        if line["focusable"] and line["showing"] and not line["name"] and line["role"] != "filler":  # viewports, tab widgets
            self.nameless.append(line["role"])
        many = line["role"] in ("table", "tree table", "tree", "list", "menu bar")  # thousands of cells; names of actions
        if depth < DEEPEST and not many:
            for child_owner, child in self.call(owner, path, "GetChildren"):
                self.below(child_owner, child, depth + 1)


def main() -> None:
    bus = bus_of_assistance()
    Walk(bus).call(REGISTRY, ROOT, "GetChildren")  # starts the registry, which the window looks for once
    from PyQt5.QtCore import QTimer

    from seqdec_gui.gui.app import create_application

    application = create_application()
    from seqdec_gui.gui.window.main_window import open_window

    window = open_window(Path(sys.argv[1]))

    blocks = [block.id for block in window.document.design.blocks]

    def walk() -> None:
        try:
            walker = Walk(bus)
            walker.below(*walker.program())
            missing = [block for block in blocks if not any(name.endswith(f" {block}") for name in walker.names)]
            print(f"without a name: {walker.nameless}; blocks that are missing: {missing}", flush=True)
            os._exit(bool(walker.nameless or missing or not blocks))
        except LookupError as error:
            print(error, flush=True)
            os._exit(1)

    walker_thread = threading.Thread(target=walk, daemon=True)
    QTimer.singleShot(2500, lambda: walker_thread.start())
    application.exec_()
    del window


main()
