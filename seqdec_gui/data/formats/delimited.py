""".csv and .tsv. All cells are read as text by Arrow; a column is numeric if every cell of the whole file is."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seqdec_gui.data.formats import numerals
from seqdec_gui.data.formats.base import CHUNK_ROWS, Cell, Chunk, Column, Kind, Table, reading, unknown_column
from seqdec_gui.data.formats.dialect import Dialect, detect
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None")
_BLOCK_BYTES = 8 * 2**20


class DelimitedTable(Table):
    """A CSV or TSV file, held in memory as Arrow strings once a column is asked for.

    `names` limits what is read from the file to these columns.
    """

    def __init__(self, path: Path, names: Sequence[str] | None = None) -> None:
        super().__init__(path)
        with reading(path):
            self._dialect: Dialect = detect(path)
            self.problems = self._dialect.problems
            self._wanted = [name for name in self._dialect.names if names is None or name in names]
            self._strings: dict[str, Any] = _read_strings(path, self._dialect, self._wanted)
            self._numbers: dict[str, Any] = {name: self._as_numbers(name) for name in self._wanted}
        self._list(self._described(name) for name in self._wanted)

    def _described(self, name: str) -> Column:
        numbers = self._numbers[name]
        kind: Kind = "text" if numbers is None else "integer" if str(numbers.type) == "int64" else "number"
        dtype = {"text": "text", "integer": "int64", "number": "float64"}[kind]
        return Column(name, kind, dtype, (), len(self._strings[name]))

    def column(self, name: str) -> Column:
        try:
            return super().column(name)
        except InvalidInput as error:
            raise unknown_column(self.path, name, self._dialect.names) from error

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

    def _as_numbers(self, name: str) -> Any:
        """The column as int64 or float64 with nulls, or None if some cell is no number."""
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = pc.utf8_trim_whitespace(self._strings[name])
        cells = pc.if_else(pc.is_in(cells, pa.array(MISSING)), pa.scalar(None, pa.string()), cells)
        if cells.null_count == len(cells):
            return None
        with contextlib.suppress(pa.ArrowInvalid):
            return _cast(cells)
        found = numerals.plain(cells, self._dialect.delimiter)
        if found is None:
            return None
        if found.doubt:
            text = f"In column {name!r} of {self.path.name} {found.doubt}."
            hint = "Write numbers without marks between thousands, and with decimal points, to be sure."
            self.problems += (Problem("warning", "number_format", "data", text, hint),)
        return _cast(found.cells)


def _cast(cells: Any) -> Any:
    """Strings as int64, else as float64. Raises pyarrow.ArrowInvalid."""
    import pyarrow as pa

    try:
        return _shrunk(cells.cast(pa.int64()))
    except pa.ArrowInvalid:
        return cells.cast(pa.float64())


def _shrunk(numbers: Any) -> Any:
    """Whole numbers with gaps as float64: only that has a NaN."""
    import pyarrow as pa

    return numbers.cast(pa.float64()) if numbers.null_count and pa.types.is_integer(numbers.type) else numbers


def _read_strings(path: Path, dialect: Dialect, wanted: Sequence[str]) -> dict[str, Any]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    header = dialect.raw_names
    included = set(wanted)

    def read(rejected: list[Any] | None = None) -> Any:
        def reject(row: Any) -> str:
            assert rejected is not None
            rejected.append(row)
            return "skip"

        return arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(
                encoding="utf-8" if dialect.encoding == "utf-8-sig" else dialect.encoding,
                block_size=_BLOCK_BYTES,
                use_threads=rejected is None,
            ),
            arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                newlines_in_values=True,
                invalid_row_handler=None if rejected is None else reject,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                include_columns=[name for name in header if name.strip() in included],
                strings_can_be_null=False,
            ),
        )

    try:
        table = read()
    except pa.ArrowInvalid as error:
        if "columns" not in str(error):
            raise
        rejected: list[Any] = []
        read(rejected)
        if not rejected:
            raise
        raise InvalidInput(_ragged(path, rejected, len(header)), "ragged_rows", "data") from error
    _fail_if_a_quote_stays_open(path, dialect, table.num_rows)
    places = {name.strip(): place for place, name in enumerate(table.column_names)}
    return {name: table.column(places[name]) for name in wanted}


def _fail_if_a_quote_stays_open(path: Path, dialect: Dialect, rows: int) -> None:
    """Arrow takes all that follows an open quote for one value, however many rows it was."""
    with path.open("rb") as file:
        quotes = sum(block.count(b'"') for block in iter(lambda: file.read(1 << 20), b""))
    if quotes % 2 == 0 or not rows:
        return
    with path.open(encoding=dialect.encoding, newline="") as text:
        try:
            for _ in csv.reader(text, delimiter=dialect.delimiter, strict=True):
                pass
        except csv.Error as error:
            if "unexpected end" not in str(error):
                return
        else:
            return
    raise InvalidInput(
        f"{path.name} opens a quote that is never closed, in row {rows}: all that follows would be one value. "
        "Close it, or write the quotes inside a text twice and quotes around it.",
        "open_quote",
        "data",
    )


def _ragged(path: Path, rejected: list[Any], width: int) -> str:
    first = rejected[0]
    line = "" if first.number is None else f" (line {first.number} of the file)"
    return (
        f"{path.name} has {counted(len(rejected), 'row')} with another number of fields than its header: expected {width}, "
        f"the first has {first.actual_columns}{line}; quote fields that hold the delimiter."
    )
