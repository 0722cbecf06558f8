"""The dialog of a run's errors: worst rows first, their candidates, the confused symbols; a fault is a sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QComboBox, QDialog, QLabel, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.workspace import PageName
from seqdec_gui.runs.events import EventWriter, RowCount, Started
from tests.gui.trained_runs import asked, child, example_in, trained

__all__ = ["asked", "child"]
Opened = Callable[..., MainWindow]


def opened_dialog(qtbot: QtBot, opened: Opened, folder: Path) -> QDialog:
    run = trained(example_in(folder, "roman"), "20250101-000000-roman")
    with EventWriter(run.events) as events:
        started = {"epochs": 2, "steps_per_epoch": 5, "batch_size": 64, "devices": ("cpu:0",), "engine": "jax"}
        events.write(Started(**started, rows=RowCount(3599, 400)))
    window = opened(folder / "roman.seqdec")
    window.pages.show_page(PageName.RUNS)
    table = window.findChild(QTableView, "runs_table")
    qtbot.waitUntil(lambda: table.model().rowCount() == 1, timeout=10_000)
    table.selectRow(0)
    button = window.findChild(QWidget, "run_errors")
    qtbot.waitUntil(button.isEnabled, timeout=10_000)
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, button.mapTo(window, button.rect().center()))
    qtbot.waitUntil(lambda: window.findChild(QDialog, "errors_dialog") is not None, timeout=10_000)
    dialog = window.findChild(QDialog, "errors_dialog")
    qtbot.waitUntil(dialog.isVisible, timeout=10_000)
    return dialog


def test_the_worst_rows_come_first_and_each_shows_its_candidates(
    qtbot: QtBot, opened: Opened, child: Callable[[str], None], asked: Callable[[], dict], tmp_path: Path
) -> None:
    child("do")
    dialog = opened_dialog(qtbot, opened, tmp_path)
    order = dialog.findChild(QComboBox, "errors_order")
    order.setFocus()
    QTest.keyClicks(order, "Least")
    table, sentence = dialog.findChild(QTableView, "worst_rows"), dialog.findChild(QLabel, "errors_sentence")
    assert not table.isVisible()
    qtbot.waitUntil(lambda: dialog.findChild(QPushButton, "analyse_errors").isEnabled(), timeout=10_000)
    qtbot.mouseClick(dialog.findChild(QPushButton, "analyse_errors"), Qt.LeftButton)
    qtbot.waitUntil(table.isVisible, timeout=20_000)
    task = asked()
    assert (task["split"], task["order"], task["trained_on"]) == ("validation", "likelihood", 3599)
    assert sentence.text() == (
        "2 of 4 rows are right (50.0%). Character error rate (CER) 16.67%: 1 substitution, 0 insertions, 1 deletion."
    )
    shown = [[table.model().index(row, column).data() for column in range(6)] for row in range(table.model().rowCount())]
    assert shown == [["3", "1", "-3.00", "2", "MIX", "MX"], ["2", "1", "-2.00", "1", "XIV", "XVV"]]

    chart = dialog.findChild(QWidget, "candidates_chart")
    assert [step.chosen for step in chart.steps] == ["M", "X"]
    table.setFocus()
    QTest.keyClick(table, Qt.Key_Down)
    assert [step.chosen for step in chart.steps] == ["X", "V", "V"]
    confusion = dialog.findChild(QWidget, "confusion_map")
    assert confusion.symbols == ["I", "V", ""]
    assert confusion.counts.tolist() == [[2, 1, 1], [0, 3, 0], [0, 0, 0]]
    assert confusion.words(0, 1).startswith("I became V 1 time,")
    assert confusion.words(0, 2) == "I was left out 1 time"
    if picture := os.environ.get("ERRORS_PICTURE"):
        qtbot.wait(300)
        dialog.grab().save(picture)

    kept = tmp_path / "kept.json"
    dialog.save(kept)
    assert json.loads(kept.read_text())["rows"] == 4


def test_a_fault_is_said_in_the_dialog(qtbot: QtBot, opened: Opened, child: Callable[[str], None], tmp_path: Path) -> None:
    child("refuse")
    dialog = opened_dialog(qtbot, opened, tmp_path)
    qtbot.mouseClick(dialog.findChild(QPushButton, "analyse_errors"), Qt.LeftButton)
    sentence = dialog.findChild(QLabel, "errors_sentence")
    qtbot.waitUntil(lambda: "cannot become a block" in sentence.text(), timeout=20_000)
    assert not dialog.findChild(QWidget, "errors_found").isVisible()
    assert dialog.findChild(QPushButton, "analyse_errors").text() == "Analyse"
