"""Delimited text. Arrow reads cells as text; a column is numeric if every cell of the whole file is.

In a large file, columns that begin with fractions are read as numbers at once, and as text only if that fails. The rows that
Arrow gives are compared with the records counted by `records.count_records`: a difference is an error.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from seqdec_gui.data.formats import numerals
from seqdec_gui.data.formats.base import CHUNK_ROWS, Cell, Chunk, Column, Dialect, Kind, Table, reading, unknown_column
from seqdec_gui.data.formats.bounds import fail_if_too_many_columns
from seqdec_gui.data.formats.compression import content_of
from seqdec_gui.data.formats.delimiters import DELIMITER_NAMES
from seqdec_gui.data.formats.dialect import detect
from seqdec_gui.data.formats.notation import EITHER_POINT, Decimal, Notation, rewritten, unsettled
from seqdec_gui.data.formats.ragged import ragged_hint
from seqdec_gui.data.formats.records import records
from seqdec_gui.data.formats.registry import name_within
from seqdec_gui.data.formats.settled import FileReading, of
from seqdec_gui.data.formats.settling import settled_by
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import agreeing, counted, listed

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None")
"""The cells of a numeric column that count as a missing value."""

_THREADS = 8
"""The largest number of columns that are converted to numbers at a time."""

_BLOCK_BYTES = 8 * 2**20
"""The number of bytes of a file that Arrow parses at a time."""

_MAX_BLOCK_BYTES = 2**31 - 1
"""The largest block, in bytes, that Arrow can parse."""

_LARGE_BYTES = 2**20
"""The size of a text, in bytes, from which columns of fractions are read as numbers at once."""

_FIRST_ROWS = 10
"""The number of rows that show whether a column holds fractions."""

_FIRST_BYTES = 2**20
"""The number of bytes in which they are looked for."""

_WIDE_COLUMNS = 500
"""The number of columns for which blocks have `_BLOCK_BYTES`; they grow with it, so that the chunks of columns stay long."""

_LARGEST_FACTOR = 4
"""The factor to which blocks grow for wide tables."""

_SHOWN = 5
"""The number of columns that a message names."""

_FRACTION = re.compile(r"[ \t]*[+-]?(\d+\.\d*|\.\d+|\d+[eE][+-]?\d+|\d+\.\d*[eE][+-]?\d+|\.\d+[eE][+-]?\d+)[ \t]*")
"""A cell that is a number and not a whole number, in the notation of programs."""

_NEVER_IN_NUMBERS = re.compile(r"[B-DGHJ-MO-SU-XZb-dghj-mo-su-xz]")
"""A letter that no number holds, in whichever notation, nor `inf`, `infinity` or `nan`."""

_DOUBTFUL = re.compile(rf"[ \t]*(?:{EITHER_POINT[1:-1]})?[ \t]*")
"""An empty cell, or a number that may be a whole one with a point between its thousands."""

_Read: TypeAlias = tuple[Any, tuple[Problem, ...], Notation | None]
"""The numbers of a column, or None; remarks; and the notation that its cells prove, if they do."""


class DelimitedTable(Table):
    """A file of delimited text, held in memory as Arrow strings once a column is asked for.

    `names` limits what is read from the file to these columns. `how` holds the reading options of the design.
    """

    def __init__(self, path: Path, names: Sequence[str] | None, how: Reading, bound: Sequence[str] = ()) -> None:
        super().__init__(path)
        with reading(path):
            content, dialect = detect(content_of(path), path.name, how, [*(names or ()), *bound], name_within(path))
            fail_if_too_many_columns(path, len(dialect.names))
            self.dialect: Dialect = dialect
            self.problems = dialect.problems
            self._decimal_is_set = how.decimal != "auto"
            self._settled = of(how)
            self._how = how
            self._wanted = [name for name in dialect.names if names is None or name in names]
            first = _first_rows(content, dialect)
            self._first_row = dict(zip(dialect.names, first[0], strict=False)) if first else {}
            self._never_numbers = _never_numbers(first, dialect)
            pointed = [name for name in self._wanted if (self._settled.notation(name) or Notation(".")).decimal == "."]
            fractions = _fractions(first, dialect, pointed) if len(content) >= _LARGE_BYTES else frozenset()
            read = _read_columns(path, content, dialect, self._wanted, fractions)
            del content
            self._numbers: dict[str, Any] = {name: cells for name, cells in read.items() if str(cells.type) == "double"}
            self._strings: dict[str, Any] = {name: cells for name, cells in read.items() if name not in self._numbers}
            self._notations: dict[str, Notation | None] = dict.fromkeys(self._numbers, Notation("."))
            del read
            with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:  # Arrow lets other threads run
                others = list(self._strings)
                for name, (numbers, notes, notation) in zip(others, pool.map(self._as_numbers, others), strict=True):
                    self._numbers[name] = numbers
                    self._notations[name] = notation
                    self.problems += notes
            self.problems += tuple(_said_of_spaces(path.name, self._strings, self._numbers))
        self._list(self._described(name) for name in self._wanted)

    def _described(self, name: str) -> Column:
        numbers = self._numbers[name]
        kind: Kind = "text" if numbers is None else "integer" if str(numbers.type) == "int64" else "number"
        dtype = {"text": "text", "integer": "int64", "number": "float64"}[kind]
        return Column(name, kind, dtype, (), len(self._strings[name] if numbers is None else numbers))

    def column(self, name: str) -> Column:
        try:
            return super().column(name)
        except InvalidInput as error:
            raise unknown_column(self.path, name, self.dialect.names) from error

    def named_in_first_row(self, names: Sequence[str]) -> tuple[str, ...]:
        if self.dialect.header:
            return ()
        cells = {self._first_row[name].strip() for name in self._wanted if name in self._first_row}
        return tuple(name for name in names if name in cells)

    def settled(self) -> FileReading:
        """Return how the file was read."""
        assert self.dialect is not None
        return settled_by(self._how, self.dialect, {name: self._notations[name] for name in self._of_numbers()})

    def _of_numbers(self) -> list[str]:
        return [name for name in self._wanted if self._numbers[name] is not None]

    def chunks(self, name: str) -> Iterator[Chunk]:
        column = self.column(name)
        source = self._strings[name] if column.kind == "text" else self._numbers[name]
        for chunk in source.chunks:
            for at in range(0, len(chunk), CHUNK_ROWS):
                piece = chunk.slice(at, CHUNK_ROWS)
                yield piece if column.kind == "text" else piece.to_numpy(zero_copy_only=False)

    def text_chunks(self, name: str) -> Iterator[Chunk]:
        if self.column(name).kind != "integer":
            yield from super().text_chunks(name)
            return
        for chunk in self._strings[name].chunks:
            for at in range(0, len(chunk), CHUNK_ROWS):
                yield chunk.slice(at, CHUNK_ROWS)

    def page(self, name: str, first: int, count: int) -> list[Cell]:
        column = self.column(name)
        source = self._strings[name] if column.kind == "text" else self._numbers[name]
        return list(source.slice(first, count).to_pylist())

    def first_not_numeric(self, name: str) -> tuple[int, str] | None:
        """Return the row and the content of the first cell that is not a number; None if all cells are numbers."""
        import pyarrow as pa
        import pyarrow.compute as pc

        first = 0
        for chunk in self._strings[name].chunks:
            cells = pc.utf8_trim_whitespace(chunk)
            good = pc.or_(pc.match_substring_regex(cells, numerals.ANY), pc.is_in(cells, pa.array(MISSING)))
            at = pc.index(good, False).as_py()
            if at >= 0:
                return first + at, chunk[at].as_py()
            first += len(chunk)
        return None

    def _as_numbers(self, name: str) -> _Read:
        """Return the column as int64 or float64 with nulls, remarks and its notation; None if some cell is not a number."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if name in self._never_numbers:
            return None, (), None
        cells = pc.utf8_trim_whitespace(self._strings[name])
        cells = pc.if_else(pc.is_in(cells, pa.array(MISSING)), pa.scalar(None, pa.string()), cells)
        if cells.null_count == len(cells):
            return None, (), None
        if codes := self._digit_strings(name, cells):
            return None, (codes,), None
        if (known := self._settled.notation(name)) is not None and not self._decimal_is_set:
            return self._as_settled(name, cells, known)
        if self.dialect.decimal == ".":
            with contextlib.suppress(pa.ArrowInvalid):
                numbers = _cast(cells)
                if str(numbers.type) == "int64":
                    return numbers, (), None
                pointed = pc.any(pc.match_substring(cells, ".")).as_py()
                is_sure = self._decimal_is_set or self.dialect.decimal_is_proved
                doubt = "" if is_sure else numerals.doubt_of_points(cells.drop_null(), self.dialect.delimiter)
                return numbers, self._doubts(name, doubt), Notation(".") if pointed else None
        decimal: Decimal = "," if self.dialect.decimal == "," else "."
        read = numerals.plain(cells, self.dialect.delimiter, decimal, self._decimal_is_set, self.dialect.decimal_is_proved)
        if read is None:
            return None, (), None
        if read.cells is None:
            text = f"Column {name!r} of {self.path.name} is read as text: {read.doubt}."
            hint = "Set data.decimal to the mark of these numbers."
            return None, (Problem("warning", "number_format", "data", text, hint),), None
        return _cast(read.cells), self._doubts(name, read.doubt), read.notation

    def _doubts(self, name: str, doubt: str) -> tuple[Problem, ...]:
        """Return the warning of cells that may have been meant otherwise; none without a doubt."""
        if not doubt:
            return ()
        text = f"In column {name!r} of {self.path.name} {doubt}."
        hint = "Set data.decimal to , or . (the mark that is used confirms it), or write numbers without marks "
        return (Problem("warning", "number_format", "data", text, f"{hint}between thousands."),)

    def _as_settled(self, name: str, cells: Any, known: Notation) -> _Read:
        """Read a column in the notation of the training. Raises InvalidInput for a cell with two readings."""
        import pyarrow as pa

        is_other = self.dialect.decimal_is_proved and self.dialect.decimal != known.decimal
        read = rewritten(cells, known, is_other)
        if read.doubt is not None:
            text = f"Column {name!r} of {self.path.name}, row {read.row + 1}: {read.doubt.sentence(known)}."
            raise InvalidInput([Problem("error", "number_format", "data", text, read.doubt.hint(known))])
        try:
            numbers = _cast(pa.chunked_array([read.cells]))
        except pa.ArrowInvalid:
            return None, (), None
        is_proved = self.dialect.decimal_is_proved and self.dialect.decimal == known.decimal
        if (open_cell := unsettled(cells, known, is_proved, self.dialect.delimiter == ",")) is None:
            return numbers, (), known
        text = f"In column {name!r} of {self.path.name} {open_cell.sentence()}."
        return numbers, (Problem("warning", "number_format", "data", text, open_cell.hint()),), known

    def _digit_strings(self, name: str, cells: Any) -> Problem | None:
        """Return a remark if the cells are codes of digits that would change as numbers: too long, or with leading zeros."""
        evidence = numerals.digit_strings(cells)
        if evidence is None:
            return None
        text = f"Column {name!r} of {self.path.name} is read as text: {evidence}."
        hint = "As numbers they would lose digits or leading zeros. To have numbers, write them shorter and without these."
        return Problem("info", "digit_strings", "data", text, hint)


def _said_of_spaces(file: str, strings: dict[str, Any], numbers: dict[str, Any]) -> Iterator[Problem]:
    """A warning for the columns of text in which every cell begins or ends with a space, as it does beside ` , `."""
    import pyarrow.compute as pc

    texts = {name: cells for name, cells in strings.items() if numbers[name] is None and len(cells)}
    for place, does, side in ((pc.starts_with, "begins", "behind"), (pc.ends_with, "ends", "before")):
        spaced = [name for name, cells in texts.items() if pc.all(place(cells, " ")).as_py()]
        if spaced:
            shown = listed([f"column {name!r}" for name in spaced[:_SHOWN]])
            more = f" and {counted(len(spaced) - _SHOWN, 'other')}" if len(spaced) > _SHOWN else ""
            text = f"Every cell of {shown}{more} of {file} {does} with a space, which is read as a symbol."
            hint = f"Remove the spaces {side} the delimiters if they do not belong to the text."
            yield Problem("warning", "spaces_in_cells", "data", text, hint)


def _cast(cells: Any) -> Any:
    """Convert strings to int64, or else to float64. Raises pyarrow.ArrowInvalid."""
    import pyarrow as pa

    try:
        return _shrunk(cells.cast(pa.int64()))
    except pa.ArrowInvalid:
        return cells.cast(pa.float64())


def _shrunk(numbers: Any) -> Any:
    """Convert whole numbers with missing values to float64, since integers have no NaN."""
    import pyarrow as pa

    return numbers.cast(pa.float64()) if numbers.null_count and pa.types.is_integer(numbers.type) else numbers


def _first_rows(content: bytes, dialect: Dialect) -> list[tuple[str, ...]]:
    """Return the cells of the first rows; the last may be incomplete."""
    found = records(content, dialect.delimiter, dialect.quoted, min(len(content), _FIRST_BYTES))
    return [record.cells for record in islice(found, dialect.header, dialect.header + _FIRST_ROWS)]


def _never_numbers(rows: Sequence[Sequence[str]], dialect: Dialect) -> frozenset[str]:
    """Return the columns of which one of these cells can be no number and no missing value, so that none has to be tried."""
    return frozenset(
        name
        for name, cells in zip(dialect.names, zip(*rows, strict=False), strict=False)
        if any(_NEVER_IN_NUMBERS.search(cell) and cell.strip() not in MISSING for cell in cells)
    )


def _fractions(rows: Sequence[Sequence[str]], dialect: Dialect, wanted: Sequence[str]) -> frozenset[str]:
    """Return the columns whose first cells are numbers, or missing, one of them a fraction.

    None of these can be whole numbers or codes of digits; whether all cells are numbers is found by reading them.
    """
    if dialect.decimal != ".":
        return frozenset()
    needed, found = set(wanted), []
    for name, cells in zip(dialect.names, zip(*rows, strict=False), strict=False):
        if name not in needed or not any(map(_FRACTION.fullmatch, cells)):
            continue
        if not all(map(_DOUBTFUL.fullmatch, cells)) or (dialect.delimiter == "," and all("." in cell for cell in cells)):
            found.append(name)
    return frozenset(found)


def _read_columns(
    path: Path, content: bytes, dialect: Dialect, wanted: Sequence[str], fractions: frozenset[str]
) -> dict[str, Any]:
    """Read the wanted columns as Arrow strings, those of `fractions` as float64 where all their cells are numbers.

    Raises InvalidInput if rows have different widths or if rows were lost.
    """
    import pyarrow as pa

    if not dialect.rows:
        return {name: pa.chunked_array([], pa.string()) for name in wanted}
    body = pa.py_buffer(content).slice(dialect.start)
    block_bytes = len(body) + 1 if dialect.keeps_blank_lines else _BLOCK_BYTES  # CRLF may be cut in two between blocks
    read = wanted or dialect.names[:1]
    block_bytes *= max(1, min(_LARGEST_FACTOR, len(read) // _WIDE_COLUMNS))
    while True:
        try:
            table = _parsed(body, dialect, read, min(block_bytes, _MAX_BLOCK_BYTES), fractions)
            break
        except pa.ArrowInvalid as error:
            if "straddl" in str(error) and block_bytes < min(len(body), _MAX_BLOCK_BYTES):
                block_bytes *= 4
                continue
            if fractions:  # some cell is no number in the notation of programs
                fractions = frozenset()
                continue
            if "columns" not in str(error):
                raise
            rejected: list[Any] = []
            _parsed(body, dialect, read, min(block_bytes, _MAX_BLOCK_BYTES), fractions, rejected)
            if not rejected:
                raise
            raise _ragged(path, content, dialect, len(rejected)) from error
    if table.num_rows != dialect.rows:
        raise InvalidInput(_lost(path, dialect, table.num_rows), "rows_lost", "data")
    return {name: table.column(name) for name in wanted}


def _parsed(
    body: Any,
    dialect: Dialect,
    names: Sequence[str],
    block_bytes: int,
    fractions: frozenset[str],
    rejected: list[Any] | None = None,
) -> Any:
    """Parse the text with Arrow. Rows of another width raise, unless the list `rejected` collects them."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    def reject(row: Any) -> str:
        assert rejected is not None
        rejected.append(row)
        return "skip"

    return arrow_csv.read_csv(
        pa.BufferReader(body),
        arrow_csv.ReadOptions(
            column_names=list(dialect.names), block_size=block_bytes, use_threads=rejected is None, encoding="utf-8"
        ),
        arrow_csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char='"' if dialect.quoted else False,
            newlines_in_values=dialect.breaks > 0,
            ignore_empty_lines=not dialect.keeps_blank_lines,
            invalid_row_handler=None if rejected is None else reject,
        ),
        arrow_csv.ConvertOptions(
            column_types={name: pa.float64() if name in fractions else pa.string() for name in dialect.names},
            include_columns=list(names),
            strings_can_be_null=False,
            null_values=list(MISSING),
        ),
    )


def _ragged(path: Path, content: bytes, dialect: Dialect, count: int) -> InvalidInput:
    """Return the error that rows have more or fewer cells than the first line."""
    width = len(dialect.names)
    bad = next(record for record in records(content, dialect.delimiter, dialect.quoted) if len(record.cells) != width)
    line = bad.line + dialect.lines_before
    separator = DELIMITER_NAMES.get(dialect.delimiter, "line ends")
    text = (
        f"{path.name} has {counted(count, 'row')} with another number of cells than its first line: expected {width} "
        f"({separator} between them), the first has {len(bad.cells)} (line {line} of the file)."
    )
    if dialect.fault_line:
        text += (
            f" In line {dialect.fault_line} a cell begins with a quote that does not close at the end of a cell, so quotes "
            "could not be used to tell cells apart."
        )
        hint = "Close that quote, or write quotes inside a quoted text twice."
        return InvalidInput([Problem("error", "open_quote", "data", text, hint)])
    return InvalidInput([Problem("error", "ragged_rows", "data", text, ragged_hint(content, dialect))])


def _lost(path: Path, dialect: Dialect, rows: int) -> str:
    """Return the sentence that Arrow read another number of rows than were counted."""
    return (
        f"{path.name} has {counted(dialect.rows, 'row')} behind line {dialect.lines_before + dialect.header}, but "
        f"{agreeing(rows, 'row', 'were')} read from it; expected the same number. Report this file; until then save "
        "it as .parquet."
    )
