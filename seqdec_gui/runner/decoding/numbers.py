"""Rolling out a decoder of numbers: each prediction, put on the scale of the inputs, is fed as the next input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.decoding.step import StepDecoder

Array = npt.NDArray[Any]


class Scale(msgspec.Struct, frozen=True):
    """(x - mean) / deviation, as one codec applies it; nothing where it does not standardise."""

    codec: FittedNumbers

    def apply(self, values: Array) -> Array:
        return (values - np.array(self.codec.mean)) / np.array(self.codec.deviation) if self.codec.mean else values

    def undo(self, values: Array) -> Array:
        return values * np.array(self.codec.deviation) + np.array(self.codec.mean) if self.codec.mean else values


class Numbers(msgspec.Struct, frozen=True):
    """`begin` is the first input `(features,)`, as it is fed, None where each row has its own; a sequence has `steps` steps."""

    begin: Array | None
    steps: int
    fed: Scale
    predicted: Scale

    def roll_out(self, decoder: StepDecoder, states: Sequence[Any], begin: Array) -> Array:
        """Predictions in the units of the data, float64 `(rows, steps, features)`.

        `begin` is the first step `(rows, features)`, as it is fed.
        """
        fed, found = begin.astype(np.float32), []
        for _ in range(self.steps):
            outputs, states = decoder.step(fed, states)
            found.append(self.predicted.undo(outputs.astype(np.float64)))
            fed = self.fed.apply(found[-1]).astype(np.float32)
        return np.stack(found, axis=1)


def numbers_of(fitted: Fitted, fed: str, loss: str, rows: Array) -> Numbers:
    """`rows` are the stored training rows of the decoder's input: what all begin with is fed first. Raises InvalidInput.

    Where they begin differently, the rows to decode say what to begin with.
    """
    wires = {wire.name: wire for wire in fitted.wires}
    before, after = (fitted.port(wires[name].array).codec for name in (fed, loss))
    if not isinstance(before, FittedNumbers) or not isinstance(after, FittedNumbers):
        raise InvalidInput(f"{fed} and {loss} must both be trained on numbers for a decoder of numbers to generate.", where=fed)
    first = rows[:, wires[fed].first]
    begin = first[0] if len(first) and (first == first[0]).all() else None
    wire = wires[loss]
    steps = len(range(*slice(wire.first, wire.last).indices(after.row_shape[0])))
    return Numbers(begin, steps, Scale(before), Scale(after))


def scale_of(fitted: Fitted, loss: str) -> Scale:
    """How the targets of a loss were stored: what its predictions are on. Whatever was not standardised is as the data."""
    codec = fitted.port(next(wire.array for wire in fitted.wires if wire.name == loss)).codec
    return Scale(codec if isinstance(codec, FittedNumbers) else FittedNumbers(()))


def shown(values: Array) -> str:
    """`1 2.5 3` for one number per step; steps of several are set apart: `1 2; 2.5 3`."""
    return ("; " if values.shape[-1] > 1 else " ").join(" ".join(f"{number:.7g}" for number in step) for step in values)
