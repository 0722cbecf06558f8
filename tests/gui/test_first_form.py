"""When the inspector makes its first form, which is most of what the tab of a design takes to build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.gui.panels.inspector.panel import Inspector
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.workspace import Workspace

MOST_AT_ONCE = 60
"""The most widgets of an inspector without a form; the form of the training alone has more than 150."""


def widgets(inspector: Inspector) -> int:
    return len(inspector.findChildren(QWidget))


def test_a_tab_that_is_opened_at_once_has_its_form_a_moment_later(opened: Callable[..., MainWindow], qtbot: QtBot) -> None:
    window = opened(resource_files.path("examples/digits.seqdec"))
    first = window.inspector
    assert first.findChild(QWidget, "field_epochs") is not None
    assert widgets(first) > 3 * MOST_AT_ONCE
    window.files.open(resource_files.path("examples/roman.seqdec"))
    assert window.inspector is not first
    assert window.inspector.isVisible()
    assert widgets(window.inspector) < MOST_AT_ONCE
    qtbot.waitUntil(lambda: window.inspector.findChild(QWidget, "field_epochs") is not None)
    assert widgets(window.inspector) > 3 * MOST_AT_ONCE
    assert window.inspector.findChild(QWidget, "field_epochs").value() == window.document.design.training.epochs


def test_a_click_on_a_block_before_that_makes_the_form_of_the_block(opened: Callable[..., MainWindow], qtbot: QtBot) -> None:
    window = opened(resource_files.path("examples/digits.seqdec"))
    window.files.open(resource_files.path("examples/roman.seqdec"))
    window.document.select(["decoder"])
    qtbot.waitUntil(lambda: window.inspector.findChild(QWidget, "field_units") is not None)
    assert window.inspector.findChild(QWidget, "field_epochs") is None


def test_a_field_that_is_asked_for_is_there_at_once(qtbot: QtBot, tmp_path: Path) -> None:
    document = DesignDocument()
    inspector = Inspector(Workspace(document))
    qtbot.addWidget(inspector)
    assert widgets(inspector) < MOST_AT_ONCE
    inspector.focus_field("epochs")
    assert inspector.findChild(QWidget, "field_epochs") is not None


def test_a_panel_that_is_not_seen_makes_no_form(qtbot: QtBot) -> None:
    document = DesignDocument()
    inspector = Inspector(Workspace(document))
    qtbot.addWidget(inspector)
    document.select([])
    QTest.qWait(30)
    assert widgets(inspector) < MOST_AT_ONCE
    inspector.show()
    qtbot.waitUntil(lambda: inspector.findChild(QWidget, "field_epochs") is not None)
