"""Where blocks, wires and labels lie: no Qt, but for one look at a whole canvas."""

from __future__ import annotations

import itertools
import pathlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PyQt5.QtCore import QSize
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.document import load
from seqdec_gui.domain.drawing.layout import Box, Edge, layered
from seqdec_gui.domain.drawing.routing import MARGIN, Grid, Path, Rect, Router, Wire, label_places, simple
from seqdec_gui.domain.kinds.inputs import Vector
from seqdec_gui.domain.kinds.merge import Concatenate
from seqdec_gui.gui.pages.design import picture
from seqdec_gui.gui.pages.design.scene import DesignScene
from seqdec_gui.gui.workspace.document import DesignDocument
from tests.gui.canvas_driver import Canvas


def overlaps(boxes: dict[str, Box], places: dict[str, tuple[float, float]]) -> list[tuple[str, str]]:
    rects = {key: Rect(*places[key], places[key][0] + box.width, places[key][1] + box.height) for key, box in boxes.items()}
    return [(a, b) for a, b in itertools.combinations(rects, 2) if rects[a].meets(rects[b])]


graphs = st.integers(1, 14).flatmap(
    lambda n: st.tuples(
        st.lists(st.tuples(st.integers(20, 400), st.integers(20, 300)), min_size=n, max_size=n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(0, 100)), max_size=30),
    )
)


@given(graphs)
@settings(deadline=None, max_examples=150)
def test_no_layout_covers_a_block(graph: tuple[list[tuple[int, int]], list[tuple[int, int, int]]]) -> None:
    sizes, wires = graph
    boxes = {f"b{i}": Box(*size) for i, size in enumerate(sizes)}
    edges = [Edge(f"b{a}", f"b{b}", y % boxes[f"b{a}"].height, 10.0, 60.0) for a, b, y in wires]
    places = layered(boxes, edges)
    assert places.keys() == boxes.keys()
    assert overlaps(boxes, places) == []


def test_wires_run_to_the_right() -> None:
    boxes = {key: Box(100, 50) for key in "abcd"}
    places = layered(boxes, [Edge("a", "b"), Edge("b", "c"), Edge("a", "c"), Edge("d", "c")])
    assert places["a"][0] < places["b"][0] < places["c"][0]
    assert places["d"][0] == places["b"][0]  # a source lies next to what it feeds


def test_a_chain_is_straight() -> None:
    boxes = {f"b{i}": Box(100, 40 + 20 * (i % 3)) for i in range(8)}
    edges = [Edge(f"b{i}", f"b{i + 1}", 30.0, 30.0) for i in range(7)]
    assert len({y for _, y in layered(boxes, edges).values()}) == 1


def test_a_ladder_is_laid_out_without_crossings() -> None:
    rng = random.Random(4)
    order = list(range(6))
    rng.shuffle(order)
    boxes = {f"{side}{i}": Box(80, 40) for side in "ab" for i in order}
    places = layered(boxes, [Edge(f"a{i}", f"b{i}") for i in range(6)])
    left = sorted(range(6), key=lambda i: places[f"a{i}"][1])
    right = sorted(range(6), key=lambda i: places[f"b{i}"][1])
    assert left == right


def test_what_is_not_connected_lies_apart_and_singles_in_a_row_at_the_end() -> None:
    boxes = {key: Box(100, 50) for key in ("alone", "a", "b", "c", "d", "lonely")}
    places = layered(boxes, [Edge("a", "b"), Edge("c", "d")])
    assert places["a"][1] == places["b"][1] < places["c"][1] == places["d"][1] < places["alone"][1] == places["lonely"][1]
    assert places["alone"][0] == places["a"][0] == places["c"][0] == 0
    assert max(y for _, y in places.values()) < 400


def test_circles_and_unknown_ends_are_borne() -> None:
    boxes = {key: Box(10, 10) for key in ("a", "b", "")}
    places = layered(boxes, [Edge("a", "b"), Edge("b", "a"), Edge("a", "a"), Edge("a", "x"), Edge("", "a")])
    assert overlaps(boxes, places) == []
    assert layered({}, []) == {}


def crossed(path: Path, rects: dict[str, Rect]) -> list[str]:
    """The blocks that a path runs behind; the stretches at its own ports are not asked."""
    found = []
    for a, b in itertools.pairwise(path):
        span = Rect(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])).grown(0.1)
        found += [key for key, rect in rects.items() if rect.grown(-0.2).meets(span)]
    return found


def is_orthogonal(path: Path) -> bool:
    return all(a[0] == b[0] or a[1] == b[1] for a, b in itertools.pairwise(path))


@pytest.mark.slow
@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=60)
def test_wires_keep_off_blocks(seed: int) -> None:
    rng = random.Random(seed)
    router: Router[int] = Router()
    cells = rng.sample([(x, y) for x in range(5) for y in range(5)], 12)
    for i, (x, y) in enumerate(cells):
        left, top = x * 300 + rng.randint(0, 60), y * 180 + rng.randint(0, 60)
        router.blocks.put(f"b{i}", Rect(left, top, left + rng.randint(100, 180), top + rng.randint(50, 90)))
    rects = router.blocks.rects
    for number in range(14):
        a, b = rng.sample(sorted(rects), 2)
        source, target = (rects[a].right, rects[a].top + 25.0), (rects[b].left, rects[b].top + 25.0)
        path = router.route(number, Wire(source, target, a))
        assert (path[0], path[-1]) == (source, target)
        assert is_orthogonal(path)
        assert crossed(path, rects) == []
        assert path[1][0] > source[0]
        assert path[-2][0] < target[0]


def test_a_wall_of_blocks_is_walked_round() -> None:
    router: Router[str] = Router()
    wall = {"left": Rect(200, -400, 240, 400), "roof": Rect(200, -440, 800, -400), "floor": Rect(200, 400, 800, 440)}
    for key, rect in wall.items():
        router.blocks.put(key, rect)
    path = router.route("wire", Wire((0, 0), (500, 0), "net"))
    assert crossed(path, wall) == []
    assert max(x for x, _ in path) > 800 + MARGIN - 1


def test_a_wire_that_is_shut_in_is_drawn_nevertheless() -> None:
    router: Router[str] = Router()
    router.blocks.put("over", Rect(-50, -50, 600, 50))
    assert router.route("wire", Wire((0, 0), (500, 0), "net")) == simple((0, 0), (500, 0))


def test_parallel_wires_do_not_lie_on_each_other() -> None:
    router: Router[int] = Router()
    paths = [router.route(i, Wire((0, 20.0 * i), (400, 300.0 + 20.0 * i), f"net{i}")) for i in range(5)]
    upright = [(a[0], min(a[1], b[1]), max(a[1], b[1])) for path in paths for a, b in itertools.pairwise(path) if a[0] == b[0]]
    for (x, low, high), (other, bottom, top) in itertools.combinations(upright, 2):
        assert abs(x - other) >= 4 or high <= bottom or top <= low


def test_forgotten_wires_are_in_nobodys_way() -> None:
    router: Router[str] = Router()
    first = router.route("a", Wire((0, 0), (400, 100), "a"))
    router.forget("a")
    assert router.route("b", Wire((0, 0), (400, 100), "b")) == first
    assert router.touching(Rect(0, 0, 400, 100)) == {"b"}


def test_the_grid_finds_what_meets_a_rectangle() -> None:
    rng, grid = random.Random(1), Grid[int]()
    rects = {}
    for i in range(80):
        x, y = rng.uniform(-900, 900), rng.uniform(-900, 900)
        rects[i] = Rect(x, y, x + rng.uniform(1, 500), y + rng.uniform(1, 500))
        grid.put(i, rects[i])
    for i in range(0, 80, 7):
        grid.drop(i)
        del rects[i]
    for _ in range(50):
        x, y = rng.uniform(-1000, 1000), rng.uniform(-1000, 1000)
        query = Rect(x, y, x + 150, y + 90)
        assert set(grid.meeting(query)) == {i for i, rect in rects.items() if rect.meets(query)}
        assert grid.free(query) == (not set(grid.meeting(query)))


def test_labels_are_tried_on_long_level_stretches_first() -> None:
    places = list(label_places(((0, 0), (40, 0), (40, 200), (300, 200)), 60, 18))
    assert places[0] == Rect(140, 191, 200, 209)
    assert any(place.left < 40 < place.right and 0 < place.top < 150 for place in places)


@pytest.mark.parametrize("seed", range(4))
def test_on_a_canvas_nothing_covers_anything(qtbot: QtBot, seed: int) -> None:
    canvas = Canvas(qtbot, tangle(40, seed))
    canvas.view.editor.auto_layout()
    scene = canvas.view.design_scene
    scene.finish_routes()
    rects = {block_id: scene.rect_of(block_id) for block_id in scene.blocks}
    assert not [pair for pair in itertools.combinations(rects.values(), 2) if pair[0].meets(pair[1])]
    labels = [wire.label_place for wire in scene.wires.values() if wire.label_place is not None]
    assert not [pair for pair in itertools.combinations(labels, 2) if pair[0].meets(pair[1])]
    assert not [label for label in labels if any(label.meets(rect) for rect in rects.values())]
    assert not [wire.link for wire in scene.wires.values() if crossed(wire.points, rects)]
    shown = sum(1 for wire in scene.wires.values() if wire.label_place is not None)
    assert shown >= 0.6 * len({link.source for link in scene.wires})


def test_many_wires_find_their_ways_turn_by_turn(qtbot: QtBot) -> None:
    """Whoever opens a large design waits for none of them, and each ends where it would have been at once."""
    canvas = Canvas(qtbot, tangle(60, 1))
    scene = canvas.view.design_scene
    canvas.view.editor.auto_layout()
    drawn = {link: wire.points for link, wire in scene.wires.items()}
    assert all(len(points) >= 2 for points in drawn.values())
    assert not any(wire.label_place for wire in scene.wires.values())
    scene.finish_routes()
    wanted = {link: (wire.points, wire.label_place) for link, wire in scene.wires.items()}
    assert {link: points for link, (points, _) in wanted.items()} != drawn
    canvas.document.undo_stack.undo()
    canvas.document.undo_stack.redo()
    qtbot.waitUntil(lambda: {link: (wire.points, wire.label_place) for link, wire in scene.wires.items()} == wanted)


def tangle(blocks: int, seed: int) -> Design:
    """Blocks in a random flow; every third is a source."""
    rng = random.Random(seed)
    made = [Block("b0", Vector())]
    links = []
    for i in range(1, blocks):
        if i % 3 == 0:
            made.append(Block(f"b{i}", Vector(width=i)))
            continue
        made.append(Block(f"b{i}", Concatenate(count=2)))
        for port in ("input_0", "input_1"):
            source = made[rng.randint(max(0, i - 12), i - 1)]
            links.append(Link(Port(source.id, "output"), Port(f"b{i}", port)))
    return Design(tuple(made), tuple(links))


def test_wires_that_wait_for_their_route_do_so_no_longer_than_they_live(qtbot: QtBot) -> None:
    """Whatever takes the items away: Qt deletes those of a scene before its timers."""
    document = DesignDocument(tangle(60, 1))
    scene = DesignScene(document)
    assert scene._routing_timer.isActive()
    scene.clear()
    qtbot.wait(20)  # an error in a slot fails the test
    assert not scene._routing_timer.isActive()


def test_a_picture_of_many_wires_waits_for_none(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = []
    monkeypatch.setattr(picture, "DesignScene", lambda document: scenes.append(DesignScene(document)) or scenes[-1])
    picture.picture(tangle(60, 1), QSize(200, 120))
    assert [scene._routing_timer.isActive() for scene in scenes] == [False]


@pytest.mark.parametrize("path", sorted(resource_files.path("templates").glob("*.seqdec")), ids=lambda path: path.stem)
def test_every_wire_of_a_template_shows_what_it_carries(qtbot: QtBot, path: pathlib.Path) -> None:
    """In the places of the template, memories too: where the whole words have no room, a shorter text does."""
    scene = DesignScene(DesignDocument(load(path)))
    assert [str(link) for link, wire in scene.wires.items() if wire.label_place is None] == []
