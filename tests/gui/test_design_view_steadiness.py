"""Nothing moves under the mouse: blocks keep their places and sizes when something is dropped, and verdicts cover no target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt5.QtCore import QPoint, QRect, QSize, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.pages.design.verdict_tip import MARGIN, MAX_TEXT_WIDTH, MOUSE_DISTANCE, tip_place
from seqdec_gui.gui.panels.palette import Entry, Palette
from tests.domain.designs import archetype, link
from tests.gui.canvas_driver import Canvas

WIRES = [
    ("latent.output", "model_1.inputs"),
    ("decoder_inputs.output", "model_2.inputs"),
    ("model_1.states", "model_2.initial_states"),
    ("model_2.outputs", "loss.predictions"),
]


class CanvasAndPalette(Canvas):
    """The canvas with the palette at its left, as in the window."""

    def make_window(self) -> QWidget:
        window = QWidget()
        layout = QHBoxLayout(window)
        self.palette = Palette(self.view)
        layout.addWidget(self.palette)
        layout.addWidget(self.view, 1)
        return window

    def drag_in(self, kind: str, to: QPoint) -> None:
        entry = self.palette.findChild(Entry, f"palette_{kind}")
        handle = self.window.windowHandle()
        start = entry.mapTo(self.window, entry.rect().center())
        QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, start)
        for part in range(1, 5):
            QTest.mouseMove(handle, start + (self.at(to) - start) * (part / 4))
        QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, self.at(to))


def rects(canvas: Canvas) -> dict[str, QRect]:
    return {block_id: canvas.view.block_rect(block_id) for block_id in canvas.view.block_ids()}


def test_no_block_changes_its_place_or_size_when_a_wire_lands(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.document.edit(canvas.design.unlinked(canvas.design.links), "Prepare")
    before = rects(canvas)
    for source, target in WIRES:
        canvas.drag_wire(source, target)
        assert f"{source} -> {target}" in canvas.links()
        assert rects(canvas) == before, f"after {source} -> {target}"


def test_drops_from_the_palette_move_no_other_block(qtbot: QtBot) -> None:
    canvas = CanvasAndPalette(qtbot, Design(), 1300, 800)
    room = canvas.view.viewport().rect()
    places = [  # the last ones within the border to which a new block was scrolled before
        QPoint(150, 150), QPoint(420, 180), QPoint(300, 420), QPoint(room.right() - 110, room.bottom() - 70), QPoint(90, 600),
    ]  # fmt: skip
    for kind, place in zip(("vector", "dense_states", "recurrent_decoder", "loss", "token_sequence"), places, strict=True):
        before = rects(canvas)
        canvas.drag_in(kind, place)
        after = rects(canvas)
        assert len(after) == len(before) + 1
        assert {block_id: after[block_id] for block_id in before} == before, f"after dropping {kind}"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_block_is_as_wide_with_wires_as_without(qtbot: QtBot, kind: str) -> None:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.add_block(kind)
    alone = {block_id: item.width for block_id, item in canvas.view.design_scene.blocks.items()}
    canvas.document.edit(canvas.design.unlinked(canvas.design.links), "Remove all wires")
    assert {block_id: item.width for block_id, item in canvas.view.design_scene.blocks.items()} == alone


# -- the verdict beside a wire
@pytest.mark.parametrize("size", [(1200, 700), (700, 450)])
@pytest.mark.parametrize("target", ["model_2.initial_states", "model_2.inputs", "loss.predictions"])
def test_a_verdict_covers_neither_the_target_nor_a_port(qtbot: QtBot, target: str, size: tuple[int, int]) -> None:
    canvas = Canvas(qtbot, archetype(), *size)
    canvas.view.editor.auto_layout()
    canvas.document.edit(canvas.design.unlinked([link("latent.output -> model_1.inputs")]), "Prepare")
    tip = canvas.view.overlays.verdict_tip
    seen = []

    def look() -> None:
        assert tip.text().startswith(("✗", "✓"))
        seen.append(tip.geometry())

    canvas.drag_wire("latent.output", target, look)
    (place,) = seen
    assert not tip.isVisible()
    assert canvas.view.viewport().rect().contains(place)
    assert place.width() <= MAX_TEXT_WIDTH + 3 * MARGIN
    assert not place.contains(canvas.port(target))
    assert not place.intersects(canvas.view.block_rect(target.partition(".")[0]))
    for block_id, item in canvas.view.design_scene.blocks.items():
        for row in item.rows.values():
            assert not place.contains(canvas.view.port_point(block_id, row.end.port.port, row.end.is_output))


def test_a_long_verdict_shows_all_of_its_text(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, archetype())
    tip = canvas.view.overlays.verdict_tip
    tip.show_text("✗ model_2.initial_states: " + "Expected states, got a vector of numbers. " * 8, QPoint(300, 300), [])
    assert tip.height() >= tip.heightForWidth(tip.width())
    assert tip.width() <= MAX_TEXT_WIDTH + 3 * MARGIN


@given(
    st.tuples(st.integers(20, 380), st.integers(20, 250)),
    st.tuples(st.integers(0, 1199), st.integers(0, 699)),
    st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 700), st.integers(1, 250), st.integers(1, 150)), max_size=6),
)
def test_a_tip_lies_in_the_view_and_covers_a_place_only_if_all_places_near_are_taken(
    size: tuple[int, int], mouse: tuple[int, int], taken: list[tuple[int, int, int, int]]
) -> None:
    room, keep_off = QRect(0, 0, 1200, 700), [QRect(*place) for place in taken]
    tip = QRect(tip_place(QSize(*size), room, QPoint(*mouse), keep_off), QSize(*size))
    assert room.contains(tip)
    if not keep_off:
        assert not tip.contains(QPoint(*mouse))
        near = QRect(0, 0, 2 * (MOUSE_DISTANCE + size[0]), 2 * (MOUSE_DISTANCE + size[1]))
        near.moveCenter(QPoint(*mouse))
        assert near.intersects(tip)
    covered = [place for place in keep_off if place.intersects(tip)]
    if covered:
        free = QRect(QPoint(*mouse) + QPoint(MOUSE_DISTANCE, MOUSE_DISTANCE), QSize(*size))
        wide = [place.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN) for place in keep_off]
        assert not room.contains(free) or any(free.intersects(place) for place in wide)


def test_the_design_is_fitted_again_when_the_corner_gets_its_size(qtbot: QtBot) -> None:
    """Where the design lies does not depend on whether the zoom bar had its style when it was opened."""
    canvas = Canvas(qtbot, archetype())
    wanted = canvas.view.block_rect("loss")
    canvas.view.overlays.zoom_bar.layout().setContentsMargins(20, 30, 20, 30)
    canvas.view.fit()
    canvas.view.refits_on_resize = True
    qtbot.waitUntil(lambda: canvas.view.block_rect("loss") != wanted)
    canvas.view.overlays.zoom_bar.layout().setContentsMargins(2, 2, 2, 2)
    qtbot.waitUntil(lambda: canvas.view.block_rect("loss") == wanted)
