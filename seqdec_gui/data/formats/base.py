"""What every data file looks like from outside: named columns, read in chunks or by the page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np

from seqdec_gui.data.formats.encodings import decoded_texts, is_utf8, is_western
from seqdec_gui.domain.problems import InvalidInput, Problem

Kind = Literal["text", "integer", "number", "array"]
Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Chunk: TypeAlias = Any
"""Some rows of a column: a `pyarrow` string array (text) or a NumPy array (everything else)."""
Cell: TypeAlias = str | int | float | Array | None

CHUNK_BYTES = 8 * 2**20
CHUNK_ROWS = 65_536
_SHOWN_CHARACTERS = 40
"""How much of a text a message shows."""


class Column(msgspec.Struct, frozen=True):
    """One column. `shape` is that of one row, `()` for a single value; `kind` "array" means numbers of any other shape."""

    name: str
    kind: Kind
    dtype: str
    shape: tuple[int, ...]
    rows: int


class Dialect(msgspec.Struct, frozen=True):
    """How delimited text is written. `names` are the columns'. The rows begin at the byte `start` of the text that
    `data.formats.dialect.detect` gives with it.
    """

    encoding: str
    delimiter: str
    quoted: bool
    header: bool
    names: tuple[str, ...]
    start: int
    lines_before: int
    """Lines of the file before that text: empty ones and comments."""
    rows: int
    """How many there are, counted without the reader of their values."""
    keeps_blank_lines: bool
    """In a file with one column an empty line is a row without a value."""
    breaks: int
    """Line ends inside quoted cells."""
    fault_line: int
    """Where a cell begins with a quote that does not close, which is why quotes are text; 0: nowhere."""
    problems: tuple[Problem, ...] = ()


class Table(ABC):
    """An open data file. Rows are counted from 0 here and from 1 in every message; a header is not a row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: tuple[Column, ...] = ()
        self.problems: tuple[Problem, ...] = ()
        """Warnings about the file as a whole."""
        self.unusable: dict[str, Problem] = {}
        """What the file holds besides columns, and why it cannot be used."""

        self.dialect: Dialect | None = None
        """How delimited text is written; None for other formats."""
        self.western: dict[str, str] = {}
        """Columns of bytes that are not UTF-8, and the encoding as which they were read; known once they have been."""

    def _list(self, columns: Iterable[Column]) -> None:
        """Sets `columns`; those whose rows hold no values are unusable."""
        columns = tuple(columns)
        self.columns = tuple(column for column in columns if 0 not in column.shape)
        for column in columns:
            if 0 in column.shape:
                text = f"Column {column.name!r} has rows of shape {column.shape}, which hold no values; expected numbers."
                self.unusable[column.name] = Problem("error", "unusable_array", "data", text, "Bind another column.")

    @property
    def rows(self) -> int:
        """Rows of the longest column: the arrays of one file need not be equally long."""
        return max((column.rows for column in self.columns), default=0)

    def column(self, name: str) -> Column:
        """The column of this name. Raises InvalidInput with the names there are."""
        for column in self.columns:
            if column.name == name:
                return column
        if name in self.unusable:
            raise InvalidInput([self.unusable[name]])
        raise unknown_column(self.path, name, [column.name for column in self.columns])

    @abstractmethod
    def chunks(self, name: str) -> Iterator[Chunk]:
        """The column in order, some rows at a time; a missing number is NaN, a missing text null."""

    @abstractmethod
    def page(self, name: str, first: int, count: int) -> list[Cell]:
        """The cells of rows [first, first + count), fewer at the end of the column; fast at any place of the file."""

    def text_chunks(self, name: str) -> Iterator[Chunk]:
        """The column as text, whole numbers included (as written, where the file is text). Raises InvalidInput for others."""
        import pyarrow as pa

        column = self.column(name)
        if column.kind not in ("text", "integer"):
            raise InvalidInput([wrong_kind(column, "text")])
        for chunk in self.chunks(name):
            yield chunk if column.kind == "text" else pa.array(chunk).cast(pa.string())

    def _texts(self, name: str, values: Array) -> Any:
        """NumPy strings of a column as an Arrow string array; keeps in mind which encoding was taken for bytes.

        Raises InvalidInput where bytes are neither UTF-8 nor Western European text.
        """
        array, western = text_and_encoding(values)
        if western and not is_western(foreign := b"\n".join(value for value in values.tolist() if not is_utf8(value))):
            shown = foreign.split(b"\n", 1)[0].decode("cp1252", "replace")[:_SHOWN_CHARACTERS]
            text = (
                f"Column {name!r} holds bytes that are not UTF-8, and as Western European text they make no words: {shown!r}."
            )
            hint = "Save it as text (UTF-8), or as numbers if the bytes are no text."
            raise InvalidInput([Problem("error", "wrong_encoding", "data", text, hint)])
        if western and self.western.get(name) != "latin-1":
            self.western[name] = western
        return array

    def named_in_first_row(self, names: Sequence[str]) -> tuple[str, ...]:
        """Which of these names stand in the first row of a file that was read without a header."""
        return ()

    def first_not_numeric(self, name: str) -> tuple[int, str] | None:
        """Row and content of the first cell that keeps a text column from being numeric."""
        return None


def unknown_column(path: Path, name: str, names: Sequence[str]) -> InvalidInput:
    """The error that a file has no such column."""
    known = ", ".join(map(repr, names[:20])) or "none"
    return InvalidInput(f"{path.name} has no column {name!r}; its columns are {known}.", "unknown_column", "data")


def wrong_kind(column: Column, wanted: str) -> Problem:
    """The problem that a column holds another kind of values than its use needs."""
    found = {"text": "text", "integer": "whole numbers", "number": "numbers", "array": f"arrays of shape {column.shape}"}
    text = f"Column {column.name!r} holds {found[column.kind]}, expected {wanted}."
    return Problem("error", "wrong_column_type", "data", text, "Bind another column or choose another codec.")


def chunk_rows(row_bytes: int) -> int:
    """How many rows to take at a time."""
    return max(1, min(CHUNK_ROWS, CHUNK_BYTES // max(1, row_bytes)))


def native(array: Array) -> Array:
    """The array in this machine's byte order."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def text_array(values: Array) -> Any:
    """NumPy strings (`U`, `S` or objects) as an Arrow string array; see `text_and_encoding`."""
    return text_and_encoding(values)[0]


def text_and_encoding(values: Array) -> tuple[Any, str]:
    """NumPy strings as an Arrow string array. Zeros at the end of fixed-width strings are padding, others characters.

    Bytes that are not UTF-8 are read as cp1252, or as Latin-1 where they are not valid in it; which of them is the second
    result, empty where all bytes are UTF-8.
    """
    import pyarrow as pa

    values = native(values)
    if values.dtype.kind == "U":  # pyarrow would end a text at its first zero
        return pa.array(values.tolist() if _has_inner_zeros(values) else values, pa.string()), ""
    if values.dtype.kind == "S" and _has_inner_zeros(values):
        return _decoded(values.tolist())
    if values.dtype.kind == "O" and not any(isinstance(value, bytes) for value in values):
        return pa.array(values, pa.string()), ""
    try:
        return pa.array(values, pa.binary()).cast(pa.string()), ""
    except pa.ArrowInvalid:
        return _decoded(values.tolist())


def _decoded(values: list[Any]) -> tuple[Any, str]:
    import pyarrow as pa

    texts, western = decoded_texts([value.encode() if isinstance(value, str) else value for value in values])
    return pa.array(texts, pa.string()), western


def _has_inner_zeros(values: Array) -> bool:
    """Whether a fixed-width string has a zero before its last character."""
    unit = np.uint32 if values.dtype.kind == "U" else np.uint8
    width = values.dtype.itemsize // np.dtype(unit).itemsize
    if not width or not len(values):
        return False
    units = np.ascontiguousarray(values).view(unit).reshape(len(values), width)
    return bool(((units[:, :-1] == 0) & (units[:, 1:] != 0)).any())


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns whatever a reader raises about a bad file into InvalidInput."""
    import zipfile
    import zlib

    try:
        yield
    except PermissionError as error:
        raise InvalidInput(f"{path} may not be read: permission denied.", "permission_denied", "data") from error
    except OSError as error:
        raise InvalidInput(_damaged(path, error.strerror or str(error)), "unreadable_file", "data") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(_damaged(path, "its text is not valid Unicode"), "unreadable_file", "data") from error
    except (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidInput(_damaged(path, str(error)), "unreadable_file", "data") from error


def _damaged(path: Path, reason: str) -> str:
    reason = " ".join(reason.split()).rstrip(".")
    return f"{path} cannot be read as a {path.suffix} file ({reason}); expected an undamaged file of that format."
