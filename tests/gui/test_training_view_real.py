"""The Train page over the real runner: the archetype, tiny, on two virtual CPU devices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.runs.process import RunProcess
from seqdec_gui.runs.spec import DeviceChoice
from tests.runner import designs

pytestmark = pytest.mark.slow
LONGEST_MS = 240_000


def test_the_archetype_trains_on_two_cpu_devices_and_is_stopped(
    qtbot: QtBot, opened: Callable[..., MainWindow], tmp_path: Path
) -> None:
    data = designs.write_rows(tmp_path, 240)
    file = tmp_path / "seed.seqdec"
    design_file.save(designs.bound(designs.stack(), data, batch_size=24, epochs=2000, learning_rate=1e-2), file)
    window = opened(file)
    window.workspace.devices.choose(DeviceChoice("cpu", count=2))
    button = window.findChild(QWidget, "train_button")
    qtbot.waitUntil(button.isEnabled, timeout=10_000)
    click(window, button)
    session = session_of(window.workspace)
    try:
        qtbot.waitUntil(lambda: points(window) > 5, timeout=LONGEST_MS)
        assert session.shown.devices == ("cpu:0", "cpu:1")
        click(window, window.findChild(QWidget, "stop_button"))
        qtbot.waitUntil(lambda: session.active is None, timeout=LONGEST_MS)
        assert session.shown.status.state == "stopped"
        assert session.shown.run.checkpoint("last").exists() or session.shown.history.saved is not None
    finally:
        if session.shown is not None and session.shown.run is not None:
            process = RunProcess(session.shown.run)
            process.kill()
            process.wait(20)


def click(window: MainWindow, widget: QWidget) -> None:
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, widget.mapTo(window, widget.rect().center()))


def points(window: MainWindow) -> int:
    plot = window.findChild(QWidget, "loss_plot")
    found = [item for item in plot.listDataItems() if item.name() == "loss"] if plot is not None else []
    return len(found[0].getData()[0]) if found else 0
