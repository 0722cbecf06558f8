"""The window as a whole, driven by mouse and keyboard through object names."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent, QDropEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAction,
    QApplication,
    QDialog,
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QMessageBox,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.look import preferences, theme
from seqdec_gui.gui.window import design_tab, dialogs, pages
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.workspace import TrainingState, Workspace
from tests.gui.conftest import name_file, press

TEMPLATE = "latent-to-sequence"
Find = Callable[..., Any]
ACTIONS = (
    "new", "open", "save", "save_as", "undo", "redo", "import_keras", "export_h5", "export", "settings", "about", "guide",
    "quit", "zoom_in", "zoom_out", "fit", "auto_layout", "duplicate", "delete", "copy", "paste", "select_all",
)  # fmt: skip


def template(name: str = TEMPLATE) -> Path:
    return resource_files.path(f"templates/{name}.seqdec")


@pytest.fixture
def archetype(window: MainWindow, qtbot: QtBot) -> Design:
    """The archetype, opened from its card."""
    press(window.findChild(QWidget, f"template_{TEMPLATE}"))
    assert len(window.document.design.blocks) == 5
    return window.document.design


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "seed.seqdec"
    design_file.save(design_file.load(template()), path)
    return path


def dialog(qtbot: QtBot, kind: type[QDialog], name: str) -> Any:
    """The open dialog of this name."""
    qtbot.waitUntil(lambda: any(w.objectName() == name and w.isVisible() for w in QApplication.topLevelWidgets()))
    found = next(w for w in QApplication.topLevelWidgets() if w.objectName() == name and w.isVisible())
    assert isinstance(found, kind)
    return found


def answer(qtbot: QtBot, name: str) -> None:
    box = dialog(qtbot, QMessageBox, "question_box")
    press(box.findChild(QPushButton, name))
    qtbot.waitUntil(lambda: not any(isinstance(w, QMessageBox) and w.isVisible() for w in QApplication.topLevelWidgets()))


def test_every_action_of_the_contract_is_there_once(find: Find) -> None:
    for name in ACTIONS:
        assert find(QAction, f"action_{name}").text()


def test_every_part_of_the_contract_is_there_once(find: Find) -> None:
    for name in ("inspector", "problems_list", "device_picker", "train_button", "code_view", "design_view"):
        assert find(QWidget, name)


def test_the_window_opens_on_the_welcome_page_and_a_card_starts_a_design(window: MainWindow, archetype: Design) -> None:
    assert [block.id for block in archetype.blocks] == ["latent", "decoder_inputs", "model_1", "model_2", "loss"]
    assert window.document.path is None
    assert not window.findChild(QWidget, "welcome_page").isVisible()


def test_a_card_obeys_the_keyboard(window: MainWindow) -> None:
    card = window.findChild(QWidget, "template_language-model")
    card.setFocus()
    QTest.keyClick(card, Qt.Key_Return)
    assert window.document.design.blocks


def test_the_welcome_page_leaves_the_canvas_usable(window: MainWindow, find: Find) -> None:
    assert find(QWidget, "design_view").isVisible()
    press(find(QPushButton, "welcome_new"))
    assert not find(QWidget, "welcome_page").isVisible()


def test_the_title_tells_name_and_unsaved_changes(window: MainWindow, archetype: Design, saved: Path) -> None:
    assert "Untitled" in window.windowTitle()
    window.files.open(saved)
    assert window.windowTitle().startswith("seed")
    assert not window.isWindowModified()
    window.document.edit(window.document.design.without_blocks(["loss"]), "Delete")
    assert window.isWindowModified()
    window.findChild(QAction, "action_undo").trigger()
    assert not window.isWindowModified()


def test_undo_and_redo_say_what_they_do(window: MainWindow, archetype: Design, find: Find) -> None:
    assert not find(QAction, "action_undo").isEnabled()
    window.document.edit(archetype.without_blocks(["loss"]), "Delete loss")
    assert find(QAction, "action_undo").text() == "Undo Delete loss"
    QTest.keyClick(window.windowHandle(), Qt.Key_Z, Qt.ControlModifier)
    assert window.document.design == archetype
    assert find(QAction, "action_redo").text() == "Redo Delete loss"


def test_saving_asks_for_a_name_once(window: MainWindow, archetype: Design, qtbot: QtBot, tmp_path: Path, find: Find) -> None:
    find(QAction, "action_save").trigger()
    name_file(qtbot, tmp_path / "mine")
    qtbot.waitUntil(lambda: (tmp_path / "mine.seqdec").exists())
    assert design_file.load(tmp_path / "mine.seqdec") == archetype
    assert preferences.recent_designs() == (tmp_path / "mine.seqdec",)
    window.document.edit(archetype.without_blocks(["loss"]), "Delete loss")
    find(QAction, "action_save").trigger()
    assert not design_file.load(tmp_path / "mine.seqdec").has("loss")
    assert window.document.clean


def test_opening_a_damaged_design_says_so_and_keeps_the_open_one(
    window: MainWindow, archetype: Design, qtbot: QtBot, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.seqdec"
    broken.write_text('{"format": 1, "blocks": [')
    window.files.open(broken)
    box = dialog(qtbot, QMessageBox, "failure_box")
    assert "Expected JSON" in box.informativeText()
    QTest.keyClick(box, Qt.Key_Escape)
    assert window.document.design == archetype


@pytest.mark.parametrize(("button", "closed"), [("answer_cancel", False), ("answer_discard", True)])
def test_closing_with_unsaved_changes_asks(
    window: MainWindow, archetype: Design, qtbot: QtBot, button: str, closed: bool
) -> None:
    window.document.edit(archetype.without_blocks(["loss"]), "Delete loss")
    window.close()
    answer(qtbot, button)
    assert window.isVisible() is not closed


def test_closing_can_save_first(window: MainWindow, qtbot: QtBot, saved: Path) -> None:
    window.files.open(saved)
    window.document.edit(window.document.design.without_blocks(["loss"]), "Delete loss")
    window.close()
    answer(qtbot, "answer_accept")
    qtbot.waitUntil(lambda: not window.isVisible())
    assert not design_file.load(saved).has("loss")


def test_a_page_can_keep_the_window_open_until_it_has_an_answer(window: MainWindow) -> None:
    proceeds: list[Callable[[], None]] = []

    def guard(proceed: Callable[[], None]) -> bool:
        proceeds.append(proceed)
        return False

    window.workspace.add_close_guard(guard)
    window.close()
    assert window.isVisible()
    proceeds[0]()
    assert not window.isVisible()


@pytest.mark.parametrize("left", ["seed.seqdec.99999999.autosave", "seed.seqdec.autosave"])
def test_changes_are_kept_in_a_recovery_file_and_offered_once_their_window_is_gone(
    opened: Callable[..., MainWindow], qtbot: QtBot, saved: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """`left` is the file as a process that has ended called it, or an older version."""
    monkeypatch.setattr(autosave, "IDLE_MS", 50)
    first = opened(saved)
    first.document.edit(first.document.design.without_blocks(["loss"]), "Delete loss")
    written = saved.with_name(f"seed.seqdec.{os.getpid()}.autosave")
    qtbot.waitUntil(written.exists, timeout=4000)
    qtbot.waitUntil(lambda: not first.files.autosave.pending)
    monkeypatch.setattr(autosave, "IDLE_MS", 60_000)  # the others write none of their own
    beside = opened(saved).findChild(QFrame, "message_bar")
    assert not (beside.isVisible() and "unsaved changes" in beside.text)
    kept = written.rename(saved.with_name(left))  # the first one stands for a window that crashed
    second = opened(saved)
    bar = second.findChild(QFrame, "message_bar")
    assert bar.isVisible()
    assert "unsaved changes to seed" in bar.text
    press(second.findChild(QPushButton, "message_bar_restore"))
    assert not second.document.design.has("loss")
    assert not second.document.clean
    assert not kept.exists()


def test_the_recovery_file_goes_when_the_design_is_saved(
    opened: Callable[..., MainWindow], qtbot: QtBot, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave, "IDLE_MS", 50)
    window = opened(saved)
    window.document.edit(window.document.design.without_blocks(["loss"]), "Delete loss")
    kept = saved.with_name(f"seed.seqdec.{os.getpid()}.autosave")
    qtbot.waitUntil(kept.exists, timeout=4000)
    qtbot.waitUntil(lambda: not window.files.autosave.pending)
    window.findChild(QAction, "action_save").trigger()
    assert not kept.exists()


def test_a_design_without_a_file_is_recovered_from_a_dead_process(opened: Callable[..., MainWindow], qtbot: QtBot) -> None:
    folder = autosave.cache_folder()
    folder.mkdir(parents=True)
    design_file.save(design_file.load(template()), folder / "untitled-99999999.seqdec.autosave")
    window = opened()
    press(window.findChild(QPushButton, "message_bar_restore"))
    assert len(window.document.design.blocks) == 5
    assert list(folder.iterdir()) == []


def test_the_train_button_says_why_it_cannot_be_pressed(window: MainWindow, qtbot: QtBot, find: Find) -> None:
    button = find(QPushButton, "train_button")
    assert not button.isEnabled()
    assert "empty" in button.toolTip()
    press(window.findChild(QWidget, f"template_{TEMPLATE}"))
    qtbot.waitUntil(lambda: "data file" in button.toolTip())
    window.document.edit(window.document.design.without_blocks(["loss"]), "Delete loss")
    qtbot.waitUntil(lambda: "no loss" in button.toolTip())


def test_the_train_button_names_the_devices_and_refuses_an_uneven_batch(window: MainWindow, qtbot: QtBot, find: Find) -> None:
    window.files.new_from(resource_files.path("examples/roman.seqdec"))
    button = find(QPushButton, "train_button")
    press(find(QToolButton, "device_picker"))
    press(find(QAbstractButton, "device_cpu_2"))
    qtbot.waitUntil(lambda: button.text() == "Train on 2 CPU devices")
    assert button.isEnabled(), button.toolTip()
    find(QFrame, "device_list").hide()
    training = window.document.design.training
    odd = window.document.design.with_training(type(training)(batch_size=63))
    window.document.edit(odd, "Change batch size")
    qtbot.waitUntil(lambda: not button.isEnabled())
    assert "Set it to 62 or 64" in button.toolTip()
    assert preferences.devices() == "cpu:2"


def test_the_train_button_shows_the_train_page_before_it_asks_for_training(
    opened: Callable[..., MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(design_tab, "follow_runs", lambda _workspace: None)  # it would start a real run
    window = opened(rows=with_page(pages.PAGES, "train", lambda _workspace: QWidget()))
    window.files.new_from(resource_files.path("examples/roman.seqdec"))
    button = window.findChild(QPushButton, "train_button")
    qtbot.waitUntil(button.isEnabled)
    shown = []
    window.workspace.train_requested.connect(lambda: shown.append(window.pages.current))
    press(button)
    assert shown == ["train"]


def test_a_running_training_speaks_through_the_button(window: MainWindow, qtbot: QtBot, find: Find) -> None:
    button = find(QPushButton, "train_button")
    for state, words in (
        (TrainingState("starting"), "Starting"),
        (TrainingState("running", ("gpu:0", "gpu:1")), "Training on 2 GPUs"),
        (TrainingState("paused", ("cpu:0",)), "Paused on CPU"),
        (TrainingState("stopping", ("cpu:0",)), "Stopping"),
    ):
        window.workspace.set_training(state)
        qtbot.waitUntil(lambda words=words: button.text() == words)
        assert not button.isEnabled()
    window.workspace.set_training(TrainingState())
    qtbot.waitUntil(lambda: button.text() != "Stopping")


def test_a_problem_leads_to_its_block(window: MainWindow, archetype: Design, qtbot: QtBot, find: Find) -> None:
    link = next(link for link in archetype.links if link.target.block == "model_1")
    window.document.edit(archetype.unlinked([link]), "Disconnect")
    problems = find(QListWidget, "problems_list")
    qtbot.waitUntil(lambda: problems.count() > 0 and "model_1" in problems.item(0).text())
    window.pages.show_page("code")
    place = problems.visualItemRect(problems.item(0)).center()
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, problems.viewport().mapTo(window, place))
    assert window.document.selection == frozenset({"model_1"})
    assert window.pages.current == "design"


def test_every_page_opens_from_its_tab(window: MainWindow, find: Find) -> None:
    tabs = find(QStackedWidget, "pages")
    for index in range(tabs.count()):
        place = tabs.tabBar().tabRect(index).center()
        QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, tabs.tabBar().mapTo(window, place))
        assert tabs.currentIndex() == index
        assert window.pages.page(window.pages.current).isVisible()


def with_page(rows: Sequence[pages.Page], name: str, create: Callable[[Workspace], QWidget]) -> list[pages.Page]:
    """The rows, one page made by another function."""
    return [msgspec.structs.replace(row, create=create) if row.name == name else row for row in rows]


@pytest.mark.parametrize("name", [page.name for page in pages.PAGES if page.name != "design"])
def test_a_page_that_fails_leaves_a_sentence_and_the_window_alive(
    opened: Callable[..., MainWindow], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    def fail(_workspace: Workspace) -> QWidget:
        raise RuntimeError("broken page")

    window = opened(rows=with_page(pages.PAGES, name, fail))
    window.pages.show_page(name)
    words = [label.text() for label in window.pages.page(name).findChildren(QLabel)]
    assert "This page could not be opened; the program log says why." in words
    assert "broken page" in caplog.text
    window.files.new_from(template())
    for page in pages.PAGES:
        window.pages.show_page(page.name)
    assert window.document.design.blocks


def test_a_page_is_a_function_and_a_row(opened: Callable[..., MainWindow]) -> None:
    """The recipe of CONTRIBUTING.md: a module with a widget, and a row in `PAGES`."""

    class Toy(QLabel):
        def __init__(self, workspace: Workspace) -> None:
            super().__init__(objectName="toy")
            workspace.document.design_changed.connect(lambda _old, new: self.setText(f"{len(new.blocks)} blocks"))

    window = opened(rows=(*pages.PAGES, pages.Page("toy", "Toy", "star-outline", Toy)))
    window.resize(1600, 900)  # room for one more tab
    assert window.findChild(Toy, "toy") is None  # it is built when it is first shown
    tabs = window.findChild(QStackedWidget, "pages")
    place = tabs.tabBar().tabRect(len(pages.PAGES)).center()
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, tabs.tabBar().mapTo(window, place))
    assert window.pages.current == "toy"
    toy = window.findChild(Toy, "toy")
    assert toy.isVisible()
    window.document.edit(design_file.load(template()), "Use a template")
    assert toy.text() == "5 blocks"
    QTest.keyClick(window.windowHandle(), Qt.Key_PageDown, Qt.AltModifier)
    assert window.pages.current == "design"


def drop(window: MainWindow, path: Path) -> None:
    """Drop a file on the window, as a file manager does."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    for event in (QDragEnterEvent, QDropEvent):
        QApplication.sendEvent(window, event(QPoint(300, 300), Qt.CopyAction, mime, Qt.LeftButton, Qt.NoModifier))


def test_dropping_a_design_opens_it(window: MainWindow, saved: Path) -> None:
    drop(window, saved)
    assert window.document.path == saved


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A.SEQDEC", "design"),
        ("a.Seqdec", "design"),
        ("M.KERAS", "model"),
        ("D.CSV", "data"),
        ("D.H5", "data"),
        ("d.Npz", "data"),
    ],
)
def test_a_dropped_file_goes_where_its_ending_says_in_capitals_too(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    taken: list[str] = []
    monkeypatch.setattr(window.files, "open", lambda path, then: taken.append("design"))
    monkeypatch.setattr(dialogs, "import_keras", lambda workspace, path: taken.append("model"))
    window.workspace.data_file_offered.connect(lambda path: taken.append("data"))
    drop(window, tmp_path / name)
    assert taken == [expected]


def test_dropping_data_offers_it_to_the_data_page(opened: Callable[..., MainWindow], tmp_path: Path) -> None:
    window = opened(rows=with_page(pages.PAGES, "data", lambda _workspace: QWidget()))
    offered: list[Path] = []
    window.workspace.data_file_offered.connect(offered.append)
    window.take_file(tmp_path / "rows.csv")
    assert offered == [tmp_path / "rows.csv"]
    assert window.pages.current == "data"


def test_panels_hide_by_shortcut_and_stay_hidden(opened: Callable[..., MainWindow]) -> None:
    first = opened()
    QTest.keyClick(first.windowHandle(), Qt.Key_3, Qt.ControlModifier)
    assert not first.findChild(QWidget, "bottom_panel").isVisible()
    first.resize(1100, 700)
    first.close()
    second = opened()
    assert not second.findChild(QWidget, "bottom_panel").isVisible()
    assert not second.findChild(QAction, "action_show_bottom").isChecked()


def test_a_theme_from_the_menu_recolours_the_window(window: MainWindow, find: Find) -> None:
    before = window.grab().toImage().pixelColor(2, 60)
    find(QAction, "action_theme_dark").trigger()
    assert theme.current().dark
    assert window.grab().toImage().pixelColor(2, 60).lightness() < before.lightness()


def test_settings_hold_at_once(window: MainWindow, find: Find, qtbot: QtBot, tmp_path: Path) -> None:
    find(QAction, "action_settings").trigger()
    settings = dialog(qtbot, QDialog, "settings_dialog")
    assert settings.windowModality() != Qt.ApplicationModal
    press(settings.findChild(QAbstractButton, "setting_autosave"))
    assert not preferences.autosave_is_on()
    line = settings.findChild(QLineEdit, "setting_run_folder")
    QTest.keyClicks(line, str(tmp_path))
    assert preferences.run_folder() == tmp_path
    QTest.keyClick(settings, Qt.Key_Escape)


def test_about_names_versions_without_importing_frameworks(window: MainWindow, find: Find, qtbot: QtBot) -> None:
    find(QAction, "action_about").trigger()
    about = dialog(qtbot, QDialog, "about_dialog")
    press(about.findChild(QPushButton, "about_copy"))
    text = QApplication.clipboard().text()
    assert "seqdec-gui" in text
    assert "keras 3" in text
    QTest.keyClick(about, Qt.Key_Escape)


def test_recent_designs_stand_in_the_menu(window: MainWindow, saved: Path) -> None:
    window.files.open(saved)
    menu = window.findChild(QMenu, "menu_recent")
    menu.aboutToShow.emit()
    assert menu.actions()[0].text().startswith("seed")


def test_an_example_is_a_copy_that_still_finds_its_data(window: MainWindow) -> None:
    window.files.new_from(resource_files.path("examples/roman.seqdec"))
    assert window.document.path is None
    assert Path(window.document.design.data.file).is_file()


def test_a_big_design_opens_without_a_pause(window: MainWindow) -> None:
    start = time.perf_counter()
    window.files.new_from(template("sequence-autoencoder"))
    QApplication.sendPostedEvents()
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("page", ["design", "runs", "train"])
def test_another_theme_leaves_the_panels_as_wide_as_they_were_beside_every_page(window: MainWindow, page: str) -> None:
    window.files.new_from(resource_files.path("templates/latent-to-sequence.seqdec"))
    columns = window.findChild(QSplitter, "columns")
    window.pages.show_page("runs")
    window.pages.show_page("design")
    QApplication.processEvents()
    before = columns.sizes()
    window.pages.show_page(page)
    for mode in ("dark", "light_contrast", "light"):
        theme.set_mode(mode)
        QApplication.processEvents()
    window.pages.show_page("design")
    QApplication.processEvents()
    assert columns.sizes() == pytest.approx(before, abs=3)
