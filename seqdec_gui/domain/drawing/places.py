"""Places for blocks on the canvas, in scene units: on the grid, and free of other blocks. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

from seqdec_gui.domain.drawing.routing import Grid, Rect

GRID_STEP = 10
"""The distance between grid lines in scene units. Blocks lie on the grid, so that ports of one row meet in a straight wire."""

NEW_BLOCK_GAP = 24.0
"""The least distance between other blocks and a block that had to be moved away from the wished place, in scene units."""

WISHED_PLACE_GAP = 6.0
"""The least distance between other blocks and a block that lies at the very place that was wished for, in scene units."""

MAX_RINGS = 400
"""The number of squares of growing size around the wished place that are searched for a free place."""


def snapped(value: float) -> float:
    """Return the multiple of the grid step nearest to a coordinate."""
    return float(round(value / GRID_STEP) * GRID_STEP)


def free_place(blocks: Grid[str], width: float, height: float, wished: tuple[float, float]) -> tuple[float, float]:
    """Return the place nearest to `wished` where a block of this size meets no other block.

    Places are top left corners. Where no free place exists the wished place itself is returned, on the grid.
    """
    x0, y0 = snapped(wished[0]), snapped(wished[1])
    for ring in range(MAX_RINGS):
        for x, y in _ring(x0, y0, 2 * GRID_STEP * ring):
            if blocks.free(Rect(x, y, x + width, y + height).grown(NEW_BLOCK_GAP if ring else WISHED_PLACE_GAP)):
                return x, y
    return x0, y0


def free_offset(taken: Grid[str], rects: Sequence[Rect]) -> tuple[float, float]:
    """Return the shortest way (dx, dy) on the grid by which several rectangles, moved together, meet nothing that is taken.

    (0, 0) if they meet nothing where they are. Of ways of one length, those to the right and down come first. Where there is no
    free place within reach, the way leads below everything.
    """
    if all(taken.free(rect) for rect in rects):
        return 0.0, 0.0
    for ring in range(1, MAX_RINGS):
        ways = _ring(0.0, 0.0, 2 * GRID_STEP * ring)
        for dx, dy in sorted(ways, key=lambda way: (way[0] ** 2 + way[1] ** 2, -way[0] - way[1])):
            if all(taken.free(rect.moved(dx, dy).grown(NEW_BLOCK_GAP)) for rect in rects):
                return dx, dy
    lowest = max(rect.bottom for rect in taken.rects.values())
    return 0.0, snapped(lowest - min(rect.top for rect in rects) + NEW_BLOCK_GAP + GRID_STEP)


def _ring(x0: float, y0: float, distance: float) -> list[tuple[float, float]]:
    """Return points on the square at this distance round a middle point, the nearest first."""
    side = range(-int(distance), int(distance) + 1, int(4 * GRID_STEP))
    places = [(x0 + dx, y0 + dy) for d in side for dx, dy in ((d, -distance), (d, distance), (-distance, d), (distance, d))]
    return sorted(places, key=lambda at: (at[0] - x0) ** 2 + (at[1] - y0) ** 2)
