""".npz and .npy: every array is a column. Only headers are read to list them, and nothing is ever unpickled.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import math
import struct
import weakref
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import Array, Cell, Chunk, Column, Kind, Table, chunk_rows, native, reading, text_array
from seqdec_gui.data.formats.bounds import fail_if_it_swells, fail_if_no_room, fail_if_too_many_columns
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem

_KINDS: dict[str, Kind] = {"U": "text", "S": "text", "b": "integer", "i": "integer", "u": "integer", "f": "number"}
"""The kind of a column for each kind of NumPy data type."""


_SPARSE = {"format", "shape", "data"}
"""Arrays of every file that `scipy.sparse.save_npz` writes."""


class _Header(NamedTuple):
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[np.generic]
    length: int


def _read_header(file: IO[bytes]) -> _Header:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    return _Header(shape, fortran, dtype, file.tell())


class NumpyTable(Table):
    """An .npz or .npy file; a single .npy array is a column named like the file."""

    def __init__(self, path: Path, names: Sequence[str] | None, how: Reading, bound: Sequence[str] = ()) -> None:
        super().__init__(path)
        self._how = how
        self._headers: dict[str, _Header] = {}
        self._loaded: dict[str, Array] = {}
        self._archive: zipfile.ZipFile | None = None
        """The open file, if it is an .npz file: opening it lists all of its arrays."""
        columns = []
        with reading(path):
            if path.suffix.lower() == ".npz":
                self._archive = zipfile.ZipFile(path)
                weakref.finalize(self, self._archive.close)
                fail_if_it_swells(path, sum(info.file_size for info in self._archive.infolist()))
            names = self._members()
            self.has_names = self._archive is not None and names != ["arr_0"]  # as savez calls an array without a name
            fail_if_too_many_columns(path, len(names))
            for name in names:
                with self._member(name) as file:
                    header = _read_header(file)
                least = max(_size(header), math.prod(header.shape))  # texts without a character count too
                if min(header.shape, default=0) < 0 or least > self._bytes_of(name) - header.length:
                    raise EOFError(f"array {name!r} has fewer values than its header says")
                if problem := _why_unusable(name, header):
                    self.unusable[name] = problem
                    continue
                if name in self._headers:
                    raise InvalidInput(f"{path.name} holds two arrays named {name!r}.", "duplicate_column", "data")
                self._headers[name] = header
                columns.append(_column(name, header))
            if {*names} >= _SPARSE:
                text = f"{path.name} is a sparse matrix of SciPy, whose parts are read as columns."
                hint = "scipy.sparse.load_npz(FILE).toarray() gives the matrix; save it with numpy.savez(OUT, x=...)."
                self.problems += (Problem("warning", "other_content", "data", text, hint),)
        self._list(columns)

    def _members(self) -> list[str]:
        if self._archive is None:
            return [self.path.stem]
        return [member[:-4] for member in self._archive.namelist() if member.endswith(".npy")]

    def _bytes_of(self, name: str) -> int:
        """Return the size of the header and values of an array, uncompressed."""
        return self.path.stat().st_size if self._archive is None else self._archive.getinfo(f"{name}.npy").file_size

    @contextmanager
    def _member(self, name: str) -> Iterator[IO[bytes]]:
        if self._archive is not None:
            with self._archive.open(f"{name}.npy") as file:
                yield file
        else:
            with self.path.open("rb") as plain:
                yield plain

    def chunks(self, name: str) -> Iterator[Chunk]:
        column, header = self.column(name), self._headers[name]
        row_bytes = header.dtype.itemsize * int(np.prod(column.shape, dtype=np.int64))
        step = chunk_rows(row_bytes)
        with reading(self.path):
            if header.fortran and column.shape:
                pieces: Iterator[Array] = (self._whole(name)[at : at + step] for at in range(0, column.rows, step))
            else:
                pieces = self._streamed(name, header, column, row_bytes, step)
            for piece in pieces:
                yield self._texts(name, piece) if column.kind == "text" else native(piece)

    def _streamed(self, name: str, header: _Header, column: Column, row_bytes: int, step: int) -> Iterator[Array]:
        with self._member(name) as file:
            _read_header(file)
            for at in range(0, column.rows, step):
                count = min(step, column.rows - at)
                raw = _read_exactly(file, count * row_bytes)
                yield np.frombuffer(raw, dtype=header.dtype).reshape(count, *column.shape)

    def page(self, name: str, first: int, count: int) -> list[Cell]:
        self.column(name)
        with reading(self.path):
            values = self._rows(name, first, count)
            cells: list[Any] = self._shown(name, values) if values.dtype.kind in "SU" else list(np.asarray(values))
        return [cell.item() if isinstance(cell, np.generic) else cell for cell in cells]

    def _shown(self, name: str, values: Array) -> list[Any]:
        """Return texts to be shown, bytes that are none as Western European text."""
        try:
            return list(self._texts(name, values).to_pylist())
        except InvalidInput:
            return list(text_array(values).to_pylist())

    def _rows(self, name: str, first: int, count: int) -> Array:
        """Return some rows: read from their place if the file holds them uncompressed, one after the other."""
        header, start = self._headers[name], self._data_start(name)
        if start is None or header.fortran:
            return self._whole(name)[first : first + count]
        count = max(0, min(count, header.shape[0] - first))
        row_bytes = header.dtype.itemsize * math.prod(header.shape[1:])
        with self.path.open("rb") as file:
            file.seek(start + header.length + first * row_bytes)
            raw = _read_exactly(file, count * row_bytes)
        return np.frombuffer(raw, header.dtype).reshape(count, *header.shape[1:])

    def _whole(self, name: str) -> Array:
        """Return the array: mapped if the file holds it uncompressed, else decompressed once and kept in memory."""
        if name not in self._loaded:
            header, start = self._headers[name], self._data_start(name)
            if start is None:
                fail_if_no_room(self.path, _size(header), "Save it uncompressed, with numpy.savez or as .npy.")
                with self._member(name) as file:
                    self._loaded[name] = np.lib.format.read_array(file, allow_pickle=False)
            else:
                order = "F" if header.fortran else "C"
                self._loaded[name] = np.memmap(self.path, header.dtype, "r", start + header.length, header.shape, order)  # type: ignore[call-overload]
        return self._loaded[name]

    def _data_start(self, name: str) -> int | None:
        """Return the offset of the member's header in the file; None if it is compressed or empty, and cannot be mapped."""
        if _size(self._headers[name]) == 0:
            return None
        if self._archive is None:
            return 0
        info = self._archive.getinfo(f"{name}.npy")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            return None
        with self.path.open("rb") as file:
            file.seek(info.header_offset + 26)
            name_length, extra_length = struct.unpack("<HH", _read_exactly(file, 4))
        start: int = info.header_offset + 30 + name_length + extra_length
        return start


def _size(header: _Header) -> int:
    return (
        math.prod(header.shape) * header.dtype.itemsize
    )  # with Python's integers, since a damaged header may claim a huge size


def _column(name: str, header: _Header) -> Column:
    kind: Kind = "array" if len(header.shape) > 1 else _KINDS[header.dtype.kind]
    dtype = "text" if kind == "text" else header.dtype.newbyteorder("=").name
    return Column(name, kind, dtype, header.shape[1:], header.shape[0])


def _why_unusable(name: str, header: _Header) -> Problem | None:
    """Return the problem that an array cannot be a column; None if it can."""
    reason = ""
    if header.dtype.hasobject:
        reason = "holds Python objects, which are never unpickled; save numbers as a plain array, text as numpy.array(strings)"
    elif header.dtype.names:
        reason = "is a structured array; save every field as an array of its own"
    elif header.dtype.kind not in _KINDS:
        helps = {"M": "x.astype(str) makes text of dates", "m": "x.astype('timedelta64[s]').astype(float) makes numbers"}
        helps |= {"c": "save x.real and x.imag", "V": "save its bytes as numbers: numpy.frombuffer(x, numpy.uint8)"}
        reason = f"has values of type {header.dtype}; expected numbers or text"
        reason += f" ({helps[header.dtype.kind]})" if header.dtype.kind in helps else ""
    elif not header.shape:
        reason = "is a single value; expected one entry per row"
    elif header.dtype.kind in "US" and len(header.shape) > 1:
        reason = f"holds text in shape {header.shape}; expected one text per row"
    return Problem("error", "unusable_array", "data", f"Array {name!r} {reason}.") if reason else None


def _read_exactly(file: IO[bytes], count: int) -> bytes:
    raw = file.read(count)
    while len(raw) < count:
        more = file.read(count - len(raw))
        if not more:
            raise EOFError("the file ends too early")
        raw += more
    return raw
