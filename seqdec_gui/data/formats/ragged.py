"""Says what helps where rows of a text file have different numbers of cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from seqdec_gui.data.formats.base import Dialect
from seqdec_gui.data.formats.delimiters import DELIMITER_NAMES, sample_of
from seqdec_gui.data.formats.other_contents import what_helps

_ANY = (
    "Quote cells that hold the delimiter, remove lines that are no rows (data.comment skips comments), or set data.delimiter."
)

_SINGLE = re.compile(r"(?:^|[,;|\t])\s*'[^']*'\s*(?=$|[,;|\t])")
"""A cell in single quotes."""


def ragged_hint(content: bytes, dialect: Dialect) -> str:
    """Return what to do with rows of different widths, by where they stand; `content` begins with the header."""
    if other := what_helps(content):
        return other
    sample = sample_of(content, dialect.delimiter, dialect.quoted)
    widths = [len(record.cells) for record in sample]
    mark = DELIMITER_NAMES.get(dialect.delimiter, "delimiter")
    below = sample[1:]
    if below and all(len(record.cells) > 1 and _in_single_quotes(dialect.delimiter.join(record.cells)) for record in below):
        return "Only double quotes hold cells together: have the program that wrote the file use them in place of single ones."
    if below and widths[0] > 1 and set(widths[1:]) == {widths[0] + 1}:
        if not any(record.cells[-1].strip() for record in sample[1:]):
            return f"A {mark} stands at the end of every row: remove it there, or put one at the end of the first line too."
        if dialect.delimiter == "," and all(_ends_in_digits(record.cells) for record in below):
            return "If commas are decimal marks too, put the numbers into quotes, or write semicolons between the cells."
        return (
            f"If the first column has no name, as R's write.table leaves it, put a name and a {mark} before the first line; "
            "in R, write.csv(table, FILE, row.names = FALSE) leaves that column out."
        )
    width = Counter(widths).most_common(1)[0][0]
    first = widths.index(width)
    alone = first == 1 and width == 2
    if first and width > 1 and set(widths[first:]) == {width}:
        return (
            f"From line {sample[first].line + dialect.lines_before} on all lines have {width} cells: remove the lines above, "
            "or set data.comment to what they begin with."
            + (f" If line 1 names the second column alone, as R writes it, put a name and a {mark} before it." if alone else "")
        )
    return _ANY


def _in_single_quotes(line: str) -> bool:
    """Return whether some text of a line stands in single quotes, as cells do in the files of some programs."""
    return _SINGLE.search(line) is not None


def _ends_in_digits(cells: Sequence[str]) -> bool:
    """Return whether the last two cells are digits alone, as a number with a decimal comma is cut."""
    return all(cell.strip().lstrip("-").isdigit() for cell in cells[-2:]) and not cells[0].strip().isdigit()
