"""Several designs in the tabs of one window: opened, changed, closed, reordered, and there again at the next start."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QContextMenuEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QApplication, QLineEdit, QMenu, QMessageBox, QPushButton, QTabBar, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain import document as design_file
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.window.commands import commands
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.workspace import TrainingState
from tests.gui.conftest import name_file, press

Opened = Callable[..., MainWindow]


@pytest.fixture
def designs(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Three design files; the name of the last has an ampersand."""
    paths = tuple(tmp_path / f"{name}.seqdec" for name in ("one", "two", "this & that"))
    for path, template in zip(paths, ("latent-to-sequence", "sequence-to-sequence", "language-model"), strict=True):
        design_file.save(design_file.load(resource_files.path(f"templates/{template}.seqdec")).with_id(template), path)
    return paths


@pytest.fixture
def window(opened: Opened, designs: tuple[Path, Path, Path]) -> MainWindow:
    """A window with the three designs, the first in front."""
    shown = opened(designs[0])
    for path in designs[1:]:
        shown.files.open(path)
    shown.designs.show_tab(0)
    return shown


def names(window: MainWindow) -> list[str]:
    bar = window.designs.bar
    return [bar.tabText(index).replace("&&", "&") for index in range(bar.count())]


def tab_point(window: MainWindow, index: int) -> QPoint:
    bar = window.designs.bar
    return bar.mapTo(window, bar.tabRect(index).center())


def change(window: MainWindow) -> None:
    document = window.document
    document.edit(document.design.without_blocks([document.design.blocks[0].id]), "Delete")


def box(qtbot: QtBot, name: str) -> Any:
    def shown() -> list[QMessageBox]:
        return [
            w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible() and w.objectName() == name
        ]

    qtbot.waitUntil(lambda: bool(shown()))
    return shown()[0]


def answer(qtbot: QtBot, button: str) -> None:
    press(box(qtbot, "question_box").findChild(QPushButton, button))


def test_one_design_needs_no_bar_and_a_second_opens_beside_it(opened: Opened, designs: tuple[Path, Path, Path]) -> None:
    window = opened()
    assert not window.designs.bar.isVisible()
    window.files.open(designs[0])
    assert not window.designs.bar.isVisible()  # it took the place of the empty design
    window.files.open(designs[1])
    assert window.designs.bar.isVisible()
    assert names(window) == ["one", "two"]
    assert window.document.path == designs[1]


def test_a_design_that_is_open_is_shown_instead_of_opened_again(
    window: MainWindow, designs: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    first = window.document
    change(window)
    window.designs.show_tab(2)
    (tmp_path / "link").symlink_to(tmp_path)
    window.files.open(tmp_path / "link" / "one.seqdec")
    assert window.document is first
    assert len(names(window)) == 3


def test_opening_again_from_the_welcome_page_leaves_no_empty_tab(window: MainWindow, designs: tuple[Path, Path, Path]) -> None:
    QTest.keyClick(window.windowHandle(), Qt.Key_T, Qt.ControlModifier)
    assert window.welcome.isVisible()
    assert len(names(window)) == 4
    window.files.open(designs[1])
    assert names(window) == ["one", "two", "this & that"]
    assert window.document.path == designs[1]


@pytest.mark.parametrize(
    ("key", "modifiers", "wanted"),
    [
        (Qt.Key_Tab, Qt.ControlModifier, 1),
        (Qt.Key_PageDown, Qt.ControlModifier, 1),
        (Qt.Key_PageUp, Qt.ControlModifier, 2),
        (Qt.Key_Backtab, Qt.ControlModifier | Qt.ShiftModifier, 2),
    ],
)
def test_keys_change_the_design(
    window: MainWindow, designs: tuple[Path, Path, Path], key: int, modifiers: Any, wanted: int
) -> None:
    window.design_view.setFocus()
    QTest.keyClick(window.windowHandle(), key, modifiers)
    assert window.document.path == designs[wanted]
    assert window.windowTitle().startswith(designs[wanted].stem)


def test_a_click_changes_the_design_with_everything_that_shows_it(window: MainWindow, designs: tuple[Path, Path, Path]) -> None:
    """Object names lead to what is in front; each design keeps its page, selection and steps back."""
    window.document.select(["latent"])
    window.pages.show_page("code")
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, tab_point(window, 1))
    assert window.document.path == designs[1]
    assert window.pages.current == "design"
    view = window.findChild(QWidget, "design_view")
    assert view is window.design_view
    assert set(view.block_ids()) == {block.id for block in window.document.design.blocks}
    change(window)
    assert names(window) == ["one", "two*", "this & that"]
    assert window.isWindowModified()
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, tab_point(window, 0))
    assert window.pages.current == "code"
    assert window.document.selection == {"latent"}
    assert not window.isWindowModified()
    assert not window.findChild(QAction, "action_undo").isEnabled()
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, tab_point(window, 1))
    assert window.findChild(QAction, "action_undo").isEnabled()
    QTest.keyClick(window.windowHandle(), Qt.Key_Z, Qt.ControlModifier)
    assert names(window) == ["one", "two", "this & that"]


def test_the_middle_button_the_cross_and_a_key_close(window: MainWindow) -> None:
    QTest.mouseClick(window.windowHandle(), Qt.MiddleButton, Qt.NoModifier, tab_point(window, 2))
    assert names(window) == ["one", "two"]
    QTest.keyClick(window.windowHandle(), Qt.Key_T, Qt.ControlModifier | Qt.ShiftModifier)
    assert names(window) == ["one", "two", "this & that"]
    QTest.mouseClick(window.windowHandle(), Qt.MiddleButton, Qt.NoModifier, tab_point(window, 2))
    press(window.designs.bar.tabButton(1, QTabBar.RightSide))
    assert names(window) == ["one"]
    QTest.keyClick(window.windowHandle(), Qt.Key_W, Qt.ControlModifier)
    assert window.document.path is None  # the last one leaves the welcome page
    assert window.welcome.isVisible()
    QTest.keyClick(window.windowHandle(), Qt.Key_W, Qt.ControlModifier)
    assert not window.isVisible()


@pytest.mark.parametrize(("button", "left"), [("answer_cancel", 3), ("answer_discard", 2), ("answer_accept", 2)])
def test_closing_a_changed_design_asks(
    window: MainWindow, designs: tuple[Path, Path, Path], qtbot: QtBot, button: str, left: int
) -> None:
    window.designs.show_tab(1)
    change(window)
    blocks = len(window.document.design.blocks)
    window.designs.show_tab(0)
    QTest.mouseClick(window.windowHandle(), Qt.MiddleButton, Qt.NoModifier, tab_point(window, 1))
    assert window.document.path == designs[1]  # what is asked about is in front
    answer(qtbot, button)
    qtbot.waitUntil(lambda: len(names(window)) == left)
    assert (len(design_file.load(designs[1]).blocks) == blocks) is (button == "answer_accept")


def test_the_window_asks_about_each_changed_design(window: MainWindow, designs: tuple[Path, Path, Path], qtbot: QtBot) -> None:
    for index in (0, 2):
        window.designs.show_tab(index)
        change(window)
    window.close()
    assert "one" in box(qtbot, "question_box").text()
    answer(qtbot, "answer_discard")
    qtbot.waitUntil(lambda: "this" in box(qtbot, "question_box").text())
    answer(qtbot, "answer_cancel")
    assert window.isVisible()
    assert names(window) == ["one*", "two", "this & that*"]  # what was given up first is still there


def test_tabs_can_be_dragged(window: MainWindow) -> None:
    bar, handle = window.designs.bar, window.windowHandle()
    start, end = tab_point(window, 0), tab_point(window, 2)
    QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, start)
    for part in range(1, 11):
        QTest.mouseMove(handle, start + (end - start) * part / 10 + QPoint(part, 0))
        QApplication.processEvents()
    QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, end)
    assert names(window) == ["two", "this & that", "one"]
    assert window.document.name == "one"
    assert bar.currentIndex() == 2
    QTest.mouseClick(handle, Qt.LeftButton, Qt.NoModifier, tab_point(window, 0))
    assert window.document.name == "two"


def test_a_design_is_not_saved_over_one_in_another_tab(
    window: MainWindow, designs: tuple[Path, Path, Path], qtbot: QtBot
) -> None:
    before = designs[1].read_bytes()
    window.findChild(QAction, "action_save_as").trigger()
    name_file(qtbot, designs[1])
    told = box(qtbot, "message_box")
    assert "open in another tab" in told.text()
    QTest.keyClick(told, Qt.Key_Escape)
    assert designs[1].read_bytes() == before
    assert window.document.path == designs[0]


def test_what_another_window_saved_can_be_loaded_again_and_taken_back(
    window: MainWindow, opened: Opened, designs: tuple[Path, Path, Path], qtbot: QtBot
) -> None:
    second = opened(designs[0])
    change(second)
    QTest.keyClick(second.windowHandle(), Qt.Key_S, Qt.ControlModifier)
    theirs = designs[0].read_bytes()
    QApplication.setActiveWindow(window)
    window.document.edit(window.document.design.without_blocks(["loss"]), "Delete")
    mine = window.document.design
    QTest.keyClick(window.windowHandle(), Qt.Key_S, Qt.ControlModifier)
    answer(qtbot, "answer_other")
    assert window.document.design == second.document.design
    assert window.document.clean
    assert designs[0].read_bytes() == theirs
    QApplication.setActiveWindow(window)
    QTest.keyClick(window.windowHandle(), Qt.Key_Z, Qt.ControlModifier)
    assert window.document.design == mine
    assert not window.document.clean
    QTest.keyClick(window.windowHandle(), Qt.Key_S, Qt.ControlModifier)  # what is on the disk has been seen
    assert window.document.clean
    assert designs[0].read_bytes() != theirs


@pytest.mark.parametrize("button", ["answer_cancel", "answer_discard", "answer_accept"])
def test_what_another_window_saved_is_not_replaced_unasked(
    window: MainWindow, opened: Opened, designs: tuple[Path, Path, Path], qtbot: QtBot, tmp_path: Path, button: str
) -> None:
    second = opened(designs[0])
    change(second)
    QTest.keyClick(second.windowHandle(), Qt.Key_S, Qt.ControlModifier)
    theirs = designs[0].read_bytes()
    QApplication.setActiveWindow(window)
    change(window)
    window.document.edit(window.document.design.without_blocks(["loss"]), "Delete")
    QTest.keyClick(window.windowHandle(), Qt.Key_S, Qt.ControlModifier)
    assert "changed elsewhere" in box(qtbot, "question_box").text()
    answer(qtbot, button)
    if button == "answer_accept":
        name_file(qtbot, tmp_path / "mine.seqdec")
        qtbot.waitUntil(lambda: window.document.path == tmp_path / "mine.seqdec")
    assert (designs[0].read_bytes() == theirs) is (button != "answer_discard")
    assert window.document.clean is (button != "answer_cancel")
    if button == "answer_discard":  # asked once, not for ever
        QApplication.setActiveWindow(window)
        change(window)
        QTest.keyClick(window.windowHandle(), Qt.Key_S, Qt.ControlModifier)
        assert window.document.clean


def test_a_file_written_again_with_the_same_content_asks_nothing(window: MainWindow, designs: tuple[Path, Path, Path]) -> None:
    designs[0].write_bytes(designs[0].read_bytes())
    change(window)
    QTest.keyClick(window.windowHandle(), Qt.Key_S, Qt.ControlModifier)
    assert window.document.clean


def test_alike_names_say_their_folder(window: MainWindow, designs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    shutil.copy(designs[0], tmp_path / "other" / "one.seqdec")
    window.files.open(tmp_path / "other" / "one.seqdec")
    assert names(window)[3] == "one – other"
    assert names(window)[0] == f"one – {tmp_path.name}"


def test_the_title_of_the_window_is_that_of_the_tab(opened: Opened) -> None:
    window = opened()
    QTest.mouseClick(window.findChild(QPushButton, "welcome_new"), Qt.LeftButton)
    window.design_view.editor.add_block("loss")
    window.actions_by_name["new"].trigger()
    assert window.windowTitle().startswith("Untitled 2")
    assert window.designs.bar.tabText(window.designs.index) == "Untitled 2"
    window.design_view.editor.add_block("loss")
    window.designs.show_tab(0)
    assert window.windowTitle().startswith("Untitled[*]")
    window.document.undo_stack.undo()
    window.designs.close_tab(0)
    assert window.windowTitle().startswith("Untitled[*]")
    assert window.isWindowModified()


def test_a_run_belongs_to_the_design_of_its_tab(window: MainWindow) -> None:
    """It goes on in the background, its tab says so, and another design can train meanwhile."""
    first, session = window.workspace, session_of(window.workspace)
    assert session_of(first) is session
    first.set_training(TrainingState("running", ("CPU",)))
    assert not window.train_button.isEnabled()
    window.designs.show_tab(1)
    assert session_of(window.workspace) is not session
    assert not window.workspace.training.running
    assert window.designs.bar.tabIcon(0).isNull() is False
    assert window.designs.bar.tabIcon(1).isNull()
    assert "trains" in window.designs.bar.tabToolTip(0)
    first.set_training(TrainingState())
    assert window.designs.bar.tabIcon(0).isNull()


def test_devices_are_chosen_once_for_all_designs(window: MainWindow) -> None:
    choice = window.workspace.devices
    window.designs.show_tab(1)
    assert window.workspace.devices is choice


def test_the_next_start_has_the_tabs_of_the_last(opened: Opened, designs: tuple[Path, Path, Path]) -> None:
    window = opened()
    for path in designs:
        window.files.open(path)
    window.close()
    again = opened()
    assert again.welcome.isVisible()
    assert names(again)[1:] == ["one", "two", "this & that"]
    assert len(again.designs.tabs) == 1  # the others are read when they are shown
    QTest.mouseClick(again.windowHandle(), Qt.LeftButton, Qt.NoModifier, tab_point(again, 2))
    assert again.document.path == designs[1]
    assert len(again.designs.tabs) == 2


def test_a_second_window_leaves_the_session_of_the_first_alone(opened: Opened, designs: tuple[Path, Path, Path]) -> None:
    window = opened(designs[0])
    window.designs.end_session()
    preferences.settings().setValue("session/process", 1)  # a process that runs
    second = opened(designs[1])
    assert second.designs.paths == (designs[1],)
    second.close()
    assert preferences.settings().value("session/designs") in ([str(designs[0])], str(designs[0]))


def test_a_design_that_cannot_be_read_any_more_says_so_when_its_tab_is_clicked(
    opened: Opened, designs: tuple[Path, Path, Path], qtbot: QtBot
) -> None:
    window = opened(designs[0])
    window.designs.reopen([designs[1]])
    designs[1].write_text('{"format": 1,\n "blocks": [}')
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, tab_point(window, 1))
    failure = box(qtbot, "failure_box")
    assert "two.seqdec" in failure.text()
    assert "line 2" in failure.informativeText()
    QTest.keyClick(failure, Qt.Key_Escape)
    assert names(window) == ["one"]
    assert window.document.path == designs[0]


def test_each_unsaved_design_has_a_recovery_file_of_its_own(opened: Opened, qtbot: QtBot) -> None:
    window = opened()
    for name in ("language-model", "sequence-to-sequence"):
        window.files.new_from(resource_files.path(f"templates/{name}.seqdec"))
        change(window)
    files = {tab.files.autosave.file() for tab in window.designs.tabs}
    assert len(files) == 2
    qtbot.waitUntil(lambda: all(file.exists() for file in files), timeout=6000)
    window.close()
    answer(qtbot, "answer_discard")
    qtbot.waitUntil(lambda: box(qtbot, "question_box").isVisible())
    answer(qtbot, "answer_discard")
    qtbot.waitUntil(lambda: not window.isVisible())
    assert not any(file.exists() for file in files)


def test_all_unsaved_designs_of_a_dead_process_come_back(opened: Opened) -> None:
    folder = autosave.cache_folder()
    folder.mkdir(parents=True)
    for number, name in enumerate(("language-model", "sequence-to-sequence")):
        shutil.copy(resource_files.path(f"templates/{name}.seqdec"), folder / f"untitled-99999999-{number}.seqdec.autosave")
    window = opened()
    assert "2 unsaved designs" in window.shell.bar.text
    press(window.findChild(QPushButton, "message_bar_restore"))
    assert len(window.designs.tabs) == 2
    assert all(not tab.document.clean and tab.document.design.blocks for tab in window.designs.tabs)
    assert not list(folder.iterdir())


def test_panels_are_beside_the_pages_on_which_they_act(window: MainWindow, qtbot: QtBot) -> None:
    left, right = window.shell.left, window.inspector
    toggle = window.findChild(QAction, "action_show_left")
    assert left.isVisible()
    assert right.isVisible()
    for name in ("code", "data", "runs", "generate"):
        window.pages.show_page(name)
        assert not left.isVisible()
        assert not right.isVisible()
        assert not toggle.isEnabled()
        qtbot.waitUntil(lambda: window.pages.width() == window.width())
    window.pages.show_page("train")
    assert not right.isVisible()
    press(window.shell.findChild(QToolButton, "button_show_right"))
    assert right.isVisible()
    window.pages.show_page("design")
    QTest.keyClick(window.windowHandle(), Qt.Key_1, Qt.ControlModifier)
    assert not left.isVisible()
    window.designs.show_tab(1)
    assert not window.shell.left.isVisible()  # the choice is one of the window


@pytest.mark.parametrize("width", [640, 900, 1280])
def test_the_tabs_of_the_pages_never_overflow(window: MainWindow, width: int) -> None:
    bar = window.pages.bar
    window.resize(width, 700)
    QApplication.processEvents()
    assert bar.tabRect(bar.count() - 1).right() <= bar.width()
    scrollers = [button for button in bar.findChildren(QToolButton) if button.isVisible()]
    assert scrollers == []


def test_actions_are_enabled_only_when_they_can_do_something(window: MainWindow) -> None:
    def enabled(name: str) -> bool:
        return bool(window.findChild(QAction, f"action_{name}").isEnabled())

    QApplication.clipboard().setText("some words")
    assert not enabled("delete")
    assert not enabled("paste")
    window.document.select(["latent"])
    assert enabled("delete")
    window.findChild(QAction, "action_copy").trigger()
    assert enabled("paste")
    window.pages.show_page("code")
    assert not enabled("delete")
    assert not enabled("paste")
    window.pages.show_page("design")
    window.document.select([])
    link = window.document.design.links[0]
    window.design_view.design_scene.select_links([link])
    assert enabled("delete")
    QApplication.clipboard().setText("some words")
    assert not enabled("paste")


def test_text_fields_keep_their_keys(window: MainWindow) -> None:
    """Delete, Backspace and Ctrl+A in a field are the field's, not the canvas's."""
    window.document.select(["latent"])
    blocks = len(window.document.design.blocks)
    field = window.findChild(QLineEdit, "palette_search") or window.current.findChild(QLineEdit)
    field.setFocus()
    QTest.keyClicks(field, "ab")
    QTest.keyClick(window.windowHandle(), Qt.Key_Backspace)
    assert len(window.document.design.blocks) == blocks


def test_an_ampersand_of_a_name_is_shown(window: MainWindow, designs: tuple[Path, Path, Path]) -> None:
    """In menus, tabs and the palette; Qt would take it for the mark of a letter."""
    recent = window.findChild(QMenu, "menu_recent")
    recent.aboutToShow.emit()
    texts = [action.text() for action in recent.actions()]
    assert any(text.startswith("this && that ") for text in texts)
    assert window.designs.bar.tabText(2) == "this && that"
    palette = commands(window.actions_by_name, window.designs, lambda: None)
    assert any(command.title.startswith("this & that ") for command in palette)
    recent.actions()[0].trigger()
    assert window.document.path == designs[2]


def test_the_menu_of_a_tab_closes_the_others(window: MainWindow, qtbot: QtBot, designs: tuple[Path, Path, Path]) -> None:
    window.designs.show_tab(2)
    change(window)
    place = window.designs.bar.tabRect(1).center()
    event = QContextMenuEvent(QContextMenuEvent.Mouse, place, window.designs.bar.mapToGlobal(place))
    QApplication.sendEvent(window.designs.bar, event)
    menu = window.findChild(QMenu, "design_tab_menu")
    qtbot.waitUntil(menu.isVisible)
    next(action for action in menu.actions() if action.text().startswith("Close Others")).trigger()
    menu.close()
    answer(qtbot, "answer_discard")
    qtbot.waitUntil(lambda: names(window) == ["two"])
    assert window.document.path == designs[1]
