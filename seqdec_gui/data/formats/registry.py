"""The formats of data files: everything the program knows about each without opening a file or importing a library.

A new format is a module with a `Table` (`data.formats.base`) and one row here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui.data.formats.compression import COMPRESSED, inner_name, is_compressed
from seqdec_gui.domain.wording import listed

if TYPE_CHECKING:
    from seqdec_gui.data.formats.base import Table

HINT = "A text file with one row a line and a delimiter between the cells can be given the ending .csv or .tsv."
"""The hint for a file whose ending belongs to no format."""

_TABLE_OPTIONS = ("header", "delimiter", "quoting", "encoding", "decimal", "comment", "wrong_bytes")
"""The options of a `Reading` that apply to delimited text."""

_BYTES_OPTIONS = ("encoding", "wrong_bytes")
"""Those that apply to text among other values."""

OTHER_KINDS: dict[tuple[str, ...], str] = {
    (".xls", ".ods", ".xlsb", ".numbers"): "Save the sheet as .xlsx or .csv from the program that made it.",
    (".json",): "With one object a line it can be given the ending .jsonl; in Python, pandas.read_json(FILE).to_parquet(...).",
    (".pkl", ".pickle", ".joblib", ".dill"): (
        "Pickles can run code, so they are never opened; where you trust it, pandas.read_pickle(FILE).to_parquet(...), or "
        "numpy.savez(...) for arrays."
    ),
    (
        ".pt",
        ".pth",
        ".bin",
        ".ckpt",
        ".safetensors",
    ): "It holds weights or tensors of a model; save arrays with numpy.savez(...).",
    (".sdf", ".mol", ".mol2", ".mae"): (
        "Save the molecules as .smi: with RDKit, Chem.SDMolSupplier(FILE) and Chem.MolToSmiles; or obabel FILE -O out.smi."
    ),
    (".fasta", ".fa", ".fastq", ".fq", ".faa", ".fna"): "Write one sequence a line into a .csv file, with its name beside it.",
    (".feather", ".arrow", ".ipc", ".orc"): "pandas.read_feather(FILE) or pandas.read_orc(FILE), and then .to_parquet(...).",
    (".rds", ".rdata", ".rda"): "In R: write.csv(table, FILE, row.names = FALSE), or arrow::write_parquet(table, FILE).",
    (".dta", ".sas7bdat", ".sav", ".xpt"): "pandas.read_stata, read_sas or read_spss, and then .to_parquet(...).",
    (".sqlite", ".sqlite3", ".db", ".duckdb"): "Export the table as .csv or .parquet.",
    (".tfrecord", ".tfrecords", ".lmdb", ".tar", ".7z", ".rar", ".tgz"): (
        "Unpack it, or write its rows to .parquet, .npz or .jsonl with the library that made it."
    ),
    (".xml", ".html", ".htm", ".yaml", ".yml", ".toml"): "Write its rows to .jsonl, one object a line, or to .csv.",
    (".pdf", ".doc", ".docx", ".rtf", ".odt", ".md"): "Save the text itself as .txt, one text a line.",
    (".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".wav", ".mp3", ".flac", ".mp4"): (
        "Put the pictures or sounds into one array, one row each, and save it with numpy.savez(...)."
    ),
}
"""What to do with files of other kinds, by their endings."""


class DataFormat(msgspec.Struct, frozen=True, kw_only=True):
    """One format.

    - `name`: its key in `DATA_FORMATS`. `title`: what users call it.
    - `suffixes`: the endings of its files in lower case with the dot, the usual one first.
    - `table`: `"module:class"` of its `Table`, imported when a file of the format is opened. The class is called with the path,
      with options also with `(path, names, how, bound)` as `open_table` is.
    - `holds`: what a column may be, for the documentation.
    - `delimiter`: the character between the cells of delimited text; "" if it is detected from the content; None if the format
      is not delimited text.
    - `options`: the options of `domain.bindings.Reading` that apply to the format. The table is then called with
      `(path, names, how, bound)` too.
    - `compressible`: whether a compressed file (`data.formats.compression`) of the format is read.
    - `prose`: whether a line is one text unless tabs or a clear table show otherwise.
    - `extra`: the extra of setup.cfg that the format needs; "" if it needs none.
    - `row_per_line`: whether the format is text with one row a line, so that rows are estimated from the size of the file.
    - `holds_arrays`: whether a cell may be an array of numbers.
    - `may_crash`: whether the library that reads it may crash on a damaged file, so that a file is first read in a process of
      its own (`data.formats.trial`).
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    table: str
    holds: str
    delimiter: str | None = None
    options: tuple[str, ...] = ()
    compressible: bool = False
    prose: bool = False
    extra: str = ""
    row_per_line: bool = False
    holds_arrays: bool = False
    may_crash: bool = False

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
            suffixes=(".csv",),
            table=_DELIMITED,
            holds=_CELLS,
            delimiter="",
            options=_TABLE_OPTIONS,
            compressible=True,
            row_per_line=True,
        ),
        DataFormat(
            name="tsv",
            title="tab-separated text",
            suffixes=(".tsv", ".tab"),
            table=_DELIMITED,
            holds=_CELLS,
            delimiter="\t",
            options=_TABLE_OPTIONS,
            compressible=True,
            row_per_line=True,
        ),
        DataFormat(
            name="txt",
            title="text",
            suffixes=(".txt",),
            table=_DELIMITED,
            holds="one text a line; numbers and text, one value a cell, where tabs or clear columns divide the lines",
            delimiter="",
            options=_TABLE_OPTIONS,
            compressible=True,
            prose=True,
            row_per_line=True,
        ),
        DataFormat(
            name="smi",
            title="SMILES",
            suffixes=(".smi", ".smiles"),
            table="seqdec_gui.data.formats.molecules:SmilesTable",
            holds="the columns `smiles` and, where the lines have names, `name`; a line of names above them is skipped",
            options=("encoding", "comment", "wrong_bytes"),
            compressible=True,
            row_per_line=True,
        ),
        DataFormat(
            name="jsonl",
            title="JSON lines",
            suffixes=(".jsonl", ".ndjson"),
            table="seqdec_gui.data.formats.json_lines:JsonLinesTable",
            holds="one object a line, whose names are the columns: numbers, text, and lists of equally many numbers as arrays",
            options=_BYTES_OPTIONS,
            compressible=True,
            row_per_line=True,
            holds_arrays=True,
        ),
        DataFormat(
            name="xlsx",
            title="Excel workbook",
            suffixes=(".xlsx", ".xlsm"),
            table="seqdec_gui.data.formats.spreadsheet:SpreadsheetTable",
            holds="one sheet (`data.sheet`, otherwise the first): numbers, text, and dates as text",
            options=("header", "sheet"),
            extra="xlsx",
        ),
        DataFormat(
            name="numpy",
            title="NumPy arrays",
            suffixes=(".npz", ".npy"),
            table="seqdec_gui.data.formats.numpy_file:NumpyTable",
            holds="numbers, text and arrays of any shape; every array of an `.npz` file is a column",
            options=_BYTES_OPTIONS,
            holds_arrays=True,
        ),
        DataFormat(
            name="hdf5",
            title="HDF5",
            suffixes=(".h5", ".hdf5"),
            table="seqdec_gui.data.formats.hdf5:Hdf5Table",
            holds="numbers, text and arrays of any shape; every dataset is a column, binary molecules of RDKit as SMILES",
            options=_BYTES_OPTIONS,
            holds_arrays=True,
            may_crash=True,
        ),
        DataFormat(
            name="mat",
            title="MATLAB",
            suffixes=(".mat",),
            table="seqdec_gui.data.formats.matlab:MatlabTable",
            holds="numbers, text and matrices; every variable is a column, every field of a structure too",
            holds_arrays=True,
            may_crash=True,
            extra="mat",
        ),
        DataFormat(
            name="parquet",
            title="Parquet",
            suffixes=(".parquet",),
            table="seqdec_gui.data.formats.parquet:ParquetTable",
            holds="numbers, text, and lists of equally many numbers as arrays",
            holds_arrays=True,
            may_crash=True,
        ),
    )
}
"""Every format by name, in the order in which sentences and dialogs list them."""


def format_of(path: PurePath) -> DataFormat | None:
    """The format of a file by its ending, in capitals or not; None where no format has the ending.

    `words.csv.gz` has the format of `words.csv`, if that is text. A zip file without such a name has that of the one file
    in it, for which it is opened.
    """
    row = _by_suffix(PurePath(name_within(path)).suffix)
    return row if row is not None and (row.compressible or not is_compressed(path)) else None


def name_within(path: PurePath) -> str:
    """Return the name whose ending gives the format: that of the file, or what a compressed one is called without it."""
    is_named = is_compressed(path) and _by_suffix(PurePath(path.stem).suffix) is not None
    return path.stem if is_named else inner_name(path)


def _by_suffix(suffix: str) -> DataFormat | None:
    return next((row for row in DATA_FORMATS.values() if suffix.lower() in row.suffixes), None)


def is_delimited(path: PurePath) -> bool:
    """Return whether the file is delimited text."""
    row = format_of(path)
    return row is not None and row.delimited


def reading_options(path: PurePath) -> tuple[str, ...]:
    """Return the options of a `Reading` that apply to this file."""
    row = format_of(path)
    return () if row is None else row.options


def data_suffixes() -> tuple[str, ...]:
    """The endings of all formats, without those of compressed files."""
    return tuple(suffix for row in DATA_FORMATS.values() for suffix in row.suffixes)


def file_patterns() -> tuple[str, ...]:
    """The patterns of all files that can be opened, for the dialog of the window: `*.csv`, `*.csv.gz`, ..."""
    plain = [f"*{suffix}" for suffix in data_suffixes()]
    text = [suffix for row in DATA_FORMATS.values() if row.compressible for suffix in row.suffixes]
    return (*plain, *(f"*{suffix}{packed}" for suffix in text for packed in COMPRESSED), "*.zip")


def suffixes_of_arrays() -> str:
    """The usual endings of the formats that hold arrays, as words: `.npz, .h5 or .parquet`."""
    return listed([row.suffixes[0] for row in DATA_FORMATS.values() if row.holds_arrays and not row.extra], "or")


def not_readable(path: Path) -> str:
    """Return the sentence that the ending of this file belongs to no format."""
    if is_compressed(path) and not path.is_dir():
        inner = _by_suffix(PurePath(inner_name(path)).suffix)
        within = f", which holds {inner.title}" if inner is not None else ""
        text = [suffix for row in DATA_FORMATS.values() if row.compressible for suffix in row.suffixes]
        return (
            f"{path} is a compressed file{within}; only text is read compressed, with a name such as words.csv{path.suffix}: "
            f"expected one of {' '.join(text)} before {path.suffix}."
        )
    what = "a folder" if path.is_dir() else f"a {path.suffix} file" if path.suffix else "a file without an ending"
    return f"{path} is {what}; expected one of {' '.join(data_suffixes())}."


def what_to_do(path: PurePath) -> str:
    """Return the hint for a file whose ending belongs to no format: what to do with a file of this kind."""
    if is_compressed(path):
        return "Unpack it, and open what it holds."
    suffix = path.suffix.lower()
    return next((hint for suffixes, hint in OTHER_KINDS.items() if suffix in suffixes), HINT)
