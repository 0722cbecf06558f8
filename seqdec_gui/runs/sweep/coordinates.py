"""Places of trials on parallel axes: one axis for each parameter, and one for the goal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from seqdec_gui.runs.sweep.folder import Table, Trial
from seqdec_gui.runs.sweep.space import Axis, Value


class Coordinates(msgspec.Struct, frozen=True):
    """`titles` of the axes, the `ends` that stand at bottom and top of each, and for each trial its number and its places.

    Places are from 0 to 1. `shade` is how good the trial is, from 0 (the worst) to 1.
    """

    titles: tuple[str, ...]
    ends: tuple[tuple[str, str], ...]
    lines: tuple[tuple[int, tuple[float, ...], float], ...]


def coordinates(axes: Sequence[Axis], table: Table, goal: str, maximize: bool) -> Coordinates:
    """Return the places of all trials that have a value."""
    shown = [trial for trial in table.trials if trial.value is not None and all(axis.name in trial.values for axis in axes)]
    values = [trial.value for trial in shown if trial.value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    ends = [_ends(axis) for axis in axes]
    lines = []
    for trial in shown:
        height = _share(trial.value or 0.0, low, high)
        lines.append((trial.number, (*_places(axes, trial), height), height if maximize else 1 - height))
    return Coordinates((*short_names([axis.name for axis in axes]), goal), (*ends, (f"{low:.4g}", f"{high:.4g}")), tuple(lines))


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of parameters without their owner, as far as they still differ."""
    last = [name.rpartition(".")[2] for name in names]  # of several that are equal, the name that they share
    return tuple(name if last.count(end) > 1 else end for name, end in zip(names, last, strict=True))


def _places(axes: Sequence[Axis], trial: Trial) -> list[float]:
    return [_place(axis, trial.values[axis.name]) for axis in axes]


def _place(axis: Axis, value: Value) -> float:
    if axis.kind == "list":
        return axis.texts.index(str(value)) / max(1, len(axis.texts) - 1) if str(value) in axis.texts else 0.0
    number = float(value)
    if axis.log:
        return _share(math.log(max(number, 1e-300)), math.log(axis.low), math.log(axis.high))
    return _share(number, axis.low, axis.high)


def _share(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.5


def _ends(axis: Axis) -> tuple[str, str]:
    if axis.kind == "list":
        return axis.texts[0], axis.texts[-1]
    return f"{axis.low:g}", f"{axis.high:g}"
