"""Opens data files and reads columns and pages of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np

from seqdec_gui.data.formats.base import Array, Cell, Column, Kind, Table, reading
from seqdec_gui.data.formats.first_bytes import fail_if_pointer, remedy
from seqdec_gui.data.formats.registry import format_of, not_readable, what_to_do
from seqdec_gui.data.formats.trial import crashes_library
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.paths import path_fault
from seqdec_gui.domain.problems import InvalidInput, Problem

__all__ = ["Array", "Cell", "Column", "Kind", "Table", "inspect", "open_table", "preview", "read"]

AS_DETECTED = Reading()
"""The options of a delimited text file whose dialect is detected completely."""
_WRONG_CONTENT = ("unreadable_file", "not_text", "bad_json_line")
"""The codes of refusals whose reason may be that a file has the wrong ending."""
_AGAIN = "Write or download it again."
"""What helps with a damaged file."""

_NAMED = 4
"""The number of columns that the refusal of a file without rows names."""


def open_table(path: Path, names: Sequence[str] | None = None, how: Reading = AS_DETECTED, bound: Sequence[str] = ()) -> Table:
    """Open a data file and list its columns; values are read on demand.

    `names` are the columns that will be needed; delimited text is read only for these, None stands for all. `how` holds the
    reading options of delimited text; a first line with one of the names in `bound` or `names` is taken for a header. Raises
    InvalidInput if the file is missing, unreadable, empty, damaged or of an unknown format.
    """
    path = Path(path)
    row = format_of(path)
    if row is None:
        raise InvalidInput([Problem("error", "unknown_format", "data", not_readable(path), what_to_do(path))])
    _check_readable(path)
    with reading(path):
        fail_if_pointer(path)
    if row.may_crash and crashes_library(path):
        text = f"{path} is damaged in a way that crashes the library that reads {row.title} files; expected an undamaged file."
        raise InvalidInput([Problem("error", "unreadable_file", "data", text, "Write the file again.")])
    table: Callable[..., Table] = row.table_class()
    try:
        with reading(path):
            opened = table(path, names, how, bound) if row.options else table(path)
    except InvalidInput as error:
        raise _with_remedy(error, path) from error
    if opened.columns and not opened.rows:
        raise _no_rows(opened)
    return opened


def _with_remedy(error: InvalidInput, path: Path) -> InvalidInput:
    """Return the refusal of a file, with what to do if its content is not what its ending says."""
    if not any(problem.code in _WRONG_CONTENT for problem in error.problems):
        return error
    if not (hint := remedy(path)):
        problems = [
            msgspec.structs.replace(problem, hint=_AGAIN) if problem.code == "unreadable_file" and not problem.hint else problem
            for problem in error.problems
        ]
        return InvalidInput(problems)
    return InvalidInput(
        [
            msgspec.structs.replace(problem, hint=hint, proposed=msgspec.UNSET) if problem.code in _WRONG_CONTENT else problem
            for problem in error.problems
        ]
    )


def _no_rows(table: Table) -> InvalidInput:
    """Return the refusal of a file that has names of columns and nothing below them, as an empty file is refused."""
    names = ", ".join(repr(column.name) for column in table.columns[:_NAMED]) + (", …" if len(table.columns) > _NAMED else "")
    if table.dialect is None:
        return InvalidInput(
            f"{table.path} is empty: its columns {names} have no rows; expected at least one.", "empty_file", "data"
        )
    text = f"{table.path} is empty but for the names of its columns ({names}); expected rows below them."
    hint = "If its first line is a row, say so: data.header=no."
    return InvalidInput([Problem("error", "empty_file", "data", text, hint)])


def inspect(path: Path, how: Reading = AS_DETECTED, names: Sequence[str] = ()) -> Table:
    """Return the table of a file, which is kept open for further calls until the file changes.

    `names` are the columns in use: a first line that was taken for a row is a header if it has one of them.
    """
    path = Path(path).absolute()
    try:
        status = path.stat()
    except OSError:
        return open_table(path, how=how)
    table = _opened(path, how, status.st_mtime_ns, status.st_size)
    bound = () if how.header != "auto" else table.named_in_first_row(names)
    return _opened(path, how, status.st_mtime_ns, status.st_size, bound) if bound else table


@lru_cache(maxsize=2)
def _opened(path: Path, how: Reading, modified_ns: int, size: int, bound: tuple[str, ...] = ()) -> Table:
    return open_table(path, how=how, bound=bound)


def read(path: Path, column: str) -> Array:
    """Read a whole column `(rows, *shape)`; texts are `str` objects, or None for a missing text."""
    table = inspect(path)
    kind = table.column(column).kind
    chunks = list(table.chunks(column))
    if kind == "text":
        return np.array([cell for chunk in chunks for cell in chunk.to_pylist()], dtype=object)
    return np.concatenate(chunks) if chunks else np.empty((0, *table.column(column).shape))


def preview(path: Path, first: int, count: int) -> dict[str, list[Cell]]:
    """Read rows [first, first + count) of every column; a shorter column has fewer cells."""
    table = inspect(path)
    return {column.name: table.page(column.name, first, count) for column in table.columns}


def _check_readable(path: Path) -> None:
    """Raise InvalidInput unless the path is an existing, readable file that is not empty."""
    if why := path_fault(str(path)):
        raise InvalidInput(f"Expected a data file, and its path {why}.", "bad_path", "data")
    if not path.exists():
        raise InvalidInput(f"{path} does not exist; expected a data file.", "missing_file", "data")
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder; expected a data file.", "not_a_file", "data")
    if not path.is_file():
        raise InvalidInput(f"{path} is a pipe or a device; expected a data file.", "not_a_file", "data")
    with reading(path), path.open("rb"):
        if path.stat().st_size == 0:
            raise InvalidInput(f"{path} is empty; expected a {path.suffix} file with rows.", "empty_file", "data")
