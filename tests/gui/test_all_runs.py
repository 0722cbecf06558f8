"""Every run of the user, of all designs: listed, found again, tagged, compared, and its design opened as it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAction,
    QApplication,
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QTableView,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.resource_files import path as resource
from seqdec_gui.runs import known, spec
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.listing import Entry
from seqdec_gui.runs.notes import read_note
from tests.gui.conftest import name_file, press
from tests.gui.trained_runs import example_in, trained
from tests.runs.run_folders import finished_run

Opened = Callable[..., MainWindow]
ROMAN, DIGITS = "a" * 32, "b" * 32


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, RunFolder]:
    """Runs of three designs in three places that are known: two files, and a design that was never saved."""
    design_file.save(design_file.load(resource("examples/roman.seqdec")).with_id(ROMAN), tmp_path / "roman.seqdec")
    made = {}
    for number, (name, id, path) in enumerate(
        (
            ("one/runs/20261129-101010-digits", DIGITS, str(tmp_path / "gone" / "digits.seqdec")),
            ("runs/20261129-111111-roman", ROMAN, str(tmp_path / "roman.seqdec")),
            ("runs/20261129-121212-roman", ROMAN, str(tmp_path / "roman.seqdec")),
            ("two/20261129-131313-Roman_numerals", "c" * 32, ""),
        )
    ):
        run = finished_run(tmp_path / name, id, path, created=1000.0 + number, name="Roman numerals", loss=0.1 + number)
        asked = run.read_spec()
        design = design_file.to_builtins(design_file.load(resource("examples/roman.seqdec")).with_id(id))
        spec.write(spec.RunSpec(**{**_fields(asked), "design": design}), run.spec)
        known.remember_run(run.path)
        made[name] = run
    known.remember_designs([(tmp_path / "roman.seqdec", ROMAN)])
    return made


def _fields(asked: spec.RunSpec) -> dict[str, object]:
    return {name: getattr(asked, name) for name in asked.__struct_fields__}


def find(window: MainWindow, kind: type[QWidget], name: str) -> QWidget:
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def entries(window: MainWindow) -> list[Entry]:
    return list(window.pages.page("runs").model.entries)


def names(window: MainWindow) -> list[str]:
    return [entry.path.name for entry in entries(window)]


def show_all(qtbot: QtBot, window: MainWindow, count: int) -> None:
    """Open all runs by the keyboard, and wait until so many are listed."""
    QApplication.setActiveWindow(window)
    qtbot.waitUntil(lambda: window.focusWidget() is not None and window.focusWidget().hasFocus())
    QTest.keyClick(window.windowHandle(), Qt.Key_H, Qt.ControlModifier | Qt.ShiftModifier)
    qtbot.waitUntil(lambda: window.pages.current == "runs")
    qtbot.waitUntil(lambda: len(entries(window)) == count and not window.pages.page("runs").reading, timeout=5_000)


def choose(window: MainWindow, name: str, modifier: Qt.KeyboardModifier = Qt.NoModifier) -> None:
    """Click on a run in the table."""
    view = find(window, QTableView, "runs_table")
    place = QPoint(-1, -1)
    while place != (now := _place_of(view, window, names(window).index(name))):
        place = now
        QApplication.processEvents()
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, modifier, place)


def _place_of(view: QTableView, window: MainWindow, row: int) -> QPoint:
    return view.viewport().mapTo(window, QPoint(40, view.visualRect(view.model().index(row, 0)).center().y()))


def type_into(qtbot: QtBot, window: MainWindow, name: str, text: str) -> None:
    field = find(window, QLineEdit, name)
    press(field)
    qtbot.waitUntil(field.hasFocus)
    for letter in text:
        QTest.keyClick(window.windowHandle(), letter)


def pick(choice: QComboBox, text: str) -> None:
    """Choose an entry of a combo box by its keys."""
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key_Home)
    while choice.currentText() != text:
        before = choice.currentIndex()
        QTest.keyClick(choice, Qt.Key_Down)
        assert choice.currentIndex() > before, text


def test_all_runs_are_listed_whatever_is_open_and_found_by_words_state_and_design(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder]
) -> None:
    window = opened()
    show_all(qtbot, window, 4)
    assert find(window, QLabel, "runs_title").text() == "4 runs"
    assert entries(window)[0].name == "Roman numerals · 29 Nov 13:13:13"
    type_into(qtbot, window, "runs_search", "digits")
    qtbot.waitUntil(lambda: names(window) == ["20261129-101010-digits"])
    assert find(window, QLabel, "runs_title").text() == "1 of 4 runs"
    QTest.keyClick(window.windowHandle(), Qt.Key_Escape)
    qtbot.waitUntil(lambda: len(entries(window)) == 4)
    pick(find(window, QComboBox, "runs_design"), "roman")
    assert names(window) == ["20261129-121212-roman", "20261129-111111-roman"]
    pick(find(window, QComboBox, "runs_state"), "Failed")
    assert names(window) == []
    assert find(window, QTableView, "runs_table").isVisible()
    press(find(window, QWidget, "clear_filters"))
    qtbot.waitUntil(lambda: len(entries(window)) == 4)


def test_a_run_is_tagged_and_found_by_its_tag_and_the_tags_lie_in_its_folder(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder]
) -> None:
    window = opened()
    show_all(qtbot, window, 4)
    choose(window, "20261129-101010-digits")
    type_into(qtbot, window, "run_tags", "good, seed 3")
    QTest.keyClick(window.windowHandle(), Qt.Key_Return)
    run = runs["one/runs/20261129-101010-digits"].path
    qtbot.waitUntil(lambda: read_note(run).tags == ("good", "seed 3"), timeout=5_000)
    choose(window, "20261129-111111-roman")
    choose(window, "20261129-101010-digits", Qt.ControlModifier)
    window.pages.page("runs").tools.actions_by_name["tag"].trigger()
    dialog = window.findChild(QInputDialog, "text_dialog")
    QTest.keyClicks(dialog.findChild(QLineEdit), "GOOD, paper")
    QTest.keyClick(dialog.findChild(QLineEdit), Qt.Key_Return)
    qtbot.waitUntil(lambda: read_note(run).tags == ("good", "seed 3", "paper"), timeout=5_000)
    qtbot.waitUntil(lambda: find(window, QComboBox, "runs_tag").count() == 5, timeout=5_000)
    pick(find(window, QComboBox, "runs_tag"), "#paper")
    assert set(names(window)) == {"20261129-101010-digits", "20261129-111111-roman"}


def test_the_design_of_a_run_is_opened_as_it_was_and_has_the_runs_if_it_is_in_no_file(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder]
) -> None:
    window = opened()
    show_all(qtbot, window, 4)
    choose(window, "20261129-131313-Roman_numerals")
    press(find(window, QWidget, "run_as_it_was"))
    qtbot.waitUntil(lambda: window.document.design.id == "c" * 32, timeout=5_000)
    assert (window.document.path, window.document.name, window.pages.current) == (None, "Roman numerals", "design")
    assert "with all of its runs" in window.shell.bar.text
    show_all(qtbot, window, 4)
    press(find(window, QWidget, "runs_scope_design"))
    qtbot.waitUntil(lambda: names(window) == ["20261129-131313-Roman_numerals"], timeout=5_000)


def test_an_earlier_state_of_a_design_that_is_in_a_file_is_a_design_of_its_own(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    window = opened()
    show_all(qtbot, window, 4)
    choose(window, "20261129-111111-roman")
    press(find(window, QWidget, "run_as_it_was"))
    qtbot.waitUntil(lambda: window.document.name == "roman", timeout=5_000)
    assert window.document.path is None
    assert window.document.design.id not in ("", ROMAN)
    assert "roman.seqdec and its runs stay as they are" in window.shell.bar.text
    assert design_file.load(tmp_path / "roman.seqdec").id == ROMAN


def test_a_run_whose_folder_has_gone_is_shown_as_missing_and_taken_off_the_list(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    window = opened()
    show_all(qtbot, window, 4)
    window.pages.show_page("design")
    shutil.rmtree(tmp_path / "two")
    show_all(qtbot, window, 4)
    assert [entry.path.name for entry in entries(window) if entry.missing] == ["20261129-131313-Roman_numerals"]
    choose(window, "20261129-131313-Roman_numerals")
    acts = window.pages.page("runs").tools.actions_by_name
    assert [name for name, action in acts.items() if action.isEnabled()] == ["forget"]
    assert "gone, or cannot be reached" in find(window, QLabel, "run_outcome").text()
    acts["forget"].trigger()
    qtbot.waitUntil(lambda: len(entries(window)) == 3, timeout=5_000)


def test_a_folder_of_runs_is_added_by_hand(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    finished_run(tmp_path / "from a colleague" / "deep" / "runs" / "theirs", DIGITS)
    window = opened()
    show_all(qtbot, window, 0)
    press(find(window, QWidget, "add_runs_folder"))
    name_folder(qtbot, tmp_path / "from a colleague")
    qtbot.waitUntil(lambda: names(window) == ["theirs"], timeout=10_000)
    assert known.read().folders == (str(tmp_path / "from a colleague" / "deep" / "runs"),)
    (tmp_path / "empty").mkdir()
    press(find(window, QWidget, "add_runs_folder"))
    name_folder(qtbot, tmp_path / "empty")
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "message_box") is not None, timeout=5_000)
    window.findChild(QMessageBox, "message_box").close()


def name_folder(qtbot: QtBot, path: Path) -> None:
    """Type a folder into the dialog; Qt may take the first Return for a step into the folder."""
    name_file(qtbot, path)
    dialogs = [each for each in QApplication.topLevelWidgets() if isinstance(each, QFileDialog) and each.isVisible()]
    for dialog in dialogs:
        dialog.accept()


def test_numbers_are_never_cut_and_a_name_ends_in_dots(qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder]) -> None:
    window = opened()
    show_all(qtbot, window, 4)
    view, model = find(window, QTableView, "runs_table"), window.pages.page("runs").model
    header = view.horizontalHeader()

    def narrow() -> list[str]:
        """The titles of the columns of numbers that are narrower than what stands in them."""
        numbers = [(place, column.title) for place, column in enumerate(model.columns) if column.number]
        return [title for place, title in numbers if view.columnWidth(place) < view.sizeHintForColumn(place)]

    assert narrow() == []
    ends = [header.sectionViewportPosition(place) + header.sectionSize(place) for place in range(len(model.columns))]
    assert view.viewport().width() in ends or max(ends) < view.viewport().width()
    place = model.titles.index("Parameters")
    header.resizeSection(place, 45)  # as if dragged
    assert narrow() == []
    header.resizeSection(0, 130)
    second = opened()
    show_all(qtbot, second, 4)
    assert find(second, QTableView, "runs_table").columnWidth(0) == 130


@pytest.mark.parametrize("own", [False, True], ids=["the design has no run", "the design has a run"])
def test_generate_uses_the_run_that_was_chosen_though_it_is_of_another_design(
    qtbot: QtBot, opened: Opened, tmp_path: Path, own: bool
) -> None:
    """The page is built and lists the design's own runs while the choice arrives; its boxes are hidden until there is a run."""
    (tmp_path / "other").mkdir()
    other = trained(example_in(tmp_path / "other", "roman"), "chosen")
    shutil.copy(finished_run(tmp_path / "donor").events, other.events)
    known.remember_run(other.path)
    path = example_in(tmp_path, "roman", lambda design: design.with_id(ROMAN))
    if own:
        known.remember_run(trained(path, "own", created=2000.0).path)
    window = opened(path)
    show_all(qtbot, window, 2 if own else 1)
    choose(window, "chosen")
    qtbot.waitUntil(find(window, QToolButton, "run_generate").isEnabled)
    press(find(window, QToolButton, "run_generate"))
    qtbot.waitUntil(lambda: window.pages.current == "generate")
    picker = window.pages.page("generate").picker
    qtbot.waitUntil(lambda: picker.run is not None and not background.busy(), timeout=5_000)
    assert picker.run.run.name == "chosen"
    assert find(window, QComboBox, "generate_run").isVisible()


def test_a_broken_neighbour_does_not_keep_the_others_from_the_list(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    (tmp_path / "runs" / "pipe").mkdir()
    os.mkfifo(tmp_path / "runs" / "pipe" / "spec.json")
    window = opened(tmp_path / "roman.seqdec")
    show_all(qtbot, window, 5)
    choose(window, "pipe")
    qtbot.waitUntil(lambda: "no ordinary file" in find(window, QLabel, "run_outcome").text(), timeout=5_000)


def test_the_picker_of_weights_says_of_which_epochs_they_are(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    window = opened(tmp_path / "roman.seqdec")
    window.pages.show_page("generate")
    weights = find(window, QComboBox, "generate_checkpoint")
    qtbot.waitUntil(lambda: weights.count() == 2, timeout=10_000)
    assert [weights.itemText(place) for place in range(2)] == ["Best weights · epoch 1", "Last weights · epoch 2"]


def test_a_copy_of_a_design_is_told_and_becomes_a_design_of_its_own(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    shutil.copy(tmp_path / "roman.seqdec", tmp_path / "copy.seqdec")
    window = opened(tmp_path / "copy.seqdec")
    qtbot.waitUntil(lambda: "copy.seqdec and roman.seqdec are the same design" in window.shell.bar.text, timeout=5_000)
    press(find(window, QWidget, "message_bar_separate"))
    qtbot.waitUntil(lambda: design_file.load(tmp_path / "copy.seqdec").id not in ("", ROMAN))
    assert window.document.design.id == design_file.load(tmp_path / "copy.seqdec").id
    assert window.document.clean
    window.pages.show_page("runs")
    page = window.pages.page("runs")
    qtbot.waitUntil(lambda: bool(page.model.every) and not page.reading, timeout=5_000)
    assert entries(window) == []
    window.files.open(tmp_path / "roman.seqdec")
    window.pages.show_page("runs")
    qtbot.waitUntil(lambda: len(entries(window)) == 2, timeout=5_000)
    assert not window.shell.bar.isVisible()


def test_a_copy_that_shares_its_runs_is_told_once(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    shutil.copy(tmp_path / "roman.seqdec", tmp_path / "copy.seqdec")
    window = opened(tmp_path / "copy.seqdec")
    qtbot.waitUntil(window.shell.bar.isVisible, timeout=5_000)
    press(find(window, QWidget, "message_bar_share"))
    qtbot.waitUntil(lambda: known.read().copies == (str(tmp_path / "copy.seqdec"),), timeout=5_000)
    again = opened(tmp_path / "copy.seqdec")
    again.pages.show_page("runs")
    qtbot.waitUntil(lambda: len(entries(again)) == 2, timeout=5_000)
    assert not again.shell.bar.isVisible()


def test_saving_as_asks_whether_it_stays_the_same_design(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    window = opened(tmp_path / "roman.seqdec")
    window.findChild(QAction, "action_save_as").trigger()
    keep = window.findChild(QWidget, "keep_runs")
    assert not keep.isChecked()
    dialog = keep.window()
    QApplication.setActiveWindow(dialog)
    QTest.mouseClick(keep, Qt.LeftButton, Qt.NoModifier, QPoint(10, keep.height() // 2))
    assert keep.isChecked()
    dialog.findChild(QLineEdit, "fileNameEdit").setFocus()
    name_file(qtbot, tmp_path / "renamed.seqdec")
    qtbot.waitUntil(lambda: window.document.path == tmp_path / "renamed.seqdec")
    assert window.document.design.id == ROMAN
    window.findChild(QAction, "action_save_as").trigger()
    name_file(qtbot, tmp_path / "another.seqdec")
    qtbot.waitUntil(lambda: window.document.path == tmp_path / "another.seqdec")
    assert window.document.design.id != ROMAN


def test_a_design_whose_file_was_moved_is_saved_elsewhere_as_the_same(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    window = opened(tmp_path / "roman.seqdec")
    (tmp_path / "roman.seqdec").rename(tmp_path / "moved.seqdec")
    window.findChild(QAction, "action_save_as").trigger()
    name_file(qtbot, tmp_path / "elsewhere.seqdec")
    qtbot.waitUntil(lambda: window.document.path == tmp_path / "elsewhere.seqdec")
    assert window.document.design.id == ROMAN


def test_a_design_moved_away_from_its_runs_still_shows_them(
    qtbot: QtBot, opened: Opened, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    (tmp_path / "desk").mkdir()
    shutil.move(tmp_path / "roman.seqdec", tmp_path / "desk" / "renamed.seqdec")
    window = opened(tmp_path / "desk" / "renamed.seqdec")
    window.pages.show_page("runs")
    qtbot.waitUntil(lambda: len(entries(window)) == 2, timeout=5_000)
    assert not window.shell.bar.isVisible()


def test_thousands_of_runs_never_stop_the_window(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    first = finished_run(tmp_path / "runs" / "00000", DIGITS)
    for number in range(1, 1500):
        folder = tmp_path / "runs" / f"{number:05}"
        folder.mkdir()
        for name in ("spec.json", "events.jsonl", "lock"):
            os.link(first.path / name, folder / name)
    known.remember_folders([tmp_path / "runs"])
    window = opened()
    show_all(qtbot, window, 1500)
    type_into(qtbot, window, "runs_search", "01499")
    qtbot.waitUntil(lambda: names(window) == ["01499"])
