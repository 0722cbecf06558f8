"""Warm workers in the window: started for what comes next, used by it, switched off, and gone with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QCoreApplication, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QCheckBox, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import warm_workers
from seqdec_gui.gui.tasks.child_task import ChildTask
from seqdec_gui.gui.window import anticipation, dialogs
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace import launch
from seqdec_gui.gui.workspace.workspace import PageName
from seqdec_gui.runs import workers
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.task_results import Evaluated
from seqdec_gui.runs.tasks import EvaluateTask, task_environment

FAKE = (sys.executable, str(Path(__file__).parents[1] / "runs" / "fake_worker.py"))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Iterator[Callable[[], list[workers.Worker]]]:
    """Begin warm workers as the application does; returns a function that gives those that wait."""
    monkeypatch.setattr(workers, "_memory_left", lambda: 64 << 30)
    monkeypatch.setattr(workers, "WORKER", FAKE)
    monkeypatch.setattr(anticipation, "SETTLE_MS", 20)
    warm_workers.begin()
    yield lambda: list(current.waiting) if (current := warm_workers.current()) is not None else []
    warm_workers.end()


def backends(kept: Callable[[], list[workers.Worker]]) -> list[str]:
    return [each.environment["KERAS_BACKEND"] for each in kept()]


def test_a_worker_is_warmed_for_the_page_in_front(
    kept: Callable[[], list[workers.Worker]], opened: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = opened(resource_files.path("examples/roman.seqdec"))
    expected = launch.environment(launch.request(window.workspace))
    qtbot.waitUntil(lambda: [each.environment for each in kept()] == [expected])
    window.workspace.page_requested.emit(PageName.GENERATE)
    qtbot.waitUntil(lambda: backends(kept) == ["jax", "tensorflow"])
    window.workspace.page_requested.emit(PageName.TRAIN)
    qtbot.waitUntil(lambda: backends(kept) == ["tensorflow", "jax"])


def test_an_empty_window_warms_nothing(
    kept: Callable[[], list[workers.Worker]], opened: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = opened()
    window.workspace.devices.choice_changed.emit()
    QTest.qWait(150)
    assert kept() == []


def test_the_export_dialog_warms_a_worker(
    kept: Callable[[], list[workers.Worker]], opened: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = opened()
    dialogs.export(window.workspace)
    qtbot.waitUntil(lambda: backends(kept) == ["tensorflow"])
    (dialog,) = [each for each in QApplication.topLevelWidgets() if each.objectName() == "export_dialog" and each.isVisible()]
    QTest.keyClick(dialog, Qt.Key_Escape)


def test_the_setting_ends_workers_and_is_kept(
    kept: Callable[[], list[workers.Worker]], opened: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = opened(resource_files.path("examples/roman.seqdec"))
    qtbot.waitUntil(lambda: len(kept()) == 1)
    pid = kept()[0].process.pid
    dialogs.settings(window.workspace, window)
    box = _shown("setting_warm_workers")
    assert box.isChecked()
    QTest.keyClick(box, Qt.Key_Space)
    assert not preferences.warm_workers_are_on()
    assert warm_workers.current() is None
    qtbot.waitUntil(lambda: not Path(f"/proc/{pid}").exists())
    warm_workers.begin()
    assert warm_workers.current() is None
    QTest.keyClick(box, Qt.Key_Space)
    assert warm_workers.current() is not None
    QTest.keyClick(box.window(), Qt.Key_Escape)


def _shown(name: str) -> QCheckBox:
    QCoreApplication.processEvents()
    found = list({box for top in QApplication.topLevelWidgets() for box in top.findChildren(QWidget, name) if box.isVisible()})
    assert len(found) == 1
    assert isinstance(found[0], QCheckBox)
    return found[0]


def test_without_workers_the_window_asks_for_none(opened: Callable[..., MainWindow], qtbot: QtBot) -> None:
    window = opened(resource_files.path("examples/roman.seqdec"))
    window.workspace.page_requested.emit(PageName.GENERATE)
    warm_workers.expect_task(export=True)
    QTest.qWait(100)
    assert warm_workers.current() is None


def test_a_worker_that_was_killed_is_replaced_each_time(
    kept: Callable[[], list[workers.Worker]], qtbot: QtBot, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    run.checkpoints.mkdir(parents=True)
    run.spec.write_text("{}")
    run.checkpoint("best").write_text("weights")
    job = ChildTask()
    outcomes: list[object] = []
    job.failed.connect(outcomes.append)
    job.returned.connect(outcomes.append)
    dying = EvaluateTask(run=str(run.path), data="die")
    warm_workers.expect(lambda: task_environment(dying)[0])
    former = 0
    for _ in range(2):
        qtbot.waitUntil(lambda former=former: [each.alive for each in kept()] == [True] and kept()[0].process.pid != former)
        former = kept()[0].process.pid
        with qtbot.waitSignal(job.finished, timeout=30_000):
            job.start(dying)
    qtbot.waitUntil(lambda: [each.alive for each in kept()] == [True] and kept()[0].process.pid != former)
    with qtbot.waitSignal(job.finished, timeout=30_000):
        job.start(EvaluateTask(run=str(run.path), data="/rows.csv"))
    assert [type(outcome).__name__ for outcome in outcomes[:2]] == ["SeqdecError", "SeqdecError"]
    assert isinstance(outcomes[2], Evaluated)
    job.deleteLater()
