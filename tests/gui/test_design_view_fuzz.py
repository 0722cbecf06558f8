"""Random sequences of what users do: nothing crashes, the canvas shows the design, and undoing all gives the first design.

200 sequences; as many as SEQDEC_FUZZ_SEQUENCES says otherwise. A failure names its seed: SEQDEC_FUZZ_SEED repeats it alone.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import msgspec
import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.catalog import KINDS, fields
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.link_judge import End
from seqdec_gui.gui.dialogs.connect import choices, starts_of
from seqdec_gui.gui.panels.outline import Outline
from tests.domain.designs import archetype
from tests.gui.canvas_driver import Canvas
from tests.gui.test_design_view_layout import tangle

SEQUENCES = int(os.environ.get("SEQDEC_FUZZ_SEQUENCES", "200"))
QUICK = min(40, SEQUENCES)
SEED = os.environ.get("SEQDEC_FUZZ_SEED")
ACTIONS = 12
MOST_BLOCKS = 16
KEYS = (
    (Qt.Key_Delete, Qt.NoModifier), (Qt.Key_Right, Qt.NoModifier), (Qt.Key_Up, Qt.ShiftModifier), (Qt.Key_Tab, Qt.NoModifier),
    (Qt.Key_C, Qt.ControlModifier), (Qt.Key_X, Qt.ControlModifier), (Qt.Key_V, Qt.ControlModifier),
    (Qt.Key_D, Qt.ControlModifier), (Qt.Key_A, Qt.ControlModifier), (Qt.Key_Escape, Qt.NoModifier), (Qt.Key_E, Qt.NoModifier),
    (Qt.Key_L, Qt.ControlModifier), (Qt.Key_F, Qt.NoModifier), (Qt.Key_Plus, Qt.ControlModifier),
    (Qt.Key_Minus, Qt.ControlModifier), (Qt.Key_Z, Qt.ControlModifier), (Qt.Key_Z, Qt.ControlModifier),
    (Qt.Key_Y, Qt.ControlModifier), (Qt.Key_Z, Qt.ControlModifier | Qt.ShiftModifier), (Qt.Key_Return, Qt.NoModifier),
)  # fmt: skip


class User:
    """Does one random thing after the other."""

    def __init__(self, canvas: Canvas, outline: Outline) -> None:
        self.canvas, self.view, self.document, self.outline = canvas, canvas.view, canvas.document, outline
        self.random = random.Random(0)
        self.actions: tuple[Callable[[], None], ...] = (
            self.draw_wire, self.draw_wire, self.draw_wire, self.drag_block, self.drag_anything, self.drag_anything,
            self.place, self.place, self.press_key, self.press_key, self.press_key, self.press_key, self.set_parameter,
            self.set_parameter, self.rename, self.press_key_while_dragging, self.accept_offer, self.connect_by_list, self.wheel,
            self.click, self.delete_in_outline, self.select_some, self.double_click, self.annotate, self.annotate,
        )  # fmt: skip

    def play(self, seed: int) -> None:
        self.random.seed(seed)
        first = self.random.choice((Design(), archetype(), tangle(8, seed)))
        self.document.new(first)
        self.view.fit()
        done = []
        for _ in range(ACTIONS):
            action = self.random.choice(self.actions)
            done.append(action.__name__)
            try:
                action()
                self.answer_list()
                self.look()
            except BaseException as error:
                error.add_note(f"SEQDEC_FUZZ_SEED={seed}: {', '.join(done)}")
                raise
            if len(self.document.design.blocks) > MOST_BLOCKS:
                self.document.select(self.view.block_ids()[MOST_BLOCKS // 2 :])
                self.view.editor.delete()
        last, steps = self.document.design, self.document.undo_stack.index()
        while self.document.undo_stack.canUndo():
            self.document.undo_stack.undo()
        assert self.document.design == first, f"SEQDEC_FUZZ_SEED={seed}: {', '.join(done)}"
        self.look()
        self.document.undo_stack.setIndex(steps)
        assert self.document.design == last, f"SEQDEC_FUZZ_SEED={seed}: {', '.join(done)}"
        self.look()

    def look(self) -> None:
        """What is shown is the design."""
        scene, design = self.view.design_scene, self.document.design
        scene.finish_routes()
        assert set(scene.blocks) == {block.id for block in design.blocks}
        assert set(scene.wires) <= set(design.links)
        assert len(design.links) == len({link.target for link in design.links})
        assert self.view.interaction.gesture is None
        assert self.document.selection <= set(scene.blocks)
        assert {key for key, item in scene.blocks.items() if item.selected} == self.document.selection
        for block in design.blocks:
            item = scene.blocks[block.id]
            assert (item.x(), item.y()) == block.position
            assert item.targets is None
            assert scene.router.blocks.rects[block.id] == scene.rect_of(block.id)
        for link, wire in scene.wires.items():
            assert wire.points == scene.router.routes[link]
            source, target = scene.anchor(End(link.source, True)), scene.anchor(End(link.target, False))
            assert (wire.points[0], wire.points[-1]) == ((source.x(), source.y()), (target.x(), target.y()))
            assert not wire.faded
        drawn = scene.annotations
        assert {key: (item.annotation, (item.x(), item.y())) for key, item in drawn.items.items()} == {
            one.id: (one, one.position) for one in design.annotations
        }
        assert {key for key, item in drawn.items.items() if item.selected} == drawn.selected
        assert len(scene.items()) == len(scene.blocks) + 2 * len(scene.wires) + len(drawn.items)

    # -- what users do
    def point(self) -> QPoint:
        room = self.view.viewport().rect()
        return QPoint(self.random.randrange(5, room.width() - 5), self.random.randrange(5, room.height() - 5))

    def port(self, outputs: bool | None = None) -> QPoint | None:
        rows = [
            (item, row) for item in self.view.design_scene.blocks.values() for row in item.rows.values()
            if outputs is None or row.end.is_output == outputs
        ]  # fmt: skip
        if not rows:
            return None
        item, row = self.random.choice(rows)
        point = self.view.mapFromScene(item.pos() + row.anchor)
        return point if self.view.viewport().rect().adjusted(3, 3, -3, -3).contains(point) else None

    def draw_wire(self) -> None:
        start = self.port(self.random.choice((True, True, None)))
        end = self.port(self.random.choice((False, False, None))) or self.point()
        if start is not None:
            self.canvas.drag(start, end, steps=3)

    def drag_block(self) -> None:
        ids = self.view.block_ids()
        if ids:
            start = self.canvas.title(self.random.choice(ids))
            if self.view.viewport().rect().contains(start):
                self.canvas.drag(start, self.point(), steps=3)

    def drag_anything(self) -> None:
        modifiers = self.random.choice((Qt.NoModifier, Qt.NoModifier, Qt.ControlModifier, Qt.ShiftModifier))
        button = self.random.choice((Qt.LeftButton, Qt.LeftButton, Qt.MiddleButton))
        self.canvas.drag(self.point(), self.point(), button=button, modifiers=modifiers, steps=3)

    def click(self) -> None:
        self.canvas.click(self.point(), modifiers=self.random.choice((Qt.NoModifier, Qt.ControlModifier)))

    def double_click(self) -> None:
        self.canvas.double_click(self.point())

    def answer_list(self) -> None:
        """Choose something from the list that a dropped wire or a double click opened, or close it; leave fields."""
        if self.view.adding.list is not None:
            entries = self.view.adding.list.list
            entries.setCurrentRow(self.random.randrange(max(entries.count(), 1)))
            key = self.random.choice((Qt.Key_Return, Qt.Key_Return, Qt.Key_Escape))
            QTest.keyClick(self.view.adding.list.text, key)
        self.view.setFocus()

    def annotate(self) -> None:
        annotating, layer = self.view.annotating, self.view.design_scene.annotations
        ids = list(layer.items)
        if ids and self.random.random() < 0.6:
            layer.select(self.random.sample(ids, self.random.randint(1, len(ids))))
            some = self.random.choice(ids)
            frames = [key for key in ids if layer.items[key].is_frame]
            self.random.choice((
                lambda: annotating.grow(3, -2), lambda: annotating.color(ids, "blue"), lambda: annotating.write(some, "words"),
                lambda: [annotating.fit_frame(one) for one in frames[:1]], self.view.editor.duplicate, self.view.editor.delete,
            ))()  # fmt: skip
        else:
            self.random.choice((annotating.add_frame, annotating.add_note))()

    def place(self) -> None:
        viewport = self.view.viewport()
        self.view.interaction.begin_placing(self.random.choice(list(KINDS)))
        for _ in range(3):
            self.view.interaction.move_placing(viewport.mapToGlobal(self.point()))
        if self.random.random() < 0.15:
            self.view.interaction.cancel_placing()
        else:
            self.view.interaction.finish_placing(viewport.mapToGlobal(self.point()))

    def press_key(self) -> None:
        key, modifiers = self.random.choice(KEYS)
        QTest.keyClick(self.view, key, modifiers)
        self.view.setFocus()

    def press_key_while_dragging(self) -> None:
        def before_release() -> None:
            if self.random.random() < 0.5:
                self.press_key()
            else:
                self.random.choice((self.document.undo_stack.undo, self.document.undo_stack.redo))()

        self.canvas.drag(self.port() or self.point(), self.point(), before_release, steps=3)

    def select_some(self) -> None:
        ids = self.view.block_ids()
        self.document.select(self.random.sample(ids, self.random.randint(0, len(ids))))

    def some_block(self) -> Block | None:
        blocks = self.document.design.blocks
        return self.random.choice(blocks) if blocks else None

    def set_parameter(self) -> None:
        block = self.some_block()
        if block is None:
            return
        field = self.random.choice(fields(type(block.parameters)) or (None,))
        if field is None:
            return
        values: tuple[object, ...] = field.choices or (True, False, 0, 1, 2, 7, 33, (16,), (8, 4), ("states", "code"), 0.5)
        value = self.random.choice(values)
        try:
            plain = msgspec.to_builtins(block.parameters) | {field.name: value}
            parameters = msgspec.convert(plain, type(block.parameters))
        except msgspec.ValidationError:
            return
        new = self.document.design.with_parameters(block.id, parameters)
        self.document.edit(new, f"Set {field.name}", (block.id, field.name))

    def rename(self) -> None:
        block = self.some_block()
        name = self.random.choice(("a", "b", "loss", "model_1", "encoder", "x_1"))
        if block is not None and not self.document.rename_fault(block.id, name):
            self.document.rename(block.id, name)

    def accept_offer(self) -> None:
        if self.view.overlays.offer_bar.isVisible() and self.view.overlays.offer_bar.adapters:
            self.view.overlays.offer_bar.accepted.emit(self.view.overlays.offer_bar.adapters[0])

    def connect_by_list(self) -> None:
        block = self.some_block()
        if block is not None:
            good = [choice for choice in choices(self.document, starts_of(self.document, block.id)) if choice.ok]
            if good:
                self.view.editor.connect_choice(self.random.choice(good))

    def wheel(self) -> None:
        self.view.zoom_by(self.random.choice((0.8, 1.25)), self.point())

    def delete_in_outline(self) -> None:
        self.outline.refresh()
        items = [self.outline.topLevelItem(i) for i in range(self.outline.topLevelItemCount())]
        items += [item.child(i) for item in items for i in range(item.childCount())]
        items += [item.child(i) for item in items for i in range(item.childCount())]
        if items and self.random.random() < 0.5:
            self.outline.setCurrentItem(self.random.choice(items))
            self.outline.delete()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "seeds",
    [range(QUICK), pytest.param(range(QUICK, SEQUENCES), marks=[pytest.mark.slow, pytest.mark.long])],
    ids=["some", "more"],
)
def test_random_use_never_breaks_and_is_undone_exactly(qtbot: QtBot, seeds: range) -> None:
    canvas = Canvas(qtbot, Design(), 900, 600)
    outline = Outline(canvas.view)
    qtbot.addWidget(outline)
    user = User(canvas, outline)
    for seed in [int(SEED)] if SEED else seeds:
        user.play(seed)
    outline.refresh()
    QApplication.clipboard().clear()
