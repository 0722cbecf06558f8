"""Curves of the metrics of a run, which grow while it goes on, and their smoothing."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seqdec_gui.domain.quality import SHARES, measure_of

Numbers: TypeAlias = NDArray[np.float64]
Axis = Literal["step", "epoch", "time"]
AXES: tuple[Axis, ...] = ("step", "epoch", "time")
_FIRST_CAPACITY = 256
"""Points for which a curve reserves memory at first."""
_NEGLIGIBLE = 1e-9
"""Factor below which an older value no longer counts in a decayed sum."""


class Curve:
    """Points of one metric in the order of steps: `steps`, `epochs` (fractions of epochs done), `seconds` and `values`.

    `version` changes with every change, `resets` only where points were taken away again. Views of the buffers stay valid, but
    end where the curve ended when they were taken.
    """

    __slots__ = ("_columns", "count", "resets", "version")

    def __init__(self) -> None:
        self.count = 0
        self.version = 0
        self.resets = 0
        self._columns = np.empty((4, _FIRST_CAPACITY))

    def extend(self, points: Sequence[tuple[float, float, float, float]]) -> None:
        """Append (step, epoch, seconds, value) of each point."""
        if points:
            self._append(np.asarray(points, dtype=np.float64).T)

    def extend_flat(self, numbers: array[float]) -> None:
        """Append points whose step, epoch, seconds and value follow one another."""
        if numbers:
            self._append(np.frombuffer(numbers, dtype=np.float64).reshape(-1, 4).T)

    def _append(self, points: Numbers) -> None:
        new = self.count + points.shape[1]
        if new > self._columns.shape[1]:
            grown = np.empty((4, max(new, 2 * self._columns.shape[1])))
            grown[:, : self.count] = self._columns[:, : self.count]
            self._columns = grown
        self._columns[:, self.count : new] = points
        self.count = new
        self.version += 1

    def cut_after(self, step: float) -> None:
        """Remove the points after a step, which an earlier start of the run reported and which are no longer valid."""
        kept = int(np.searchsorted(self.steps, step, side="right"))
        if kept < self.count:
            # Into a buffer of its own: views handed out before must not change under a plot.
            self._columns = self._columns.copy()
            self.count = kept
            self.version += 1
            self.resets += 1

    @property
    def steps(self) -> Numbers:
        return self._columns[0, : self.count]

    @property
    def epochs(self) -> Numbers:
        return self._columns[1, : self.count]

    @property
    def seconds(self) -> Numbers:
        return self._columns[2, : self.count]

    @property
    def values(self) -> Numbers:
        return self._columns[3, : self.count]

    def along(self, axis: Axis) -> Numbers:
        """Return the abscissa: steps, epochs, or seconds since the start."""
        return {"step": self.steps, "epoch": self.epochs, "time": self.seconds}[axis]


class Smoothing:
    """The exponential moving average of a growing curve: only new points are computed.

    With weight w, s_n = w s_(n-1) + (1 - w) x_n, divided by 1 - w^n so that the first points are not drawn towards zero.
    """

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self._count = 0
        self._sum = 0.0
        self._values = np.empty(_FIRST_CAPACITY)

    def of(self, values: Numbers) -> Numbers:
        """Return the average of all values, which must begin with those of the last call."""
        if self.weight <= 0:
            return values
        fresh = values[self._count :]
        if len(fresh):
            total = len(values)
            if total > len(self._values):
                grown = np.empty(max(total, 2 * len(self._values)))
                grown[: self._count] = self._values[: self._count]
                self._values = grown
            sums = decayed_sums(fresh * (1 - self.weight), self.weight, self._sum)
            numbers = np.arange(self._count + 1, total + 1)
            self._values[self._count : total] = sums / (1 - self.weight**numbers)
            self._sum, self._count = float(sums[-1]), total
        return self._values[: self._count]


def decayed_sums(values: Numbers, weight: float, before: float = 0.0) -> Numbers:
    """s_n = weight s_(n-1) + x_n with s_0 = `before`, by doubling (Hillis and Steele 1986): 12 passes for a weight of 0.99."""
    sums = values.copy()
    if len(sums):
        sums[0] += weight * before
    shift, factor = 1, weight
    while shift < len(sums) and factor > _NEGLIGIBLE:
        sums[shift:] += factor * sums[:-shift].copy()
        shift, factor = 2 * shift, factor * factor
    return sums


def is_validation(metric: str) -> bool:
    return metric.startswith("val_")


Family = Literal["loss", "metrics", "quality", "scores", "learning_rate", "throughput"]


def family(metric: str) -> Family:
    """Return the plot in which a metric is drawn."""
    if name := measure_of(metric):
        return "quality" if name in SHARES else "scores"
    plain = metric.removeprefix("val_")
    if plain == "learning_rate":
        return "learning_rate"
    if plain == "samples_per_s":
        return "throughput"
    return "loss" if plain.rpartition("_")[2] in ("loss", "perplexity", "kl") else "metrics"


def in_order(metrics: Iterable[str]) -> list[str]:
    """Return metrics in the order of a legend: `loss`, `val_loss`, then the others, each beside its validation."""
    order = ("loss", "token_accuracy", "exact_accuracy")

    def place(name: str) -> tuple[int, str, bool]:
        plain = name.removeprefix("val_")
        return order.index(plain) if plain in order else len(order), plain, is_validation(name)

    return sorted(metrics, key=place)
