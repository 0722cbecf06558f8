"""Text as tokens, many rows at a time: no loop over rows or symbols runs in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import Array, Chunk

TokenKind = Literal["characters", "words"]


class Survey(NamedTuple):
    """What a text column holds. Rows count from 0; lengths are in tokens."""

    rows: int
    symbols: dict[str, int]
    lengths: Array
    """How many rows have 0, 1, 2, ... tokens."""
    longest_row: int
    empty_row: int
    """The first row without a token, -1 if there is none."""

    @property
    def longest(self) -> int:
        return max(len(self.lengths) - 1, 0)

    @property
    def empty(self) -> int:
        return int(self.lengths[0]) if len(self.lengths) else 0

    def longer_than(self, length: int) -> int:
        return int(self.lengths[length + 1 :].sum())


def survey(chunks: Iterable[Chunk], tokens: TokenKind, lowercase: bool = False) -> Survey:
    """Counts symbols and lengths in one pass; a missing text counts as an empty one."""
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
    """Token to id for one charset. `ids` gives -1 for a token that is not in it."""

    def __init__(self, charset: Sequence[str], first_id: int, tokens: TokenKind, lowercase: bool) -> None:
        self._tokens, self._lowercase = tokens, lowercase
        self._ids = {symbol: first_id + i for i, symbol in enumerate(charset)}
        if tokens == "characters":
            self._table = np.full(max(map(ord, charset), default=0) + 2, -1, np.int32)
            for symbol, number in self._ids.items():
                self._table[ord(symbol)] = number

    def ids(self, chunk: Chunk) -> tuple[Array, Array]:
        """All ids one after the other, int32, and the number of tokens of every row, int64."""
        text = normalised(chunk, self._lowercase)
        if self._tokens == "characters":
            codes, lengths = code_points(text)
            last = min(len(self._table) - 1, np.iinfo(codes.dtype).max)  # ASCII rows have codes of one byte
            return self._table[np.minimum(codes, last)], lengths
        indices, vocabulary, lengths = _words(text)
        table = np.array([self._ids.get(word, -1) for word in vocabulary], np.int32)
        return table[indices], lengths


def first_row_with(chunks: Iterable[Chunk], unknown: Mapping[str, int], tokens: TokenKind, lowercase: bool) -> tuple[int, str]:
    """The first row that holds one of these symbols, and which: the text's first such symbol."""
    row = 0
    for chunk in chunks:
        text = normalised(chunk, lowercase)
        lookup = Lookup(tuple(unknown), 0, tokens, False)
        ids, lengths = lookup.ids(text)
        found = np.flatnonzero(ids >= 0)
        if len(found):
            at = int(np.searchsorted(np.cumsum(lengths), found[0], side="right"))
            return row + at, list(unknown)[int(ids[found[0]])]
        row += len(lengths)
    return -1, ""


def place(ids: Array, lengths: Array, width: int, first: Array, dtype: Any) -> Array:
    """Rows of ids `(rows, width)`, row i from column `first[i]` on, zeros around them."""
    placed = np.zeros((len(lengths), width), dtype)
    columns = np.arange(width)
    placed[(columns >= first[:, None]) & (columns < (first + lengths)[:, None])] = ids
    return placed


def reversed_rows(ids: Array, lengths: Array) -> Array:
    """The same rows one after the other, each back to front."""
    ends = np.cumsum(lengths)
    mirrored = np.repeat(2 * ends - lengths - 1, lengths) - np.arange(len(ids))
    result: Array = ids[mirrored]
    return result


def normalised(chunk: Chunk, lowercase: bool) -> Any:
    """An Arrow `large_string` array without nulls, folded if asked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = chunk.cast(pa.large_string())
    if text.null_count:
        text = pc.fill_null(text, "")
    return pc.utf8_lower(text) if lowercase else text


def code_points(text: Any) -> tuple[Array, Array]:
    """All code points one after the other (uint8 where all are ASCII, else uint32), and the rows' lengths."""
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
    """Index of every word in the vocabulary, the vocabulary, and the rows' lengths in words."""
    import pyarrow.compute as pc

    lists = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(text))
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = pc.list_flatten(lists)
    hollow = pc.equal(flat, "")
    if pc.any(hollow).as_py():
        owners = pc.list_parent_indices(lists).filter(hollow).to_numpy(zero_copy_only=False)
        np.subtract.at(lengths, owners, 1)
        flat = flat.filter(pc.invert(hollow))
    coded = flat.dictionary_encode()
    return coded.indices.to_numpy(zero_copy_only=False), coded.dictionary.to_pylist(), lengths


def _added(total: Array, more: Array) -> Array:
    if len(total) < len(more):
        total, more = more, total
    total = total.copy()
    total[: len(more)] += more
    return total
