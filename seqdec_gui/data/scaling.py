"""Which numbers of a vector are standardised, how, and how that is told."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.sources import NumberSurvey
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.domain.wording import counted

NEAR = 0.1
"""A number counts as standardised already if its mean is within this of 0 and its deviation within this of 1."""
LEAST_VARIATION = 1e-7
"""A number does not vary if its deviation is at most this part of its mean: what float32 cannot tell apart."""


class Chosen(NamedTuple):
    """Mean and deviation of every number, float64, and how many numbers were treated which way."""

    mean: Array
    deviation: Array
    binary: int
    """Left as they are: -1, 0 or 1 in every training row."""
    standard: int
    """Left as they are: standardised already."""
    constant: Array
    """Which do not vary over the training rows (bool): they are centred and not scaled."""

    @property
    def scaled(self) -> int:
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
    """The scale of `width` numbers, 1 for a vector of steps with one number each. With `auto` some are left as they are."""
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
    """Every input and every loss whose numbers are not those of the data."""
    found = []
    for feed in fitted.feeds:
        codec = fitted.port(feed.array).codec
        if isinstance(codec, FittedNumbers) and codec.mean:
            found.append(Scaling(feed.name, feed.role, codec.mean, codec.deviation))
    return tuple(found)


def undo(scaling: Scaling, values: Array) -> Array:
    """Standardised numbers in the units of the data, float32."""
    raw: Array = (values.astype(np.float64) * np.array(scaling.deviation) + np.array(scaling.mean)).astype(np.float32)
    return raw


def in_short(codec: FittedNumbers) -> str:
    """How many of the numbers are standardised, in a few words."""
    scaled = sum(pair != (0.0, 1.0) for pair in zip(codec.mean, codec.deviation, strict=True))
    if not scaled:
        return "Numbers as they are"
    every = scaled == len(codec.mean)
    return f"Numbers, {'' if every else f'{scaled:,} of {len(codec.mean):,} '}standardised over the training rows"


def _span(values: Array) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if f"{low:.4g}" == f"{high:.4g}" else f"{low:.4g} to {high:.4g}"
