"""Vocabularies of subwords: pieces of text that occur often, learned from training rows by BPE or as a unigram model.

A piece is a part of the text as it stands, white space included, so that the pieces of a text, one after the other, are the
text. A vocabulary is plain data (`Subwords`). It is learned in a process of its own (`data.subword_learning`), and cuts texts
with the package `tokenizers`, an extra that is imported with the first text.
"""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np

from seqdec_gui.data.formats.base import Array
from seqdec_gui.domain.bindings import SUBWORDS, Tokens
from seqdec_gui.domain.problems import InvalidInput, Problem

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""The text of an id that has no symbol or label; the first piece of every vocabulary."""
PIECES = 4000
"""The number of pieces of a vocabulary whose size is not set."""
LONGEST_PIECE = 16
"""The most characters of a piece."""
CHUNKS = r"\s*\S+|\s+"
"""What is cut by itself: a word with the white space before it, or white space at the end. No piece reaches over its ends."""
MOST_CHARACTERS = {"bpe": 4_000_000, "unigram": 1_000_000}
"""The number of characters from which a vocabulary is learned at most: of more, rows are taken at even distances."""
LONGEST_S = 1800
"""Seconds after which learning a vocabulary is given up."""
ROWS_AT_ONCE = 4096
"""How many rows are cut in one call: what the library returns takes some 1 kB a row."""


class Subwords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a vocabulary needs beside its pieces: the merges of BPE, or the log-probability of each piece."""

    merges: tuple[tuple[str, str], ...] = ()
    scores: tuple[float, ...] = ()


class Vocabulary(NamedTuple):
    """The pieces of a vocabulary in the order of their ids, the first of which is UNKNOWN, and how texts are cut into them."""

    kind: Literal["bpe", "unigram"]
    pieces: tuple[str, ...]
    model: Subwords


class Wanted(msgspec.Struct, frozen=True):
    """What a vocabulary is learned from, and how large it is to be."""

    kind: Literal["bpe", "unigram"]
    pieces: int
    least: int
    characters: tuple[str, ...]
    """The characters that are pieces in any case, the most frequent first."""
    texts: tuple[str, ...]


def is_subwords(tokens: Tokens) -> bool:
    """Return whether tokens of this kind are cut by a vocabulary that is learned."""
    return tokens in SUBWORDS


def missing_package(kind: Tokens | str, learning: bool = False) -> Problem | None:
    """Return the problem of a package that is not installed; None if all are that cutting, or `learning`, needs."""
    needed = ("tokenizers", *(("sentencepiece",) if learning and kind == "unigram" else ()))
    missing = [name for name in needed if find_spec(name) is None]
    if not missing:
        return None
    text = f"To cut text into subwords the package {missing[0]} is needed, which is not installed."
    return Problem("error", "missing_extra", "data", text, 'Install it: pip install "seqdec-gui[subwords]"')


# -- learning
_learned: OrderedDict[bytes, Vocabulary] = OrderedDict()
_KEPT = 8
"""How many vocabularies are kept, for the next check of the same rows."""


def learn(
    kind: Literal["bpe", "unigram"], texts: Sequence[str], characters: Sequence[str], pieces: int | None, least: int
) -> Vocabulary:
    """Return a vocabulary of the texts, UNKNOWN included, always the same for the same arguments.

    `characters` are all characters of the training rows that are to be known, the most frequent first; `pieces` is the size of
    the vocabulary without UNKNOWN; `least` how often a piece of several characters has to occur. Raises InvalidInput if a
    package is missing, or if learning fails.
    """
    if (missing := missing_package(kind, learning=True)) is not None:
        raise InvalidInput([missing])
    size = pieces or PIECES
    wanted = Wanted(kind, size, max(2, least), tuple(characters[:size]), tuple(_some(texts, MOST_CHARACTERS[kind])))
    content = msgspec.json.encode(wanted)
    key = sha256(content).digest()
    if key not in _learned:
        _learned[key] = _in_a_process(content, kind)
        while len(_learned) > _KEPT:
            _learned.popitem(last=False)
    _learned.move_to_end(key)
    return _learned[key]


def _in_a_process(content: bytes, kind: Literal["bpe", "unigram"]) -> Vocabulary:
    """Learn a vocabulary in a process of its own, since the libraries hold the interpreter for seconds."""
    command = [sys.executable, "-m", "seqdec_gui.data.subword_learning"]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=LONGEST_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InvalidInput(
            f"The vocabulary of subwords could not be learned: {error}", "subwords_not_learned", "data"
        ) from None
    if done.returncode:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise InvalidInput(f"The vocabulary of subwords could not be learned: {last}", "subwords_not_learned", "data")
    found = msgspec.json.decode(done.stdout, type=tuple[tuple[str, ...], Subwords])
    return Vocabulary(kind, (UNKNOWN, *found[0]), found[1])


def _some(texts: Sequence[str], most: int) -> Sequence[str]:
    """Return the texts, or of more than `most` characters those at even distances."""
    total = sum(map(len, texts))
    if total <= most:
        return texts
    count = max(1, int(len(texts) * most / total))
    return [texts[at * len(texts) // count] for at in range(count)]


# -- cutting
def cut(text: Any, vocabulary: Vocabulary) -> tuple[Array, Array, list[str]]:
    """Cut an Arrow string array without nulls; return the index of every piece, their number in each row, and all pieces.

    What the vocabulary does not know comes after its pieces, as it stands in the text. Raises InvalidInput without packages.
    """
    if (missing := missing_package(vocabulary.kind)) is not None:
        raise InvalidInput([missing])
    tokenizer = _tokenizer(vocabulary)
    others: dict[str, int] = {}
    flat: list[Array] = []
    lengths: list[int] = []
    for at in range(0, len(text), ROWS_AT_ONCE):
        rows = text[at : at + ROWS_AT_ONCE].to_pylist()
        for row, found in zip(rows, tokenizer.encode_batch_fast(rows, add_special_tokens=False), strict=True):
            ids = np.array(found.ids, np.int64)
            if (ids == 0).any():
                ids = _with_unknown(tokenizer, row, others, len(vocabulary.pieces))
            flat.append(ids)
            lengths.append(len(ids))
    return np.concatenate([np.zeros(0, np.int64), *flat]), np.array(lengths, np.int64), [*vocabulary.pieces, *others]


def _with_unknown(tokenizer: Tokenizer, row: str, others: dict[str, int], known: int) -> Array:
    """Return the indices of the pieces of one row, with that of each unknown part in `others` in place of the unknown piece."""
    found = tokenizer.encode(row, add_special_tokens=False)
    parts = [row[first:last] for first, last in found.offsets]
    return np.array(
        [number or known + others.setdefault(part, len(others)) for number, part in zip(found.ids, parts, strict=True)],
        np.int64,
    )


@lru_cache(maxsize=8)
def _tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    kind, pieces, model = vocabulary
    if kind == "bpe":
        ids = {piece: number for number, piece in enumerate(pieces)}
        core: Any = models.BPE(vocab=ids, merges=list(model.merges), unk_token=UNKNOWN, fuse_unk=False)
    else:
        core = models.Unigram(list(zip(pieces, model.scores, strict=True)), unk_id=0)
    tokenizer = Tokenizer(core)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(CHUNKS), "isolated")
    return tokenizer
