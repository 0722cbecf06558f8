"""No window where no screen answers: a sentence, not the abort of Qt."""

import os
import shutil
import socket
import subprocess
import sys

import pytest

from seqdec_gui import screen


def test_a_display_without_a_server_is_one_sentence_and_no_abort():
    known = {name: value for name, value in os.environ.items() if name not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    environment = known | {"DISPLAY": ":4711"}
    done = subprocess.run([sys.executable, "-m", "seqdec_gui"], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("No screen answers for the window (DISPLAY=:4711): start it, or set DISPLAY")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "DISPLAY is not set"),
        ({"DISPLAY": "nonsense"}, "DISPLAY=nonsense"),
        ({"QT_QPA_PLATFORM": "xcb"}, "QT_QPA_PLATFORM=xcb"),
        ({"QT_QPA_PLATFORM": "wayland;xcb", "WAYLAND_DISPLAY": "nowhere"}, "WAYLAND_DISPLAY=nowhere"),
        ({"QT_QPA_PLATFORM": "offscreen"}, ""),
        ({"QT_QPA_PLATFORM": "xcb;offscreen", "DISPLAY": ":4711"}, ""),
        ({"QT_QPA_PLATFORM": "vnc:size=800x600"}, ""),
        ({"WAYLAND_DISPLAY": "wayland-0", "WAYLAND_SOCKET": "7"}, ""),
    ],
)
def test_only_what_needs_a_server_is_asked_for_one(environment, words):
    found = screen.trouble(environment)
    assert words in found
    assert bool(found) == bool(words)


def test_a_wayland_compositor_is_enough(tmp_path):
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(tmp_path / "wayland-3"))
        environment = {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-3", "DISPLAY": ":4711"}
        assert "No screen answers" in screen.trouble(environment)
        compositor.listen()
        assert screen.trouble(environment) == ""


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_running_x_server_is_found():
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "64x64x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            display = f":{server.stdout.readline().strip()}"
            assert screen.trouble({"DISPLAY": display}) == ""
        finally:
            server.terminate()
