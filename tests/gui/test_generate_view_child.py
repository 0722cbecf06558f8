"""Generate, export and import with the real child: a model trained for one epoch goes through all three."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PyQt5.QtWidgets import QAction, QLabel, QPlainTextEdit, QPushButton, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.kinds.keras_model import KerasModel
from seqdec_gui.gui.dialogs.export import ExportDialog
from seqdec_gui.gui.dialogs.import_keras import import_keras
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import press
from tests.gui.test_generate_view import Driver
from tests.gui.trained_runs import example_in

pytestmark = pytest.mark.slow


def small(design: Design) -> Design:
    """Roman numerals with 16 units and 300 rows."""
    encoder, decoder = (msgspec.structs.replace(design.block(name).parameters, units=(16,)) for name in ("encoder", "decoder"))
    return design.with_parameters("encoder", encoder).with_parameters("decoder", decoder)


@pytest.fixture
def trained_roman(tmp_path: Path) -> Path:
    path = example_in(tmp_path, "roman", small)
    rows = (tmp_path / "data" / "roman.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "data" / "roman.csv").write_text("\n".join([rows[0], *rows[3000:3300]]) + "\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "seqdec_gui",
        "train",
        str(path),
        "--devices",
        "cpu",
        "--engine",
        "tensorflow",
        "--epochs",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return path


def test_a_trained_model_generates_is_exported_and_comes_back_as_a_block(
    trained_roman: Path, opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    driver = Driver(opened(trained_roman), qtbot)
    window = driver.window

    def wait() -> None:
        qtbot.waitUntil(lambda: not background.busy(), timeout=120_000)

    driver.find(QPlainTextEdit, "input_number").setPlainText("1987\n3210")
    press(driver.find(QToolButton, "generate_strategy_sampling"))
    driver.find(QSpinBox, "generate_count").setValue(2)
    press(driver.find(QPushButton, "generate_button"))
    wait()
    assert driver.find(QLabel, "generate_summary").text().startswith("4 sequences, ")
    results = driver.page.generating.results.results.results
    assert [(result.row, result.sample) for result in results] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert all(result.log_probability < 0 and set(result.text) <= set("IVXLCDM") for result in results)
    driver.find(QPlainTextEdit, "input_number").setPlainText("12345")
    press(driver.find(QPushButton, "generate_button"))
    wait()
    assert "the run takes 4 at most" in driver.find(QLabel, "fault_number").text()

    window.findChild(QAction, "action_export_h5").trigger()
    dialog = window.findChild(ExportDialog, "export_dialog")
    wait()
    dialog._path.setText(str(tmp_path / "roman.h5"))
    press(dialog._button)
    wait()
    assert dialog._status.property("role") == "ok", dialog._status.text()
    assert "Largest difference on 30 rows" in dialog._result.text()
    dialog.reject()

    import_keras(window.workspace, tmp_path / "roman.h5")
    wait()
    block = window.document.design.block("roman")
    assert isinstance(block.parameters, KerasModel)
    assert block.parameters.file == "roman.h5"
    assert [tensor.shape for tensor in block.parameters.model_inputs] == [(4, 11), (16, 10)]
    assert [tensor.shape for tensor in block.parameters.model_outputs] == [(16, 10)]
