"""What a screen reader finds in the window, and the order in which Tab goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QHeaderView, QLabel, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.gui.look.assistive import ALWAYS_ON
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.widgets.tab_order import tab_order
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.accessible import controls_of, name_of, nameless, roleless
from tests.gui.trained_runs import example_in, trained

PAGES = ("design", "code", "data", "train", "runs", "queue", "sweep", "generate")


@pytest.fixture
def roman(opened: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot) -> MainWindow:
    """The Roman numerals with a trained run, so that every page has something to show."""
    path = example_in(tmp_path, "roman")
    trained(path, "first")
    return opened(path)


def settle(qtbot: QtBot) -> None:
    QTest.qWait(50)
    qtbot.waitUntil(lambda: not background.busy(), timeout=20_000)


@pytest.mark.parametrize("page", PAGES)
def test_every_control_of_a_page_has_a_name(roman: MainWindow, qtbot: QtBot, page: str) -> None:
    roman.pages.show_page(page)
    settle(qtbot)
    assert len(controls_of(roman)) > 5
    assert nameless(roman) == []
    assert roleless(roman) == []
    for block in [block.id for block in roman.document.design.blocks] if page == "design" else []:
        roman.document.select([block])
        settle(qtbot)
        assert nameless(roman) == []


def test_every_control_of_the_empty_window_has_a_name(window: MainWindow, qtbot: QtBot) -> None:
    settle(qtbot)
    assert nameless(window) == []
    assert roleless(window) == []


def test_the_command_palette_has_names(roman: MainWindow, qtbot: QtBot) -> None:
    """It lies in the window; the dialogs are in test_dialogs_by_key."""
    roman.actions_by_name["palette"].trigger()
    settle(qtbot)
    assert "command_search" in [control.objectName() for control in controls_of(roman)]
    assert nameless(roman) == []
    QTest.keyClick(roman.windowHandle(), Qt.Key_Escape)
    qtbot.waitUntil(lambda: not roman.findChildren(QWidget, "command_palette"))


def test_the_names_are_those_that_qt_tells(window: MainWindow, qtbot: QtBot) -> None:
    """`name_of` against cases whose answer is in Qt's documentation."""
    holder = QWidget()
    qtbot.addWidget(holder)
    label, button, bare = QLabel("&Rows", holder), QPushButton("&Go", holder), QWidget(holder)
    label.setBuddy(bare)
    assert (name_of(button), name_of(bare)) == ("Go", "Rows")
    bare.setAccessibleName("Own")
    assert name_of(bare) == "Own"
    label.setBuddy(button)
    bare.setAccessibleName("")
    assert name_of(bare) == ""


# -- the order of Tab
@pytest.mark.parametrize("page", PAGES)
def test_tab_goes_from_part_to_part_as_one_reads(roman: MainWindow, qtbot: QtBot, page: str) -> None:
    roman.pages.show_page(page)
    settle(qtbot)
    parts = roman.tab_parts()
    order = tab_order(roman, parts)
    ranks = [next((2 * place for place, part in enumerate(parts) if part.isAncestorOf(control)), 1) for control in order]
    assert ranks == sorted(ranks)
    on_page = [control for control in order if roman.pages.isAncestorOf(control) or control is roman.pages]
    assert on_page != []
    order[0].setFocus(Qt.TabFocusReason)
    passed = [roman.focusWidget()]
    while len(passed) < len(order):
        if roman.focusWidget() in (roman.design_view, *roman.design_view.findChildren(QWidget)):
            break  # Tab goes on between blocks
        QTest.keyClick(roman.windowHandle(), Qt.Key_Tab)
        assert roman.focusWidget() not in passed
        passed.append(roman.focusWidget())
        if passed[-1].metaObject().className() == "QPlainTextEdit":
            break  # Tab is a character there
    assert passed == order[: len(passed)]
    QTest.keyClick(roman.windowHandle(), Qt.Key_Backtab, Qt.ShiftModifier)
    assert roman.focusWidget() is passed[-2] or page == "design"


@pytest.mark.parametrize("page", PAGES)
def test_no_table_keeps_the_tab_key(roman: MainWindow, qtbot: QtBot, page: str) -> None:
    roman.pages.show_page(page)
    settle(qtbot)
    tables = [view for view in roman.findChildren(QTableView) if not isinstance(view, QHeaderView)]
    assert [table.objectName() for table in tables if table.tabKeyNavigation()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_column_of_a_table_has_a_title(roman: MainWindow, qtbot: QtBot, page: str) -> None:
    roman.pages.show_page(page)
    settle(qtbot)
    for table in roman.pages.page(page).findChildren(QTableView):
        if isinstance(table, QHeaderView) or table.horizontalHeader().isHidden() or table.model() is None:
            continue
        model = table.model()
        titles = [
            model.headerData(column, Qt.Horizontal) or model.headerData(column, Qt.Horizontal, Qt.AccessibleTextRole)
            for column in range(model.columnCount())
        ]
        assert all(str(title or "").strip() for title in titles), (table.objectName(), titles)


# -- the canvas
def test_blocks_and_ports_of_the_canvas_are_told_to_a_screen_reader(
    opened: Callable[..., MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALWAYS_ON, "1")
    window = opened(resource_files.path("examples/roman.seqdec"))
    view = window.design_view
    names = {f"spoken_{block.id}" for block in window.document.design.blocks}
    qtbot.waitUntil(lambda: names <= {button.objectName() for button in view.findChildren(QPushButton)})
    decoder = view.findChild(QPushButton, "spoken_decoder")
    assert decoder.accessibleName() == "Recurrent decoder decoder"
    assert "parameters" in decoder.accessibleDescription()
    port = view.findChild(QPushButton, "spoken_decoder.initial_states")
    assert port.parent() is decoder
    assert port.accessibleName().startswith("input initial_states, states")
    assert port.accessibleName().endswith("connected with encoder.states")
    assert not any(button in controls_of(window) for button in (decoder, port))  # keys stay with the canvas

    decoder.click()  # what the action "Press" does
    assert window.document.selection == {"decoder"}
    assert view.hasFocus()

    place = decoder.geometry()
    assert view.itemAt(place.center()) is not None
    view.zoom_in()
    qtbot.waitUntil(lambda: decoder.geometry() != place)
    window.document.select(["decoder"])
    window.actions_by_name["delete"].trigger()
    qtbot.waitUntil(lambda: view.findChild(QPushButton, "spoken_decoder") is None)


def test_the_spoken_canvas_lets_the_mouse_through(
    opened: Callable[..., MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALWAYS_ON, "1")
    window = opened(resource_files.path("examples/roman.seqdec"))
    view = window.design_view
    qtbot.waitUntil(lambda: view.findChild(QPushButton, "spoken_encoder") is not None)
    button = view.findChild(QPushButton, "spoken_encoder")
    at = button.mapTo(window, QPoint(button.width() // 2, 12))
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, at)
    assert window.document.selection == {"encoder"}


def test_frames_and_notes_are_told_too(
    opened: Callable[..., MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(ALWAYS_ON, "1")
    window = opened(Path(__file__).parents[1] / "fixtures" / "annotated" / "frames.seqdec")
    ids = [one.id for one in window.document.design.annotations]
    assert ids != []
    view = window.design_view
    qtbot.waitUntil(lambda: view.findChild(QPushButton, f"spoken_{ids[0]}") is not None)
    button = view.findChild(QPushButton, f"spoken_{ids[0]}")
    assert button.accessibleName() == view.design_scene.annotations.items[ids[0]].description()
    button.click()
    assert view.design_scene.annotations.selected == {ids[0]}


def test_a_canvas_that_nobody_listens_to_has_no_such_buttons(archetype: MainWindow) -> None:
    QTest.qWait(300)
    assert [
        button.objectName() for button in archetype.design_view.findChildren(QPushButton) if "spoken" in button.objectName()
    ] == []
