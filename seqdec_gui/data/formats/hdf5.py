""".h5 and .hdf5: every dataset of the file, in groups too, is a column. The file is open only while it is read.

Binary molecules of RDKit (`Mol.ToBinary`), as many data sets of molecules hold them, are read as SMILES.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.formats import molecules
from seqdec_gui.data.formats.base import CHUNK_ROWS, Array, Cell, Chunk, Column, Kind, Table, chunk_rows, native, reading
from seqdec_gui.data.formats.bounds import FREE_BYTES, fail_if_it_swells, room_in_memory
from seqdec_gui.data.formats.hdf5_items import datasets, fail_if_chunks_swell, longest_text, why_not_read
from seqdec_gui.data.formats.uneven import usual_shape, why_uneven, with_faulty_rows
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem

_MOLECULES = 16_384
"""The number of binary molecules that are converted at a time."""
_FEWEST_ROWS = 64
"""The number of rows of text that are read at a time from a file that could make each of them long."""


class Hdf5Table(Table):
    """An HDF5 file; a dataset in a group is named `group/dataset`."""

    def __init__(self, path: Path, names: Sequence[str] | None, how: Reading, bound: Sequence[str] = ()) -> None:
        super().__init__(path)
        self._how = how
        columns: list[Column] = []
        self._molecules: set[str] = set()
        self._smiles: dict[str, list[Any]] = {}
        """The SMILES of whole columns of binary molecules, in chunks, once one was read to its end."""
        self._lists: set[str] = set()
        """The datasets of lists of numbers, of which nearly all are equally long."""
        self._longest = -1
        """The bytes of the longest text of any length; -1 until it is needed."""
        self._looked_at: set[str] = set()
        """The datasets whose compressed chunks are known to be of the size that they claim."""

        with reading(path), _open(path) as file:
            import h5py

            for name, item, why in datasets(file, path):
                if why := why or why_not_read(item):
                    self.unusable[name] = _unusable(name, why)
                elif _holds_molecules(item, path):
                    if missing := molecules.rdkit_problem(name):
                        self.unusable[name] = missing
                    else:
                        self._molecules.add(name)
                        columns.append(Column(name, "text", "text", (), item.shape[0]))
                elif (width := self._usual_width(item)) and not why_not_read(item):
                    self._lists.add(name)
                    dtype = h5py.check_vlen_dtype(item.dtype).newbyteorder("=").name
                    columns.append(Column(name, "array", dtype, (width,), item.shape[0]))
                elif why := _why_unusable(item):
                    self.unusable[name] = _unusable(name, why)
                else:
                    columns.append(_column(name, item))
            self.problems += tuple(_other_problems(file, path))
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
            if column.kind == "text" or name in self._lists:
                step = min(step, self._rows_at_a_time(dataset))
            opened = 0
            for at in range(0, column.rows, step):
                chunk = self._read(dataset, column, at, at + step)
                yield chunk
                opened += chunk.nbytes
                fail_if_it_swells(self.path, opened)

    def _molecule_chunks(self, column: Column) -> Iterator[Chunk]:
        """Yield SMILES, which are kept once all are made: making them takes far longer than reading them."""
        name = column.name
        if name not in self._smiles:
            made = []
            unread = self.unread_cells.setdefault(name, {})
            with reading(self.path), _open(self.path) as file:
                dataset = file[name]
                fail_if_chunks_swell(dataset, self.path)
                step = min(_MOLECULES, self._rows_at_a_time(dataset))
                for at in range(0, column.rows, step):
                    made.append(molecules.smiles_of(dataset[at : at + step], at, unread))
                    yield made[-1]
            self._smiles[name] = made
        else:
            yield from self._smiles[name]

    def page(self, name: str, first: int, count: int) -> list[Cell]:
        column = self.column(name)
        if name in self._molecules:
            with reading(self.path), _open(self.path) as file:
                smiles = molecules.smiles_of(file[name][first : first + count], first, {})
            return list(smiles.to_pylist())
        with reading(self.path), _open(self.path) as file:
            dataset, last = file[name], min(first + count, column.rows)
            if column.kind == "text":
                cells: list[Cell] = []
                step = self._rows_at_a_time(dataset)
                for at in range(first, last, step):
                    cells += self._read(dataset, column, at, min(at + step, last)).to_pylist()
                return cells
            chunk = self._read(dataset, column, first, last)
        return list(chunk) if column.shape else list(chunk.tolist())

    def _rows_at_a_time(self, dataset: Any) -> int:
        """Return how many rows of texts or bytes of any length are read at once: each row may name the longest of the file."""
        import h5py

        info = h5py.check_string_dtype(dataset.dtype)
        if h5py.check_vlen_dtype(dataset.dtype) is None and (info is None or info.length is not None):
            return CHUNK_ROWS
        if self._longest < 0:
            self._longest = longest_text(dataset.file, self.path)
        longest = max(1, self._longest)
        rows = max(_FEWEST_ROWS, FREE_BYTES // longest)
        return max(1, min(CHUNK_ROWS, rows, room_in_memory() // longest if rows * longest > FREE_BYTES else rows))

    def _read(self, dataset: Any, column: Column, first: int, last: int) -> Chunk:
        if column.name not in self._looked_at:
            fail_if_chunks_swell(dataset, self.path)
            self._looked_at.add(column.name)
        values = dataset[first:last]
        if column.name in self._lists:
            return self._rectangular(column, values, first)
        return self._texts(column.name, values) if column.kind == "text" else native(values)

    def _usual_width(self, dataset: Any) -> int:
        """Return how many numbers nearly all of the first lists of a dataset have; 0 for a ragged one, and for other values."""
        import h5py

        kind = h5py.check_vlen_dtype(dataset.dtype)
        if not isinstance(kind, np.dtype) or kind.kind not in "iuf" or len(dataset.shape or ()) != 1 or not dataset.shape[0]:
            return 0
        fail_if_chunks_swell(dataset, self.path)
        first = dataset[: min(256, self._rows_at_a_time(dataset))]
        usual = usual_shape([(len(row),) for row in first])
        return usual[0] if usual else 0

    def _rectangular(self, column: Column, values: Any, first: int) -> Array:
        """Return lists as an array `(rows, width)`; a row of another length is infinite, and its reason is noted."""
        lengths = np.array([len(row) for row in values])
        good = lengths == column.shape[0]
        kept = [row for row, is_good in zip(values, good.tolist(), strict=True) if is_good]
        made = native(np.stack(kept)) if kept else np.empty((0, *column.shape))
        if good.all():
            return made
        reasons = self.unread_cells.setdefault(column.name, {})
        for row in np.flatnonzero(~good).tolist():
            reasons[first + row] = why_uneven((int(lengths[row]),), column.shape)
        all_rows = with_faulty_rows(made, good)
        if all_rows is None:
            text = (
                f"Dataset {column.name!r} is ragged, with whole numbers that would be rounded; pad all rows to the same length."
            )
            raise InvalidInput(text, "ragged_rows", "data")
        return all_rows


def _other_problems(file: Any, path: Path) -> Iterator[Problem]:
    """A warning for a file whose datasets are no columns of rows: a model of Keras, or a table that pandas has divided."""
    import h5py

    if any(mark in file.attrs for mark in ("model_config", "keras_version", "layer_names")) or "_layer_checkpoint" in str(
        list(file)[:4]
    ):
        text = f"{path.name} looks like a model of Keras; its weights are no rows."
        hint = "Open a model with seqdec-gui import FILE -o DESIGN, or Import in the window."
        yield Problem("warning", "other_content", "data", text, hint)
    here = [name for name in file if isinstance(file.get(name, getlink=True), h5py.HardLink)]
    frames = [name for name in here if "pandas_type" in file[name].attrs]
    if frames:
        text = f"{path.name} holds a table of pandas ({frames[0]}), whose columns stand together in arrays without their names."
        hint = "pandas.read_hdf(FILE).to_parquet(OUT) writes them as columns with names."
        yield Problem("warning", "other_content", "data", text, hint)


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


def _holds_molecules(dataset: Any, path: Path) -> bool:
    """Return whether a dataset has one binary molecule of RDKit a row, as opaque or variable bytes."""
    import h5py

    opaque = dataset.dtype.kind in "VS" and dataset.dtype.names is None
    variable = h5py.check_vlen_dtype(dataset.dtype) in (np.uint8, np.int8) or h5py.check_string_dtype(dataset.dtype) is not None
    if not (opaque or variable) or not dataset.shape or len(dataset.shape) != 1 or not dataset.shape[0]:
        return False
    fail_if_chunks_swell(dataset, path)
    return molecules.holds_molecules(dataset[0])


def _unusable(name: str, why: str) -> Problem:
    return Problem("error", "unusable_array", "data", f"Dataset {name!r} {why}.")


def _why_unusable(dataset: Any) -> str:
    """Return why a dataset cannot be a column, as the end of a sentence; empty if it can."""
    import h5py

    text = h5py.check_string_dtype(dataset.dtype) is not None
    if not dataset.shape:
        return "is a single value; expected one entry per row"
    if text and len(dataset.shape) > 1:
        return f"holds text in shape {dataset.shape}; expected one text per row"
    if not text and h5py.check_vlen_dtype(dataset.dtype):
        return "is ragged (rows of different length); pad every row to the same length"
    if not text and dataset.dtype.kind not in "biuf":
        return f"has values of type {dataset.dtype}; expected numbers or text"
    return ""
