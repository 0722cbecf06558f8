"""The Generate tab beside its results: what lies outside the training rows, steps, properties, a second model, random codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QTableView, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.dialogs.errors.charts import CandidatesChart
from seqdec_gui.gui.pages.generate.comparison_plot import ComparisonPlot
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import name_file, press
from tests.gui.test_generate_view import Driver, drive
from tests.gui.trained_runs import asked, child, example_in, trained

__all__ = ["asked", "child", "drive"]
pytestmark = pytest.mark.slow
Drive = Callable[..., Driver]
Asked = Callable[[], dict]


def click_row(driver: Driver, table: QTableView, row: int, column: int = 2) -> None:
    place = table.viewport().mapTo(driver.window, table.visualRect(table.model().index(row, column)).center())
    QTest.mouseClick(driver.window.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)
    driver.settle()


def click_point(driver: Driver, plot: ComparisonPlot, point: int) -> None:
    at = plot.getViewBox().mapViewToScene(pg_point(plot, point))
    place = plot.viewport().mapTo(driver.window, plot.mapFromScene(at))
    QTest.qWait(50)  # pyqtgraph takes clicks that are not too near a movement
    QTest.mouseClick(driver.window.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)
    driver.settle()


def pg_point(plot: ComparisonPlot, point: int) -> Any:
    return QPointF(*plot.points[point].tolist())


def test_numbers_outside_the_training_rows_are_said_before_and_the_button_does_not_wait(
    drive: Drive, child: object, asked: Asked, tmp_path: Path
) -> None:
    driver = drive("molecules")
    words, button = driver.find(QLabel, "outside_training"), driver.find(QPushButton, "generate_button")
    assert not words.isVisible()
    field = driver.find(QLineEdit, "input_descriptors_0")
    assert field.accessibleName() == "descriptors logP"
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "99")
    assert words.isVisible()
    assert "logP 99 (training rows " in words.text()
    assert button.isEnabled()
    field.selectAll()
    QTest.keyClicks(field, "2")
    assert not words.isVisible()
    rows = tmp_path / "rows.csv"
    names = [driver.find(QLineEdit, f"input_descriptors_{n}").accessibleName().split()[-1] for n in range(11)]
    rows.write_text(",".join(names) + "\n" + ",".join(["1"] * 11) + "\n")
    driver.find(QComboBox, "generate_source").setCurrentText("From a file")
    QTest.keyClicks(driver.find(QLineEdit, "generate_file"), str(rows))
    driver.settle()
    assert "One row asks for what no training row has" in words.text()
    assert button.isEnabled()


def test_a_click_on_a_sequence_shows_its_steps(drive: Drive, child: object, asked: Asked, qtbot: QtBot) -> None:
    driver = drive("roman")
    driver.find(QPlainTextEdit, "input_number").setPlainText("1\n21\n3")
    driver.generate()
    table, chart = driver.find(QTableView, "results_table"), driver.find(CandidatesChart, "candidates_chart")
    click_row(driver, table, 1)
    assert asked()["type"] == "generate"  # nobody asked for steps
    press(driver.find(QToolButton, "show_steps"))
    driver.settle()
    assert chart.isVisible()
    wanted = asked()
    assert (wanted["type"], wanted["given"], wanted["candidates"]) == ("score", [[1, '{"number": "21"}']], 5)
    assert wanted["rows"] == [{"number": "1"}, {"number": "21"}, {"number": "3"}]
    assert "".join(step.chosen for step in chart.steps) == '{"number": "21"}'
    click_row(driver, table, 2)
    assert asked()["given"] == [[2, '{"number": "3"}']]
    assert "".join(step.chosen for step in chart.steps) == '{"number": "3"}'
    assert table.model().rowCount() == 3
    driver.find(QComboBox, "generate_checkpoint").setCurrentIndex(1)
    click_row(driver, table, 0)
    assert "of other weights" in driver.error
    press(driver.find(QToolButton, "show_steps"))
    assert not chart.isVisible()


def test_properties_are_plotted_and_a_point_finds_its_row(
    drive: Drive, child: object, asked: Asked, qtbot: QtBot, tmp_path: Path
) -> None:
    pytest.importorskip("rdkit")
    driver = drive("molecules")
    driver.generate()
    assert driver.find(QToolButton, "show_structures").isVisible()
    assert asked()["properties"] == ["auto"]
    plot = driver.find(ComparisonPlot, "properties_plot")
    assert plot.isVisible()
    assert plot.points.tolist() == [[0, 0], [1, 0.5]]
    assert driver.find(QLabel, "property_words").text() == "logP of 2 molecules: mean absolute error 0.25"
    table = driver.find(QTableView, "results_table")
    press(driver.find(QToolButton, "show_structures"))  # room for the plot
    qtbot.waitUntil(lambda: plot.width() > 100)
    click_point(driver, plot, 1)
    assert table.currentIndex().row() == 1
    press(driver.find(QPushButton, "save_results_button"))
    name_file(qtbot, tmp_path / "made.smi")
    qtbot.waitUntil(lambda: (tmp_path / "made.smi").exists() and not background.busy(), timeout=10_000)
    assert (tmp_path / "made.smi").read_text() == "CCO\t0_0\nCCN\t1_0\nC1C\t2_0\n"
    press(driver.find(QToolButton, "show_properties"))
    assert not plot.isVisible()
    driver.generate()
    assert asked()["properties"] == []


def test_a_second_model_scores_the_same_sequences(
    opened: Callable[..., MainWindow], child: object, asked: Asked, qtbot: QtBot, tmp_path: Path
) -> None:
    path = example_in(tmp_path, "roman")
    prior, _ = trained(path, "prior", created=1.0), trained(path, "tuned", created=2000.0)
    driver = Driver(opened(path), qtbot)
    press(driver.find(QToolButton, "generate_mode_score"))
    others = driver.find(QComboBox, "score_against")
    qtbot.waitUntil(lambda: others.count() == 2)
    assert others.currentText() == "no other model"
    others.setFocus()
    QTest.keyClick(others, Qt.Key_Down)
    driver.find(QPlainTextEdit, "input_number").setPlainText("7\n9")
    driver.find(QPlainTextEdit, "input_decoder_inputs").setPlainText("VII\nIX")
    press(driver.find(QPushButton, "generate_button"))
    driver.settle()
    assert asked()["against"] == str(prior.path)
    assert "+1 per row against prior" in driver.find(QLabel, "score_summary").text()
    table, plot = driver.find(QTableView, "scores_table"), driver.find(ComparisonPlot, "against_plot")
    titles = [table.model().headerData(column, Qt.Horizontal) for column in range(table.model().columnCount())]
    assert titles[-2:] == ["log_probability_against", "difference"]
    assert table.model().index(2, len(titles) - 1).data() == ""  # the row that could not be scored
    assert plot.isVisible()
    assert [tuple(point) for point in plot.points.tolist()] == [(-2.25, -1.25), (-1.75, -0.75)]
    click_point(driver, plot, 1)
    assert table.currentIndex().row() == 1


def test_random_codes_are_for_a_variational_run(drive: Drive, child: object, asked: Asked) -> None:
    driver = drive("roman")
    press(driver.find(QToolButton, "generate_mode_codes"))
    button = driver.find(QPushButton, "codes_random")
    assert not button.isVisible()
    mode: Any = driver.page.modes["codes"]
    mode.show_run(driver.page._inputs._replace(variational=3))
    press(button)
    driver.settle()
    table = driver.find(QTableView, "codes_table")
    texts = [table.model().index(row, 2).data() for row in range(table.model().rowCount())]
    assert len(set(texts)) == 10
    assert driver.find(QWidget, "codes_plot").isVisible()
