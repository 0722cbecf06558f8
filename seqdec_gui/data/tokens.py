"""Prepares text, counts its tokens and gives them ids, many rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import Array, Chunk
from seqdec_gui.data.subwords import Vocabulary
from seqdec_gui.data.token_cutting import FIRST_KEY, tokenised
from seqdec_gui.domain.bindings import Normalise, Strip
from seqdec_gui.domain.bindings import Tokens as TokenKind

__all__ = [
    "Lookup", "Strip", "Survey", "TextForm", "TokenKind", "first_row_with", "place", "prepared", "reversed_rows", "stripped",
    "survey", "truncated",
]  # fmt: skip


class Survey(NamedTuple):
    """The symbols and lengths of a text column. Rows count from 0; lengths are in tokens."""

    rows: int
    symbols: dict[str, int]
    lengths: Array
    """The number of rows with 0, 1, 2, ... tokens."""
    longest_row: int
    """The first of the longest rows, -1 if there are no rows."""
    empty_row: int
    """The first row without a token, -1 if there is none."""

    @property
    def longest(self) -> int:
        return max(len(self.lengths) - 1, 0)

    @property
    def empty(self) -> int:
        """The number of rows without a token."""
        return int(self.lengths[0]) if len(self.lengths) else 0

    def longer_than(self, length: int) -> int:
        """Return how many rows have more tokens than this."""
        return int(self.lengths[length + 1 :].sum())


class TextForm(NamedTuple):
    """How text is prepared and divided into tokens; the first fields are those of `domain.bindings.TextCodec`."""

    tokens: TokenKind = "characters"
    lowercase: bool = False
    normalise: Normalise = "none"
    strip: Strip = "none"
    vocabulary: Vocabulary | None = None
    """The learned vocabulary of subwords; None while it is not known, and for other tokens."""


def survey(chunks: Iterable[Chunk], form: TextForm) -> Survey:
    """Count symbols and lengths in one pass; a missing text counts as an empty text."""
    code_counts = np.zeros(0, np.int64)
    symbols: dict[str, int] = {}
    lengths_seen = np.zeros(0, np.int64)
    rows, longest, longest_row, empty_row = 0, -1, -1, -1
    for chunk in chunks:
        keys, lengths, vocabulary = tokenised(prepared(chunk, form), form.tokens, form.vocabulary)
        counts = np.bincount(keys) if len(keys) else np.zeros(0, np.int64)
        code_counts = _added(code_counts, counts[:FIRST_KEY])
        for symbol, times in zip(vocabulary, counts[FIRST_KEY:].tolist(), strict=False):
            symbols[symbol] = symbols.get(symbol, 0) + times
        if len(lengths):
            lengths_seen = _added(lengths_seen, np.bincount(lengths))
            at = int(lengths.argmax())
            if lengths[at] > longest:
                longest, longest_row = int(lengths[at]), rows + at
            if empty_row < 0 and lengths.min() == 0:
                empty_row = rows + int(lengths.argmin())
        rows += len(lengths)
    for code in np.flatnonzero(code_counts).tolist():
        symbols[chr(code)] = symbols.get(chr(code), 0) + int(code_counts[code])
    return Survey(rows, dict(sorted(symbols.items())), lengths_seen, longest_row, empty_row)


class Lookup:
    """Maps tokens to the ids of one charset, and tokens outside the charset to `unknown_id`."""

    def __init__(self, charset: Sequence[str], first_id: int, form: TextForm, unknown_id: int = -1) -> None:
        self._form = form
        self._unknown_id = unknown_id
        self._ids = {symbol: first_id + i for i, symbol in enumerate(charset)}
        single = [symbol for symbol in charset if len(symbol) == 1]
        self._table = np.full(max(map(ord, single), default=0) + 2, unknown_id, np.int32)
        for symbol in single:
            self._table[ord(symbol)] = self._ids[symbol]

    def ids(self, chunk: Chunk) -> tuple[Array, Array]:
        """Return the ids of all rows in a flat array, int32, and the number of tokens of each row, int64."""
        keys, lengths, vocabulary = tokenised(prepared(chunk, self._form), self._form.tokens, self._form.vocabulary)
        last = len(self._table) - 1
        if not vocabulary:
            return self._table[np.minimum(keys, min(last, np.iinfo(keys.dtype).max))], lengths
        ids = self._table[np.minimum(keys, last)]
        composed = keys >= FIRST_KEY
        of_vocabulary = np.array([self._ids.get(token, self._unknown_id) for token in vocabulary], np.int32)
        ids[composed] = of_vocabulary[keys[composed] - FIRST_KEY]
        return ids, lengths


def first_row_with(chunks: Iterable[Chunk], unknown: Mapping[str, int], form: TextForm) -> tuple[int, str]:
    """Return the first row that holds one of the symbols in `unknown`, and the first of them in that row; (-1, "") if none."""
    row = 0
    lookup = Lookup(tuple(unknown), 0, form)
    for chunk in chunks:
        ids, lengths = lookup.ids(chunk)
        places = np.flatnonzero(ids >= 0)
        if len(places):
            at = int(np.searchsorted(np.cumsum(lengths), places[0], side="right"))
            return row + at, list(unknown)[int(ids[places[0]])]
        row += len(lengths)
    return -1, ""


def truncated(ids: Array, lengths: Array, room: int) -> tuple[Array, Array]:
    """Return the first `room` flat ids of every row, and the new lengths."""
    if not len(lengths) or lengths.max() <= room:
        return ids, lengths
    place_in_row = np.arange(len(ids)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return ids[place_in_row < room], np.minimum(lengths, room)


def place(ids: Array, lengths: Array, width: int, first: Array, dtype: Any) -> Array:
    """Place flat ids in an array `(rows, width)`, row i from column `first[i]` on, with zeros around them."""
    placed = np.zeros((len(lengths), width), dtype)
    columns = np.arange(width)
    placed[(columns >= first[:, None]) & (columns < (first + lengths)[:, None])] = ids
    return placed


def reversed_rows(ids: Array, lengths: Array) -> Array:
    """Return the flat ids with the order reversed within each row."""
    ends = np.cumsum(lengths)
    mirrored = np.repeat(2 * ends - lengths - 1, lengths) - np.arange(len(ids))
    result: Array = ids[mirrored]
    return result


def prepared(chunk: Chunk, form: TextForm) -> Any:
    """Return an Arrow `large_string` array without nulls, stripped, normalised and folded to lower case as `form` says."""
    import pyarrow.compute as pc

    text = stripped(chunk, form.strip)
    if form.normalise != "none":
        text = pc.utf8_normalize(text, form=form.normalise.upper())
    return pc.utf8_lower(text) if form.lowercase else text


def stripped(chunk: Chunk, strip: Strip) -> Any:
    """Return an Arrow `large_string` array without nulls, and without line ends or white space at the ends of texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = chunk.cast(pa.large_string())
    if text.null_count:
        text = pc.fill_null(text, "")
    if strip == "spaces":
        return pc.utf8_trim_whitespace(text)
    return pc.utf8_rtrim(text, "\r\n") if strip == "newlines" and has_breaks(text) else text


def has_breaks(text: Any) -> bool:
    """Return whether some text of an Arrow `large_string` array holds a line end."""
    raw = _bytes_of(text)
    return bool(len(raw)) and bool((raw == 0x0A).any() or (raw == 0x0D).any())


def _bytes_of(text: Any) -> Array:
    _, offset_buffer, data_buffer = text.buffers()
    if not len(text) or data_buffer is None:
        return np.zeros(0, np.uint8)
    offsets = np.frombuffer(offset_buffer, np.int64)[text.offset : text.offset + len(text) + 1]
    return np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]]


def _added(total: Array, more: Array) -> Array:
    if len(total) < len(more):
        total, more = more, total
    total = total.copy()
    total[: len(more)] += more
    return total
