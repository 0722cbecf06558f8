"""Many runs in the table: whatever is selected, the window asks for each of them a few times and not for all of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QTableView
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.pages.runs.table import RunsModel
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.window.open_run import show_all_runs
from seqdec_gui.runs import known
from tests.runs.run_folders import finished_run

RUNS = 120


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A known folder of many runs."""
    for number in range(RUNS):
        finished_run(
            tmp_path / "runs" / f"{number:04d}", f"d{number % 7}", created=1000.0 + number, name=f"design {number % 7}"
        )
    known.remember_folders([tmp_path / "runs"])
    return tmp_path / "runs"


def test_all_selected_runs_stay_selected_in_one_step(
    folder: Path, opened: Callable[..., MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    show_all_runs(window.workspace)
    table = window.findChild(QTableView, "runs_table")
    qtbot.waitUntil(lambda: table.model() is not None and table.model().rowCount() == RUNS, timeout=20_000)
    asked: Counter[str] = Counter()
    count, told = RunsModel.rowCount, []
    monkeypatch.setattr(RunsModel, "rowCount", lambda *arguments: asked.update(["rows"]) or count(*arguments))
    table.setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key_A, Qt.ControlModifier)
    QApplication.processEvents()
    table.grab()
    assert len(window.pages.page("runs").selected) == RUNS
    assert asked["rows"] < 10 * RUNS  # and not once for each cell, or each pair of runs
    table.selectionModel().selectionChanged.connect(lambda *_: told.append(1))
    finished_run(folder / "another", "d1", created=9000.0, name="design 1")
    window.pages.page("runs").refresh()
    qtbot.waitUntil(lambda: table.model().rowCount() == RUNS + 1, timeout=20_000)
    assert len(window.pages.page("runs").selected) == RUNS
    assert len(told) <= 2  # not once for each run
    assert table.selectionModel().currentIndex().row() < RUNS + 1
