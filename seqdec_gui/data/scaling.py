"""Chooses which numbers of a vector are standardised, and describes the choice in words."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedNumbers, FittedProjection
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.sources import NumberSurvey
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.domain.wording import counted

NEAR = 0.1
"""A number whose mean differs by less than this from 0, and whose deviation by less than this from 1, is standardised."""

LEAST_VARIATION = 1e-7
"""The ratio of deviation to mean up to which a number counts as constant, since float32 cannot resolve the difference."""


class Chosen(NamedTuple):
    """The chosen mean and deviation of every number, float64, and the counts of numbers that are left as they are."""

    mean: Array
    deviation: Array
    binary: int
    """The count of numbers left as they are because they are -1, 0 or 1 in every training row."""
    standard: int
    """The count of numbers left as they are because they are standardised already."""
    constant: Array
    """Which numbers do not vary over the training rows (bool); they are centred and not scaled."""

    @property
    def scaled(self) -> int:
        """The count of numbers that are standardised or centred."""
        return len(self.mean) - self.binary - self.standard

    def sentence(self) -> str:
        """`11 numbers standardised over the training rows (mean 0.2 to 310, deviation 1 to 45), 3 left as they are (0 or 1)`"""
        used = (self.mean != 0) | (self.deviation != 1)
        mean, deviation = self.mean[used], self.deviation[used]
        figures = f" (mean {_span(mean)}, deviation {_span(deviation)})" if used.any() else ""
        parts = [f"{counted(self.scaled, 'number')} standardised over the training rows{figures}"] if self.scaled else []
        for count, why in ((self.binary, "never other than -1, 0 or 1"), (self.standard, "standardised already")):
            parts += [f"{counted(count, 'number')} left as {'it is' if count == 1 else 'they are'} ({why})"] if count else []
        return ", ".join(parts)


def choose_scaling(seen: NumberSurvey, width: int, standardise: bool | Literal["auto"]) -> Chosen:
    """Return the scaling of `width` numbers, with `auto` only of those that need it.

    If the survey has another width than `width`, as for steps of one number each, all numbers get the same scaling.
    """
    mean, deviation, binary = (np.atleast_1d(np.asarray(values)) for values in (seen.mean, seen.deviation, seen.binary))
    if len(mean) != width:
        mean, deviation = mean.mean(keepdims=True), np.sqrt(np.square(deviation).mean(keepdims=True) + mean.var())
        binary = np.atleast_1d(binary.all())
    constant = np.asarray(deviation <= LEAST_VARIATION * np.maximum(np.abs(mean), 1e-30))
    standard = np.asarray((np.abs(mean) < NEAR) & (np.abs(deviation - 1) < NEAR) & ~binary)
    if standardise != "auto":
        binary, standard = np.zeros_like(binary), np.zeros_like(standard)
    left = binary | standard
    return Chosen(
        np.where(left, 0.0, mean),
        np.where(left | constant, 1.0, deviation),
        int(binary.sum()),
        int(standard.sum()),
        constant & ~left,
    )


def scalings(fitted: Fitted) -> tuple[Scaling, ...]:
    """Return the scaling of every input and loss whose numbers are standardised, reduced to components or filled in."""
    scalings = []
    for feed in fitted.feeds:
        codec = fitted.port(feed.array).codec
        if isinstance(codec, FittedProjection):
            known = Scaling(feed.name, feed.role, codec.mean, codec.deviation, codec.center, codec.axes, codec.fill)
            scalings.append(known)
        elif isinstance(codec, FittedNumbers) and (codec.mean or (codec.fill and feed.role == "input")):
            scalings.append(Scaling(feed.name, feed.role, codec.mean, codec.deviation, fill=codec.fill))
    return tuple(scalings)


def do(scaling: Scaling, numbers: Array) -> Array:
    """Convert numbers in the units of the data to those that the model takes, float32."""
    values = numbers.astype(np.float64)
    if scaling.mean:
        values = (values - np.array(scaling.mean)) / np.array(scaling.deviation)
    if scaling.axes:
        values = (values - np.array(scaling.center)) @ np.array(scaling.axes).T
    return values.astype(np.float32)


def undo(scaling: Scaling, values: Array) -> Array:
    """Convert standardised numbers to the units of the data, float32; of components, to numbers that have just these."""
    numbers = values.astype(np.float64)
    if scaling.axes:
        numbers = numbers @ np.array(scaling.axes) + np.array(scaling.center)
    if scaling.mean:
        numbers = numbers * np.array(scaling.deviation) + np.array(scaling.mean)
    return numbers.astype(np.float32)


def in_short(codec: FittedNumbers) -> str:
    """Return a few words on how many of the numbers are standardised."""
    if isinstance(codec, FittedProjection):
        return (
            f"{codec.shape[-1]:,} numbers reduced to {counted(len(codec.axes), 'principal component')} ({codec.explained:.1%})"
        )
    scaled = sum(pair != (0.0, 1.0) for pair in zip(codec.mean, codec.deviation, strict=True))
    if not scaled:
        return "Numbers as they are"
    every = scaled == len(codec.mean)
    return f"Numbers, {'' if every else f'{scaled:,} of {len(codec.mean):,} '}standardised over the training rows"


def _span(values: Array) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if f"{low:.4g}" == f"{high:.4g}" else f"{low:.4g} to {high:.4g}"
