"""Formats values, columns and numbers for the data view."""

from __future__ import annotations

import numpy as np

from seqdec_gui.data.formats.base import Cell, Column

LONGEST = 160
"""The number of characters to which a cell is cut."""

SHOWN_VALUES = 8
"""The number of values of an array that are shown."""


def cell_text(cell: Cell) -> str:
    """Format a cell on one line; long texts and arrays are cut."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        line = cell.replace("\r", "").replace("\n", "⏎").replace("\t", "⇥")
        return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    if isinstance(cell, np.ndarray):
        return array_text(cell)
    return number_text(cell)


def array_text(array: np.ndarray) -> str:
    """Format the first values of an array of any shape."""
    first = ", ".join(number_text(value) for value in array.reshape(-1)[:SHOWN_VALUES].tolist())
    return first + (", …" if array.size > SHOWN_VALUES else "")


def number_text(value: float | int | None) -> str:
    """Format a whole number in full and another number with at most six significant digits."""
    if value is None:
        return "–"
    if isinstance(value, bool | int | np.integer):
        return str(int(value))
    if value != value:
        return "missing"
    return f"{value:.6g}"


def count_text(count: int) -> str:
    return f"{count:,}"


def type_text(column: Column) -> str:
    """Describe the values of a column: `text`, `whole numbers`, `numbers`, `8 × 8 numbers`."""
    if column.kind == "array":
        kind = "whole numbers" if column.dtype.startswith(("int", "uint", "bool")) else "numbers"
        return f"{' × '.join(map(str, column.shape))} {kind}"
    return {"text": "text", "integer": "whole numbers", "number": "numbers"}[column.kind]


def size_text(size: int) -> str:
    """Format a number of bytes: `3.4 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size = size / 1000  # type: ignore[assignment]
    raise AssertionError


def symbol_text(symbol: str) -> str:
    """Return a symbol, with a visible sign in place of white space."""
    return {" ": "␣", "\n": "⏎", "\t": "⇥", "": "(empty)"}.get(symbol, symbol)
