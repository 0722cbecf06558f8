"""What is made ready soon after the start, and what waits until somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import pytest
from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.inputs import Vector
from seqdec_gui.gui.pages.data.page import DataPage
from seqdec_gui.gui.pages.data.port_row import PortRow
from seqdec_gui.gui.window import pages, preload
from seqdec_gui.gui.window.main_window import MainWindow

pytestmark = pytest.mark.slow

Opened = Callable[..., MainWindow]


class Mouse:
    """Its buttons, and how often they were looked at."""

    def __init__(self) -> None:
        self.held = Qt.LeftButton
        self.looks = 0

    def buttons(self) -> Qt.MouseButton:
        self.looks += 1
        return self.held


@pytest.fixture
def mouse(monkeypatch: pytest.MonkeyPatch) -> Mouse:
    """A held mouse, and no time between the steps."""
    mouse = Mouse()
    monkeypatch.setattr(QApplication, "mouseButtons", staticmethod(mouse.buttons))
    monkeypatch.setattr(preload, "BEGIN_MS", 20)
    monkeypatch.setattr(preload, "STEP_MS", 2)
    return mouse


@pytest.mark.parametrize("name", [*preload.LIBRARIES, *preload.MODULES])
def test_modules_that_are_made_ready_exist(name: str) -> None:
    assert find_spec(name) is not None


def test_pages_that_are_made_ready_exist() -> None:
    assert set(preload.PAGES) <= {page.name for page in pages.PAGES}


def test_the_train_and_the_data_page_are_there_before_somebody_looks(opened: Opened, qtbot: QtBot, mouse: Mouse) -> None:
    window = opened(resource_files.path("examples/roman.seqdec"))
    with qtbot.waitSignal(window.preload.ended, timeout=20_000):
        assert window.findChild(QWidget, "loss_plot") is None
        mouse.held = Qt.NoButton
    assert window.pages.current == "design"
    qtbot.waitUntil(lambda: window.findChild(QWidget, "devices_plot") is not None)
    page = window.findChild(DataPage, "data_page")
    assert page.table is None  # no file is read unasked
    window.pages.show_page("data")
    qtbot.waitUntil(lambda: page.table is not None)


class Shown(QObject):
    """Names every window that is shown while it watches."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event.type() == QEvent.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.names.append(f"{type(watched).__name__} {watched.objectName()}")
        return False


def test_no_part_of_a_page_is_shown_as_a_window_of_its_own(opened: Opened, qapp: QApplication) -> None:
    """It would flash, and take the keys from the window."""
    window, shown = opened(resource_files.path("examples/roman.seqdec")), Shown()
    qapp.installEventFilter(shown)
    for page in pages.PAGES:
        window.pages.page(page.name)
    qapp.removeEventFilter(shown)
    assert shown.names == []


def test_nothing_is_made_ready_during_a_drag(opened: Opened, qtbot: QtBot, mouse: Mouse) -> None:
    window = opened()
    with qtbot.assertNotEmitted(window.preload.ended):
        qtbot.waitUntil(lambda: mouse.looks > 100, timeout=20_000)  # more turns than there are steps
    assert window.findChild(DataPage, "data_page") is None
    with qtbot.waitSignal(window.preload.ended, timeout=20_000):
        mouse.held = Qt.NoButton
    assert window.findChild(DataPage, "data_page") is not None


def test_the_data_page_follows_large_designs_only_while_it_is_seen(window: MainWindow, qtbot: QtBot) -> None:
    window.pages.show_page("data")
    window.pages.show_page("design")
    window.files.new(Design(tuple(Block(f"v{number}", Vector()) for number in range(40))))
    page = window.findChild(DataPage, "data_page")
    assert page.ports.findChildren(PortRow) == []
    window.pages.show_page("data")
    assert len(page.ports.findChildren(PortRow)) < 40  # the rest comes turn by turn
    qtbot.waitUntil(lambda: len(page.ports.findChildren(PortRow)) == 40)
