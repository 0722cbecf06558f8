"""Routes from stored arrays to the inputs of a model and the targets of its losses."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from seqdec_gui.data.formats.base import Array


class TensorFeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the stored array `array` feeds an input of the model, or the targets of a loss.

    Attributes:
        name: The id of the input block, or of the loss block for the role "target".
        first, last: The slice `[first:last]` of axis 1; for teacher forcing `[0:-1]` for the input and `[1:]` for the target.
        encoding: "values" is float32 as stored; "ids" is int32; "one_hot" is float32 `(..., depth)`.
        depth: The number of classes or symbols; for "values" the size of the last axis.
        pad_id: In a one-hot array this id, and ids not in [0, depth), give zeros.
    """

    name: str
    role: Literal["input", "target"]
    array: str
    first: int = 0
    last: int | None = None
    encoding: Literal["values", "ids", "one_hot"] = "values"
    depth: int = 0
    pad_id: int | None = None


def expand(feed: TensorFeed, array: Array) -> Array:
    """Return the input or target for rows of the stored array; the reference for what engines compute on the device."""
    cut = array[:, feed.first : feed.last] if array.ndim > 1 else array
    if feed.encoding == "values":
        return cut.astype(np.float32, copy=False)
    ids = cut.astype(np.int32)
    if feed.encoding == "ids":
        return ids
    return one_hot(ids, feed.depth, feed.pad_id)


def one_hot(ids: Array, depth: int, pad_id: int | None = None) -> Array:
    """Return float32 `(..., depth)`, zeros where the id is `pad_id` or not in [0, depth)."""
    rows = np.zeros((depth + 1, depth), np.float32)
    np.fill_diagonal(rows, 1.0)
    mask = (ids >= 0) & (ids < depth)
    if pad_id is not None:
        mask &= ids != pad_id
    result: Array = rows[np.where(mask, ids, depth)]
    return result
