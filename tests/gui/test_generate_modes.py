"""The Generate tab: strategies, limits, filters, scores and mappings, by real events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTableView,
    QTableWidget,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui.data.generated_results import Filter, Result
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import set_value
from seqdec_gui.gui.pages.generate.codes_plot import CodesPlot
from seqdec_gui.gui.pages.generate.results_table import LOG_COLUMN, ResultsTable
from seqdec_gui.gui.pages.generate.structures import Structures
from seqdec_gui.gui.pages.generate.symbol_bars import SymbolBars
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import name_file, press
from tests.gui.test_generate_view import Driver, drive
from tests.gui.trained_runs import asked, child, example_in, trained

__all__ = ["asked", "child", "drive"]
Drive = Callable[..., Driver]
Asked = Callable[[], dict]
slow = pytest.mark.slow


def shown(driver: Driver, *names: str) -> list[bool]:
    return [driver.find(QWidget, f"generate_{name}").isVisible() for name in names]


def typed(box: QWidget, text: str) -> None:
    """Type a number in place of the one in a box, and Return."""
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key_Return)


@slow
def test_only_the_fields_of_the_chosen_strategy_are_shown_and_all_of_them_are_asked_for(
    drive: Drive, child: object, asked: Asked
) -> None:
    driver = drive("roman")
    names = ("count", "temperature", "top_k", "top_p", "min_p", "seed", "unique", "width", "n_best", "groups", "diversity")
    assert shown(driver, *names) == [False] * 11
    QTest.keyClicks(driver.find(QPlainTextEdit, "input_number"), "7")
    driver.generate()
    assert (asked()["strategy"], asked()["count"], asked()["unique"]) == ({"name": "greedy"}, 1, False)
    press(driver.find(QToolButton, "generate_strategy_sampling"))
    assert shown(driver, *names) == [True] * 7 + [False] * 4
    for kind, name, text in (
        (QSpinBox, "count", "4"),
        (QDoubleSpinBox, "temperature", "0.8"),
        (QSpinBox, "top_k", "5"),
        (QDoubleSpinBox, "top_p", "0.9"),
        (QDoubleSpinBox, "min_p", "0.05"),
    ):
        typed(driver.find(kind, f"generate_{name}"), text)
    press(driver.find(QCheckBox, "generate_unique"))
    driver.generate()
    drawn = {"name": "sampling", "temperature": 0.8, "top_k": 5, "top_p": 0.9, "min_p": 0.05}
    assert (asked()["strategy"], asked()["count"], asked()["unique"]) == (drawn, 4, True)
    press(driver.find(QToolButton, "generate_strategy_beam"))
    assert shown(driver, *names) == [False] * 7 + [True] * 4
    for kind, name, text in (
        (QSpinBox, "width", "6"),
        (QSpinBox, "n_best", "3"),
        (QSpinBox, "groups", "2"),
        (QDoubleSpinBox, "diversity", "0.5"),
        (QDoubleSpinBox, "length_penalty", "-1"),
    ):
        typed(driver.find(kind, f"generate_{name}"), text)
    driver.generate()
    beam = {"name": "beam", "width": 6, "length_penalty": -1.0, "n_best": 3, "groups": 2, "diversity": 0.5}
    assert (asked()["strategy"], asked()["count"], asked()["unique"]) == (beam, 1, False)


@slow
def test_values_that_do_not_go_together_are_said_at_once_and_the_button_waits(drive: Drive) -> None:
    driver = drive("roman")
    QTest.keyClicks(driver.find(QPlainTextEdit, "input_number"), "7")
    press(driver.find(QToolButton, "generate_strategy_beam"))
    fault, button = driver.find(QLabel, "strategy_fault"), driver.find(QPushButton, "generate_button")
    assert button.isEnabled()
    typed(driver.find(QSpinBox, "generate_n_best"), "9")
    assert fault.isVisible()
    assert "n_best from 1 to 5" in fault.text()
    assert not button.isEnabled()
    assert driver.error == ""  # it stands where it is wrong
    typed(driver.find(QSpinBox, "generate_n_best"), "2")
    typed(driver.find(QSpinBox, "generate_groups"), "2")
    assert "2 groups divide evenly, received 5" in fault.text()
    press(driver.find(QToolButton, "generate_strategy_greedy"))
    assert not fault.isVisible()
    assert button.isEnabled()


@slow
@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [("allow", "IVX7", "'7'"), ("forbid", "b", "'b'"), ("prefix", "MCY", "'Y'"), ("prefix", "M" * 40, "at most")],
)
def test_limits_are_judged_while_they_are_typed(drive: Drive, name: str, text: str, fault: str) -> None:
    driver = drive("roman")
    QTest.keyClicks(driver.find(QPlainTextEdit, "input_number"), "7")
    edit = driver.find(QLineEdit, f"generate_{name}")
    assert not edit.isVisible()
    press(driver.find(QToolButton, "generate_limits"))
    assert edit.isVisible()
    assert not driver.find(QLineEdit, "generate_prefix_column").isVisible()  # there is no file
    edit.setFocus()
    QTest.keyClicks(edit, text)
    words = driver.find(QLabel, "limits_fault")
    assert words.isVisible()
    assert fault in words.text()
    assert edit.property("invalid")
    assert not driver.find(QPushButton, "generate_button").isEnabled()
    edit.selectAll()
    QTest.keyClick(edit, Qt.Key_Delete)
    assert not words.isVisible()
    assert driver.find(QPushButton, "generate_button").isEnabled()


@slow
def test_limits_are_asked_for_and_what_was_chosen_for_a_run_comes_back_with_it(
    opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path, child: object, asked: Asked
) -> None:
    path = example_in(tmp_path, "roman")
    old, _new = trained(path, "old", created=1000.0), trained(path, "new", created=2000.0)
    driver = Driver(opened(path), qtbot)
    QTest.keyClicks(driver.find(QPlainTextEdit, "input_number"), "7")
    press(driver.find(QToolButton, "generate_strategy_sampling"))
    typed(driver.find(QDoubleSpinBox, "generate_temperature"), "0.5")
    press(driver.find(QToolButton, "generate_limits"))
    QTest.keyClicks(driver.find(QLineEdit, "generate_forbid"), "MD")
    QTest.keyClicks(driver.find(QLineEdit, "generate_prefix"), "V")
    typed(driver.find(QSpinBox, "generate_min_length"), "3")
    assert driver.find(QToolButton, "generate_limits").text() == "Limits (3)"
    driver.generate()
    wanted = {"allow": "", "forbid": "MD", "prefix": "V", "prefix_column": "", "min_length": 3}
    assert asked()["constraints"] == wanted
    driver.window.workspace.run_requested.emit(old.path)
    driver.settle()
    assert not driver.find(QDoubleSpinBox, "generate_temperature").isVisible()
    assert driver.find(QLineEdit, "generate_forbid").text() == ""
    driver.generate()
    assert asked()["strategy"] == {"name": "greedy"}
    runs = driver.find(QComboBox, "generate_run")
    runs.setCurrentIndex(0)
    driver.settle()
    assert driver.find(QDoubleSpinBox, "generate_temperature").value() == 0.5
    driver.generate()
    assert (asked()["constraints"], asked()["strategy"]["temperature"]) == (wanted, 0.5)


@slow
def test_nothing_of_the_form_is_cut_at_1280_by_800(drive: Drive, qtbot: QtBot) -> None:
    driver = drive("molecules")
    areas = [area for area in driver.page.findChildren(QScrollArea) if area.accessibleName() == "What to generate"]
    for name in ("greedy", "sampling", "beam"):
        press(driver.find(QToolButton, f"generate_strategy_{name}"))
        if not driver.find(QToolButton, "generate_limits").isChecked():
            press(driver.find(QToolButton, "generate_limits"))
        qtbot.waitUntil(lambda: areas[0].widget().width() <= areas[0].viewport().width())
        assert driver.window.width() == 1280


# -- results
def samples(count: int) -> list[Result]:
    return [
        Result(n // 4, n % 4, "CO" * (n % 7), -float(n * 7919 % count), n % 3 > 0, (("mass", str(n)),)) for n in range(count)
    ]


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (Filter(), [0, 1, 2, 3, 4]),
        (Filter("ONE"), [0, 4]),
        (Filter(finished=True), [0, 2, 3]),
        (Filter(different=True), [0, 1, 3]),
        (Filter(best=True), [1, 2, 4]),
        (Filter(finished=True, best=True), [0, 2]),
        (Filter("a", different=True), [0, 1]),
    ],
)
def test_a_filter_keeps_what_it_says(wanted: Filter, places: list[int]) -> None:
    results = [
        Result(0, 0, "aa", -2.0),
        Result(0, 1, "ab", -1.0, finished=False),
        Result(1, 0, "aa", -3.0),
        Result(1, 1, "c", -4.0),
        Result(2, None, "", None, problem="one symbol is unknown"),
    ]
    assert wanted.of(results, ["one", "two"]) == ([0, 1, 4] if wanted.text == "ONE" else places)


def test_ten_thousand_rows_are_sorted_as_numbers_and_filtered_while_one_types(qtbot: QtBot) -> None:
    table = ResultsTable()
    qtbot.addWidget(table)
    table.show_results(samples(10_000))
    start = time.process_time()
    table.sortByColumn(LOG_COLUMN, Qt.DescendingOrder)
    logs = [table.model().index(row, LOG_COLUMN).data(Qt.UserRole) for row in range(10_000)]
    assert logs == sorted(logs, reverse=True)
    kept = table.model().columnCount() - 1
    table.sortByColumn(kept, Qt.AscendingOrder)
    assert [table.model().index(row, kept).data() for row in (0, 1, 2, 9, 10)] == ["0", "1", "2", "9", "10"]
    table.results.set_filter(Filter("COCOCOCOCOCO"))
    assert table.model().rowCount() == 10_000 // 7
    assert time.process_time() - start < 3  # some 0.2 s on one core


def test_selected_rows_stay_selected_when_the_table_is_sorted(qtbot: QtBot) -> None:
    table = ResultsTable()
    qtbot.addWidget(table)
    table.show_results(samples(20))
    table.selectRow(3)
    before = table.shown()
    table.sortByColumn(LOG_COLUMN, Qt.AscendingOrder)
    assert table.shown() == before == [samples(20)[3]]


@slow
def test_results_are_filtered_and_saved_as_they_are_shown(drive: Drive, child: object, qtbot: QtBot, tmp_path: Path) -> None:
    driver = drive("roman")
    driver.find(QPlainTextEdit, "input_number").setPlainText("1\n21\n3")
    press(driver.find(QToolButton, "generate_strategy_sampling"))
    typed(driver.find(QSpinBox, "generate_count"), "2")
    driver.generate()
    table = driver.find(QTableView, "results_table")
    QTest.keyClicks(driver.find(QLineEdit, "filter_results"), "1")
    assert table.model().rowCount() == 4
    assert driver.find(QLabel, "generate_summary").text() == "6 sequences, 3 different; 4 shown"
    press(driver.find(QToolButton, "filter_best"))
    assert table.model().rowCount() == 2
    header = table.horizontalHeader()
    at = QPoint(header.sectionViewportPosition(LOG_COLUMN) + 8, header.height() // 2)
    QTest.mouseClick(driver.window.windowHandle(), Qt.LeftButton, Qt.NoModifier, header.mapTo(driver.window, at))
    assert [table.model().index(row, 0).data() for row in (0, 1)] == ["2", "1"]
    press(driver.find(QPushButton, "save_results_button"))
    name_file(qtbot, tmp_path / "best.jsonl")
    qtbot.waitUntil(lambda: (tmp_path / "best.jsonl").exists() and not background.busy(), timeout=10_000)
    lines = [json.loads(line) for line in (tmp_path / "best.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["row"], line["sample"], line["log_probability"]) for line in lines] == [(1, 0, -1.0), (0, 0, 0.0)]


@slow
def test_structures_of_smiles_are_drawn_beside_the_table_and_others_are_not(qtbot: QtBot) -> None:
    pytest.importorskip("rdkit")
    table = ResultsTable()
    view = Structures(table)
    qtbot.addWidget(table)
    qtbot.addWidget(view)
    table.show_results([Result(0, 0, "CCO", -1.0), Result(0, 1, "C(", -2.0)])
    view.show()
    qtbot.waitUntil(lambda: view.picture("CCO") is not None and view.is_no_structure("C("), timeout=20_000)
    table.selectRow(1)
    assert [index.row() for index in view.selectedIndexes()] == [1]
    qtbot.waitUntil(lambda: not background.busy())


# -- scores
@slow
def test_typed_pairs_are_scored_row_by_row_and_a_click_shows_each_symbol(
    drive: Drive, child: object, asked: Asked, qtbot: QtBot
) -> None:
    driver = drive("roman")
    press(driver.find(QToolButton, "generate_mode_score"))
    button = driver.find(QPushButton, "generate_button")
    assert button.text() == "Score"
    QTest.keyClicks(driver.find(QPlainTextEdit, "input_number"), "7")
    assert not button.isEnabled()
    assert "decoder_inputs" in driver.error
    pairs = driver.find(QPlainTextEdit, "input_decoder_inputs")
    QTest.keyClicks(pairs, "VII")
    press(button)
    driver.settle()
    assert asked()["rows"] == [{"number": "7", "decoder_inputs": "VII"}]
    assert (asked()["type"], asked()["tokens"]) == ("score", True)
    table = driver.find(QTableView, "scores_table")
    cells = [[table.model().index(row, column).data() for column in (0, 1, 2, 3, 4, 5, 6)] for row in (0, 1)]
    assert cells[0] == ["1", "VII", "-1.250", "4", "-0.312", "7", ""]
    assert cells[1][6] == "It is empty."
    assert driver.find(QLabel, "score_summary").text() == (
        "1 sequence: perplexity 1.6487, log-likelihood -5 (-5 per row); 1 row could not be scored"
    )
    bars = driver.find(SymbolBars, "symbol_bars")
    assert bars.words(3) == "Symbol 4, end: p = 0.607, log p = -0.500"
    row = table.visualRect(table.model().index(1, 1)).center()
    place = table.viewport().mapTo(driver.window, row)
    QTest.mouseClick(driver.window.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)
    assert driver.find(QLabel, "symbol_words").text() == "It is empty."


@slow
def test_a_split_of_the_data_is_scored(
    drive: Drive, child: object, asked: Asked, tmp_path: Path, opened: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    path = example_in(tmp_path, "roman")
    run = trained(path, "run")
    record = {
        "files": [],
        "rows": 3999,
        "training": 3600,
        "validation": 399,
        "test": 0,
        "columns": {},
        "options": {},
        "split": {},
    }
    run.dataset.write_bytes(msgspec.json.encode(record))
    driver = Driver(opened(path), qtbot)
    press(driver.find(QToolButton, "generate_mode_score"))
    driver.find(QComboBox, "generate_source").setCurrentText("A split of the data")
    driver.find(QComboBox, "generate_split").setCurrentText("Validation rows")
    press(driver.find(QPushButton, "generate_button"))
    driver.settle()
    assert [asked()[name] for name in ("split", "trained_on", "rows")] == ["validation", 3600, []]


# -- codes
@slow
def test_a_click_on_a_code_generates_there_and_two_codes_are_joined(
    drive: Drive, child: object, asked: Asked, qtbot: QtBot
) -> None:
    driver = drive("roman")
    press(driver.find(QToolButton, "generate_mode_codes"))
    driver.find(QPlainTextEdit, "input_number").setPlainText("1\n2\n3\n4")
    press(driver.find(QPushButton, "generate_button"))
    driver.settle()
    assert asked()["type"] == "encode"
    assert driver.find(QLabel, "codes_summary").text() == "4 codes of 3 numbers: encoder.code"
    colours = driver.find(QComboBox, "codes_colour")
    assert [colours.itemText(n) for n in range(colours.count())] == ["one colour", "row", "number", "length of number"]
    plot, window = driver.find(CodesPlot, "codes_plot"), driver.window.windowHandle()
    table: Any = driver.find(QTableView, "codes_table")

    def click(row: int, keys: Any = Qt.NoModifier) -> None:
        QTest.qWait(QApplication.doubleClickInterval() + 50)  # two clicks, and no double click
        place = plot.mapTo(driver.window, plot.place_of(row).toPoint())
        QTest.mouseClick(window, Qt.LeftButton, keys, place)
        driver.settle()

    def texts() -> list[str]:
        return [table.model().index(row, 2).data() for row in range(table.model().rowCount())]

    click(2)
    assert plot.selected == [2]
    assert texts() == ["-0.416 0.909 0.000"]
    typed(driver.find(QSpinBox, "codes_copies"), "5")
    press(driver.find(QPushButton, "codes_around"))
    driver.settle()
    assert len(set(texts())) == 5
    assert not driver.find(QPushButton, "codes_between").isEnabled()
    click(0, Qt.ControlModifier)
    assert plot.selected == [2, 0]
    typed(driver.find(QSpinBox, "codes_steps"), "3")
    press(driver.find(QPushButton, "codes_between"))
    driver.settle()
    assert texts() == ["-0.416 0.909 0.000", "0.292 0.455 0.000", "1.000 0.000 0.000"]


# -- mappings
def wider(design: Design) -> Design:
    return set_value(design, "decoder_inputs.symbols", "44")


@slow
def test_a_decoder_of_other_widths_asks_for_a_mapping_which_is_filled_in_and_saved(
    drive: Drive, child: object, asked: Asked, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqdec_gui.domain.generation._both_text", lambda *_arguments: False)  # as where they are ids
    driver = drive("molecules", edit=wider)
    button, words = driver.find(QPushButton, "generate_button"), driver.find(QLabel, "feed_map_words")
    assert "takes 44 symbols per step (decoder_inputs) and predicts 27" in words.text()
    assert not button.isEnabled()
    assert driver.error == "Give a mapping from what is predicted to what is fed."
    press(driver.find(QPushButton, "make_feed_map"))
    dialog = driver.window.findChild(QDialog, "feed_map_dialog")
    table: Any = dialog.findChild(QTableWidget, "feed_map_table")
    save = dialog.findChild(QPushButton, "save_feed_map")
    assert not save.isEnabled()
    QApplication.setActiveWindow(dialog)
    table.setCurrentCell(1, 1)
    table.setFocus()
    qtbot.waitUntil(table.hasFocus)
    for key in (Qt.Key_4, Qt.Key_Return):
        QTest.keyClick(QApplication.focusWidget(), key)
    qtbot.waitUntil(save.isEnabled)
    first = table.item(1, 0).text()
    table.item(2, 1).setText("99")
    assert "99" in dialog.findChild(QLabel, "feed_map_fault").text()
    assert not save.isEnabled()
    table.item(2, 1).setText("")
    press(save)
    name_file(qtbot, tmp_path / "map.csv")
    chosen = driver.find(QLineEdit, "feed_map_file")
    qtbot.waitUntil(lambda: chosen.text() == str(tmp_path / "map.csv") and not background.busy(), timeout=10_000)
    assert (tmp_path / "map.csv").read_text(encoding="utf-8") == f"predicted,fed\n{first},4\n"
    assert "1 symbol of 27" in words.text()
    driver.generate()
    assert asked()["feed_map"] == str(tmp_path / "map.csv")
    press(driver.find(QPushButton, "keep_feed_map"))
    document = driver.window.document
    assert document.design.data.feed_map == ((first, "4"),)
    driver.find(QLineEdit, "feed_map_file").setText(str(tmp_path / "nowhere.csv"))
    assert "cannot be read" in words.text()
    assert not button.isEnabled()
