""".h5 and .hdf5: every dataset of the file, in groups too, is a column. The file is open only while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.formats.base import Cell, Chunk, Column, Kind, Table, chunk_rows, native, reading
from seqdec_gui.domain.problems import Problem


class Hdf5Table(Table):
    """An HDF5 file; a dataset in a group is named `group/dataset`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        columns: list[Column] = []

        def visit(name: str, item: Any) -> None:
            import h5py

            if not isinstance(item, h5py.Dataset):
                return
            if problem := _why_unusable(name, item):
                self.unusable[name] = problem
            else:
                columns.append(_column(name, item))

        with reading(path), _open(path) as file:
            file.visititems(visit)
        self._list(columns)

    def chunks(self, name: str) -> Iterator[Chunk]:
        column = self.column(name)
        with reading(self.path), _open(self.path) as file:
            dataset = file[name]
            stored = dataset.chunks[0] if dataset.chunks else 1
            step = chunk_rows(dataset.dtype.itemsize * int(np.prod(column.shape, dtype=np.int64)))
            step = max(stored, step // stored * stored)
            for at in range(0, column.rows, step):
                yield self._read(dataset, column, at, at + step)

    def page(self, name: str, first: int, count: int) -> list[Cell]:
        column = self.column(name)
        with reading(self.path), _open(self.path) as file:
            chunk = self._read(file[name], column, first, first + count)
        if column.kind == "text":
            return list(chunk.to_pylist())
        return list(chunk) if column.shape else list(chunk.tolist())

    def _read(self, dataset: Any, column: Column, first: int, last: int) -> Chunk:
        values = dataset[first:last]
        return self._texts(column.name, values) if column.kind == "text" else native(values)


def _open(path: Path) -> Any:
    import h5py

    return h5py.File(path, "r", locking=False)


def _column(name: str, dataset: Any) -> Column:
    import h5py

    if h5py.check_string_dtype(dataset.dtype):
        return Column(name, "text", "text", (), dataset.shape[0])
    scalar: Kind = "number" if dataset.dtype.kind == "f" else "integer"
    kind: Kind = "array" if len(dataset.shape) > 1 else scalar
    return Column(name, kind, dataset.dtype.newbyteorder("=").name, tuple(dataset.shape[1:]), dataset.shape[0])


def _why_unusable(name: str, dataset: Any) -> Problem | None:
    """Return the problem that a dataset cannot be a column; None if it can."""
    import h5py

    reason = ""
    text = h5py.check_string_dtype(dataset.dtype) is not None
    if dataset.external:
        reason = "has its values in another file, which is not read; copy them into this one"
    elif not dataset.shape:
        reason = "is a single value; expected one entry per row"
    elif text and len(dataset.shape) > 1:
        reason = f"holds text in shape {dataset.shape}; expected one text per row"
    elif not text and h5py.check_vlen_dtype(dataset.dtype):
        reason = "is ragged (rows of different length); pad every row to the same length"
    elif not text and dataset.dtype.kind not in "biuf":
        reason = f"has values of type {dataset.dtype}; expected numbers or text"
    return Problem("error", "unusable_array", "data", f"Dataset {name!r} {reason}.") if reason else None
