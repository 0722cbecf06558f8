"""The interface of every data file: a table of named columns, read in chunks or by the page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import numpy as np

from seqdec_gui.data.formats.encodings import (
    MARKS,
    PROPOSED,
    STRAY,
    WRONG_BYTES,
    Marked,
    decoded_texts,
    is_utf8,
    is_western,
    proposal,
)
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError

if TYPE_CHECKING:
    from seqdec_gui.data.formats.settled import FileReading

Kind = Literal["text", "integer", "number", "array"]
Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Chunk: TypeAlias = Any
"""Some rows of a column: a `pyarrow` string array (text) or a NumPy array (everything else)."""
Cell: TypeAlias = str | int | float | Array | None

CHUNK_BYTES = 8 * 2**20
"""The size, in bytes, that a chunk of a column has at most, unless a single row is larger."""

CHUNK_ROWS = 65_536
"""The largest number of rows in a chunk."""

_SHOWN_CHARACTERS = 40
"""The number of characters of a text that a message shows."""

_PROGRAM = __name__.partition(".")[0]
_MISTAKES = (AssertionError, AttributeError, LookupError, NameError, NotImplementedError, TypeError, ZeroDivisionError)
"""What mistakes in code raise. From a library these may be due to a damaged file."""

_SHOWN_REASON = 300
"""The number of characters of an error of a library that a message shows."""


class Column(msgspec.Struct, frozen=True):
    """One column. `shape` is that of one row, `()` for a single value; `kind` "array" means numbers of any other shape."""

    name: str
    kind: Kind
    dtype: str
    shape: tuple[int, ...]
    rows: int


class Dialect(msgspec.Struct, frozen=True):
    """The dialect of a delimited text file.

    `names` are the names of its columns. The rows begin at byte `start` of the text that `data.formats.dialect.detect` returns
    with the dialect.
    """

    encoding: str
    delimiter: str
    quoted: bool
    header: bool
    names: tuple[str, ...]
    start: int
    lines_before: int
    """The number of empty lines and comment lines of the file before that text."""
    rows: int
    """The number of rows, counted independently of the reader of their values."""
    keeps_blank_lines: bool
    """Whether empty lines are rows without a value, as in a file with a single column."""
    breaks: int
    """The number of line ends inside quoted cells."""
    fault_line: int
    """The line of the first unclosed quote, for which quotes are read as text; 0 if there is none."""
    decimal: str = "."
    """The decimal mark, a point or a comma."""
    decimal_is_proved: bool = False
    """Whether some column can only be read with that mark, and none only with the other."""
    comment: str = ""
    """What the lines begin with that were skipped as comments; empty if none were."""
    has_quotes: bool = False
    """Whether there is a quoted cell, as far as quotes are removed."""
    whole_lines: bool = False
    """Whether every line is one text; `delimiter` is a character that does not occur then."""
    empty_end: int = 0
    """The number of empty lines at the end of the file, which are no rows of a training."""
    problems: tuple[Problem, ...] = ()


class Table(ABC):
    """An open data file. Rows are counted from 0 here and from 1 in every message; a header is not a row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: tuple[Column, ...] = ()
        self._by_name: dict[str, Column] = {}
        self.problems: tuple[Problem, ...] = ()
        """Warnings about the file as a whole."""
        self.unusable: dict[str, Problem] = {}
        """The arrays of the file that cannot be columns, by name, each with the reason."""
        self.unusable_cells: dict[str, list[Any]] = {}
        """The cells of those of them of which single rows may be usable, by name; None is a missing value."""
        self.has_names = True
        """Whether the names of the columns stand in the file."""
        self.dialect: Dialect | None = None
        """The dialect of delimited text; None for other formats."""
        self._how = Reading()
        """The options that apply to its texts."""
        self.western: dict[str, str] = {}
        """The encoding of each column of bytes that is not UTF-8; a column enters when it is read."""
        self.unread_cells: dict[str, dict[int, str]] = {}
        """Why cells of a column have no values, by its name and the row from 0; complete once it is read.

        Such a text is missing, such a list of numbers infinite."""

    def _list(self, columns: Iterable[Column]) -> None:
        """Set `columns`; a column whose rows hold no values goes to `unusable`."""
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
        if len(self._by_name) != len(self.columns):
            self._by_name = {column.name: column for column in reversed(self.columns)}
        if name in self._by_name:
            return self._by_name[name]
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
        """Convert NumPy strings of a column to an Arrow string array, and note in `western` the encoding that was used.

        Raises InvalidInput if bytes are neither UTF-8 nor Western European text.
        """
        if self._how.wrong_bytes == "replace":
            return self._texts_as_set(name, values)
        if self._how.encoding != "auto" and values.dtype.kind in "SO":
            return self._texts_as_set(name, values)
        array, western = text_and_encoding(values)
        foreign = b"\n".join(value for value in values.tolist() if not is_utf8(value)) if western else b""
        if western == "latin-1" or (western and not is_western(foreign)):
            if self._how.wrong_bytes != "refuse":
                return self._texts_as_set(name, values)
            shown = foreign.split(b"\n", 1)[0].decode("cp1252", "replace")[:_SHOWN_CHARACTERS]
            text = (
                f"Column {name!r} holds bytes that are not UTF-8, and as Western European text they make no words: {shown!r}."
            )
            hint = f"Set data.encoding; or save it as text (UTF-8), or as numbers if the bytes are no text; {WRONG_BYTES}."
            found = proposal(foreign)
            proposed = f"data.encoding={found.encoding}" if found else PROPOSED
            hint = f"{found.hint if found else ''}{hint}"
            raise InvalidInput([Problem("error", "wrong_encoding", "data", text, hint, proposed=proposed)])
        if western:
            self.western[name] = western
        return array

    def _texts_as_set(self, name: str, values: Array) -> Any:
        """Convert bytes in the encoding that is set, with marks for those that are no text if these are asked for."""
        import pyarrow as pa

        encoding = "utf-8" if self._how.encoding == "auto" else self._how.encoding
        marked = None if self._how.wrong_bytes == "refuse" else Marked(MARKS[self._how.wrong_bytes])
        texts = []
        for value in values.tolist():
            try:
                if isinstance(value, bytes):
                    value = marked.decode(value, encoding) if marked else value.decode(encoding)
            except UnicodeDecodeError as error:
                wrong = f"Column {name!r} holds bytes that are not valid in {encoding}: {value[:_SHOWN_CHARACTERS]!r}."
                hint = f"Set data.encoding to their encoding; {WRONG_BYTES}."
                raise InvalidInput([Problem("error", "wrong_encoding", "data", wrong, hint, proposed=PROPOSED)]) from error
            if marked and isinstance(value, str) and self._how.wrong_bytes == "replace":
                value, controls = STRAY.subn(MARKS["replace"], value)
                marked.count += controls
            texts.append(value)
        if marked and marked.count:
            self.western[name] = f"{encoding} with {MARKS[self._how.wrong_bytes]!a} for bytes that are no text in it"
        return pa.array(texts, pa.string())

    def settled(self) -> FileReading | None:
        """Return how the file was read, where that takes a decision; None for formats that say it themselves."""
        return None

    def named_in_first_row(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of the names that stand in the first row of a file that was read without a header."""
        return ()

    def first_not_numeric(self, name: str) -> tuple[int, str] | None:
        """Return the row and the content of the first cell that keeps a text column from being numeric; None if unknown."""
        return None


def unknown_column(path: Path, name: str, names: Sequence[str]) -> InvalidInput:
    """Return the error that a file has no such column."""
    known = ", ".join(map(repr, names[:20])) or "none"
    return InvalidInput(f"{path.name} has no column {name!r}; its columns are {known}.", "unknown_column", "data")


def wrong_kind(column: Column, wanted: str) -> Problem:
    """Return the problem that a column holds another kind of values than its use needs."""
    contents = {"text": "text", "integer": "whole numbers", "number": "numbers", "array": f"arrays of shape {column.shape}"}
    text = f"Column {column.name!r} holds {contents[column.kind]}, expected {wanted}."
    return Problem("error", "wrong_column_type", "data", text, "Bind another column or choose another codec.")


def chunk_rows(row_bytes: int) -> int:
    """Return the number of rows in a chunk, given the size of a row in bytes."""
    return max(1, min(CHUNK_ROWS, CHUNK_BYTES // max(1, row_bytes)))


def native(array: Array) -> Array:
    """The array in this machine's byte order."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def text_array(values: Array) -> Any:
    """Convert NumPy strings (`U`, `S` or objects) to an Arrow string array; see `text_and_encoding`."""
    return text_and_encoding(values)[0]


def text_and_encoding(values: Array) -> tuple[Any, str]:
    """Convert NumPy strings to an Arrow string array. Zeros at the end of fixed-width strings are padding.

    Bytes that are not UTF-8 are decoded as cp1252, or as Latin-1 if they are not valid in cp1252. The second result is the
    name of that encoding; it is empty if all bytes are UTF-8.
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
    """Return whether a fixed-width string has a zero before its last character."""
    unit = np.uint32 if values.dtype.kind == "U" else np.uint8
    width = values.dtype.itemsize // np.dtype(unit).itemsize
    if not width or not len(values):
        return False
    units = np.ascontiguousarray(values).view(unit).reshape(len(values), width)
    return bool(((units[:, :-1] == 0) & (units[:, 1:] != 0)).any())


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a reader raises about a bad file into InvalidInput."""
    try:
        yield
    except PermissionError as error:
        raise InvalidInput(f"{path} may not be read: permission denied.", "permission_denied", "data") from error
    except OSError as error:
        raise InvalidInput(_damaged(path, error.strerror or str(error)), "unreadable_file", "data") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(_damaged(path, "its text is not valid Unicode"), "unreadable_file", "data") from error
    except MemoryError as error:
        text = f"{path.name} needs more memory than there is."
        hint = "Close other programs, or save its rows as .parquet, which is read piece by piece."
        raise InvalidInput([Problem("error", "too_large_file", "data", text, hint)]) from error
    except SeqdecError:
        raise
    except Exception as error:  # libraries raise anything for damaged files, down to errors about their own variables
        if isinstance(error, _MISTAKES) and (place := _place_in_program(error)):
            text = f"{path} was not read, because of a fault of the program: {type(error).__name__} in {place} ({error})."
            hint = (
                "The file may be right. Report this sentence, with the file or a few rows like its own; until then save it as "
                "another kind of file."
            )
            raise InvalidInput([Problem("error", "program_fault", "data", text, hint)]) from error
        raise InvalidInput(_damaged(path, str(error)), "unreadable_file", "data") from error


def _place_in_program(error: Exception) -> str:
    """Return the module and line of this program that raised an error; empty if a library raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return f"{module}, line {trace.tb_lineno}" if trace is not None and module.split(".")[0] == _PROGRAM else ""


def _damaged(path: Path, reason: str) -> str:
    reason = " ".join(reason[:_SHOWN_REASON].split()).rstrip(".")
    return f"{path} cannot be read as a {path.suffix} file ({reason}); expected an undamaged file of that format."
