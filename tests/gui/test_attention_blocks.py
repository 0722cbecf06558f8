"""Blocks with attention by mouse and keys: dragged in, wired with memories, refused wires and what mends them, forms, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import load
from seqdec_gui.gui.window.main_window import MainWindow
from tests.domain.designs import link
from tests.gui.conftest import press
from tests.gui.test_canvas_adding import choose, entries, free
from tests.gui.test_design_view_panels import Beside
from tests.gui.test_inspector import parameters, retype

Find = Callable[..., Any]
MEMORY = "transformer_encoder.memory -> transformer_decoder.memory"


@pytest.fixture
def translator(qtbot: QtBot) -> Beside:
    """A canvas with an encoder and a decoder of attention, the inputs of both, and a loss, all dragged in and not wired."""
    canvas = Beside(qtbot, Design(), width=1280)
    canvas.view.zoom_by(0.7)
    for kind, at in (
        ("token_sequence", QPoint(90, 120)), ("token_sequence", QPoint(90, 420)), ("transformer_encoder", QPoint(320, 120)),
        ("transformer_decoder", QPoint(600, 300)), ("loss", QPoint(880, 300)),
    ):  # fmt: skip
        canvas.drag_in(kind, at)
    assert canvas.view.block_ids() == (
        "token_sequence", "token_sequence_2", "transformer_encoder", "transformer_decoder", "loss",
    )  # fmt: skip
    return canvas


def test_a_translator_is_built_by_mouse_alone(translator: Beside) -> None:
    for wire in (
        "token_sequence.output -> transformer_encoder.inputs", "token_sequence_2.output -> transformer_decoder.inputs", MEMORY,
        "transformer_decoder.outputs -> loss.predictions",
    ):  # fmt: skip
        translator.drag_wire(*wire.split(" -> "))
        assert link(wire) in translator.design.links
    assert translator.document.report.ok
    built = translator.design
    for _ in built.links:
        translator.key(Qt.Key_Z, Qt.ControlModifier)
    assert translator.design.links == ()
    for _ in built.links:
        translator.key(Qt.Key_Z, Qt.ControlModifier | Qt.ShiftModifier)
    assert translator.design == built


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("transformer_encoder.memory", "loss.predictions", "✗ loss.predictions"),
        ("transformer_encoder.memory", "transformer_decoder.inputs", "✗ transformer_decoder.inputs"),
    ],
)
def test_a_memory_that_does_not_fit_is_refused_while_it_is_dragged(
    translator: Beside, source: str, target: str, said: str
) -> None:
    translator.drag_wire("token_sequence.output", "transformer_encoder.inputs")
    before, seen = translator.design, []
    translator.drag_wire(source, target, lambda: seen.append(translator.tip()))
    assert seen[0].startswith(said)
    assert translator.design is before


def test_states_are_not_a_memory_and_one_click_gives_one(qtbot: QtBot) -> None:
    """An encoder of states is wired to the memory of a decoder: what is offered makes the design whole."""
    canvas = Beside(qtbot, Design(), width=1280)
    canvas.view.zoom_by(0.7)
    for kind, at in (
        ("token_sequence", QPoint(90, 120)), ("recurrent_encoder", QPoint(320, 120)), ("transformer_decoder", QPoint(700, 300)),
    ):  # fmt: skip
        canvas.drag_in(kind, at)
    canvas.drag_wire("token_sequence.output", "recurrent_encoder.inputs")
    before, said = canvas.design, []
    canvas.view.editor.refused.connect(said.append)
    canvas.drag_wire("recurrent_encoder.states", "transformer_decoder.memory")
    assert canvas.design is before
    assert len(said) == 1
    button = canvas.view.overlays.offer_bar.findChild(QPushButton, "offer_0")
    assert button is not None, said
    press(button)
    assert any(str(one.target) == "transformer_decoder.memory" for one in canvas.design.links)
    assert [
        p for p in canvas.document.report.problems if p.where == "transformer_decoder.memory" and p.severity == "error"
    ] == []
    canvas.view.setFocus()
    canvas.key(Qt.Key_Z, Qt.ControlModifier)
    assert canvas.design == before


def test_attention_of_a_recurrent_decoder_opens_its_port_and_its_fields(window: MainWindow, find: Find, qtbot: QtBot) -> None:
    window.files.new_from(resource_files.path("templates/sequence-to-sequence.seqdec"))
    view = window.design_view
    decoder = next(block.id for block in window.document.design.blocks if block.kind == "recurrent_decoder")
    window.document.select([decoder])
    box = find(QComboBox, "field_attention")
    assert "memory" not in view.design_scene.blocks[decoder].block.parameters.attention
    assert not find(QWidget, "field_attention_heads").isVisible()
    for wanted, shown in (
        ("multi_head", {"attention_heads", "attention_units"}),
        ("bahdanau", {"attention_units"}),
        ("luong_dot", set()),
    ):
        box.setFocus()
        while box.currentData() != wanted:
            before = box.currentIndex()
            QTest.keyClick(box, Qt.Key_Down if box.findData(wanted) > before else Qt.Key_Up)
            assert box.currentIndex() != before
        assert parameters(window, decoder).attention == wanted
        for name in ("attention_heads", "attention_units"):
            qtbot.waitUntil(lambda name=name, shown=shown: find(QWidget, f"field_{name}").isVisible() == (name in shown))
        assert not view.port_point(decoder, "memory").isNull()
    assert any(problem.where == f"{decoder}.memory" for problem in window.document.report.problems)
    while parameters(window, decoder).attention != "none":
        view.setFocus()
        QTest.keyClick(window.windowHandle(), Qt.Key_Z, Qt.ControlModifier)
    assert window.document.report.ok


def test_parameters_of_attention_are_typed_refused_and_undone(window: MainWindow, find: Find, qtbot: QtBot) -> None:
    window.files.new_from(resource_files.path("templates/translator.seqdec"))
    window.document.select(["encoder"])
    before = parameters(window, "encoder")
    retype(find(QAbstractSpinBox, "field_heads"), "8")
    assert parameters(window, "encoder").heads == 8
    QTest.keyClick(find(QAbstractSpinBox, "field_heads"), Qt.Key_Return)
    retype(find(QAbstractSpinBox, "field_heads"), "999")
    assert find(QLabel, "error_heads").text().startswith("Expected 1 to 256, received 999.")
    assert parameters(window, "encoder").heads == 8
    QTest.keyClick(find(QAbstractSpinBox, "field_heads"), Qt.Key_Escape)
    press(find(QCheckBox, "field_mask_padding"))
    assert parameters(window, "encoder").mask_padding != before.mask_padding
    window.design_view.setFocus()
    for _ in range(2):
        QTest.keyClick(window.windowHandle(), Qt.Key_Z, Qt.ControlModifier)
    assert parameters(window, "encoder") == before


def test_a_wrong_number_of_heads_marks_the_block_and_is_mended_by_typing(window: MainWindow, find: Find) -> None:
    window.document.edit(load(resource_files.path("templates/translator.seqdec")), "Open", select=["encoder"])
    retype(find(QAbstractSpinBox, "field_heads"), "7")  # 128 numbers cannot be shared by seven heads
    faults = [problem for problem in window.document.report.problems if problem.severity == "error"]
    assert faults
    assert all(problem.where.startswith("encoder") for problem in faults)
    retype(find(QAbstractSpinBox, "field_heads"), "8")
    assert window.document.report.ok


def test_a_dropped_memory_offers_decoders(translator: Beside) -> None:
    """A memory dropped where nothing is: the list has decoders that attend to it, and the choice is wired."""
    translator.drag_wire("token_sequence.output", "transformer_encoder.inputs")
    translator.drag(translator.port("transformer_encoder.memory"), free(translator))
    assert "Transformer decoder" in entries(translator.view)
    assert "Loss" not in entries(translator.view)
    choose(translator.view, "Transformer decoder")
    assert link("transformer_encoder.memory -> transformer_decoder_2.memory") in translator.design.links
    translator.key(Qt.Key_Z, Qt.ControlModifier)
    assert "transformer_decoder_2" not in translator.view.block_ids()
