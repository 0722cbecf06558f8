"""The advisor's panel on the Train page, driven through the window; the children that measure are stand-ins."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QLabel, QPushButton, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.edit import set_value
from seqdec_gui.gui.pages.train.scaling import advisor
from seqdec_gui.gui.pages.train.scaling.advisor import age
from seqdec_gui.gui.pages.train.scaling.table import COLUMNS, AdviceTable
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.workspace import TrainingState
from seqdec_gui.runs import probe
from seqdec_gui.runs.advice import Advice
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.tasks import run_task
from tests.gui.conftest import press
from tests.gui.trained_runs import example_in

FAKE = Path(__file__).parents[1] / "runs" / "fake_probe.py"
Opened = Callable[..., MainWindow]


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put the stand-in for the measuring child in place, in a mode."""
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")
    monkeypatch.setattr(advisor, "LOOK_MS", 20)

    def choose(mode: str) -> None:
        monkeypatch.setattr(probe, "run_task", functools.partial(run_task, argv=(sys.executable, str(FAKE), mode)))

    choose("measure")
    return choose


@pytest.fixture
def window(opened: Opened, child: Callable[[str], None], tmp_path: Path) -> MainWindow:
    """The Roman numerals, two CPU devices chosen, the panel asked for by the button beside the device picker."""
    window = opened(example_in(tmp_path, "roman"))
    window.workspace.devices.choose(DeviceChoice("cpu", count=2))
    press(window.findChild(QWidget, "toolbar").widgetForAction(window.actions_by_name["measure"]))
    return window


def find(window: MainWindow, kind: type, name: str) -> QWidget:
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def measure(qtbot: QtBot, window: MainWindow) -> None:
    press(find(window, QPushButton, "measure_button"))
    qtbot.waitUntil(lambda: not find(window, QPushButton, "cancel_measuring").isVisible(), timeout=20_000)


def sentence(window: MainWindow) -> str:
    return find(window, QLabel, "advice_sentence").text()


def rows(window: MainWindow) -> list[list[str]]:
    table = find(window, QTableWidget, "advice_table")
    cells = [[table.item(row, column) for column in range(table.columnCount())] for row in range(table.rowCount())]
    return [[item.text() for item in row if item is not None] for row in cells]


def place(title: str) -> int:
    return next(place for place, column in enumerate(COLUMNS) if column.title == title)


def choose_row(window: MainWindow, row: int) -> None:
    table = find(window, QTableWidget, "advice_table")
    place = table.viewport().mapTo(window, table.visualItemRect(table.item(row, 1)).center())
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)


def test_the_button_beside_the_device_picker_measures_them_and_a_sentence_says_what_they_are_worth(
    qtbot: QtBot, window: MainWindow
) -> None:
    assert window.pages.current == "train"
    assert "one and all of the chosen devices" in sentence(window)
    assert not find(window, QTableWidget, "advice_table").isVisible()
    measure(qtbot, window)
    assert sentence(window) == "2 virtual CPU devices: 2x at every batch measured (64 to 1,024)."
    assert [(*row[:4], row[place("Step")]) for row in rows(window)] == [
        ("CPU", "64", "6,400", "–", "10 ms"), ("CPU", "256", "6,400", "–", "40 ms"), ("CPU", "1,024", "6,400", "–", "160 ms"),
        ("2× CPU", "64", "12,800", "2x", "5 ms"), ("2× CPU", "256", "12,800", "2x", "20 ms"),
        ("2× CPU", "1,024", "12,800", "2x", "80 ms"),
    ]  # fmt: skip


def test_a_small_window_shows_what_decides_and_no_column_that_says_nothing(qtbot: QtBot, window: MainWindow) -> None:
    measure(qtbot, window)
    table = find(window, QTableWidget, "advice_table")
    assert table.isColumnHidden(place("cuDNN"))
    for title in ("Devices", "Batch", "Samples/s", "Speed-up"):
        assert not table.isColumnHidden(place(title))
        left = table.columnViewportPosition(place(title))
        assert 0 <= left <= table.viewport().width() - table.columnWidth(place(title)), title


def test_a_measured_batch_is_taken_into_the_design_and_taken_back(qtbot: QtBot, window: MainWindow) -> None:
    measure(qtbot, window)
    use = find(window, QPushButton, "use_batch")
    assert not use.isEnabled()
    choose_row(window, 0)
    assert not use.isEnabled()
    assert "already" in use.toolTip()
    choose_row(window, 4)
    assert use.text() == "Use batch 256"
    press(use)
    assert window.document.design.training.batch_size == 256
    assert not use.isEnabled()
    assert "Measure again" in find(window, QPushButton, "measure_button").text()  # the shape is the same
    find(window, QAction, "action_undo").trigger()
    assert window.document.design.training.batch_size == 64


def test_memory_that_runs_out_is_an_answer(qtbot: QtBot, window: MainWindow, child: Callable[[str], None]) -> None:
    child("memory")
    measure(qtbot, window)
    found = rows(window)
    assert ["CPU", "64", "6,400"] in [row[:3] for row in found]
    assert ["2× CPU", "256", "Out of memory"] in found
    assert "runs out of memory on 2 virtual CPU devices" in sentence(window)
    choose_row(window, next(i for i, row in enumerate(found) if row[2:] == ["Out of memory"]))
    assert not find(window, QPushButton, "use_batch").isEnabled()


def test_a_measurement_shows_what_has_come_and_can_be_given_up(
    qtbot: QtBot, window: MainWindow, child: Callable[[str], None]
) -> None:
    measure(qtbot, window)
    child("slow")
    press(find(window, QPushButton, "measure_button"))
    qtbot.waitUntil(lambda: rows(window) == [["2× CPU", "64", "12,800", "–", "–", "–", "–", "–", "5 ms", "–"]], timeout=20_000)
    assert find(window, QLabel, "measuring_words").text() == "1 of 6  ·  jax on cpu:2"
    press(find(window, QPushButton, "cancel_measuring"))
    qtbot.waitUntil(lambda: find(window, QPushButton, "measure_button").isVisible(), timeout=5_000)
    qtbot.waitUntil(lambda: len(rows(window)) == 6, timeout=5_000)  # what was kept


def test_what_was_measured_is_kept_with_the_shape_of_the_design(
    qtbot: QtBot, window: MainWindow, opened: Opened, tmp_path: Path
) -> None:
    measure(qtbot, window)
    found = rows(window)
    window.document.edit(set_value(window.document.design, "training.learning_rate", "0.5"), "Another rate")
    warning = find(window, QLabel, "advice_warning")
    assert "changed" not in warning.text()
    window.document.edit(set_value(window.document.design, "decoder.units", "48"), "Another width")
    assert warning.text() == "Measured before the design or the devices changed."
    window.document.undo_stack.setClean()
    other = opened(tmp_path / "roman.seqdec")
    other.workspace.devices.choose(DeviceChoice("cpu", count=2))
    other.actions_by_name["measure"].trigger()
    qtbot.waitUntil(lambda: rows(other) == found, timeout=5_000)
    assert "just now" in find(other, QLabel, "advisor_facts").text()


def test_rows_that_cannot_be_used_are_said(qtbot: QtBot, window: MainWindow, child: Callable[[str], None]) -> None:
    child("invalid")
    measure(qtbot, window)
    assert sentence(window) == "The rows are wrong."


def test_nothing_is_measured_while_a_run_trains(qtbot: QtBot, window: MainWindow, child: Callable[[str], None]) -> None:
    child("slow_start")
    button = find(window, QPushButton, "measure_button")
    press(button)
    qtbot.waitUntil(lambda: not button.isVisible())
    window.workspace.set_training(TrainingState("running", ("cpu:0",)))
    qtbot.waitUntil(lambda: button.isVisible(), timeout=5_000)
    assert not button.isEnabled()
    assert "slow it down" in button.toolTip()
    window.workspace.set_training(TrainingState())
    assert button.isEnabled()


def test_escape_and_the_cross_go_back_to_the_curves(window: MainWindow) -> None:
    panel = find(window, QWidget, "advisor_panel")
    assert panel.isVisible()
    QTest.keyClick(window.windowHandle(), Qt.Key_Escape)
    assert not panel.isVisible()
    press(find(window, QPushButton, "measure_first"))
    assert panel.isVisible()
    press(find(window, QWidget, "close_advisor"))
    assert not panel.isVisible()


def test_an_age_in_words() -> None:
    assert [age(0, now) for now in (5, 119, 7300, 200_000)] == ["just now", "1 min ago", "2 h ago", "2 d ago"]


def test_gpus_without_cudnn_read_as_a_choice_of_the_engine_and_not_as_a_fault(qtbot: QtBot) -> None:
    gpu = DeviceChoice("gpu", gpus=(0,))
    found = [
        Measurement(
            engine=engine, devices=gpu, batch_size=batch, step_s=0.01, cudnn_layers=layers, recurrent_layers=3, epoch_s=0.7
        )
        for engine, batch, layers in (("jax", 64, 0), ("tensorflow", 128, 0), ("tensorflow", 256, 3))
    ]
    advice = Advice(engine="jax", why="", devices=gpu, alone=gpu, batch_size=64, measurements=tuple(found), sentence="")
    table = AdviceTable()
    qtbot.addWidget(table)
    table.show_advice(advice, 64)
    assert [table.item(row, place("cuDNN")).text() for row in range(3)] == ["own loops", "no", "yes"]
    assert "faster than cuDNN's" in table.item(0, place("cuDNN")).toolTip()
    assert table.item(1, place("cuDNN")).toolTip() == ""
    assert table.item(0, place("Epoch")).text() == "0.70 s"
