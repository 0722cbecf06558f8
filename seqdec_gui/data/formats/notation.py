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
        r"|[+-]?\d+,\d+[eE][+-]?\d+"
    ),
    ".": re.compile(
        r"[+-]?(\d{1,3}(,\d{3})+|\d*)\.(\d{1,2}|\d{4,})([eE][+-]?\d+)?|[+-]?0*\.\d+|[+-]?\d+(,\d{3})+\.\d+|[+-]?\d{4,}\.\d+"
        r"|[+-]?\d+\.\d+[eE][+-]?\d+"
    ),
}
"""By the decimal mark: a number that can only be read with that mark."""

_READINGS = tuple(re.compile(pattern) for pattern in (PLAIN, COMMAS, DOTS, OTHERS))
_APART = re.compile(APART)

OPEN = r"^[+-]?([1-9]\d{0,2}[.,]\d{3}|\d+)$"
"""A number whose mark, if it has one, may be a decimal mark or stand between thousands."""

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


class Unsettled(NamedTuple):
    """A cell of a column in which nothing tells what its mark means, as it is read and as it may be meant (for programs)."""

    cell: str
    read: str
    other: str
    notation: Notation

    def sentence(self) -> str:
        """Return how the cell was read, to be put behind the name of a column."""
        mark = {".": "points", ",": "commas", "": "", "'": ""}[self.notation.thousands]
        return (
            f"{self.cell!r} is read as {self.read} and may be {self.other}: the file of the training had {mark} between "
            "thousands, and no number here tells whether it is so again"
        )

    def hint(self) -> str:
        """Return how to say which of the two is meant."""
        mark = self.notation.decimal
        return (
            f"At the shell --decimal {mark} confirms it, and --decimal {',' if mark == '.' else '.'} reads {self.other}; in a "
            "design it is data.decimal. In the file itself, write numbers without marks between thousands."
        )


def unsettled(
    cells: Any, notation: Notation, decimal_is_proved: bool = False, commas_divide: bool = False
) -> Unsettled | None:  # fmt: skip
    """Return an example of trimmed Arrow strings (null: missing) that are read in a notation with marks between thousands.

    None if one of them, or another column (`decimal_is_proved`), tells which mark is decimal, or if none has a mark. Points
    are decimal where commas divide the cells.
    """
    import pyarrow.compute as pc

    if notation.thousands not in (".", ",") or decimal_is_proved:
        return None
    at = pc.index(pc.match_substring_regex(cells, "[.,]"), True).as_py()
    if at < 0 or not pc.all(pc.match_substring_regex(cells, OPEN)).as_py():
        return None
    cell = cells[at].as_py()
    if commas_divide and notation.decimal == "." and "." in cell:
        return None
    alone, parted = cell.replace(",", "."), cell.replace(",", "").replace(".", "")
    read, other = (parted, alone) if notation.thousands in cell else (alone, parted)
    return Unsettled(cell, read, other, notation)


def as_set(decimal: Decimal) -> Notation:
    """Return the notation that an option for the decimal mark asks for: the other mark stands between thousands."""
    return Notation(decimal, "," if decimal == "." else ".")


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
