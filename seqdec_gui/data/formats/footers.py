"""Finds a last line that is no row: what programs write below a table, such as `(20 rows)` or a line of totals."""

from __future__ import annotations

import re

from seqdec_gui.data.formats.encodings import line_at
from seqdec_gui.domain.problems import Problem

_COUNTED = re.compile(
    r"\(?\s*\d[\d,. ]*\s*(rows?|records?|lines?|entries|items|results?|tuples?)(\(s\))?\b.*\)?"
    r"|(rows?|records?|lines?|entries|count|total|n)\b[^:=\d]*[:=]\s*\d[\d,.]*\s*"
    r"|query ok\b.*|time: [\d.]+ ms.*|-+\s*(end|eof)\b.*|(end of (file|data|table)|eof)\W*",
    re.IGNORECASE,
)
"""A line that says how many rows there were, or that the file is over."""

_TOTAL = re.compile(r"(grand |sub)?totals?|sum|averages?|mean|median|std|count", re.IGNORECASE)
"""The first cell of a line of totals."""

_MIN_ROWS = 3
"""The least number of rows above such a line."""

_LAST_BYTES = 4096
"""The number of bytes at the end in which the last line is looked for."""

_SHOWN = 60
"""The number of characters of the line that a message shows."""


def footer_problems(content: bytes, rows: int, delimiter: str, name: str) -> list[Problem]:
    """Warn if the last of `rows` records looks like a footer. `content` is UTF-8 text without empty lines at its end."""
    if rows <= _MIN_ROWS:
        return []
    before = max(0, len(content) - _LAST_BYTES)  # a copy of the end alone
    body = content[before:].rstrip(b"\r\n")
    start = max(body.rfind(b"\n"), body.rfind(b"\r")) + 1
    last = body[start:].decode("utf-8", "replace").strip()
    start += before
    cells = [cell.strip() for cell in last.split(delimiter)]
    words = [cell for cell in cells if cell]
    alone = len(words) == 1
    says_count = alone and _COUNTED.fullmatch(words[0]) is not None
    if not says_count and alone and re.fullmatch(r"\D*[A-Za-z]\D*|\D*", words[0]) is None:
        says_count = re.findall(r"\d+", words[0].replace(",", "")) == [str(rows - 1)] and " " in words[0]
    totals = len(cells) > 1 and _TOTAL.fullmatch(cells[0]) is not None
    if not (says_count or totals):
        return []
    what = "says how many rows there are, or that they end" if says_count else "looks like a line of totals"
    text = (
        f"The last line of {name} (line {line_at(content, start)} of the table) {what}; it is read as a row: {last[:_SHOWN]!r}."
    )
    return [Problem("warning", "footer_as_row", "data", text, "Remove it, unless it is a row.")]
