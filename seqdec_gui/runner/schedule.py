"""Learning rates and KL weights of every step, and what happens when a metric stops improving: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.training import Training
from seqdec_gui.runner.program import KLTerm

Floats = npt.NDArray[np.float32]
Rates = npt.NDArray[np.float64]
MIN_RATIO = 1e-9
"""Part of the first rate that stands for a final rate of 0 in a geometric decay, which never reaches 0."""


def learning_rates(training: Training, steps_per_epoch: int, first: int, count: int, scale: float = 1.0) -> Rates:
    """Return the learning rates of steps `first` to `first + count - 1` (counted from 0), (count,).

    Over the first `warmup_steps` steps the rate grows evenly: step k of them (from 1) has `learning_rate * k / warmup_steps`
    (Vaswani et al. 2017, arXiv:1706.03762, section 5.3, with `learning_rate` as the rate at its end). Then the schedules
    `exponential` and `cosine` change the rate at every step: the first step of `schedule_first_epoch`, or the last of the
    warm-up if that is later, has `learning_rate`; the last step of `schedule_last_epoch` and all later ones have
    `final_learning_rate`. A decay of a single step has the final rate. With `inverse_square_root` step k (from 1) has
    `learning_rate * sqrt(max(warmup_steps, 1) / k)`, at least `final_learning_rate`. With `constant` and `plateau` the
    scheduled rate stays. `scale` is the factor on the scheduled rates that `plateau` and the user have set (see `rescaled`).
    """
    steps = np.arange(first, first + count, dtype=np.float64)
    warmup, start = training.warmup_steps, training.learning_rate
    rates = _decayed(training, steps_per_epoch, steps)
    if warmup:
        rates = np.where(steps + 1 < warmup, start * ((steps + 1) / warmup), rates)
    return np.asarray(rates * scale)


def _decayed(training: Training, steps_per_epoch: int, steps: Rates) -> Rates:
    """Return the rates of these steps by the schedule alone; those before the end of the warm-up have no meaning."""
    start, final = training.learning_rate, training.final_learning_rate
    match training.schedule:
        case "inverse_square_root":
            rates = np.maximum(start * np.sqrt(max(training.warmup_steps, 1) / (steps + 1)), min(final, start))
        case "exponential":
            done = _part_of_decay(training, steps_per_epoch, steps)
            least = max(final, start * MIN_RATIO)
            rates = np.where(done < 1.0, start * (least / start) ** done, least)
        case "cosine":
            done = _part_of_decay(training, steps_per_epoch, steps)
            decayed = final + (start - final) * 0.5 * (1.0 + np.cos(np.pi * done))  # cos(pi) is exactly -1
            rates = np.where(done > 0.0, decayed, start)  # final + (start - final) may round to another number
        case "constant" | "plateau":
            rates = np.full(len(steps), start)
    return np.asarray(rates)


def _part_of_decay(training: Training, steps_per_epoch: int, steps: Rates) -> Rates:
    """Return which part of the decay each step has behind it, from 0 to 1."""
    begin = training.schedule_first_epoch - 1
    end = max(training.schedule_last_epoch or training.epochs, begin + 1)
    first_decayed = max(begin * steps_per_epoch, training.warmup_steps - 1)
    last_decayed = end * steps_per_epoch - 1
    if first_decayed >= last_decayed:
        return np.where(steps < first_decayed, 0.0, 1.0)
    return np.clip((steps - first_decayed) / (last_decayed - first_decayed), 0.0, 1.0)


def rescaled(training: Training, steps_per_epoch: int, step: int, rate: float) -> float:
    """Return the scale with which step `step` has this learning rate, so that a rate set by the user follows the schedule.

    During the warm-up it is the rate at its end instead: the small rate of an early step would make that one huge.
    """
    (planned,) = learning_rates(training, steps_per_epoch, max(step, training.warmup_steps - 1), 1)
    return rate / float(planned) if planned > 0 else 1.0


def kl_weights(kl_terms: Sequence[KLTerm], steps_per_epoch: int, first: int, count: int) -> Floats:
    """Return the weight of every KL term at each step, float32 (count, kl_terms); it grows linearly over the warm-up."""
    epochs_done = np.arange(first, first + count, dtype=np.float64) / steps_per_epoch
    columns = [term.weight * np.clip(epochs_done / max(term.warmup_epochs, 1e-12), 0.0, 1.0) if term.warmup_epochs else
               np.full(count, term.weight) for term in kl_terms]  # fmt: skip
    return np.asarray(np.stack(columns, axis=1) if columns else np.zeros((count, 0)), np.float32)


class Watch(msgspec.Struct, frozen=True):
    """The best value of a metric so far (None: none yet) and the reports since then."""

    best: float | None = None
    waited: int = 0

    def after(self, value: float | None, larger_is_better: bool, delta: float = 0.0) -> Watch:
        """Return the watch after one more report. A value that is not finite is never better."""
        if value is None or not np.isfinite(value):
            return Watch(self.best, self.waited + 1)
        gain = 0.0 if self.best is None else (value - self.best if larger_is_better else self.best - value)
        if self.best is None or gain > delta:
            return Watch(float(value), 0)
        return Watch(self.best, self.waited + 1)


def after_plateau(training: Training, watch: Watch, scale: float) -> tuple[Watch, float]:
    """Return watch and scale after a report with `schedule = "plateau"`: the rate falls after `plateau_patience` reports."""
    if watch.waited < training.plateau_patience:
        return watch, scale
    least = training.final_learning_rate / training.learning_rate
    return Watch(watch.best, 0), max(scale * training.plateau_factor, min(least, scale))


def parts_of(steps: int, parts: int) -> list[int]:
    """Return the steps after which the parts of an epoch end; never more parts than steps."""
    parts = min(parts, steps)
    return [round(steps * (i + 1) / parts) for i in range(parts)]


def padded(rows: npt.NDArray[np.int64], batch: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the rows as (steps, batch), filled up with the first row, and their weights, 0 for rows that only fill up."""
    missing = -len(rows) % batch
    whole: Any = np.concatenate([rows, np.repeat(rows[:1], missing)]).reshape(-1, batch)
    weights = np.ones(len(rows) + missing, np.float32)
    weights[len(rows) :] = 0.0
    return whole, weights.reshape(-1, batch)
