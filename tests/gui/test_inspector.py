"""The form of the selected block, or of training: made from the catalog, honest about what it does not take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QAction,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTableWidget,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import form_words as words
from seqdec_gui.domain.catalog import KINDS, Field, fields
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.field_text import read_integer, read_integers, read_number
from seqdec_gui.domain.kinds.layer_stack import Dense, LayerStack
from seqdec_gui.domain.training import Training
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import press

Find = Callable[..., Any]


def retype(field: QWidget, text: str) -> None:
    """Replace what a field holds by typing."""
    field.setFocus()
    field.selectAll()  # type: ignore[attr-defined]
    QTest.keyClicks(field, text)


def parameters(window: MainWindow, block_id: str) -> Any:
    return window.document.design.block(block_id).parameters


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_field_for_every_parameter(window: MainWindow, find: Find, kind: str) -> None:
    window.document.edit(Design((Block("it", KINDS[kind]()),)), "Add", select=["it"])
    for field in fields(KINDS[kind]):
        if field.name not in words.FACTS:
            assert find(QWidget, f"field_{field.name}")
    assert find(QLineEdit, "field_id").text() == "it"


@pytest.mark.parametrize("kind", ["", *sorted(KINDS)])
def test_the_narrowest_inspector_cuts_nothing_off(window: MainWindow, find: Find, kind: str) -> None:
    window.document.edit(Design((Block("it", KINDS[kind or "layer_stack"]()),)), "Add", select=["it"] if kind else [])
    inspector = find(QWidget, "inspector")
    scroll = inspector.findChild(QScrollArea)
    room = inspector.minimumWidth() - scroll.verticalScrollBar().sizeHint().width()
    assert scroll.widget().minimumSizeHint().width() <= room


def test_training_and_split_stand_there_when_nothing_is_selected(archetype: MainWindow, find: Find) -> None:
    for field in fields(Training):
        assert find(QWidget, f"field_{field.name}")
    assert find(QWidget, "field_split_validation").isVisible()
    retype(find(QWidget, "field_epochs"), "7")
    assert archetype.document.design.training.epochs == 7


def test_typing_a_number_is_one_undo_step(archetype: MainWindow, find: Find, qtbot: QtBot) -> None:
    archetype.document.select(["latent"])
    before = archetype.document.design
    retype(find(QAbstractSpinBox, "field_width"), "256")
    assert parameters(archetype, "latent").width == 256
    archetype.findChild(QAction, "action_undo").trigger()
    assert archetype.document.design == before
    qtbot.waitUntil(lambda: find(QAbstractSpinBox, "field_width").value() == 11)


def test_a_list_of_widths_is_typed_with_commas(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_2"])
    retype(find(QLineEdit, "field_units"), "64, 32,16")
    assert parameters(archetype, "model_2").units == (64, 32, 16)
    press(find(QToolButton, "field_units_add"))
    assert parameters(archetype, "model_2").units == (64, 32, 16, 16)
    press(find(QToolButton, "field_units_remove"))
    press(find(QToolButton, "field_units_remove"))
    assert parameters(archetype, "model_2").units == (64, 32)


def test_what_is_out_of_range_stays_and_is_explained(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["latent"])
    field = find(QAbstractSpinBox, "field_width")
    retype(field, "0")
    assert field.text() == "0"
    message = find(QLabel, "error_width")
    assert message.isVisible()
    assert message.text() == "Expected 1 to 10,000,000, received 0. The design keeps 11."
    assert parameters(archetype, "latent").width == 11
    find(QLineEdit, "field_id").setFocus()  # leaving the field clamps nothing either
    assert field.text() == "0"
    assert message.isVisible()
    retype(field, "12")
    assert not message.isVisible()
    assert parameters(archetype, "latent").width == 12


@pytest.mark.parametrize(
    ("typed", "why"),
    [("128,,x", "Expected whole numbers such as 128, 64 (1 to 65,536), received x."), ("", "Expected at least 1 number"),
     ("5, 0", "Expected 1 to 65,536, received 0.")],
)  # fmt: skip
def test_a_wrong_list_is_explained(archetype: MainWindow, find: Find, typed: str, why: str) -> None:
    archetype.document.select(["model_2"])
    line = find(QLineEdit, "field_units")
    line.setFocus()
    line.selectAll()
    QTest.keyClick(line, Qt.Key_Delete)
    QTest.keyClicks(line, typed)
    assert why in find(QLabel, "error_units").text()


def test_small_numbers_can_be_typed_as_people_write_them(archetype: MainWindow, find: Find) -> None:
    field = find(QAbstractSpinBox, "field_learning_rate")
    retype(field, "3e-4")
    assert archetype.document.design.training.learning_rate == 3e-4
    retype(field, "0.00000125")
    assert archetype.document.design.training.learning_rate == 1.25e-6
    retype(field, "0")
    assert "above 0" in find(QLabel, "error_learning_rate").text()


def test_arrows_step_within_the_range(archetype: MainWindow, find: Find) -> None:
    field = find(QAbstractSpinBox, "field_learning_rate")
    field.setFocus()
    QTest.keyClick(field, Qt.Key_Down)
    assert archetype.document.design.training.learning_rate == pytest.approx(0.0009)
    epochs = find(QAbstractSpinBox, "field_epochs")
    retype(epochs, "1")
    QTest.keyClick(epochs, Qt.Key_Down)
    assert archetype.document.design.training.epochs == 1


def test_choices_and_switches_are_edits(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_2"])
    find(QComboBox, "field_cell").setCurrentText("GRU")
    assert parameters(archetype, "model_2").cell == "GRU"
    press(find(QCheckBox, "field_batch_normalization"))
    assert parameters(archetype, "model_2").batch_normalization is False
    assert not find(QWidget, "field_momentum").isVisible()


def test_choices_are_shown_in_words_and_kept_as_values(archetype: MainWindow, find: Find) -> None:
    monitor = find(QComboBox, "field_monitor")
    assert monitor.currentText() == "validation loss"
    assert "Default: validation loss" in monitor.toolTip()
    monitor.setFocus()
    QTest.keyClicks(monitor, "validation token")
    assert archetype.document.design.training.monitor == "val_token_accuracy"
    monitor.setFixedWidth(120)
    assert monitor.shown_text.startswith("val")
    assert monitor.shown_text.endswith("…")
    archetype.document.select(["loss"])
    assert find(QComboBox, "field_loss").currentText() == "categorical cross-entropy"
    archetype.document.select(["model_2"])
    mode = find(QComboBox, "field_mode")
    assert [mode.itemText(place) for place in range(mode.count())] == ["teacher forced", "repeat vector", "free running"]
    assert parameters(archetype, "model_2").mode == "teacher_forced"


def test_a_label_in_bold_keeps_a_distance(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_2"])
    press(find(QCheckBox, "field_batch_normalization"))
    box = find(QCheckBox, "field_batch_normalization")
    label = next(label for label in box.parentWidget().findChildren(QLabel) if label.text() == "Batch normalization")
    assert label.font().bold()
    assert label.width() >= label.fontMetrics().horizontalAdvance(label.text()) + 4


def test_several_of_a_set_are_check_boxes(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["loss"])
    press(find(QCheckBox, "field_metrics_exact_accuracy"))
    assert parameters(archetype, "loss").metrics == ("token_accuracy",)


def test_a_changed_value_can_go_back_to_its_default(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_2"])
    assert not find(QToolButton, "reset_dropout").isVisible()
    retype(find(QAbstractSpinBox, "field_dropout"), "0.3")
    press(find(QToolButton, "reset_dropout"))
    assert parameters(archetype, "model_2").dropout == 0.0
    assert not find(QToolButton, "reset_dropout").isVisible()


def test_values_that_contradict_each_other_are_explained_at_the_field(archetype: MainWindow, find: Find, qtbot: QtBot) -> None:
    archetype.document.select(["loss"])
    find(QComboBox, "field_loss").setCurrentText("mean squared error")
    message = find(QLabel, "error_metrics")
    qtbot.waitUntil(lambda: "need symbols" in message.text())
    assert message.isVisible()


def test_counts_and_shapes_follow_the_typing(archetype: MainWindow, find: Find, qtbot: QtBot) -> None:
    archetype.document.select(["model_2"])
    count = find(QLabel, "fact_parameters")
    assert count.text() == "224,022"
    retype(find(QAbstractSpinBox, "field_output_units"), "30")
    qtbot.waitUntil(lambda: count.text() == f"{224_022 + 8 * 129:,}")
    assert find(QLabel, "fact_outputs").text() == "float32 (None, 33, 30)"
    assert "at batch 64" in find(QLabel, "fact_memory").text()


def test_the_whole_design_says_232214(archetype: MainWindow, find: Find) -> None:
    assert find(QLabel, "fact_parameters").text() == "232,214"
    assert "232,214 parameters" in find(QLabel, "totals").text()


def test_a_passing_value_does_not_cost_a_wire(archetype: MainWindow, find: Find) -> None:
    """`1` on the way to `12` has no port for the second wire; it must be back with the `12`."""
    from seqdec_gui.domain.design import Link, Port
    from seqdec_gui.domain.kinds.inputs import Vector
    from seqdec_gui.domain.kinds.merge import Concatenate

    blocks = (Block("a", Vector()), Block("join", Concatenate(count=4)))
    links = (Link(Port("a", "output"), Port("join", "input_3")),)
    archetype.document.edit(Design(blocks, links), "Replace", select=["join"])
    field = find(QAbstractSpinBox, "field_count")
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "2")
    assert archetype.document.design.links == ()
    QTest.keyClick(field, Qt.Key_Backspace)
    QTest.keyClicks(field, "5")
    assert archetype.document.design.links == links


def test_a_block_is_renamed_everywhere_or_told_why_not(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_1"])
    line = find(QLineEdit, "field_id")
    retype(line, "loss")
    assert "Another block is called 'loss'" in find(QLabel, "error_id").text()
    QTest.keyClick(line, Qt.Key_Return)
    assert archetype.document.design.has("model_1")
    retype(line, "encoder")
    QTest.keyClick(line, Qt.Key_Return)
    assert archetype.document.design.has("encoder")
    assert archetype.document.selection == frozenset({"encoder"})
    assert any(link.source.block == "encoder" for link in archetype.document.design.links)


def test_f2_leads_to_the_name(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_1"])
    QTest.keyClick(archetype.windowHandle(), Qt.Key_F2)
    assert find(QLineEdit, "field_id").hasFocus()


def test_a_focused_field_is_described(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_2"])
    find(QWidget, "field_squeeze_units").setFocus()
    text = " ".join(label.text() for label in find(QWidget, "field_help").findChildren(QLabel))
    assert "TimeDistributed" in text
    assert "0 to 65,536" in text
    assert "Default: 0" in text


def test_the_wheel_scrolls_the_form_and_changes_nothing(archetype: MainWindow, find: Find) -> None:
    field = find(QAbstractSpinBox, "field_epochs")
    find(QWidget, "design_view").setFocus()
    centre = QPointF(field.rect().center())
    wheel = QWheelEvent(
        centre, QPointF(field.mapToGlobal(field.rect().center())), QPoint(), QPoint(0, -120), Qt.NoButton, Qt.NoModifier,
        Qt.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(field, wheel)
    assert archetype.document.design.training.epochs == 20


def test_layers_are_added_moved_edited_and_removed(window: MainWindow, find: Find) -> None:
    window.document.edit(Design((Block("stack", LayerStack()),)), "Add", select=["stack"])
    add = find(QToolButton, "layers_add")
    next(action for action in add.menu().actions() if action.text() == "Dropout").trigger()
    assert [row.type_name() for row in parameters(window, "stack").layers] == ["Dense", "Dropout"]
    retype(find(QAbstractSpinBox, "field_layers_rate"), "0.5")
    assert parameters(window, "stack").layers[1].rate == 0.5
    press(find(QToolButton, "layers_up"))
    assert [row.type_name() for row in parameters(window, "stack").layers] == ["Dropout", "Dense"]
    table = find(QTableWidget, "field_layers")
    table.setCurrentCell(1, 0)
    retype(find(QAbstractSpinBox, "field_layers_units"), "99")
    assert parameters(window, "stack").layers[1] == Dense(units=99)
    press(find(QToolButton, "layers_remove"))
    assert len(parameters(window, "stack").layers) == 1
    assert not find(QToolButton, "layers_remove").isEnabled()


def test_undo_is_shown_in_the_form(archetype: MainWindow, find: Find, qtbot: QtBot) -> None:
    archetype.document.select(["model_2"])
    find(QComboBox, "field_cell").setCurrentText("GRU")
    archetype.findChild(QAction, "action_undo").trigger()
    qtbot.waitUntil(lambda: find(QComboBox, "field_cell").currentText() == "LSTM")


def test_many_selected_blocks_have_no_form(archetype: MainWindow, find: Find) -> None:
    archetype.document.select(["model_1", "model_2"])
    assert archetype.findChild(QWidget, "field_units") is None
    press(find(QWidget, "selection_delete"))
    assert not archetype.document.design.has("model_1")


ANY = Field("n", "integer", 1, minimum=1, maximum=1000)


@given(st.integers(-(10**12), 10**12))
def test_integers_are_read_exactly_or_refused(value: int) -> None:
    known = read_integer(ANY, str(value))
    assert (known.value == value) if 1 <= value <= 1000 else "Expected 1 to 1,000" in known.fault


@given(st.floats(1e-300, 1e300))
def test_numbers_that_the_form_writes_are_read_back_exactly(value: float) -> None:
    from seqdec_gui.domain.field_text import format_number

    field = msgspec.structs.replace(ANY, type="number", minimum=0, maximum=None)
    assert read_number(field, format_number(value)).value == value


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_value_or_a_sentence(text: str) -> None:
    for known in (read_integer(ANY, text), read_number(ANY, text), read_integers(ANY, text)):
        assert known.fault.endswith(".") or known.value is not None
