"""Undo and Redo reach the window from a text field that has nothing to undo; a name field is red as long as it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractSpinBox, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import press

Find = Callable[..., Any]


def type_keys(window: MainWindow, text: str) -> None:
    for letter in text:
        QTest.keyClick(window.windowHandle(), letter)


def test_ctrl_z_in_an_untouched_field_undoes_the_last_edit_of_the_design(
    qtbot: QtBot, archetype: MainWindow, find: Find
) -> None:
    archetype.document.edit(archetype.document.design.without_blocks(["loss"]), "Delete loss")
    archetype.document.select(["model_1"])
    field = find(QLineEdit, "field_id")
    press(field)
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Z, Qt.ControlModifier)
    qtbot.waitUntil(lambda: archetype.document.design.has("loss"))
    assert field.hasFocus()
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Z, Qt.ControlModifier | Qt.ShiftModifier)
    qtbot.waitUntil(lambda: not archetype.document.design.has("loss"))


def test_ctrl_z_after_typing_undoes_what_was_typed_first(qtbot: QtBot, archetype: MainWindow, find: Find) -> None:
    archetype.document.edit(archetype.document.design.without_blocks(["loss"]), "Delete loss")
    archetype.document.select(["model_1"])
    field = find(QLineEdit, "field_id")
    press(field)
    qtbot.waitUntil(field.hasFocus)
    type_keys(archetype, "x")
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Z, Qt.ControlModifier)
    assert field.text() == "model_1"
    assert not archetype.document.design.has("loss")
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Z, Qt.ControlModifier)
    qtbot.waitUntil(lambda: archetype.document.design.has("loss"))


def test_a_number_box_lets_undo_through_too(qtbot: QtBot, archetype: MainWindow) -> None:
    archetype.document.edit(archetype.document.design.without_blocks(["loss"]), "Delete loss")
    box = next(box for box in archetype.inspector.findChildren(QAbstractSpinBox) if box.isVisible())
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Z, Qt.ControlModifier)
    qtbot.waitUntil(lambda: archetype.document.design.has("loss"))


def test_the_red_frame_of_a_name_goes_with_its_error(qtbot: QtBot, archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_1"])
    field, fault = find(QLineEdit, "field_id"), find(QLabel, "error_id")

    def begin() -> None:
        press(field)
        qtbot.waitUntil(field.hasFocus)
        field.selectAll()
        type_keys(archetype, "2 bad")
        assert fault.isVisible()
        assert field.property("invalid")

    def fine(name: str) -> bool:
        return not fault.isVisible() and not field.property("invalid") and field.text() == name

    begin()
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Escape)
    assert fine("model_1")
    begin()
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Return)
    assert fault.isVisible()  # to be mended
    archetype.design_view.setFocus()
    qtbot.waitUntil(lambda: fine("model_1"))
    begin()
    archetype.document.select(["model_2"])
    qtbot.waitUntil(lambda: fine("model_2"))
    begin()
    archetype.document.select([])
    archetype.document.select(["model_1"])
    qtbot.waitUntil(lambda: fine("model_1"))
    assert archetype.document.design.has("model_1")
