"""Encodes new rows for a trained model; a row that cannot be encoded gets its reason and does not stop the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seqdec_gui.data.fitted import Fitted, encode, faults
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.row_faults import faulty_rows, reason
from seqdec_gui.data.rows import Values, placed
from seqdec_gui.data.sources import RowSource
from seqdec_gui.domain.problems import InvalidInput


class EncodedRows(NamedTuple):
    """The stored arrays of new rows by port name, `(rows, ...)`; the rows in `reasons`, from 0, are zeros."""

    arrays: dict[str, Array]
    reasons: dict[int, str]
    rows: int

    @property
    def good(self) -> Array:
        """The numbers of the rows that are encoded, ascending."""
        return np.array([row for row in range(self.rows) if row not in self.reasons], np.int64)


def encode_good_rows(
    fitted: Fitted, values: Mapping[str, Values], reasons: Mapping[int, str], lines: Sequence[int] = ()
) -> EncodedRows:
    """Encode the rows as in training; `reasons` are those of rows that could not be read, `lines` those of the file.

    Raises InvalidInput if no row can be encoded, or for a problem that is not that of single rows.
    """
    named = {fitted.port(name).name: column for name, column in values.items()}
    counts = {len(column) for column in named.values()}
    if len(counts) != 1 or any(port.name not in named for port in fitted.inputs):
        return EncodedRows(fitted.encode_rows(named), {}, min(counts, default=0))
    rows = counts.pop()
    found = dict(reasons)
    sources = {name: RowSource(f"Input {name!r}", column) for name, column in named.items()}
    for name, source in sources.items():
        try:
            bad = faulty_rows(fitted.port(name).codec, source)
        except InvalidInput:
            fitted.encode_rows(named)  # it says what is wrong with all rows
            raise
        for row in np.flatnonzero(bad).tolist():
            found.setdefault(row, placed(row, f"Input {name}: {reason(fitted.port(name).codec, source, row)}", lines))
    if len(found) == rows:
        if not reasons:
            fitted.encode_rows(named)
        raise InvalidInput(f"No row can be used. The first: {found[0]}", "no_rows", "data")
    encoded = EncodedRows({}, dict(sorted(found.items())), rows)
    good = encoded.good
    for name, source in sources.items():
        codec, kept = fitted.port(name).codec, source.rows_at(good)
        if problems := faults(codec, kept, name):
            raise InvalidInput(problems)
        array = np.zeros((rows, *codec.row_shape), codec.dtype)
        array[good] = encode(codec, kept, name, None)
        encoded.arrays[name] = array
    return encoded
