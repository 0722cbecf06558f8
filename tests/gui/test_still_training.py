"""The notice that runs still train is corrected when one of them ends, and goes with the last."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.follow_runs import StillTraining
from seqdec_gui.runs import lock
from seqdec_gui.runs.active import ActiveRun
from tests.gui.conftest import press
from tests.runs.run_folders import finished_run


@pytest.mark.parametrize("closed", [False, True])
def test_a_notice_goes_with_the_runs_that_it_tells_of(
    qtbot: QtBot, opened: Callable[..., MainWindow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: bool
) -> None:
    monkeypatch.setattr("seqdec_gui.gui.workspace.follow_runs.WATCH_MS", 50)
    window = opened()
    bar = window.shell.bar
    bar.tell("Something else.", "other")
    runs = [finished_run(tmp_path / name) for name in ("one", "two")]
    telling = StillTraining(window.workspace)
    with ExitStack() as second:
        with ExitStack() as first:
            for run, held in zip(runs, (first, second), strict=True):
                held.enter_context(lock.acquire(run.lock))
            telling.tell([ActiveRun(run, run.name, "", "") for run in runs])
            assert bar.text == "2 runs are still training: one, two."
            if closed:
                press(window.findChild(QWidget, "message_bar_close"))
                assert bar.text == "Something else."
        if closed:
            with qtbot.waitSignal(window.workspace.notice, timeout=10_000):
                pass
            assert bar.text == "Something else."  # what was closed stays closed
        else:
            qtbot.waitUntil(lambda: bar.text == "two is still training.", timeout=10_000)
            qtbot.waitUntil(lambda: window.findChild(QWidget, "message_bar_show").isVisible(), timeout=10_000)
    qtbot.waitUntil(lambda: bar.text == "Something else." and not telling.told, timeout=10_000)
    assert not telling.watching
