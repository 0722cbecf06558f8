"""Places on the canvas, in scene units: on its grid, and free of other blocks."""

from __future__ import annotations

from seqdec_gui.domain.drawing.routing import Grid, Rect
from seqdec_gui.gui.pages.design.style import GRID

BETWEEN = 24.0  # least distance at which a new block is put beside others
CLOSEST = 6.0  # at the very place that was wished for it may come nearer
RINGS = 400


def snapped(value: float) -> float:
    """The nearest multiple of the grid."""
    return float(round(value / GRID) * GRID)


def free_place(blocks: Grid[str], width: float, height: float, wished: tuple[float, float]) -> tuple[float, float]:
    """The place nearest to the wish where a block of this size meets no other; the wish itself where there is none."""
    x0, y0 = snapped(wished[0]), snapped(wished[1])
    for ring in range(RINGS):
        for x, y in _ring(x0, y0, 2 * GRID * ring):
            if blocks.free(Rect(x, y, x + width, y + height).grown(BETWEEN if ring else CLOSEST)):
                return x, y
    return x0, y0


def _ring(x0: float, y0: float, away: float) -> list[tuple[float, float]]:
    """Points on a square so far away from the middle, the nearest first."""
    side = range(-int(away), int(away) + 1, int(4 * GRID))
    places = [(x0 + dx, y0 + dy) for d in side for dx, dy in ((d, -away), (d, away), (-away, d), (away, d))]
    return sorted(places, key=lambda at: (at[0] - x0) ** 2 + (at[1] - y0) ** 2)
