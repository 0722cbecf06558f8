"""The command palette and the sheet of keys: both made from the actions of the window."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractButton, QAction, QApplication, QDialog, QLabel, QLineEdit, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.menu_text import shown
from seqdec_gui.gui.dialogs.command_palette import CommandPalette
from seqdec_gui.gui.window.commands import sheet
from seqdec_gui.gui.window.main_window import MainWindow


def opened(window: MainWindow, qtbot: QtBot) -> CommandPalette:
    QTest.keyClick(window.windowHandle(), Qt.Key_P, Qt.ControlModifier | Qt.ShiftModifier)
    qtbot.waitUntil(lambda: any(found.isVisible() for found in window.findChildren(CommandPalette)))
    (palette,) = [found for found in window.findChildren(CommandPalette) if found.isVisible()]
    qtbot.waitUntil(palette.search.hasFocus)
    return palette


def closed(window: MainWindow) -> bool:
    return not any(found.isVisible() for found in window.findChildren(CommandPalette))


def typed(window: MainWindow, text: str) -> None:
    QTest.keyClicks(window.focusWidget(), text)


def titles(palette: CommandPalette) -> list[str]:
    list_ = palette.findChild(QListWidget, "command_list")
    return [list_.item(row).text() for row in range(list_.count())]


def test_every_action_of_the_window_is_there_with_its_keys(archetype: MainWindow, qtbot: QtBot) -> None:
    palette = opened(archetype, qtbot)
    lines = [palette.list.item(row).data(Qt.AccessibleTextRole) for row in range(palette.list.count())]
    for action in archetype.findChildren(QAction):
        name = action.objectName()
        if not name.startswith("action_") or name in ("action_palette",):
            continue
        words = shown(action.text()).removesuffix("…")
        assert any(words in line for line in lines), name
    assert any("Save" in line and "Ctrl+S" in line for line in lines)
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Escape)
    qtbot.waitUntil(lambda: closed(archetype))


def test_typing_finds_and_enter_runs(archetype: MainWindow, qtbot: QtBot) -> None:
    archetype.design_view.setFocus()
    palette = opened(archetype, qtbot)
    typed(archetype, "runs pg")
    assert titles(palette)[0] == "Runs Page"
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Return)
    qtbot.waitUntil(lambda: archetype.pages.current == "runs")
    again = opened(archetype, qtbot)
    assert titles(again)[0] == "Runs Page"  # what was run last comes first
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Escape)


def test_arrows_choose_and_the_focus_returns(archetype: MainWindow, qtbot: QtBot) -> None:
    archetype.design_view.setFocus()
    palette = opened(archetype, qtbot)
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Down)
    assert palette.list.currentRow() == 1
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Up)
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Up)
    assert palette.list.currentRow() == palette.list.count() - 1
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Escape)
    qtbot.waitUntil(lambda: closed(archetype))
    assert archetype.design_view.hasFocus() or archetype.design_view.isAncestorOf(QApplication.focusWidget())


def test_what_cannot_be_run_says_why_and_stays(archetype: MainWindow, qtbot: QtBot) -> None:
    design = archetype.document.design
    palette = opened(archetype, qtbot)
    typed(archetype, "delete")
    line = palette.list.item(0).data(Qt.AccessibleTextRole)
    assert "not available now" in line
    assert "Select a block or a wire first" in line
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Return)
    assert palette.isVisible()
    assert archetype.document.design == design
    typed(archetype, "x")
    assert not palette.list.isVisible()
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Escape)


def test_what_the_pages_do_is_there_and_says_when_it_can_be_done(archetype: MainWindow, qtbot: QtBot) -> None:
    for page in ("train", "runs", "generate"):
        archetype.pages.show_page(page)
    archetype.pages.show_page("design")
    archetype.design_view.setFocus()
    for words, title, reason in (
        ("pause", "Pause", "No run is training here"),
        ("stop", "Stop", "No run is training here"),
        ("overlay", "Overlay", "Select a run first"),
    ):
        palette = opened(archetype, qtbot)
        typed(archetype, words)
        command = palette.list.item(0).data(Qt.UserRole)
        assert (command.title, command.reason, command.enabled) == (title, reason, False)
        QTest.keyClick(archetype.windowHandle(), Qt.Key_Escape)
        qtbot.waitUntil(lambda: closed(archetype))
    palette = opened(archetype, qtbot)
    typed(archetype, "all runs")
    place = next(
        row for row in range(palette.list.count()) if palette.list.item(row).data(Qt.UserRole).name == "runs:runs_scope_all"
    )
    for _ in range(place):
        QTest.keyClick(archetype.windowHandle(), Qt.Key_Down)
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Return)
    qtbot.waitUntil(lambda: archetype.pages.current == "runs")
    assert archetype.findChild(QAbstractButton, "runs_scope_all").isChecked()


def test_examples_and_open_designs_are_there(archetype: MainWindow, qtbot: QtBot) -> None:
    opened(archetype, qtbot)
    typed(archetype, "roman num")
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Return)
    qtbot.waitUntil(lambda: archetype.document.design.has("number"))
    assert len(archetype.designs.tabs) == 2


@pytest.mark.parametrize("name", ["design_view", "page_tabs", "device_picker"])
def test_a_click_elsewhere_closes_it(archetype: MainWindow, qtbot: QtBot, name: str) -> None:
    palette = opened(archetype, qtbot)
    widget = archetype.findChild(QWidget, name)
    point = widget.mapTo(archetype, widget.rect().bottomRight() - QPoint(30, 8))
    assert not palette.geometry().contains(point)
    QTest.mouseClick(archetype.windowHandle(), Qt.LeftButton, Qt.NoModifier, point)
    qtbot.waitUntil(lambda: closed(archetype))
    for popup in archetype.findChildren(QWidget, "device_list"):
        popup.close()


def test_the_sheet_has_the_keys_of_every_action(archetype: MainWindow, qtbot: QtBot) -> None:
    archetype.findChild(QAction, "action_shortcuts").trigger()
    dialog = archetype.findChild(QDialog, "shortcut_sheet")
    qtbot.waitUntil(dialog.isVisible)
    words = " ".join(label.text() for label in dialog.findChildren(QLabel))
    for rows in sheet(archetype.actions_by_name).values():
        for title, keys in rows:
            assert title in words
            assert keys in words
    assert "Ctrl+Shift+P" in words
    search = dialog.findChild(QLineEdit, "shortcut_search")
    QTest.keyClicks(search, "ctrl+r")
    seen = [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]
    assert "Run" in seen
    assert "Save" not in seen
    dialog.reject()


def test_no_two_actions_share_a_key(archetype: MainWindow) -> None:
    taken: dict[str, str] = {}
    for action in archetype.findChildren(QAction):
        for key in action.shortcuts():
            name = taken.setdefault(key.toString(), action.objectName())
            assert name == action.objectName(), f"{key.toString()} belongs to {name} too"


@pytest.mark.parametrize("key", [Qt.Key_Question, Qt.Key_Slash])
def test_a_key_opens_the_sheet(archetype: MainWindow, qtbot: QtBot, key: int) -> None:
    QTest.keyClick(archetype.windowHandle(), key, Qt.ControlModifier)
    qtbot.waitUntil(lambda: archetype.findChild(QDialog, "shortcut_sheet") is not None)
    archetype.findChild(QDialog, "shortcut_sheet").reject()
