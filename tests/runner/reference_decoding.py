"""Decoding as it is written in the books, in NumPy and plain Python: what the compiled loops are compared with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniform(seed: int, rows: Array, samples: Array, step: int) -> Array:
    """SplitMix64 over the four numbers, float64 in [0, 1)."""
    with np.errstate(over="ignore"):
        state = np.full(len(rows), np.uint64(seed % 2**64))
        for word in (rows.astype(np.uint64), samples.astype(np.uint64), np.uint64(step)):
            state = state + (word + np.uint64(1)) * GOLDEN
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return (state >> np.uint64(11)) * 2.0**-53


def filtered(p: Array, temperature: float, top_k: int, top_p: float, min_p: float) -> Array:
    """The probabilities `(symbols,)` to draw from, with one filter after the other as Hugging Face's transformers has them."""
    logits = np.where(p > 0, np.log(np.where(p > 0, p, 1.0)), -np.inf) / temperature

    def softmax(logits: Array) -> Array:
        weights = np.exp(logits - logits.max())
        return np.asarray(weights / weights.sum())

    if top_k:
        kth = np.sort(logits)[::-1][min(top_k, len(logits)) - 1]
        logits = np.where(logits < kth, -np.inf, logits)
    if top_p < 1:
        order = sorted(range(len(p)), key=lambda i: (-logits[i], i))
        mass, kept = 0.0, list[int]()
        for i in order:
            if mass >= top_p and kept:
                break
            kept.append(i)
            mass += softmax(logits)[i]
        logits = np.where(np.isin(np.arange(len(p)), kept), logits, -np.inf)
    shares = softmax(logits)
    return softmax(np.where(shares < min_p * shares.max(), -np.inf, logits))


def draw(
    p: Array, allowed: Array, u: float, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, min_p: float = 0.0
) -> int:
    """The symbol that a uniform number picks from one row of probabilities."""
    edges = np.cumsum(filtered(np.where(allowed, p.astype(np.float64), 0.0), temperature, top_k, top_p, min_p))
    return min(int((edges <= u * edges[-1]).sum()), int((edges < edges[-1]).sum()))


class Answer(NamedTuple):
    ids: tuple[int, ...]
    log_probability: float


Predict = Callable[[Sequence[int]], Array]
"""`predict(ids)` returns the probabilities of the symbol after these."""


def every_sequence(predict: Predict, allowed: Array, end: int | None, steps: int, min_length: int = 0) -> list[Answer]:
    """All sequences that may be generated, with their log-likelihoods, the likeliest first."""
    symbols = np.flatnonzero(allowed)
    found = []
    for length in range(1, steps + 1):
        for ids in itertools.product(symbols.tolist(), repeat=length):
            over = end is not None and ids[-1] == end
            if (end in ids[:-1] if end is not None else False) or not (over or length == steps):
                continue
            if over and length - 1 < min_length:
                continue
            found.append(Answer(ids, log_likelihood(predict, ids)))
    return sorted(found, key=lambda answer: -answer.log_probability)


def log_likelihood(predict: Predict, ids: Sequence[int]) -> float:
    tiny = float(np.finfo(np.float32).tiny)
    total = 0.0
    for at, symbol in enumerate(ids):
        p = predict(ids[:at]).astype(np.float64)
        total += float(np.log(max(p[symbol], tiny) / max(p.sum(), tiny)))
    return total
