"""What the data is found to be stands in the way of training, whichever page is shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QComboBox, QLineEdit, QListWidget, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.bindings import Binding, DataSource, TextCodec
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import load, save
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.launch import launch, request
from seqdec_gui.gui.workspace.readiness import readiness as readiness_of
from seqdec_gui.runs import readiness
from seqdec_gui.runs.spec import DeviceChoice
from tests.domain.designs import block, design

ROWS = 80
Opened = Callable[..., MainWindow]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A design whose vector takes 11 numbers, and rows that fit."""
    design = load(resource_files.path("templates/latent-to-sequence.seqdec"))
    write(tmp_path / "rows.npz", 11)
    bindings = (Binding("latent.output", "X"), Binding("model_2.inputs", "text"))
    save(design.with_data(DataSource("rows.npz", bindings=bindings)), tmp_path / "seed.seqdec")
    return tmp_path


def write(path: Path, width: int, name: str = "X", text: str = "CCO") -> None:
    """Rows as another program writes them: beside the file, then renamed."""
    written = path.with_name("written.npz")
    np.savez(written, **{name: np.zeros((ROWS, width), np.float32), "text": np.array([text] * ROWS)})
    written.replace(path)


def listed(window: MainWindow, severity: str = "error") -> list[str]:
    found = window.findChild(QListWidget, "problems_list")
    items = [found.item(i) for i in range(found.count())]
    return [item.text() for item in items if item.data(Qt.UserRole).severity == severity]


def click(window: MainWindow, text: str) -> None:
    found = window.findChild(QListWidget, "problems_list")
    (item,) = [found.item(i) for i in range(found.count()) if text in found.item(i).text()]
    QTest.mouseClick(found.viewport(), Qt.LeftButton, Qt.NoModifier, found.visualItemRect(item).center())


def settle(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until everything has been read, and said."""

    def settled() -> bool:
        timers = (window.train_button._timer, window.problems._timer)
        return not (window.workspace.checking.busy or background.busy() or any(timer.isActive() for timer in timers))

    qtbot.waitUntil(settled, timeout=20_000)


def changed(window: MainWindow, assignment: str, value: str) -> Design:
    return set_value(window.document.design, assignment, value)


def test_rows_that_fill_no_batch_are_said_before_a_run_is_made(folder: Path, opened: Opened, qtbot: QtBot) -> None:
    window = opened(folder / "seed.seqdec")
    window.document.edit(changed(window, "training.batch_size", "500"), "batch")
    settle(window, qtbot)
    (problem,) = listed(window)
    assert "Batch size: A batch takes 500 rows, but there are only 72 to train on" in problem
    assert not window.train_button.isEnabled()
    assert "Set it to 72 or less" in window.train_button.toolTip()
    with pytest.raises(InvalidInput, match="only 72 to train on"):
        launch(request(window.workspace))
    window.workspace.devices.choose(DeviceChoice("cpu", count=5))
    settle(window, qtbot)
    assert "Set it to 70 or less" in listed(window)[0]
    assert "Set it to 70 or less" in window.train_button.toolTip()
    assert readiness_of(window.workspace).page == "design"
    window.workspace.devices.choose(DeviceChoice("cpu"))
    settle(window, qtbot)
    asked = []
    window.workspace.field_requested.connect(asked.append)
    click(window, "only 72 to train on")
    assert asked == ["batch_size"]
    window.document.edit(changed(window, "training.batch_size", "35"), "batch")
    window.workspace.devices.choose(DeviceChoice("cpu", count=2))
    settle(window, qtbot)
    assert listed(window) == ["Batch size: 35 rows cannot be shared evenly by 2 devices. Set it to 34 or 36."]
    assert window.train_button.toolTip() == listed(window)[0]
    window.document.edit(changed(window, "training.batch_size", "36"), "batch")
    settle(window, qtbot)
    assert listed(window) == []
    assert window.train_button.isEnabled()


def test_data_that_fits_lets_the_design_be_trained(folder: Path, opened: Opened, qtbot: QtBot) -> None:
    window = opened(folder / "seed.seqdec")
    settle(window, qtbot)
    assert listed(window) == []
    assert window.train_button.isEnabled()
    assert window.workspace.checking.passed == readiness.stamps(window.document.design.data, folder)


def test_a_column_that_is_not_there_is_a_problem_before_the_data_page_is_opened(
    folder: Path, opened: Opened, qtbot: QtBot
) -> None:
    write(folder / "rows.npz", 11, name="Y")
    window = opened(folder / "seed.seqdec")
    settle(window, qtbot)
    (told,) = listed(window)
    assert "'X'" in told
    assert not window.train_button.isEnabled()
    assert window.train_button.toolTip() == told
    assert not window.actions_by_name["train"].isEnabled()
    assert window._status.reason.text() == told


def test_a_click_on_a_problem_of_the_data_goes_to_the_row_of_its_port(folder: Path, opened: Opened, qtbot: QtBot) -> None:
    write(folder / "rows.npz", 7)
    window = opened(folder / "seed.seqdec")
    settle(window, qtbot)
    (told,) = listed(window)
    assert "7" in told
    assert "latent" in told
    click(window, told)
    settle(window, qtbot)
    assert window.pages.current == "data"
    window.pages.show_page("design")
    click(window, told)
    combo = window.findChild(QComboBox, "bind_latent_output")
    assert window.focusWidget() is combo
    qtbot.mouseClick(window.findChild(QPushButton, "remedy_latent_output_0"), Qt.LeftButton)
    settle(window, qtbot)
    assert listed(window) == []
    assert window.train_button.isEnabled()


def test_every_error_of_a_file_that_is_not_there_or_damaged_is_told(folder: Path, opened: Opened, qtbot: QtBot) -> None:
    (folder / "rows.npz").write_bytes(b"no archive")
    window = opened(folder / "seed.seqdec")
    settle(window, qtbot)
    (damaged,) = listed(window)
    assert "rows.npz" in damaged
    window.document.edit(changed(window, "data.file", "nowhere.npz"), "Another file")
    settle(window, qtbot)
    (missing,) = listed(window)
    assert "nowhere.npz does not exist" in missing
    click(window, missing)
    assert window.pages.current == "data"
    write(folder / "nowhere.npz", 11)
    qtbot.waitUntil(window.train_button.isEnabled, timeout=10_000)
    settle(window, qtbot)
    assert listed(window) == []


def test_the_button_says_that_the_run_will_not_generate(folder: Path, opened: Opened, qtbot: QtBot) -> None:
    window = opened(folder / "seed.seqdec")
    settle(window, qtbot)
    assert window.train_button.isEnabled()
    alike = "cannot generate" not in window.train_button.toolTip()
    units = window.document.design.block("model_2").parameters.output_units
    window.document.edit(changed(window, "decoder_inputs.symbols", str(units if not alike else units + 1)), "Symbols")
    settle(window, qtbot)
    assert window.train_button.isEnabled()
    assert ("cannot generate" in window.train_button.toolTip()) == alike
    assert any("cannot generate" in text for text in listed(window, "warning")) == alike
    binding = Binding("model_2.inputs", "text", TextCodec(marks="none"))
    target = Binding("loss.targets", "text", TextCodec(marks="end"))
    design = changed(window, "decoder_inputs.symbols", str(units))
    kept = tuple(other for other in design.data.bindings if other.port == "latent.output")
    window.document.edit(design.with_data(DataSource("rows.npz", bindings=(*kept, binding, target))), "Marks")
    settle(window, qtbot)
    assert window.train_button.isEnabled()
    assert "without a begin symbol" in window.train_button.toolTip()
    assert any("without a begin symbol" in text for text in listed(window, "warning"))


def test_a_finding_goes_at_once_with_the_edit_that_it_was_not_about(folder: Path, opened: Opened, qtbot: QtBot) -> None:
    write(folder / "rows.npz", 7)
    window = opened(folder / "seed.seqdec")
    settle(window, qtbot)
    window.document.edit(changed(window, "training.epochs", "3"), "Epochs")
    assert window.workspace.checking.problems != ()
    window.document.edit(changed(window, "latent.width", "8"), "Width")
    assert window.workspace.checking.problems == ()
    settle(window, qtbot)
    assert len(listed(window)) == 1
    window.document.undo_stack.undo()
    window.document.new()
    assert window.workspace.checking.problems == ()
    settle(window, qtbot)
    assert window.workspace.checking.trial is None


@pytest.mark.slow
@pytest.mark.parametrize("how", ["renamed", "in place"])
def test_a_file_that_another_program_writes_is_tried_again(folder: Path, opened: Opened, qtbot: QtBot, how: str) -> None:
    window = opened(folder / "seed.seqdec")
    window.pages.show_page("data")
    settle(window, qtbot)
    for width in (7, 11, 5, 11):
        if how == "renamed":
            write(folder / "rows.npz", width)
        else:
            write(folder / "other.npz", width)
            (folder / "rows.npz").write_bytes((folder / "other.npz").read_bytes())
        qtbot.waitUntil(lambda width=width: window.train_button.isEnabled() == (width == 11), timeout=10_000)
        settle(window, qtbot)
        assert len(listed(window)) == (width != 11)
        details = {column.name: column.shape for column in window.workspace.columns}
        assert details["X"] == (width,)


def test_a_click_on_lengths_that_differ_leads_to_the_length_that_mends_them(
    tmp_path: Path, opened: Opened, qtbot: QtBot
) -> None:
    rows = ["ab" * (number % 3 + 1) + "," + "cd" * (number % 5 + 1) for number in range(ROWS)]
    (tmp_path / "rows.csv").write_text("\n".join(["short,long", *rows]))
    softmax = {"layer": "Dense", "units": 12, "activation": "softmax"}
    blocks = [
        block("text", "token_sequence", length=None, symbols=12),
        block("model", "layer_stack", layers=[softmax]),
        block("loss", "loss"),
    ]
    bindings = (Binding("text.output", "short"), Binding("loss.targets", "long"))
    wanted = design(blocks, ["text.output -> model.inputs", "model.outputs -> loss.predictions"])
    save(wanted.with_data(DataSource("rows.csv", bindings=bindings)), tmp_path / "a.seqdec")
    window = opened(tmp_path / "a.seqdec")
    settle(window, qtbot)
    window.pages.show_page("code")
    (told,) = [text for text in listed(window) if "steps" in text]
    assert readiness_of(window.workspace).page == "design"
    click(window, told)
    assert window.pages.current == "design"
    assert window.document.selection == {"text"}
    qtbot.waitUntil(lambda: window.focusWidget() is window.findChild(QLineEdit, "field_length"))


def test_text_that_does_not_fit_is_told_with_what_to_do(folder: Path, opened: Opened, qtbot: QtBot) -> None:
    write(folder / "rows.npz", 11, text="C" * 90)
    window = opened(folder / "seed.seqdec")
    settle(window, qtbot)
    assert any("symbols" in told or "steps" in told for told in listed(window))
    window.pages.show_page("train")
    button = window.findChild(QPushButton, "start_training")
    assert button.text() == "Go to the Data tab"
    qtbot.mouseClick(button, Qt.LeftButton)
    assert window.pages.current == "data"


def test_a_click_on_train_before_the_data_is_known_makes_no_run(
    folder: Path, opened: Opened, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "rows.npz", 7)
    go, real = threading.Event(), readiness.try_data

    def slow(*arguments: Any) -> Any:
        go.wait(10)
        return real(*arguments)

    monkeypatch.setattr(readiness, "try_data", slow)
    window = opened(folder / "seed.seqdec")
    qtbot.waitUntil(lambda: window.workspace.checking.trying, timeout=10_000)
    monkeypatch.setattr(readiness, "try_data", real)  # the launch asks for itself
    assert window.train_button.isEnabled()
    qtbot.mouseClick(window.train_button, Qt.LeftButton)
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "failure_box") is not None, timeout=10_000)
    box = window.findChild(QMessageBox, "failure_box")
    assert "7" in box.informativeText()
    box.accept()
    assert not (folder / "runs").exists()
    go.set()
    settle(window, qtbot)
    assert not window.train_button.isEnabled()


def test_a_file_written_while_it_is_read_for_the_first_time_is_read_again(
    folder: Path, opened: Opened, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = readiness.try_data

    def try_and_write(*arguments: Any) -> Any:
        found = real(*arguments)
        if not (folder / "once").exists():
            (folder / "once").touch()
            write(folder / "rows.npz", 7)
        return found

    monkeypatch.setattr(readiness, "try_data", try_and_write)
    window = opened(folder / "seed.seqdec")
    qtbot.waitUntil(lambda: len(listed(window)) == 1, timeout=10_000)
    settle(window, qtbot)
    assert not window.train_button.isEnabled()


def test_what_cannot_be_tried_at_all_is_said_and_blocks_nothing(
    folder: Path, opened: Opened, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> Any:
        raise MemoryError("no room")

    monkeypatch.setattr(readiness, "try_data", fail)
    window = opened()
    told: list[str] = []
    window.workspace.status_message.connect(told.append)
    window.files.open(folder / "seed.seqdec")
    qtbot.waitUntil(lambda: told == ["The data could not be checked: no room"], timeout=10_000)
    settle(window, qtbot)
    assert window.train_button.isEnabled()


def test_a_file_written_since_it_was_tried_is_tried_before_a_run_is_made(folder: Path, opened: Opened, qtbot: QtBot) -> None:
    window = opened(folder / "seed.seqdec")
    settle(window, qtbot)
    wanted = request(window.workspace)
    write(folder / "rows.npz", 7)
    with pytest.raises(InvalidInput, match="7"):
        launch(wanted)
    assert not (folder / "runs").exists()
    settle(window, qtbot)
