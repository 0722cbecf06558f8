"""A table whose columns are held in memory, for formats that are read as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import CHUNK_ROWS, Array, Cell, Chunk, Column, Kind, Table, chunk_rows
from seqdec_gui.data.formats.uneven import Shape, usual_shape, why_uneven, with_faulty_rows
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.wording import counted

_LARGEST_WHOLE = 2**63
"""The least whole number that int64 cannot hold."""

_EXACT_WHOLE = 2**53
"""The largest whole number up to which float64 holds all of them."""


class MemoryTable(Table):
    """Columns by name: Arrow string arrays, or NumPy arrays whose first axis counts the rows."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._values: dict[str, Any] = {}

    def _hold(self, values: Mapping[str, Any]) -> None:
        """Set the columns of the table."""
        self._values = dict(values)
        self._list(_described(name, column) for name, column in self._values.items())

    def chunks(self, name: str) -> Iterator[Chunk]:
        column = self.column(name)
        values = self._values[name]
        row_bytes = 64 if column.kind == "text" else values[:1].nbytes
        step = CHUNK_ROWS if not column.shape else chunk_rows(row_bytes)
        for at in range(0, column.rows, step):
            yield _part(values, at, step)

    def page(self, name: str, first: int, count: int) -> list[Cell]:
        column = self.column(name)
        part = _part(self._values[name], first, count)
        if column.kind == "text":
            return list(part.to_pylist())
        cells: list[Cell] = list(part) if column.shape else part.tolist()
        return cells


def _part(values: Any, first: int, count: int) -> Any:
    return values[first : first + count] if isinstance(values, np.ndarray) else values.slice(first, count)


def _described(name: str, values: Any) -> Column:
    if not isinstance(values, np.ndarray):
        return Column(name, "text", "text", (), len(values))
    scalar: Kind = "number" if values.dtype.kind == "f" else "integer"
    kind: Kind = "array" if values.ndim > 1 else scalar
    return Column(name, kind, values.dtype.name, values.shape[1:], len(values))


class Gathered(NamedTuple):
    """A column made of Python values; `values` is None if they cannot be one, for the reason `unusable`."""

    values: Any
    problems: tuple[Problem, ...] = ()
    unusable: str = ""
    unread: Mapping[int, str] = {}
    """Why cells of lists have no values, by row; they are infinite."""


def gathered(name: str, cells: Sequence[Any]) -> Gathered:
    """Return a column of the cells: numbers, texts, or (nested) lists of equally many numbers. None is a missing value.

    Numbers and texts in one column become text, with a warning; so do whole numbers that float64 or int64 would change.
    """
    import pyarrow as pa

    kinds = {type(cell) for cell in cells} - {type(None)}
    if not kinds:
        return Gathered(pa.nulls(len(cells), pa.string()))
    if kinds <= {bool, int, float}:
        return _numbers(name, cells, kinds)
    if kinds == {list} or (list in kinds and usual_shape([_shape(cell) for cell in cells])):
        return _arrays(name, cells)
    if kinds <= {bool, int, float, str}:
        problems: tuple[Problem, ...] = ()
        if kinds != {str}:
            row = next(i for i, cell in enumerate(cells) if cell is not None and not isinstance(cell, str))
            text = f"Column {name!r} holds texts and numbers; it is read as text (row {row + 1} is the number {cells[row]!r})."
            problems = (Problem("warning", "mixed_values", "data", text, "Write all of its cells as numbers, or all as text."),)
        texts = [cell if cell is None or isinstance(cell, str) else _as_text(cell) for cell in cells]
        return Gathered(pa.array(texts, pa.string()), problems)
    if kinds & {dict}:
        return Gathered(None, unusable="holds objects; expected numbers, texts or lists of numbers")
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    return Gathered(None, unusable=f"holds values of the kinds {names}; expected numbers, texts or lists of numbers")


def _numbers(name: str, cells: Sequence[Any], kinds: set[type]) -> Gathered:
    import pyarrow as pa

    whole = float not in kinds
    missing = any(cell is None for cell in cells)
    largest = max((abs(cell) for cell in cells if cell is not None and not isinstance(cell, float)), default=0)
    if largest >= _LARGEST_WHOLE or (largest > _EXACT_WHOLE and (missing or not whole)):
        text = f"Column {name!r} is read as text: it holds whole numbers of {len(str(largest))} digits, which would be rounded."
        texts = pa.array([None if cell is None else _as_text(cell) for cell in cells], pa.string())
        return Gathered(texts, (Problem("info", "digit_strings", "data", text, "Write them shorter to have numbers."),))
    if whole and not missing:
        return Gathered(np.array(cells, np.int64))
    return Gathered(np.array([np.nan if cell is None else cell for cell in cells], np.float64))


def _arrays(name: str, cells: Sequence[Any]) -> Gathered:
    shapes = [_shape(cell) for cell in cells]
    usual = usual_shape(shapes)
    if usual is not None and any(shape != usual for shape in shapes):
        made = _arrays(name, [cell for cell, shape in zip(cells, shapes, strict=True) if shape == usual])
        if made.unusable:
            return made
        all_rows = with_faulty_rows(made.values, np.array([shape == usual for shape in shapes]))
        if all_rows is None:
            return Gathered(None, unusable="is ragged, with whole numbers that would be rounded; pad every row to one length")
        return made._replace(
            values=all_rows,
            unread={row: why_uneven(shape, usual) for row, shape in enumerate(shapes) if shape != usual},
        )
    if any(cell is None for cell in cells):
        row = next(i for i, cell in enumerate(cells) if cell is None)
        return Gathered(None, unusable=f"has no list in row {row + 1}; expected lists of equally many numbers")
    try:
        values: Array = np.array(cells)
    except ValueError:
        lengths = [len(cell) for cell in cells]
        row = next((i for i, length in enumerate(lengths) if length != lengths[0]), 0)
        other = f"row {row + 1} has {counted(lengths[row], 'value')}, row 1 has {lengths[0]}" if row else "inner lists differ"
        return Gathered(None, unusable=f"is ragged ({other}); pad every row to the same length")
    if values.dtype.kind not in "biuf" or values.dtype == object:
        return Gathered(None, unusable="holds lists of other values than numbers; expected equally many numbers in each")
    if values.dtype.kind in "uf" and values.size and (np.abs(values) > _EXACT_WHOLE).any():
        rounded = next((number for cell in cells for number in _whole(cell) if abs(number) > _EXACT_WHOLE), None)
        if rounded is not None and (values.dtype.kind == "f" or int(values.max()) >= _LARGEST_WHOLE):
            return Gathered(None, unusable=f"holds {rounded}, which would be rounded; expected shorter whole numbers")
    return Gathered(values.astype(np.int64) if values.dtype.kind in "bu" else values)


def _shape(cell: Any) -> Shape:
    """Return the shape of nested lists of numbers; None if they hold something else, or are of different lengths."""
    if not isinstance(cell, list):
        return None
    try:
        values = np.array(cell)
    except ValueError:
        return None
    return values.shape if values.dtype.kind in "biuf" else None


def _whole(cell: Any) -> Iterator[int]:
    """Yield the whole numbers of nested lists."""
    if isinstance(cell, list):
        for each in cell:
            yield from _whole(each)
    elif isinstance(cell, int):
        yield cell


def _as_text(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
