"""Numbers as people write them into tables: decimal commas, and marks between thousands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from seqdec_gui.data.formats.notation import APART, COMMAS, DOTS, EITHER_POINT, OTHERS, PLAIN, SURELY, Decimal, Notation

ANY = "|".join((PLAIN, COMMAS, DOTS, OTHERS))
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


_EITHER = re.compile(r"[+-]?\d[\d.,]*([eE][+-]?\d+)?|[+-]?[.,]\d+([eE][+-]?\d+)?")
"""A cell that is a number in some notation, or that may be."""


class Numerals(NamedTuple):
    """Cells in the notation of programs. `doubt` says how ambiguous cells were read; it is empty if none is ambiguous.

    `cells` is None if some cell is not a number with the decimal mark that is asked for, which `doubt` says then. `notation` is
    that of the cells as they were read, None if no cell has a mark.
    """

    cells: Any
    doubt: str = ""
    notation: Notation | None = None


def proved_decimals(rows: Sequence[Sequence[str]]) -> set[Decimal]:
    """Return the decimal marks that columns of numbers prove, from some records of a table."""
    proved: set[Decimal] = set()
    for column in zip(*rows, strict=False):
        cells = [cell.strip() for cell in column if cell.strip()]
        if cells and sum(_EITHER.fullmatch(cell) is not None for cell in cells) >= 0.9 * len(cells):
            proved |= {","} if any(map(SURELY[","].fullmatch, cells)) else set()
            proved |= {"."} if any(map(SURELY["."].fullmatch, cells)) else set()
    return proved


def plain(
    cells: Any, delimiter: str, decimal: Decimal = ".", is_set: bool = False, is_proved: bool = False
) -> Numerals | None:  # fmt: skip
    """Rewrite trimmed Arrow strings (null: missing) with decimal points and without marks between thousands.

    `decimal` is the decimal mark of the file. If the design sets it (`is_set`), a column of numbers with the other mark has no
    `cells`; otherwise it is read by its own marks. Returns None if some cell is not a number. If nothing else settles it,
    an ambiguous `1,234` is a number above a thousand if commas delimit the cells (it was quoted then), and has a decimal comma
    otherwise. With `is_proved` other columns of the file prove decimal points.
    """
    import pyarrow.compute as pc

    present = cells.drop_null()
    programs, commas, dots = _all(present, PLAIN), _all(present, COMMAS), _all(present, DOTS)
    if is_set and (programs or commas or dots) and not (dots if decimal == "," else programs or commas):
        example = _example(present, "." if decimal == "," else ",")
        return Numerals(None, f"{example!r} is no number with the decimal mark {decimal!r} that data.decimal sets")
    has_points, has_commas = (_example(present, mark, len(present)) != "" for mark in ".,")
    other: Literal[".", ","] = "." if decimal == "," else ","
    as_set = Notation(decimal, other) if is_set else None
    if decimal == "," and dots:
        doubt = ""
        if programs and not is_set and (example := _example(present, ".")):
            doubt = f"{example!r} is read as {example.replace('.', '')}, since other numbers of the file have decimal commas"
        found = as_set or _notation(",", has_commas or has_points, has_points)
        return Numerals(pc.replace_substring(pc.replace_substring(cells, ".", ""), ",", "."), doubt, found)
    if programs:
        doubt = ""
        if decimal == "," and (example := _example(present, ".")):
            doubt = f"{example!r} has a decimal point, while other numbers of the file have decimal commas"
        elif not (is_set or is_proved):
            doubt = doubt_of_points(present, delimiter)
        return Numerals(cells, doubt, as_set or _notation(".", has_points, False))
    if not commas and not dots:
        if not _all(present, OTHERS):
            return None
        mark: Decimal = "," if has_commas else "." if has_points else decimal
        plain_cells = pc.replace_substring(pc.replace_substring_regex(cells, APART, ""), ",", ".")
        return Numerals(plain_cells, "", as_set or Notation(mark, "'"))
    as_thousands = commas and (is_set or not dots or delimiter == ",")
    example = "" if is_set or not (commas and dots) else _example(present, ",")
    doubt = f"{example!r} is read as {example.replace(',', '' if as_thousands else '.')}" if example else ""
    if as_thousands:
        return Numerals(pc.replace_substring(cells, ",", ""), doubt, as_set or Notation(".", ","))
    plain_cells = pc.replace_substring(pc.replace_substring(cells, ".", ""), ",", ".")
    return Numerals(plain_cells, doubt, as_set or _notation(",", True, has_points))


def _notation(decimal: Decimal, marked: bool, has_thousands: bool) -> Notation | None:
    """Return the notation of cells with the other of point and comma between thousands, if any; None without a mark."""
    other: Literal[".", ","] = "." if decimal == "," else ","
    return Notation(decimal, other if has_thousands else "") if marked else None


def doubt_of_points(cells: Any, delimiter: str) -> str:
    """Return how cells were read whose points may all stand between thousands; empty if one of them cannot, or has none.

    Where commas stand between the cells of a file, they are no decimal marks; numbers with three decimals each are such then,
    and only where others have none it is doubted.
    """
    import pyarrow.compute as pc

    if not _all(cells, EITHER_POINT) or not (example := _example(cells, ".", len(cells))):
        return ""
    if delimiter == "," and pc.all(pc.match_substring(cells, ".")).as_py():
        return ""
    other = example.replace(".", "")
    return f"{example!r} is read as {float(example):g} and may be {other}: in no cell is the point surely decimal"


def _example(cells: Any, mark: str, looked_at: int = _SAMPLE) -> str:
    """Return one of the first cells that has this mark; empty if none has it."""
    import pyarrow.compute as pc

    sample = cells.slice(0, looked_at)
    at = pc.index(pc.match_substring(sample, mark), True).as_py()
    return "" if at < 0 else str(sample[at].as_py())


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


def plain_texts(texts: Sequence[str], delimiter: str, decimal: Decimal = ".") -> list[str]:
    """Rewrite a few cells like `plain`; return them unchanged if some cell is not a number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(pa.array(texts, pa.string()))
    if not len(cells) or (decimal == "." and _all(cells, PLAIN)):
        return list(texts)
    numerals = plain(cells, delimiter, decimal)
    return list(texts) if numerals is None or numerals.cells is None else list(numerals.cells.to_pylist())


def _all(cells: Any, pattern: str) -> bool:
    """Return whether all cells match. The first cells are tried first, as they settle it for most columns of text."""
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(cells.slice(0, _SAMPLE), pattern)).as_py():
        return False
    return len(cells) <= _SAMPLE or bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())
