"""Streams of the rows for one port, from bound columns of files or from values in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from seqdec_gui.data.formats.base import CHUNK_ROWS, Array, Chunk, Column, Kind, Table, chunk_rows, text_array, wrong_kind
from seqdec_gui.data.formats.registry import suffixes_of_arrays
from seqdec_gui.domain.problems import InvalidInput, Problem

_KEPT_BYTES = 512 * 2**20
"""The largest size, in bytes, of the matrix of several columns that is kept between passes over their rows."""

_NAMED = 8
"""The number of columns of a group that its label names."""

_SEVERAL_NUMBERS = re.compile(r"[\s\[(]*[-+.\d][-+.\deE]*([\s,;]+[-+.\d][-+.\deE]*)+[\s\])]*")
"""A cell that holds several numbers, such as `[1, 2, 3]`."""


class Source(Protocol):
    """The rows of one port. `shape` is the shape of one row. Both readers may be called repeatedly."""

    label: str
    kind: Kind
    shape: tuple[int, ...]
    rows: int

    def texts(self) -> Iterator[Chunk]:
        """Yield Arrow string arrays. Raises InvalidInput if the rows hold neither text nor whole numbers."""

    def numbers(self) -> Iterator[Array]:
        """Yield arrays `(rows of the chunk, *shape)`. Raises InvalidInput if the rows hold text."""


class ColumnSource:
    """The rows of one column, or of several numeric columns that make up a vector."""

    def __init__(self, table: Table, columns: Sequence[Column]) -> None:
        first = columns[0]
        self._matrix: Array | None = None
        """The rows of several columns, once they were read, unless they are too large to keep."""
        self._table = table
        self._columns = columns
        self.columns = tuple(column.name for column in columns)
        self.rows = first.rows
        names = ", ".join(repr(column.name) for column in columns[:_NAMED])
        names += f" and {len(columns) - _NAMED:,} more" if len(columns) > _NAMED else ""
        self.label = f"Column {names}" if len(columns) == 1 else f"The group of columns {names}"
        self.kind: Kind = first.kind if len(columns) == 1 else "array"
        self.shape = first.shape if len(columns) == 1 else (len(columns),)

    def texts(self) -> Iterator[Chunk]:
        if len(self._columns) > 1:
            text = f"{self.label} is bound as one vector, which only numbers can be; expected one column of text."
            raise InvalidInput([Problem("error", "wrong_column_type", "data", text, "Bind one column.")])
        yield from self._table.text_chunks(self._columns[0].name)

    def numbers(self) -> Iterator[Array]:
        for column in self._columns:
            self._require_numeric(column)
        if len(self._columns) == 1:
            yield from self._table.chunks(self._columns[0].name)
            return
        if self._matrix is not None:
            size = chunk_rows(8 * len(self._columns))
            for at in range(0, self.rows, size):
                yield self._matrix[at : at + size]
            return
        if self.rows * len(self._columns) * 8 <= _KEPT_BYTES:
            self._matrix = self._read_matrix()
            yield from self.numbers()
            return
        parts = [np.concatenate([*self._table.chunks(column.name), np.empty(0)]) for column in self._columns]
        for at in range(0, self.rows, CHUNK_ROWS):
            yield np.stack([part[at : at + CHUNK_ROWS] for part in parts], axis=1)

    def _read_matrix(self) -> Array:
        """Return the values of several columns, float64 `(rows, columns)`, some rows of all columns at a time."""
        matrix = np.empty((self.rows, len(self._columns)))
        row = 0
        streams = [self._table.chunks(column.name) for column in self._columns]
        for pieces in zip(*streams, strict=True):
            if len({len(piece) for piece in pieces}) > 1:  # cut differently: a column at a time
                return self._read_matrix_by_column()
            part = np.stack(pieces)
            matrix[row : row + part.shape[1]] = part.T
            row += part.shape[1]
        return matrix

    def _read_matrix_by_column(self) -> Array:
        matrix = np.empty((self.rows, len(self._columns)))
        for place, column in enumerate(self._columns):
            row = 0
            for chunk in self._table.chunks(column.name):
                matrix[row : row + len(chunk), place] = chunk
                row += len(chunk)
        return matrix

    def part_names(self) -> tuple[str, ...]:
        """Return what the numbers of a single column of vectors are called, by a text column of as many rows in its file.

        That column is called `names`, `feature_names`, or like the vectors with `_names`; empty where there is none.
        """
        if len(self._columns) != 1 or self.kind != "array" or len(self.shape) != 1:
            return ()
        wanted = (f"{self.columns[0]}_names", "names", "feature_names")
        found = {column.name: column for column in self._table.columns}
        for name in wanted:
            column = found.get(name)
            if column is not None and column.kind == "text" and column.rows == self.shape[0] != self.rows:
                names = tuple("" if cell is None else str(cell).strip() for cell in self._table.page(name, 0, column.rows))
                if all(names) and len(set(names)) == len(names):
                    return names
        return ()

    @property
    def is_group(self) -> bool:
        """Whether several columns make up a vector; `numbers` reads them completely into memory then."""
        return len(self._columns) > 1

    def western(self) -> dict[str, str]:
        """Return the encoding of each column of bytes that is not UTF-8; complete once all rows have been read."""
        names = [column.name for column in self._columns]
        return {name: encoding for name, encoding in self._table.western.items() if name in names}

    def unread(self) -> dict[str, dict[int, str]]:
        """Return why cells of each column are missing values, by row; complete once all rows have been read."""
        names = [column.name for column in self._columns]
        return {name: reasons for name, reasons in self._table.unread_cells.items() if name in names and reasons}

    def page(self, first: int, count: int, as_text: bool = False) -> RowSource:
        """Return rows [first, first + count). With `as_text`, whole numbers are texts as they stand in the file."""
        if as_text and self.kind == "integer":
            return RowSource(self.label, _slice_of(self.texts(), first, count))
        cells = [self._table.page(column.name, first, count) for column in self._columns]
        if self.kind == "text":
            return RowSource(self.label, ["" if cell is None else str(cell) for cell in cells[0]])
        parts = [np.array([np.nan if cell is None else cell for cell in each]) for each in cells]
        return RowSource(self.label, parts[0] if len(parts) == 1 else np.stack(parts, axis=1))

    def _require_numeric(self, column: Column) -> None:
        """Raise InvalidInput if the column holds text, with the first cell that is not a number."""
        if column.kind == "text":
            offender = self._table.first_not_numeric(column.name)
            problem = wrong_kind(column, "numbers")
            if offender:
                row, cell = offender
                text = f"Column {column.name!r} holds text, expected numbers: row {row + 1} is {_shortened(cell)!r}."
                several = f"Give every number a column of its own, or save them as an array in {suffixes_of_arrays()}."
                hint = several if _SEVERAL_NUMBERS.fullmatch(cell) else problem.hint
                problem = Problem("error", "wrong_column_type", "data", text, hint)
            raise InvalidInput([problem])
        if column.shape and len(self._columns) > 1:
            raise InvalidInput([wrong_kind(column, "single numbers, as several columns are bound together")])


class RowSource:
    """The rows of values in memory: strings, or an array whose first axis counts the rows."""

    def __init__(self, label: str, values: Sequence[str] | Array) -> None:
        self.label = label
        self.rows = len(values)
        self._values = values if isinstance(values, np.ndarray) else np.array(list(values), dtype=object)
        text = self._values.dtype.kind in "OUS"
        self.kind: Kind = "text" if text else "array" if self._values.ndim > 1 else "number"
        if self.kind == "number" and self._values.dtype.kind in "biu":
            self.kind = "integer"
        self.shape = self._values.shape[1:]

    def texts(self) -> Iterator[Chunk]:
        if self.kind not in ("text", "integer"):
            raise InvalidInput([wrong_kind(Column(self.label, self.kind, "", self.shape, self.rows), "text")])
        for at in range(0, self.rows, CHUNK_ROWS):
            piece = self._values[at : at + CHUNK_ROWS]
            yield text_array(piece if self.kind == "text" else piece.astype(str))

    def row(self, row: int, label: str) -> RowSource:
        """Return the rows of one row alone, under this label."""
        return RowSource(label, self._values[row : row + 1])

    def rows_at(self, rows: Array) -> RowSource:
        """Return these rows alone."""
        return RowSource(self.label, self._values[rows])

    def numbers(self) -> Iterator[Array]:
        if self.kind == "text":
            raise InvalidInput([wrong_kind(Column(self.label, self.kind, "", self.shape, self.rows), "numbers")])
        for at in range(0, self.rows, CHUNK_ROWS):
            yield self._values[at : at + CHUNK_ROWS]


class NumberSurvey(NamedTuple):
    """The properties of numeric rows. Rows count from 0."""

    bad: int
    """The number of rows with a value that is not finite in float32."""
    bad_row: int
    """The first such row, -1 for none."""
    low: float
    high: float
    integral: bool
    one_hot: bool
    """Whether every row has at most a single 1 and otherwise zeros along the last axis, whose size is at least 2."""
    hollow: bool
    """Whether a one-hot array has places without a 1."""
    mean: Array
    """The mean over the training rows and all axes but the last, float64."""
    deviation: Array
    """The standard deviation over the same axes, float64."""
    binary: Array
    """Whether every value of the training rows is -1, 0 or 1, in the shape of `mean`."""
    lowest: Array
    """The least value of the training rows, in the shape of `mean`; infinity without rows."""
    highest: Array
    """The greatest value of the training rows; minus infinity without rows."""


def survey_numbers(source: Source, training: Array | None = None, fill: Array | None = None) -> NumberSurvey:
    """Survey all rows in one pass; mean and deviation are those of the rows where `training` (bool, one per row) is true.

    Rows with a value that is not finite count for nothing else. Missing values (NaN) are taken for `fill`, if that is given.
    """
    row, bad, bad_row, low, high = 0, 0, -1, np.inf, -np.inf
    integral, one_hot, hollow = True, bool(source.shape) and source.shape[-1] > 1, False
    count, mean, squares = 0, np.zeros(source.shape[-1:]), np.zeros(source.shape[-1:])
    binary = np.ones(source.shape[-1:], bool)
    lowest, highest = np.full(binary.shape, np.inf), np.full(binary.shape, -np.inf)
    for chunk in source.numbers():
        here = len(chunk)
        if fill is not None and chunk.dtype.kind == "f":
            chunk = np.where(np.isnan(chunk), fill, chunk)
        finite = finite_rows(chunk)
        if not finite.all():
            if bad_row < 0:
                bad_row = row + int(np.argmin(finite))
            bad += int(np.count_nonzero(~finite))
        chosen = finite if training is None else finite & training[row : row + here]
        used = chunk if chosen.all() else chunk[chosen]
        chunk = chunk if finite.all() else chunk[finite]
        if chunk.size:
            low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
            integral = integral and (chunk.dtype.kind != "f" or bool((chunk == np.trunc(chunk)).all()))
            one_hot = one_hot and integral and low >= 0 and high <= 1
            if one_hot:
                ones = chunk.sum(axis=-1)
                one_hot, hollow = bool((ones <= 1).all()), hollow or bool((ones == 0).any())
            count, mean, squares = _combined(count, mean, squares, used)
            values = used.reshape(-1, *binary.shape)
            if len(values):
                lowest, highest = np.minimum(lowest, values.min(axis=0)), np.maximum(highest, values.max(axis=0))
            if binary.any():
                binary &= ((values == 0) | (values == 1) | (values == -1)).all(axis=0)
        row += here
    if high < 1:
        one_hot = False
    deviation = np.sqrt(squares / max(count, 1))
    return NumberSurvey(
        bad, bad_row, low, high, integral, one_hot, one_hot and hollow, mean, deviation, binary, lowest, highest
    )  # fmt: skip


def _slice_of(chunks: Iterator[Chunk], first: int, count: int) -> list[str]:
    """Return the texts of rows [first, first + count) of a stream of Arrow arrays."""
    texts: list[str] = []
    for chunk in chunks:
        if first < len(chunk):
            texts += [text or "" for text in chunk.slice(max(first, 0), count - len(texts)).to_pylist()]
            if len(texts) >= count:
                break
        first -= len(chunk)
    return texts


def means_of_present(source: Source, training: Array) -> Array:
    """Return the mean of every number along the last axis over the training rows, without missing and infinite values."""
    shape = source.shape[-1:]
    total, count, row = np.zeros(shape), np.zeros(shape, np.int64), 0
    for chunk in source.numbers():
        values = chunk[training[row : row + len(chunk)]].astype(np.float64).reshape(-1, *shape)
        row += len(chunk)
        finite = np.isfinite(values)
        total += np.where(finite, values, 0.0).sum(axis=0)
        count += finite.sum(axis=0)
    means: Array = total / np.maximum(count, 1)
    return means


def finite_rows(chunk: Array, fills: bool = False) -> Array:
    """Return which rows hold no value that is not finite in float32 (bool); with `fills`, NaN counts as finite."""
    if chunk.dtype.kind != "f":
        return np.ones(len(chunk), bool)
    with np.errstate(over="ignore"):
        values = chunk.astype(np.float32, copy=False).reshape(len(chunk), -1)
    finite: Array = (np.isfinite(values) | np.isnan(values) if fills else np.isfinite(values)).min(axis=1, initial=True)
    return finite


def _combined(count: int, mean: Array, squares: Array, chunk: Array) -> tuple[int, Array, Array]:
    """Update count, mean and sum of squared differences with these rows (Chan, Golub and LeVeque 1979)."""
    values: Array = chunk.reshape(-1, *mean.shape).astype(np.float64)
    if not len(values):
        return count, mean, squares
    own_mean = values.mean(axis=0)
    own_squares = np.square(values - own_mean).sum(axis=0)
    total, delta = count + len(values), own_mean - mean
    return total, mean + delta * (len(values) / total), squares + own_squares + np.square(delta) * (count * len(values) / total)


def _shortened(text: Any) -> str:
    return str(text) if len(str(text)) <= 40 else f"{str(text)[:37]}..."
