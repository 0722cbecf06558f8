"""Fitted codecs: they encode further rows like the training rows, and decode ids to text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np

from seqdec_gui.data.formats.base import Array, Chunk
from seqdec_gui.data.hints import LEAVE_OUT
from seqdec_gui.data.number_codecs import (
    Encoder,
    FittedBits,
    FittedIds,
    FittedNumbers,
    FittedProjection,
    id_dtype,
    not_finite,
    same_values,
)
from seqdec_gui.data.sources import Source
from seqdec_gui.data.subwords import UNKNOWN, Subwords, Vocabulary
from seqdec_gui.data.tokens import (
    Lookup,
    Survey,
    TextForm,
    TokenKind,
    first_row_with,
    place,
    reversed_rows,
    survey,
    truncated,
)
from seqdec_gui.domain.bindings import Longer, Normalise, Strip
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.wording import counted

__all__ = [
    "UNKNOWN",
    "Encoder",
    "FittedBits",
    "FittedCategory",
    "FittedCodec",
    "FittedIds",
    "FittedNumbers",
    "FittedProjection",
    "FittedText",
    "ReadsText",
    "TextNumbering",
    "id_dtype",
    "not_finite",
    "same_values",
]


class TextNumbering(NamedTuple):
    """The ids of symbols: 0 for padding, then begin and end where they have an id, then the charset in order."""

    charset: tuple[str, ...]
    begin: bool
    end: bool

    @property
    def marks(self) -> tuple[bool, bool]:
        """Whether begin has an id, and whether end has one."""
        return self.begin, self.end

    @property
    def begin_id(self) -> int | None:
        return 1 if self.begin else None

    @property
    def end_id(self) -> int | None:
        return 1 + self.begin if self.end else None

    @property
    def first_symbol(self) -> int:
        """The id of `charset[0]`."""
        return 1 + self.begin + self.end

    @property
    def symbols(self) -> int:
        """The number of ids, padding and marks included."""
        return self.first_symbol + len(self.charset)


class FittedText(msgspec.Struct, frozen=True, tag="text", forbid_unknown_fields=True):
    """Text as ids `(rows, length)`: 0 is padding, then begin and end where used or reserved, then the charset in order.

    `length` is the stored length, marks included; for a teacher-forced decoder it is one more than the decoder takes. `begin`
    and `end` are whether the rows have these marks. A reserved id is not used by the rows: it gives the symbols the same ids
    as in a column that has the mark. With `unknown`, the charset has the entry `UNKNOWN`, whose id all other tokens get.
    """

    charset: tuple[str, ...]
    length: int
    begin: bool = False
    end: bool = False
    tokens: TokenKind = "characters"
    padding: Literal["right", "left"] = "right"
    reverse: bool = False
    lowercase: bool = False
    begin_reserved: bool = False
    end_reserved: bool = False
    normalise: Normalise = "none"
    strip: Strip = "none"
    unknown: bool = False
    longer: Longer = "refuse"
    random_order: bool = False
    """Whether every epoch writes the molecules of its training rows in another order of their atoms."""
    subwords: Subwords | None = None
    """How text is cut into the pieces of the charset, where these were learned."""

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The vocabulary of subwords; None for other tokens."""
        if self.subwords is None or self.tokens not in ("bpe", "unigram"):
            return None
        return Vocabulary(self.tokens, self.charset, self.subwords)

    @property
    def form(self) -> TextForm:
        """How text is prepared and divided into tokens."""
        return TextForm(self.tokens, self.lowercase, self.normalise, self.strip, self.vocabulary)

    @property
    def unknown_id(self) -> int | None:
        """The id of tokens outside the charset; None if their rows are refused."""
        return self.first_symbol + self.charset.index(UNKNOWN) if self.unknown else None

    @property
    def numbering(self) -> TextNumbering:
        """The ids of all symbols and marks."""
        return TextNumbering(self.charset, self.begin or self.begin_reserved, self.end or self.end_reserved)

    @property
    def pad_id(self) -> int:
        return 0

    @property
    def begin_id(self) -> int | None:
        return 1 if self.begin else None

    @property
    def end_id(self) -> int | None:
        return self.numbering.end_id if self.end else None

    @property
    def first_symbol(self) -> int:
        """The id of `charset[0]`."""
        return self.numbering.first_symbol

    @property
    def symbols(self) -> int:
        """The number of ids, padding and marks included."""
        return self.numbering.symbols

    @property
    def room(self) -> int:
        """The number of tokens that a text may have."""
        return self.length - self.begin - self.end

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return id_dtype(self.symbols - 1)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return (self.length,)

    def chunks(self, source: Source) -> Iterable[Chunk]:
        return source.texts()

    def faults(self, source: Source, where: str, seen: Survey | None = None) -> list[Problem]:
        """Return problems of empty rows, unknown symbols and rows that are too long. Raises InvalidInput if it is not text."""
        seen = seen or survey(source.texts(), self.form)
        problems = []
        if seen.empty:
            text = (
                f"{source.label} has {counted(seen.empty, 'empty row')}, the first is row {seen.empty_row + 1}; expected text."
            )
            problems.append(Problem("error", "empty_rows", where, text, f"Fill them, or {LEAVE_OUT}."))
        known = set(self.charset)
        unknown = {symbol: count for symbol, count in seen.symbols.items() if symbol not in known and not self.unknown}
        if unknown:
            row, symbol = first_row_with(source.texts(), unknown, self.form)
            others = f" ({len(unknown)} unknown symbols in all)" if len(unknown) > 1 else ""
            text = f"{source.label}, row {row + 1}: symbol {symbol!r} is not in the charset {self.shown_charset}{others}."
            problems.append(Problem("error", "unknown_symbol", where, text, "Remove it, or train with it."))
        if seen.longest > self.room and self.longer == "refuse":
            text = (
                f"{source.label} has {counted(seen.longer_than(self.room), 'row')} of more than {self.room} symbols; "
                f"the longest, row {seen.longest_row + 1}, has {seen.longest}."
            )
            problems.append(Problem("error", "too_long", where, text, "Shorten or remove them."))
        return problems

    @property
    def shown_charset(self) -> str:
        """The charset in a message."""
        if self.tokens in ("characters", "graphemes"):
            return repr("".join(self.charset))
        return "{" + " ".join(self.charset[:20]) + (" ..." if len(self.charset) > 20 else "") + "}"

    def encoder(self) -> Encoder:
        """Return a function from Arrow strings to ids `(rows, length)`, for rows without `faults`."""
        return partial(
            self._encode, Lookup(self.charset, self.first_symbol, self.form, -1 if self.unknown_id is None else self.unknown_id)
        )

    def _encode(self, lookup: Lookup, chunk: Chunk) -> Array:
        """Encode Arrow strings as ids `(rows, length)`, with marks and padding."""
        ids, lengths = lookup.ids(chunk)
        ids, lengths = truncated(ids, lengths, self.room)  # rows that are refused are longer where they are left out
        if self.reverse:
            ids = reversed_rows(ids, lengths)
        used = lengths + self.begin + self.end
        start = self.length - used if self.padding == "left" else np.zeros_like(used)
        placed = place(ids, lengths, self.length, start + self.begin, self.dtype)
        rows = np.arange(len(lengths))
        if self.begin_id is not None:
            placed[rows, start] = self.begin_id
        if self.end_id is not None:
            placed[rows, start + used - 1] = self.end_id
        return placed

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of one row of ids up to the end mark, with `UNKNOWN` for an id without a symbol."""
        numbering = self.numbering
        symbols = []
        for number in map(int, ids):
            if number == numbering.end_id:
                break
            if number in (self.pad_id, numbering.begin_id):
                continue
            at = number - numbering.first_symbol
            symbols.append(self.charset[at] if 0 <= at < len(self.charset) else UNKNOWN)
        if self.reverse:
            symbols.reverse()
        return (" " if self.tokens == "words" else "").join(symbols)


class FittedCategory(msgspec.Struct, frozen=True, tag="category", forbid_unknown_fields=True):
    """Labels as ids `(rows,)`: the index in `labels`."""

    labels: tuple[str, ...]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return id_dtype(max(len(self.labels) - 1, 0))

    @property
    def row_shape(self) -> tuple[int, ...]:
        return ()

    def chunks(self, source: Source) -> Iterable[Chunk]:
        return source.texts()

    def faults(self, source: Source, where: str) -> list[Problem]:
        """Return the problem of the first missing or unknown label."""
        row, known = 0, set(self.labels)
        for chunk in source.texts():
            coded = chunk.dictionary_encode()
            wrong = [label is None or label not in known for label in coded.dictionary.to_pylist()]
            codes = coded.indices.fill_null(len(wrong)).to_numpy(zero_copy_only=False)
            at = np.flatnonzero(np.array([*wrong, True])[codes])
            if len(at):
                label = chunk[int(at[0])].as_py()
                listed = ", ".join(map(repr, self.labels[:20]))
                what = "no label, expected" if not label else f"label {label!r} is not"
                text = f"{source.label}, row {row + int(at[0]) + 1}: {what} one of {listed}."
                hint = "Fill or remove it." if not label else "Remove it, or train with it."
                return [Problem("error", "unknown_label", where, text, hint)]
            row += len(chunk)
        return []

    def encoder(self) -> Encoder:
        places = {label: i for i, label in enumerate(self.labels)}

        def encode(chunk: Chunk) -> Array:
            coded = chunk.dictionary_encode()
            table = np.array([*(places.get(label, 0) for label in coded.dictionary.to_pylist()), 0], self.dtype)
            result: Array = table[coded.indices.fill_null(len(table) - 1).to_numpy(zero_copy_only=False)]
            return result

        return encode

    def decode(self, ids: Any) -> str:
        """Return the label of one id, given as a number or as an array of one number."""
        number = int(np.asarray(ids).reshape(-1)[0])
        return self.labels[number] if 0 <= number < len(self.labels) else UNKNOWN


FittedCodec: TypeAlias = FittedText | FittedIds | FittedNumbers | FittedCategory | FittedProjection | FittedBits

ReadsText: TypeAlias = FittedText | FittedCategory | FittedBits
"""The codecs whose values are texts."""
