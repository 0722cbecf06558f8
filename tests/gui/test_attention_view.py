"""What a model attends to, as a picture: on the Generate tab and in the dialog of errors, by real clicks and keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QHelpEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAction,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QTabWidget,
    QToolButton,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.attention.heat_map import HeatMap, shade
from seqdec_gui.gui.widgets.attention.view import AttentionView
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.workspace import PageName
from seqdec_gui.runs.events import EventWriter, RowCount, Started
from tests.gui.accessible import nameless, roleless
from tests.gui.conftest import press
from tests.gui.test_generate_answers import click_row
from tests.gui.test_generate_view import Driver, drive
from tests.gui.trained_runs import asked, child, example_in, trained

__all__ = ["asked", "child", "drive"]
pytestmark = pytest.mark.slow
Asked = Callable[[], dict]


def generated(drive: Callable[..., Driver]) -> tuple[Driver, QTableView, HeatMap]:
    driver = drive("roman-attention")
    driver.find(QPlainTextEdit, "input_source").setPlainText("1\n21\n3")
    driver.generate()
    return driver, driver.find(QTableView, "results_table"), driver.find(HeatMap, "attention_map")


def test_a_click_on_a_sequence_shows_what_it_attends_to(
    drive: Callable[..., Driver], child: object, asked: Asked, qtbot: QtBot, tmp_path: Path
) -> None:
    driver, table, picture = generated(drive)
    click_row(driver, table, 1)
    assert asked()["type"] == "generate"  # nobody asked for attention
    press(driver.find(QToolButton, "show_attention"))
    driver.settle()
    wanted = asked()
    assert (wanted["type"], wanted["given"]) == ("attention", [[1, '{"source": "21"}']])
    assert picture.isVisible()
    assert (nameless(driver.window), roleless(driver.window)) == ([], [])
    layers, heads = driver.find(QComboBox, "attention_layer"), driver.find(QComboBox, "attention_head")
    assert layers.currentText() == "decoder · Cross_Attention_0 → source"  # rather than what attends to itself
    assert [heads.itemText(number) for number in range(heads.count())] == ["Mean of 2 heads", "Head 1", "Head 2"]
    mean = np.array(picture.weights)
    assert mean.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert picture.targets[-1] == "<end>"
    heads.setFocus()
    QTest.keyClick(heads, Qt.Key_Down)
    first = np.array(picture.weights)
    QTest.keyClick(heads, Qt.Key_Down)
    assert (first + np.array(picture.weights)) / 2 == pytest.approx(mean)

    click_row(driver, table, 2)
    assert asked()["given"] == [[2, '{"source": "3"}']]
    assert heads.currentText() == "Head 2"  # as it was chosen
    view = driver.find(AttentionView, "attention_view")
    for name in ("a.png", "a.svg", "a.csv"):
        view.save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 100
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == ",2,1,<end>"
    layers.setFocus()
    QTest.keyClick(layers, Qt.Key_Up)
    assert list(picture.sources) == ["1", "2"]
    assert not heads.isVisible()


def test_cells_are_explained_copied_and_found_by_keys(
    drive: Callable[..., Driver], child: object, asked: Asked, qtbot: QtBot
) -> None:
    driver, table, picture = generated(drive)
    press(driver.find(QToolButton, "show_attention"))
    click_row(driver, table, 0)
    driver.settle()
    at = picture.cell_rect(2, 1).center()
    assert picture.cell_at(at) == (2, 1)
    assert picture.cell_at(QPoint(0, 0)) is None
    QApplication.sendEvent(picture, QHelpEvent(QEvent.ToolTip, at, picture.mapToGlobal(at)))
    weight = picture.weights[2][1]
    assert QToolTip.text() == picture.words(2, 1) == f"s (step 3) attends to 1 (step 2): {weight:.3f}"
    picture.setFocus()
    for key in (Qt.Key_Right, Qt.Key_Right, Qt.Key_Down):
        QTest.keyClick(picture, key)
    assert picture.accessibleDescription() == picture.words(1, 1)

    driver.page.findChild(QAction, "copy_attention_table").trigger()
    lines = [line.split("\t") for line in QApplication.clipboard().text().split("\n")]
    assert lines[0] == ["", "2", "1", "<end>"]
    assert [float(cell) for cell in lines[3][1:]] == pytest.approx(picture.weights[2], abs=1e-5)
    driver.page.findChild(QAction, "copy_attention_picture").trigger()
    assert QApplication.clipboard().image().width() == 2 * picture.width()


def test_the_largest_weight_has_the_accent_of_each_theme(qtbot: QtBot) -> None:
    picture = HeatMap()
    qtbot.addWidget(picture)
    picture.show_weights(("a", "b"), ("x", "y"), ((0.0, 1.0), (0.5, 0.5)))
    picture.resize(300, 200)
    for name in ("light", "dark", "light"):
        theme.set_mode(name)
        grabbed = picture.grab().toImage()
        full, empty = (picture.cell_rect(0, source).center() for source in (1, 0))
        assert grabbed.pixelColor(full).name() == shade(1.0).name() == theme.color(theme.current().accent).name()
        assert grabbed.pixelColor(empty).name() == theme.color(theme.current().surface).name()


def test_a_run_without_attention_offers_no_picture(drive: Callable[..., Driver], child: object) -> None:
    driver = drive("roman")
    assert not driver.find(QToolButton, "show_attention").isVisibleTo(driver.page)


def test_the_worst_rows_show_what_they_attend_to(
    qtbot: QtBot, opened: Callable[..., MainWindow], child: Callable[[str], None], asked: Asked, tmp_path: Path
) -> None:
    child("do")
    design = example_in(tmp_path, "roman-attention")
    with EventWriter(trained(design, "20250101-000000-roman").events) as events:
        started = {"epochs": 2, "steps_per_epoch": 5, "batch_size": 64, "devices": ("cpu:0",), "engine": "jax"}
        events.write(Started(**started, rows=RowCount(3599, 400)))
    window = opened(design)
    window.pages.show_page(PageName.RUNS)
    table = window.findChild(QTableView, "runs_table")
    qtbot.waitUntil(lambda: table.model().rowCount() == 1, timeout=10_000)
    table.selectRow(0)
    button = window.findChild(QWidget, "run_errors")
    qtbot.waitUntil(button.isEnabled, timeout=10_000)
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, button.mapTo(window, button.rect().center()))
    qtbot.waitUntil(lambda: window.findChild(QDialog, "errors_dialog") is not None, timeout=10_000)
    dialog = window.findChild(QDialog, "errors_dialog")
    tabs = dialog.findChild(QTabWidget, "row_charts")
    qtbot.waitUntil(lambda: tabs.isTabVisible(1), timeout=10_000)
    qtbot.mouseClick(dialog.findChild(QPushButton, "analyse_errors"), Qt.LeftButton)
    rows = dialog.findChild(QTableView, "worst_rows")
    qtbot.waitUntil(rows.isVisible, timeout=20_000)
    assert asked()["type"] == "errors"
    qtbot.mouseClick(tabs.tabBar(), Qt.LeftButton, pos=tabs.tabBar().tabRect(1).center())
    picture = dialog.findChild(HeatMap, "attention_map")
    qtbot.waitUntil(lambda: len(picture.targets) > 0, timeout=20_000)
    wanted = asked()
    assert (wanted["type"], wanted["split"], wanted["given"]) == ("attention", "validation", [[2, "MX"]])
    assert "Row 3: " in dialog.findChild(QLabel, "attention_words").text()
    rows.setFocus()
    QTest.keyClick(rows, Qt.Key_Down)
    qtbot.waitUntil(lambda: asked()["given"] == [[1, "XVV"]], timeout=20_000)
    qtbot.waitUntil(lambda: "Row 2: " in dialog.findChild(QLabel, "attention_words").text(), timeout=20_000)
