"""The notation of a column of numbers, settled when a file is read, and numbers of later files read in it.

`1.234` is a thousand and more in one country and little more than one in another. A column that was read in one of the two ways
keeps it: a later number that this settles is read so, and one that nothing settles is refused, with its two readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

Decimal = Literal[".", ","]

SIGN = r"^[+-]?"
EXPONENT = r"([eE][+-]?\d+)?$"
APART = "['\u2019\u00a0\u2009\u202f]"
"""The marks between thousands other than comma and point: an apostrophe, or a narrow or unbreakable space."""

PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?[iI]nf(inity)?$"
"""A number in the notation of programs."""

COMMAS = rf"{SIGN}(([1-9]\d{{0,2}}(,\d{{3}})+|\d+)(\.\d*)?|\.\d+){EXPONENT}"
"""A number with commas between thousands and a decimal point."""

DOTS = rf"{SIGN}(([1-9]\d{{0,2}}(\.\d{{3}})+|\d+)(,\d*)?|,\d+){EXPONENT}"
"""A number with points between thousands and a decimal comma."""

OTHERS = rf"{SIGN}(\d{{1,3}}({APART}\d{{3}})+|\d+)([.,]\d*)?{EXPONENT}"
"""A number with other marks between thousands, and a decimal point or comma."""

COMMA_ALONE = rf"{SIGN}(\d+(,\d*)?|,\d+){EXPONENT}"
"""A number with a decimal comma and nothing between thousands."""

_EITHER = {
    ".": re.compile(r"[+-]?[1-9]\d{0,2},\d{3}"),
    ",": re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}"),
}
"""By the decimal mark: a number whose other mark may stand between thousands, or be a decimal mark after all."""

_THOUSANDS = {
    ".": re.compile(r"[+-]?[1-9]\d{0,2}((,\d{3}){2,}(\.\d*)?|,\d{3}\.\d*)"),
    ",": re.compile(r"[+-]?[1-9]\d{0,2}((\.\d{3}){2,}(,\d*)?|\.\d{3},\d*)"),
}
"""By the decimal mark: a number whose other mark can only stand between thousands."""

SURELY = {
    ",": re.compile(
        r"[+-]?(\d{1,3}(\.\d{3})+|\d*),(\d{1,2}|\d{4,})([eE][+-]?\d+)?|[+-]?0*,\d+|[+-]?\d+(\.\d{3})+,\d+|[+-]?\d{4,},\d+"
    ),
    ".": re.compile(
        r"[+-]?(\d{1,3}(,\d{3})+|\d*)\.(\d{1,2}|\d{4,})([eE][+-]?\d+)?|[+-]?0*\.\d+|[+-]?\d+(,\d{3})+\.\d+|[+-]?\d{4,}\.\d+"
    ),
}
"""By the decimal mark: a number that can only be read with that mark."""

_READINGS = tuple(re.compile(pattern) for pattern in (PLAIN, COMMAS, DOTS, OTHERS))
_APART = re.compile(APART)

EITHER_POINT = r"^[+-]?([1-9]\d{0,2}(\.\d{3})?|0)$"
"""A whole number below a thousand, or one whose point may stand between thousands."""


class Notation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the numbers of a column are written. `thousands` is empty if nothing stood between them."""

    decimal: Decimal
    thousands: Literal["", ".", ",", "'"] = ""


class Doubt(NamedTuple):
    """A number that two notations read differently, in the notation of programs: as `decimal` says, and as it may be meant."""

    cell: str
    settled: str
    other: str

    def sentence(self, notation: Notation) -> str:
        """Return what is in doubt, to be put behind the name of a row."""
        mark = {".": "points", ",": "commas"}[notation.decimal]
        return (
            f"{self.cell!r} may be {self.settled} or {self.other}: the numbers of the training have decimal {mark} and no "
            "marks between thousands"
        )

    def hint(self, notation: Notation) -> str:
        """Return how to write each of the two."""
        return f"Write {self.settled} or {self.other.replace('.', notation.decimal)} for the one that is meant."


def adjusted(notation: Notation, cells: Iterable[str], other_is_proved: bool = False) -> Notation:
    """Return the notation for a column of new cells.

    It gets marks between thousands, if a cell can only be read with them. It loses them if a cell, or other columns
    (`other_is_proved`), can only be read with the other decimal mark: then that mark in a lone `1.234` may be either.
    """
    other: Decimal = "," if notation.decimal == "." else "."
    cells = list(cells)
    if other_is_proved or any(map(SURELY[other].fullmatch, cells)):
        return Notation(notation.decimal)
    if not notation.thousands and any(map(_THOUSANDS[notation.decimal].fullmatch, cells)):
        return Notation(notation.decimal, other)
    return notation


def plain_cell(cell: str, notation: Notation) -> str | Doubt:
    """Return a trimmed cell in the notation of programs, or the doubt about it; unchanged if it is no number."""
    decimal, other = notation.decimal, "," if notation.decimal == "." else "."
    if re.match(own(notation), cell):
        return _APART.sub("", cell if not notation.thousands else cell.replace(other, "")).replace(decimal, ".")
    if _EITHER[decimal].fullmatch(cell):
        return Doubt(cell, cell.replace(other, ""), cell.replace(other, "."))
    programs, commas, dots, others = (pattern.match(cell) for pattern in _READINGS)
    if programs:
        return cell
    if commas:
        return cell.replace(",", "")
    if dots:
        return cell.replace(".", "").replace(",", ".")
    return _APART.sub("", cell).replace(",", ".") if others else cell


def own(notation: Notation) -> str:
    """Return the pattern of numbers in this notation."""
    if notation.thousands == "'":
        mark = re.escape(notation.decimal)
        return rf"{SIGN}(\d{{1,3}}({APART}\d{{3}})+|\d+)({mark}\d*)?{EXPONENT}"
    if notation.decimal == ".":
        return f"{COMMAS}|{PLAIN}" if notation.thousands else PLAIN
    return DOTS if notation.thousands else COMMA_ALONE


class Rewritten(NamedTuple):
    """Cells in the notation of programs, and the first one in doubt with its row; `row` is -1 if there is none."""

    cells: Any
    row: int = -1
    doubt: Doubt | None = None


def rewritten(cells: Any, notation: Notation, other_is_proved: bool = False) -> Rewritten:
    """Rewrite trimmed Arrow strings (null: missing) as `plain_cell` does; cells that are no numbers are unchanged."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    foreign = pc.fill_null(pc.invert(pc.match_substring_regex(cells, own(notation))), False)
    rest = cells.filter(foreign).to_pylist()
    if rest or other_is_proved:
        told = adjusted(notation, rest, other_is_proved)
        if told != notation:
            return _rewritten(cells, told)
    return _rewritten(cells, notation)


def _rewritten(cells: Any, notation: Notation) -> Rewritten:
    import pyarrow as pa
    import pyarrow.compute as pc

    foreign = pc.fill_null(pc.invert(pc.match_substring_regex(cells, own(notation))), False)
    rest = cells.filter(foreign).to_pylist()
    plain = _in_own(cells, notation)
    if not rest:
        return Rewritten(plain)
    read = [plain_cell(cell, notation) for cell in rest]
    texts = [cell.cell if isinstance(cell, Doubt) else cell for cell in read]
    at = next((place for place, cell in enumerate(read) if isinstance(cell, Doubt)), -1)
    done = pc.replace_with_mask(plain, foreign, pa.array(texts, pa.string()))
    if at < 0:
        return Rewritten(done)
    row = int(foreign.to_numpy(zero_copy_only=False).nonzero()[0][at])
    doubt = read[at]
    assert isinstance(doubt, Doubt)
    return Rewritten(done, row, doubt)


def _in_own(cells: Any, notation: Notation) -> Any:
    """Return cells of this notation in that of programs."""
    import pyarrow.compute as pc

    if notation.thousands == "'":
        cells = pc.replace_substring_regex(cells, APART, "")
    elif notation.thousands:
        cells = pc.replace_substring(cells, notation.thousands, "")
    return cells if notation.decimal == "." else pc.replace_substring(cells, ",", ".")


def notation_of(marks: Sequence[str], thousands: Literal["", ".", ",", "'"], decimal: Decimal | None) -> Notation | None:
    """Return the notation of a column that was read with these marks; None if nothing in it, nor `decimal`, tells it."""
    found: Decimal | None = "," if "," in marks else "." if "." in marks else decimal
    return None if found is None else Notation(found, thousands)
