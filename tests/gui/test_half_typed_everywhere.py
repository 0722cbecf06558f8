"""Every number of every form, attacked key by key: what is refused leaves the value before, however the field is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.catalog import KINDS, fields
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import press

NONSENSE = {
    "integer": ("99999999999999", "12x", "1e", "-"),
    "number": ("1e", "9e99", "0,001", "1.2.3"),
    "integers": ("99999999, 99999999", "64, 99999999", "12, x", "64,, 64"),
}
"""Texts that are no value of a field, by its type; each begins with one that is, or with a part of one."""


def type_into(field: QWidget, text: str) -> None:
    window = field.window()
    QApplication.setActiveWindow(window)
    field.setFocus()
    field.selectAll()  # type: ignore[attr-defined]
    for letter in text:
        QTest.keyClick(window.windowHandle(), letter)


def key(window: QWidget, name: Qt.Key) -> None:
    QTest.keyClick(window.windowHandle(), name)


def inspected(window: MainWindow, kind: str) -> Design:
    design = Design((Block("it", msgspec.convert({"kind": kind}, KINDS[kind])),))
    window.document.edit(design, "Begin", select=["it"])
    return design


def attack(window: MainWindow, qtbot: QtBot, name: str, texts: tuple[str, ...], now: Callable[[], Any]) -> None:
    """Type each text into a field, and leave it by Tab, Enter and Escape: `now()` is what it was."""
    before = now()
    for number, text in enumerate(texts):
        for leave in (Qt.Key_Tab, Qt.Key_Return, Qt.Key_Escape)[number % 3 :]:
            field = window.findChild(QWidget, f"field_{name}")
            assert isinstance(field, QAbstractSpinBox | QLineEdit), name
            shown = field.text()
            type_into(field, text)
            assert now() == before, (name, text, "while it was typed")
            key(window, leave)
            assert now() == before, (name, text, leave)
            field.setFocus()
            key(window, Qt.Key_Escape)
            assert now() == before, (name, text, "Escape")
            assert field.text() == shown, (name, text, "Escape")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "keras_model"])
def test_no_field_of_a_block_keeps_a_part_of_what_it_refuses(window: MainWindow, qtbot: QtBot, kind: str) -> None:
    inspected(window, kind)
    tried = 0
    for field in fields(KINDS[kind]):
        widget = window.findChild(QWidget, f"field_{field.name}")
        if field.type in NONSENSE and widget is not None and widget.isVisible():
            attack(window, qtbot, field.name, NONSENSE[field.type][: 2 if tried else 4], lambda: window.document.design)
            tried += 1
    if any(field.type in NONSENSE for field in fields(KINDS[kind])):
        assert tried, "no field was visible"


def test_no_field_of_the_training_keeps_a_part_of_what_it_refuses(archetype: MainWindow, qtbot: QtBot) -> None:
    from seqdec_gui.domain.training import Training

    for field in fields(Training):
        widget = archetype.findChild(QWidget, f"field_{field.name}")
        if field.type in NONSENSE and widget is not None and widget.isVisible():
            attack(archetype, qtbot, field.name, NONSENSE[field.type][:2], lambda: archetype.document.design)


@pytest.mark.parametrize("typed", ["99999999999999", "12x", "-5"])
def test_the_options_of_a_column_keep_no_part_of_what_they_refuse(window: MainWindow, qtbot: QtBot, typed: str) -> None:
    window.files.new_from(resource_files.path("examples/roman.seqdec"))
    window.pages.show_page("data")
    window.take_file(resource_files.path("examples/data/roman.csv"))
    qtbot.waitUntil(lambda: window.findChild(QWidget, "options_number_output") is not None, timeout=10_000)
    qtbot.waitUntil(lambda: not window.workspace.checking.busy, timeout=10_000)
    press(window.findChild(QWidget, "options_number_output"))
    length = window.findChild(QAbstractSpinBox, "codec_number_output_length")
    before, shown = window.document.design, length.text()
    for leave in (Qt.Key_Tab, Qt.Key_Return, Qt.Key_Escape):
        type_into(length, typed)
        key(window, leave)
        assert window.document.design == before
        assert length.text() == shown


@pytest.mark.parametrize(("number", "text"), [("1", "1 epoch"), ("2", "2 epochs"), ("10", "10 epochs")])
def test_the_unit_agrees_with_its_number_while_it_is_typed(archetype: MainWindow, number: str, text: str) -> None:
    box = archetype.findChild(QAbstractSpinBox, "field_epochs")
    type_into(box, number)
    assert box.text() == text
    assert archetype.document.design.training.epochs == int(number)
    key(archetype, Qt.Key_Escape)
    assert box.text() == "20 epochs"
