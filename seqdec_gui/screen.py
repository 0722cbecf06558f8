"""Checks before Qt starts whether a window can be shown, since Qt aborts the process if it finds no screen."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

_WITHOUT = "`seqdec-gui --help` lists what works without."
"""The end of a sentence on why the window cannot be shown."""


def trouble(environment: Mapping[str, str] = os.environ) -> str:
    """Return a sentence on why no window can be shown; empty if it can be shown, or if only Qt can decide that."""
    if sys.platform != "linux":
        return ""
    wanted = environment.get("QT_QPA_PLATFORM", "")
    if not wanted and not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        return f"There is no screen for the window (DISPLAY is not set). {_WITHOUT}"
    platforms = [name.partition(":")[0] for name in (wanted or "xcb;wayland").split(";")]  # Qt tries one after the other
    if any(_answers(name, environment) for name in platforms):
        return ""
    names = [name for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM") if environment.get(name)]
    asked = ", ".join(f"{name}={environment[name]}" for name in names)
    return f"No screen answers for the window ({asked}): start it, or set DISPLAY to one that runs. {_WITHOUT}"


def _answers(platform: str, environment: Mapping[str, str]) -> bool:
    """Return whether the display server of a Qt platform answers; platforms such as offscreen or vnc need no server."""
    if platform == "xcb":
        return _x_server_answers(environment.get("DISPLAY", ""))
    return _compositor_answers(environment) if platform.startswith("wayland") else True


def _x_server_answers(display: str) -> bool:
    """Return whether libxcb, which Qt uses too, can connect to the display."""
    if not display:
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(os.fsencode(display), None))
    error = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not error


def _compositor_answers(environment: Mapping[str, str]) -> bool:
    if environment.get("WAYLAND_SOCKET"):  # an open connection, which we must not use up
        return True
    path = Path(environment.get("XDG_RUNTIME_DIR", ""), environment.get("WAYLAND_DISPLAY") or "wayland-0")
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
    except OSError:
        return False
    return True
