"""Runs a decoder of numbers on its own predictions: each, put on the scale of the inputs, is fed as the next input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.feed_map import FeedMap
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.number_map import NumberFeeding, number_feeding
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.decoding.compiled import Function, compiled, on_host
from seqdec_gui.runner.decoding.number_loop import chunk_of, number_loop
from seqdec_gui.runner.decoding.step import StepDecoder

Array = npt.NDArray[Any]


class Scale(msgspec.Struct, frozen=True):
    """The scaling of a codec, principal components included; the identity where the codec does not scale."""

    codec: FittedNumbers

    def apply(self, values: Any) -> Any:
        return self.codec.scaled(values)

    def undo(self, values: Any) -> Any:
        return self.codec.unscaled(values)


class Numbers(msgspec.Struct, frozen=True):
    """How a decoder of numbers generates a sequence of `steps` steps.

    `begin` is the first input `(features,)` on the scale that is fed, None where each row has its own. `mapping` says where
    each fed number comes from; without one each prediction is fed as it is.
    """

    begin: Array | None
    steps: int
    fed: Scale
    predicted: Scale
    mapping: NumberFeeding | None = None

    def kept(self, begin: Array) -> Array:
        """Return the numbers that stay as they are, in the units of the data, float64 `(rows, fed numbers)`.

        `begin` is the first step `(rows, features)` on the scale that is fed.
        """
        if self.mapping is None:
            return np.zeros((len(begin), 0))
        constant = self.mapping.constant
        return np.where(np.isnan(constant), self.fed.undo(begin.astype(np.float64)), constant)

    def fed_next(self, predictions: Any, kept: Any) -> Any:
        """Return what is fed after predictions `(rows, width)`, on the scales of the model; float64 arrays of any framework."""
        values = self.predicted.undo(predictions)
        if self.mapping is not None:
            from keras import ops

            source = self.mapping.source
            values = ops.where(source >= 0, ops.take(values, np.maximum(source, 0), axis=1), kept)
        return self.fed.apply(values)


class NumberSearch:
    """The compiled loop of one decoder of numbers. It is compiled when it is first used, and kept for each number of rows."""

    def __init__(self, numbers: Numbers, width: int, decoder: StepDecoder) -> None:
        self._numbers, self._width, self._decoder = numbers, width, decoder
        self._loops: dict[int, Function] = {}

    def find(self, states: Sequence[Any], begin: Array) -> Array:
        """Return predictions in the units of the data, float64 `(rows, steps, features)`.

        `begin` is the first step `(rows, features)` on the scale that is fed.
        """
        numbers = self._numbers
        chunk = chunk_of(numbers.steps, len(begin), self._width)
        if chunk not in self._loops:
            loop = number_loop(self._decoder.of_values, numbers.fed_next, chunk, self._width)
            self._loops[chunk] = compiled(self._decoder.model, loop, wide=True)
        fed, kept, found = begin.astype(np.float32), numbers.kept(begin), list[Array]()
        states = list(states)
        for start in range(0, numbers.steps, chunk):
            limit = min(chunk, numbers.steps - start)
            predictions, fed, states = self._loops[chunk](fed, kept, states, np.asarray(limit, np.int32))
            (on,) = on_host(predictions)
            found.append(numbers.predicted.undo(on[:limit].astype(np.float64)))
        return np.concatenate(found).swapaxes(0, 1)


def numbers_of(fitted: Fitted, fed: str, loss: str, rows: Array, feed_map: FeedMap | None = None) -> Numbers:
    """Return how a decoder of numbers generates, from its input `fed` and its loss. Raises InvalidInput.

    `rows` are the stored training rows of the input. If all begin with the same step, that one is fed first; otherwise each row
    to decode has to give its own, unless the mapping does.
    """
    feeds = {feed.name: feed for feed in fitted.feeds}
    before, after = (fitted.port(feeds[name].array).codec for name in (fed, loss))
    if not isinstance(before, FittedNumbers) or not isinstance(after, FittedNumbers):
        raise InvalidInput(f"{fed} and {loss} must both be trained on numbers for a decoder of numbers to generate.", where=fed)
    first = rows[:, feeds[fed].first]
    begin = first[0] if len(first) and (first == first[0]).all() else None
    mapping = None if feed_map is None else mapping_of(fitted, fed, loss, feed_map)
    if mapping is not None and mapping.begin is not None:
        begin = before.scaled(mapping.begin).astype(np.float32)
    feed = feeds[loss]
    steps = len(range(*slice(feed.first, feed.last).indices(after.row_shape[0])))
    return Numbers(begin, steps, Scale(before), Scale(after), mapping)


def mapping_of(fitted: Fitted, fed: str, loss: str, feed_map: FeedMap) -> NumberFeeding:
    """Return where each number that is fed comes from. Raises InvalidInput."""
    taken, width = (scale_of(fitted, name).codec.shape[-1] for name in (fed, loss))
    return number_feeding(feed_map, width, taken)


def scale_of(fitted: Fitted, loss: str) -> Scale:
    """Return the scale of a loss's targets and therefore of its predictions; the identity if they were not standardised."""
    codec = fitted.port(next(feed.array for feed in fitted.feeds if feed.name == loss)).codec
    return Scale(codec if isinstance(codec, FittedNumbers) else FittedNumbers(()))


def numbers_as_text(values: Array) -> str:
    """Return a sequence as text: `1 2.5 3` for one number per step, `1 2; 2.5 3` for several."""
    return ("; " if values.shape[-1] > 1 else " ").join(" ".join(f"{number:.7g}" for number in step) for step in values)
