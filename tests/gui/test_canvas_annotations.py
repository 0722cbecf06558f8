"""Frames and notes on the canvas: drawn, written, moved, resized, copied and undone, by mouse and by keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.annotations import Frame, Note
from tests.domain.designs import archetype
from tests.gui.canvas_driver import Canvas
from tests.gui.test_design_view_keys import menu_at

FRAME = Frame("frame_1", "Encoder", "blue", (-20.0, -60.0), (600.0, 200.0))
NOTE = Note("note_1", "why", "yellow", (0.0, 600.0), (220.0, 80.0))


@pytest.fixture
def canvas(qtbot: QtBot) -> Iterator[Canvas]:
    placed = archetype().moved({"latent": (0.0, 0.0), "model_1": (300.0, 0.0), "decoder_inputs": (0.0, 300.0),
                                "model_2": (700.0, 100.0), "loss": (1000.0, 100.0)})  # fmt: skip
    canvas = Canvas(qtbot, placed.with_annotations([FRAME, NOTE]), 1400, 800)
    yield canvas
    QApplication.clipboard().clear()


def at(canvas: Canvas, x: float, y: float) -> QPoint:
    return canvas.view.mapFromScene(QPointF(x, y))


def title(canvas: Canvas) -> QPoint:
    return at(canvas, 400, -50)


def selected(canvas: Canvas) -> set[str]:
    return set(canvas.view.design_scene.annotations.selected)


def undo(canvas: Canvas) -> None:
    canvas.key(Qt.Key_Z, Qt.ControlModifier)


# -- frames
def test_a_frame_takes_along_what_lies_in_it(canvas: Canvas) -> None:
    before = canvas.design
    canvas.drag(title(canvas), title(canvas) + QPoint(0, -40))
    by = canvas.design.frames[0].position[1] - FRAME.position[1]
    assert by < 0
    for block_id in ("latent", "model_1"):
        assert canvas.design.block(block_id).position[1] == by
    assert canvas.design.block("decoder_inputs").position == (0.0, 300.0)
    assert canvas.document.undo_stack.count() == 1
    undo(canvas)
    assert canvas.design == before


def test_a_press_in_a_frame_reaches_the_canvas_and_the_blocks(canvas: Canvas) -> None:
    canvas.click(at(canvas, 250, 100))
    assert selected(canvas) == set()
    canvas.click(canvas.title("latent"))
    assert canvas.document.selection == {"latent"}
    assert selected(canvas) == set()
    canvas.click(title(canvas))
    assert selected(canvas) == {"frame_1"}
    assert canvas.document.selection == set()


def test_a_frame_is_drawn_round_the_selection_and_named(canvas: Canvas) -> None:
    canvas.document.select(["model_2", "loss"])
    canvas.key(Qt.Key_G, Qt.ControlModifier)
    field = canvas.view.findChild(QLineEdit, "title_field")
    QTest.keyClicks(field, "Decoder")
    QTest.keyClick(field, Qt.Key_Return)
    frame = canvas.design.frames[1]
    assert frame.title == "Decoder"
    outline = canvas.view.design_scene.annotations.items[frame.id].outline
    assert all(outline.contains(canvas.view.design_scene.bounds([one])) for one in ("model_2", "loss"))
    assert canvas.view.hasFocus()
    undo(canvas)
    undo(canvas)
    assert canvas.design.frames == (FRAME,)


def test_a_title_is_written_after_a_double_click_and_escape_keeps_the_old(canvas: Canvas) -> None:
    canvas.double_click(title(canvas))
    field = canvas.view.findChild(QLineEdit, "title_field")
    QTest.keyClicks(field, "Other")
    QTest.keyClick(field, Qt.Key_Escape)
    assert canvas.design.frames == (FRAME,)
    canvas.key(Qt.Key_F2)
    field = next(one for one in canvas.view.findChildren(QLineEdit, "title_field") if one.isVisible())
    QTest.keyClicks(field, "<b>Other")
    canvas.click(canvas.nowhere() + QPoint(600, 0))  # leaving the field keeps it
    assert canvas.design.frames[0].title == "<b>Other"


def test_a_corner_resizes(canvas: Canvas) -> None:
    corner = at(canvas, FRAME.position[0] + FRAME.size[0] - 4, FRAME.position[1] + FRAME.size[1] - 4)
    canvas.click(title(canvas))
    canvas.drag(corner, corner + QPoint(60, 30))
    width, height = canvas.design.frames[0].size
    assert width > FRAME.size[0]
    assert height > FRAME.size[1]
    assert canvas.design.frames[0].position == FRAME.position
    undo(canvas)
    canvas.drag(corner, corner + QPoint(-3000, -3000), lambda: canvas.key(Qt.Key_Escape))
    assert canvas.design.frames == (FRAME,)
    assert canvas.view.design_scene.annotations.items["frame_1"].size.width() == FRAME.size[0]


def test_deleting_a_frame_leaves_its_blocks(canvas: Canvas) -> None:
    canvas.click(title(canvas))
    canvas.key(Qt.Key_Delete)
    assert canvas.design.frames == ()
    assert canvas.design.has("latent")
    undo(canvas)
    assert canvas.design.frames == (FRAME,)


def test_a_frame_is_copied_with_what_lies_in_it(canvas: Canvas) -> None:
    canvas.click(title(canvas))
    canvas.key(Qt.Key_C, Qt.ControlModifier)
    text = json.loads(QApplication.clipboard().text())
    assert [b["id"] for b in text["blocks"]] == ["latent", "model_1"]
    assert [f["title"] for f in text["frames"]] == ["Encoder"]
    canvas.key(Qt.Key_V, Qt.ControlModifier)
    assert len(canvas.design.frames) == 2
    assert "latent_2.output -> model_3.inputs" in canvas.links()
    assert canvas.document.undo_stack.count() == 1
    undo(canvas)
    assert len(canvas.design.blocks) == 5


# -- notes
def test_a_note_is_written_by_keyboard_alone(canvas: Canvas) -> None:
    canvas.key(Qt.Key_N)
    field = canvas.view.findChild(QPlainTextEdit, "note_field")
    QTest.keyClicks(field, "first")
    QTest.keyClick(field, Qt.Key_Return)
    QTest.keyClicks(field, "second")
    QTest.keyClick(field, Qt.Key_Return, Qt.ControlModifier)
    assert canvas.design.notes[1].text == "first\nsecond"
    assert selected(canvas) == {canvas.design.notes[1].id}
    assert canvas.view.hasFocus()


def test_a_note_grows_with_its_text(canvas: Canvas) -> None:
    canvas.view.annotating.write("note_1", "a line\n" * 30)
    assert canvas.design.notes[0].size[1] > 300
    assert canvas.design.notes[0].size[0] == NOTE.size[0]


def test_arrows_move_and_alt_arrows_resize_as_one_step_each(canvas: Canvas) -> None:
    canvas.click(at(canvas, 100, 640))
    assert selected(canvas) == {"note_1"}
    canvas.key(Qt.Key_Right)
    canvas.key(Qt.Key_Right)
    assert canvas.design.notes[0].position == (20.0, 600.0)
    assert canvas.document.undo_stack.count() == 1
    canvas.key(Qt.Key_Down, Qt.AltModifier)
    canvas.key(Qt.Key_Down, Qt.AltModifier)
    assert canvas.design.notes[0].size == (220.0, 100.0)
    assert canvas.document.undo_stack.count() == 2


def test_tab_reaches_frames_and_notes_after_the_blocks_and_describes_them(canvas: Canvas) -> None:
    said: list[str] = []
    canvas.view.editor.announced.connect(said.append)
    for _ in range(7):
        canvas.key(Qt.Key_Tab)
    assert said[-2:] == ["Frame Encoder (blue)", "Note: why (yellow)"]
    assert selected(canvas) == {"note_1"}
    canvas.key(Qt.Key_Backtab, Qt.ShiftModifier)
    canvas.key(Qt.Key_Backtab, Qt.ShiftModifier)
    assert selected(canvas) == set()
    assert canvas.view.editor.only_selected() is not None


def test_the_menu_changes_the_colour(canvas: Canvas) -> None:
    menu = menu_at(canvas, title(canvas))
    assert menu.objectName() == "menu_annotation"
    colors = next(action.menu() for action in menu.actions() if action.menu() is not None)
    next(action for action in colors.actions() if action.text() == "Green").trigger()
    menu.close()
    assert canvas.design.frames[0].color == "green"
    assert canvas.document.undo_stack.undoText() == "Colour green"


def test_a_rubber_band_selects_notes_it_meets_and_frames_it_holds(canvas: Canvas) -> None:
    canvas.drag(at(canvas, -100, 560), at(canvas, 50, 700))
    assert selected(canvas) == {"note_1"}
    canvas.drag(at(canvas, -35, -75), at(canvas, 450, 90))
    assert selected(canvas) == set()  # the frame reaches further
    assert canvas.document.selection == {"latent", "model_1"}
    canvas.key(Qt.Key_A, Qt.ControlModifier)
    assert selected(canvas) == {"frame_1", "note_1"}
    canvas.key(Qt.Key_Escape)
    assert selected(canvas) == set()


def test_a_frame_fits_itself_to_its_blocks(canvas: Canvas) -> None:
    canvas.view.annotating.fit_frame("frame_1")
    outline = canvas.view.design_scene.annotations.items["frame_1"].outline
    inside = canvas.view.design_scene.bounds(["latent", "model_1"])
    assert outline.contains(inside)
    assert outline.width() < inside.width() + 60


def test_a_block_chosen_elsewhere_lets_go_of_frames(canvas: Canvas) -> None:
    canvas.click(title(canvas))
    canvas.document.select(["loss"])  # as the outline does
    assert selected(canvas) == set()
    canvas.key(Qt.Key_Delete)
    assert canvas.design.frames == (FRAME,)
    assert not canvas.design.has("loss")


def test_blocks_and_frames_are_selected_together_with_shift(canvas: Canvas) -> None:
    canvas.click(title(canvas))
    canvas.click(canvas.title("loss"), modifiers=Qt.ShiftModifier)
    assert selected(canvas) == {"frame_1"}
    assert canvas.document.selection == {"loss"}
    before = canvas.design
    canvas.drag(canvas.title("loss"), canvas.title("loss") + QPoint(0, 40))
    by = canvas.design.block("loss").position[1] - before.block("loss").position[1]
    assert by > 0
    assert canvas.design.frames[0].position[1] == FRAME.position[1] + by
    assert canvas.design.block("model_1").position[1] == by
    assert canvas.document.undo_stack.count() == 1


# -- the field that is open while something else happens
def test_undo_closes_a_field_over_what_it_takes_away(canvas: Canvas) -> None:
    canvas.document.select(["model_2", "loss"])
    canvas.key(Qt.Key_G, Qt.ControlModifier)
    field = canvas.view.findChild(QLineEdit, "title_field")
    QTest.keyClicks(field, "Decoder")
    canvas.document.undo_stack.undo()  # as the button in the tool bar does, which takes no focus
    assert not field.isVisible()
    assert canvas.view.hasFocus()
    assert canvas.design.frames == (FRAME,)


def test_the_title_of_a_frame_wider_than_the_view_is_written_in_sight(canvas: Canvas) -> None:
    canvas.view.zoom_reset()
    canvas.view.centerOn(QPointF(900, 600))
    canvas.view.design_scene.annotations.select(["frame_1"])
    canvas.key(Qt.Key_F2)
    field = canvas.view.findChild(QLineEdit, "title_field")
    assert canvas.view.viewport().rect().contains(field.geometry())
    outline = canvas.view.design_scene.annotations.items["frame_1"].outline
    assert canvas.view.visible_rect().contains(outline.topLeft())


def test_escape_keeps_what_was_written_into_a_note_and_undo_takes_it_back(canvas: Canvas) -> None:
    before = canvas.design.notes
    canvas.view.annotating.add_note()
    field = canvas.view.findChild(QPlainTextEdit, "note_field")
    QTest.keyClicks(field, "Try 256")
    QTest.keyClick(field, Qt.Key_Escape)
    assert [note.text for note in canvas.design.notes if note not in before] == ["Try 256"]
    undo(canvas)
    undo(canvas)
    assert canvas.design.notes == before


def test_new_notes_and_frames_lie_where_nothing_does(canvas: Canvas) -> None:
    annotating, items = canvas.view.annotating, canvas.view.design_scene.annotations.items
    canvas.view.editor.select_none()
    new = [annotating.add_note(), annotating.add_note()]
    canvas.view.editor.select_none()
    new.append(annotating.add_frame())
    covered = [items[one].outline for one in items if one not in new]
    covered += [canvas.view.design_scene.bounds([one]) for one in canvas.view.block_ids()]
    for one in new:
        assert not any(items[one].outline.intersects(other) for other in covered)
        covered.append(items[one].outline)


# -- notes and new blocks
@pytest.mark.parametrize("kind", ["bottleneck", "vector", "loss"])
def test_a_block_dropped_on_a_note_lies_beside_it(canvas: Canvas, kind: str) -> None:
    view = canvas.view
    view.interaction.begin_placing(kind)
    place = view.viewport().mapToGlobal(at(canvas, 110, 640))
    view.interaction.move_placing(place)
    view.interaction.finish_placing(place)
    (new,) = set(view.block_ids()) - {"latent", "model_1", "decoder_inputs", "model_2", "loss"}
    note = view.design_scene.annotations.items["note_1"].outline
    assert not view.design_scene.bounds([new]).intersects(note)
    assert (view.design_scene.bounds([new]).center() - note.center()).manhattanLength() < 400


def test_a_block_may_lie_in_a_frame(canvas: Canvas) -> None:
    view = canvas.view
    place = view.viewport().mapToGlobal(at(canvas, 200, 100))
    view.interaction.begin_placing("vector")
    view.interaction.move_placing(place)
    view.interaction.finish_placing(place)
    frame = view.design_scene.annotations.items["frame_1"].outline
    (new,) = set(view.block_ids()) - {"latent", "model_1", "decoder_inputs", "model_2", "loss"}
    assert view.design_scene.bounds([new]).intersects(frame)
