"""Numbers as people write them into tables: decimal commas, and marks between thousands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

_SIGN = r"^[+-]?"
_EXPONENT = r"([eE][+-]?\d+)?$"
_APART = "['\u2019\u00a0\u2009\u202f]"
"""The marks between thousands other than comma and point: an apostrophe, or a narrow or unbreakable space."""

PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?[iI]nf(inity)?$"
"""A number in the notation of programs."""

_COMMAS = rf"{_SIGN}(([1-9]\d{{0,2}}(,\d{{3}})+|\d+)(\.\d*)?|\.\d+){_EXPONENT}"
"""A number with commas between thousands and a decimal point."""

_DOTS = rf"{_SIGN}(([1-9]\d{{0,2}}(\.\d{{3}})+|\d+)(,\d*)?|,\d+){_EXPONENT}"
"""A number with points between thousands and a decimal comma."""

_OTHERS = rf"{_SIGN}(\d{{1,3}}({_APART}\d{{3}})+|\d+)([.,]\d*)?{_EXPONENT}"
"""A number with other marks between thousands, and a decimal point or comma."""

ANY = "|".join((PLAIN, _COMMAS, _DOTS, _OTHERS))
"""A number in any of these notations."""

_SAMPLE = 1000
"""The number of cells that are tried before the rest of a column."""

_DIGITS = r"^[0-9]+$"
_BITS = r"^[01]{3,}$"
_EXACT_DIGITS = 15
"""The number of digits up to which every whole number is exact as float64."""

_CODE_DIGITS = 5
"""The least number of digits of a code, such as a postal code, whose leading zeros matter."""

_CODE_SHARE = 0.05
"""The share of cells with a leading zero from which a column is taken for codes."""


class Numerals(NamedTuple):
    """Cells in the notation of programs. `doubt` says how ambiguous cells were read; it is empty if none is ambiguous."""

    cells: Any
    doubt: str = ""


def plain(cells: Any, delimiter: str) -> Numerals | None:
    """Rewrite trimmed Arrow strings (null: missing) with decimal points and without marks between thousands.

    Returns None if some cell is not a number. An ambiguous `1,234` is a number above a thousand if commas delimit the cells
    (it was quoted then), and has a decimal comma otherwise.
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
    """Return, in words, why trimmed Arrow strings (null: missing) of digits are codes rather than numbers; None if not.

    They are codes if one has more than 15 digits; or if some begin with zeros and all have the same length of at least 5, or
    consist of 0 and 1 only.
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
    """Rewrite a few cells like `plain`; return them unchanged if some cell is not a number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(pa.array(texts, pa.string()))
    if not len(cells) or _all(cells, PLAIN):
        return list(texts)
    numerals = plain(cells, delimiter)
    return list(texts) if numerals is None else list(numerals.cells.to_pylist())


def _all(cells: Any, pattern: str) -> bool:
    """Return whether all cells match. The first cells are tried first, as they settle it for most columns of text."""
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(cells.slice(0, _SAMPLE), pattern)).as_py():
        return False
    return len(cells) <= _SAMPLE or bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())
