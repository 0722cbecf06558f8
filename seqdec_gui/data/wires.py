"""How one stored array becomes what a port takes."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from seqdec_gui.data.formats.base import Array


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What port `name` (an input's id, or a loss's for role "target") takes of the stored array `array`.

    `[first:last]` is cut from axis 1 (teacher forcing: `[0:-1]` for the input, `[1:]` for the target). `encoding`:
    "values" is float32 as stored; "ids" is int32; "one_hot" is float32 `(..., depth)`, where an id equal to `pad_id`
    or not in [0, depth) gives zeros. `depth` is the number of classes or symbols, of "values" the last axis.
    """

    name: str
    role: Literal["input", "target"]
    array: str
    first: int = 0
    last: int | None = None
    encoding: Literal["values", "ids", "one_hot"] = "values"
    depth: int = 0
    pad_id: int | None = None


def expand(wire: Wire, array: Array) -> Array:
    """What the port takes for these rows of the stored array: the reference for what engines do on the device."""
    cut = array[:, wire.first : wire.last] if array.ndim > 1 else array
    if wire.encoding == "values":
        return cut.astype(np.float32, copy=False)
    ids = cut.astype(np.int32)
    if wire.encoding == "ids":
        return ids
    return one_hot(ids, wire.depth, wire.pad_id)


def one_hot(ids: Array, depth: int, pad_id: int | None = None) -> Array:
    """float32 `(..., depth)`; zeros where the id is `pad_id` or not in [0, depth)."""
    rows = np.zeros((depth + 1, depth), np.float32)
    np.fill_diagonal(rows, 1.0)
    shown = (ids >= 0) & (ids < depth)
    if pad_id is not None:
        shown &= ids != pad_id
    result: Array = rows[np.where(shown, ids, depth)]
    return result
