"""Aligning and distributing boxes."""

from __future__ import annotations

import pytest

from seqdec_gui.domain.drawing.alignment import Side, aligned, distributed

BOXES = {"a": (0.0, 0.0, 100.0, 50.0), "b": (30.0, 100.0, 60.0, 20.0), "c": (400.0, 300.0, 200.0, 100.0)}


@pytest.mark.parametrize(
    ("side", "places"),
    [
        ("left", [(0, 0), (0, 100), (0, 300)]),
        ("right", [(500, 0), (540, 100), (400, 300)]),
        ("top", [(0, 0), (30, 0), (400, 0)]),
        ("bottom", [(0, 350), (30, 380), (400, 300)]),
        ("column", [(250, 0), (270, 100), (200, 300)]),
        ("row", [(0, 175), (30, 190), (400, 150)]),
    ],
)
def test_boxes_share_an_edge_or_a_middle(side: Side, places: list[tuple[float, float]]) -> None:
    assert list(aligned(BOXES, side).values()) == places


def test_gaps_become_equal_between_the_outermost() -> None:
    places = distributed(BOXES, "across")
    assert places["a"] == (0, 0)
    assert places["c"] == (400, 300)
    assert places["b"][0] - 100 == 400 - (places["b"][0] + 60)
    down = distributed(BOXES, "down")
    assert down["b"][1] - 50 == 300 - (down["b"][1] + 20)
    assert down["b"][0] == 30


def test_two_boxes_have_nothing_to_distribute() -> None:
    assert distributed({"a": BOXES["a"], "c": BOXES["c"]}, "across") == {"a": (0.0, 0.0), "c": (400.0, 300.0)}
    assert aligned({}, "left") == distributed({}, "down") == {}
