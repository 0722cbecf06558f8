"""Aligns and distributes boxes on the canvas. Boxes are (x, y, width, height) by id, in scene units. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Side = Literal["left", "right", "top", "bottom", "column", "row"]
"""What aligned boxes have in common: an edge, or their centres in one column or one row."""

Axis = Literal["across", "down"]

Boxes: TypeAlias = Mapping[str, tuple[float, float, float, float]]
Positions: TypeAlias = dict[str, tuple[float, float]]


def aligned(boxes: Boxes, side: Side) -> Positions:
    """Return the positions of boxes that are aligned at the outermost edge, or at the middle of all of them."""
    if not boxes:
        return {}
    lefts, rights = [box[0] for box in boxes.values()], [box[0] + box[2] for box in boxes.values()]
    tops, bottoms = [box[1] for box in boxes.values()], [box[1] + box[3] for box in boxes.values()]
    middle_x, middle_y = (min(lefts) + max(rights)) / 2, (min(tops) + max(bottoms)) / 2
    places: Positions = {}
    for key, (x, y, width, height) in boxes.items():
        match side:
            case "left":
                places[key] = (min(lefts), y)
            case "right":
                places[key] = (max(rights) - width, y)
            case "column":
                places[key] = (middle_x - width / 2, y)
            case "top":
                places[key] = (x, min(tops))
            case "bottom":
                places[key] = (x, max(bottoms) - height)
            case "row":
                places[key] = (x, middle_y - height / 2)
    return places


def distributed(boxes: Boxes, axis: Axis) -> Positions:
    """Return the positions of boxes with equal gaps between them; the first and the last box stay where they are.

    Where the boxes do not have room, the gaps are negative: they overlap evenly.
    """
    at, length = (0, 2) if axis == "across" else (1, 3)
    order = sorted(boxes, key=lambda key: (boxes[key][at] + boxes[key][length] / 2, key))
    if len(order) < 3:
        return {key: boxes[key][:2] for key in order}
    first, last = boxes[order[0]], boxes[order[-1]]
    room = last[at] + last[length] - first[at] - sum(boxes[key][length] for key in order)
    gap, reached = room / (len(order) - 1), first[at]
    places: Positions = {}
    for key in order:
        x, y = boxes[key][:2]
        places[key] = (reached, y) if axis == "across" else (x, reached)
        reached += boxes[key][length] + gap
    places[order[-1]] = last[:2]
    return places
