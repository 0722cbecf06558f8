"""The Runs page, driven through the window, over runs that real children have written."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QContextMenuEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QApplication, QInputDialog, QMenu, QMessageBox, QTableView, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.edit import set_value
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.resource_files import path as resource
from seqdec_gui.runs import folder, process
from seqdec_gui.runs.differences import Difference, differences
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.notes import Note, display_name, plain_name, read_note, write_note
from seqdec_gui.runs.spec import DeviceChoice, RunSpec

pytestmark = pytest.mark.slow

CHILD = Path(__file__).with_name("training_child.py")
Opened = Callable[..., MainWindow]
Make = Callable[..., RunFolder]


@pytest.fixture
def design(tmp_path: Path) -> Path:
    file = tmp_path / "roman.seqdec"
    design_file.save(design_file.load(resource("examples/roman.seqdec")), file)
    return file


@pytest.fixture
def make(design: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes runs of the design, each with settings of its own; those that go on are ended at last."""
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")
    started: list[process.RunProcess] = []

    def make_one(mode: str, wait: bool = True, path: Path = design, **settings: str) -> RunFolder:
        changed = design_file.load(design)
        for name, value in settings.items():
            changed = set_value(changed, name.replace("__", "."), value)
        spec = RunSpec(
            design=design_file.to_builtins(changed),
            design_path=str(path),
            folder=str(path.parent),
            devices=DeviceChoice("cpu", count=2),
            engine="jax",
            created=1e9 + len(started),
        )
        run = folder.create(None, path, now=1e9 + len(started))
        started.append(process.start(run, spec, argv=(sys.executable, str(CHILD), mode)))
        if wait:
            started[-1].wait(20)
        return run

    yield make_one
    for each in started:
        each.kill()
        each.wait(10)


def find(window: QWidget, name: str) -> QWidget:
    found = window.findChild(QWidget, name)
    assert found is not None, name
    return found


def table(window: MainWindow) -> QTableView:
    return find(window, "runs_table")


def press(window: MainWindow, name: str) -> None:
    button = find(window, name)
    assert button.isVisible(), name
    assert button.isEnabled(), name
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, button.mapTo(window, button.rect().center()))


def column(window: MainWindow, title: str) -> list[str]:
    model = table(window).model()
    titles = [model.headerData(number, Qt.Horizontal) for number in range(model.columnCount())]
    return [model.index(row, titles.index(title)).data() for row in range(model.rowCount())]


def show_runs(qtbot: QtBot, window: MainWindow, count: int) -> None:
    window.pages.show_page("runs")
    qtbot.waitUntil(lambda: table(window).model().rowCount() == count, timeout=10_000)
    qtbot.waitUntil(lambda: table(window).isVisible(), timeout=2_000)


def choose(window: MainWindow, row: int, modifier: Qt.KeyboardModifier = Qt.NoModifier) -> None:
    view = table(window)

    def found() -> QPoint:
        at = view.visualRect(view.model().index(row, 0)).center()
        return view.viewport().mapTo(window, QPoint(40, at.y()))

    place = QPoint(-1, -1)
    while not view.isVisible() or place != found():  # until what was just shown is laid out
        place = found()
        QApplication.processEvents()
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, modifier, place)


def test_runs_are_listed_with_how_they_went_and_sorted_by_a_click(
    qtbot: QtBot, opened: Opened, design: Path, make: Make
) -> None:
    make("finish")
    make("segv")
    make("memory")
    window = opened(design)
    show_runs(qtbot, window, 3)
    assert column(window, "State") == ["Failed", "Crashed", "Finished"]
    assert column(window, "Epochs")[2] == "3 / 3"
    assert column(window, "Devices") == ["2 CPU devices"] * 3
    assert column(window, "Parameters") == ["232,214"] * 3
    assert column(window, "Val loss")[0] == ""
    header = table(window).horizontalHeader()
    x = header.sectionViewportPosition(1) + 10
    place = header.viewport().mapTo(window, QPoint(x, header.height() // 2))
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)
    assert column(window, "State") == ["Crashed", "Failed", "Finished"]


def test_a_small_window_shows_what_tells_good_runs_from_bad(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    make("finish")
    window = opened(design)
    show_runs(qtbot, window, 1)
    view, model = table(window), table(window).model()
    titles = [model.headerData(place, Qt.Horizontal) for place in range(model.columnCount())]
    telling = ["Run", "State", "Epochs", "Best", "Val token acc."]
    assert titles[:5] == telling
    assert view.columnViewportPosition(4) + view.columnWidth(4) <= view.viewport().width()
    assert "lowest validation loss" in model.headerData(3, Qt.Horizontal, Qt.ToolTipRole)


def test_a_missing_value_stands_last_whatever_the_direction(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    make("memory")
    make("finish")
    window = opened(design)
    show_runs(qtbot, window, 2)
    titles = [table(window).model().headerData(number, Qt.Horizontal) for number in range(table(window).model().columnCount())]
    for order in (Qt.AscendingOrder, Qt.DescendingOrder):
        table(window).sortByColumn(titles.index("Val loss"), order)
        assert column(window, "Val loss")[-1] == ""


def test_only_runs_of_the_open_design_are_listed_until_all_are_asked_for(
    qtbot: QtBot, opened: Opened, design: Path, make: Make
) -> None:
    make("finish")
    make("finish", path=design.with_name("other.seqdec"))
    window = opened(design)
    show_runs(qtbot, window, 1)
    press(window, "runs_scope_all")
    qtbot.waitUntil(lambda: table(window).model().rowCount() == 2, timeout=5_000)


def test_a_design_without_runs_says_so_and_leads_to_those_of_others(
    qtbot: QtBot, opened: Opened, design: Path, make: Make
) -> None:
    make("finish", path=design.with_name("other.seqdec"))
    window = opened(design)
    window.pages.show_page("runs")
    qtbot.waitUntil(lambda: find(window, "show_other_runs").isVisible(), timeout=5_000)
    assert window.pages.page("runs").empty.heading.text() == f"No runs of {design.stem} yet"
    press(window, "show_other_runs")
    qtbot.waitUntil(lambda: table(window).isVisible() and table(window).model().rowCount() == 1, timeout=5_000)
    press(window, "runs_scope_design")
    qtbot.waitUntil(lambda: find(window, "start_first_run").isVisible(), timeout=5_000)


def test_two_runs_show_what_changed_between_them(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    make("finish", training__learning_rate="0.004")
    make("finish", training__learning_rate="0.001", decoder__units="64")
    window = opened(design)
    show_runs(qtbot, window, 2)
    choose(window, 0)
    choose(window, 1, Qt.ControlModifier)
    found = find(window, "differences_table")

    def cells() -> list[list[str]]:
        return [[found.item(row, number).text() for number in range(3)] for row in range(found.rowCount())]

    # before the second click was answered, the table compares the first run with the design, which differs in as much
    changed = ["training.learning_rate", "0.004", "0.001"]
    qtbot.waitUntil(lambda: found.isVisible() and len(cells()) == 2 and cells()[0] == changed, timeout=5_000)
    assert cells()[1][0] == "decoder.units"
    assert cells()[1][2] == "64"


def test_names_and_notes_stay_with_the_run(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    run = make("finish")
    window = opened(design)
    show_runs(qtbot, window, 1)
    choose(window, 0)
    press(window, "run_rename")
    dialog = window.findChild(QInputDialog, "text_dialog")
    dialog.setTextValue("the good one")
    dialog.accept()
    qtbot.waitUntil(lambda: column(window, "Run") == ["the good one"], timeout=5_000)
    find(window, "run_note").setFocus()
    for letter in "best so far":
        QTest.keyClick(find(window, "run_note"), letter)
    window.pages.show_page("design")
    qtbot.waitUntil(lambda: read_note(run.path) == Note(name="the good one", note="best so far"), timeout=5_000)
    assert run.path.name.endswith("-roman")


def test_curves_are_shown_and_laid_over_each_other(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    make("finish")
    make("finish")
    window = opened(design)
    show_runs(qtbot, window, 2)
    choose(window, 0)
    press(window, "run_show")
    assert window.pages.current == "train"

    def names() -> set[str]:
        return {item.name() for item in find(window, "loss_plot").listDataItems()}

    qtbot.waitUntil(lambda: {"loss", "val_loss"} <= names(), timeout=10_000)
    window.pages.show_page("runs")
    choose(window, 1)
    press(window, "run_overlay")
    qtbot.waitUntil(lambda: len(names()) == 4, timeout=10_000)
    assert any(name.startswith("loss · roman") for name in names())
    press(window, "clear_overlays")
    qtbot.waitUntil(lambda: names() == {"loss", "val_loss"}, timeout=5_000)


def test_reusing_settings_is_an_edit_that_can_be_undone(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    make("finish", training__batch_size="16")
    window = opened(design)
    before = window.document.design
    show_runs(qtbot, window, 1)
    choose(window, 0)
    press(window, "run_reuse")
    qtbot.waitUntil(lambda: window.document.design.training.batch_size == 16, timeout=5_000)
    window.document.undo_stack.undo()
    assert window.document.design == before


@pytest.mark.parametrize(("answer", "fit"), [("answer_accept", "initial"), ("answer_discard", "anew")])
def test_a_new_run_begins_with_the_weights_of_the_selected_one_and_asks_what_stays_fitted(
    qtbot: QtBot, opened: Opened, design: Path, make: Make, monkeypatch: pytest.MonkeyPatch, answer: str, fit: str
) -> None:
    monkeypatch.setattr("seqdec_gui.runs.process.RUNNER", (sys.executable, str(CHILD), "finish"))
    first = make("finish")
    roman = design_file.load(design)
    open_dataset(roman.data, data_ports(roman), resource("examples")).fitted.save(first.data)
    shutil.copytree(resource("examples/data"), design.parent / "data")
    window = opened(design)
    show_runs(qtbot, window, 1)
    choose(window, 0)
    qtbot.waitUntil(lambda: window.findChild(QAction, "action_new_run_from_weights").isEnabled(), timeout=5_000)
    press(window, "run_begin")
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "question_box") is not None, timeout=5_000)
    box = window.findChild(QMessageBox, "question_box")
    assert "much of what the model has learned may be lost" in box.informativeText() + box.text()
    box.findChild(QWidget, answer).click()

    session = session_of(window.workspace)
    qtbot.waitUntil(lambda: session.shown is not None and session.shown.status is not None, timeout=20_000)
    spec = session.shown.run.read_spec()
    assert (spec.initial_run, spec.initial_checkpoint, spec.fit) == (str(first.path), "best", fit)


def test_columns_are_chosen_from_the_header_and_remembered(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    make("finish")
    window = opened(design)
    show_runs(qtbot, window, 1)

    def shown() -> list[str]:
        view = table(window)
        titles = [str(view.model().headerData(i, Qt.Horizontal)) for i in range(view.model().columnCount())]
        return [title for i, title in enumerate(titles) if not view.isColumnHidden(i)]

    def menu() -> QMenu:
        header = table(window).horizontalHeader()
        at = QPoint(header.sectionViewportPosition(0) + 20, header.height() // 2)
        QApplication.postEvent(header.viewport(), QContextMenuEvent(QContextMenuEvent.Mouse, at, header.mapToGlobal(at)))
        qtbot.waitUntil(lambda: window.findChild(QMenu, "columns_menu") is not None, timeout=2_000)
        return window.findChild(QMenu, "columns_menu")

    every = shown()
    assert {"Run", "State", "Certificate", "Val loss", "Started"} <= set(every)
    opened_menu = menu()
    assert opened_menu.findChild(QAction, "column_Run") is None
    action = opened_menu.findChild(QAction, "column_Val_loss")
    QTest.mouseClick(opened_menu, Qt.LeftButton, Qt.NoModifier, opened_menu.actionGeometry(action).center())
    assert shown() == [title for title in every if title != "Val loss"]
    qtbot.waitUntil(lambda: window.findChild(QMenu, "columns_menu") is None, timeout=2_000)
    second = opened(design)
    show_runs(qtbot, second, 1)
    assert table(second).isColumnHidden(every.index("Val loss"))
    opened_menu = menu()
    action = opened_menu.findChild(QAction, "column_all")
    QTest.mouseClick(opened_menu, Qt.LeftButton, Qt.NoModifier, opened_menu.actionGeometry(action).center())
    assert shown() == every


def test_a_deleted_run_is_in_the_trash(qtbot: QtBot, opened: Opened, design: Path, make: Make, home: Path) -> None:
    run = make("finish")
    window = opened(design)
    show_runs(qtbot, window, 1)
    choose(window, 0)
    press(window, "run_trash")
    box = window.findChild(QMessageBox, "question_box")
    QTest.mouseClick(box.findChild(QWidget, "answer_accept"), Qt.LeftButton)
    qtbot.waitUntil(lambda: not run.path.exists(), timeout=5_000)
    qtbot.waitUntil(lambda: table(window).model().rowCount() == 0, timeout=5_000)
    qtbot.waitUntil(lambda: find(window, "start_first_run").isVisible(), timeout=5_000)
    assert (Path(os.environ["XDG_DATA_HOME"]) / "Trash" / "files" / run.path.name / "spec.json").is_file()


def test_a_run_that_goes_on_is_followed_and_cannot_be_deleted(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    run = make("obey", wait=False)
    window = opened(design)
    show_runs(qtbot, window, 1)
    qtbot.waitUntil(lambda: column(window, "State") == ["Training"], timeout=10_000)
    first = column(window, "Epochs")
    qtbot.waitUntil(lambda: column(window, "Epochs") != first, timeout=10_000)
    choose(window, 0)
    assert not find(window, "run_trash").isEnabled()
    qtbot.waitUntil(lambda: session_of(window.workspace).active is not None, timeout=10_000)
    session_of(window.workspace).active.stop()
    qtbot.waitUntil(lambda: column(window, "State") == ["Stopped"], timeout=15_000)
    assert run.status().state == "stopped"


def test_a_damaged_run_is_listed_and_harms_nothing(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    run = make("finish")
    shutil.rmtree(run.copies)
    run.spec.write_text("{")
    window = opened(design)
    window.pages.show_page("runs")
    qtbot.waitUntil(lambda: find(window, "show_other_runs").isVisible(), timeout=5_000)
    press(window, "show_other_runs")
    qtbot.waitUntil(lambda: column(window, "State") == ["Unreadable"], timeout=5_000)
    choose(window, 0)
    qtbot.waitUntil(lambda: "damaged" in find(window, "differences_title").text(), timeout=5_000)


def test_differences_name_blocks_links_and_data() -> None:
    old = design_file.load(resource("examples/roman.seqdec"))
    new = set_value(old, "data.file", "other.csv").without_blocks(["loss"])
    found = differences(old, new)
    assert Difference("data.file", old.data.file, "other.csv") in found
    assert Difference("loss", "loss", "–") in found
    assert any("→" in each.what and each.new == "–" for each in found)
    assert differences(old, old.moved({"decoder": (1.0, 2.0)})) == ()


def test_a_name_for_every_folder(tmp_path: Path) -> None:
    assert plain_name("20261123-040506-roman") == "roman · 23 Nov 04:05:06"
    assert plain_name("mine") == "mine"
    (tmp_path / "note.json").write_text("damaged")
    assert display_name(tmp_path) == tmp_path.name
    write_note(tmp_path, Note(name="x"))
    assert display_name(tmp_path) == "x"
    write_note(tmp_path, Note())
    assert not (tmp_path / "note.json").exists()
