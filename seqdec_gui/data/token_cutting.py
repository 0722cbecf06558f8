"""Divides text into tokens, many rows at a time, without a Python loop over rows or symbols where that is possible."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.subwords import Vocabulary, cut
from seqdec_gui.domain.bindings import Tokens
from seqdec_gui.domain.problems import InvalidInput, Problem

FIRST_KEY = 0x110000
"""The key of the first token of more than one character; smaller keys are code points."""

_OPEN, _CLOSE, _PERCENT = b"[]%"
_TWO_LETTERS = (b"Cl", b"Br")
"""The atoms of two letters that SMILES write without brackets."""


class Tokenised(NamedTuple):
    """The tokens of some rows: a key for each, and the number of tokens of each row, int64.

    The key of a token of one character is its code point; `vocabulary[i]` has the key `FIRST_KEY + i`.
    """

    keys: Array
    lengths: Array
    vocabulary: list[str]


def tokenised(text: Any, tokens: Tokens, vocabulary: Vocabulary | None = None) -> Tokenised:
    """Divide an Arrow `large_string` array without nulls into tokens. Nothing is lost but the white space around words.

    Subwords need their vocabulary; without one, characters are counted. Raises InvalidInput if the package that knows grapheme
    clusters, or that cuts subwords, is not installed.
    """
    if vocabulary is not None:
        return _subwords(text, vocabulary)
    if tokens == "words":
        indices, words, lengths = _words(text)
        return Tokenised(indices.astype(np.int64) + FIRST_KEY, lengths, words)
    if tokens == "graphemes":
        return _graphemes(text)
    codes, lengths = code_points(text)
    if tokens in ("characters", "bpe", "unigram") or not len(codes):
        return Tokenised(codes, lengths, [])
    return _bracketed(codes, lengths, atoms=tokens == "smiles")


def _bracketed(codes: Array, lengths: Array, atoms: bool) -> Tokenised:
    """Take what stands in brackets for one token; with `atoms` also Cl, Br and ring numbers such as %10.

    The same as the regular expression that is usual for SMILES (Schwaller et al., https://doi.org/10.1021/acscentsci.9b00576),
    where characters that it does not know are tokens of their own.
    """
    ends = np.cumsum(lengths)
    inside = np.zeros(len(codes) + 1, np.int8)
    opens, closes = np.flatnonzero(codes == _OPEN), np.flatnonzero(codes == _CLOSE)
    if len(opens) and len(closes):
        at = np.searchsorted(closes, opens)
        close = closes[np.minimum(at, len(closes) - 1)]
        row_end = ends[np.searchsorted(ends, opens, side="right")]
        good = (at < len(closes)) & (close < row_end) & (close > opens + 1)
        close, first = np.unique(close[good], return_index=True)
        np.add.at(inside, opens[good][first] + 1, 1)
        np.add.at(inside, close + 1, -1)
    held = np.cumsum(inside[:-1]).astype(bool)
    starts = ~held
    if atoms:
        outside = starts & (codes != _OPEN)
        row_starts = np.zeros(len(codes) + 1, bool)
        row_starts[ends] = True
        for pair in _TWO_LETTERS:
            two = np.flatnonzero((codes[:-1] == pair[0]) & (codes[1:] == pair[1]) & outside[:-1] & ~row_starts[1:-1])
            starts[two + 1] = False
        digit = (codes >= 0x30) & (codes <= 0x39)
        ring = np.flatnonzero((codes[:-2] == _PERCENT) & digit[1:-1] & digit[2:] & outside[:-2])
        ring = ring[~(row_starts[ring + 1] | row_starts[ring + 2])]
        starts[ring + 1] = starts[ring + 2] = False
    begins = np.flatnonzero(starts)
    sizes = np.diff(np.append(begins, len(codes)))
    before = np.concatenate([[0], np.cumsum(starts)])
    counts = before[ends] - before[ends - lengths]
    keys, vocabulary = codes[begins].astype(np.int64), list[str]()
    for size in np.unique(sizes[sizes > 1]).tolist():
        places = np.flatnonzero(sizes == size)
        letters = codes[begins[places][:, None] + np.arange(size)].astype("<u4")
        different, indices = np.unique(letters.view(f"V{4 * size}").reshape(-1), return_inverse=True)
        keys[places] = FIRST_KEY + len(vocabulary) + indices
        vocabulary += [each.tobytes().decode("utf-32-le") for each in different]
    return Tokenised(keys, counts.astype(np.int64), vocabulary)


def _graphemes(text: Any) -> Tokenised:
    """Divide text into extended grapheme clusters (Unicode Standard Annex 29). Raises InvalidInput without the package."""
    codes, lengths = code_points(text)
    if not len(codes) or (codes.dtype == np.uint8 and not (codes == 0x0D).any()):
        return Tokenised(codes, lengths, [])
    if find_spec("regex") is None:
        wrong = "To divide text into grapheme clusters the package regex is needed, which is not installed."
        raise InvalidInput([Problem("error", "missing_extra", "data", wrong, 'Install it: pip install "seqdec-gui[text]"')])
    import regex

    cluster = regex.compile(r"\X")
    known: dict[str, int] = {}
    keys: list[int] = []
    counts = []
    for row in text.to_pylist():
        found = cluster.findall(row)
        counts.append(len(found))
        keys += [ord(each) if len(each) == 1 else FIRST_KEY + known.setdefault(each, len(known)) for each in found]
    return Tokenised(np.array(keys, np.int64), np.array(counts, np.int64), list(known))


def _subwords(text: Any, vocabulary: Vocabulary) -> Tokenised:
    """Divide text into the pieces of a vocabulary, and what it does not know."""
    indices, lengths, pieces = cut(text, vocabulary)
    longer = [piece for piece in pieces if len(piece) != 1]
    places = {piece: FIRST_KEY + at for at, piece in enumerate(longer)}
    keys = np.array([ord(piece) if len(piece) == 1 else places[piece] for piece in pieces], np.int64)
    return Tokenised(keys[indices], lengths, longer)


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
