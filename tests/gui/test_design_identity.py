"""A design's runs are found by its id wherever it is saved, and no other design shows them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.edit import set_value
from seqdec_gui.gui.widgets.run_picker import RunPicker
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.resource_files import path as resource
from seqdec_gui.runs import folder
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.process import RunProcess
from tests.domain.designs import archetype
from tests.gui.conftest import name_file, press

pytestmark = pytest.mark.slow

CHILD = Path(__file__).with_name("training_child.py")
Opened = Callable[..., MainWindow]
ROMAN = "examples/roman.seqdec"


@pytest.fixture(autouse=True)
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let runs be children that finish at once."""
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")
    monkeypatch.setattr("seqdec_gui.runs.process.RUNNER", (sys.executable, str(CHILD), "finish"))
    yield
    for run in runs_in(folder.default_parent(None)):
        RunProcess(run).wait(10)


def runs_in(parent: Path) -> list[RunFolder]:
    return [RunFolder(path) for path in parent.iterdir()] if parent.is_dir() else []


def train(qtbot: QtBot, window: MainWindow) -> Path:
    """Click Train and wait for the end of the run; returns its folder."""
    button = window.train_button
    qtbot.waitUntil(button.isEnabled, timeout=10_000)
    press(button)
    session = session_of(window.workspace)
    qtbot.waitUntil(lambda: session.active is None and session.shown is not None, timeout=15_000)
    assert session.shown is not None
    assert session.shown.run is not None
    return session.shown.run.path


def shows_runs(qtbot: QtBot, window: MainWindow, *runs: Path) -> None:
    """Wait until the Runs page has looked again and shows these runs and no others."""
    window.pages.show_page("runs")
    page = window.pages.page("runs")
    page.refresh()
    qtbot.waitUntil(lambda: not page.reading, timeout=5_000)
    assert sorted(entry.path for entry in page.model.entries if not entry.missing) == sorted(runs)


def save_as(qtbot: QtBot, window: MainWindow, path: Path, action: str = "action_save_as") -> None:
    window.findChild(QAction, action).trigger()
    name_file(qtbot, path)
    qtbot.waitUntil(lambda: window.document.path == path)


def test_the_runs_of_an_unsaved_design_are_listed_after_it_was_saved_closed_and_opened(
    qtbot: QtBot, opened: Opened, tmp_path: Path
) -> None:
    window = opened()
    window.files.new_from(resource(ROMAN))
    run = train(qtbot, window)
    assert run.parent == folder.default_parent(None)
    save_as(qtbot, window, tmp_path / "mine.seqdec", "action_save")
    shows_runs(qtbot, window, run)
    window.close()
    again = opened(tmp_path / "mine.seqdec")
    shows_runs(qtbot, again, run)
    picker = again.findChild(RunPicker) or RunPicker(again.workspace, "test")
    with qtbot.waitSignal(picker.refreshed):
        picker.refresh()
    assert picker.run is not None
    assert picker.run.run.path == run


def test_an_unsaved_design_shows_no_runs_of_other_unsaved_designs(qtbot: QtBot, opened: Opened) -> None:
    window = opened()
    window.files.new_from(resource(ROMAN))
    run = train(qtbot, window)
    window.files.new_from(resource(ROMAN))
    shows_runs(qtbot, window)
    window.pages.page("runs").tools.show_all_designs()
    shows_runs(qtbot, window, run)


def test_a_design_moved_and_renamed_keeps_its_runs(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    window = opened()
    window.files.new_from(resource(ROMAN))
    save_as(qtbot, window, old / "mine.seqdec", "action_save")
    run = train(qtbot, window)
    window.close()
    shutil.move(old, new)
    (new / "mine.seqdec").rename(new / "other.seqdec")
    again = opened(new / "other.seqdec")
    shows_runs(qtbot, again, new / "runs" / run.name)


def test_saving_under_another_name_begins_another_design(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    window = opened()
    window.files.new_from(resource(ROMAN))
    save_as(qtbot, window, tmp_path / "first.seqdec", "action_save")
    run = train(qtbot, window)
    first = window.document.design.id
    save_as(qtbot, window, tmp_path / "second.seqdec")
    assert window.document.design.id not in ("", first)
    assert design_file.load(tmp_path / "first.seqdec").id == first
    shows_runs(qtbot, window)
    window.files.open(tmp_path / "first.seqdec")
    shows_runs(qtbot, window, run)


def test_a_file_without_an_id_keeps_its_runs_and_gets_one_when_it_is_saved(
    qtbot: QtBot, opened: Opened, tmp_path: Path
) -> None:
    path = tmp_path / "roman.seqdec"
    design_file.save(design_file.load(resource(ROMAN)), path)
    shutil.copytree(resource(ROMAN).parent / "data", tmp_path / "data")
    window = opened(path)
    assert window.document.design.id == ""
    run = train(qtbot, window)
    shows_runs(qtbot, window, run)
    window.document.edit(set_value(window.document.design, "training.epochs", "7"), "Change epochs")
    window.findChild(QAction, "action_save").trigger()
    assert len(window.document.design.id) == 32
    assert design_file.load(path).id == window.document.design.id
    shows_runs(qtbot, window, run)


def test_a_run_of_an_example_bears_the_example_s_name(qtbot: QtBot, opened: Opened) -> None:
    window = opened()
    window.files.new_from(resource(ROMAN))
    assert window.document.name == "Roman numerals"
    assert "Roman numerals" in window.windowTitle()
    run = train(qtbot, window)
    session = session_of(window.workspace)
    assert session.shown is not None
    assert session.shown.name.startswith("Roman numerals · ")
    window.pages.show_page("runs")
    page = window.pages.page("runs")
    qtbot.waitUntil(lambda: len(page.model.entries) == 1, timeout=5_000)
    assert page.model.entries[0].name == session.shown.name
    assert run.name.endswith("-Roman_numerals")
    window.findChild(QAction, "action_save").trigger()
    dialog = window.findChild(QFileDialog, "file_dialog")
    assert Path(dialog.selectedFiles()[0]).name == "Roman numerals.seqdec"
    dialog.close()


def test_the_train_page_drops_the_run_and_the_overlays_of_a_design_that_was_left(
    qtbot: QtBot, opened: Opened, tmp_path: Path
) -> None:
    window = opened()
    window.files.new_from(resource(ROMAN))
    save_as(qtbot, window, tmp_path / "mine.seqdec", "action_save")
    run = train(qtbot, window)
    session = session_of(window.workspace)
    session.overlay(run, "the same")
    qtbot.waitUntil(lambda: bool(session.overlays), timeout=5_000)
    window.document.new(archetype())  # in the same tab
    assert session.shown is None
    assert session.overlays == {}
    window.pages.show_page("train")
    assert window.findChild(QWidget, "start_training").isVisible()


def test_a_run_goes_on_unseen_under_another_design_and_is_a_click_away(
    qtbot: QtBot, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqdec_gui.runs.process.RUNNER", (sys.executable, str(CHILD), "obey"))
    window = opened()
    window.files.new_from(resource(ROMAN))
    save_as(qtbot, window, tmp_path / "mine.seqdec", "action_save")
    qtbot.waitUntil(window.train_button.isEnabled, timeout=10_000)
    press(window.train_button)
    session = session_of(window.workspace)
    qtbot.waitUntil(lambda: session.active is not None and session.active.state == "running", timeout=15_000)
    window.document.new(archetype())  # in the same tab
    assert session.shown is None
    assert session.active is not None
    press(window.findChild(QWidget, "show_active_run"))
    assert session.shown is session.active
    window.document.open(tmp_path / "mine.seqdec")
    qtbot.waitUntil(lambda: session.shown is session.active, timeout=5_000)
    session.active.stop()
    qtbot.waitUntil(lambda: session.active is None, timeout=15_000)


@pytest.mark.parametrize("saved", [True, False])
def test_a_window_says_at_once_that_a_run_goes_on_and_shows_it_with_its_design(
    qtbot: QtBot, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: bool
) -> None:
    monkeypatch.setattr("seqdec_gui.runs.process.RUNNER", (sys.executable, str(CHILD), "obey"))
    first = opened()
    first.files.new_from(resource(ROMAN))
    if saved:
        save_as(qtbot, first, tmp_path / "mine.seqdec", "action_save")
    qtbot.waitUntil(first.train_button.isEnabled, timeout=10_000)
    press(first.train_button)
    session = session_of(first.workspace)
    qtbot.waitUntil(lambda: session.active is not None and session.active.state == "running", timeout=15_000)
    id = first.document.design.id
    first.document.undo_stack.setClean()
    first.close()
    box = first.findChild(QMessageBox, "question_box")
    QTest.mouseClick(box.findChild(QWidget, "answer_accept"), Qt.LeftButton)
    qtbot.waitUntil(lambda: not first.isVisible(), timeout=5_000)

    second = opened()
    qtbot.waitUntil(second.shell.bar.isVisible, timeout=5_000)
    assert second.shell.bar.text.endswith("is still training.")
    assert second.shell.bar.text.startswith("mine" if saved else "Roman numerals")
    press(second.findChild(QWidget, "message_bar_show"))
    qtbot.waitUntil(lambda: second.document.design.id == id, timeout=5_000)
    assert second.document.path == (tmp_path / "mine.seqdec" if saved else None)
    again = session_of(second.workspace)
    qtbot.waitUntil(lambda: again.active is not None and again.shown is again.active, timeout=5_000)
    assert second.pages.current == "train"
    qtbot.waitUntil(lambda: len(again.active.history.reports) > 0, timeout=5_000)
    assert not second.shell.bar.isVisible()
    again.active.stop()
    qtbot.waitUntil(lambda: again.active is None, timeout=15_000)


def test_the_id_stays_through_edits_undo_and_saving(tmp_path: Path) -> None:
    document = DesignDocument()
    document.new(archetype())
    first = document.design.id
    assert len(first) == 32
    document.edit(archetype().without_blocks(["latent"]), "Delete")
    document.undo_stack.undo()
    document.save(tmp_path / "a.seqdec")
    document.undo_stack.redo()
    document.save()
    assert document.design.id == design_file.load(tmp_path / "a.seqdec").id == first
    document.new(archetype())
    assert document.design.id not in ("", first)
