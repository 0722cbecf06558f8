"""The outline: the same graph as a tree, for the keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QItemSelectionModel, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QLineEdit, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.kinds.inputs import Vector
from seqdec_gui.gui.dialogs.connect import ConnectDialog
from seqdec_gui.gui.panels.outline import Outline
from tests.domain.designs import archetype, block, design, link
from tests.gui.canvas_driver import Canvas

STATES = "model_1.states -> model_2.initial_states"


class Tree(Canvas):
    def __init__(self, qtbot: QtBot, of: object = None) -> None:
        super().__init__(qtbot, of or archetype())  # type: ignore[arg-type]
        self.outline = Outline(self.view)
        qtbot.addWidget(self.outline)
        self.show(self.outline, 320, 600)
        self.outline.setFocus()

    def lines(self) -> list[str]:
        self.outline.refresh()
        found: list[str] = []

        def walk(item: QTreeWidgetItem, depth: int) -> None:
            found.append("  " * depth + item.text(0))
            for i in range(item.childCount()):
                walk(item.child(i), depth + 1)

        for i in range(self.outline.topLevelItemCount()):
            walk(self.outline.topLevelItem(i), 0)
        return found

    def item(self, text: str) -> QTreeWidgetItem:
        self.outline.refresh()
        return self.outline.findItems(text, Qt.MatchStartsWith | Qt.MatchRecursive)[0]


@pytest.fixture
def tree(qtbot: QtBot) -> Iterator[Tree]:
    tree = Tree(qtbot)
    yield tree
    tree.outline.refresh()


def test_the_tree_says_what_the_canvas_shows(tree: Tree) -> None:
    assert tree.lines()[:8] == [
        "latent  ·  Vector",
        "  output: (None, 11)",
        "    to model_1.inputs",
        "decoder_inputs  ·  Token sequence",
        "  output: (None, 33, 44)",
        "    to model_2.inputs",
        "model_1  ·  Dense to states",
        "  inputs: (None, 11)",
    ]


def test_the_tree_follows_edits_and_undo(tree: Tree) -> None:
    before = tree.lines()
    tree.document.edit(tree.design.with_parameters("latent", Vector(width=5)), "Set width")
    tree.document.edit(tree.design.without_blocks(["loss"]).renamed("model_1", "m"), "Edit")
    lines = tree.lines()
    assert "  output: (None, 5)" in lines
    assert "m  ·  Dense to states" in lines
    assert not any(line.startswith("loss") for line in lines)
    tree.document.undo_stack.setIndex(0)
    assert tree.lines() == before


def test_changes_reach_the_tree_by_themselves(tree: Tree) -> None:
    tree.document.edit(tree.design.with_parameters("latent", Vector(width=7)), "Set width")
    tree.qtbot.waitUntil(lambda: tree.outline.topLevelItem(0).child(0).text(0) == "output: (None, 7)")


def test_expanded_lines_stay_expanded(tree: Tree) -> None:
    tree.item("model_2").setExpanded(True)
    tree.document.edit(tree.design.with_parameters("latent", Vector(width=5)), "Set width")
    tree.document.edit(tree.design.without_blocks(["latent"]), "Delete")
    assert tree.item("model_2").isExpanded()


def test_the_selection_is_shared_with_the_canvas(tree: Tree) -> None:
    alone = QItemSelectionModel.ClearAndSelect  # whatever keys an earlier test has left pressed
    tree.outline.setCurrentItem(tree.item("model_2"), 0, alone)
    assert tree.document.selection == {"model_2"}
    tree.document.select(["latent", "loss"])
    assert {item.text(0).split()[0] for item in tree.outline.selectedItems()} == {"latent", "loss"}
    tree.outline.setCurrentItem(tree.item("from model_1.states"), 0, alone)
    assert tree.document.selection == {"model_2"}
    assert tree.view.design_scene.selected_links == {link(STATES)}


def test_f2_renames_in_place(tree: Tree) -> None:
    tree.outline.setCurrentItem(tree.item("model_1"))
    QTest.keyClick(tree.outline, Qt.Key_F2)
    field = tree.outline.findChild(QLineEdit)
    assert field.text() == "model_1"
    QTest.keyClicks(field, "encoder")
    QTest.keyClick(field, Qt.Key_Return)
    tree.qtbot.waitUntil(lambda: tree.design.has("encoder"))
    assert tree.item("encoder").text(0) == "encoder  ·  Dense to states"
    assert tree.document.selection == {"encoder"}


@pytest.mark.parametrize("name", ["loss", "1 a", ""])
def test_a_name_that_cannot_be_is_refused_and_the_line_restored(tree: Tree, name: str) -> None:
    tree.outline.setCurrentItem(tree.item("model_1"))
    QTest.keyClick(tree.outline, Qt.Key_F2)
    field = tree.outline.findChild(QLineEdit)
    field.selectAll()
    QTest.keyClick(field, Qt.Key_Delete)
    QTest.keyClicks(field, name)
    with tree.qtbot.waitSignal(tree.view.editor.refused):
        QTest.keyClick(field, Qt.Key_Return)
    assert tree.design.has("model_1")
    assert tree.item("model_1").text(0) == "model_1  ·  Dense to states"


def test_leaving_a_name_as_it_is_restores_the_line(tree: Tree) -> None:
    tree.outline.setCurrentItem(tree.item("model_1"))
    QTest.keyClick(tree.outline, Qt.Key_F2)
    QTest.keyClick(tree.outline.findChild(QLineEdit), Qt.Key_Escape)
    tree.qtbot.waitUntil(lambda: tree.item("model_1").text(0) == "model_1  ·  Dense to states")
    assert tree.document.undo_stack.count() == 0


def test_delete_removes_blocks_or_wires(tree: Tree) -> None:
    tree.outline.setCurrentItem(tree.item("from model_1.states"))
    QTest.keyClick(tree.outline, Qt.Key_Delete)
    assert STATES not in tree.links()
    assert tree.design.has("model_2")
    tree.outline.setCurrentItem(tree.item("model_1"))
    QTest.keyClick(tree.outline, Qt.Key_Delete)
    assert not tree.design.has("model_1")
    tree.document.undo_stack.setIndex(0)
    assert tree.design == archetype()


def test_delete_on_a_port_does_nothing(tree: Tree) -> None:
    tree.outline.setCurrentItem(tree.item("initial_states"))
    QTest.keyClick(tree.outline, Qt.Key_Delete)
    assert tree.design == archetype()


def test_connect_to_draws_a_wire_from_a_port(tree: Tree) -> None:
    tree.document.edit(tree.design.unlinked([link(STATES)]), "Prepare")
    tree.outline.setCurrentItem(tree.item("states: LSTM 128 × 2"))
    QTest.keyClick(tree.outline, Qt.Key_C)
    dialog = tree.outline.findChild(ConnectDialog)
    enabled = [
        dialog.targets.item(i).text()
        for i in range(dialog.targets.count())
        if dialog.targets.item(i).flags() & Qt.ItemIsEnabled
    ]
    assert [text.splitlines()[0] for text in enabled] == ["model_1.states → model_2.initial_states"]
    QTest.keyClick(dialog.filter, Qt.Key_Return)
    tree.qtbot.waitUntil(lambda: STATES in tree.links())


def test_problems_are_told_at_the_line(tree: Tree) -> None:
    tree.document.edit(tree.design.unlinked([link(STATES)]), "Prepare")
    port = tree.item("initial_states")
    assert "Nothing is connected" in port.toolTip(0)
    assert "Nothing is connected" in tree.item("model_2").data(0, Qt.AccessibleTextRole)


def test_wires_without_an_end_can_be_deleted(qtbot: QtBot) -> None:
    tree = Tree(qtbot, design([block("a", "vector")], ["a.output -> nobody.inputs"]))
    assert tree.lines()[-2:] == ["Wires without an end", "  a.output -> nobody.inputs"]
    tree.outline.setCurrentItem(tree.item("a.output -> nobody"))
    QTest.keyClick(tree.outline, Qt.Key_Delete)
    assert tree.design.links == ()
    assert "Wires without an end" not in tree.lines()
