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
