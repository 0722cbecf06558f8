"""Detects ids that look like padding; only the user can confirm that they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.sources import Source

MOST_CANDIDATES = 16
"""The largest number of different row ends in the first chunk that are tried as padding."""


def likely_padding(source: Source, depth: int = 0) -> int | None:
    """Return an id that occurs only in runs at the end of rows, in runs of different length; None if there is none.

    Rows are ids `(steps,)`, or one-hot `(steps, depth)`. Reads the rows once.
    """
    candidates: list[int] | None = None
    fewest: dict[int, int] = {}
    most: dict[int, int] = {}
    for ids in _ids(source, depth):
        if ids.ndim != 2 or ids.shape[1] < 2:
            return None
        if candidates is None:
            candidates = np.unique(ids[:, -1][ids[:, -1] == ids[:, -2]]).tolist()[:MOST_CANDIDATES]
        for number in tuple(candidates):
            places = ids == number
            if (places[:, 1:] < places[:, :-1]).any():
                candidates.remove(number)
                continue
            counts = places.sum(axis=1)
            fewest[number] = min(fewest.get(number, ids.shape[1]), int(counts.min()))
            most[number] = max(most.get(number, 0), int(counts.max()))
    return next((number for number in candidates or () if fewest[number] < most[number]), None)


def stands_inside(source: Source, number: int, depth: int = 0) -> bool:
    """Return whether some row has the id between other ids, where padding never stands."""
    for ids in _ids(source, depth):
        places = (ids == number).reshape(len(ids), -1)
        ends = (places[:, 1:] >= places[:, :-1]).all(axis=1)
        begins = (places[:, 1:] <= places[:, :-1]).all(axis=1)
        if not (ends | begins).all():
            return True
    return False


def has_zeros(source: Source) -> bool:
    """Return whether a sequence of numbers `(steps, features)` has a step of zeros."""
    return len(source.shape) > 1 and any(not chunk.any(axis=-1).all() for chunk in source.numbers())


def _ids(source: Source, depth: int) -> Iterator[Array]:
    """Yield rows of ids, a chunk at a time, with -1 for a one-hot step of zeros."""
    for chunk in source.numbers():
        if len(chunk):
            yield np.where(chunk.any(axis=-1), chunk.argmax(axis=-1), -1) if depth else chunk
