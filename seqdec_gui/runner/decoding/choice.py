"""Chooses symbols by their probabilities, on the device: the likeliest, or at random after a temperature and filters.

Everything here is in `keras.ops` on 64-bit numbers, so that a sample is the same whichever framework and device computes it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.decoding import Sampling

Array = npt.NDArray[Any]
Tensor = Any
_GOLDEN = 0x9E3779B97F4A7C15
"""The increment of SplitMix64: 2**64 divided by the golden ratio."""
_FACTORS = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
FEW_SYMBOLS = 64
"""Most symbols of which each edge is summed up by itself."""
LEAST_WEIGHT, NOTHING = 2.0**-1000, 2.0**-900
"""Weight of an allowed symbol of the probability 0, which counts only where all have it; and more than the sum of such."""
MIN_PROBABILITY = float(np.finfo(np.float32).tiny)
"""Probability to which smaller ones are raised before the logarithm, so that the sum of a sequence stays finite."""


class Filters(NamedTuple):
    """The numbers of a `Sampling`, scalars of the compiled function, so that other numbers need no compilation."""

    temperature: Tensor
    top_k: Tensor
    top_p: Tensor
    min_p: Tensor

    @classmethod
    def of(cls, sampling: Sampling) -> Filters:
        return cls(
            np.float64(sampling.temperature), np.int32(sampling.top_k), np.float64(sampling.top_p), np.float64(sampling.min_p)
        )


def greedy(probabilities: Tensor, allowed: Tensor) -> Tensor:
    """Return the likeliest allowed symbol of every row of `(rows, symbols)`, int32; the first of several equal ones."""
    from keras import ops

    return ops.cast(ops.argmax(ops.where(allowed, probabilities, -1.0), axis=-1), "int32")


def draw(
    probabilities: Tensor, allowed: Tensor, filters: Filters, filtered: bool, uniforms: Tensor, tempered: bool = True
) -> Tensor:
    """Draw symbols from softmax(log p / temperature) over the allowed ones that the filters leave, int32 `(rows,)`.

    By inversion of `uniforms` in [0, 1), float64. Where every allowed symbol has the probability 0, all are equally likely.
    With `filtered` false, the filters but the temperature are left out, and with `tempered` false the temperature is 1.
    """
    from keras import ops

    p = ops.where(allowed, ops.cast(probabilities, "float64"), 0.0)
    if tempered:
        logits = ops.where(p > 0, ops.log(ops.where(p > 0, p, 1.0)) / filters.temperature, -np.inf)
        greatest = ops.max(logits, axis=-1, keepdims=True)
        p = ops.exp(logits - ops.where(greatest > -np.inf, greatest, 0.0))
    if filtered:
        some = ops.any(p > 0, axis=-1, keepdims=True)
        p = _filtered(ops.where(some, p, ops.cast(allowed, "float64")), filters)
    edges = _sums_up_to(p + ops.cast(allowed, "float64") * LEAST_WEIGHT)
    width = p.shape[-1]
    total = edges[:, -1:] if width <= FEW_SYMBOLS else ops.max(edges, axis=-1, keepdims=True)
    # a uniform next to 1 may round up to the total, above which there is nothing
    above = edges > ops.minimum(ops.expand_dims(uniforms, -1) * total, total * (1 - 2.0**-52))
    above = ops.logical_and(above, ops.logical_or(p > 0, ops.logical_and(total < NOTHING, allowed)))
    place = ops.expand_dims(ops.arange(width, dtype="int32"), 0)
    return ops.minimum(ops.min(ops.where(above, place, width), axis=-1), width - 1)


def _sums_up_to(weights: Tensor) -> Tensor:
    """Return the cumulative sums of `(rows, symbols)`; of few symbols as one sum over pairs, which is a single kernel."""
    from keras import ops

    width = weights.shape[-1]
    if width > FEW_SYMBOLS:
        return ops.cumsum(weights, axis=-1)
    below = ops.convert_to_tensor(np.tri(width, dtype=bool))
    return ops.sum(ops.where(below, ops.expand_dims(weights, 1), 0.0), axis=-1)


def _filtered(weights: Tensor, filters: Filters) -> Tensor:
    """Return the weights `(rows, symbols)` with zeros where top-k, then top-p, then min-p leave a symbol out."""
    from keras import ops

    width = weights.shape[-1]
    place = ops.expand_dims(ops.arange(width), 0)
    ranked = ops.flip(ops.sort(weights, axis=-1), axis=-1)
    k = ops.where(filters.top_k > 0, ops.minimum(filters.top_k, width), width)
    ranked = ops.where(ranked >= ops.max(ops.where(place >= k - 1, ranked, 0.0), axis=-1, keepdims=True), ranked, 0.0)
    before = ops.cumsum(ranked, axis=-1) - ranked
    kept = ops.logical_or(before < filters.top_p * ops.sum(ranked, axis=-1, keepdims=True), filters.top_p >= 1.0)
    kept = ops.logical_and(ops.logical_or(kept, place == 0), ranked > 0)
    least = ops.min(ops.where(kept, ranked, np.inf), axis=-1, keepdims=True)
    # of symbols that are as likely as the last that is kept, the first ones count as the likelier
    equal = ops.cast(weights == least, "int32")
    room = ops.sum(ops.cast(ops.logical_and(kept, ranked == least), "int32"), axis=-1, keepdims=True)
    kept = ops.logical_or(weights > least, ops.logical_and(weights == least, ops.cumsum(equal, axis=-1) <= room))
    enough = weights >= filters.min_p * ops.max(weights, axis=-1, keepdims=True)
    return ops.where(ops.logical_and(kept, enough), weights, 0.0)


def log_share(probabilities: Tensor) -> Tensor:
    """Return the logarithm of each output's share of the sum of all outputs (1 for a softmax), float64; NaN stays NaN."""
    from keras import ops

    p = ops.cast(probabilities, "float64")
    total = ops.sum(p, axis=-1, keepdims=True)
    shares = ops.log(ops.maximum(p, MIN_PROBABILITY)) - ops.log(ops.maximum(total, MIN_PROBABILITY))
    return ops.where(total == total, shares, np.nan)


def share_of(probabilities: Tensor, chosen: Tensor) -> Tensor:
    """Return the output `chosen` of each row as a part of the sum of all outputs, float64 `(rows,)`; NaN stays NaN.

    Its logarithm is that of `log_share`.
    """
    from keras import ops

    total = ops.sum(ops.cast(probabilities, "float64"), axis=-1)
    of_chosen = ops.cast(ops.take_along_axis(probabilities, ops.expand_dims(chosen, 1), axis=1)[:, 0], "float64")
    share = ops.maximum(of_chosen, MIN_PROBABILITY) / ops.maximum(total, MIN_PROBABILITY)
    return ops.where(total == total, share, np.nan)


# -- random numbers
def keys(seed: int, rows: Array, samples: Array) -> Array:
    """Return the state of the random numbers of each (row, sample), as int64, which `uniforms` takes.

    The finalizer of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators") over seed, row and
    sample: a function of its arguments alone, so that a sample does not depend on how many rows are made together.
    """
    with np.errstate(over="ignore"):
        state = np.full(len(rows), np.uint64(seed % 2**64))
        for word in (rows.astype(np.uint64), samples.astype(np.uint64)):
            state = _mixed(state + (word + np.uint64(1)) * np.uint64(_GOLDEN))
    return state.view(np.int64)


def _mixed(z: Array) -> Array:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_FACTORS[0])
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_FACTORS[1])
    return z ^ (z >> np.uint64(31))


def uniforms(keys: Tensor, steps: Tensor) -> Tensor:
    """Return a random number in [0, 1) for each state of `keys` at the step of the same row, float64.

    int64 products are those of uint64 bit by bit, and unlike them every device has them.
    """
    from keras import ops

    z = keys + (ops.cast(steps, "int64") + 1) * np.int64(_GOLDEN - 2**64)
    z = ops.bitwise_xor(z, _shifted(z, 30)) * np.int64(_FACTORS[0] - 2**64)
    z = ops.bitwise_xor(z, _shifted(z, 27)) * np.int64(_FACTORS[1] - 2**64)
    z = ops.bitwise_xor(z, _shifted(z, 31))
    return ops.cast(_shifted(z, 11), "float64") * 2.0**-53


def _shifted(z: Tensor, bits: int) -> Tensor:
    """Return int64 shifted to the right as unsigned numbers are."""
    from keras import ops

    return ops.bitwise_and(ops.right_shift(z, np.int64(bits)), np.int64(2 ** (64 - bits) - 1))
