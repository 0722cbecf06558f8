"""Columns of lists of which a few rows are missing or have another shape: such a row has no values, and a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from seqdec_gui.data.formats.base import Array
from seqdec_gui.domain.wording import counted

_USUAL_PART = 0.75
"""The part of the rows that has to have the same shape for the others to be faults; with less, the column is ragged."""
_EXACT_WHOLE = 2**53
"""The largest whole number up to which float64 holds all of them."""

Shape = tuple[int, ...] | None
"""The shape of a row; None for one without a list of numbers."""


def usual_shape(shapes: Sequence[Shape]) -> Shape:
    """Return the shape that nearly all rows have; None if there is none, or if it holds no numbers."""
    shape, count = Counter(shapes).most_common(1)[0] if shapes else (None, 0)
    return shape if shape and 0 not in shape and count > _USUAL_PART * len(shapes) else None


def why_uneven(shape: Shape, usual: tuple[int, ...]) -> str:
    """Return why a row has no values, as the end of a sentence about its cell."""
    expected = counted(usual[0], "number") if len(usual) == 1 else f"numbers of shape {usual}"
    if shape is None:
        return f"holds no list of numbers alone; expected {expected}"
    if len(shape) == len(usual) == 1:
        return f"has {counted(shape[0], 'number')}; expected {usual[0]}"
    return f"has numbers of shape {shape}; expected {usual}"


def with_faulty_rows(values: Array, good: Array) -> Array | None:
    """Return an array of all rows, where `values` are those that are good; the others are infinite, which no mean fills.

    None if float64 would change a whole number.
    """
    if values.dtype.kind in "iu" and values.size and max(abs(int(values.min())), int(values.max())) > _EXACT_WHOLE:
        return None
    made: Array = np.full((len(good), *values.shape[1:]), np.inf, np.float32 if values.dtype == np.float32 else np.float64)
    made[good] = values
    return made
