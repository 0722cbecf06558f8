"""Decides whether the first record of a table names its columns, by comparing it with the records below it."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from seqdec_gui.domain.problems import InvalidInput, Problem

if TYPE_CHECKING:
    from seqdec_gui.data.formats.settled import FileReading

_MIN_ROWS = 3
"""The least number of rows with which a first line of words can be compared."""

_MANY_ROWS = 20
"""The number of rows below which a first line of words may differ from all of them by accident."""

_FEW_KNOWN = 0.1
"""The share of common column names in the cells below from which such names are no evidence of a header."""

_SHOWN_NAMES = 5
"""The number of cells of the first line that a message shows."""

_RICH_CHARACTERS = 300
"""The number of characters in a column from which a letter that it never uses is evidence of a name."""

_NAME = re.compile(r"[^\W_][\w .\-/()\[\]%#:°µ*+]{0,39}")
"""A cell that may be the name of a column."""

_COMPOUND = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)+")
"""Words joined by `_`."""

_NUMBER = re.compile(r"[+-]?(\d[\d.,'\u2019\u00a0\u2009\u202f]*|[.,]\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.IGNORECASE)
"""A number as people write it, with marks between thousands or a decimal comma, or infinity or NaN."""

_SENTENCE = re.compile(r"^[\"“«]|[.!…]$|[.!?]\s|[\"”»]$")
"""What sentences have and names of columns do not."""

_DIGITS = re.compile(r"\d+")

_MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None")
"""The cells that stand for a missing value."""

_WORDS = frozenset((
    "answer", "author", "caption", "category", "chosen", "class", "code", "comment", "content", "context", "date", "de",
    "decoder", "description", "document", "en", "encoder", "english", "es", "example", "file", "formula", "fr", "french",
    "german", "gloss", "grapheme", "graphemes", "id", "image", "inchi", "index", "input", "it", "item", "key", "keyword",
    "label", "labels", "language", "latin", "lemma", "letters", "line", "meaning", "message", "mol", "molecule", "name",
    "note", "notes", "number", "original", "output", "paragraph", "part", "phoneme", "phonemes", "phones", "pinyin",
    "prompt", "pronunciation", "property", "question", "reference", "rejected", "reply", "response", "roman", "row", "ru",
    "sentence", "seq", "sequence", "set", "smiles", "solution", "source", "spanish", "speaker", "spelling", "split",
    "src", "string", "subset", "summary", "tag", "tags", "target", "text", "tgt", "title", "token", "tokens", "topic",
    "transcript", "transcription", "translation", "type", "uri", "url", "value", "word", "words", "zh",
))  # fmt: skip
"""Common names of columns, lower case."""


class Judgement(NamedTuple):
    """Whether the first record is a header; `sure` is false if the rows below it do not settle that."""

    header: bool
    sure: bool


def judge_header(sample: Sequence[Sequence[str]], bound: Sequence[str] = ()) -> Judgement:
    """Judge the first of these records. `bound` are the names under which a design uses columns of the file.

    Numbers below a text show a name, a number among numbers shows a row. In a table of words alone the first record is
    compared in length, case, words and characters, and by whether its cells come again.
    """
    first, rows = [cell.strip() for cell in sample[0]], sample[1:]
    judged = _judged(first, rows)
    if any(name in first for name in bound if name):
        return Judgement(True, judged.header and judged.sure)
    return judged


def judged_as_before(judged: Judgement, before: FileReading, first: Sequence[str], file: str) -> Judgement:
    """Return that a file begins with names, or with a row, as that of the training. Raises InvalidInput if it differs."""
    header = before.header == "yes"
    if judged.header != header and judged.sure:
        cells = ", ".join(cell.strip() for cell in first[:_SHOWN_NAMES])
        text = (
            f"The file of the training began with {'names' if header else 'no names'} of columns; the first line of {file} "
            f"looks like {'a row' if header else 'names'}: {cells}."
        )
        hint = "Write the names above the rows." if header else "Remove that line if it holds names."
        raise InvalidInput([Problem("error", "header_differs", "data", text, hint)])
    return Judgement(header, True)


def looks_like_table(sample: Sequence[Sequence[str]], bound: Sequence[str] = ()) -> bool:
    """Return whether records that a delimiter cuts evenly are a table, rather than lines of text with as many of these marks.

    A table has a column of numbers, or a first record of names: those in `bound`, or common ones.
    """
    first, rows = [cell.strip() for cell in sample[0]], sample[1:]
    if any(name in first for name in bound if name) or (len(first) > 1 and all(map(is_known_name, first))):
        return True
    columns = [[row[i].strip() for row in rows if i < len(row)] for i in range(len(first))]
    return any(len(column) > 1 and is_numeric(column) for column in columns)


def _judged(first: Sequence[str], rows: Sequence[Sequence[str]]) -> Judgement:
    """Judge by numbers: a word above numbers is a name, a number above numbers is a row."""
    columns = [[row[i].strip() for row in rows if i < len(row)] for i in range(len(first))]
    numeric = [is_numeric(column) for column in columns]
    names = [i for i, cell in enumerate(first) if numeric[i] and _is_word(cell)]
    values = [i for i, cell in enumerate(first) if _is_number(cell) and (numeric[i] or not rows)]
    if names:
        return Judgement(True, not values and all(_NAME.fullmatch(first[i]) for i in names))
    if values:
        counting = len(values) > 2 and [first[i] for i in values] in _consecutive(len(values))
        others = [cell for i, cell in enumerate(first) if i not in values and cell]
        named = bool(others) and all(map(is_known_name, others))
        return Judgement(counting or named, False) if counting or named else Judgement(False, True)
    return _judged_by_words(first, columns)


def _judged_by_words(first: Sequence[str], columns: Sequence[Sequence[str]]) -> Judgement:
    """Judge a first record of words by known names, repeated cells and differences from the cells below."""
    cells = [cell for cell in first if cell]
    has_rows = bool(columns and columns[0])
    pairs = list(zip(first, columns, strict=True))
    comes_again = any(cell and cell in column for cell, column in pairs)
    if comes_again or len(set(first)) < len(first) or any(_is_numbered_alike(cell, column) for cell, column in pairs):
        return Judgement(False, has_rows)
    known = sum(map(is_known_name, cells))
    features = [_unlike(cell, column) for cell, column in zip(first, columns, strict=True) if cell and column]
    if known == len(cells) > 1 or (cells and all(map(_COMPOUND.fullmatch, cells))):
        below = [cell for column in columns for cell in column if cell]
        return Judgement(True, not below or sum(map(is_known_name, below)) < _FEW_KNOWN * len(below))
    apart = bool(features) and min(features) >= 2
    enough = 2 if len(cells) > 1 else 3  # several cells that are unlike theirs say more than one
    surely = apart and min(features) >= enough and max(map(len, columns)) >= _MANY_ROWS
    many = max(map(len, columns), default=0) >= _MANY_ROWS
    if not all(map(_NAME.fullmatch, cells)):
        return Judgement(apart and many and not any(map(_SENTENCE.search, cells)), False)
    if known == len(cells):  # one word, which may also be the first of a list of words
        return Judgement(True, sum(features) > 0)
    if max(map(len, columns), default=0) < _MIN_ROWS:
        return Judgement(True, False)
    return Judgement(known > 0 or sum(features) >= (1 if many or len(cells) > 1 else enough), surely)


def _is_numbered_alike(cell: str, column: Sequence[str]) -> bool:
    """Return whether the cell and all cells below it are one word with other numbers, as in `mol_17` above `mol_4`."""
    pattern = _DIGITS.sub("#", cell)
    return (
        pattern != cell
        and not _is_number(cell)
        and bool(column)
        and all(_DIGITS.sub("#", below) == pattern for below in column)
    )


def _unlike(name: str, column: Sequence[str]) -> int:
    """Return the number of features in which the cell differs from the cells below it."""
    cells = [cell for cell in column if cell]
    if not cells:
        return 0
    lengths = [len(cell) for cell in cells]
    spread = statistics.pstdev(lengths)
    differs = int(not min(lengths) - spread <= len(name) <= max(lengths) + spread)
    shapes = [_shape(cell) for cell in cells]
    differs += shapes.count(_shape(name)) < 0.02 * len(shapes) or _shape(name) not in shapes
    differs += len(name.split()) not in {len(cell.split()) for cell in cells}
    used = set("".join(cells))
    if sum(lengths) >= _RICH_CHARACTERS:
        differs += 2 * any(letter not in used for letter in name)
    return differs


def _shape(cell: str) -> tuple[str, bool, bool]:
    """Return the case, whether there are digits, and whether there are signs other than letters, digits and spaces."""
    letters = "".join(filter(str.isalpha, cell))
    case = "none" if not letters else "lower" if letters.islower() else "upper" if letters.isupper() else "mixed"
    if case != "lower" and letters[:1].isupper() and letters[1:].islower():
        case = "capital"
    return case, any(map(str.isdigit, cell)), any(not (c.isalnum() or c.isspace()) for c in cell)


def is_known_name(cell: str) -> bool:
    """Return whether this is a common kind of column name: a known word, words joined by `_`, or `x1`."""
    word = cell.casefold()
    return word in _WORDS or word.rstrip("0123456789 -_.") in _WORDS or bool(_COMPOUND.fullmatch(cell))


def is_numeric(column: Sequence[str]) -> bool:
    """Return whether all cells that are not missing are numbers, and there is one."""
    cells = [cell for cell in column if cell not in _MISSING]
    return bool(cells) and all(map(_is_number, cells))


def _is_word(cell: str) -> bool:
    """Return whether the cell is neither a number nor a sign of a missing one, such as `?`."""
    return cell not in _MISSING and not _is_number(cell) and any(map(str.isalnum, cell))


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _consecutive(count: int) -> tuple[list[str], list[str]]:
    return [str(i) for i in range(count)], [str(i + 1) for i in range(count)]
