"""Adding blocks on the canvas: a dropped wire, a double click, Tab, a drop on a wire; and the archetype without any menu."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.bottleneck import Bottleneck
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.kinds.merge import Add, Concatenate
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.design import DesignView
from seqdec_gui.gui.window.main_window import MainWindow
from tests.domain.designs import archetype, block, design
from tests.gui.canvas_driver import Canvas
from tests.gui.test_design_view_panels import Beside


@pytest.fixture
def canvas(qtbot: QtBot) -> Iterator[Canvas]:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.document.undo_stack.clear()
    yield canvas
    QApplication.clipboard().clear()


def entries(view: DesignView) -> list[str]:
    """The titles in the list that is open."""
    shown = view.findChild(QListWidget, "block_search_list")
    return [shown.item(row).text() for row in range(shown.count())]


def choose(view: DesignView, title: str) -> None:
    """A real click on an entry of the list that is open."""
    shown = view.findChild(QListWidget, "block_search_list")
    (item,) = (shown.item(row) for row in range(shown.count()) if shown.item(row).text() == title)
    QApplication.processEvents()  # the list is laid out
    shown.scrollToItem(item)
    at = shown.viewport().mapTo(view.window(), shown.visualItemRect(item).center())
    QTest.mouseClick(view.window().windowHandle(), Qt.LeftButton, Qt.NoModifier, at)
    QApplication.sendPostedEvents(None, QEvent.DeferredDelete)


def free(canvas: Canvas) -> QPoint:
    """A place below all blocks."""
    bounds = canvas.view.mapFromScene(canvas.view.design_scene.bounds()).boundingRect()
    return QPoint(canvas.view.viewport().width() // 3, bounds.bottom() + 60)


# -- a wire dropped where nothing is
def test_a_dropped_wire_offers_just_what_fits(canvas: Canvas) -> None:
    canvas.drag(canvas.port("model_1.states"), free(canvas))
    offered = entries(canvas.view)
    assert "Recurrent decoder" in offered
    assert "Loss" not in offered
    assert "Vector" not in offered


def test_a_choice_is_added_there_and_connected_in_one_step(canvas: Canvas) -> None:
    place = free(canvas)
    canvas.drag(canvas.port("model_1.states"), place)
    choose(canvas.view, "Recurrent decoder")
    assert "model_1.states -> recurrent_decoder.initial_states" in canvas.links()
    assert canvas.document.selection == {"recurrent_decoder"}
    assert (canvas.port("recurrent_decoder.initial_states") - place).manhattanLength() < 120  # moved off the blocks above
    assert canvas.view.adding.list is None
    assert canvas.document.undo_stack.count() == 1
    canvas.key(Qt.Key_Z, Qt.ControlModifier)
    assert "recurrent_decoder" not in canvas.view.block_ids()


def test_a_wire_drawn_from_an_input_offers_what_gives_it(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, design([block("model_2", "recurrent_decoder")], []))
    canvas.drag(canvas.port("model_2.initial_states"), QPoint(80, 500))
    assert "Token sequence" not in entries(canvas.view)
    choose(canvas.view, "Dense to states")
    assert canvas.links() == {"dense_states.states -> model_2.initial_states"}


def test_a_block_through_an_adapter_is_one_step(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, design([block("latent", "vector")], []))
    canvas.drag(canvas.port("latent.output"), QPoint(700, 500))
    through = next(title for title in entries(canvas.view) if title.startswith("Recurrent decoder, through dense to LSTM"))
    choose(canvas.view, through)
    assert canvas.links() == {"latent.output -> to_states.inputs", "to_states.states -> recurrent_decoder.initial_states"}
    assert canvas.document.undo_stack.count() == 1


def test_the_list_stays_above_the_corner_when_the_theme_changes(canvas: Canvas) -> None:
    canvas.key(Qt.Key_B, Qt.ControlModifier)
    opened = canvas.view.adding.list
    canvas.view.resize(canvas.view.width() - 100, canvas.view.height() - 100)
    theme.set_mode("dark")
    QApplication.processEvents()
    order = canvas.view.children()
    for below in (canvas.view.overlays.minimap, canvas.view.overlays.zoom_bar):
        assert order.index(opened) > order.index(below)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Escape)


def test_escape_and_a_press_elsewhere_change_nothing(canvas: Canvas) -> None:
    before = canvas.design
    canvas.drag(canvas.port("model_1.states"), free(canvas))
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Escape)
    assert canvas.view.adding.list is None
    assert canvas.view.hasFocus()
    canvas.drag(canvas.port("model_1.states"), free(canvas))
    canvas.click(canvas.nowhere())
    assert canvas.view.adding.list is None
    assert canvas.design is before
    assert len(canvas.view.design_scene.items()) == len(canvas.design.blocks) + 2 * len(canvas.design.links)


# -- the search
def test_a_double_click_searches_blocks_at_that_place(canvas: Canvas) -> None:
    place = canvas.nowhere() + QPoint(30, -20)
    canvas.double_click(place)
    QTest.keyClicks(QApplication.focusWidget(), "bottle")
    assert entries(canvas.view) == ["Bottleneck"]
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Return)
    rect = canvas.view.block_rect("bottleneck")
    assert abs(rect.left() - place.x()) < 40
    assert abs(rect.top() - place.y()) < 40
    assert canvas.view.hasFocus()
    canvas.key(Qt.Key_Z, Qt.ControlModifier)
    assert canvas.view.block_ids() == tuple(b.id for b in archetype().blocks)


def test_tab_searches_where_the_mouse_points_and_walks_for_the_keyboard(canvas: Canvas) -> None:
    canvas.key(Qt.Key_Tab)
    assert canvas.view.editor.only_selected() is not None  # no mouse so far: it walks
    canvas.click(canvas.nowhere())
    canvas.key(Qt.Key_Tab)
    assert canvas.view.adding.list is not None
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Down)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Return)
    assert "float_sequence" in canvas.view.block_ids()


def test_in_the_window_a_click_and_tab_search_a_block(archetype: MainWindow, qtbot: QtBot) -> None:
    view, handle = archetype.design_view, archetype.windowHandle()
    place = view.viewport().mapTo(archetype, QPoint(40, 40))
    QTest.mouseMove(handle, place)
    QTest.mouseClick(handle, Qt.LeftButton, Qt.NoModifier, place)
    QTest.keyClick(archetype.focusWidget(), Qt.Key_Tab)
    text = archetype.focusWidget()
    assert text.objectName() == "block_search_text"
    assert text.accessibleDescription().startswith("Vector, A vector of numbers per row")
    QTest.keyClick(text, Qt.Key_Escape)
    assert archetype.focusWidget() is view
    QTest.mouseDClick(handle, Qt.LeftButton, Qt.NoModifier, place)
    assert archetype.focusWidget().objectName() == "block_search_text"
    QTest.keyClick(archetype.focusWidget(), Qt.Key_Escape)


def test_a_template_is_added_whole(canvas: Canvas) -> None:
    canvas.key(Qt.Key_B, Qt.ControlModifier)
    QTest.keyClicks(QApplication.focusWidget(), "autoencoder")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Return)
    assert len(canvas.design.blocks) > 7
    assert canvas.document.undo_stack.count() == 1
    assert len(canvas.document.selection) == len(canvas.design.blocks) - 5


def test_words_that_fit_nothing_say_so(canvas: Canvas) -> None:
    canvas.key(Qt.Key_A, Qt.ShiftModifier)
    QTest.keyClicks(QApplication.focusWidget(), "perceptron")
    assert entries(canvas.view) == []
    nothing, search = canvas.view.findChild(QWidget, "block_search_nothing"), QApplication.focusWidget()
    assert nothing.text() == "No block fits the search."
    QApplication.processEvents()
    assert nothing.geometry().top() - search.geometry().bottom() < 20  # right below what was typed
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Return)
    assert canvas.view.adding.list is not None
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Escape)


def test_by_keyboard_a_block_is_connected_to_a_new_one(canvas: Canvas) -> None:
    canvas.document.select(["model_1"])
    canvas.key(Qt.Key_C, Qt.ShiftModifier)
    QTest.keyClicks(QApplication.focusWidget(), "recurrent decoder")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Return)
    assert "model_1.states -> recurrent_decoder.initial_states" in canvas.links()


def test_by_keyboard_a_block_is_put_into_a_wire(canvas: Canvas) -> None:
    canvas.click(canvas.view.wire_point("latent.output", "model_1.inputs"))
    canvas.key(Qt.Key_I)
    assert "Vector" not in entries(canvas.view)
    QTest.keyClicks(QApplication.focusWidget(), "bottleneck")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Return)
    assert {"latent.output -> bottleneck.inputs", "bottleneck.code -> model_1.inputs"} <= canvas.links()
    assert canvas.document.undo_stack.count() == 1


# -- a block dropped on a wire
def test_a_dragged_block_without_wires_is_put_into_the_wire_below_it(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.document.edit(canvas.design.with_block(Block("narrow", Bottleneck(units=4), (0.0, 400.0))), "Prepare")
    canvas.view.fit()
    canvas.document.undo_stack.clear()
    said: list[str] = []
    wire = canvas.view.wire_point("latent.output", "model_1.inputs")
    canvas.drag(canvas.title("narrow"), wire, lambda: said.append(canvas.tip()))
    assert said == ["✓ Insert: latent.output → narrow → model_1.inputs"]
    assert {"latent.output -> narrow.inputs", "narrow.code -> model_1.inputs"} <= canvas.links()
    assert canvas.document.undo_stack.count() == 1
    assert canvas.tip() == ""
    canvas.key(Qt.Key_Z, Qt.ControlModifier)
    assert canvas.design.block("narrow").position == (0.0, 400.0)


def test_a_wire_that_does_not_take_the_block_says_why_and_stays(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.document.edit(canvas.design.with_block(Block("narrow", Bottleneck(units=4), (0.0, 400.0))), "Prepare")
    canvas.view.fit()
    before, said = canvas.links(), []
    wire = canvas.view.wire_point("decoder_inputs.output", "model_2.inputs")
    canvas.drag(canvas.title("narrow"), wire, lambda: said.append(canvas.tip()))
    assert said[0].startswith("✗ Does not fit here.")
    assert canvas.links() == before
    assert canvas.design.block("narrow").position != (0.0, 400.0)  # it was moved all the same


@pytest.mark.parametrize("kind", [Concatenate, Add])
def test_a_block_that_joins_wires_is_put_into_one_and_waits_for_the_other(qtbot: QtBot, kind: type[Any]) -> None:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.document.edit(canvas.design.with_block(Block("joined", kind(), (0.0, 400.0))), "Prepare")
    canvas.view.fit()
    said: list[str] = []
    wire = canvas.view.wire_point("latent.output", "model_1.inputs")
    canvas.drag(canvas.title("joined"), wire, lambda: said.append(canvas.tip()))
    assert said == ["✓ Insert: latent.output → joined → model_1.inputs; joined needs another wire too"]
    output = canvas.design.block("joined").parameters.outputs()[0].name
    assert {"latent.output -> joined.input_0", f"joined.{output} -> model_1.inputs"} <= canvas.links()
    assert "joined.input_1" in {problem.where for problem in canvas.document.report.problems}


def test_a_block_with_wires_is_only_moved(canvas: Canvas) -> None:
    before, said = canvas.links(), []
    wire = canvas.view.wire_point("decoder_inputs.output", "model_2.inputs")
    canvas.drag(canvas.title("loss"), wire, lambda: said.append(canvas.tip()))
    assert said == [""]
    assert canvas.links() == before


def test_a_block_dragged_in_shows_what_a_drop_on_the_wire_does(qtbot: QtBot) -> None:
    canvas = Beside(qtbot, archetype())
    canvas.view.editor.auto_layout()
    viewport, wire = canvas.view.viewport(), canvas.view.wire_point("latent.output", "model_1.inputs")
    canvas.view.interaction.begin_placing("recurrent_encoder")
    canvas.view.interaction.move_placing(viewport.mapToGlobal(wire))
    assert canvas.tip().startswith("✗ Does not fit here. recurrent_encoder.inputs: expected a sequence")
    canvas.view.interaction.cancel_placing()
    assert canvas.tip() == ""
    assert len(canvas.view.design_scene.items()) == len(canvas.design.blocks) + 2 * len(canvas.design.links)


# -- the whole archetype
def test_the_archetype_is_built_by_mouse_without_any_menu(window: MainWindow, qtbot: QtBot) -> None:
    window.files.new(then=window.welcome.hide)
    view, handle = window.design_view, window.windowHandle()
    qtbot.waitUntil(lambda: not window.welcome.isVisible())

    def drag(start: QPoint, end: QPoint) -> None:
        QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, start)
        for i in range(1, 7):
            QTest.mouseMove(handle, start + (end - start) * (i / 6))
        QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, end)

    def on_canvas(point: QPoint) -> QPoint:
        return view.viewport().mapTo(window, point)

    def drag_in(kind: str, place: QPoint) -> None:
        entry = window.findChild(QWidget, f"palette_{kind}")
        drag(entry.mapTo(window, entry.rect().center()), on_canvas(place))

    def drag_out(block_id: str, port: str, title: str) -> None:
        start = view.port_point(block_id, port)
        drag(on_canvas(start), on_canvas(start + QPoint(35, 40)))
        choose(view, title)

    room = view.viewport().rect()
    drag_in("vector", QPoint(90, room.height() // 3))
    for _ in range(3):  # room for four blocks in a row
        view.zoom_out()
    view.horizontalScrollBar().setValue(view.horizontalScrollBar().value() + 60)
    drag_out("vector", "output", "Dense to states")
    drag_out("dense_states", "states", "Recurrent decoder")
    drag_in("token_sequence", QPoint(90, 2 * room.height() // 3))
    drag(on_canvas(view.port_point("token_sequence", "output")), on_canvas(view.port_point("recurrent_decoder", "inputs")))
    drag_out("recurrent_decoder", "outputs", "Loss")
    assert {type(block.parameters) for block in window.document.design.blocks} >= {Loss}
    assert {str(link) for link in window.document.design.links} == {
        "vector.output -> dense_states.inputs", "dense_states.states -> recurrent_decoder.initial_states",
        "token_sequence.output -> recurrent_decoder.inputs", "recurrent_decoder.outputs -> loss.predictions",
    }  # fmt: skip
    assert window.document.report.inference.parameters == 232_214
    assert window.document.undo_stack.count() == 6
    while window.document.undo_stack.canUndo():
        QTest.keyClick(view, Qt.Key_Z, Qt.ControlModifier)
    assert window.document.design.blocks == Design().blocks
