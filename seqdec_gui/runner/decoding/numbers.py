"""Runs a decoder of numbers on its own predictions: each, put on the scale of the inputs, is fed as the next input."""

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
    """The scaling of a codec, principal components included; the identity where the codec does not scale."""

    codec: FittedNumbers

    def apply(self, values: Array) -> Array:
        return self.codec.scaled(values)

    def undo(self, values: Array) -> Array:
        return self.codec.unscaled(values)


class Numbers(msgspec.Struct, frozen=True):
    """How a decoder of numbers generates a sequence of `steps` steps.

    `begin` is the first input `(features,)` on the scale that is fed, None where each row has its own.
    """

    begin: Array | None
    steps: int
    fed: Scale
    predicted: Scale

    def roll_out(self, decoder: StepDecoder, states: Sequence[Any], begin: Array) -> Array:
        """Return predictions in the units of the data, float64 `(rows, steps, features)`.

        `begin` is the first step `(rows, features)` on the scale that is fed.
        """
        fed, predictions = begin.astype(np.float32), []
        for _ in range(self.steps):
            outputs, states = decoder.step(fed, states)
            predictions.append(self.predicted.undo(outputs.astype(np.float64)))
            fed = self.fed.apply(predictions[-1]).astype(np.float32)
        return np.stack(predictions, axis=1)


def numbers_of(fitted: Fitted, fed: str, loss: str, rows: Array) -> Numbers:
    """Return how a decoder of numbers generates, from its input `fed` and its loss. Raises InvalidInput.

    `rows` are the stored training rows of the input. If all begin with the same step, that one is fed first; otherwise each row
    to decode has to give its own.
    """
    feeds = {feed.name: feed for feed in fitted.feeds}
    before, after = (fitted.port(feeds[name].array).codec for name in (fed, loss))
    if not isinstance(before, FittedNumbers) or not isinstance(after, FittedNumbers):
        raise InvalidInput(f"{fed} and {loss} must both be trained on numbers for a decoder of numbers to generate.", where=fed)
    first = rows[:, feeds[fed].first]
    begin = first[0] if len(first) and (first == first[0]).all() else None
    feed = feeds[loss]
    steps = len(range(*slice(feed.first, feed.last).indices(after.row_shape[0])))
    return Numbers(begin, steps, Scale(before), Scale(after))


def scale_of(fitted: Fitted, loss: str) -> Scale:
    """Return the scale of a loss's targets and therefore of its predictions; the identity if they were not standardised."""
    codec = fitted.port(next(feed.array for feed in fitted.feeds if feed.name == loss)).codec
    return Scale(codec if isinstance(codec, FittedNumbers) else FittedNumbers(()))


def numbers_as_text(values: Array) -> str:
    """Return a sequence as text: `1 2.5 3` for one number per step, `1 2; 2.5 3` for several."""
    return ("; " if values.shape[-1] > 1 else " ").join(" ".join(f"{number:.7g}" for number in step) for step in values)
