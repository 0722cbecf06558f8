""".parquet: listed from its metadata, read by row group; a column of equally long lists is an array column."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.formats.base import CHUNK_ROWS, Array, Cell, Chunk, Column, Kind, Table, reading
from seqdec_gui.domain.problems import InvalidInput, Problem

_KEPT_GROUPS = 4
"""The number of row groups per column that are kept in memory for pages."""


class ParquetTable(Table):
    """A Parquet file; the row groups that pages were last read from are kept in memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._groups: OrderedDict[tuple[str, int], Any] = OrderedDict()
        with reading(path):
            import pyarrow.parquet as pq

            self._file = pq.ParquetFile(path, memory_map=True)
            metadata = self._file.metadata
            sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
            self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
            names = [field.name for field in self._file.schema_arrow]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                listed = ", ".join(map(repr, twice))
                raise InvalidInput(f"{path.name} has several columns named {listed}; rename them.", "duplicate_column", "data")
            described = [self._described(field, int(metadata.num_rows)) for field in self._file.schema_arrow]
        self._list(column for column in described if column)

    def _described(self, field: Any, rows: int) -> Column | None:
        """Return the column of a Parquet field; None if its type cannot be used, which goes to `unusable`."""
        import pyarrow as pa

        arrow_type, shape = field.type, []
        if pa.types.is_dictionary(arrow_type):
            arrow_type = arrow_type.value_type
        if _is_list(arrow_type):
            first = self._first_value(field.name)
            while _is_list(arrow_type):
                shape.append(len(first) if first is not None else 0)
                first = first[0] if first else None
                arrow_type = arrow_type.value_type
        kind = _kind(arrow_type)
        if kind is None or (shape and kind == "text"):
            text = f"Column {field.name!r} has values of type {field.type}; expected numbers, text or lists of numbers."
            self.unusable[field.name] = Problem("error", "unusable_array", "data", text)
            return None
        return Column(field.name, "array" if shape else kind, _dtype_name(arrow_type, kind), tuple(shape), rows)

    def _first_value(self, name: str) -> Any:
        """Return the first value that is not missing; None if all are."""
        for batch in self._file.iter_batches(batch_size=256, columns=[name]):
            for value in batch.column(0):
                if value.is_valid:
                    return value.as_py()
        return None

    def chunks(self, name: str) -> Iterator[Chunk]:
        column = self.column(name)
        with reading(self.path):
            first = 0
            for batch in self._file.iter_batches(batch_size=CHUNK_ROWS, columns=[name]):
                yield self._values(column, batch.column(0), first)
                first += batch.num_rows

    def text_chunks(self, name: str) -> Iterator[Chunk]:
        import pyarrow as pa

        if self.column(name).kind != "integer":
            yield from super().text_chunks(name)
            return
        with reading(self.path):  # through NumPy, missing whole numbers would make all of them floats
            for batch in self._file.iter_batches(batch_size=CHUNK_ROWS, columns=[name]):
                chunk = _decoded(batch.column(0))
                yield (chunk.cast(pa.uint8()) if pa.types.is_boolean(chunk.type) else chunk).cast(pa.string())

    def page(self, name: str, first: int, count: int) -> list[Cell]:
        column, cells = self.column(name), []
        last = min(first + count, column.rows)
        with reading(self.path):
            while first < last:
                group = int(np.searchsorted(self._starts, first, side="right")) - 1
                start = int(self._starts[group])
                piece = self._group(name, group).slice(first - start, last - first)
                cells.extend(piece.to_pylist())
                first += len(piece)
        return [np.asarray(cell) for cell in cells] if column.shape else cells

    def _group(self, name: str, group: int) -> Any:
        key = (name, group)
        if key not in self._groups:
            self._groups[key] = self._file.read_row_group(group, columns=[name]).column(0).combine_chunks()
            while len(self._groups) > _KEPT_GROUPS * max(1, len(self.columns)):
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        return self._groups[key]

    def _values(self, column: Column, chunk: Any, first: int) -> Chunk:
        import pyarrow as pa

        chunk = _decoded(chunk)
        if column.kind == "text":
            return chunk.cast(pa.large_string())
        if column.shape:
            return _rectangular(column, chunk, first)
        if pa.types.is_decimal(chunk.type) or pa.types.is_boolean(chunk.type):
            chunk = chunk.cast(pa.float64() if pa.types.is_decimal(chunk.type) else pa.uint8())
        return chunk.to_numpy(zero_copy_only=False)


def _decoded(chunk: Any) -> Any:
    """The values themselves of a column that stores each of them once."""
    import pyarrow as pa

    return chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk


def _is_list(arrow_type: Any) -> bool:
    import pyarrow as pa

    kinds = pa.types
    return bool(kinds.is_list(arrow_type) or kinds.is_large_list(arrow_type) or kinds.is_fixed_size_list(arrow_type))


def _kind(arrow_type: Any) -> Kind | None:
    import pyarrow as pa

    if pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type) or pa.types.is_string_view(arrow_type):
        return "text"
    if pa.types.is_integer(arrow_type) or pa.types.is_boolean(arrow_type):
        return "integer"
    return "number" if pa.types.is_floating(arrow_type) or pa.types.is_decimal(arrow_type) else None


def _dtype_name(arrow_type: Any, kind: Kind) -> str:
    import pyarrow as pa

    if kind == "text":
        return "text"
    if pa.types.is_decimal(arrow_type):
        return "float64"
    return "uint8" if pa.types.is_boolean(arrow_type) else np.dtype(arrow_type.to_pandas_dtype()).name


def _rectangular(column: Column, chunk: Any, first: int) -> Array:
    """Convert lists to an array `(rows, *shape)`. Raises InvalidInput at the first row of another length."""
    import pyarrow.compute as pc

    rows, values = len(chunk), chunk
    for axis, size in enumerate(column.shape):
        lengths = pc.fill_null(pc.list_value_length(values), -1).to_numpy(zero_copy_only=False)
        wrong = np.flatnonzero(lengths != size)
        if len(wrong):
            row = first + int(wrong[0]) // int(np.prod(column.shape[:axis], dtype=np.int64)) + 1
            contents = "nothing" if lengths[wrong[0]] < 0 else f"{lengths[wrong[0]]} values"
            text = f"Column {column.name!r} is ragged: expected {size} values per list, row {row} has {contents}."
            raise InvalidInput([Problem("error", "ragged_rows", "data", text, "Pad every row to the same length.")])
        values = pc.list_flatten(values)
    return values.to_numpy(zero_copy_only=False).reshape(rows, *column.shape)  # type: ignore[no-any-return]
