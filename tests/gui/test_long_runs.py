"""Runs with very many events in the window: first an overview, then the whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QLabel, QMessageBox
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.training_thread import TrainingThread
from seqdec_gui.runs import overview
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.history import read_history
from tests.gui.trained_runs import example_in, trained
from tests.runs import test_overview


@pytest.fixture
def long_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    for name, value in {"LONG_BYTES": 1000, "CHUNK_BYTES": 30_000, "REPORTS": 300, "END_BYTES": 3000}.items():
        monkeypatch.setattr(overview, name, value)
    run = trained(example_in(tmp_path, "digits"), "long")
    test_overview.written(tmp_path / "events").events.rename(run.events)
    return run


def test_a_long_run_is_shown_in_part_and_then_whole(
    long_run: RunFolder, opened: Callable[..., MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    goes_on: list[bool] = []
    sleep = TrainingThread._sleep

    def wait(thread: TrainingThread, seconds: float, until_command: bool = True) -> None:
        while not goes_on and not thread._leaving:
            sleep(thread, 0.01, until_command=False)
        sleep(thread, seconds, until_command)

    monkeypatch.setattr(TrainingThread, "_sleep", wait)  # between the overview and the end of the whole
    window = opened(tmp_path / "digits.seqdec")
    window.pages.show_page("train")
    window.workspace.run_requested.emit(long_run.path)
    qtbot.waitUntil(lambda: session_of(window.workspace).shown is not None)
    followed = session_of(window.workspace).shown
    qtbot.waitUntil(lambda: followed.history.thinned)
    words, board = window.findChild(QLabel, "progress_words"), window.pages.page("train").board
    qtbot.waitUntil(lambda: "curves in part" in words.text())
    part = followed.history.reports["loss"].count
    board.save_csv(tmp_path / "curves.csv")  # what is written must be the whole
    assert not (tmp_path / "curves.csv").exists()
    box = window.findChild(QMessageBox)
    assert "still being read" in box.text() + box.informativeText()
    box.close()
    goes_on.append(True)
    qtbot.waitUntil(lambda: not followed.alive)
    whole = read_history(long_run).reports["loss"]
    assert part < whole.count == followed.history.reports["loss"].count
    qtbot.waitUntil(lambda: "curves in part" not in words.text())
    loss = board.plots["loss"]
    qtbot.waitUntil(lambda: len(next(i for i in loss.plot.listDataItems() if i.name() == "loss").getData()[0]) == whole.count)
