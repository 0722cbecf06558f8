"""Which rows cannot be encoded, and why: for rows that are left out of the training, and for rows to generate from."""

from __future__ import annotations

import re

import numpy as np

from seqdec_gui.data.codecs import FittedBits, FittedCategory, FittedCodec, FittedIds, FittedNumbers, FittedText
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.soundness import control_rows
from seqdec_gui.data.sources import RowSource, Source, finite_rows
from seqdec_gui.data.tokens import Lookup

FAULTS = frozenset(
    ("empty_rows", "unknown_symbol", "too_long", "not_finite", "unknown_label", "control_characters", "not_bits")
)
"""The codes of problems that single rows have, and that are gone without these rows."""


def faulty_rows(codec: FittedCodec, source: Source) -> Array:
    """Return which rows cannot be encoded (bool, one per row). Raises InvalidInput for values of another kind."""
    marks = [np.zeros(0, bool)]
    match codec:
        case FittedText():
            lookup = Lookup(codec.charset, 0, codec.form, 0 if codec.unknown else -1)
            for chunk in source.texts():
                ids, lengths = lookup.ids(chunk)
                bad = lengths == 0
                if codec.longer == "refuse":
                    bad |= lengths > codec.room
                rows_of_ids = np.repeat(np.arange(len(lengths)), lengths)
                bad[rows_of_ids[ids < 0]] = True
                bad[control_rows(chunk)] = True
                marks.append(bad)
        case FittedCategory():
            known = set(codec.labels)
            for chunk in source.texts():
                coded = chunk.dictionary_encode()
                wrong = [label is None or label not in known for label in coded.dictionary.to_pylist()]
                codes = coded.indices.fill_null(len(wrong)).to_numpy(zero_copy_only=False)
                marks.append(np.array([*wrong, True])[codes])
        case FittedBits():
            marks += [~codec.are_bits(chunk) for chunk in source.texts()]
        case FittedNumbers():
            marks += [~finite_rows(chunk, bool(codec.fill)) for chunk in source.numbers()]
        case FittedIds():
            for chunk in source.numbers():
                flat = chunk.reshape(len(chunk), -1)
                finite = finite_rows(chunk)
                whole = np.where(finite[:, None], flat, 0)
                bad = ~finite | (whole != np.trunc(whole)).any(axis=1) | (whole < 0).any(axis=1)
                if codec.depth:
                    bad |= (chunk.sum(axis=-1) > 1).reshape(len(chunk), -1).any(axis=1) | (whole > 1).any(axis=1)
                else:
                    bad |= (whole >= (codec.limit or 2**31)).any(axis=1)
                marks.append(bad)
    return np.concatenate(marks)


def reason(codec: FittedCodec, source: RowSource, row: int) -> str:
    """Return, in words, why this row cannot be encoded."""
    label = "value"
    problems = codec.faults(source.row(row, label), "")
    if not problems:
        return "It holds control characters."
    text = re.sub(r"^value(, row 1:| has 1 row of more than| has 1 row with| has 1 empty row)", _shortened, problems[0].text)
    text = re.sub(r",? the first is row 1|, row 1,| \(the first is row 1\)|the longest, row 1, ", "", text).strip()
    return text[:1].upper() + text[1:]


def _shortened(found: re.Match[str]) -> str:
    return {", row 1:": "", " has 1 row of more than": "it is longer than", " has 1 row with": "it has",
            " has 1 empty row": "it is empty"}[found[1]]  # fmt: skip
