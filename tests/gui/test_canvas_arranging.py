"""Aligning, distributing, and the clipboard; and which of the window's actions on the canvas can act."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from PyQt5.QtCore import QMimeData, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QApplication
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.annotations import Note
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.gui.pages.design.clipboard import MAX_TEXT, MIME
from seqdec_gui.gui.window.main_window import MainWindow
from tests.domain.designs import archetype
from tests.gui.canvas_driver import Canvas

Find = Callable[..., Any]


@pytest.fixture
def canvas(qtbot: QtBot) -> Iterator[Canvas]:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.document.undo_stack.clear()
    yield canvas
    QApplication.clipboard().clear()


# -- arranging, by the keys of the window's actions
@pytest.mark.parametrize(
    ("key", "edge"),
    [
        (Qt.Key_Left, lambda box: box.left()), (Qt.Key_Right, lambda box: box.right()), (Qt.Key_Up, lambda box: box.top()),
        (Qt.Key_Down, lambda box: box.bottom()), (Qt.Key_C, lambda box: box.center().x()),
        (Qt.Key_E, lambda box: box.center().y()),
    ],
)  # fmt: skip
def test_blocks_are_aligned_in_one_step(archetype: MainWindow, key: Qt.Key, edge: Callable[[Any], float]) -> None:
    view = archetype.design_view
    view.setFocus()
    archetype.document.select(["latent", "model_2", "loss"])
    QTest.keyClick(archetype, key, Qt.ControlModifier | Qt.ShiftModifier)
    boxes = [view.design_scene.bounds([one]) for one in ("latent", "model_2", "loss")]
    assert len({edge(box) for box in boxes}) == 1
    assert archetype.document.undo_stack.count() == 1
    assert archetype.document.undo_stack.undoText() == "Align 3 blocks"


def test_gaps_are_made_equal(archetype: MainWindow) -> None:
    view = archetype.design_view
    chosen = ["latent", "model_1", "model_2", "loss"]
    archetype.document.select(chosen)
    QTest.keyClick(archetype, Qt.Key_H, Qt.ControlModifier | Qt.AltModifier)
    boxes = [view.design_scene.bounds([one]) for one in chosen]
    gaps = {round(b.left() - a.right(), 6) for a, b in pairwise(boxes)}
    assert len(gaps) == 1
    assert archetype.document.undo_stack.count() == 1


def test_no_key_belongs_to_two_actions(window: MainWindow) -> None:
    keys = [(keys.toString(), action.objectName()) for action in window.findChildren(QAction) for keys in action.shortcuts()]
    taken = Counter(key for key, _ in keys)
    assert [pair for pair in keys if taken[pair[0]] > 1] == []


def test_actions_are_enabled_only_where_they_can_act(archetype: MainWindow, find: Find, qtbot: QtBot) -> None:
    def enabled(name: str) -> bool:
        return bool(find(QAction, f"action_{name}").isEnabled())

    QApplication.clipboard().clear()
    names = ("delete", "cut", "paste", "align_left", "distribute_down", "connect_new")
    assert not any(enabled(name) for name in names)
    archetype.document.select(["latent"])
    assert [enabled(name) for name in names] == [True, True, False, False, False, True]
    archetype.document.select(["latent", "loss"])
    assert [enabled(name) for name in names] == [True, True, False, True, False, False]
    archetype.document.select([])
    archetype.design_view.design_scene.select_links([archetype.document.design.links[0]])
    assert [enabled(name) for name in names] == [True, False, False, False, False, False]
    archetype.design_view.design_scene.select_links([])
    archetype.document.edit(archetype.document.design.with_annotation(Note("note_1")), "Note")
    archetype.design_view.design_scene.annotations.select(["note_1"])
    assert enabled("delete")
    QApplication.clipboard().setText("a shopping list")
    assert not enabled("paste")
    QApplication.clipboard().setText(design_file.dumps(Design()))
    assert enabled("paste")
    archetype.pages.show_page("data")
    assert not any(enabled(name) for name in names)
    QApplication.clipboard().clear()


# -- the clipboard
def test_blocks_go_from_one_window_to_another(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.document.select(["model_1", "model_2"])
    canvas.key(Qt.Key_C, Qt.ControlModifier)
    text = QApplication.clipboard().text()
    assert '"training"' not in text
    assert '"data"' not in text
    other = Canvas(qtbot, archetype())
    other.key(Qt.Key_V, Qt.ControlModifier)
    assert "model_3.states -> model_4.initial_states" in other.links()
    other.key(Qt.Key_Z, Qt.ControlModifier)
    assert other.design == archetype()


def test_more_than_the_view_has_room_for_is_seen_whole_after_a_paste(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.key(Qt.Key_A, Qt.ControlModifier)
    canvas.key(Qt.Key_C, Qt.ControlModifier)
    other = Canvas(qtbot, Design(), 700, 500)
    other.key(Qt.Key_V, Qt.ControlModifier)
    assert len(other.design.blocks) == 5
    assert other.view.visible_rect().contains(other.view.design_scene.bounds())


@pytest.mark.parametrize("back", [(Qt.Key_Z, Qt.ControlModifier), (Qt.Key_Delete, Qt.NoModifier)], ids=["undo", "delete"])
def test_wires_no_longer_go_round_a_block_that_is_gone(canvas: Canvas, back: tuple[Any, Any]) -> None:
    scene = canvas.view.design_scene
    stretches = [(link, *pair) for link, path in scene.router.routes.items() for pair in pairwise(path)]
    link, a, b = max(stretches, key=lambda stretch: abs(stretch[2][0] - stretch[1][0]))
    straight = scene.router.routes[link]
    block = Block("in_the_way", Loss(), ((a[0] + b[0]) / 2 - 60, a[1] - 30))
    canvas.document.edit(canvas.design.with_block(block), "Add", select=["in_the_way"])
    assert scene.router.routes[link] != straight
    canvas.key(*back)
    assert not canvas.design.has("in_the_way")
    assert scene.router.routes[link] == straight


def test_text_that_a_person_wrote_is_pasted(canvas: Canvas) -> None:
    QApplication.clipboard().setText('  {"format": 1, "blocks": [{"id": "latent", "kind": "vector"}], "notes": [{"id": "n"}]}')
    canvas.key(Qt.Key_V, Qt.ControlModifier)
    assert canvas.design.has("latent_2")
    assert [note.id for note in canvas.design.notes] == ["note_1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "holds no blocks"),
        ('{"format": 1}', "holds no blocks"),
        ('{"format": 1, "blocks": [', "holds no blocks"),
        ("[" * 100_000, "holds no blocks"),
        ('{"format": 99, "blocks": []}', "format 99"),
        ('{"format": 1, "blocks": [{"id": "a", "kind": "vector", "parameters": {"width": -3}}]}', "received -3"),
        ('{"format": 1, "frames": [{"id": "a", "color": "pink"}]}', "'pink'"),
        ("\ud800 half a letter", "holds no blocks"),
        ('{"format": 1}' + " " * MAX_TEXT, "16 MiB"),
    ],
    ids=["prose", "empty", "cut off", "deep", "newer", "wrong value", "wrong frame", "broken letter", "too long"],
)
def test_foreign_and_broken_text_is_refused_in_a_sentence(canvas: Canvas, text: str, said: str) -> None:
    QApplication.clipboard().setText(text)
    before = canvas.design
    with canvas.qtbot.waitSignal(canvas.view.editor.refused) as refused:
        canvas.key(Qt.Key_V, Qt.ControlModifier)
    assert said in refused.args[0]
    assert canvas.design is before


def test_bytes_that_are_no_text_are_refused(canvas: Canvas) -> None:
    content = QMimeData()
    content.setData(MIME, b"\xff\xfe{\x00")
    QApplication.clipboard().setMimeData(content)
    with canvas.qtbot.waitSignal(canvas.view.editor.refused):
        canvas.key(Qt.Key_V, Qt.ControlModifier)


def test_too_many_blocks_are_refused(canvas: Canvas) -> None:
    block = '{"id": "a", "kind": "vector"}'
    QApplication.clipboard().setText(f'{{"format": 1, "blocks": [{", ".join([block] * 2001)}]}}')
    with canvas.qtbot.waitSignal(canvas.view.editor.refused) as refused:
        canvas.key(Qt.Key_V, Qt.ControlModifier)
    assert "2,001 blocks" in refused.args[0]
