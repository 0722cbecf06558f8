"""Columns find their ports: proposed with the reason, taken with one click, never guessed where several would do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.domain.document import load, save
from seqdec_gui.domain.validation import unbound
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace import data_trial
from seqdec_gui.gui.workspace.workspace import Notice
from tests.gui.conftest import point_on, press

Find = Callable[..., Any]
EXAMPLES = {
    "roman": "roman.csv",
    "digits": "digits.npz",
    "molecules": "molecules.npz",
    "pronunciation": "pronunciations.csv",
}


@pytest.fixture(autouse=True)
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_trial, "DELAY_MS", 10)


@pytest.fixture
def with_data(opened: Callable[..., MainWindow], qtbot: QtBot) -> Callable[[Path, Path], MainWindow]:
    """Open a design at the Data tab and give it a file, and wait until all is read."""

    def open_both(design: Path, data: Path) -> MainWindow:
        window = opened(design)
        window.pages.show_page("data")
        window.take_file(data)
        settle(window, qtbot)
        return window

    return open_both


def settle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not background.busy() and not window.workspace.checking.busy, timeout=20_000)


def widget(window: MainWindow, kind: type[Any], name: str) -> Any:
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def bound(window: MainWindow) -> dict[str, tuple[str, ...]]:
    return {binding.port: binding.columns for binding in window.document.design.data.bindings}


def bare(name: str, folder: Path) -> Path:
    """An example without its data and bindings."""
    design = load(resource_files.path(f"examples/{name}.seqdec"))
    path = folder / f"{name}.seqdec"
    save(design.with_data(DataSource(split=design.data.split)), path)
    return path


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_bound_by_one_click_and_unbound_by_one_undo(
    name: str, with_data: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    author = {binding.port: binding.columns for binding in load(resource_files.path(f"examples/{name}.seqdec")).data.bindings}
    data = Path(shutil.copy(resource_files.path(f"examples/data/{EXAMPLES[name]}"), tmp_path))
    window = with_data(bare(name, tmp_path), data)
    for box in window.findChildren(QComboBox):
        box.showPopup = lambda: pytest.fail("a combo box was opened")  # type: ignore[method-assign]
    press(widget(window, QPushButton, "bind_all_button"))
    settle(window, qtbot)
    assert bound(window) == author
    assert unbound(window.document.design) == ()
    assert not widget(window, QWidget, "proposal_banner").isVisible()
    assert window.workspace.checking.passed is not None, window.workspace.checking.problems
    window.document.undo_stack.undo()
    assert bound(window) == {}
    qtbot.waitUntil(widget(window, QWidget, "proposal_banner").isVisible)


def test_what_an_old_script_kept_is_bound_by_one_click(
    with_data: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    ids = np.arange(100 * 33).reshape(100, 33)
    np.savez(tmp_path / "old.npz", X=ids[:, :11] % 7.0, decoder_inputs=np.eye(44)[ids % 44], targets=np.eye(22)[ids % 22])
    window = with_data(resource_files.path("templates/latent-to-sequence.seqdec"), tmp_path / "old.npz")
    assert widget(window, QPushButton, "bind_all_button").text() == "Bind all"
    press(widget(window, QPushButton, "bind_all_button"))
    settle(window, qtbot)
    assert bound(window) == {
        "latent.output": ("X",), "model_2.inputs": ("decoder_inputs",), "loss.targets": ("targets",)
    }  # fmt: skip
    assert window.workspace.checking.passed is not None, window.workspace.checking.problems


def test_the_archetype_with_its_data_is_bound_and_mended_with_buttons_alone(
    with_data: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = with_data(
        resource_files.path("templates/latent-to-sequence.seqdec"), resource_files.path("examples/data/molecules.npz")
    )
    assert "11 numbers a row" in widget(window, QLabel, "proposal_latent_output").text()
    assert "output_units is 22, and 27 are needed" in widget(window, QLabel, "proposal_model_2_inputs").text()
    assert widget(window, QPushButton, "bind_all_button").text() == "Bind 1 port"
    press(widget(window, QPushButton, "bind_all_button"))
    assert bound(window) == {"latent.output": ("X",)}  # what does not fit is not taken with it
    qtbot.waitUntil(lambda: not widget(window, QWidget, "proposal_banner").isVisible())
    press(widget(window, QPushButton, "propose_model_2_inputs_0"))
    settle(window, qtbot)
    remedy = widget(window, QPushButton, "remedy_model_2_inputs_0")
    press(remedy)
    settle(window, qtbot)
    assert bound(window) == {"latent.output": ("X",), "model_2.inputs": ("smiles",)}
    assert window.workspace.checking.passed is not None


def test_several_columns_that_would_do_are_a_choice_and_none_is_taken(
    with_data: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = with_data(
        resource_files.path("templates/sequence-to-sequence.seqdec"), resource_files.path("examples/data/roman.csv")
    )
    assert not widget(window, QWidget, "proposal_banner").isVisible()
    texts = [widget(window, QPushButton, f"propose_source_output_{number}").text() for number in (0, 1)]
    assert texts == ["Bind number", "Bind roman"]
    press(widget(window, QPushButton, "propose_source_output_0"))
    assert bound(window) == {"source.output": ("number",)}
    qtbot.waitUntil(lambda: window.findChild(QPushButton, "propose_source_output_0") is None)
    press(widget(window, QPushButton, "propose_decoder_inputs_0"))
    assert bound(window)["decoder.inputs"] == ("roman",)


def button_texts(window: MainWindow) -> list[str]:
    return [button.text() for button in window.findChildren(QAbstractButton) if button.isVisible()]


def test_an_ampersand_in_the_name_of_a_column_is_shown_on_buttons_and_in_sentences(
    with_data: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    """Qt takes one on a button for the mark of a letter, and shows two in a sentence as two."""
    rows = resource_files.path("examples/data/roman.csv").read_text().splitlines()
    (tmp_path / "named.csv").write_text("\n".join(["n&m,r&d", *rows[1:]]))
    window = with_data(resource_files.path("templates/sequence-to-sequence.seqdec"), tmp_path / "named.csv")
    window.workspace.notice.emit(Notice("named", "n&m", {"show": ("Show r&d", lambda: None)}))
    texts = button_texts(window)
    assert [text for text in texts if "&" in text.replace("&&", "")] == []
    assert {"Bind n&&m", "Bind r&&d"} <= set(texts)
    sentences = [label.text() for label in window.findChildren(QLabel) if label.isVisible() and label.buddy() is None]
    assert [text for text in sentences if "&&" in text] == []
    assert widget(window, QPushButton, "message_bar_show").text() == "Show r&&d"
    press(widget(window, QPushButton, "propose_source_output_0"))
    assert bound(window) == {"source.output": ("n&m",)}


def test_the_canvas_offers_the_column_at_the_block_and_a_click_binds_it(
    with_data: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    window = with_data(
        resource_files.path("templates/latent-to-sequence.seqdec"), resource_files.path("examples/data/molecules.npz")
    )
    window.pages.show_page("design")
    chip = widget(window, QPushButton, "chip_latent_output")
    qtbot.waitUntil(chip.isVisible)
    view = widget(window, QWidget, "design_view")

    def lies_below() -> bool:
        below = view.block_rect("latent")
        return chip.geometry().top() >= below.bottom() and abs(chip.geometry().center().x() - below.center().x()) <= 1

    qtbot.waitUntil(lies_below)  # once the page has its size
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, point_on(chip, window))
    assert bound(window) == {"latent.output": ("X",)}
    qtbot.waitUntil(lambda: window.findChild(QPushButton, "chip_latent_output") is None)
    choice = widget(window, QPushButton, "chip_model_2_inputs")  # it needs a change first: the Data page says which
    qtbot.waitUntil(choice.isVisible)
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, point_on(choice, window))
    assert widget(window, QWidget, "data_page").isVisible()
    assert "model_2.inputs" not in bound(window)


def test_the_buttons_of_the_canvas_follow_their_blocks(with_data: Callable[..., MainWindow], qtbot: QtBot) -> None:
    window = with_data(
        resource_files.path("templates/latent-to-sequence.seqdec"), resource_files.path("examples/data/molecules.npz")
    )
    window.pages.show_page("design")
    view, chip = widget(window, QWidget, "design_view"), widget(window, QPushButton, "chip_latent_output")
    qtbot.waitUntil(chip.isVisible)
    view.zoom_reset()
    qtbot.waitUntil(lambda: 0 <= chip.geometry().top() - view.block_rect("latent").bottom() <= 8)
    view.pan(40, 30)
    qtbot.waitUntil(lambda: 0 <= chip.geometry().top() - view.block_rect("latent").bottom() <= 8)
    for _ in range(12):
        view.zoom_out()
    qtbot.waitUntil(lambda: not chip.isVisible())


# -- one answer about a binding
def test_targets_that_are_too_wide_have_no_green_tick_beside_the_error(
    with_data: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    """Numbers 44 wide, and 22 classes at the other end of the same column."""
    rows = np.random.default_rng(0).random((100, 34, 44), np.float32)
    np.savez(tmp_path / "wide.npz", latent=np.zeros((100, 11), np.float32), steps=rows)
    window = with_data(resource_files.path("templates/latent-to-sequence.seqdec"), tmp_path / "wide.npz")
    box = widget(window, QComboBox, "bind_model_2_inputs")
    box.setFocus()
    box.setCurrentIndex(box.findText("steps"))
    settle(window, qtbot)
    states = {name: widget(window, QLabel, f"state_{name}") for name in ("model_2_inputs", "loss_targets")}
    qtbot.waitUntil(lambda: all(state.accessibleName() == "Does not fit" for state in states.values()))
    wrong = [problem for problem in window.workspace.checking.problems if problem.severity == "error"]
    assert [problem.where for problem in wrong] == ["loss.targets"]


@pytest.mark.parametrize("name", ["bind_all_button", "propose_descriptors_output_0"])
def test_a_second_space_after_binding_by_key_does_nothing_else(
    name: str, with_data: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    """The button goes away with its click; the next key must not reach its neighbour, a combo box or another button."""
    data = Path(shutil.copy(resource_files.path("examples/data/molecules.npz"), tmp_path))
    window = with_data(bare("molecules", tmp_path), data)
    button = widget(window, QPushButton, name)
    button.setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key_Space)
    assert bound(window)["descriptors.output"] == ("X",)
    after, count = window.document.design, window.document.undo_stack.count()
    settle(window, qtbot)
    for key in (Qt.Key_Space, Qt.Key_Return):
        QTest.keyClick(window.windowHandle(), key)
        settle(window, qtbot)
        assert window.document.design == after
        assert window.document.undo_stack.count() == count
        assert QApplication.activePopupWidget() is None


def test_a_second_space_on_a_button_of_the_canvas_does_nothing_else(
    with_data: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    data = Path(shutil.copy(resource_files.path("examples/data/molecules.npz"), tmp_path))
    window = with_data(bare("molecules", tmp_path), data)
    window.pages.show_page("design")
    chip = widget(window, QPushButton, "chip_descriptors_output")
    qtbot.waitUntil(chip.isVisible)
    chip.setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key_Space)
    settle(window, qtbot)
    after = window.document.design
    assert bound(window) == {"descriptors.output": ("X",)}
    qtbot.waitUntil(lambda: window.findChild(QPushButton, "chip_descriptors_output") is None)
    QTest.keyClick(window.windowHandle(), Qt.Key_Space)
    settle(window, qtbot)
    assert window.document.design == after
