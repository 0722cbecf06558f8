"""A page looks again and again only while it is in sight."""

from __future__ import annotations

from PyQt5.QtWidgets import QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.widgets.while_shown import WhileShown


def test_it_looks_at_once_and_again_until_the_widget_is_hidden(qtbot: QtBot) -> None:
    tabs, page, looks = QTabWidget(), QWidget(), list[int]()
    tabs.addTab(QWidget(), "first")
    tabs.addTab(page, "second")
    qtbot.addWidget(tabs)
    watching = WhileShown(page, lambda: looks.append(1), 20)
    tabs.show()
    assert not watching.running
    tabs.setCurrentWidget(page)
    assert len(looks) == 1
    qtbot.waitUntil(lambda: len(looks) > 3)
    tabs.setCurrentIndex(0)
    assert not watching.running
    seen = len(looks)
    tabs.setCurrentWidget(page)
    assert len(looks) == seen + 1
