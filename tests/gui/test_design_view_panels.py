"""Palette and outline beside the canvas."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QHBoxLayout, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.panels.palette import Entry, Palette
from tests.domain.designs import archetype, link
from tests.gui.canvas_driver import Canvas


class Beside(Canvas):
    """A canvas with its palette at the left."""

    def make_window(self) -> QWidget:
        self.palette = Palette(self.view)
        self.palette.setFixedWidth(220)
        window = QWidget()
        layout = QHBoxLayout(window)
        layout.addWidget(self.palette)
        layout.addWidget(self.view)
        return window

    def entry(self, kind: str) -> Entry:
        return self.palette.findChild(Entry, f"palette_{kind}")

    def drag_in(self, kind: str, to: QPoint, steps: int = 8, escape: bool = False) -> None:
        window, entry = self.view.window(), self.entry(kind)
        self.palette.findChild(QScrollArea).ensureWidgetVisible(entry)
        handle, start, end = window.windowHandle(), entry.mapTo(window, entry.rect().center()), self.at(to)
        QTest.mouseMove(handle, start)
        QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, start)
        for i in range(1, steps + 1):
            QTest.mouseMove(handle, start + (end - start) * (i / steps))
        if escape:
            QTest.keyClick(entry, Qt.Key_Escape)
        QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, end)


def test_every_kind_has_an_entry_with_one_line_of_help(qtbot: QtBot) -> None:
    canvas = Beside(qtbot, Design())
    for kind in KINDS:
        assert canvas.entry(kind).isVisible()
        assert "\n" not in canvas.entry(kind).toolTip()


def test_a_block_is_dragged_in_where_it_is_dropped(qtbot: QtBot) -> None:
    canvas = Beside(qtbot, Design())
    canvas.drag_in("recurrent_decoder", QPoint(400, 300))
    assert canvas.view.block_ids() == ("recurrent_decoder",)
    rect = canvas.view.block_rect("recurrent_decoder")
    assert rect.contains(QPoint(400, 300))
    assert rect.top() > 250
    assert canvas.document.selection == {"recurrent_decoder"}
    canvas.document.undo_stack.undo()
    assert canvas.view.block_ids() == ()


def test_blocks_dropped_on_each_other_do_not_cover_each_other(qtbot: QtBot) -> None:
    canvas = Beside(qtbot, Design())
    for kind in ("vector", "dense_states", "loss", "vector"):
        canvas.drag_in(kind, QPoint(400, 300))
    rects = [canvas.view.block_rect(block_id) for block_id in canvas.view.block_ids()]
    assert canvas.view.block_ids() == ("vector", "dense_states", "loss", "vector_2")
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])


def test_a_drop_beside_the_canvas_or_escape_adds_nothing(qtbot: QtBot) -> None:
    canvas = Beside(qtbot, Design())
    canvas.drag_in("vector", QPoint(-100, 300))
    canvas.drag_in("vector", QPoint(400, 300), escape=True)
    assert canvas.view.block_ids() == ()
    assert canvas.view.interaction.gesture is None
    assert canvas.view.overlays.empty_state.isVisible()


def test_a_block_dropped_on_a_wire_is_put_into_it(qtbot: QtBot) -> None:
    canvas = Beside(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.document.undo_stack.clear()
    canvas.drag_in("layer_stack", canvas.view.wire_point("model_2.outputs", "loss.predictions"))
    assert {"model_2.outputs -> layer_stack.inputs", "layer_stack.outputs -> loss.predictions"} <= canvas.links()
    canvas.document.undo_stack.undo()
    assert canvas.design == archetype().moved({b.id: b.position for b in canvas.design.blocks})
    canvas.drag_in("vector", canvas.view.wire_point("model_2.outputs", "loss.predictions"))
    assert "model_2.outputs -> loss.predictions" in canvas.links()


def test_double_click_and_enter_add_near_the_centre(qtbot: QtBot) -> None:
    canvas = Beside(qtbot, Design())
    entry = canvas.entry("vector")
    window = canvas.view.window()
    QTest.mouseDClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, entry.mapTo(window, entry.rect().center()))
    entry.setFocus()
    QTest.keyClick(entry, Qt.Key_Down)
    qtbot.waitUntil(canvas.entry("float_sequence").hasFocus)
    QTest.keyClick(canvas.entry("float_sequence"), Qt.Key_Return)
    assert canvas.view.block_ids() == ("vector", "float_sequence")
    middle = canvas.view.viewport().rect().center()
    assert canvas.view.block_rect("vector").adjusted(-30, -30, 30, 30).contains(middle)
    assert not canvas.view.block_rect("vector").intersects(canvas.view.block_rect("float_sequence"))


def test_the_search_finds_by_title_and_by_help(qtbot: QtBot) -> None:
    canvas = Beside(qtbot, Design())
    QTest.keyClicks(canvas.palette.search, "kl term")
    shown = [entry.kind.kind() for entry in canvas.palette.entries if not entry.isHidden()]
    assert shown == ["bottleneck"]
    QTest.keyClick(canvas.palette.search, Qt.Key_Return)
    assert canvas.view.block_ids() == ("bottleneck",)
    QTest.keyClicks(canvas.palette.search, "xyz")
    assert canvas.palette._nothing.isVisible()
    QTest.keyClick(canvas.palette.search, Qt.Key_Escape)
    assert all(not entry.isHidden() for entry in canvas.palette.entries)


def test_the_archetype_is_built_by_mouse_alone(qtbot: QtBot) -> None:
    canvas = Beside(qtbot, Design())
    canvas.view.zoom_by(0.8)
    for kind, at in (
        ("vector", QPoint(120, 150)), ("token_sequence", QPoint(120, 400)), ("dense_states", QPoint(370, 150)),
        ("recurrent_decoder", QPoint(620, 300)), ("loss", QPoint(850, 300)),
    ):  # fmt: skip
        canvas.drag_in(kind, at)
    canvas.drag_wire("vector.output", "recurrent_decoder.initial_states")  # refused
    for source, target in (
        ("vector.output", "dense_states.inputs"), ("token_sequence.output", "recurrent_decoder.inputs"),
        ("dense_states.states", "recurrent_decoder.initial_states"), ("recurrent_decoder.outputs", "loss.predictions"),
    ):  # fmt: skip
        canvas.drag_wire(source, target)
        assert link(f"{source} -> {target}") in canvas.design.links
    assert canvas.document.report.ok
    assert canvas.document.report.inference.parameters == 232_214


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_can_be_dragged_in(qtbot: QtBot, kind: str) -> None:
    canvas = Beside(qtbot, Design())
    canvas.drag_in(kind, QPoint(400, 300))
    assert canvas.design.blocks[0].kind == kind
