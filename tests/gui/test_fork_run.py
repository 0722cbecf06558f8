"""The dialog that starts a new run from a checkpoint: from the table of runs and from the curve."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtGui import QContextMenuEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QComboBox, QDialog, QLabel, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.workspace import PageName
from seqdec_gui.runs import process
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.history import read_history
from seqdec_gui.runs.spec import DeviceChoice, RunSpec
from tests.runner import designs

NUMBERS = (sys.executable, "-m", "tests.runner.plain_child")
Opened = Callable[..., MainWindow]


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunFolder]:
    """A finished run of a saved design, that trained plain numbers."""
    monkeypatch.setattr(process, "RUNNER", NUMBERS)
    file = tmp_path / "noisy.seqdec"
    bound = designs.bound(
        designs.noisy(), designs.write_rows(tmp_path, 240), batch_size=12, epochs=4, learning_rate=1e-2, keep_checkpoints=50
    )
    design_file.save(bound, file)
    bound = design_file.load(file)
    asked = RunSpec(
        design=design_file.to_builtins(bound), design_path=str(file), folder=str(tmp_path), data_file=bound.data.file,
        devices=DeviceChoice("cpu"), engine="tensorflow", report_every_s=0.02, checkpoint_every_s=0.02,
    )  # fmt: skip
    going = process.start(RunFolder(tmp_path / "runs" / "20260101-000000-noisy"), asked)
    assert going.wait(60) is not None
    assert going.run.status().state == "finished", going.run.log.read_text()
    yield going.run
    for run in (tmp_path / "runs").iterdir():
        left = process.attach(RunFolder(run))
        left.kill()
        left.wait(10)


def dialog() -> QDialog | None:
    return next((w for w in QApplication.topLevelWidgets() if w.objectName() == "fork_dialog" and w.isVisible()), None)


def click(window: QWidget, widget: QWidget) -> None:
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, widget.mapTo(window, widget.rect().center()))


@pytest.mark.slow
def test_a_run_goes_on_from_a_place_of_the_curve_with_another_rate(qtbot: QtBot, opened: Opened, parent: RunFolder) -> None:
    window = opened(Path(parent.read_spec().design_path))
    window.workspace.devices.choose(DeviceChoice("cpu"))
    session = session_of(window.workspace)
    window.workspace.page_requested.emit(PageName.TRAIN)
    session.show(parent)
    qtbot.waitUntil(lambda: session.shown is not None and session.shown.status is not None, timeout=10_000)
    plot = window.findChild(QWidget, "loss_plot")
    qtbot.waitUntil(lambda: bool(plot.listDataItems()) and plot.viewport().width() > 50, timeout=10_000)
    scene = plot.getPlotItem().getViewBox().mapViewToScene(QPointF(40.0, 2.0))
    at = plot.mapFromScene(scene)
    wish = QContextMenuEvent(QContextMenuEvent.Mouse, at, plot.viewport().mapToGlobal(at))
    QApplication.sendEvent(plot.viewport(), wish)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    (entry,) = menu.actions()
    QTest.mouseClick(menu.windowHandle(), Qt.LeftButton, Qt.NoModifier, menu.actionGeometry(entry).center())
    qtbot.waitUntil(lambda: dialog() is not None, timeout=10_000)
    shown = dialog()
    assert shown is not None
    chosen = shown.findChild(QComboBox, "fork_point").currentText()
    step = int(chosen.rpartition(" ")[2].replace(",", ""))
    assert 0 < step <= 40
    settings, start = shown.findChild(QPlainTextEdit, "fork_settings"), shown.findChild(QWidget, "fork_start")
    problems, changes = shown.findChild(QLabel, "fork_problems"), shown.findChild(QLabel, "fork_changes")
    settings.setFocus()
    QTest.keyClicks(settings, "training.learning_rate=0")
    qtbot.waitUntil(lambda: not start.isEnabled())
    assert "above 0" in problems.text() or "greater than 0" in problems.text(), problems.text()
    QTest.keyClicks(settings, ".001")
    qtbot.waitUntil(lambda: start.isEnabled() and "0.01 → 0.001" in changes.text())
    click(shown, start)
    qtbot.waitUntil(lambda: session.shown is not None and session.shown.run not in (None, parent), timeout=20_000)
    forked = session.shown
    qtbot.waitUntil(lambda: forked.status is not None, timeout=60_000)
    assert forked.status.state == "finished", forked.status.text
    spec = forked.run.read_spec()
    assert (spec.fork.run, spec.fork.step) == (str(parent.path), step)
    mine, theirs = read_history(forked.run), read_history(parent)
    assert [mark.step for mark in mine.marks if mark.kind == "fork"] == [step]
    assert mine.epochs["val_loss"].steps.tolist() == theirs.epochs["val_loss"].steps.tolist()
