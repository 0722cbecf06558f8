"""Finds numbers of new rows that lie outside the range of the training rows, where a model was never shown what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.rows import Values
from seqdec_gui.domain.wording import counted

TITLE = "outside_training"
"""The column of a file of results that names them; it is there if there is such a row."""
ROUNDING = 1e-6
"""The part of a range's ends by which a number may exceed them: float32 and shortened texts do."""
COMMON_FROM = 32
"""The width from which the numbers of a vector without names, such as the pixels of an image, have one range in common."""
SHOWN = 3
"""The number of columns that a sentence names."""


class Outside(NamedTuple):
    """The number of a row, from 0, that lies outside the range `low` to `high` of the training rows."""

    row: int
    name: str
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.name} {self.value:.6g} (training rows {self.low:.6g} to {self.high:.6g})"


def outside_port(port: FittedPort, values: Values) -> list[Outside]:
    """Return the numbers of rows of a port that lie outside, ordered by row; missing ones lie inside, and text has none."""
    codec = port.codec
    if not isinstance(codec, FittedNumbers) or not codec.low or not isinstance(values, np.ndarray):
        return []
    low, high = np.array(codec.low), np.array(codec.high)
    if not port.number_names and len(low) >= COMMON_FROM:
        low, high = np.full(low.shape, low.min()), np.full(high.shape, high.max())
    numbers: Array = values.reshape(len(values), -1).astype(np.float64)
    if numbers.shape[1] != len(low):
        return []
    room = ROUNDING * np.maximum(np.abs(low), np.abs(high))
    names = port.number_names or ((port.name,) if len(low) == 1 else tuple(f"{port.name} {n + 1}" for n in range(len(low))))
    wrong = np.isfinite(numbers) & ((numbers < low - room) | (numbers > high + room))
    return [
        Outside(row, names[at], float(numbers[row, at]), float(low[at]), float(high[at]))
        for row, at in np.argwhere(wrong).tolist()
    ]


def outside_training(fitted: Fitted, values: Mapping[str, Values]) -> list[Outside]:
    """Return the numbers of rows, by port or alias, that lie outside, ordered by row."""
    found = [each for name, column in values.items() for each in outside_port(fitted.port(name), column)]
    return sorted(found, key=lambda each: each.row)


def by_row(found: Iterable[Outside]) -> dict[int, str]:
    """Return what is outside in each row, as its cell in a file of results."""
    texts: dict[int, list[str]] = {}
    for each in found:
        texts.setdefault(each.row, []).append(str(each))
    return {row: "; ".join(several) for row, several in texts.items()}


def sentence(found: Sequence[Outside]) -> str:
    """Return which columns are outside, with the values and the range of the training rows; empty if none is."""
    if not found:
        return ""
    columns: dict[str, list[Outside]] = {}
    for each in found:
        columns.setdefault(each.name, []).append(each)
    parts = [_of_column(name, several) for name, several in list(columns.items())[:SHOWN]]
    more = f", and {counted(len(columns) - SHOWN, 'more column')}" if len(columns) > SHOWN else ""
    rows = len({each.row for each in found})
    asked = "One row asks" if rows == 1 else f"{rows:,} rows ask"
    return f"{asked} for what no training row has: {'; '.join(parts)}{more}. Expect little of it."


def _of_column(name: str, several: Sequence[Outside]) -> str:
    values = [each.value for each in several]
    low, high = f"{min(values):.6g}", f"{max(values):.6g}"
    return f"{name} {low if low == high else f'{low} to {high}'} (training rows {several[0].low:.6g} to {several[0].high:.6g})"
