"""Divides text into tokens, many rows at a time, without a Python loop over rows or symbols."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import Array, Chunk

TokenKind = Literal["characters", "words"]


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


def survey(chunks: Iterable[Chunk], tokens: TokenKind, lowercase: bool = False) -> Survey:
    """Count symbols and lengths in one pass; a missing text counts as an empty text."""
    code_counts = np.zeros(0, np.int64)
    words: dict[str, int] = {}
    lengths_seen = np.zeros(0, np.int64)
    rows, longest, longest_row, empty_row = 0, -1, -1, -1
    for chunk in chunks:
        text = normalised(chunk, lowercase)
        if tokens == "characters":
            codes, lengths = code_points(text)
            code_counts = _added(code_counts, np.bincount(codes))
        else:
            indices, vocabulary, lengths = _words(text)
            for word, times in zip(vocabulary, np.bincount(indices, minlength=len(vocabulary)), strict=True):
                words[word] = words.get(word, 0) + int(times)
        if len(lengths):
            lengths_seen = _added(lengths_seen, np.bincount(lengths))
            at = int(lengths.argmax())
            if lengths[at] > longest:
                longest, longest_row = int(lengths[at]), rows + at
            if empty_row < 0 and lengths.min() == 0:
                empty_row = rows + int(lengths.argmin())
        rows += len(lengths)
    if tokens == "characters":
        words = {chr(code): int(code_counts[code]) for code in np.flatnonzero(code_counts)}
    return Survey(rows, dict(sorted(words.items())), lengths_seen, longest_row, empty_row)


class Lookup:
    """Maps tokens to the ids of one charset, and tokens outside the charset to -1."""

    def __init__(self, charset: Sequence[str], first_id: int, tokens: TokenKind, lowercase: bool) -> None:
        self._tokens = tokens
        self._lowercase = lowercase
        self._ids = {symbol: first_id + i for i, symbol in enumerate(charset)}
        if tokens == "characters":
            self._table = np.full(max(map(ord, charset), default=0) + 2, -1, np.int32)
            for symbol, number in self._ids.items():
                self._table[ord(symbol)] = number

    def ids(self, chunk: Chunk) -> tuple[Array, Array]:
        """Return the ids of all rows in a flat array, int32, and the number of tokens of each row, int64."""
        text = normalised(chunk, self._lowercase)
        if self._tokens == "characters":
            codes, lengths = code_points(text)
            last = min(len(self._table) - 1, np.iinfo(codes.dtype).max)  # ASCII rows have codes of one byte
            return self._table[np.minimum(codes, last)], lengths
        indices, vocabulary, lengths = _words(text)
        table = np.array([self._ids.get(word, -1) for word in vocabulary], np.int32)
        return table[indices], lengths


def first_row_with(chunks: Iterable[Chunk], unknown: Mapping[str, int], tokens: TokenKind, lowercase: bool) -> tuple[int, str]:
    """Return the first row that holds one of the symbols in `unknown`, and the first of them in that row; (-1, "") if none."""
    row = 0
    for chunk in chunks:
        text = normalised(chunk, lowercase)
        lookup = Lookup(tuple(unknown), 0, tokens, False)
        ids, lengths = lookup.ids(text)
        places = np.flatnonzero(ids >= 0)
        if len(places):
            at = int(np.searchsorted(np.cumsum(lengths), places[0], side="right"))
            return row + at, list(unknown)[int(ids[places[0]])]
        row += len(lengths)
    return -1, ""


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


def normalised(chunk: Chunk, lowercase: bool) -> Any:
    """Return an Arrow `large_string` array without nulls, in lower case if `lowercase`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = chunk.cast(pa.large_string())
    if text.null_count:
        text = pc.fill_null(text, "")
    return pc.utf8_lower(text) if lowercase else text


def code_points(text: Any) -> tuple[Array, Array]:
    """Return the code points of all rows in a flat array, uint8 if all are ASCII, else uint32, and the length of each row."""
    import pyarrow.compute as pc

    _, offset_buffer, data_buffer = text.buffers()
    if not len(text):
        return np.zeros(0, np.uint8), np.zeros(0, np.int64)
    offsets = np.frombuffer(offset_buffer, np.int64)[text.offset : text.offset + len(text) + 1]
    raw = np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]] if data_buffer else np.zeros(0, np.uint8)
    if not len(raw) or raw.max() < 128:
        return raw, np.diff(offsets)
    codes = np.frombuffer(raw.tobytes().decode("utf-8").encode("utf-32-le"), np.uint32)
    return codes, pc.utf8_length(text).to_numpy(zero_copy_only=False).astype(np.int64)


def _words(text: Any) -> tuple[Array, list[str], Array]:
    """Return the index of every word in the vocabulary, the vocabulary, and the length of each row in words."""
    import pyarrow.compute as pc

    lists = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(text))
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = pc.list_flatten(lists)
    is_empty = pc.equal(flat, "")
    if pc.any(is_empty).as_py():
        rows_with_empty = pc.list_parent_indices(lists).filter(is_empty).to_numpy(zero_copy_only=False)
        np.subtract.at(lengths, rows_with_empty, 1)
        flat = flat.filter(pc.invert(is_empty))
    coded = flat.dictionary_encode()
    return coded.indices.to_numpy(zero_copy_only=False), coded.dictionary.to_pylist(), lengths


def _added(total: Array, more: Array) -> Array:
    if len(total) < len(more):
        total, more = more, total
    total = total.copy()
    total[: len(more)] += more
    return total
