"""Statistics and histograms of columns, computed in a thread one column at a time."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from PyQt5.QtCore import QObject, pyqtSignal

from seqdec_gui.data.formats.base import Column, Table
from seqdec_gui.data.statistics import NumberStatistics, Statistics, measure
from seqdec_gui.data.tokens import TokenKind
from seqdec_gui.gui.tasks import background

BINS = 48
"""The number of bars of a histogram."""
LARGE_BYTES = 2**29
"""The size in memory above which a column is measured only when it is chosen, in bytes."""


class Histogram(NamedTuple):
    """Counts of values in bins of equal width: `counts[i]` values lie in bin i of [low, high].

    With `whole` there is a bin for each of the integers low, low + 1, ...
    """

    counts: tuple[int, ...]
    low: float
    high: float
    whole: bool


class Measured(NamedTuple):
    """The statistics and the histogram of one column."""

    statistics: Statistics
    histogram: Histogram | None


def measure_column(table: Table, name: str, tokens: TokenKind = "characters") -> Measured:
    """Return the statistics of a column and the histogram of its lengths (text) or its values. Raises InvalidInput."""
    statistics = measure(table, name, tokens)
    if isinstance(statistics, NumberStatistics):
        return Measured(statistics, _of_values(table, table.column(name), statistics))
    return Measured(statistics, _of_lengths(statistics.lengths))


def _of_lengths(lengths: tuple[int, ...]) -> Histogram | None:
    used = np.flatnonzero(lengths)
    if not len(used):
        return None
    low, high = int(used[0]), int(used[-1])
    counts = np.array(lengths[low : high + 1], np.int64)
    return _grouped(counts, low) if len(counts) > 2 * BINS else Histogram(tuple(counts.tolist()), low, high, True)


def _grouped(counts: np.ndarray, low: int) -> Histogram:
    """Return a histogram of a long range of integers, in about `BINS` bins of equal width."""
    width = -(-len(counts) // BINS)
    padded = np.pad(counts, (0, -len(counts) % width)).reshape(-1, width).sum(axis=1)
    return Histogram(tuple(padded.tolist()), low, low + len(padded) * width, False)


def _of_values(table: Table, column: Column, statistics: NumberStatistics) -> Histogram | None:
    if statistics.minimum is None or statistics.maximum is None:
        return None
    low, high = statistics.minimum, statistics.maximum
    whole = column.dtype.startswith(("int", "uint", "bool")) and high - low < 2 * BINS
    if not np.isfinite(high - low):
        return None
    edges = np.arange(low - 0.5, high + 1) if whole else np.linspace(low, high if high > low else low + 1, BINS + 1)
    counts = np.zeros(len(edges) - 1, np.int64)
    for chunk in table.chunks(column.name):
        values = chunk.reshape(-1).astype(np.float64)
        counts += np.histogram(values[np.isfinite(values)], edges)[0]
    return Histogram(tuple(counts.tolist()), low, high, whole)


class Measurements(QObject):
    """Measures the columns of one table and keeps the results.

    `want` queues a column; the one requested last is measured first.
    """

    measured = pyqtSignal(str)  # name of a column
    failed = pyqtSignal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table: Table | None = None
        self._known: dict[tuple[str, TokenKind], Measured] = {}
        self._queue: OrderedDict[tuple[str, TokenKind], None] = OrderedDict()
        self._running: background.Operation | None = None

    def show_table(self, table: Table | None) -> None:
        """Begin to measure the columns of another file: all of them, except very large ones."""
        if self._running is not None:
            self._running.cancel()
            self._running = None
        self._table = table
        self._known.clear()
        self._queue.clear()
        if table is not None:
            for column in reversed(table.columns[:64]):
                if _bytes(column) <= LARGE_BYTES:
                    self._queue[column.name, "characters"] = None
            self._next()

    def known(self, name: str, tokens: TokenKind = "characters") -> Measured | None:
        return self._known.get((name, tokens))

    def want(self, name: str, tokens: TokenKind = "characters") -> None:
        """Measure this column next. `measured` is emitted with its name when that is done."""
        key = (name, tokens)
        if key not in self._known:
            self._queue[key] = None
            self._queue.move_to_end(key)
            self._next()

    def _next(self) -> None:
        if self._running is not None or not self._queue or self._table is None:
            return
        key, _ = self._queue.popitem()
        table = self._table

        def done(measured: Measured) -> None:
            self._running = None
            self._known[key] = measured
            self.measured.emit(key[0])
            self._next()

        def failed(error: Exception) -> None:
            self._running = None
            self.failed.emit(key[0], error)
            self._next()

        self._running = background.run(lambda: measure_column(table, *key), done, failed, self)


def _bytes(column: Column) -> int:
    return int(np.prod(column.shape, dtype=np.int64)) * column.rows * (32 if column.kind == "text" else 8)
