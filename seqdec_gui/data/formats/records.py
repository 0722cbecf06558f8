"""Delimited text cut into records: one by one for samples and messages, and counted for the whole file.

A line ends with LF, CR or CRLF. A cell that begins with a double quote is quoted if a single quote closes it right before a
delimiter or a line end (RFC 4180); a quote anywhere else is a character like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import Array

QUOTE = 0x22
_LF = 0x0A
_CR = 0x0D
_LINE_END = re.compile(rb"\r\n?|\n")
_BLOCK_BYTES = 16 * 2**20
"""Quoted text is scanned about this many bytes at a time."""


class Record(NamedTuple):
    """The cells of one record; `end` is the offset behind its line end, `line` the number of its first line from 1."""

    cells: tuple[str, ...]
    end: int
    line: int


class Count(NamedTuple):
    """What a pass over the whole text found. A line that is empty is no record."""

    records: int
    blank: int
    """Empty lines."""
    quoted: int = 0
    """Cells in quotes."""
    breaks: int = 0
    """Line ends inside quoted cells."""
    fault: int = -1
    """Offset of the first cell that begins with a quote and is not closed properly; the other figures are void then."""
    spare: int = 0
    """Quoted cells in which nothing needs quotes, in columns where other cells stand without."""
    spare_at: int = -1
    """Offset of the first of them."""


@lru_cache(maxsize=16)
def _patterns(delimiter: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    """A quoted cell, an unquoted cell, and a cell that begins with a quote (whole if it is closed, else the quote alone)."""
    mark = re.escape(delimiter.encode())
    body = rb'"((?:[^"]++|"")*+)"(?=' + mark + rb"|[\r\n]|\Z)"
    begins = rb"(?:(?<=[\r\n])|(?<=" + mark + rb")|\A)"
    return re.compile(body), re.compile(rb"[^\r\n" + mark + rb"]*"), re.compile(begins + rb"(?:" + body + rb'|")')


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


def are_all_as_wide(content: bytes, delimiter: str, width: int) -> bool:
    """Whether every line that is not empty has this many cells if quotes are characters like any other."""
    mark = delimiter.encode()
    return all(line.count(mark) == width - 1 for line in _LINE_END.split(content) if line)


def records(content: bytes, delimiter: str, quoted: bool, end: int | None = None) -> Iterator[Record]:
    """The records of UTF-8 text in order, empty lines left out. An improper quoted cell is read as it stands."""
    closed, plain, _ = _patterns(delimiter)
    mark, size = delimiter.encode(), len(content) if end is None else end
    at, line = 0, 1
    while at < size:
        found = _LINE_END.search(content, at, size)
        stop, after = (size, size) if found is None else found.span()
        first = line
        if not quoted or content.find(b'"', at, stop) < 0:
            cells = content[at:stop].split(mark)
        else:
            cells, place = [], at
            while True:
                cell = closed.match(content, place, size)
                if cell:
                    cells.append(cell[1].replace(b'""', b'"'))
                    line += len(_LINE_END.findall(cell[1]))
                else:
                    cell = plain.match(content, place, size)
                    assert cell is not None
                    cells.append(cell[0])
                place = cell.end()
                if content[place : place + len(mark)] != mark or place >= size:
                    break
                place += len(mark)
            found = _LINE_END.match(content, place, size)
            stop, after = (place, place) if found is None else found.span()
        line += 1
        if stop > at:
            yield Record(tuple(cell.decode("utf-8", "replace") for cell in cells), after, first)
        at = after


def count_records(content: bytes, delimiter: str, quoted: bool) -> Count:
    """One pass over UTF-8 text that does not rely on the reader of its values."""
    if not quoted or b'"' not in content:
        return _count_lines(content)
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
    """Counts of properly quoted text, block by block."""

    def __init__(self) -> None:
        self._records = self._blank = self._breaks = 0
        self._quoted, self._spare = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._names: set[int] = set()
        """Columns whose cell in the first record is quoted."""
        self._first: dict[int, int] = {}

    def add(self, block: Array, delimiter: int, offset: int, last: bool) -> int | None:
        """Counts the whole records at the beginning of the block and returns their bytes; 0: none ends in it.

        None where a quote neither opens nor closes a cell nor is doubled, in which case nothing was counted.
        """
        quotes = np.flatnonzero(block == QUOTE)
        before = np.where(quotes > 0, block[np.maximum(quotes - 1, 0)], _LF)
        behind = np.where(quotes + 1 < len(block), block[np.minimum(quotes + 1, len(block) - 1)], _LF)
        edges = np.array([QUOTE, delimiter, _LF, _CR], np.uint8)
        if not (np.isin(before[::2], edges).all() and np.isin(behind[1::2], edges).all()) or (last and len(quotes) % 2):
            return None
        ends = np.flatnonzero((block == _LF) | (block == _CR))
        inside = np.searchsorted(quotes, ends) & 1
        outer = ends[inside == 0]
        if last:
            used = len(block)
        else:
            if len(outer) and outer[-1] == len(block) - 1 and block[-1] == _CR:
                outer = outer[:-1]  # the LF that belongs to it may follow
            if not len(outer):
                return 0
            used = int(outer[-1]) + 1
        outer = outer[outer < used]
        self._breaks += int(_line_ends(block, ends[(inside == 1) & (ends < used)]))
        starts = np.concatenate([[0], outer + 1])
        if last and used and block[-1] not in (_LF, _CR):
            outer = np.append(outer, used)
        lengths = outer - starts[: len(outer)]
        crlf = (lengths == 0) & (starts[: len(outer)] > 0) & (block[np.minimum(outer, len(block) - 1)] == _LF)
        crlf &= block[np.maximum(starts[: len(outer)] - 1, 0)] == _CR
        self._records += int(np.count_nonzero(lengths))
        self._blank += int(np.count_nonzero((lengths == 0) & ~crlf))
        self._add_cells(block[:used], delimiter, quotes[quotes < used], outer, offset)
        return used

    def _add_cells(self, block: Array, delimiter: int, quotes: Array, ends: Array, offset: int) -> None:
        """Counts, by column, the quoted cells and those in which nothing needs quotes."""
        opening = quotes[::2]
        doubled = (opening > 0) & (block[np.maximum(opening - 1, 0)] == QUOTE)
        cells = opening[~doubled]
        if not len(cells):
            return
        separators = np.flatnonzero(block == delimiter)
        outside = (np.searchsorted(quotes, separators) & 1) == 0
        needy = [opening[doubled], separators[~outside]]
        breaks = np.flatnonzero((block == _LF) | (block == _CR))
        needy.append(breaks[(np.searchsorted(quotes, breaks) & 1) == 1])
        needs = np.zeros(len(cells), bool)
        for places in needy:
            needs[np.searchsorted(cells, places, side="right") - 1] = True
        needs |= block[np.minimum(cells + 1, len(block) - 1)] == QUOTE  # "" is how an empty text is told from a missing one
        line = np.searchsorted(ends, cells)
        line_start = np.where(line > 0, ends[np.maximum(line - 1, 0)] + 1, 0)
        separators = separators[outside]
        columns = np.searchsorted(separators, cells) - np.searchsorted(separators, line_start)
        if offset == 0:
            self._names = set(columns[line_start == 0].tolist())
        self._quoted = _sum(self._quoted, np.bincount(columns))
        self._spare = _sum(self._spare, np.bincount(columns[~needs], minlength=1))
        found, places = np.unique(columns[~needs], return_index=True)
        for column, place in zip(found.tolist(), places.tolist(), strict=True):
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


def _sum(total: Array, more: Array) -> Array:
    if len(total) < len(more):
        total, more = more, total
    total = total.copy()
    total[: len(more)] += more
    return total


def _line_ends(block: Array, places: Array) -> int:
    """How many line ends these LF and CR are: CRLF is one."""
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
    """The same by a regular expression, for text that has quotes inside unquoted cells too."""
    _, _, cell = _patterns(delimiter)
    needy = re.compile(rb"[\r\n\"" + re.escape(delimiter.encode()) + rb"]")
    pieces: list[bytes] = []
    at = quoted = breaks = spare = 0
    spare_at = -1
    for found in cell.finditer(content):
        if found[1] is None:
            return Count(0, 0, fault=found.start())
        quoted += 1
        breaks += len(_LINE_END.findall(found[1]))
        if found[1] and not needy.search(found[1]):
            spare_at = found.start() if not spare else spare_at
            spare += 1
        pieces += [content[at : found.start()], b"x"]
        at = found.end()
    pieces.append(content[at:])
    lines = _count_lines(b"".join(pieces))
    return Count(lines.records, lines.blank, quoted, breaks, -1, spare, spare_at)
