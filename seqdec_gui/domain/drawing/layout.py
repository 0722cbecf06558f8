"""Layered left-to-right layout after Sugiyama, Tagawa and Toda (1981): few crossings, straight wires. No Qt."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

Key: TypeAlias = str
DX = 70.0
"""The least distance between columns, in scene units."""

DY = 40.0
"""The least distance between blocks of a column, in scene units."""

WIRE_ROOM = 14.0
"""The height that a wire takes in a column that it passes through, in scene units."""

SWEEPS = 12
"""The largest number of passes over the columns, to and fro, in ordering and in placing."""

LEAST_ROW = 900.0
"""The least width of a row of unconnected blocks, in scene units."""


class Box(NamedTuple):
    """The size of a block, in scene units."""

    width: float
    height: float


class Edge(NamedTuple):
    """A wire: the blocks at its ends, where on their sides it ends, and how much room its label needs."""

    source: Key
    target: Key
    source_y: float = 0.0
    target_y: float = 0.0
    label: float = 0.0


class _Vertex:
    """A block, or (with `key` None) the passage of a wire through a column in which it does not end."""

    __slots__ = ("after", "before", "height", "key", "layer", "place", "y")

    def __init__(self, key: Key | None, layer: int, height: float) -> None:
        self.key = key
        self.layer = layer
        self.height = height
        self.before: list[tuple[_Vertex, float, float]] = []  # neighbour, y of the wire's end there, y of its end here
        self.after: list[tuple[_Vertex, float, float]] = []
        self.place = 0
        self.y = 0.0


def layered(boxes: Mapping[Key, Box], edges: Sequence[Edge]) -> dict[Key, tuple[float, float]]:
    """Return the position of every block's top left corner; the least x and y are 0.

    Unconnected parts are stacked vertically, with single blocks in rows at the end. Edges that would close a circle, or whose
    ends are unknown, are ignored.
    """
    forward = _acyclic(boxes, edges)
    corners: dict[Key, tuple[float, float]] = {}
    single: list[Key] = []
    top = widest = 0.0
    for part in _parts(boxes, forward):
        if len(part) == 1:
            single.append(part[0])
            continue
        inside = frozenset(part)
        places = _connected({key: boxes[key] for key in part}, [edge for edge in forward if edge.source in inside])
        corners.update((key, (x, y + top)) for key, (x, y) in places.items())
        top += max(y + boxes[key].height for key, (_, y) in places.items()) + 2 * DY
        widest = max(widest, max(x + boxes[key].width for key, (x, _) in places.items()))
    return corners | _rows({key: boxes[key] for key in single}, top, max(widest, LEAST_ROW))


def _connected(boxes: Mapping[Key, Box], edges: Sequence[Edge]) -> dict[Key, tuple[float, float]]:
    layers = _layers(boxes, edges)
    columns = _columns(boxes, edges, layers)
    _order(columns)
    _place(columns)
    return _positions(columns, boxes, edges, layers)


def _parts(boxes: Mapping[Key, Box], edges: Sequence[Edge]) -> list[list[Key]]:
    """Return the connected parts, each as a list of blocks; parts and blocks keep their order."""
    near: dict[Key, list[Key]] = {key: [] for key in boxes}
    for edge in edges:
        near[edge.source].append(edge.target)
        near[edge.target].append(edge.source)
    part: dict[Key, int] = {}
    count = 0
    for root in boxes:
        if root in part:
            continue
        todo = [root]
        part[root] = count
        while todo:
            for key in near[todo.pop()]:
                if key not in part:
                    part[key] = count
                    todo.append(key)
        count += 1
    parts: list[list[Key]] = [[] for _ in range(count)]
    for key in boxes:
        parts[part[key]].append(key)
    return parts


def _rows(boxes: Mapping[Key, Box], top: float, width: float) -> dict[Key, tuple[float, float]]:
    """Place blocks side by side, in rows of at most this width."""
    corners: dict[Key, tuple[float, float]] = {}
    x, height = 0.0, 0.0
    for key, box in boxes.items():
        if x and x + box.width > width:
            x, top, height = 0.0, top + height + DY, 0.0
        corners[key] = (x, top)
        x += box.width + DY
        height = max(height, box.height)
    return corners


def _acyclic(boxes: Mapping[Key, Box], edges: Sequence[Edge]) -> list[Edge]:
    """Return the edges without those that would close a circle."""
    feeds: dict[Key, list[Edge]] = {key: [] for key in boxes}
    for edge in edges:
        if edge.source in boxes and edge.target in boxes and edge.source != edge.target:
            feeds[edge.source].append(edge)
    state: dict[Key, int] = {}
    kept: list[Edge] = []
    for root in boxes:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(feeds[root]))]
        while stack:
            key, rest = stack[-1]
            for edge in rest:
                if state.get(edge.target) == 1:
                    continue
                kept.append(edge)
                if edge.target not in state:
                    state[edge.target] = 1
                    stack.append((edge.target, iter(feeds[edge.target])))
                    break
            else:
                state[key] = 2
                stack.pop()
    return kept


def _layers(boxes: Mapping[Key, Box], edges: Sequence[Edge]) -> dict[Key, int]:
    """Return the layer of each block: the length of the longest path to it, and for sources one less than what they feed."""
    waits = dict.fromkeys(boxes, 0)
    feeds: dict[Key, list[Key]] = {key: [] for key in boxes}
    for edge in edges:
        waits[edge.target] += 1
        feeds[edge.source].append(edge.target)
    order = [key for key in boxes if not waits[key]]
    sources = set(order)
    layer = dict.fromkeys(boxes, 0)
    for key in order:  # grows while it is walked
        for fed in feeds[key]:
            layer[fed] = max(layer[fed], layer[key] + 1)
            waits[fed] -= 1
            if not waits[fed]:
                order.append(fed)
    for key in sources:
        if feeds[key]:
            layer[key] = min(layer[fed] for fed in feeds[key]) - 1
    return layer


def _columns(boxes: Mapping[Key, Box], edges: Sequence[Edge], layers: Mapping[Key, int]) -> list[list[_Vertex]]:
    """Return the columns of blocks and of passing wires, with all wires entered at their ends."""
    columns: list[list[_Vertex]] = [[] for _ in range(max(layers.values()) + 1)]
    vertices = {key: _Vertex(key, layers[key], box.height) for key, box in boxes.items()}
    for vertex in vertices.values():
        columns[vertex.layer].append(vertex)
    for edge in edges:
        last, last_y = vertices[edge.source], edge.source_y
        for layer in range(layers[edge.source] + 1, layers[edge.target]):
            passing = _Vertex(None, layer, WIRE_ROOM)
            columns[layer].append(passing)
            _join(last, last_y, passing, WIRE_ROOM / 2)
            last, last_y = passing, WIRE_ROOM / 2
        _join(last, last_y, vertices[edge.target], edge.target_y)
    for column in columns:
        for place, vertex in enumerate(column):
            vertex.place = place
    return columns


def _join(a: _Vertex, a_y: float, b: _Vertex, b_y: float) -> None:
    a.after.append((b, b_y, a_y))
    b.before.append((a, a_y, b_y))


def _order(columns: list[list[_Vertex]]) -> None:
    """Sort each column by the mean place of its neighbours, to and fro, then swap neighbours; keep the best order."""
    best, fewest = [list(column) for column in columns], _crossings(columns)
    since = 0
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            keys = {}
            for vertex in column:
                near = vertex.before if forward else vertex.after
                places = [other.place + y / max(other.height, 1.0) * 0.9 for other, y, _ in near]
                keys[vertex] = sum(places) / len(places) if places else float(vertex.place)
            column.sort(key=keys.__getitem__)
            for place, vertex in enumerate(column):
                vertex.place = place
        _swap(columns)
        crossings = _crossings(columns)
        since += 1
        if crossings < fewest:
            best, fewest, since = [list(column) for column in columns], crossings, 0
        if not fewest or since > 4:
            break
    for column, kept in zip(columns, best, strict=True):
        column[:] = kept
        for place, vertex in enumerate(column):
            vertex.place = place


def _swap(columns: list[list[_Vertex]]) -> None:
    for column in columns:
        for i in range(len(column) - 1):
            a, b = column[i], column[i + 1]
            if _pair_crossings(b, a) < _pair_crossings(a, b):
                column[i], column[i + 1] = b, a
                a.place, b.place = b.place, a.place


def _pair_crossings(upper: _Vertex, lower: _Vertex) -> int:
    """Return the number of crossings among the wires of two vertices of a column if `upper` is above `lower`."""
    count = 0
    for ends in ("before", "after"):
        for other, y, _ in getattr(upper, ends):
            for another, z, _ in getattr(lower, ends):
                count += (other.place, y) > (another.place, z)
    return count


def _crossings(columns: list[list[_Vertex]]) -> int:
    count = 0
    for column in columns:
        ends = [((vertex.place, here), (other.place, there)) for vertex in column for other, there, here in vertex.after]
        ends.sort()
        seen: list[tuple[float, float]] = []
        for _, target in ends:
            count += len(seen) - bisect_right(seen, target)
            insort(seen, target)
    return count


def _place(columns: list[list[_Vertex]]) -> None:
    """Move each vertex towards its neighbours, to and fro, as near as order and room allow."""
    for column in columns:
        y = 0.0
        for vertex in column:
            vertex.y = y
            y += vertex.height + _room(vertex)
        for vertex in column:
            vertex.y -= y / 2
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            wishes = []
            for vertex in column:
                near = (vertex.before if forward else vertex.after) or vertex.after or vertex.before
                places = sorted(other.y + y - here for other, y, here in near)
                # The median, not the mean: one wire straight and one bent reads better than two that are bent a little.
                wishes.append(places[(len(places) - 1) // 2] if places else vertex.y)
            for vertex, y in zip(column, _separated(column, wishes), strict=True):
                vertex.y = y


def _room(vertex: _Vertex) -> float:
    return DY if vertex.key is not None else WIRE_ROOM / 2


def _separated(column: Sequence[_Vertex], wishes: Sequence[float]) -> list[float]:
    """Return the places nearest to the wishes (least squares) without overlaps, by the pool-adjacent-violators algorithm."""
    offsets, total = [], 0.0
    for i, vertex in enumerate(column):
        offsets.append(total)
        room = max(_room(vertex), _room(column[i + 1])) if i + 1 < len(column) else 0.0
        total += vertex.height + room
    pools: list[tuple[float, int]] = []  # mean, how many
    for wish, offset in zip(wishes, offsets, strict=True):
        mean, count = wish - offset, 1
        while pools and pools[-1][0] > mean:
            other, others = pools.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        pools.append((mean, count))
    starts = [mean for mean, count in pools for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]


def _positions(
    columns: list[list[_Vertex]], boxes: Mapping[Key, Box], edges: Sequence[Edge], layers: Mapping[Key, int]
) -> dict[Key, tuple[float, float]]:
    """Return the corner of every block, with room between columns for labels and wires."""
    corners: dict[Key, tuple[float, float]] = {}
    top = min(vertex.y for column in columns for vertex in column if vertex.key is not None)
    x = 0.0
    for number, column in enumerate(columns):
        width = max((boxes[vertex.key].width for vertex in column if vertex.key is not None), default=0.0)
        for vertex in column:
            if vertex.key is not None:
                corners[vertex.key] = (x, vertex.y - top)
        leaving = [edge for edge in edges if layers[edge.source] == number]
        entering = [edge for edge in edges if layers[edge.target] == number + 1]
        labels = max((edge.label for edge in {*leaving, *entering}), default=0.0)
        lanes = 8.0 * min(max(len(leaving) - 1, 0), 8)
        x += width + max(DX, labels + 48.0) + lanes
    return corners
