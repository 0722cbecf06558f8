"""The tab that is built in advance: it opens the next design, as every other does, and another one follows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.window import spare_tab
from seqdec_gui.gui.window.main_window import MainWindow


@pytest.fixture
def ready(opened: Callable[..., MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """A window with a design, and a tab in advance."""
    monkeypatch.setattr(spare_tab, "BEGIN_MS", 20)
    monkeypatch.setattr(spare_tab, "STEP_MS", 1)
    window = opened(resource_files.path("examples/digits.seqdec"))
    assert not window.designs.spare.ready
    window.designs.spare.keep()
    qtbot.waitUntil(lambda: window.designs.spare.ready)
    return window


def test_the_next_design_takes_the_tab_in_advance(ready: MainWindow, qtbot: QtBot) -> None:
    known = set(ready.findChildren(QWidget, "design_view"))
    assert len(known) == 2
    assert ready.designs.names == ("digits",)
    ready.files.open(resource_files.path("examples/roman.seqdec"))
    assert ready.design_view in known
    assert ready.findChild(QWidget, "design_view") is ready.design_view  # scripts find what is in front
    assert set(ready.design_view.block_ids()) == {block.id for block in ready.document.design.blocks}
    qtbot.waitUntil(lambda: ready.designs.spare.ready)
    QTest.keyClick(ready.windowHandle(), Qt.Key_T, Qt.ControlModifier)
    assert ready.welcome.isVisible()
    assert len(ready.designs.names) == 3


def test_it_is_as_the_window_is_now(ready: MainWindow) -> None:
    """Colours and panels may have changed since it was built."""
    theme.set_mode("dark")
    ready.shell.show_panel("left", False)
    ready.resize(1100, 700)
    ready.files.open(resource_files.path("examples/roman.seqdec"))
    first, second = ready.designs.tabs
    assert not ready.shell.left.isVisible()
    assert abs(ready.pages.width() - first.pages.width()) <= 2
    icon = [tab.pages.bar.tabIcon(1).pixmap(16, 16).toImage() for tab in (first, second)]
    assert icon[0] == icon[1]


def test_a_window_that_closes_takes_it_along(ready: MainWindow) -> None:
    ready.close()
    assert not ready.isVisible()


def test_half_a_tab_is_completed_when_it_is_needed(
    opened: Callable[..., MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare_tab, "BEGIN_MS", 1)
    monkeypatch.setattr(spare_tab, "STEP_MS", 60_000)
    window = opened(resource_files.path("examples/digits.seqdec"))
    window.designs.spare.keep()
    qtbot.waitUntil(lambda: len(window.findChildren(spare_tab.DesignTab)) == 2)
    window.files.open(resource_files.path("examples/roman.seqdec"))
    assert window.inspector.isVisible()
    assert window.document.name == "roman"
    window.designs.spare.put_off()
    window.designs.spare._timer.stop()
