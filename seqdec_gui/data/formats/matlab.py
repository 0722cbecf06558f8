"""`.mat`: the variables of MATLAB files, up to version 7 through SciPy, from version 7.3 on as HDF5.

Rows of a matrix are rows of the data. Formats: https://www.mathworks.com/help/matlab/import_export/mat-file-versions.html
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.formats.base import Array, native, reading, text_array
from seqdec_gui.data.formats.bounds import fail_if_it_swells, fail_if_no_room
from seqdec_gui.data.formats.extras import required
from seqdec_gui.data.formats.hdf5_items import datasets, fail_if_chunks_swell, why_not_read
from seqdec_gui.data.formats.mat5_bounds import fail_if_it_claims_more_than_it_holds
from seqdec_gui.data.formats.memory import MemoryTable, gathered
from seqdec_gui.domain.problems import Problem

Variable = tuple[str, Any]
"""A name, and an array, or a text in words why it is no column."""


class MatlabTable(MemoryTable):
    """The variables of a file, a field of a structure is named `structure.field`, a column of cells `cells.2`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with reading(path):
            found = dict(_of_hdf5(path) if _is_hdf5(path) else _of_scipy(path))
            arrays = {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
            rows = _usual_rows(list(arrays.values()))
            values = {}
            for name, value in found.items():
                column = self._column_of(name, value, rows)
                if isinstance(column, str):
                    self.unusable[name] = Problem("error", "unusable_array", "data", f"Variable {name!r} {column}.")
                else:
                    values[name] = column
        self._hold(values)

    def _column_of(self, name: str, value: Any, rows: int) -> Any:
        """Return the column of a variable, or in words why it is none."""
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            made = gathered(name, value)
            self.problems += made.problems
            if made.unread:
                self.unread_cells[name] = dict(made.unread)
            return made.unusable or made.values
        if value.dtype.kind in "US":
            return (
                text_array(np.char.rstrip(value.reshape(-1), " ")) if value.size else "is empty"
            )  # spaces fill a matrix of text
        if value.dtype.kind not in "biuf":
            return f"has values of type {value.dtype}; expected numbers or text"
        if value.size == 1 or not value.size:
            return "is a single value; expected one entry per row" if value.size else "is empty"
        value = native(value)
        if value.dtype.kind == "b":
            value = value.astype(np.uint8)
        if value.ndim == 2 and 1 in value.shape:
            return value.reshape(-1)
        if rows and value.shape[0] != rows and value.shape[-1] == rows:
            text = f"The last axis of variable {name!r}, of shape {value.shape}, is taken for the rows: others have {rows:,}."
            self.problems += (Problem("info", "rows_on_last_axis", "data", text),)
            return np.ascontiguousarray(np.moveaxis(value, -1, 0))
        return np.ascontiguousarray(value)


def _usual_rows(arrays: list[Array]) -> int:
    """Return the number of rows that most vectors and matrices have; 0 without any."""
    counts = Counter(
        max(array.shape) if 1 in array.shape else array.shape[0]
        for array in arrays
        if array.ndim == 2 and array.size > 1 and array.dtype.kind in "biuf"
    )
    return counts.most_common(1)[0][0] if counts else 0


# -- up to version 7
def _of_scipy(path: Path) -> Iterator[Variable]:
    io = required("scipy.io", "mat", path)
    try:
        fail_if_it_claims_more_than_it_holds(path)
        declared = sum(math.prod(shape) * 8 for _, shape, kind in io.whosmat(path) if kind not in ("cell", "struct", "sparse"))
        fail_if_it_swells(path, declared)
        fail_if_no_room(path, declared, "Save it with -v7.3, or as .npz or .h5.")
        variables = io.loadmat(path, chars_as_strings=True, struct_as_record=True)
    except (TypeError, NotImplementedError, io.matlab.MatReadError, IndexError) as error:
        raise ValueError(str(error)) from error
    for name, value in variables.items():
        if not name.startswith("__"):
            yield from _variables(name, value)


def _variables(name: str, value: Any) -> Iterator[Variable]:
    """Yield a variable of SciPy; a structure as its fields."""
    if not isinstance(value, np.ndarray):
        yield name, "is sparse; save it with full(...)" if hasattr(value, "tocsr") else "is of no kind that can be read"
    elif value.dtype.names and value.size == 1 and type(value).__name__ != "MatlabOpaque":
        for field in value.dtype.names:
            yield from _variables(f"{name}.{field}", value.reshape(-1)[0][field])
    elif value.dtype.names and type(value).__name__ != "MatlabOpaque":
        for field in value.dtype.names:
            yield from _cells(f"{name}.{field}", value[field], _cell)
    elif type(value).__name__ in ("MatlabOpaque", "MatlabFunction"):
        yield name, "is an object of MATLAB (a string array or a table); save it with cellstr(...) or as plain arrays"
    elif value.dtype == object:
        yield from _cells(name, value, _cell)
    else:
        yield name, value


def _cells(name: str, cells: Array, content: Callable[[Any], Any]) -> Iterator[Variable]:
    """Yield a row or a column of cells as one column, a matrix of cells as the columns `name.1`, `name.2`, ..."""
    if cells.ndim < 2 or (cells.ndim == 2 and 1 in cells.shape):
        yield name, [content(each) for each in cells.reshape(-1)]
    elif cells.ndim > 2:
        yield name, f"has cells in shape {cells.shape}; expected one cell per row, or a matrix of cells"
    else:
        for at in range(cells.shape[1]):
            yield f"{name}.{at + 1}", [content(each) for each in cells[:, at]]


def _cell(value: Any) -> Any:
    """Return the content of a cell: a text, a number, a list of numbers or texts, or None for an empty cell."""
    array = np.asarray(value)
    if not array.size:
        return None
    if array.dtype.kind in "US":
        return str(array.reshape(-1)[0]) if array.size == 1 else array.reshape(-1).tolist()
    if array.dtype.kind not in "biuf":
        return {}
    if array.size == 1:
        return array.reshape(-1)[0].item()
    flat = array.reshape(-1) if 1 in array.shape else array
    return flat.tolist()


# -- from version 7.3 on
def _is_hdf5(path: Path) -> bool:
    import h5py

    return bool(h5py.is_hdf5(path))


def _of_hdf5(path: Path) -> Iterator[Variable]:
    import h5py

    with h5py.File(path, "r", locking=False) as file:
        taken = Taken(path)
        for name, item, why in datasets(file, path, lambda group: "MATLAB_sparse" in group.attrs):
            if not name.startswith("#"):
                yield from _items(file, name.replace("/", "."), item, why, taken)


_CELL_VALUE_BYTES = 40
"""The size of a number of a cell in memory: an object of Python, and its place in a list."""


class Taken:
    """Counts the bytes of a file that are taken into memory, since a cell may be referred to from any number of places."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = 0

    def take(self, item: Any, value_bytes: int = 0) -> None:
        """Count the values of a dataset, and look at its chunks. Raises InvalidInput where all of it is too much.

        `value_bytes` is the size of a value where it is not held as in the file.
        """
        fail_if_chunks_swell(item, self._path)
        self._bytes += 64 + (item.size or 0) * (value_bytes or item.dtype.itemsize)
        fail_if_it_swells(self._path, self._bytes)
        fail_if_no_room(self._path, self._bytes, "Save it as a dataset of an .h5 file.")


def _items(file: Any, name: str, item: Any, why: str, taken: Taken) -> Iterator[Variable]:
    """Yield a variable; a field of a structure too. MATLAB's first axis is the last one of HDF5."""
    import h5py

    if isinstance(item, h5py.Group):
        yield name, "is sparse; save it with full(...)"
        return
    if why := why or why_not_read(item):
        yield name, why
        return
    taken.take(item)
    if item.shape is None or "MATLAB_empty" in item.attrs:
        yield name, "is empty"
    elif h5py.check_ref_dtype(item.dtype) is not None:
        yield from _cells(name, item[()].T, lambda each: _referred(file[each], taken))
    elif _class(item) == "char":
        yield name, np.array(_rows_of_text(item))
    else:
        yield name, item[()].T


def _class(item: Any) -> str:
    kind = item.attrs.get("MATLAB_class", b"")
    return kind.decode() if isinstance(kind, bytes) else str(kind)


def _referred(item: Any, taken: Taken) -> Any:
    """Return the content of a cell; an object, which is no value, for what is not read."""
    if "MATLAB_empty" in item.attrs:
        return None
    if not hasattr(item, "dtype") or item.dtype.kind not in "biuf" or why_not_read(item):
        return {}
    taken.take(item, _CELL_VALUE_BYTES)
    return _cell(np.array(_rows_of_text(item)) if _class(item) == "char" else item[()].T)


def _rows_of_text(item: Any) -> list[str]:
    """Return the rows of a matrix of UTF-16 code units."""
    units = np.ascontiguousarray(np.atleast_2d(item[()].T).astype("<u2"))
    return [row.tobytes().decode("utf-16-le", "replace") for row in units]
