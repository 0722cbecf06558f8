""".h5 and .hdf5: every dataset of the file, in groups too, is a column. The file is open only while it is read.

Binary molecules of RDKit (`Mol.ToBinary`), as many data sets of molecules hold them, are read as SMILES.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.formats import molecules
from seqdec_gui.data.formats.base import Cell, Chunk, Column, Kind, Table, chunk_rows, native, reading
from seqdec_gui.domain.problems import Problem

_MOLECULES = 16_384
"""The number of binary molecules that are converted at a time."""


class Hdf5Table(Table):
    """An HDF5 file; a dataset in a group is named `group/dataset`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        columns: list[Column] = []
        self._molecules: set[str] = set()
        self._smiles: dict[str, list[Any]] = {}
        """The SMILES of whole columns of binary molecules, in chunks, once one was read to its end."""

        def visit(name: str, item: Any) -> None:
            import h5py

            if not isinstance(item, h5py.Dataset):
                return
            if _holds_molecules(item):
                if missing := molecules.rdkit_problem(name):
                    self.unusable[name] = missing
                else:
                    self._molecules.add(name)
                    columns.append(Column(name, "text", "text", (), item.shape[0]))
            elif problem := _why_unusable(name, item):
                self.unusable[name] = problem
            else:
                columns.append(_column(name, item))

        with reading(path), _open(path) as file:
            file.visititems(visit)
        self._list(columns)

    def chunks(self, name: str) -> Iterator[Chunk]:
        column = self.column(name)
        if name in self._molecules:
            yield from self._molecule_chunks(column)
            return
        with reading(self.path), _open(self.path) as file:
            dataset = file[name]
            stored = dataset.chunks[0] if dataset.chunks else 1
            step = chunk_rows(dataset.dtype.itemsize * int(np.prod(column.shape, dtype=np.int64)))
            step = max(stored, step // stored * stored)
            for at in range(0, column.rows, step):
                yield self._read(dataset, column, at, at + step)

    def _molecule_chunks(self, column: Column) -> Iterator[Chunk]:
        """Yield SMILES, which are kept once all are made: making them takes far longer than reading them."""
        name = column.name
        if name not in self._smiles:
            made = []
            with reading(self.path), _open(self.path) as file:
                for at in range(0, column.rows, _MOLECULES):
                    made.append(molecules.smiles_of(file[name][at : at + _MOLECULES], name, at))
                    yield made[-1]
            self._smiles[name] = made
        else:
            yield from self._smiles[name]

    def page(self, name: str, first: int, count: int) -> list[Cell]:
        column = self.column(name)
        if name in self._molecules:
            with reading(self.path), _open(self.path) as file:
                smiles = molecules.smiles_of(file[name][first : first + count], name, first)
            return list(smiles.to_pylist())
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


def _holds_molecules(dataset: Any) -> bool:
    """Return whether a dataset has one binary molecule of RDKit a row, as opaque or variable bytes."""
    import h5py

    opaque = dataset.dtype.kind in "VS" and dataset.dtype.names is None
    variable = h5py.check_vlen_dtype(dataset.dtype) in (np.uint8, np.int8) or h5py.check_string_dtype(dataset.dtype) is not None
    if not (opaque or variable) or len(dataset.shape) != 1 or not dataset.shape[0] or dataset.external:
        return False
    return molecules.holds_molecules(dataset[0])


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
