"""The formats of data files: everything the program knows about each without opening a file or importing a library.

A new format is a module with a `Table` (`data.formats.base`) and one row here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui.domain.wording import listed

if TYPE_CHECKING:
    from seqdec_gui.data.formats.base import Table

HINT = "A text file with one row a line and a delimiter between the cells can be given the ending .csv or .tsv."
"""The hint for a file whose ending belongs to no format."""


class DataFormat(msgspec.Struct, frozen=True, kw_only=True):
    """One format.

    - `name`: its key in `DATA_FORMATS`. `title`: what users call it.
    - `suffixes`: the endings of its files in lower case with the dot, the usual one first.
    - `table`: `"module:class"` of its `Table`, imported when a file of the format is opened. The class is called with the path,
      that of delimited text with `(path, names, how, bound)` as `open_table` is.
    - `holds`: what a column may be, for the documentation.
    - `delimiter`: the character between the cells of delimited text; "" if it is detected from the content; None if the format
      is not delimited text. The options of `domain.bindings.Reading` apply to delimited text.
    - `row_per_line`: whether the format is text with one row a line, so that rows are estimated from the size of the file.
    - `holds_arrays`: whether a cell may be an array of numbers.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    table: str
    holds: str
    delimiter: str | None = None
    row_per_line: bool = False
    holds_arrays: bool = False

    @property
    def delimited(self) -> bool:
        return self.delimiter is not None

    def table_class(self) -> type[Table]:
        """Import and return the class of its tables."""
        module, _, name = self.table.partition(":")
        table: type[Table] = getattr(import_module(module), name)
        return table


_DELIMITED = "seqdec_gui.data.formats.delimited:DelimitedTable"
_CELLS = "numbers and text, one value a cell"

DATA_FORMATS: dict[str, DataFormat] = {
    row.name: row
    for row in (
        DataFormat(
            name="csv",
            title="delimited text",
            suffixes=(".csv", ".txt"),
            table=_DELIMITED,
            holds=_CELLS,
            delimiter="",
            row_per_line=True,
        ),
        DataFormat(
            name="tsv",
            title="tab-separated text",
            suffixes=(".tsv",),
            table=_DELIMITED,
            holds=_CELLS,
            delimiter="\t",
            row_per_line=True,
        ),
        DataFormat(
            name="numpy",
            title="NumPy arrays",
            suffixes=(".npz", ".npy"),
            table="seqdec_gui.data.formats.numpy_file:NumpyTable",
            holds="numbers, text and arrays of any shape; every array of an `.npz` file is a column",
            holds_arrays=True,
        ),
        DataFormat(
            name="hdf5",
            title="HDF5",
            suffixes=(".h5", ".hdf5"),
            table="seqdec_gui.data.formats.hdf5:Hdf5Table",
            holds="numbers, text and arrays of any shape; every dataset is a column",
            holds_arrays=True,
        ),
        DataFormat(
            name="parquet",
            title="Parquet",
            suffixes=(".parquet",),
            table="seqdec_gui.data.formats.parquet:ParquetTable",
            holds="numbers, text, and lists of equally many numbers as arrays",
            holds_arrays=True,
        ),
    )
}
"""Every format by name, in the order in which sentences and dialogs list them."""


def format_of(path: PurePath) -> DataFormat | None:
    """The format of a file by its ending, in capitals or not; None where no format has the ending."""
    suffix = path.suffix.lower()
    return next((row for row in DATA_FORMATS.values() if suffix in row.suffixes), None)


def is_delimited(path: PurePath) -> bool:
    """Return whether the file is delimited text, to which the options of a `Reading` apply."""
    row = format_of(path)
    return row is not None and row.delimited


def data_suffixes() -> tuple[str, ...]:
    """The endings of all formats."""
    return tuple(suffix for row in DATA_FORMATS.values() for suffix in row.suffixes)


def suffixes_of_arrays() -> str:
    """The usual endings of the formats that hold arrays, as words: `.npz, .h5 or .parquet`."""
    return listed([row.suffixes[0] for row in DATA_FORMATS.values() if row.holds_arrays], "or")


def not_readable(path: Path) -> str:
    """Return the sentence that the ending of this file belongs to no format."""
    what = "a folder" if path.is_dir() else f"a {path.suffix} file" if path.suffix else "a file without an ending"
    return f"{path} is {what}; expected one of {' '.join(data_suffixes())}."
