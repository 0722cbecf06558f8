"""Computes statistics of a column, for the data view and for the check of a dataset."""

from __future__ import annotations

import msgspec
import numpy as np

from seqdec_gui.data.formats.base import Array, Column, Table
from seqdec_gui.data.tokens import TextForm, TokenKind, survey


class NumberStatistics(msgspec.Struct, frozen=True, tag="number"):
    """Statistics over all finite values; `missing` counts NaN and infinite values.

    `deviation` is the standard deviation of the population. `distinct` is None for arrays. Minimum, maximum, mean and deviation
    are None if no value is finite.
    """

    count: int
    missing: int
    distinct: int | None
    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None


class TextStatistics(msgspec.Struct, frozen=True, tag="text"):
    """Statistics over all texts; `missing` counts empty texts too.

    `lengths[n]` is the number of rows with n tokens, `symbols` the number of times that each token occurs.
    """

    count: int
    missing: int
    distinct: int
    lengths: tuple[int, ...]
    symbols: dict[str, int]

    @property
    def longest(self) -> int:
        return max(len(self.lengths) - 1, 0)

    @property
    def charset(self) -> tuple[str, ...]:
        return tuple(self.symbols)


Statistics = NumberStatistics | TextStatistics


def measure(table: Table, name: str, tokens: TokenKind = "characters") -> Statistics:
    """Compute the statistics of one column in one or two passes. Raises InvalidInput."""
    column = table.column(name)
    return _of_text(table, column, tokens) if column.kind == "text" else _of_numbers(table, column)


def _of_text(table: Table, column: Column, tokens: TokenKind) -> TextStatistics:
    import pyarrow as pa
    import pyarrow.compute as pc

    seen = survey(table.text_chunks(column.name), TextForm(tokens))
    chunks = [chunk.cast(pa.large_string()) for chunk in table.text_chunks(column.name)]
    distinct = pc.count_distinct(pa.chunked_array(chunks, pa.large_string()), mode="only_valid").as_py()
    return TextStatistics(seen.rows, seen.empty, distinct, tuple(seen.lengths.tolist()), seen.symbols)


def _of_numbers(table: Table, column: Column) -> NumberStatistics:
    """Compute the statistics of a numeric column in one pass."""
    total, missing, low, high = 0, 0, np.inf, -np.inf
    count, mean, squares = 0, 0.0, 0.0
    kept: list[Array] = []
    for chunk in table.chunks(column.name):
        values = chunk.reshape(-1).astype(np.float64)
        finite = values[np.isfinite(values)]
        total += len(values)
        missing += len(values) - len(finite)
        if not column.shape:
            kept.append(np.unique(finite))
        if not len(finite):
            continue
        low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        own_mean = float(finite.mean())
        delta, both = own_mean - mean, count + len(finite)
        squares += float(np.square(finite - own_mean).sum()) + delta**2 * count * len(finite) / both
        mean += delta * len(finite) / both
        count = both
    distinct = None if column.shape else len(np.unique(np.concatenate([*kept, np.empty(0)])))
    if not count:
        return NumberStatistics(total, missing, distinct, None, None, None, None)
    return NumberStatistics(total, missing, distinct, low, high, mean, float(np.sqrt(squares / count)))
