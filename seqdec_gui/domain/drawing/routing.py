"""Orthogonal wires that keep off blocks and off each other, and places for their labels. No Qt; scene units.

A wire first tries routes with two, then four bends; only where all of them are blocked a search over the lines along the
blocks' edges finds the way. Wires routed earlier count as obstacles that cost something.
"""

from __future__ import annotations

import heapq
import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

Point: TypeAlias = tuple[float, float]
Path: TypeAlias = tuple[Point, ...]
K = TypeVar("K", bound=Hashable)

STUB = 18.0
"""The length of the straight piece of a wire at its ports, in scene units."""

MARGIN = 12.0
"""The distance at which a wire passes blocks, in scene units."""

LANE = 8.0
"""The distance between parallel wires, in scene units."""

CELL = 200.0
"""The width and height of a cell of a `Grid`, in scene units."""

BEND = 25.0
"""The cost of a bend, as a length in scene units."""

CROSSING = 30.0
"""The cost of crossing a wire, as a length in scene units."""

SHARED = 260.0
"""The cost of running along a wire of another net, as a length in scene units, besides the length of the shared stretch."""

NEAR = 500.0
"""The scale of the areas in which blocks are taken into account, in scene units."""

MOST_BLOCKS = 60
"""The largest number of blocks in the search, which would be noticeably slow with more."""


class Rect(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def grown(self, by: float) -> Rect:
        return Rect(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def moved(self, dx: float, dy: float) -> Rect:
        return Rect(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)

    def scaled(self, by: float) -> Rect:
        """Return a rectangle that is larger by this factor, round the same middle."""
        dx, dy = (self.right - self.left) * (by - 1) / 2, (self.bottom - self.top) * (by - 1) / 2
        return Rect(self.left - dx, self.top - dy, self.right + dx, self.bottom + dy)

    def distance(self, other: Rect) -> float:
        """Return how far the middles of two rectangles are from each other, across and down together."""
        across = abs(self.left + self.right - other.left - other.right) / 2
        return across + abs(self.top + self.bottom - other.top - other.bottom) / 2

    def meets(self, other: Rect) -> bool:
        """Return whether the two rectangles share more than an edge."""
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


class Grid(Generic[K]):
    """Rectangles by key, with a grid of cells for a quick search by place."""

    def __init__(self) -> None:
        self.rects: dict[K, Rect] = {}
        self._cells: dict[tuple[int, int], dict[K, Rect]] = {}

    def put(self, key: K, rect: Rect) -> None:
        self.drop(key)
        self.rects[key] = rect
        for cell in _cells(rect):
            self._cells.setdefault(cell, {})[key] = rect

    def drop(self, key: K) -> None:
        rect = self.rects.pop(key, None)
        if rect is not None:
            for cell in _cells(rect):
                del self._cells[cell][key]

    def meeting(self, rect: Rect) -> set[K]:
        """Return the keys of the rectangles that overlap this one."""
        left, top, right, bottom = rect
        if (right - left) * (bottom - top) > CELL * CELL * max(len(self.rects), 9):
            return {key for key, other in self.rects.items() if other.meets(rect)}
        return {
            key
            for cell in _cells(rect)
            for key, (x, y, x_end, y_end) in self._cells.get(cell, _NONE).items()
            if left < x_end and x < right and top < y_end and y < bottom
        }

    def free(self, rect: Rect) -> bool:
        """Return whether no rectangle overlaps this one."""
        left, top, right, bottom = rect
        for cell in _cells(rect):
            for x, y, x_end, y_end in self._cells.get(cell, _NONE).values():
                if left < x_end and x < right and top < y_end and y < bottom:
                    return False
        return True


_NONE: dict[Any, Rect] = {}


def _cells(rect: Rect) -> list[tuple[int, int]]:
    left, top, right, bottom = (int(edge // CELL) for edge in rect)
    if left == right:
        return [(left, row) for row in range(top, bottom + 1)]
    return [(column, row) for column in range(left, right + 1) for row in range(top, bottom + 1)]


class Wire(NamedTuple):
    """A wire to route. Wires of one `net`, which come from the same output, may overlap. `label` is the width of its label."""

    source: Point
    target: Point
    net: Hashable
    label: float = 0.0


def simple(source: Point, target: Point) -> Path:
    """Return a route that ignores blocks, for the wires of a block while it is dragged."""
    (sx, sy), (tx, ty) = (source[0] + STUB, source[1]), (target[0] - STUB, target[1])
    if sx <= tx:
        middle = (sx + tx) / 2
        return _tidy((source, (middle, sy), (middle, ty), target))
    middle = (sy + ty) / 2
    return _tidy((source, (sx, sy), (sx, middle), (tx, middle), (tx, ty), target))


class Router(Generic[K]):
    """Blocks and the routes of all wires between them."""

    def __init__(self) -> None:
        self.blocks: Grid[str] = Grid()
        self.routes: dict[K, Path] = {}
        self._segments: Grid[tuple[K, int]] = Grid()
        self._nets: dict[K, Hashable] = {}

    def forget(self, key: K) -> None:
        """Remove the route of a wire, so that others may pass there."""
        for i in range(max(len(self.routes.pop(key, ())) - 1, 0)):
            self._segments.drop((key, i))
        self._nets.pop(key, None)

    def route(self, key: K, wire: Wire) -> Path:
        """Return the route of a wire, and remembers it."""
        self.forget(key)
        path = self._best(wire) or self._search(wire) or simple(wire.source, wire.target)
        self.keep(key, wire, path)
        return path

    def keep(self, key: K, wire: Wire, path: Path) -> None:
        """Remember a route that was computed elsewhere."""
        self.forget(key)
        self.routes[key], self._nets[key] = path, wire.net
        for i, (a, b) in enumerate(itertools.pairwise(path)):
            self._segments.put((key, i), _span(a, b).grown(0.5))

    def touching(self, rect: Rect) -> set[K]:
        """Return the wires that run through this rectangle."""
        return {key for key, _ in self._segments.meeting(rect)}

    def clear(self, path: Sequence[Point]) -> bool:
        """Return whether the path keeps its distance from every block, except in its first and last segment, at the ports."""
        return all(self.blocks.free(_span(a, b).grown(MARGIN - 1.0)) for a, b in itertools.pairwise(path[1:-1]))

    def _best(self, wire: Wire) -> Path | None:
        """Return the cheapest of the simple routes that keep clear of blocks; None if all are blocked."""
        candidates = []
        for number, path in enumerate(self._candidates(wire)):
            tidy = _tidy(path)
            candidates.append((_length(tidy), number, path, tidy))
        candidates.sort()
        best: Path | None = None
        least = float("inf")
        for cost, _, path, tidy in candidates:
            if cost >= least:
                break
            if not self.clear(path):
                continue
            total = cost + self._disturbs(tidy, wire.net)
            if total < least:
                best, least = tidy, total
        return best

    def _candidates(self, wire: Wire) -> Iterator[Path]:
        """Yield routes with two and with four bends; the second and the last but one point are the ends of the stubs."""
        source, target = wire.source, wire.target
        (sx, sy), (tx, ty) = s, t = (source[0] + STUB, source[1]), (target[0] - STUB, target[1])
        area = Rect(min(sx, tx) - NEAR / 4, min(sy, ty) - NEAR / 4, max(sx, tx) + NEAR / 4, max(sy, ty) + NEAR / 4)
        near = [self.blocks.rects[key] for key in self.blocks.meeting(area)]
        if sx <= tx:
            # Turning late comes first: what then runs beside the source has room for the label. If it has not, the label
            # will stand on the upright stretch, best in the middle.
            late, middle = tx, (sx + tx) / 2
            first = (late, middle) if tx - source[0] >= wire.label + 2 * MARGIN else (middle, late)
            xs = [*first, sx, *(x for r in near for x in (r.left - STUB, r.right + STUB) if sx <= x <= tx)]
            lanes = [x + LANE * k for x in xs for k in (0, -1, 1, -2, 2, -3, 3)]
            for x in dict.fromkeys(lanes):
                if sx <= x <= tx:
                    yield (source, s, (x, sy), (x, ty), t, target)
        heights = {(sy + ty) / 2}
        heights |= {y for r in near for y in (r.top - STUB, r.bottom + STUB)}
        for y in sorted(heights, key=lambda y: abs(y - sy) + abs(y - ty))[:14]:
            for k in (0, 1, 2):
                for up in (0, 1) if k else (0,):
                    xa, xb, yk = sx + LANE * k, tx - LANE * k, y + LANE * (k if up else -k)
                    yield (source, s, (xa, sy), (xa, yk), (xb, yk), (xb, ty), t, target)

    def _disturbs(self, path: Path, net: Hashable) -> float:
        """Return the cost of crossing other wires and running along them. The path turns at each of its points."""
        cost = 0.0
        for a, b in itertools.pairwise(path):
            span = _span(a, b).grown(LANE * 0.4)
            flat = a[1] == b[1]
            for other, i in self._segments.meeting(span):
                if self._nets[other] == net:
                    continue
                c, d = self.routes[other][i], self.routes[other][i + 1]
                if flat == (c[1] == d[1]):
                    low, high = (max(min(a[0], b[0]), min(c[0], d[0])), min(max(a[0], b[0]), max(c[0], d[0])))
                    if not flat:
                        low, high = (max(min(a[1], b[1]), min(c[1], d[1])), min(max(a[1], b[1]), max(c[1], d[1])))
                    cost += SHARED + max(high - low, 0.0) if high - low > 1.0 else 0.0
                else:
                    cost += CROSSING
        return cost

    def _search(self, wire: Wire) -> Path | None:
        """Search the shortest route with few bends along lines beside near blocks, or else beside blocks further away."""
        s, t = (wire.source[0] + STUB, wire.source[1]), (wire.target[0] - STUB, wire.target[1])
        if not (self.blocks.free(_span(s, s).grown(MARGIN - 1.0)) and self.blocks.free(_span(t, t).grown(MARGIN - 1.0))):
            return None  # shut in by a block on top of the port
        for reach in (NEAR / 2, 2 * NEAR, 8 * NEAR):
            near = [self.blocks.rects[key] for key in self.blocks.meeting(_span(s, t).grown(reach))]
            if len(near) > MOST_BLOCKS:
                near.sort(key=lambda r: abs(r.left + r.right - s[0] - t[0]) + abs(r.top + r.bottom - s[1] - t[1]))
                del near[MOST_BLOCKS:]
            points = _Maze(near, s, t).walk()
            if points is not None:
                path = (wire.source, *points, wire.target)
                if self.clear(path):
                    return _tidy(path)
        return None


class _Maze:
    """The lines along the edges of some blocks, and the stretches of them that blocks obstruct."""

    def __init__(self, blocks: Sequence[Rect], start: Point, goal: Point) -> None:
        self._start = start
        self._goal = goal
        self.xs = sorted({start[0], goal[0], *(x for r in blocks for x in (r.left - STUB, r.right + STUB))})
        self.ys = sorted({start[1], goal[1], *(y for r in blocks for y in (r.top - STUB, r.bottom + STUB))})
        self._level: set[tuple[int, int]] = set()  # (i, j): from (i, j) to the right neighbour is barred
        self._upright: set[tuple[int, int]] = set()  # the same downwards
        for block in blocks:
            self._bar(block.grown(MARGIN - 1.0))

    def _bar(self, block: Rect) -> None:
        inside_x = range(bisect_right(self.xs, block.left), bisect_left(self.xs, block.right))
        inside_y = range(bisect_right(self.ys, block.top), bisect_left(self.ys, block.bottom))
        into_x = range(max(inside_x.start - 1, 0), inside_x.stop)
        into_y = range(max(inside_y.start - 1, 0), inside_y.stop)
        self._level.update(itertools.product(into_x, inside_y))
        self._upright.update(itertools.product(inside_x, into_y))

    def walk(self) -> list[Point] | None:
        """Return the points of the cheapest path from start to goal, by A* with a cost for bends; None if there is none."""
        xs, ys = self.xs, self.ys
        first = (bisect_left(xs, self._start[0]), bisect_left(ys, self._start[1]), 0)
        goal_i, goal_j = bisect_left(xs, self._goal[0]), bisect_left(ys, self._goal[1])
        queue: list[tuple[float, float, tuple[int, int, int]]] = [(0.0, 0.0, first)]
        cost, back = {first: 0.0}, {first: first}
        while queue:
            _, paid, at = heapq.heappop(queue)
            if paid > cost[at]:
                continue
            i, j, upright = at
            if i == goal_i and j == goal_j:
                return _walk(back, at, xs, ys)
            for a, b, turned, barred in (
                (i + 1, j, 0, (i, j) in self._level), (i - 1, j, 0, (i - 1, j) in self._level),
                (i, j + 1, 1, (i, j) in self._upright), (i, j - 1, 1, (i, j - 1) in self._upright),
            ):  # fmt: skip
                if barred or not (0 <= a < len(xs) and 0 <= b < len(ys)):
                    continue
                price = paid + abs(xs[a] - xs[i]) + abs(ys[b] - ys[j]) + (BEND if turned != upright else 0.0)
                price += BEND if turned and a == goal_i and b == goal_j else 0.0
                key = (a, b, turned)
                if price < cost.get(key, math.inf):
                    cost[key], back[key] = price, at
                    heapq.heappush(queue, (price + abs(xs[a] - self._goal[0]) + abs(ys[b] - self._goal[1]), price, key))
        return None


def _walk(
    back: dict[tuple[int, int, int], tuple[int, int, int]], at: tuple[int, int, int], xs: list[float], ys: list[float]
) -> list[Point]:
    points = [(xs[at[0]], ys[at[1]])]
    while back[at] != at:
        at = back[at]
        points.append((xs[at[0]], ys[at[1]]))
    return points[::-1]


def _span(a: Point, b: Point) -> Rect:
    return Rect(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))


def _length(path: Path) -> float:
    """Return the length of a path that turns at each of its points, and what its bends cost."""
    total = BEND * (len(path) - 2)
    x, y = path[0]
    for x_next, y_next in path:
        total += abs(x - x_next) + abs(y - y_next)
        x, y = x_next, y_next
    return total


def _tidy(path: Iterable[Point]) -> Path:
    """Return the path without points at which it does not turn."""
    points: list[Point] = []
    for point in path:
        if points and point == points[-1]:
            continue
        if len(points) > 1 and (points[-2][0] == points[-1][0] == point[0] or points[-2][1] == points[-1][1] == point[1]):
            points[-1] = point
            if len(points) > 1 and points[-1] == points[-2]:
                points.pop()
            continue
        points.append(point)
    return tuple(points)


def label_places(path: Path, width: float, height: float) -> Iterator[Rect]:
    """Yield places for a label on a wire: on the long horizontal stretches first, then across the vertical ones."""
    stretches = sorted(itertools.pairwise(path), key=lambda ends: -abs(ends[0][0] - ends[1][0]))
    for roomy in (True, False):
        for a, b in stretches:
            room = abs(a[0] - b[0])
            if a[1] == b[1] and (room >= width + 12.0) == roomy and room > 0:
                for part in (0.5, 0.35, 0.65, 0.2, 0.8):
                    if roomy and not (width / 2 + 6 <= part * room <= room - width / 2 - 6):
                        continue
                    yield _around(a[0] + (b[0] - a[0]) * part, a[1], width, height)
    for a, b in sorted(itertools.pairwise(path), key=lambda ends: -abs(ends[0][1] - ends[1][1])):
        if a[0] == b[0] and abs(a[1] - b[1]) >= height + 8.0:
            for part in (0.5, 0.3, 0.7):
                yield _around(a[0], a[1] + (b[1] - a[1]) * part, width, height)


def _around(x: float, y: float, width: float, height: float) -> Rect:
    return Rect(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
