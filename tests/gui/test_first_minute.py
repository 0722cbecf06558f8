"""The first minute: a bubble leads from the first example to a generated text, once, and is in nobody's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractButton, QAction, QApplication, QLabel, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from tests.gui.conftest import point_on, press


def bubble(window: MainWindow) -> str:
    """What the bubble says; empty if there is none."""
    found = [label for label in window.findChildren(QLabel, "help_bubble_text") if label.isVisible()]
    return str(found[0].text()) if found else ""


def is_gone(window: MainWindow) -> bool:
    """Whether the tour has ended. Its bubble may be destroyed later: Qt waits for the end of the call that QTest made."""
    return not any(bubble.isVisible() for bubble in window.findChildren(QWidget, "help_bubble"))


def points_at(window: MainWindow, widget: QWidget) -> bool:
    """Whether the bubble lies beside a widget and covers nothing of it but its edge."""
    shape = window.findChild(QWidget, "help_bubble").geometry()
    target = widget.rect().translated(widget.mapTo(window, QPoint()))
    return bool(shape.adjusted(-6, -6, 6, 6).intersects(target)) and not shape.contains(target.center())


@pytest.fixture
def first(opened: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> MainWindow:
    """The window of a first start."""
    monkeypatch.setattr(preferences, "first_minute_was_seen", lambda: False)
    window = opened()
    qtbot.waitUntil(lambda: bubble(window) != "")
    return window


def test_it_comes_once_and_can_be_asked_for_again(opened: Callable[..., MainWindow], qtbot: QtBot) -> None:
    preferences.settings().remove("help/first_minute_seen")  # as at a first start
    window = opened()
    qtbot.waitUntil(lambda: bubble(window).startswith("Begin here"))
    window.close()
    window = opened()
    assert not window.findChildren(QWidget, "help_bubble")
    window.findChild(QAction, "action_first_minute").trigger()
    qtbot.waitUntil(lambda: bubble(window).startswith("Begin here"))


def test_skip_ends_it(first: MainWindow, qtbot: QtBot) -> None:
    press(first.findChild(QPushButton, "help_bubble_skip"))
    qtbot.waitUntil(lambda: is_gone(first))
    assert first.welcome.isVisible()


def test_escape_ends_it_and_does_what_else_it_does(first: MainWindow, qtbot: QtBot) -> None:
    search = first.findChild(QWidget, "palette").findChild(QWidget, "palette_search")
    search.setFocus()
    QTest.keyClicks(search, "vec")
    QTest.keyClick(first.windowHandle(), Qt.Key_Escape)
    assert search.text() == ""
    qtbot.waitUntil(lambda: is_gone(first))


def test_clicks_go_through_it(first: MainWindow, qtbot: QtBot) -> None:
    """What lies under the bubble takes the click as if it were not there."""
    shape = first.findChild(QWidget, "help_bubble").geometry()
    below = [card for card in first.findChildren(QAbstractButton) if card.objectName().startswith("template_")]
    points = [shape.center() + QPoint(dx, dy) for dx in (-60, 0, 60) for dy in (0, 20, 30)]
    covered = next((point for point in points for card in below if card.rect().contains(card.mapFrom(first, point))), None)
    assert covered is not None
    QTest.mouseClick(first.windowHandle(), Qt.LeftButton, Qt.NoModifier, covered)
    qtbot.waitUntil(lambda: bool(first.document.design.blocks))
    qtbot.waitUntil(lambda: is_gone(first))  # another way than the tour's


def test_it_takes_no_focus(first: MainWindow) -> None:
    assert QApplication.focusWidget() is first.welcome


@pytest.mark.slow
def test_the_walk_from_the_first_card_to_a_generated_text(first: MainWindow, qtbot: QtBot) -> None:
    card = first.findChild(QAbstractButton, "example_roman")
    assert points_at(first, card)
    press(card)
    qtbot.waitUntil(lambda: "Click Train" in bubble(first), timeout=10_000)
    assert points_at(first, first.train_button)
    document = first.document
    document.edit(document.design.with_training(_short(document.design.training)), "Train briefly")
    qtbot.waitUntil(lambda: first.train_button.isEnabled(), timeout=20_000)
    press(first.train_button)
    qtbot.waitUntil(lambda: "Watch the loss" in bubble(first), timeout=60_000)
    qtbot.waitUntil(lambda: "open Generate" in bubble(first), timeout=240_000)
    bar = first.pages.bar
    index = next(index for index in range(bar.count()) if bar.tabText(index) == "Generate")
    QTest.mouseClick(first.windowHandle(), Qt.LeftButton, Qt.NoModifier, bar.mapTo(first, bar.tabRect(index).center()))
    qtbot.waitUntil(lambda: "1987" in bubble(first), timeout=30_000)
    field = first.current.findChild(QPlainTextEdit, "input_number")
    QTest.mouseClick(first.windowHandle(), Qt.LeftButton, Qt.NoModifier, point_on(field, first))
    QTest.keyClick(first.windowHandle(), Qt.Key_A, Qt.ControlModifier)
    QTest.keyClicks(field, "1987")
    qtbot.waitUntil(lambda: "click Generate" in bubble(first), timeout=10_000)
    button = first.current.findChild(QPushButton, "generate_button")
    qtbot.waitUntil(button.isEnabled, timeout=30_000)
    press(button)
    qtbot.waitUntil(lambda: "whole way" in bubble(first), timeout=120_000)
    press(first.findChild(QPushButton, "help_bubble_skip"))
    qtbot.waitUntil(lambda: is_gone(first))
    assert session_of(first.workspace).active is None
    qtbot.waitUntil(lambda: not background.busy(), timeout=10_000)


def _short(training):  # type: ignore[no-untyped-def]
    import msgspec

    return msgspec.structs.replace(training, epochs=1)
