"""Stores encoded arrays in memory, or in a mapped file if they are large, and writes files whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from seqdec_gui.data.formats.base import Array
from seqdec_gui.domain.problems import SeqdecError

MAPPED_BYTES = 512 * 2**20
"""The largest size, in bytes, of an array that is kept in memory."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
"""The error numbers of a full disk and of an exceeded quota."""


class ArrayWriter:
    """Collects the rows of one array, in order.

    An array of more than `MAPPED_BYTES` is written to `folder/name.npy`, unless `folder` is None, and mapped read-only. The
    file is written from start to end and not through the map, so that a full disk is an exception and not a bus error.
    """

    def __init__(self, name: str, shape: tuple[int, ...], dtype: np.dtype[np.generic], folder: Path | None) -> None:
        self._written = 0
        self._file: IO[bytes] | None = None
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if folder is None or size <= MAPPED_BYTES:
            self._array: Array = np.empty(shape, dtype)
            return
        self._path = folder / f"{name}.npy"
        self._partial = folder / f".{name}.npy.partial"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._partial.unlink(missing_ok=True)
            self._file = self._partial.open("xb")  # never through a symbolic link that lies there
            header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(self._file, header)
        except OSError as error:
            self._discard()
            raise not_written(self._path, error) from error

    def __enter__(self) -> ArrayWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._discard()

    def append(self, rows: Array) -> None:
        if self._file is None:
            self._array[self._written : self._written + len(rows)] = rows
        else:
            try:
                self._file.write(np.ascontiguousarray(rows).data)
            except OSError as error:
                raise not_written(self._path, error) from error
        self._written += len(rows)

    def finish(self) -> Array:
        """Complete the file, if there is one, and return the whole array."""
        if self._file is None:
            return self._array
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._partial.replace(self._path)
            mapped: Array = np.load(self._path, mmap_mode="r", allow_pickle=False)
        except OSError as error:
            raise not_written(self._path, error) from error
        self._file = None
        return mapped

    def _discard(self) -> None:
        with suppress(OSError):  # with a full disk, or a file in place of the folder, closing flushes and fails once more
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            self._partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write the file under a temporary name, flush and rename it. Raises SeqdecError."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        try:
            partial.unlink(missing_ok=True)
            with partial.open("xb") as file:  # never through a symbolic link that lies there
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> SeqdecError:
    """Return the error that a file could not be written: disk full, no permission, no folder."""
    number = re.search(r"errno = (\d+)", str(error))  # HDF5 names it in a paragraph of its own
    reason = os.strerror(int(number[1])) if number else " ".join((error.strerror or str(error)).split()).rstrip(".")
    if isinstance(error, PermissionError):
        return SeqdecError(f"{path} could not be written: {reason}; change the permissions, or choose another folder.")
    free = ""
    if error.errno in _FULL or (number and int(number[1]) in _FULL):
        with suppress(OSError):
            free = f" ({shutil.disk_usage(path.parent).free / 1e6:,.1f} MB are free)"
    return SeqdecError(f"{path} could not be written: {reason}{free}; make room, or choose another folder.")
