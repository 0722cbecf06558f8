"""The canvas without a mouse: keys, clipboard, menus, and *Connect to...*."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QContextMenuEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.dialogs.connect import ConnectDialog
from seqdec_gui.gui.pages.design.clipboard import MIME
from seqdec_gui.gui.pages.design.fields import RenameField
from tests.domain.designs import archetype, block, design, link
from tests.gui.canvas_driver import Canvas

STATES = "model_1.states -> model_2.initial_states"


@pytest.fixture
def canvas(qtbot: QtBot) -> Iterator[Canvas]:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.document.undo_stack.clear()
    yield canvas
    QApplication.clipboard().clear()


# -- walking and moving
def test_tab_walks_along_the_flow_and_describes_each_block(canvas: Canvas) -> None:
    seen, said = [], []
    canvas.view.editor.announced.connect(said.append)
    for _ in range(5):
        canvas.key(Qt.Key_Tab)
        seen.append(canvas.view.editor.only_selected())
    assert seen.index("latent") < seen.index("model_1") < seen.index("model_2") < seen.index("loss")
    assert "Recurrent decoder model_2; input inputs float32 (None, 33, 44)" in said[seen.index("model_2")]
    canvas.key(Qt.Key_Backtab, Qt.ShiftModifier)
    assert canvas.view.editor.only_selected() == seen[-2]
    assert canvas.view.design_scene.blocks[seen[-2]].focused


def test_arrows_nudge_as_one_step(canvas: Canvas) -> None:
    before = canvas.design.block("loss").position
    canvas.document.select(["loss"])
    for _ in range(3):
        canvas.key(Qt.Key_Right)
    canvas.key(Qt.Key_Down, Qt.ShiftModifier)
    assert canvas.design.block("loss").position == (before[0] + 30, before[1] + 1)
    assert canvas.document.undo_stack.count() == 1
    canvas.key(Qt.Key_Z, Qt.ControlModifier)
    assert canvas.design.block("loss").position == before
    canvas.key(Qt.Key_Z, Qt.ControlModifier | Qt.ShiftModifier)
    assert canvas.design.block("loss").position == (before[0] + 30, before[1] + 1)


def test_arrows_pan_when_nothing_is_selected(canvas: Canvas) -> None:
    before = canvas.view.block_rect("loss").left()
    canvas.key(Qt.Key_Right)
    assert canvas.view.block_rect("loss").left() == before - 60


def test_enter_asks_for_the_parameters(canvas: Canvas) -> None:
    canvas.document.select(["model_1"])
    with canvas.qtbot.waitSignal(canvas.view.editor.edit_requested) as asked:
        canvas.key(Qt.Key_Return)
    assert asked.args == ["model_1"]


# -- clipboard
def test_copies_get_new_names_and_keep_their_wires(canvas: Canvas) -> None:
    canvas.document.select(["model_1", "model_2"])
    canvas.key(Qt.Key_C, Qt.ControlModifier)
    canvas.key(Qt.Key_V, Qt.ControlModifier)
    assert canvas.document.selection == {"model_3", "model_4"}
    pasted = sorted(canvas.document.selection)
    assert f"{pasted[0]}.states -> {pasted[1]}.initial_states" in canvas.links()
    assert canvas.design.block(pasted[0]).parameters == canvas.design.block("model_1").parameters
    canvas.key(Qt.Key_V, Qt.ControlModifier)
    assert len(canvas.design.blocks) == 9
    places = [b.position for b in canvas.design.blocks]
    assert len(set(places)) == len(places)
    canvas.document.undo_stack.undo()
    canvas.document.undo_stack.undo()
    assert canvas.design == canvas.design.without_blocks(pasted)


@pytest.mark.parametrize("key", [Qt.Key_V, Qt.Key_D], ids=["paste", "duplicate"])
@pytest.mark.parametrize("name", ["latent-to-sequence", "sequence-to-sequence-with-attention", "language-model"])
def test_copies_cover_nothing_and_are_seen(qtbot: QtBot, name: str, key: Qt.Key) -> None:
    """One block and many, several times, with a note and a frame: names and ports stay visible."""
    canvas = Canvas(qtbot, design_file.load(resource_files.path(f"templates/{name}.seqdec")))
    canvas.view.annotating.add_note()
    canvas.view.annotating.add_frame()
    canvas.key(Qt.Key_Escape)
    for chosen in (canvas.view.block_ids()[-1:], canvas.view.block_ids()):
        canvas.view.setFocus()
        canvas.document.select(chosen)
        canvas.key(Qt.Key_C, Qt.ControlModifier)
        for _ in range(2):
            before = set(canvas.view.block_ids())
            canvas.key(key, Qt.ControlModifier)
            rects = {block_id: canvas.view.design_scene.rect_of(block_id) for block_id in canvas.view.block_ids()}
            copies = rects.keys() - before
            assert len(copies) == len(chosen)
            assert [(one, two) for one, two in itertools.combinations(rects, 2) if rects[one].meets(rects[two])] == []
            if len(chosen) == 1:
                (copy,) = copies
                assert canvas.view.viewport().rect().contains(canvas.view.block_rect(copy))
            canvas.document.select(chosen)
    canvas.key(Qt.Key_A, Qt.ControlModifier)
    canvas.key(key, Qt.ControlModifier)
    QApplication.clipboard().clear()


def test_undoing_a_paste_shows_what_is_left(canvas: Canvas) -> None:
    """The copy of a whole design is scrolled to; without it, the canvas would be empty."""
    for _ in range(4):
        canvas.key(Qt.Key_Plus, Qt.ControlModifier)

    def seen() -> list[str]:
        shown = canvas.view.viewport().rect()
        return [block_id for block_id in canvas.view.block_ids() if shown.intersects(canvas.view.block_rect(block_id))]

    canvas.key(Qt.Key_A, Qt.ControlModifier)
    canvas.key(Qt.Key_C, Qt.ControlModifier)
    for _ in range(3):
        canvas.key(Qt.Key_V, Qt.ControlModifier)
        assert seen()
    for _ in range(3):
        canvas.key(Qt.Key_Z, Qt.ControlModifier)
        assert seen()
    canvas.view.pan(5000, 0)
    canvas.document.select(["model_1"])
    canvas.key(Qt.Key_Right)
    assert seen() == []  # who looks elsewhere stays there


def test_a_block_that_was_cut_is_pasted_where_it_was(canvas: Canvas) -> None:
    before = canvas.design.block("model_1").position
    canvas.document.select(["model_1"])
    canvas.key(Qt.Key_X, Qt.ControlModifier)
    canvas.key(Qt.Key_V, Qt.ControlModifier)
    assert canvas.design.block("model_1").position == before


def test_cut_and_paste_move_blocks(canvas: Canvas) -> None:
    canvas.document.select(["model_1", "model_2"])
    canvas.key(Qt.Key_X, Qt.ControlModifier)
    assert canvas.view.block_ids() == ("latent", "decoder_inputs", "loss")
    canvas.key(Qt.Key_V, Qt.ControlModifier)
    assert {"model_1", "model_2"} <= set(canvas.view.block_ids())
    assert canvas.links() == {STATES}


def test_the_clipboard_holds_a_design_that_others_can_read(canvas: Canvas) -> None:
    canvas.document.select(["model_1"])
    canvas.view.editor.copy()
    content = QApplication.clipboard().mimeData()
    assert content.hasFormat(MIME)
    assert [b.id for b in design_file.loads(content.text()).blocks] == ["model_1"]


@pytest.mark.parametrize("text", ["hello", "{}", '{"format": 1, "blocks": [{"id": "x", "kind": "nonsense"}]}', ""])
def test_a_clipboard_without_blocks_is_refused(canvas: Canvas, text: str) -> None:
    QApplication.clipboard().setText(text)
    before = canvas.design
    with canvas.qtbot.waitSignal(canvas.view.editor.refused) as said:
        canvas.key(Qt.Key_V, Qt.ControlModifier)
    assert "holds no blocks" in said.args[0]
    assert canvas.design is before


def test_duplicates_are_fed_like_their_originals(canvas: Canvas) -> None:
    canvas.document.select(["model_1"])
    canvas.key(Qt.Key_D, Qt.ControlModifier)
    (copy,) = canvas.document.selection
    assert f"latent.output -> {copy}.inputs" in canvas.links()
    assert not any(one.startswith(f"{copy}.") for one in canvas.links())


def test_a_copy_of_a_copy_counts_on(canvas: Canvas) -> None:
    canvas.document.select(["loss"])
    canvas.view.editor.duplicate()
    canvas.view.editor.duplicate()
    assert canvas.view.block_ids()[-2:] == ("loss_2", "loss_3")


# -- deleting and renaming
def test_deleting_blocks_takes_their_wires_along(canvas: Canvas) -> None:
    before = canvas.design
    canvas.document.select(["model_1", "loss"])
    canvas.key(Qt.Key_Delete)
    assert canvas.links() == {"decoder_inputs.output -> model_2.inputs"}
    canvas.document.undo_stack.undo()
    assert canvas.design == before
    canvas.key(Qt.Key_A, Qt.ControlModifier)
    canvas.key(Qt.Key_Backspace)
    assert canvas.design.blocks == ()


def rename_to(canvas: Canvas, name: str) -> RenameField:
    canvas.document.select(["model_1"])
    canvas.key(Qt.Key_F2)
    field = canvas.view.findChild(RenameField)
    canvas.qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, name)
    return field


def test_f2_renames_over_the_title(canvas: Canvas) -> None:
    field = rename_to(canvas, "encoder")
    QTest.keyClick(field, Qt.Key_Return)
    assert canvas.design.has("encoder")
    assert "encoder.states -> model_2.initial_states" in canvas.links()
    assert canvas.document.selection == {"encoder"}
    canvas.qtbot.waitUntil(canvas.view.hasFocus)


def test_a_name_that_cannot_be_stays_to_be_mended(canvas: Canvas) -> None:
    field = rename_to(canvas, "loss")
    assert field.property("invalid") is True
    assert "must differ" in field.toolTip()
    QTest.keyClick(field, Qt.Key_Return)
    assert field.isVisible()
    QTest.keyClicks(field, "y")
    assert field.property("invalid") is False
    QTest.keyClick(field, Qt.Key_Escape)
    assert not field.isVisible()
    assert canvas.design.has("model_1")


# -- Connect to...
def open_dialog(canvas: Canvas, block_id: str) -> ConnectDialog:
    canvas.document.select([block_id])
    canvas.key(Qt.Key_C)
    dialog = canvas.view.findChild(ConnectDialog)
    canvas.qtbot.waitUntil(dialog.filter.hasFocus)
    return dialog


def test_connect_to_offers_what_fits_and_says_why_others_do_not(canvas: Canvas) -> None:
    canvas.document.edit(canvas.design.unlinked([link(STATES)]), "Prepare")
    dialog = open_dialog(canvas, "model_1")
    rows = {dialog.targets.item(i).text(): dialog.targets.item(i).flags() for i in range(dialog.targets.count())}
    good = [text.splitlines()[0] for text, flags in rows.items() if flags & Qt.ItemIsEnabled]
    assert good[0] == "model_1.states → model_2.initial_states"
    refused = next(text for text in rows if text.startswith("model_1.states → loss.predictions"))
    assert not rows[refused] & Qt.ItemIsEnabled
    assert "Expected predictions" in refused
    QTest.keyClick(dialog.filter, Qt.Key_Return)
    canvas.qtbot.waitUntil(lambda: STATES in canvas.links())


def test_connect_to_can_be_searched_and_goes_through_an_adapter(canvas: Canvas) -> None:
    canvas.document.edit(canvas.design.without_blocks(["model_1"]), "Prepare")
    dialog = open_dialog(canvas, "latent")
    QTest.keyClicks(dialog.filter, "initial through")
    assert dialog.targets.count() == 1
    QTest.keyClick(dialog.filter, Qt.Key_Return)
    canvas.qtbot.waitUntil(lambda: "to_states.states -> model_2.initial_states" in canvas.links())


def test_connect_to_without_other_ports_says_so(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, design([block("alone", "vector")], []))
    dialog = open_dialog(canvas, "alone")
    assert dialog.targets.count() == 0
    assert dialog._nothing.isVisible()
    QTest.keyClick(dialog.filter, Qt.Key_Escape)
    qtbot.waitUntil(lambda: not dialog.isVisible())


# -- menus
def menu_at(canvas: Canvas, point: QPoint) -> QMenu:
    event = QContextMenuEvent(QContextMenuEvent.Mouse, point, canvas.view.viewport().mapToGlobal(point))
    QApplication.sendEvent(canvas.view.viewport(), event)
    canvas.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def choose(canvas: Canvas, menu: QMenu, text: str) -> None:
    action = next(action for action in menu.actions() if action.text().partition("\t")[0] == text)
    assert action.isEnabled()
    QTest.mouseClick(menu, Qt.LeftButton, Qt.NoModifier, menu.actionGeometry(action).center())
    canvas.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)


def test_menus_of_block_wire_and_canvas_do_what_they_say(canvas: Canvas) -> None:
    menu = menu_at(canvas, canvas.title("model_2"))
    assert menu.objectName() == "menu_block"
    assert canvas.document.selection == {"model_2"}
    choose(canvas, menu, "Disconnect all wires")
    assert canvas.links() == {"latent.output -> model_1.inputs"}
    menu = menu_at(canvas, canvas.view.wire_point("latent.output", "model_1.inputs"))
    assert menu.objectName() == "menu_wire"
    choose(canvas, menu, "Remove wire")
    assert not canvas.links()
    menu = menu_at(canvas, canvas.nowhere())
    assert menu.objectName() == "menu_canvas"
    choose(canvas, menu, "Select all")
    assert len(canvas.document.selection) == 5
    choose(canvas, menu_at(canvas, canvas.title("model_2")), "Delete")
    assert canvas.design.blocks == ()


def test_a_block_is_added_from_the_menu_where_the_mouse_is(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, Design())
    menu = menu_at(canvas, QPoint(300, 200))
    add = next(action.menu() for action in menu.actions() if action.menu() is not None)
    next(action for action in add.actions() if action.text() == "Vector").trigger()
    menu.close()
    assert canvas.view.block_ids() == ("vector",)
    assert (canvas.view.block_rect("vector").topLeft() - QPoint(300, 200)).manhattanLength() < 25


def test_the_menu_key_opens_the_menu_of_the_selected_block(canvas: Canvas) -> None:
    canvas.document.select(["loss"])
    event = QContextMenuEvent(QContextMenuEvent.Keyboard, QPoint(0, 0))
    QApplication.sendEvent(canvas.view.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert menu.objectName() == "menu_block"
    menu.close()


def test_typing_in_the_rename_field_reaches_no_shortcut_of_the_canvas(canvas: Canvas) -> None:
    field = rename_to(canvas, "ce")
    assert isinstance(field, QLineEdit)
    assert field.text() == "ce"
    assert not canvas.view.findChildren(ConnectDialog)
    QTest.keyClick(field, Qt.Key_Escape)
