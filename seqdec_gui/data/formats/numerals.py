"""Numbers as people write them into tables: decimal commas, and marks between thousands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

_SIGN, _EXPONENT = r"^[+-]?", r"([eE][+-]?\d+)?$"
_APART = "['\u2019\u00a0\u2009\u202f]"
PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?[iI]nf(inity)?$"
_COMMAS = rf"{_SIGN}(([1-9]\d{{0,2}}(,\d{{3}})+|\d+)(\.\d*)?|\.\d+){_EXPONENT}"
_DOTS = rf"{_SIGN}(([1-9]\d{{0,2}}(\.\d{{3}})+|\d+)(,\d*)?|,\d+){_EXPONENT}"
_OTHERS = rf"{_SIGN}(\d{{1,3}}({_APART}\d{{3}})+|\d+)([.,]\d*)?{_EXPONENT}"
ANY = "|".join((PLAIN, _COMMAS, _DOTS, _OTHERS))
_SAMPLE = 1000

_DIGITS = r"^[0-9]+$"
_BITS = r"^[01]{3,}$"
_EXACT_DIGITS = 15
"""A whole number with more digits is not exact as float64."""
_CODE_DIGITS = 5
"""Digits of the shortest codes, such as postal codes, whose leading zeros matter."""
_CODE_SHARE = 0.05
"""Codes are suspected where at least this part of the cells begins with a zero."""


class Numerals(NamedTuple):
    """Cells that read as numbers in program notation. `doubt` says how they were read where they might mean something else."""

    cells: Any
    doubt: str = ""


def plain(cells: Any, delimiter: str) -> Numerals | None:
    """Trimmed Arrow strings (null: missing) without marks between thousands and with decimal points; None if some is no number.

    `1,234` alone is a thousand and more between commas (quoted, then), elsewhere a decimal comma.
    """
    import pyarrow.compute as pc

    present = cells.drop_null()
    commas, dots = _all(present, _COMMAS), _all(present, _DOTS)
    if not commas and not dots:
        if not _all(present, _OTHERS):
            return None
        return Numerals(pc.replace_substring(pc.replace_substring_regex(cells, _APART, ""), ",", "."))
    as_thousands = commas and (not dots or delimiter == ",")
    example = next((cell for cell in present.slice(0, _SAMPLE).to_pylist() if "," in cell), "") if commas and dots else ""
    doubt = f"{example!r} is read as {example.replace(',', '' if as_thousands else '.')}" if example else ""
    if as_thousands:
        return Numerals(pc.replace_substring(cells, ",", ""), doubt)
    return Numerals(pc.replace_substring(pc.replace_substring(cells, ".", ""), ",", "."), doubt)


def digit_strings(cells: Any) -> str | None:
    """What shows that trimmed Arrow strings (null: missing), all digits, are codes and not numbers; None if they are not.

    They are where one has more than 15 digits, or where all have the same length of at least 5, or hold 0 and 1 alone, and
    some begin with zeros.
    """
    import pyarrow.compute as pc

    cells = pc.utf8_ltrim(cells, "-")
    lengths = pc.min_max(pc.binary_length(cells)).as_py()
    if (lengths["max"] or 0) < 3 or not _all(cells.drop_null(), _DIGITS):
        return None
    if lengths["max"] > _EXACT_DIGITS:
        return f"it holds whole numbers of up to {lengths['max']:,} digits"
    zeros = pc.sum(pc.starts_with(cells, "0")).as_py() or 0
    is_code = lengths["max"] >= _CODE_DIGITS or _all(cells.drop_null(), _BITS)
    if is_code and lengths["min"] == lengths["max"] and zeros >= _CODE_SHARE * (len(cells) - cells.null_count):
        return f"all its cells have {lengths['max']} digits, and some begin with 0"
    return None


def plain_texts(texts: Sequence[str], delimiter: str) -> list[str]:
    """The same for a few cells in a list; they stay as they are where some is no such number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(pa.array(texts, pa.string()))
    if not len(cells) or _all(cells, PLAIN):
        return list(texts)
    found = plain(cells, delimiter)
    return list(texts) if found is None else list(found.cells.to_pylist())


def _all(cells: Any, pattern: str) -> bool:
    """Whether all cells match, which the first few of a column of text deny at once."""
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(cells.slice(0, _SAMPLE), pattern)).as_py():
        return False
    return len(cells) <= _SAMPLE or bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())
