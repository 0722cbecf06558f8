"""The canvas: wires and blocks under the mouse, every gesture one step back."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.link_judge import End
from tests.domain.designs import archetype, block, design, link
from tests.gui.canvas_driver import Canvas
from tests.gui.test_design_view_layout import crossed

STATES = "model_1.states -> model_2.initial_states"
FIRST = "latent.output -> model_1.inputs"


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.document.undo_stack.clear()
    return canvas


def without(canvas: Canvas, wire: str) -> None:
    canvas.document.edit(canvas.design.unlinked([link(wire)]), "Prepare")
    canvas.document.undo_stack.clear()


# -- wires
@pytest.mark.parametrize("ends", [("model_1.states", "model_2.initial_states"), ("model_2.initial_states", "model_1.states")])
def test_a_wire_is_drawn_from_either_end(canvas: Canvas, ends: tuple[str, str]) -> None:
    without(canvas, STATES)
    canvas.drag_wire(*ends)
    assert STATES in canvas.links()
    assert canvas.document.undo_stack.undoText() == f"Connect {STATES}"
    canvas.document.undo_stack.undo()
    assert STATES not in canvas.links()
    assert link(STATES) not in canvas.view.design_scene.wires


def test_a_refused_wire_says_why_and_changes_nothing(canvas: Canvas) -> None:
    without(canvas, STATES)
    before, said, tips = canvas.design, [], []
    canvas.view.editor.refused.connect(said.append)
    canvas.drag_wire("latent.output", "model_2.initial_states", lambda: tips.append(canvas.tip()))
    assert canvas.design is before
    assert canvas.document.undo_stack.count() == 0
    assert said[0].startswith("Expected states[LSTM 128, LSTM 128], got float32 (None, 11).")
    assert tips[0].startswith("✗ model_2.initial_states: Expected states")
    assert "Dense to LSTM states [128, 128]" in tips[0]


def test_while_a_wire_is_drawn_good_ports_glow_and_others_dim(canvas: Canvas) -> None:
    without(canvas, STATES)
    seen = {}

    def look() -> None:
        for item in canvas.view.design_scene.blocks.values():
            seen.update({str(end.port): item.targets.get(end, False) for end in item.rows})
        seen["opacity of decoder_inputs"] = canvas.view.design_scene.blocks["decoder_inputs"].opacity()

    canvas.drag(canvas.port("model_1.states"), canvas.port("model_2.inputs"), look)
    assert [name for name, good in seen.items() if good is True] == ["model_1.states", "model_2.initial_states"]
    assert seen["opacity of decoder_inputs"] < 1
    assert all(item.targets is None and item.opacity() == 1 for item in canvas.view.design_scene.blocks.values())


def test_an_offered_adapter_is_put_between(canvas: Canvas) -> None:
    canvas.document.edit(canvas.design.without_blocks(["model_1"]), "Prepare")
    canvas.drag_wire("latent.output", "model_2.initial_states")
    bar = canvas.view.overlays.offer_bar
    assert bar.isVisible()
    button = bar.findChild(QPushButton, "offer_0")
    canvas.click(canvas.view.viewport().mapFromGlobal(button.mapToGlobal(button.rect().center())))
    assert not bar.isVisible()
    assert {"latent.output -> to_states.inputs", "to_states.states -> model_2.initial_states"} <= canvas.links()
    assert canvas.document.report.ok
    assert canvas.document.selection == {"to_states"}
    canvas.document.undo_stack.undo()
    assert not canvas.design.has("to_states")


@pytest.mark.parametrize("width", [500, 900, 1500])
def test_the_offer_lies_beside_the_mini_map(canvas: Canvas, width: int) -> None:
    overlays = canvas.view.overlays
    canvas.drag_wire("latent.output", "model_2.initial_states")
    for wanted in (True, False, True):
        canvas.view.window().resize(width, 700)
        overlays.show_minimap(wanted)
        assert overlays.offer_bar.isVisible()
        assert overlays.minimap.isVisible() == wanted
        for other in (overlays.zoom_bar, *([overlays.minimap] if wanted else [])):
            assert not overlays.offer_bar.geometry().intersects(other.geometry())
        assert canvas.view.viewport().rect().contains(overlays.offer_bar.geometry())


def test_the_offer_goes_when_the_user_goes_on(canvas: Canvas) -> None:
    canvas.drag_wire("latent.output", "model_2.initial_states")
    assert canvas.view.overlays.offer_bar.isVisible()
    canvas.click(canvas.nowhere())
    assert not canvas.view.overlays.offer_bar.isVisible()


def test_a_refused_wire_can_be_followed_by_a_good_one_at_once(canvas: Canvas) -> None:
    without(canvas, STATES)
    canvas.drag_wire("latent.output", "model_2.initial_states")
    canvas.drag_wire("model_1.states", "model_2.initial_states")
    assert STATES in canvas.links()


def test_a_wire_dropped_on_a_block_finds_the_port_that_fits(canvas: Canvas) -> None:
    without(canvas, STATES)
    canvas.drag(canvas.port("model_1.states"), canvas.title("model_2"))
    assert STATES in canvas.links()


def test_a_wire_picked_up_at_its_input_and_dropped_on_nothing_is_removed(canvas: Canvas) -> None:
    canvas.drag(canvas.port("model_2.initial_states"), canvas.nowhere())
    assert STATES not in canvas.links()
    canvas.key(Qt.Key_Z, Qt.ControlModifier)
    assert STATES in canvas.links()


def test_a_wire_picked_up_may_go_back(canvas: Canvas) -> None:
    before, port = canvas.design, canvas.port("model_2.initial_states")
    canvas.press(port)
    for point in (port - QPoint(60, 60), port - QPoint(20, 10), port):
        canvas.move(point)
        assert canvas.design is before
    canvas.release(port)
    assert canvas.design is before
    assert canvas.document.undo_stack.count() == 0
    assert not canvas.view.design_scene.wires[link(STATES)].faded


def test_a_click_on_a_port_removes_no_wire(canvas: Canvas) -> None:
    canvas.click(canvas.port("model_2.initial_states"))
    assert STATES in canvas.links()
    assert canvas.document.selection == {"model_2"}


def test_a_wire_picked_up_is_moved_in_one_step(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, design(
        [block("a", "vector"), block("b", "layer_stack", ), block("c", "layer_stack")], ["a.output -> b.inputs"]
    ))  # fmt: skip
    canvas.view.editor.auto_layout()
    canvas.document.undo_stack.clear()
    canvas.drag_wire("b.inputs", "c.inputs")
    assert canvas.links() == {"a.output -> c.inputs"}
    assert canvas.document.undo_stack.count() == 1
    canvas.document.undo_stack.undo()
    assert canvas.links() == {"a.output -> b.inputs"}


def test_a_wire_to_a_taken_input_replaces_the_other(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, design(
        [block("a", "vector"), block("other", "vector"), block("b", "layer_stack")], ["a.output -> b.inputs"]
    ))  # fmt: skip
    canvas.view.editor.auto_layout()
    canvas.drag_wire("other.output", "b.inputs")
    assert canvas.links() == {"other.output -> b.inputs"}


def test_a_circle_is_refused_with_its_reason(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, design(
        [block("a", "layer_stack"), block("b", "layer_stack")], ["a.outputs -> b.inputs"]
    ))  # fmt: skip
    canvas.view.editor.auto_layout()
    said: list[str] = []
    canvas.view.editor.refused.connect(said.append)
    canvas.drag_wire("b.outputs", "a.inputs")
    assert said == ["a already feeds b: the wire would close a circle."]
    canvas.drag(canvas.port("b.outputs"), canvas.port("a.outputs"))
    assert "draw from an output to an input" in said[1]


def test_escape_cancels_a_wire(canvas: Canvas) -> None:
    before = canvas.design
    canvas.drag(canvas.port("model_2.initial_states"), canvas.nowhere(), lambda: canvas.key(Qt.Key_Escape))
    assert canvas.design is before
    assert canvas.view.interaction.gesture is None


def test_edits_wait_for_the_end_of_a_drag(canvas: Canvas) -> None:
    canvas.document.select(["latent"])
    canvas.drag(canvas.port("latent.output"), canvas.nowhere(), lambda: canvas.key(Qt.Key_Delete))
    assert canvas.design.has("latent")


def test_undo_from_elsewhere_ends_a_drag(canvas: Canvas) -> None:
    canvas.document.edit(canvas.design.without_blocks(["loss"]), "Delete")

    def undo() -> None:
        canvas.document.undo_stack.undo()
        assert canvas.view.interaction.gesture is None

    canvas.drag(canvas.port("model_1.states"), canvas.nowhere(), undo)
    canvas.drag(canvas.title("model_1"), canvas.nowhere(), canvas.document.undo_stack.redo)
    assert not canvas.design.has("loss")


def test_a_clicked_wire_is_selected_and_deleted(canvas: Canvas) -> None:
    canvas.click(canvas.view.wire_point("latent.output", "model_1.inputs"))
    assert canvas.view.design_scene.selected_links == {link(FIRST)}
    canvas.key(Qt.Key_Delete)
    assert FIRST not in canvas.links()
    assert canvas.design.has("latent")


# -- blocks
def test_moving_a_block_is_one_step(canvas: Canvas) -> None:
    before, rect = canvas.design.block("loss").position, canvas.view.block_rect("loss")
    by = QPoint(round(40 * canvas.view.zoom), round(60 * canvas.view.zoom))
    canvas.drag(canvas.title("loss"), canvas.title("loss") + by)
    assert canvas.design.block("loss").position == (before[0] + 40, before[1] + 60)
    assert (canvas.view.block_rect("loss").topLeft() - rect.topLeft() - by).manhattanLength() <= 2
    assert canvas.document.undo_stack.count() == 1
    canvas.document.undo_stack.undo()
    assert canvas.view.block_rect("loss") == rect


def test_selected_blocks_move_together_and_escape_takes_them_back(canvas: Canvas) -> None:
    canvas.document.select(["latent", "model_1"])
    before = canvas.design
    start = canvas.title("latent")
    canvas.drag(start, start + QPoint(0, 80), lambda: canvas.key(Qt.Key_Escape))
    assert canvas.design is before
    canvas.drag(start, start + QPoint(0, 80))
    moved = {b.id for b in canvas.design.blocks if b.position != before.block(b.id).position}
    assert moved == {"latent", "model_1"}


def test_wires_follow_a_dragged_block(canvas: Canvas) -> None:
    start = canvas.title("model_1")

    def look() -> None:
        wire = canvas.view.design_scene.wires[link(STATES)]
        assert canvas.view.mapFromScene(wire.path.pointAtPercent(0)) == canvas.port("model_1.states")
        assert canvas.view.mapFromScene(wire.path.pointAtPercent(1)) == canvas.port("model_2.initial_states")

    canvas.drag(start, start + QPoint(30, 150), look)
    look()


def test_a_block_dropped_on_a_wire_s_way_is_walked_round(canvas: Canvas) -> None:
    scene, y = canvas.view.design_scene, canvas.design.block("loss").position[1]
    canvas.document.edit(canvas.design.moved({"loss": (2000.0, y)}), "Make room")
    canvas.view.fit()
    canvas.drag(canvas.title("decoder_inputs"), canvas.view.wire_point("model_2.outputs", "loss.predictions"))
    wire = scene.wires[link("model_2.outputs -> loss.predictions")]
    assert not crossed(wire.points, {block_id: scene.rect_of(block_id) for block_id in scene.blocks})
    assert len(wire.points) > 4
    canvas.document.undo_stack.undo()
    assert len(wire.points) == 2


def test_the_rubber_band_selects_what_it_meets(canvas: Canvas) -> None:
    latent, model_1 = canvas.view.block_rect("latent"), canvas.view.block_rect("model_1")
    whole = latent.united(model_1)
    start, end = whole.topLeft() - QPoint(15, 5), whole.bottomRight() + QPoint(5, 5)
    canvas.drag(start, end)
    expected = {b for b in canvas.view.block_ids() if canvas.view.block_rect(b).intersects(whole)}
    assert canvas.document.selection == expected >= {"latent", "model_1"}
    canvas.click(canvas.nowhere())
    assert not canvas.document.selection
    canvas.click(canvas.title("loss"))
    canvas.click(canvas.title("latent"), modifiers=Qt.ControlModifier)
    assert canvas.document.selection == {"loss", "latent"}
    canvas.click(canvas.title("latent"), modifiers=Qt.ControlModifier)
    assert canvas.document.selection == {"loss"}


def test_the_middle_button_and_space_pan(canvas: Canvas) -> None:
    before = canvas.view.block_rect("latent").topLeft()
    canvas.drag(canvas.nowhere(), canvas.nowhere() + QPoint(60, -40), button=Qt.MiddleButton)
    assert canvas.view.block_rect("latent").topLeft() - before == QPoint(60, -40)
    canvas.qtbot.keyPress(canvas.view, Qt.Key_Space)
    canvas.drag(canvas.title("latent"), canvas.title("latent") - QPoint(60, -40))
    canvas.qtbot.keyRelease(canvas.view, Qt.Key_Space)
    assert canvas.view.block_rect("latent").topLeft() == before
    assert canvas.document.undo_stack.count() == 0


def test_zooming_keeps_the_point_under_the_mouse(canvas: Canvas) -> None:
    point, zoom = canvas.port("model_2.outputs"), canvas.view.zoom
    canvas.view.zoom_by(1.7, point)
    assert canvas.view.zoom == pytest.approx(zoom * 1.7)
    assert (canvas.port("model_2.outputs") - point).manhattanLength() <= 2
    for _ in range(60):
        canvas.view.zoom_in()
    assert canvas.view.zoom == 4
    for _ in range(60):
        canvas.view.zoom_out()
    assert canvas.view.zoom == pytest.approx(0.05)
    canvas.key(Qt.Key_0, Qt.ControlModifier)
    assert canvas.view.zoom == pytest.approx(1)
    canvas.key(Qt.Key_F)
    room = canvas.view.viewport().rect()
    assert all(room.contains(canvas.view.block_rect(block_id)) for block_id in canvas.view.block_ids())


def test_a_double_click_asks_for_the_parameters(canvas: Canvas) -> None:
    with canvas.qtbot.waitSignal(canvas.view.editor.edit_requested) as asked:
        canvas.double_click(canvas.title("model_2"))
    assert asked.args == ["model_2"]
    assert canvas.view.interaction.gesture is None


# -- layers inside
def test_a_block_shows_its_layers_and_others_make_room(canvas: Canvas) -> None:
    before, item = canvas.design, canvas.view.design_scene.blocks["model_2"]
    expander = canvas.view.mapFromScene(item.pos() + item.expander.center())
    canvas.click(expander)
    assert item.expanded
    names = [box.lines[0] for box in item.layer_graph.boxes]
    assert {"Decoder_LSTM_0", "BN_Decoder_1", "Dense_Decoder", "Decoder_State_c_1"} <= set(names)
    rects = [item.body.translated(item.pos()) for item in canvas.view.design_scene.blocks.values()]
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])
    canvas.key(Qt.Key_E)
    assert not item.expanded
    assert canvas.design == before
    assert canvas.document.clean


def test_a_block_without_inputs_says_when_it_will_show_layers(canvas: Canvas) -> None:
    without(canvas, FIRST)
    with canvas.qtbot.waitSignal(canvas.view.editor.refused) as said:
        canvas.view.editor.toggle_expanded("model_1")
    assert "once its inputs are connected" in said.args[0]


# -- what is shown
def test_blocks_show_their_problems_and_counts(canvas: Canvas) -> None:
    item = canvas.view.design_scene.blocks["model_2"]
    assert [problem.code for problem in item.problems] == ["cannot_generate"]  # 44 symbols in, 22 out
    without(canvas, STATES)
    assert "initial_states" in item.problems[0].text
    assert "Nothing is connected" in item.tool_tip(item.badge.center())
    assert "Nothing is connected" in item.description()
    assert "8,192 parameters" in canvas.view.design_scene.blocks["model_1"].description()


def test_a_wire_that_does_not_fit_any_more_is_shown_as_wrong(canvas: Canvas) -> None:
    from seqdec_gui.domain.kinds.dense_states import DenseStates

    canvas.document.edit(canvas.design.with_parameters("model_1", DenseStates(units=(64,))), "Set units")
    wire = canvas.view.design_scene.wires[link(STATES)]
    assert "expected states[LSTM 128, LSTM 128], got states[LSTM 64]" in wire.problem
    canvas.document.undo_stack.undo()
    assert not wire.problem


def test_an_empty_design_says_how_to_begin(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, Design())
    assert canvas.view.overlays.empty_state.isVisible()
    canvas.view.editor.add_block("vector")
    assert not canvas.view.overlays.empty_state.isVisible()
    canvas.document.undo_stack.undo()
    assert canvas.view.overlays.empty_state.isVisible()


def test_a_theme_change_repaints_with_the_new_colours(canvas: Canvas) -> None:
    from seqdec_gui.gui.look import theme

    theme.set_mode("light")
    light = canvas.view.grab().toImage().pixelColor(2, 2)
    theme.set_mode("dark")
    try:
        dark = canvas.view.grab().toImage().pixelColor(2, 2)
        assert light.lightness() > 200 > 60 > dark.lightness()
    finally:
        theme.set_mode("light")


def test_ports_of_one_name_on_both_sides_are_told_apart(qtbot: QtBot) -> None:
    same = block("same", "keras_model", file="a.keras", model_inputs=[{"name": "x", "shape": [4]}],
                 model_outputs=[{"name": "x", "shape": [4]}])  # fmt: skip
    canvas = Canvas(qtbot, design([block("a", "vector", width=4), same, block("loss", "loss")], ["a.output -> same.x"]))
    canvas.view.editor.auto_layout()
    assert canvas.view.port_point("same", "x", is_output=False).x() < canvas.view.port_point("same", "x").x()
    canvas.drag_wire("same.x", "loss.predictions")
    assert "same.x -> loss.predictions" in canvas.links()


def test_a_design_file_with_loose_ends_is_shown(qtbot: QtBot) -> None:
    loose = design(
        [block("a", "vector"), block("far", "loss"), block("", "vector")],
        ["a.output -> nobody.inputs", "a.nothing -> far.predictions", "a.output -> far.predictions", "far.x -> a.y"],
    ).moved({"far": (1e300, -1e300)})
    canvas = Canvas(qtbot, loose)
    assert set(canvas.view.design_scene.wires) == {link("a.output -> far.predictions")}
    canvas.view.editor.auto_layout()
    assert QApplication.instance() is not None
    assert End(link("a.output -> far.predictions").source, True) in canvas.view.design_scene.blocks["a"].rows
