"""Compares pictures of the window with accepted ones: what moved, vanished or changed its colour, whatever the font.

A picture is kept at half its size in few colours. It is looked at in cells of CELL x CELL of its pixels: the ground of a cell
is the median colour round it, which thin letters do not change; its ink is how much differs from the ground. A cell differs if
no cell of the other picture within reach is like it. Cells that differ alone are nothing; those that lie together are.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QImage

Pixels = NDArray[np.uint8]
"""Rows x columns x red, green, blue."""
Grid = NDArray[np.float32]
CELL, AROUND = 5, 9
"""The side of a cell, and of the square round its middle that gives its ground; in pixels of the kept picture."""
COLOURS = 40
"""The number of colours in which a picture is kept."""
SIZE_TOLERANCE = 0.06
"""How much of its width or height a dialog may gain or lose by another font."""


class Tolerance(NamedTuple):
    """How far away, in cells, the like of a cell may lie; how much ground (of 255) and ink (of 1) differ; how many together."""

    across: int
    down: int
    ground: float
    ink: float
    ground_cells: int
    ink_cells: int


SAME_FONT = Tolerance(across=1, down=1, ground=9, ink=0.035, ground_cells=4, ink_cells=4)
"""For pictures that were made with the font of the accepted ones."""
OTHER_FONT = Tolerance(across=4, down=2, ground=12, ink=0.05, ground_cells=14, ink_cells=18)
"""For pictures with another font, whose words are shorter or longer and end elsewhere."""


class Change(NamedTuple):
    """A place, in pixels of the window, where a picture is not the accepted one."""

    what: str
    left: int
    top: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.what} at {self.left}, {self.top} ({self.width} x {self.height})"


def pixels_of(image: QImage) -> Pixels:
    """Return the pixels of a picture."""
    image = image.convertToFormat(QImage.Format_RGB888)
    rows = np.frombuffer(image.constBits().asstring(image.byteCount()), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3)


def image_of(pixels: Pixels) -> QImage:
    """Return the picture of these pixels."""
    rows, columns, _ = pixels.shape
    return QImage(np.ascontiguousarray(pixels).tobytes(), columns, rows, columns * 3, QImage.Format_RGB888).copy()


def few_colours(image: QImage, often: int, rare: int) -> QImage:
    """Return a picture in its most frequent colours and as many of the others, which keep the colours of small icons."""
    image = image.convertToFormat(QImage.Format_RGB32)
    pixels = np.frombuffer(image.constBits().asstring(image.byteCount()), np.uint32)
    colours, counts = np.unique(pixels, return_counts=True)
    ranked = [int(colour) for colour in colours[np.argsort(-counts, kind="stable")]]
    near: dict[int, int] = {}
    for colour in ranked[often:]:
        near.setdefault(colour & 0xE0E0E0, colour)
    table = [*ranked[:often], *list(near.values())[:rare]]
    return image.convertToFormat(QImage.Format_Indexed8, table, Qt.AvoidDither | Qt.ThresholdDither)


def reduced(image: QImage) -> QImage:
    """Return the picture as it is kept: at half its size, in few colours."""
    pixels = pixels_of(image)
    rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
    halves = pixels[: rows * 2, : columns * 2].reshape(rows, 2, columns, 2, 3).mean(axis=(1, 3))
    return few_colours(image_of((halves / 8).round().clip(0, 31).astype(np.uint8) * 8), COLOURS // 2, COLOURS - COLOURS // 2)


def changes(accepted: QImage, seen: QImage, tolerance: Tolerance = SAME_FONT) -> list[Change]:
    """Return where two reduced pictures differ, the largest change first."""
    if _sizes_differ(accepted, seen):
        text = f"size {2 * seen.width()} x {2 * seen.height()} instead of {2 * accepted.width()} x {2 * accepted.height()}"
        return [Change(text, 0, 0, 2 * seen.width(), 2 * seen.height())]
    if seen.size() != accepted.size():
        seen = seen.convertToFormat(QImage.Format_RGB888).scaled(accepted.size(), Qt.IgnoreAspectRatio, Qt.FastTransformation)
    (ground, ink), (other_ground, other_ink) = _cells(pixels_of(accepted)), _cells(pixels_of(seen))
    reach = (tolerance.down, tolerance.across)
    moved = _ground_differs(ground, other_ground, reach, tolerance.ground)
    written = _ink_differs(ink, other_ink, reach, tolerance.ink)
    found = [
        *_places(moved, "another ground", tolerance.ground_cells),
        *_places(written, "other contents", tolerance.ink_cells),
    ]
    return sorted(found, key=lambda change: -change.width * change.height)


def difference(accepted: QImage, seen: QImage, found: list[Change]) -> QImage:
    """Return the accepted picture, the one that was seen, and what differs, beside each other; the changes framed in red."""
    left = pixels_of(accepted)
    right = pixels_of(seen.convertToFormat(QImage.Format_RGB888).scaled(accepted.size()))
    apart = 255 - np.abs(left.astype(np.int16) - right).max(axis=2).astype(np.uint8)
    three = np.concatenate([left, right, np.repeat(apart[..., None], 3, axis=2)], axis=1)
    for change in found:
        top, low = change.top // 2, min((change.top + change.height) // 2, left.shape[0]) - 1
        for at in range(3):
            near, far = at * left.shape[1] + change.left // 2, at * left.shape[1] + (change.left + change.width) // 2 - 1
            far = min(far, (at + 1) * left.shape[1] - 1)
            three[[top, low], near : far + 1] = three[top : low + 1, [near, far]] = (220, 30, 30)
    return image_of(three)


def kept(path: Path) -> QImage:
    """Return an accepted picture; null if there is none."""
    return QImage(str(path))


def _sizes_differ(one: QImage, other: QImage) -> bool:
    pairs = ((one.width(), other.width()), (one.height(), other.height()))
    return any(abs(a - b) > max(4, SIZE_TOLERANCE * a) for a, b in pairs)


def _cells(pixels: Pixels) -> tuple[Grid, Grid]:
    """Return the ground (rows x columns x 3) and the ink (rows x columns) of the cells."""
    margin = (AROUND - CELL) // 2
    rows, columns = -(-pixels.shape[0] // CELL), -(-pixels.shape[1] // CELL)
    beyond = ((margin, margin + rows * CELL - pixels.shape[0]), (margin, margin + columns * CELL - pixels.shape[1]), (0, 0))
    padded = np.pad(pixels, beyond, mode="edge")
    squares = np.lib.stride_tricks.sliding_window_view(padded, (AROUND, AROUND), axis=(0, 1))[::CELL, ::CELL]
    squares = squares.reshape(rows, columns, 3, AROUND * AROUND)
    ground = np.median(squares, axis=3).astype(np.float32)
    ink = np.abs(squares - ground[..., None]).max(axis=2).mean(axis=2) / 255
    return ground, ink.astype(np.float32)


def _shifted(grid: Grid, reach: tuple[int, int]) -> list[Grid]:
    """Return a grid as seen from each place within reach."""
    down, across = reach
    padded = np.pad(grid, ((down, down), (across, across), *((0, 0) for _ in grid.shape[2:])), mode="edge")
    rows, columns = grid.shape[:2]
    return [padded[y : y + rows, x : x + columns] for y in range(2 * down + 1) for x in range(2 * across + 1)]


def _ground_differs(one: Grid, other: Grid, reach: tuple[int, int], least: float) -> NDArray[np.bool_]:
    def nearest(grid: Grid, among: Grid) -> Grid:
        return np.min([np.abs(grid - near).max(axis=2) for near in _shifted(among, reach)], axis=0)

    return np.maximum(nearest(one, other), nearest(other, one)) > least


def _ink_differs(one: Grid, other: Grid, reach: tuple[int, int], least: float) -> NDArray[np.bool_]:
    def beyond(grid: Grid, among: Grid) -> Grid:
        near = _shifted(among, reach)
        return np.maximum(grid - np.max(near, axis=0), np.min(near, axis=0) - grid)

    return np.maximum(beyond(one, other), beyond(other, one)) > least


def _places(differs: NDArray[np.bool_], what: str, least: int) -> list[Change]:
    """Return the rectangles of cells that differ and touch, if there are at least so many."""
    left = {(int(row), int(column)) for row, column in np.argwhere(differs)}
    found = []
    while left:
        group, edge = [], [left.pop()]
        while edge:
            row, column = edge.pop()
            group.append((row, column))
            near = {(row + y, column + x) for y in (-1, 0, 1) for x in (-1, 0, 1)} & left
            left -= near
            edge += near
        if len(group) >= least:
            rows, columns = [row for row, _ in group], [column for _, column in group]
            side = 2 * CELL
            shape = ((max(columns) - min(columns) + 1) * side, (max(rows) - min(rows) + 1) * side)
            found.append(Change(what, min(columns) * side, min(rows) * side, *shape))
    return found
