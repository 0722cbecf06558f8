"""After a run that ran out of memory: the largest batch that fits is found at a click, and trained with at the next."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.pages.train import batch_button
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.runs.fitting_batch import FittingBatch
from seqdec_gui.runs.tasks import Cancelled
from tests.gui import test_training_view
from tests.gui.test_training_view import find, points, press, runs_of, session, stop

Opened = Callable[..., MainWindow]
design, child = test_training_view.design, test_training_view.child


def out_of_memory(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: find(window, "train_button").isEnabled(), timeout=10_000)
    press(window, "train_button")
    qtbot.waitUntil(lambda: find(window, "find_batch").isVisible(), timeout=15_000)
    assert find(window, "outcome_title").text() == "Out of memory"


def test_the_largest_batch_is_found_and_trained_with(
    qtbot: QtBot,
    opened: Opened,
    design: Path,
    child: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child("memory")
    window = opened(design)
    out_of_memory(qtbot, window)
    before = window.document.design.training.batch_size
    asked: list[Any] = []

    def largest(run_design: Any, folder: Path, devices: Any, engine: str, **_: Any) -> FittingBatch:
        asked.append((run_design.training.batch_size, folder, devices.kind, engine))
        return FittingBatch(8, 3 << 20, True)

    monkeypatch.setattr(batch_button, "largest_batch", largest)
    press(window, "find_batch")
    qtbot.waitUntil(lambda: find(window, "find_batch").text() == "Train with a batch of 8")
    assert asked == [(before, design.parent, "cpu", session(window).shown.run.read_spec().placed_engine)]
    assert "A batch of 8 rows fits and takes 3.0 MiB: it was tried." in find(window, "outcome_sentence").text()
    child("obey")
    press(window, "find_batch")
    qtbot.waitUntil(lambda: points(window) > 3, timeout=15_000)
    assert not find(window, "find_batch").isVisible()
    assert runs_of(design)[-1].read_spec().load_design().training.batch_size == 8
    stop(qtbot, window)
    window.document.undo_stack.undo()
    assert window.document.design.training.batch_size == before


def test_the_search_can_be_cancelled_and_may_find_nothing(
    qtbot: QtBot,
    opened: Opened,
    design: Path,
    child: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child("memory")
    window = opened(design)
    out_of_memory(qtbot, window)
    begun: list[bool] = []

    def waits(*_: Any, cancelled: Callable[[], bool], **__: Any) -> None:
        begun.append(True)
        while not cancelled():
            time.sleep(0.01)
        raise Cancelled

    monkeypatch.setattr(batch_button, "largest_batch", waits)
    press(window, "find_batch")
    qtbot.waitUntil(lambda: bool(begun))
    assert "Cancel" in find(window, "find_batch").text()
    press(window, "find_batch")
    qtbot.waitUntil(lambda: find(window, "find_batch").text() == "Find a batch that fits")
    monkeypatch.setattr(batch_button, "largest_batch", lambda *_, **__: None)
    press(window, "find_batch")
    qtbot.waitUntil(lambda: batch_button.NOTHING_FITS in find(window, "outcome_sentence").text())
    assert not find(window, "find_batch").isVisible()
