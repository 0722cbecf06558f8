"""The Sweep page: a search from the inspector, its trials as table and plots, and what follows from one of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QLabel, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import set_value
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.sweep_draft import sweeps_of
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.workspace import PageName
from seqdec_gui.runs import known
from seqdec_gui.runs.folder import DesignKey
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.spec import DeviceChoice, RunSpec
from seqdec_gui.runs.sweep.folder import SweepFolder, SweepSpec, Table, Trial
from seqdec_gui.runs.sweep.space import parse_space
from tests.gui.accessible import nameless, roleless
from tests.gui.trained_runs import example_in
from tests.runs.sweep.test_sweep import SEARCH, WORKER

Opened = Callable[..., MainWindow]


def find(window: MainWindow, name: str) -> QWidget:
    found = window.findChild(QWidget, name)
    assert found is not None, name
    return found


def click(window: MainWindow, widget: QWidget) -> None:
    at = widget.mapTo(window, widget.rect().center())
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, at)


def rows(table: QTableWidget) -> list[list[str]]:
    return [[table.item(row, column).text() for column in range(table.columnCount())] for row in range(table.rowCount())]


@pytest.mark.slow
def test_a_parameter_of_the_inspector_is_searched(
    qtbot: QtBot, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = example_in(tmp_path, "roman", lambda design: set_value(design, "training.epochs", "3"))
    monkeypatch.setattr("seqdec_gui.gui.pages.sweep.page.go_on", _go_on)
    window = opened(file)
    window.workspace.devices.choose(DeviceChoice("cpu"))
    qtbot.waitUntil(lambda: window.workspace.checking.passed is not None, timeout=30_000)
    field = find(window, "field_learning_rate")
    label = next(label for label in find(window, "inspector").findChildren(QLabel) if label.buddy() is field)
    find(window, "inspector").show()
    label.customContextMenuRequested.emit(label.rect().center())  # as its context menu event does
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    (entry,) = menu.actions()
    QTest.mouseClick(menu.windowHandle(), Qt.LeftButton, Qt.NoModifier, menu.actionGeometry(entry).center())
    qtbot.waitUntil(lambda: window.pages.current == PageName.SWEEP)
    search = find(window, "sweep_search")
    qtbot.waitUntil(lambda: rows(search) == [["training.learning_rate", "0.0002..0.02:log"]] or bool(rows(search)))
    begin = find(window, "sweep_begin")
    search.item(0, 1).setText("1..0")
    qtbot.waitUntil(lambda: not begin.isEnabled())
    assert "smaller end first" in find(window, "sweep_problems").text()
    search.item(0, 1).setText("1e-5..1e-1:log")
    qtbot.waitUntil(begin.isEnabled)
    find(window, "sweep_trials").setValue(6)
    click(window, begin)
    table = find(window, "sweep_table")
    qtbot.waitUntil(lambda: [row[1] for row in rows(table)] == ["Finished"] * 6, timeout=120_000)
    plot = find(window, "sweep_parallel")
    assert plot.numbers == (1, 2, 3, 4, 5, 6)
    qtbot.waitUntil(lambda: find(window, "sweep_importance").shares.keys() == {"training.learning_rate"}, timeout=20_000)
    (sweep,) = [SweepFolder(path) for path in (tmp_path / "sweeps").iterdir()]
    best = sweep.read_table().best
    assert rows(table)[best - 1][0] == f"{best} ★"
    table.selectRow(best - 1)
    click(window, find(window, "sweep_open"))
    session = session_of(window.workspace)
    qtbot.waitUntil(lambda: session.shown is not None and session.shown.run == sweep.run(best), timeout=20_000)
    qtbot.waitUntil(lambda: not sweep.worked_on and not Queue().is_worked_on(), timeout=60_000)


def _go_on(sweep: SweepFolder) -> bool:
    child = subprocess.Popen([sys.executable, str(WORKER), "sweep", str(sweep.path), "0.05"], start_new_session=True)
    child.returncode = 0
    return True


@pytest.mark.slow
def test_a_line_of_the_plot_is_a_row_and_its_settings_are_taken(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    file = example_in(tmp_path, "roman")
    design = document.load(file)
    sweep = SweepFolder(tmp_path / "sweeps" / "one")
    run = RunSpec(design=document.to_builtins(design), design_path=str(file), devices=DeviceChoice("cpu"), engine="tensorflow")
    sweep.write_spec(SweepSpec(run=run, axes=parse_space(SEARCH, design), trials=5, sampler="grid"))
    subprocess.run([sys.executable, str(WORKER), "sweep", str(sweep.path), "0"], check=True, timeout=200)
    window = opened(file)
    window.workspace.page_requested.emit(PageName.SWEEP)
    plot, table = (find(window, name) for name in ("sweep_parallel", "sweep_table"))
    qtbot.waitUntil(lambda: plot.numbers == (1, 2, 3, 4, 5), timeout=20_000)
    box = plot.getPlotItem().getViewBox()
    scene = box.mapViewToScene(QPointF(0.0, 0.5))  # the third and last of the learning rates that were tried twice
    at = plot.mapFromScene(scene)
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, plot.viewport().mapTo(window, at))
    qtbot.waitUntil(lambda: bool(table.selectedIndexes()), timeout=5_000)
    row = table.selectedIndexes()[0].row()
    rate = sweep.read_table().trials[row].values["training.learning_rate"]
    assert rate == pytest.approx(1e-3)
    click(window, find(window, "sweep_reuse"))
    qtbot.waitUntil(lambda: window.workspace.document.design.training.learning_rate == pytest.approx(1e-3), timeout=10_000)
    window.workspace.document.undo_stack.undo()
    assert window.workspace.document.design.training.learning_rate == design.training.learning_rate
    assert "optuna" not in sys.modules
    assert "sqlalchemy" not in sys.modules


# -- whose sweep it is
def begun(design_file: Path | None, design: Design, parent: Path, name: str) -> SweepFolder:
    """Write a sweep of a design as `make_sweep` does."""
    sweep = SweepFolder(parent / "sweeps" / name)
    where = str(design_file) if design_file is not None else ""
    run = RunSpec(design=document.to_builtins(design), design_path=where, devices=DeviceChoice("cpu"), engine="tensorflow")
    sweep.write_spec(SweepSpec(run=run, axes=parse_space(SEARCH, design), trials=5))
    known.remember_folders([sweep.runs])
    return sweep


def test_a_sweep_belongs_to_its_design_wherever_that_is_saved_or_moved(tmp_path: Path) -> None:
    file = example_in(tmp_path, "roman")
    one = msgspec.structs.replace(document.load(file), id="1" * 32)
    two = msgspec.structs.replace(one, id="2" * 32)
    unsaved = begun(None, one, known.data_folder(), "20261130-100000-roman")
    saved = begun(file, one, tmp_path, "20261130-110000-roman")
    other = begun(tmp_path / "other.seqdec", two, tmp_path, "20261130-120000-other")
    paths = lambda key: [sweep.path for sweep in sweeps_of(key)]  # noqa: E731
    for path in (None, file, tmp_path / "renamed.seqdec", tmp_path / "elsewhere" / "roman.seqdec"):
        assert paths(DesignKey(one.id, path)) == [saved.path, unsaved.path]
    assert paths(DesignKey(two.id, tmp_path / "other.seqdec")) == [other.path]
    assert paths(DesignKey("3" * 32, None)) == []
    assert paths(DesignKey("3" * 32, tmp_path / "new.seqdec")) == []


def test_a_sweep_of_a_design_without_an_id_is_found_by_its_file(tmp_path: Path) -> None:
    file = example_in(tmp_path, "roman")
    design = msgspec.structs.replace(document.load(file), id="")
    sweep = begun(file, design, tmp_path, "old")
    assert [each.path for each in sweeps_of(DesignKey("1" * 32, file))] == [sweep.path]
    assert sweeps_of(DesignKey("1" * 32, tmp_path / "other.seqdec")) == []
    assert sweeps_of(DesignKey("1" * 32, None)) == []


def test_the_page_names_the_sweep_of_the_open_design_whole(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    file = example_in(tmp_path, "roman")
    begun(file, document.load(file), tmp_path, "20261130-110058-Roman numerals by attention and more")
    begun(None, msgspec.structs.replace(document.load(file), id="2" * 32), known.data_folder(), "20261130-120000-another")
    window = opened(file)
    window.resize(1280, 800)
    window.workspace.page_requested.emit(PageName.SWEEP)
    choice = find(window, "sweep_choice")
    qtbot.waitUntil(lambda: choice.count() == 1)
    assert choice.currentText() == "Roman numerals by attention and more · 30 Nov 11:00:58"
    qtbot.waitUntil(
        lambda: choice.width() >= choice.sizeHint().width() > choice.fontMetrics().horizontalAdvance(choice.currentText())
    )
    assert (nameless(window), roleless(window)) == ([], [])


def test_without_a_sweep_the_page_says_what_to_do_and_shows_no_bare_axes(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    file = example_in(tmp_path, "roman")
    window = opened(file)
    window.workspace.page_requested.emit(PageName.SWEEP)
    page = window.pages.page("sweep")
    qtbot.waitUntil(
        lambda: any("press Begin Sweep" in label.text() and label.isVisible() for label in page.findChildren(QLabel))
    )
    bare = ("sweep_table", "sweep_parallel", "sweep_importance", "sweep_choice", "sweep_go_on", "sweep_open", "sweep_reuse")
    assert [name for name in bare if find(window, name).isVisible()] == []
    design = document.load(file)
    sweep = SweepFolder(tmp_path / "sweeps" / "one")
    run = RunSpec(design=document.to_builtins(design), design_path=str(file), devices=DeviceChoice("cpu"), engine="tensorflow")
    sweep.write_spec(SweepSpec(run=run, axes=parse_space(SEARCH, design), trials=5, sampler="grid"))
    waiting = Trial(number=1, values={"training.learning_rate": 1e-3, "training.batch_size": 32}, state="running")
    sweep.write_table(Table(trials=(waiting,)))
    qtbot.waitUntil(lambda: find(window, "sweep_table").isVisible(), timeout=10_000)  # by itself
    assert not find(window, "sweep_parallel").isVisible()
    assert any("as soon as it has reported" in label.text() and label.isVisible() for label in page.findChildren(QLabel))
    sweep.write_table(Table(trials=(msgspec.structs.replace(waiting, value=0.5, state="finished"),), best=1))
    qtbot.waitUntil(lambda: find(window, "sweep_parallel").isVisible(), timeout=10_000)
    assert not find(window, "sweep_importance").isVisible()  # of one trial nothing is known


def test_a_goal_is_chosen_in_words_or_typed_as_reports_name_it(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    window = opened(example_in(tmp_path, "roman", lambda design: design))
    window.pages.show_page("sweep")
    goal = find(window, "sweep_goal")
    qtbot.waitUntil(goal.isVisible)
    setup = window.pages.page("sweep").setup
    assert (goal.currentText(), setup.wanted_goal) == ("validation loss", "val_loss")
    goal.lineEdit().setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key_Down)
    QTest.keyClick(window.windowHandle(), Qt.Key_Down)
    assert (goal.currentText(), setup.wanted_goal) == ("validation token accuracy", "val_token_accuracy")
    goal.lineEdit().selectAll()
    for letter in "val_perplexity":
        QTest.keyClick(window.windowHandle(), letter)
    assert setup.wanted_goal == "val_perplexity"
