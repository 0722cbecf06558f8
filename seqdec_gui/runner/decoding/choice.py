"""Chooses symbols by their probabilities: the likeliest, or at random with a temperature."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Ids = npt.NDArray[np.int64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""The increment of SplitMix64: 2**64 divided by the golden ratio."""


def greedy(probabilities: Array, allowed: Array) -> Ids:
    """Return the likeliest allowed symbol of every row of `(rows, symbols)`; the first of several equal ones."""
    return np.where(allowed, probabilities, -1.0).argmax(axis=-1)


def draw(probabilities: Array, allowed: Array, temperature: float, uniforms: Array) -> Ids:
    """Draw symbols from softmax(log p / temperature) over the allowed ones, by inversion of `uniforms` in [0, 1)."""
    with np.errstate(divide="ignore"):
        logits = np.where(allowed, np.log(probabilities.astype(np.float64)), -np.inf) / temperature
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    edges = weights.cumsum(axis=-1)
    chosen = (edges <= (uniforms * edges[:, -1])[:, None]).sum(axis=-1)
    # a uniform next to 1 may round up to the last edge: the last symbol that has any weight
    return np.minimum(chosen, (edges < edges[:, -1:]).sum(axis=-1))


def uniform(seed: int, rows: Array, samples: Array, step: int) -> Array:
    """Return a random number in [0, 1) for each (row, sample) at this step, float64.

    A function of its arguments alone, so that a sample does not depend on how many rows and samples are made together: the
    finalizer of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators") over the four numbers.
    """
    with np.errstate(over="ignore"):
        state = np.full(len(rows), np.uint64(seed % 2**64))
        for word in (rows.astype(np.uint64), samples.astype(np.uint64), np.uint64(step)):
            state = _mixed(state + (word + np.uint64(1)) * _GOLDEN)
    return (state >> np.uint64(11)) * 2.0**-53


def _mixed(z: Array) -> Array:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
