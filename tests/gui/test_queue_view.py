"""The Queue page: adding, order by mouse and keys, priorities, pausing, and what a scheduler then makes of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.workspace import PageName
from seqdec_gui.runs import lock
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.notes import display_name
from seqdec_gui.runs.queue import worker
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.spec import DeviceChoice
from tests.gui.accessible import nameless, roleless
from tests.gui.trained_runs import example_in
from tests.runs.queue.test_exactly_once import WORKER, starts, waiting_run

Opened = Callable[..., MainWindow]


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """The queue of this home, paused, with a worker whose runs train nothing."""
    made = Queue()
    made.pause(True)
    monkeypatch.setattr(worker, "COMMAND", (sys.executable, str(WORKER), str(made.path), "0.1", "0"))
    yield made
    made.pause(True)
    QTest.qWait(50)
    for _ in range(600):
        if not made.is_worked_on() and not any(lock.is_held(RunFolder(job.run).lock) for job in made.read().jobs):
            return
        QTest.qWait(20)
    raise AssertionError("somebody still works on the queue")


def find(window: MainWindow, name: str) -> QWidget:
    found = window.findChild(QWidget, name)
    assert found is not None, name
    return found


def click(window: MainWindow, name: str) -> None:
    widget = find(window, name)
    at = widget.mapTo(window, widget.rect().center())
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, at)


def shown(window: MainWindow) -> list[str]:
    table = window.findChild(QTableWidget, "queue_table")
    return [table.item(row, 1).text() for row in range(table.rowCount())]


def row_at(window: MainWindow, name: str, part: float = 0.5) -> QPoint:
    table = window.findChild(QTableWidget, "queue_table")
    rect = table.visualItemRect(table.item(shown(window).index(name), 1))
    return table.viewport().mapTo(window, QPoint(rect.left() + 12, int(rect.top() + part * rect.height())))


def waiting(queue: Queue) -> list[str]:
    return [job.name for job in queue.read().waiting]


@pytest.mark.slow
def test_rows_are_dragged_moved_by_keys_and_started(qtbot: QtBot, opened: Opened, queue: Queue, tmp_path: Path) -> None:
    runs = {name: waiting_run(tmp_path / "runs", name) for name in "abcd"}
    for run in runs.values():
        queue.add(run, DeviceChoice("cpu"))
    window = opened()
    window.workspace.page_requested.emit(PageName.QUEUE)
    qtbot.waitUntil(lambda: shown(window) == list("abcd"), timeout=10_000)
    handle = window.windowHandle()
    start, end = row_at(window, "d"), row_at(window, "b", 0.2)
    QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, start)
    for part in range(1, 6):
        QTest.mouseMove(handle, start + (end - start) * part / 5)
        QTest.qWait(10)
    QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, end)
    qtbot.waitUntil(lambda: waiting(queue) == list("adbc") and shown(window) == list("adbc"), timeout=10_000)
    QTest.mouseClick(handle, Qt.LeftButton, Qt.NoModifier, row_at(window, "c"))
    table = find(window, "queue_table")
    QTest.keyClick(table, Qt.Key_Up, Qt.AltModifier)
    qtbot.waitUntil(lambda: waiting(queue) == list("adcb") and shown(window) == list("adcb"), timeout=10_000)
    click(window, "queue_now")
    qtbot.waitUntil(lambda: starts(runs["c"]) == 1, timeout=20_000)
    assert waiting(queue) == list("adb")
    qtbot.waitUntil(lambda: "adb" in "".join(shown(window)), timeout=10_000)
    QTest.mouseClick(handle, Qt.LeftButton, Qt.NoModifier, row_at(window, "b"))
    QTest.keyClick(table, Qt.Key_Delete)
    qtbot.waitUntil(lambda: waiting(queue) == list("ad"), timeout=10_000)
    assert not runs["b"].exists
    click(window, "queue_pause")
    qtbot.waitUntil(lambda: [starts(runs[name]) for name in "ad"] == [1, 1], timeout=30_000)
    qtbot.waitUntil(lambda: all(job.outcome == "finished" for job in queue.read().jobs), timeout=20_000)
    qtbot.waitUntil(lambda: find(window, "queue_clear").isEnabled(), timeout=10_000)
    click(window, "queue_clear")
    qtbot.waitUntil(lambda: shown(window) == [], timeout=10_000)


@pytest.mark.slow
def test_the_open_design_is_put_into_the_queue(qtbot: QtBot, opened: Opened, queue: Queue, tmp_path: Path) -> None:
    window = opened(example_in(tmp_path, "roman"))
    window.workspace.devices.choose(DeviceChoice("cpu"))
    window.workspace.page_requested.emit(PageName.QUEUE)
    qtbot.waitUntil(lambda: find(window, "queue_add_first").isEnabled(), timeout=20_000)
    click(window, "queue_add_first")
    qtbot.waitUntil(lambda: len(waiting(queue)) == 1 and len(shown(window)) == 1, timeout=20_000)
    (job,) = queue.read().jobs
    assert shown(window) == [display_name(Path(job.run))]
    assert shown(window)[0].startswith("roman · ")
    assert (nameless(window), roleless(window)) == ([], [])
    assert str(job.devices) == "cpu"
    assert RunFolder(job.run).read_spec().design_path == str(tmp_path / "roman.seqdec")
    assert RunFolder(job.run).status().state == "unfinished"
    assert QApplication.activeModalWidget() is None
