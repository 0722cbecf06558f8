"""Stop on a run that cannot be ended from here says why, and what to do, instead of waiting for ever."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PyQt5.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.runs import lock
from seqdec_gui.runs.events import EventWriter
from tests.gui.conftest import press
from tests.runs.run_folders import begun, finished_run


@pytest.mark.parametrize(
    ("pid", "host", "words"), [(1 << 22, "", "Another program holds the lock"), (7, "elsewhere", "end it there (kill 7)")]
)
def test_stop_on_a_run_whose_lock_a_foreign_process_holds_says_what_to_do(
    qtbot: QtBot,
    opened: Callable[..., MainWindow],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pid: int,
    host: str,
    words: str,
) -> None:
    monkeypatch.setattr("seqdec_gui.gui.workspace.training_thread.UNSIGNALLED_S", 0.2)
    run = finished_run(tmp_path / "run")
    run.events.unlink()
    EventWriter(run.events).write(begun())
    window = opened()
    with lock.acquire(run.lock) as held:
        record = held.read()
        assert record is not None
        held.write(msgspec.structs.replace(record, pid=pid, host=host or socket.gethostname()))
        window.pages.show_page("train")
        session = session_of(window.workspace)
        session.show(run)
        qtbot.waitUntil(lambda: session.active is not None and session.active.state == "running", timeout=5_000)
        press(window.findChild(QWidget, "stop_button"))
        sentence = window.findChild(QLabel, "stop_failed")
        assert not sentence.isVisible()
        qtbot.waitUntil(sentence.isVisible, timeout=5_000)
        assert sentence.text().startswith("The run was asked to stop and goes on: ")
        assert words in sentence.text()
        assert session.active is not None
    qtbot.waitUntil(lambda: not sentence.isVisible(), timeout=5_000)
    assert session.active is None or host  # whether a run on another host goes on cannot be seen from here
