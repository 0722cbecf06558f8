"""Computes the order of rows, which does not depend on engine, devices, version of NumPy, or a stop and resumption."""

from __future__ import annotations

from typing import Any

import numpy as np

SPLIT_STREAM = 2**64 - 1
"""The number that stands for the split, instead of an epoch, in the key of the random generator; no epoch is as high."""


def epoch_order(seed: int, epoch: int, rows: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return a permutation of range(rows), int64, for one epoch.

    Philox4x64-10 (Salmon et al. 2011) with the key (seed, epoch) draws one 64-bit number per row; rows are sorted by it.
    NumPy promises the raw stream of its bit generators for good (NEP 19), which it does not for `permutation`.
    """
    generator = np.random.Philox(key=np.array([seed, epoch], np.uint64))
    return np.argsort(generator.random_raw(rows), kind="stable").astype(np.int64, copy=False)
