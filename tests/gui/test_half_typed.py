"""A number that is refused leaves no half of it behind: the value before the edit stays, and a word says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PyQt5.QtCore import QLocale, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLabel,
    QLineEdit,
    QTabWidget,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.kinds.inputs import Vector
from seqdec_gui.domain.kinds.layer_stack import LayerStack
from seqdec_gui.domain.kinds.merge import Concatenate
from seqdec_gui.gui.widgets.number_boxes import DecimalBox, WholeNumberBox
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import press

Find = Callable[..., Any]


def type_into(field: QWidget, text: str) -> None:
    """Replace what a field holds, key by key on the window."""
    window = field.window()
    QApplication.setActiveWindow(window)
    field.setFocus()
    field.selectAll()  # type: ignore[attr-defined]
    for letter in text:
        QTest.keyClick(window.windowHandle(), letter)


def key(field: QWidget, name: Qt.Key) -> None:
    QTest.keyClick(field.window().windowHandle(), name)


def training(window: MainWindow) -> Any:
    return window.document.design.training


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("epochs", "99999999999999"), ("epochs", "1000001"), ("seed", "99999999999999"), ("batch_size", "6400000"),
        ("epochs", "1e3"), ("epochs", "1,5"), ("batch_size", "12x"), ("learning_rate", "0,001"), ("clip_norm", "1,5"),
        ("learning_rate", "100.5"), ("learning_rate", "1e-3e"), ("clip_norm", "-5"), ("mini_epochs", "10010"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("leave", [Qt.Key_Tab, Qt.Key_Escape], ids=["Tab", "Escape"])
def test_a_number_beyond_its_range_leaves_the_value_before(
    archetype: MainWindow, find: Find, qtbot: QtBot, field: str, typed: str, leave: Qt.Key
) -> None:
    before, count = training(archetype), archetype.document.undo_stack.count()
    box, message = find(QAbstractSpinBox, f"field_{field}"), find(QLabel, f"error_{field}")
    shown = box.text()
    type_into(box, typed)
    assert training(archetype) == before
    assert archetype.document.undo_stack.count() == count
    assert message.isVisible()
    assert message.text().startswith("Expected ")
    assert "The design keeps " in message.text()
    key(box, Qt.Key_Return)
    assert training(archetype) == before
    assert message.isVisible()
    key(box, leave)
    qtbot.waitUntil(lambda: box.text() == shown)
    assert box.text() == shown
    assert message.isVisible()
    assert "Back to " in message.text()
    assert training(archetype) == before


def test_a_list_that_is_refused_leaves_the_list_and_its_wires(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_2"])
    before = archetype.document.design
    type_into(find(QLineEdit, "field_units"), "99999999, 99999999")
    assert archetype.document.design == before
    assert "The design keeps 128, 128" in find(QLabel, "error_units").text()
    key(archetype, Qt.Key_Escape)
    assert find(QLineEdit, "field_units").text() == "128, 128"


def test_a_value_on_the_way_to_a_refused_one_costs_no_wire(archetype: MainWindow, find: Find) -> None:
    blocks = (Block("a", Vector()), Block("join", Concatenate(count=4)))
    links = (Link(Port("a", "output"), Port("join", "input_3")),)
    archetype.document.edit(Design(blocks, links), "Replace", select=["join"])
    type_into(find(QAbstractSpinBox, "field_count"), "2")
    assert archetype.document.design.links == ()
    for letter in "222":
        QTest.keyClick(archetype.windowHandle(), letter)
    assert archetype.document.design.links == links


def test_a_refused_list_is_taken_back_by_a_click_elsewhere(archetype: MainWindow, find: Find, qtbot: QtBot) -> None:
    archetype.document.select(["model_2"])
    field = find(QLineEdit, "field_units")
    type_into(field, "64, 99999999")
    press(find(QLineEdit, "field_id"))
    qtbot.waitUntil(lambda: field.text() == "128, 128")
    assert "Back to 128, 128" in find(QLabel, "error_units").text()
    assert not field.property("invalid")


def test_escape_takes_back_a_value_too(archetype: MainWindow, find: Find) -> None:
    box = find(QAbstractSpinBox, "field_epochs")
    type_into(box, "7")
    assert training(archetype).epochs == 7
    key(box, Qt.Key_Escape)
    assert (training(archetype).epochs, box.text()) == (20, "20 epochs")
    assert not find(QLabel, "error_epochs").isVisible()


def test_what_was_completed_is_what_a_later_refusal_falls_back_to(archetype: MainWindow, find: Find) -> None:
    box = find(QAbstractSpinBox, "field_epochs")
    type_into(box, "50")
    key(box, Qt.Key_Return)
    type_into(box, "99999999")
    assert training(archetype).epochs == 50
    key(box, Qt.Key_Escape)
    key(box, Qt.Key_Up)
    assert training(archetype).epochs == 51
    type_into(box, "99999999")
    assert training(archetype).epochs == 51


def test_an_arrow_after_a_refused_number_steps_from_the_value_before(archetype: MainWindow, find: Find) -> None:
    box = find(QAbstractSpinBox, "field_epochs")
    type_into(box, "99999999999999")
    key(box, Qt.Key_Up)
    assert training(archetype).epochs == 21
    rate = find(QAbstractSpinBox, "field_learning_rate")
    type_into(rate, "5000")
    key(rate, Qt.Key_Down)
    assert training(archetype).learning_rate == pytest.approx(0.0009)


def test_a_button_after_a_refused_list_adds_to_the_list_before(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_2"])
    type_into(find(QLineEdit, "field_units"), "64, 99999999")
    press(find(QToolButton, "field_units_add"))
    assert archetype.document.design.block("model_2").parameters.units == (128, 128, 128)


def test_a_number_with_marks_is_taken_as_it_is_read(archetype: MainWindow, find: Find) -> None:
    box = find(QAbstractSpinBox, "field_epochs")
    type_into(box, "1,000")
    key(box, Qt.Key_Tab)
    assert training(archetype).epochs == 1000


def test_the_fields_of_a_layer_fall_back_too(window: MainWindow, find: Find) -> None:
    window.document.edit(Design((Block("stack", LayerStack()),)), "Add", select=["stack"])
    before = window.document.design
    type_into(find(QAbstractSpinBox, "field_layers_units"), "9999999")
    assert window.document.design == before


def test_the_shares_of_the_split_fall_back_in_the_form(archetype: MainWindow, find: Find) -> None:
    split = archetype.document.design.data.split
    type_into(find(QAbstractSpinBox, "field_split_validation"), "0.55e1")
    assert archetype.document.design.data.split == split


def test_the_shares_of_the_data_page_are_taken_whole(window: MainWindow, qtbot: QtBot) -> None:
    window.files.open(resource_files.path("examples/roman.seqdec"))
    split = window.document.design.data.split
    window.pages.show_page("data")
    tabs = window.findChild(QTabWidget, "data_tabs")
    qtbot.waitUntil(tabs.isVisible)
    tabs.setCurrentIndex(1)
    box = tabs.findChild(DecimalBox, "split_validation")
    qtbot.waitUntil(box.isVisible)
    shown = box.text()
    type_into(box, "250")
    key(box, Qt.Key_Return)
    assert window.document.design.data.split == split
    assert box.text() == shown


# -- boxes without a form
@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (WholeNumberBox, "1e3"), (WholeNumberBox, "1,5"), (WholeNumberBox, "0,001"), (WholeNumberBox, "7k"),
        (DecimalBox, "0,001"), (DecimalBox, "1,5"), (DecimalBox, "7k"),
    ],
)  # fmt: skip
def test_a_box_swallows_no_key_and_no_decimal_comma(holder: QWidget, kind: type[Any], typed: str) -> None:
    box, values, sentences = box_in(holder, kind, minimum=0, maximum=9999, value=20)
    box.setLocale(QLocale.c())
    type_into(box, typed)
    assert box.text() == typed
    key(box, Qt.Key_Return)
    assert (box.value(), values) == (20, [])
    assert f"received {typed}" in sentences[0]


@pytest.mark.parametrize(("kind", "value"), [(WholeNumberBox, 1000), (DecimalBox, 1000.5)])
def test_a_box_takes_digits_in_groups_of_three(holder: QWidget, kind: type[Any], value: float) -> None:
    box, values, _ = box_in(holder, kind, minimum=0, maximum=9999, value=20)
    box.setLocale(QLocale.c())
    type_into(box, f"{value:,}")
    key(box, Qt.Key_Return)
    assert values == [value]


@pytest.fixture
def holder(qtbot: QtBot) -> Iterator[QWidget]:
    found = QWidget()
    QVBoxLayout(found)
    found.show()
    qtbot.waitExposed(found)
    yield found
    QToolTip.hideText()
    found.close()
    found.deleteLater()


def box_in(holder: QWidget, kind: type[Any] = WholeNumberBox, **properties: Any) -> tuple[Any, list[Any], list[str]]:
    """A box, the values it takes and the sentences it refuses with."""
    box, values, sentences = kind(**properties), [], []
    holder.layout().addWidget(box)
    box.show()  # now; the layout would show it later
    box.valueChanged.connect(values.append)
    box.refused.connect(sentences.append)
    return box, values, sentences


@pytest.mark.parametrize("end", [Qt.Key_Return, Qt.Key_Tab, Qt.Key_Escape, Qt.Key_Up])
def test_a_box_takes_no_half_of_a_number(qtbot: QtBot, holder: QWidget, end: Qt.Key) -> None:
    box, values, sentences = box_in(holder, minimum=1, maximum=9999, value=20)
    box_in(holder)
    type_into(box, "99999999")
    assert (box.text(), values) == ("99999999", [])
    key(box, end)
    assert (box.value(), box.text()) == (20, "20")
    assert sentences[0] == "Expected 1 to 9999, received 99999999. It is 20 again."
    qtbot.waitUntil(lambda: QToolTip.isVisible() and QToolTip.text() == sentences[0])


def test_a_box_takes_a_whole_number_at_its_end(holder: QWidget) -> None:
    box, values, sentences = box_in(holder, minimum=1, maximum=9999, value=20)
    type_into(box, "345")
    assert values == []
    key(box, Qt.Key_Return)
    assert (values, sentences, box.value()) == ([345], [], 345)
    type_into(box, "7")
    key(box, Qt.Key_Escape)
    assert (values, sentences, box.text()) == ([345], [], "345")


def test_a_box_of_decimals_takes_a_percentage_whole(holder: QWidget) -> None:
    box, values, sentences = box_in(holder, DecimalBox, suffix=" %", maximum=99.9, decimals=1, value=10.0)
    type_into(box, "250")
    key(box, Qt.Key_Return)
    assert (values, box.value()) == ([], 10.0)
    assert "received 250" in sentences[0]
    type_into(box, "12.5")
    key(box, Qt.Key_Return)
    assert values == [12.5]
