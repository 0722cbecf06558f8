"""What is made ready soon after the start, and what waits until somebody looks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.inputs import Vector
from seqdec_gui.gui.data_view.page import DataPage
from seqdec_gui.gui.data_view.port_row import PortRow
from seqdec_gui.gui.main_window import MainWindow

Opened = Callable[..., MainWindow]


def test_the_train_and_the_data_page_are_there_before_somebody_looks(opened: Opened, qtbot: QtBot) -> None:
    window = opened(resource_files.path("examples/roman.seqdec"))
    with qtbot.waitSignal(window.warming.ended, timeout=20_000):
        assert window.findChild(QWidget, "loss_plot") is None
    assert window.pages.current == "design"
    qtbot.waitUntil(lambda: window.findChild(QWidget, "devices_plot") is not None)
    page = window.findChild(DataPage, "data_page")
    assert page.table is None  # no file is read unasked
    window.pages.show_page("data")
    qtbot.waitUntil(lambda: page.table is not None)


def test_nothing_is_made_ready_during_a_drag(opened: Opened, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window = opened()
    held = Qt.LeftButton
    monkeypatch.setattr(QApplication, "mouseButtons", staticmethod(lambda: held))
    with qtbot.assertNotEmitted(window.warming.ended, wait=3000):
        pass
    held = Qt.NoButton
    qtbot.waitSignal(window.warming.ended, timeout=20_000).wait()


def test_the_data_page_follows_large_designs_only_while_it_is_seen(window: MainWindow, qtbot: QtBot) -> None:
    window.pages.show_page("data")
    window.pages.show_page("design")
    window.files.new(Design(tuple(Block(f"v{number}", Vector()) for number in range(40))))
    page = window.findChild(DataPage, "data_page")
    assert page.ports.findChildren(PortRow) == []
    window.pages.show_page("data")
    assert len(page.ports.findChildren(PortRow)) < 40  # the rest comes turn by turn
    qtbot.waitUntil(lambda: len(page.ports.findChildren(PortRow)) == 40)
