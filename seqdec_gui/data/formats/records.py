"""Divides delimited text into records: singly for samples and messages, and counted for the whole file.

A line ends with LF, CR or CRLF. A cell that begins with a double quote is quoted if a single quote closes it right before a
delimiter or a line end (RFC 4180); a quote anywhere else is a character like any other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import Array

QUOTE = 0x22
"""The byte of a double quote."""

_LF = 0x0A
_CR = 0x0D
_LINE_END = re.compile(rb"\r\n?|\n")
_MOST_LINES = 0.99
"""The share of the lines within a quoted cell that look like rows, from which the cell is no text of many lines."""

_BLOCK_BYTES = 16 * 2**20
"""The number of bytes of quoted text that are scanned at a time."""


class Record(NamedTuple):
    """The cells of one record; `end` is the offset behind its line end, `line` the number of its first line from 1."""

    cells: tuple[str, ...]
    end: int
    line: int


class Count(NamedTuple):
    """The counts of one pass over the whole text. An empty line is not a record."""

    records: int
    blank: int
    """The number of empty lines."""
    quoted: int = 0
    """The number of quoted cells."""
    breaks: int = 0
    """The number of line ends inside quoted cells."""
    fault: int = -1
    """The offset of the first quoted cell that is not closed properly, -1 for none; with one, the other counts are void."""
    spare: int = 0
    """The number of quoted cells that need no quotes, in columns where other cells are not quoted."""
    spare_at: int = -1
    """The offset of the first such cell, -1 for none."""


@lru_cache(maxsize=16)
def _patterns(delimiter: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    """A quoted cell, an unquoted cell, and a cell that begins with a quote (whole if it is closed, else the quote alone)."""
    separator = re.escape(delimiter.encode())
    body = rb'"((?:[^"]++|"")*+)"(?=' + separator + rb"|[\r\n]|\Z)"
    begins = rb"(?:(?<=[\r\n])|(?<=" + separator + rb")|\A)"
    return re.compile(body), re.compile(rb"[^\r\n" + separator + rb"]*"), re.compile(begins + rb"(?:" + body + rb'|")')


def looks_like_rows(content: bytes, delimiter: str, width: int) -> int:
    """The offset of the first quoted cell that runs over several lines, each of which has `width` cells without it; -1: none.

    Such a cell may as well be two quotes in the text of two rows. `content` is UTF-8 text in which all quotes close properly.
    """
    mark, has_line_feeds = delimiter.encode(), b"\n" in content
    for cell in _patterns(delimiter)[2].finditer(content):
        if not cell[1] or not _LINE_END.search(cell[1]):
            continue
        line_feed = content.rfind(b"\n", 0, cell.start()) if has_line_feeds else -1
        first = max(line_feed, content.rfind(b"\r", line_feed + 1, cell.start())) + 1
        end = _LINE_END.search(content, cell.end())
        lines = _LINE_END.split(content[first : end.start() if end else len(content)])
        if all(line.count(mark) == width - 1 for line in lines):
            return cell.start()
    return -1


def swallowing_cell(content: bytes, delimiter: str, widths: Collection[int], least: int) -> int:
    """The offset of the longest quoted cell, if it has `least` lines or more that are nearly all whole rows; -1 if not."""
    longest = max(_patterns(delimiter)[2].finditer(content), key=lambda cell: cell.end() - cell.start(), default=None)
    if longest is None or not longest[1]:
        return -1
    lines = _LINE_END.split(longest[1])[1:-1]  # the first and the last are cut by the quotes
    mark = delimiter.encode()
    as_wide = max((sum(line.count(mark) == width - 1 for line in lines) for width in widths if width > 1), default=0)
    return longest.start() if len(lines) >= least and as_wide >= _MOST_LINES * len(lines) else -1


def are_all_as_wide(content: bytes, delimiter: str, width: int) -> bool:
    """Return whether every line that is not empty has this many cells if quotes are ordinary characters."""
    mark = delimiter.encode()
    return all(line.count(mark) == width - 1 for line in _LINE_END.split(content) if line)


def records(
    content: bytes, delimiter: str, quoted: bool, end: int | None = None, with_empty: bool = False
) -> Iterator[Record]:  # fmt: skip
    """Yield the records of UTF-8 text in order. A cell with an unclosed quote is read as it stands.

    Empty lines are left out, or with `with_empty` records of one empty cell.
    """
    closed, plain, _ = _patterns(delimiter)
    separator, size = delimiter.encode(), len(content) if end is None else end
    start, line = 0, 1
    while start < size:
        line_end = _LINE_END.search(content, start, size)
        line_stop, next_start = (size, size) if line_end is None else line_end.span()
        first_line = line
        if not quoted or content.find(b'"', start, line_stop) < 0:
            cells = content[start:line_stop].split(separator)
        else:
            cells, place = [], start
            while True:
                cell = closed.match(content, place, size)
                if cell:
                    cells.append(cell[1].replace(b'""', b'"'))
                    line += len(_LINE_END.findall(cell[1]))
                    behind = cell.end() + len(separator)
                    if (
                        content[cell.end() : behind] == separator
                        and content.find(b'"', behind, line_stop) < 0 < line_stop - behind
                    ):
                        cells += content[behind:line_stop].split(separator)  # no further quotes in this line
                        place = line_stop
                        break
                else:
                    cell = plain.match(content, place, size)
                    assert cell is not None
                    cells.append(cell[0])
                place = cell.end()
                if content[place : place + len(separator)] != separator or place >= size:
                    break
                place += len(separator)
            line_end = _LINE_END.match(content, place, size)
            line_stop, next_start = (place, place) if line_end is None else line_end.span()
        line += 1
        if line_stop > start or with_empty:
            yield Record(tuple(cell.decode("utf-8", "replace") for cell in cells), next_start, first_line)
        start = next_start


def count_records(content: bytes, delimiter: str, quoted: bool) -> Count:
    """Count records, empty lines and quoted cells of UTF-8 text, independently of the reader of its values."""
    if not quoted or b'"' not in content:
        return _count_lines(content)
    return _count_first_cells(content, delimiter) or _count_all_cells(content, delimiter)


def _count_first_cells(content: bytes, delimiter: str) -> Count | None:
    """Return the counts of text in which below the first line the first cell of every line is quoted, and no other.

    None for other text, for empty lines, and for quotes or line ends within such cells. This is how programs write a table of
    texts and numbers, and nothing has to be known of its delimiters.
    """
    at = content.find(b"\n") + 1
    first = _count_all_cells(content[:at], delimiter)
    if b"\r" in content or first.records != 1 or first.fault >= 0:
        return None
    records, quoted = first.records, first.quoted
    while at < len(content):
        end = content.rfind(b"\n", at, at + _BLOCK_BYTES) + 1 or len(content)
        block = np.frombuffer(content, np.uint8, end - at, at)
        ends = np.flatnonzero(block == _LF)
        if block[-1] != _LF:
            ends = np.append(ends, len(block))
        starts = np.append(0, ends[:-1] + 1)
        quotes = np.flatnonzero(block == QUOTE)
        opening, closing = quotes[::2], quotes[1::2]
        if len(quotes) != 2 * len(starts) or not np.array_equal(opening, starts) or (closing >= ends).any():
            return None
        behind = block[np.minimum(closing + 1, len(block) - 1)]
        if not ((behind == ord(delimiter)) | (closing + 1 == ends)).all():
            return None
        records, quoted, at = records + len(starts), quoted + len(opening), end
    return Count(records, 0, quoted)


def _count_all_cells(content: bytes, delimiter: str) -> Count:
    tally = _Tally()
    at = 0
    while at < len(content):
        size = _BLOCK_BYTES
        while True:
            block = np.frombuffer(content, np.uint8, min(size, len(content) - at), at)
            used = tally.add(block, ord(delimiter), at, at + len(block) == len(content))
            if used:
                break
            if used is None:  # some quote is no part of a properly quoted cell
                return _count_slowly(content, delimiter)
            size *= 2
        at += used
    return tally.count()


class _Tally:
    """Counts records and quotes of properly quoted text, block by block."""

    def __init__(self) -> None:
        self._records = self._blank = self._breaks = 0
        self._quoted = np.zeros(0, np.int64)
        """The number of quoted cells by column."""
        self._spare = np.zeros(0, np.int64)
        """The number of quoted cells that need no quotes, by column."""
        self._names: set[int] = set()
        """The columns whose cell in the first record is quoted."""
        self._first: dict[int, int] = {}
        """The offset of the first quoted cell that needs no quotes, by column."""

    def add(self, block: Array, delimiter: int, offset: int, last: bool) -> int | None:
        """Count the complete records at the start of the block and return their size in bytes, 0 if none ends in the block.

        Returns None, and counts nothing, if some quote neither opens nor closes a cell nor is doubled.
        """
        quotes = np.flatnonzero(block == QUOTE)
        before = np.where(quotes > 0, block[np.maximum(quotes - 1, 0)], _LF)
        behind = np.where(quotes + 1 < len(block), block[np.minimum(quotes + 1, len(block) - 1)], _LF)
        edges = np.array([QUOTE, delimiter, _LF, _CR], np.uint8)
        if not (np.isin(before[::2], edges).all() and np.isin(behind[1::2], edges).all()) or (last and len(quotes) % 2):
            return None
        ends = _places_of_line_ends(block)
        inside = _are_inside(ends, quotes)
        outer = ends[~inside]
        if last:
            used = len(block)
        else:
            if len(outer) and outer[-1] == len(block) - 1 and block[-1] == _CR:
                outer = outer[:-1]  # the LF that belongs to it may follow
            if not len(outer):
                return 0
            used = int(outer[-1]) + 1
        outer = outer[outer < used]
        self._breaks += int(_line_ends(block, ends[inside & (ends < used)]))
        starts = np.concatenate([[0], outer + 1])
        if last and used and block[-1] not in (_LF, _CR):
            outer = np.append(outer, used)
        lengths = outer - starts[: len(outer)]
        empty = np.flatnonzero(lengths == 0)
        crlf = (starts[empty] > 0) & (block[np.minimum(outer[empty], len(block) - 1)] == _LF)
        crlf &= block[np.maximum(starts[empty] - 1, 0)] == _CR
        self._records += len(lengths) - len(empty)
        self._blank += int(np.count_nonzero(~crlf))
        self._add_cells(block[:used], delimiter, quotes[quotes < used], outer, ends[inside & (ends < used)], offset)
        return used

    def _add_cells(self, block: Array, delimiter: int, quotes: Array, ends: Array, breaks: Array, offset: int) -> None:
        """Count by column the quoted cells, and the quoted cells that need no quotes.

        `ends` are the places of the line ends outside of quotes, `breaks` of those inside.
        """
        opening = quotes[::2]
        doubled = (opening > 0) & (block[np.maximum(opening - 1, 0)] == QUOTE)
        cells = opening[~doubled]
        if not len(cells):
            return
        separators = np.flatnonzero(block == delimiter)
        quoted = _are_inside(separators, quotes)
        needy = [opening[doubled], separators[quoted], breaks]
        needs = np.zeros(len(cells), bool)
        for places in needy:
            needs[np.searchsorted(cells, places, side="right") - 1] = True
        needs |= block[np.minimum(cells + 1, len(block) - 1)] == QUOTE  # "" is how an empty text is told from a missing one
        line = np.searchsorted(ends, cells)
        line_start = np.where(line > 0, ends[np.maximum(line - 1, 0)] + 1, 0)
        separators = separators[~quoted] if len(needy[1]) else separators
        columns = np.searchsorted(separators, cells) - np.searchsorted(separators, line_start)
        if offset == 0:
            self._names = set(columns[line_start == 0].tolist())
        self._quoted = _sum(self._quoted, np.bincount(columns))
        self._spare = _sum(self._spare, np.bincount(columns[~needs], minlength=1))
        spare_columns, places = np.unique(columns[~needs], return_index=True)
        for column, place in zip(spare_columns.tolist(), places.tolist(), strict=True):
            self._first.setdefault(column, offset + int(cells[~needs][place]))

    def count(self) -> Count:
        # In a column that is quoted throughout, whatever its name, quotes are the style of the program that wrote the file.
        partly = {
            column: at
            for column, at in self._first.items()
            if 0 < self._quoted[column] - (column in self._names) < self._records - 1
        }
        spare = sum(int(self._spare[column]) for column in partly)
        quoted, spare_at = int(self._quoted.sum()), min(partly.values(), default=-1)
        return Count(self._records, self._blank, quoted, self._breaks, -1, spare, spare_at)


def _places_of_line_ends(block: Array) -> Array:
    """Return the places of LF and CR, in order."""
    feeds = np.flatnonzero(block == _LF)
    returns = block == _CR
    return np.flatnonzero(returns | (block == _LF)) if returns.any() else feeds


def _are_inside(places: Array, quotes: Array) -> Array:
    """Return which places stand between an opening quote and the next one (bool). Both are ascending."""
    inside = np.zeros(len(places), bool)
    # Each pair of quotes is looked up among the places: there are far more delimiters than quoted cells in most files.
    first = np.searchsorted(places, quotes[::2])
    end = np.searchsorted(places, quotes[1::2]) if len(quotes) > 1 else np.zeros(0, np.int64)
    if len(end) < len(first):
        end = np.append(end, len(places))
    held = end > first
    if held.any():
        turns = np.zeros(len(places) + 1, np.int8)
        np.add.at(turns, first[held], 1)
        np.add.at(turns, end[held], -1)
        inside = np.cumsum(turns[:-1], dtype=np.int8).astype(bool)
    return inside


def _sum(total: Array, more: Array) -> Array:
    if len(total) < len(more):
        total, more = more, total
    total = total.copy()
    total[: len(more)] += more
    return total


def _line_ends(block: Array, places: Array) -> int:
    """Return the number of line ends at the places of LF and CR; CRLF counts once."""
    second = (places > 0) & (block[places] == _LF) & (block[np.maximum(places - 1, 0)] == _CR)
    return len(places) - int(np.count_nonzero(second))


def _count_lines(content: bytes) -> Count:
    """Lines of text without quoted cells."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
    blank = int(content.startswith(b"\n"))
    if b"\n\n" in content:
        text = np.frombuffer(content, np.uint8)
        blank += int(np.count_nonzero((text[1:] == _LF) & (text[:-1] == _LF)))
    return Count(lines - blank, blank)


def _count_slowly(content: bytes, delimiter: str) -> Count:
    """Count like `count_records`, but by a regular expression, for text with quotes inside unquoted cells."""
    _, _, cell = _patterns(delimiter)
    needy = re.compile(rb"[\r\n\"" + re.escape(delimiter.encode()) + rb"]")
    pieces: list[bytes] = []
    at = quoted = breaks = spare = 0
    spare_at = -1
    for match in cell.finditer(content):
        if match[1] is None:
            return Count(0, 0, fault=match.start())
        quoted += 1
        breaks += len(_LINE_END.findall(match[1]))
        if match[1] and not needy.search(match[1]):
            spare_at = match.start() if not spare else spare_at
            spare += 1
        pieces += [content[at : match.start()], b"x"]
        at = match.end()
    pieces.append(content[at:])
    lines = _count_lines(b"".join(pieces))
    return Count(lines.records, lines.blank, quoted, breaks, -1, spare, spare_at)
