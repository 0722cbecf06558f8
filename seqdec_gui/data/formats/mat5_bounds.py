"""Compares what a MATLAB file up to version 7 declares with the bytes that it holds, before SciPy makes anything of that size.

A matrix holds at least a byte for each of its values, and eight for each cell or field; a sparse one is not read at all.
Format: https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from seqdec_gui.data.formats.bounds import MOST_DEPTH, fail_if_no_room, most_bytes, shown
from seqdec_gui.domain.problems import InvalidInput, Problem

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_DATA = frozenset((*range(1, 8), 9, 12, 13, 16, 17, 18))
"""Types of elements."""
_CELL, _STRUCT, _OBJECT, _SPARSE, _LAST_NUMERIC = 1, 2, 3, 5, 15
"""Classes of matrices."""
_PIECE = 1 << 20


class _Element(NamedTuple):
    kind: int
    start: int
    """Where its content begins."""
    size: int
    """The number of bytes of its content."""
    next: int
    """Where the next element begins."""


def fail_if_it_claims_more_than_it_holds(path: Path) -> None:
    """Raise InvalidInput for matrices of more values than the file has bytes for, and ValueError for damaged ones."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES or header[126:] not in (b"MI", b"IM"):
            return  # version 4, or no file of MATLAB: SciPy says so
        order = ">" if header[126:] == b"MI" else "<"
        at, opened = _HEADER_BYTES, 0
        while at + 8 <= size:
            file.seek(at)
            kind, count = struct.unpack(f"{order}II", file.read(8))
            if count > size - at - 8:
                raise ValueError("an element is longer than the file")
            content = file.read(count)
            if kind == _COMPRESSED:
                content = _unpacked(path, content, most_bytes(size) - opened)
                opened += len(content)
                fail_if_no_room(path, 3 * opened, "Save it with -v7.3, or its arrays as .npz.")
                if len(content) >= 8:
                    _look_at(path, content, order, 0, len(content), 0)
            elif kind == _MATRIX:
                _look_at_matrix(path, content, order, 0, len(content), 0)
            at += 8 + count


def _unpacked(path: Path, packed: bytes, most: int) -> bytes:
    unpacker, pieces, size, rest = zlib.decompressobj(), [], 0, packed
    while not unpacker.eof and (piece := unpacker.decompress(rest, _PIECE)):
        pieces.append(piece)
        size, rest = size + len(piece), unpacker.unconsumed_tail
        if size > most:
            text = f"{path.name} holds {shown(len(packed))} that unpack to more than {shown(most)}, and is not read."
            hint = "If its content is right, save it with -v6, which does not compress."
            raise InvalidInput([Problem("error", "too_large_file", "data", text, hint)])
    return b"".join(pieces)


def _look_at(path: Path, data: bytes, order: str, start: int, end: int, depth: int) -> None:
    for element in _elements(data, order, start, end):
        if element.kind == _MATRIX:
            _look_at_matrix(path, data, order, element.start, element.start + element.size, depth)


def _look_at_matrix(path: Path, data: bytes, order: str, start: int, end: int, depth: int) -> None:
    """Compare the dimensions of a matrix with the bytes it has, and look into cells and structures."""
    if start == end:
        return  # an empty cell
    if depth > MOST_DEPTH:
        text = f"{path.name} has structures nested more than {MOST_DEPTH} deep, and is not read."
        raise InvalidInput(text, "unreadable_file", "data")
    parts = _elements(data, order, start, end)
    flags, shape = next(parts, None), next(parts, None)
    if flags is None or shape is None or flags.size < 4:
        raise ValueError("a matrix has no dimensions")
    kind = struct.unpack_from(f"{order}I", data, flags.start)[0] & 0xFF
    if kind > _LAST_NUMERIC:
        return  # an object of MATLAB, which is not read
    lengths = struct.unpack_from(f"{order}{shape.size // 4}i", data, shape.start)
    if min(lengths, default=0) < 0:
        raise ValueError("a matrix has a negative dimension")
    values, least = math.prod(lengths), 8 if kind in (_CELL, _STRUCT, _OBJECT) else 1
    if kind != _SPARSE and values * least > max(end - start, 8):
        text = f"{path.name} claims a matrix of {values:,} values, of which it holds {shown(end - start)}; it is not read."
        raise InvalidInput([Problem("error", "too_large_file", "data", text, "Save it again in MATLAB.")])
    inner = 0
    for part in parts:  # to the end, since SciPy reads on where an element is not where it should be
        if part.kind == _MATRIX and least == 8:
            _look_at_matrix(path, data, order, part.start, part.start + part.size, depth + 1)
            inner += 1
        elif part.kind not in _DATA:
            raise ValueError(f"a matrix holds an element of the unknown type {part.kind}")
    if kind == _CELL and inner != values:
        raise ValueError("a cell array has another number of cells than its dimensions say")


def _elements(data: bytes, order: str, start: int, end: int) -> Iterator[_Element]:
    """Yield the elements of a range of bytes. Raises ValueError for one that is longer than the range."""
    at = start
    while at + 8 <= end:
        first, size = struct.unpack_from(f"{order}II", data, at)
        if first >> 16:  # up to four bytes stand in the tag itself
            kind, size, inside = first & 0xFFFF, first >> 16, at + 4
            after = at + 8
        else:
            kind, inside = first, at + 8
            after = inside + size + (-size % 8 if kind != _COMPRESSED else 0)
        if inside + size > end:
            raise ValueError("an element is longer than what it stands in")
        yield _Element(kind, inside, size, after)
        at = after
