"""The order of rows: the same for every engine, number of devices, version of NumPy, and after a resume."""

from __future__ import annotations

from typing import Any

import numpy as np

SPLIT_STREAM = 2**64 - 1
"""Where an epoch's number stands in the key; no epoch is that high."""


def epoch_order(seed: int, epoch: int, rows: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A permutation of range(rows), int64, for one epoch.

    Philox4x64-10 (Salmon et al. 2011) with the key (seed, epoch) draws one 64-bit number per row; rows are sorted by it.
    NumPy promises the raw stream of its bit generators for good (NEP 19), which it does not for `permutation`.
    """
    generator = np.random.Philox(key=np.array([seed, epoch], np.uint64))
    return np.argsort(generator.random_raw(rows), kind="stable").astype(np.int64, copy=False)
