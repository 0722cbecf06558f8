"""Finds the delimiter of a text file: what stands between the cells of a line, if anything does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui.data.formats.encodings import not_text
from seqdec_gui.data.formats.header import looks_like_table
from seqdec_gui.data.formats.records import Record, records
from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import Problem

if TYPE_CHECKING:
    from seqdec_gui.data.formats.settled import FileReading

_SAMPLE_BYTES = 2**20
"""The number of bytes that are sampled to detect the delimiter and the header."""

_SAMPLE_RECORDS = 200
"""The largest number of records in the sample."""

_JUDGED_CHARACTERS = 2**16
"""The number of characters of a cell by which it is judged; no name and no number is as long."""

_SAMPLE_CELLS = 20_000
"""The number of cells after which the sample ends, though not before its second record."""

DELIMITERS = (",", ";", "\t", "|")
"""The delimiters that are detected. If several suit equally, the first of them is used, with a warning."""

DELIMITERS_AS_WRITTEN = {"tab": "\t", "space": " ", "none": ""}
"""The delimiter for each word that `data.delimiter` may have instead of a character."""

_UNUSED = bytes((*range(0x1F, 0x0D, -1), *range(1, 9), 0x7F)).decode()
"""Characters of which one stands for the delimiter of lines that are not divided: the first that does not occur."""

DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
"""The names of delimiters in messages."""

_MOST = 0.9
"""The share of lines below the first with the same number of cells from which a delimiter may be the right one."""

_HALF = 0.5
"""The share of lines with the same number of tabs from which a text file is divided by tabs."""

_COMMA_NUMBER = re.compile(r"[+-]?(\d*,\d+|\d{1,3}(,\d{3})+(\.\d+)?|\d{1,3}(\.\d{3})+,\d+)([eE][+-]?\d+)?")
"""A number with a decimal comma, or with commas between its thousands."""

_MIN_LINES_BELOW = 3
"""The number of lines below a first line of one cell that must be exceeded to compare it with them."""


def find_delimiter(content: bytes) -> str:
    """Return the delimiter with which most records have the width of the first, if that is more than one cell."""
    scores = _scores(content)
    return next(iter(_preferred(scores, content)), ",")


def _scores(content: bytes) -> dict[str, float]:
    """The part of the first records that have as many cells as the first and more than one, by delimiter."""
    scores: dict[str, float] = {}
    for delimiter in DELIMITERS:
        for quoted in (True, False) if b'"' in content[:_SAMPLE_BYTES] else (False,):
            widths = [len(record.cells) for record in sample_of(content, delimiter, quoted)]
            if widths and widths[0] > 1:
                score = sum(width == widths[0] for width in widths) / len(widths)
                scores[delimiter] = max(score, scores.get(delimiter, 0.0))
    return scores


def _preferred(scores: dict[str, float], content: bytes) -> list[str]:
    """Return the delimiters, the likeliest first.

    Where another one divides the lines as evenly as commas do, and leaves commas only within numbers, these are decimal marks.
    """
    order = sorted(scores, key=lambda delimiter: -scores[delimiter])
    for other in order:
        if "," in scores and other != "," and scores[other] >= scores[","] and _commas_are_in_numbers(content, other):
            return [other, *(delimiter for delimiter in order if delimiter != other)]
    return order


def _commas_are_in_numbers(content: bytes, delimiter: str) -> bool:
    """Return whether cells hold commas, and all that do are numbers with a decimal comma or commas between thousands."""
    cells = [cell.strip() for record in sample_of(content, delimiter, True) for cell in record.cells]
    with_commas = [cell for cell in cells if "," in cell]
    return bool(with_commas) and all(map(_COMMA_NUMBER.fullmatch, with_commas))


def delimiter_of(
    content: bytes, name: str, reading: Reading, bound: Sequence[str], within: PurePath
) -> tuple[str, list[Problem]]:
    """Return the delimiter, with a warning if another delimiter suits the lines equally well.

    It is empty if every line is one text.
    """
    if reading.delimiter != "auto":
        return DELIMITERS_AS_WRITTEN.get(reading.delimiter, reading.delimiter), []
    row = format_of(within)
    if row is not None and row.delimiter:
        return row.delimiter, _first_line_problems(content, row.delimiter, name)
    if row is not None and row.prose:
        return _delimiter_of_prose(content, name, bound)
    scores = _scores(content)
    if not scores:
        return ",", _first_line_problems(content, ",", name)
    best = _preferred(scores, content)[0]
    rivals = [other for other, score in scores.items() if other != best and score == scores[best]]
    if not rivals:
        return best, []
    names = DELIMITER_NAMES[best], DELIMITER_NAMES[rivals[0]]
    text = f"The lines of {name} can be cut into cells by {names[1]} as evenly as by {names[0]}, by which they were cut."
    hint = f"Set data.delimiter to {names[1] if rivals[0] == chr(9) else repr(rivals[0])}, or to "
    hint += f"{names[0] if best == chr(9) else repr(best)} to confirm."
    return best, [Problem("warning", "delimiter_assumed", "data", text, hint)]


def delimiter_as(settled: FileReading, content: bytes, detected: str, bound: Sequence[str]) -> str | None:
    """Return the delimiter of an earlier file, if the columns in use can be those of the same kind of lines; else None.

    Another delimiter is right where it finds names in use in the first line.
    """
    if settled.delimiter == "auto":
        return None
    mark = DELIMITERS_AS_WRITTEN.get(settled.delimiter, settled.delimiter)
    if detected and detected != mark:
        first = next(iter(sample_of(content, detected, True)), None)
        if first is not None and any(cell.strip() in bound for cell in first.cells):
            return None
    line = re.split(rb"[\r\n]", content[:_SAMPLE_BYTES], maxsplit=1)[0]
    return mark if not mark or mark.encode() in line else None


def _delimiter_of_prose(content: bytes, name: str, bound: Sequence[str]) -> tuple[str, list[Problem]]:
    """Return the delimiter of a text file: tabs where most lines have as many, others of a clear table; empty if none.

    A warning names the delimiter that was not used though it divides all lines evenly.
    """
    scores = _scores(content)
    if scores.get("\t", 0.0) >= _HALF:
        return "\t", []
    even = [delimiter for delimiter in _preferred(scores, content) if scores[delimiter] == 1.0]
    for delimiter in even:
        if looks_like_table([record.cells for record in sample_of(content, delimiter, True)], bound):
            return delimiter, []
    rival = even[0] if even else " " if _spaces_divide_evenly(content) else ""
    sample = sample_of(content, rival, True) if rival else []
    if len(sample) < _MIN_LINES_BELOW and not any("\n" in cell or "\r" in cell for record in sample for cell in record.cells):
        return "", []  # too few lines to show anything, and each is a row in either case
    mark = DELIMITER_NAMES[rival]
    text = f"Every line of {name} is read as one text, though {mark}s divide all of them into equally many cells."
    value = "space" if rival == " " else repr(rival)
    return "", [Problem("warning", "delimiter_assumed", "data", text, f"Set data.delimiter to {value}, or to none to confirm.")]


def _spaces_divide_evenly(content: bytes) -> bool:
    """Return whether single spaces divide all lines into equally many cells, more than one, as texts seldom are."""
    widths = {len(record.cells) for record in sample_of(content, " ", False)}
    return len(widths) == 1 and widths.pop() > 1


def unused_character(content: bytes, name: str) -> str:
    """Return a character that does not occur in the text. Raises InvalidInput if all control characters do."""
    unused = next((mark for mark in _UNUSED if mark.encode() not in content), "")
    if not unused:
        text = f"{name} holds every control character, so it is no text; expected one text a line."
        raise not_text(text)
    return unused


def _first_line_problems(content: bytes, chosen: str, name: str) -> list[Problem]:
    """Warn if the file is read as one column only because of its first line, while the lines below it form a table."""
    for delimiter in DELIMITERS:
        widths = [len(record.cells) for record in sample_of(content, delimiter, True)]
        if delimiter == chosen or len(widths) <= _MIN_LINES_BELOW or widths[0] > 1:
            continue
        width, times = Counter(widths[1:]).most_common(1)[0]
        if width > 1 and times >= _MOST * (len(widths) - 1):
            text = (
                f"{name} is read as one column, since its first line has one cell; {times} of the next {len(widths) - 1} lines "
                f"have {width} ({DELIMITER_NAMES[delimiter]} between them)."
            )
            hint = "Remove the first line if it is a title, or set data.delimiter."
            return [Problem("warning", "delimiter_assumed", "data", text, hint)]
    return []


def obeyed(delimiter: str, reading: Reading, name: str) -> tuple[Reading, list[Problem]]:
    """Return the options with the delimiter that a line `sep=;` names, if it is a possible one, and a remark on that line."""
    text = f"The first line of {name} names the delimiter ({delimiter!r}) and was skipped."
    if reading.delimiter == "auto" and delimiter in DELIMITER_NAMES:
        written = {mark: word for word, mark in DELIMITERS_AS_WRITTEN.items() if mark}
        reading = msgspec.structs.replace(reading, delimiter=written.get(delimiter, delimiter))
    return reading, [Problem("info", "comments_skipped", "data", text)]


def sample_of(content: bytes, delimiter: str, quoted: bool) -> list[Record]:
    """Return the first records; the last record of the sampled bytes is left out if it may be incomplete."""
    end = len(content)
    cut = min(end, _SAMPLE_BYTES)
    while True:
        sample, cells = [], 0
        for record in islice(records(content, delimiter, quoted, cut), _SAMPLE_RECORDS):
            sample.append(record._replace(cells=tuple(cell[:_JUDGED_CHARACTERS] for cell in record.cells)))
            cells += len(record.cells)
            if cells >= _SAMPLE_CELLS and len(sample) > 1:
                break
        if cut == end or (sample and sample[-1].end < cut):
            return sample
        if len(sample) > 2:
            return sample[:-1]
        cut = min(end, 4 * cut)


def is_prose(name: str) -> bool:
    row = format_of(PurePath(name))
    return row is not None and row.prose
