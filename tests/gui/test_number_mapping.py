"""The form and the table of mappings for a decoder that takes other numbers than it predicts, by real events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.bindings import Binding, DataSource
from seqdec_gui.domain.document import save
from seqdec_gui.gui.pages.generate.feed_map_form import FeedMapForm
from seqdec_gui.gui.tasks import background
from seqdec_gui.runs.generate_inputs import RunInputs, read_inputs
from tests.domain import designs
from tests.gui.conftest import name_file, press
from tests.gui.trained_runs import trained


def inputs_of(folder: Path, alike: bool) -> RunInputs:
    """A run whose decoder takes three numbers and predicts two."""
    series = np.random.default_rng(0).normal(size=(9, 6, 3))
    series[:, 0] = 0.5 if alike else series[:, 0]
    np.savez(folder / "rows.npz", x=series[:, :-1], y=series[:, 1:, :2])
    wanted = designs.design(
        [
            designs.block("series", "float_sequence", length=5, features=3),
            designs.block(
                "decoder", "recurrent_decoder", mode="free_running", units=[4], output_units=2, output_activation="linear"
            ),
            designs.block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        ["series.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )
    bindings = (Binding("series.output", "x"), Binding("loss.targets", "y"))
    save(wanted.with_data(DataSource("rows.npz", bindings=bindings)), folder / "numbers.seqdec")
    return read_inputs(trained(folder / "numbers.seqdec", "run"))


@pytest.mark.parametrize("alike", [True, False])
def test_a_run_of_numbers_asks_for_a_mapping_and_for_the_first_step_of_each_row(alike: bool, tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path, alike)
    predicted = inputs.predicted
    assert predicted is not None
    assert (predicted.width, predicted.taken, predicted.numbers) == (2, 3, True)
    assert "takes 3 numbers per step (series) and predicts 2" in predicted.needs_mapping
    assert inputs.first_step == ("" if alike else "series")


def test_a_mapping_of_numbers_is_filled_in_saved_and_kept(qtbot: QtBot, tmp_path: Path) -> None:
    form = FeedMapForm()
    qtbot.addWidget(form)
    form.show_run(inputs_of(tmp_path, alike=True), "")
    form.show()
    qtbot.waitExposed(form)
    words: Any = form.findChild(QLabel, "feed_map_words")
    assert "takes 3 numbers per step" in words.text()
    press(form.findChild(QPushButton, "make_feed_map"))
    dialog: Any = form.findChild(QDialog, "feed_map_dialog")
    table: Any = dialog.findChild(QTableWidget, "feed_map_table")
    fault, saves = dialog.findChild(QLabel, "feed_map_fault"), dialog.findChild(QPushButton, "save_feed_map")
    assert [table.item(row, 0).text() for row in range(table.rowCount())] == ["begin", "0", "1", "2"]
    press(dialog.findChild(QPushButton, "same_ids_button"))
    assert [table.item(row, 1).text() for row in range(4)] == ["", "0", "1", ""]
    assert "what is fed as number 2" in fault.text()
    assert not saves.isEnabled()

    def type_into(row: int, text: str) -> None:
        QApplication.setActiveWindow(dialog)
        table.setCurrentCell(row, 1)
        table.setFocus()
        qtbot.waitUntil(table.hasFocus)
        for letter in text:
            QTest.keyClick(QApplication.focusWidget(), letter)
        QTest.keyClick(QApplication.focusWidget(), Qt.Key_Return)

    type_into(3, "2")
    qtbot.waitUntil(lambda: "'2' as predicted; expected the place of a number in a step, from 0 to 1" in fault.text())
    table.item(3, 1).setText("")
    type_into(3, "=first")
    qtbot.waitUntil(saves.isEnabled)
    table.item(0, 1).setText("1 2")
    assert "first step has 2 numbers, and 3 are fed" in fault.text()
    table.item(0, 1).setText("")
    press(saves)
    name_file(qtbot, tmp_path / "map.csv")
    line: Any = form.findChild(QLineEdit, "feed_map_file")
    qtbot.waitUntil(lambda: line.text() == str(tmp_path / "map.csv") and not background.busy(), timeout=10_000)
    assert (tmp_path / "map.csv").read_text(encoding="utf-8") == "predicted,fed\n0,0\n1,1\n=first,2\n"
    assert words.text() == "It feeds 2 predicted numbers in 3. 1 stays as in the first step, or at a value."
    kept: list[Any] = []
    form.kept.connect(kept.append)
    press(form.findChild(QPushButton, "keep_feed_map"))
    assert kept == [(("0", "0"), ("1", "1"), ("=first", "2"))]
    press(form.findChild(QPushButton, "make_feed_map"))
    again: Any = [each for each in form.findChildren(QDialog, "feed_map_dialog") if each.isVisible()][-1]
    filled: Any = again.findChild(QTableWidget, "feed_map_table")
    assert [filled.item(row, 1).text() for row in range(4)] == ["", "0", "1", "=first"]
    again.reject()
