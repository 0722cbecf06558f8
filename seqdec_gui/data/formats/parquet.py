""".parquet: listed from its metadata, read by row group; a column of equally long lists is an array column."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.formats.base import CHUNK_ROWS, Array, Cell, Chunk, Column, Kind, Table, reading
from seqdec_gui.data.formats.bounds import FREE_BYTES, fail_if_it_swells, fail_if_no_room, fail_if_too_many_columns
from seqdec_gui.data.formats.uneven import usual_shape, why_uneven, with_faulty_rows
from seqdec_gui.domain.problems import InvalidInput, Problem

_KEPT_GROUPS = 4
"""The number of row groups per column that are kept in memory for pages."""

_LEAST_ROW_BYTES = 8
"""The least size in memory of a value, in bytes; in the file, values that come again and again take hardly any."""

_FEWEST_ROWS = 64
"""The number of rows of text that are unpacked at a time where each of them may be long."""

_LARGE_PIECE = 4 << 20
"""The size, in bytes, of a few rows from which they are given on without waiting for more."""


class ParquetTable(Table):
    """A Parquet file; the row groups that pages were last read from are kept in memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._groups: OrderedDict[tuple[str, int], Any] = OrderedDict()
        self._ragged: set[str] = set()
        """The columns of lists that have no usual length."""
        self._places: dict[str, int] | None = None
        """The places of the columns of text by name, once one was asked for."""
        with reading(path):
            import pyarrow.parquet as pq

            self._file = pq.ParquetFile(path, memory_map=True)
            metadata = self._file.metadata
            fail_if_too_many_columns(path, metadata.num_columns)
            sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
            self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
            names = [field.name for field in self._file.schema_arrow]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                listed = ", ".join(map(repr, twice))
                raise InvalidInput(f"{path.name} has several columns named {listed}; rename them.", "duplicate_column", "data")
            fail_if_it_swells(path, _LEAST_ROW_BYTES * metadata.num_rows)
            described = [self._described(field, int(metadata.num_rows)) for field in self._file.schema_arrow]
        self._list(column for column in described if column)

    def _described(self, field: Any, rows: int) -> Column | None:
        """Return the column of a Parquet field; None if its type cannot be used, which goes to `unusable`."""
        import pyarrow as pa

        arrow_type, shape = field.type, []
        if pa.types.is_dictionary(arrow_type):
            arrow_type = arrow_type.value_type
        if _is_list(arrow_type):
            first = self._usual_value(field.name)
            while _is_list(arrow_type):
                shape.append(len(first) if first is not None else 0)
                first = first[0] if first else None
                arrow_type = arrow_type.value_type
        kind = _kind(arrow_type)
        if kind is None or (shape and kind == "text"):
            text = f"Column {field.name!r} has values of type {field.type}; expected numbers, text or lists of numbers."
            self.unusable[field.name] = Problem("error", "unusable_array", "data", text, _what_helps(field.type))
            return None
        if shape and 0 in shape:
            text = (
                f"Column {field.name!r} has lists of numbers, the first of which hold no values; expected equally many in each."
            )
            hint = "Pad every row to the same length, or write the numbers as text."
            self.unusable[field.name] = Problem("error", "unusable_array", "data", text, hint)
            return None
        return Column(field.name, "array" if shape else kind, _dtype_name(arrow_type, kind), tuple(shape), rows)

    def _usual_value(self, name: str) -> Any:
        """Return a value of a column of lists that is as long as nearly all are, by the first rows that have one.

        Where there is no such length, the first value that is not missing, and the column is ragged; None if all are missing.
        """
        self._fail_if_lists_swell(name)
        for batch in self._file.iter_batches(batch_size=256, columns=[name]):
            values = batch.column(0).to_pylist()
            first = next((value for value in values if value is not None), None)
            if first is None:
                continue
            usual = usual_shape([None if value is None else (len(value),) for value in values])
            if usual is None:
                self._ragged.add(name)
                return first
            return next(value for value in values if value is not None and len(value) == usual[0])
        return None

    def _fail_if_lists_swell(self, name: str) -> None:
        """Raise InvalidInput where the lists of a column claim far more values than the file can hold."""
        metadata, schema = self._file.metadata, self._file.schema
        leaves = [place for place in range(metadata.num_columns) if f"{schema.column(place).path}.".startswith(f"{name}.")]
        groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
        values = sum(group.column(leaf).num_values for group in groups for leaf in leaves)
        fail_if_it_swells(self.path, _LEAST_ROW_BYTES * values)

    def _batches(self, name: str, group: int | None = None) -> Iterator[Any]:
        """Yield a column, or one row group of it, as Arrow arrays of at most `CHUNK_ROWS` rows. Raises InvalidInput.

        Texts that come again and again stand in the file once: few rows are unpacked at a time where the texts may be long, and
        the reading ends where all of it is too large.
        """
        import pyarrow as pa

        groups = list(range(self._file.num_row_groups)) if group is None else [group]
        rows = min([CHUNK_ROWS, *(self._rows_at_a_time(name, each) for each in groups)])
        kept: list[Any] = []
        waiting = opened = 0
        for batch in self._file.iter_batches(batch_size=rows, row_groups=groups, columns=[name]):
            piece = batch.column(0)
            opened += (size := piece.nbytes)
            if opened > FREE_BYTES:
                fail_if_it_swells(self.path, opened)
            kept.append(piece)
            waiting += len(piece)
            if waiting + rows > CHUNK_ROWS or size > _LARGE_PIECE:
                yield kept[0] if len(kept) == 1 else pa.concat_arrays(kept)
                kept, waiting = [], 0
        if kept:
            yield kept[0] if len(kept) == 1 else pa.concat_arrays(kept)

    def _rows_at_a_time(self, name: str, group: int) -> int:
        """Return how many rows of a row group are unpacked at once, each of which may have the longest of its texts."""
        if self._places is None:
            import pyarrow as pa

            kinds = {field.name: field.type for field in self._file.schema_arrow}
            flat = {self._file.schema.column(place).path: place for place in range(self._file.metadata.num_columns)}
            fixed = (pa.types.is_primitive, pa.types.is_boolean, pa.types.is_decimal)
            self._places = {
                each: place
                for each, place in flat.items()
                if each in kinds and not any(is_fixed(kinds[each]) for is_fixed in fixed)
            }
        if (leaf := self._places.get(name)) is None:
            return CHUNK_ROWS
        longest = self._longest_of_dictionary(name, group)  # first: damaged metadata is an exception there, and here the end
        about = self._file.metadata.row_group(group).column(leaf)
        grows = any(str(each).startswith("DELTA_BYTE") for each in about.encodings)
        return max(_FEWEST_ROWS, FREE_BYTES // max(1, about.total_uncompressed_size if grows else longest))

    def _longest_of_dictionary(self, name: str, group: int) -> int:
        """Return the bytes of the longest text that stands once in a row group for any number of rows; 0 if there is none."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path, metadata=self._file.metadata, memory_map=True, read_dictionary=[name]) as file:
            for batch in file.iter_batches(batch_size=1, row_groups=[group], columns=[name]):
                if pa.types.is_dictionary(batch.column(0).type):
                    return int(pc.max(pc.binary_length(batch.column(0).dictionary)).as_py() or 0)
                break
        return 0

    def chunks(self, name: str) -> Iterator[Chunk]:
        column = self.column(name)
        with reading(self.path):
            first = 0
            for batch in self._batches(name):
                yield self._values(column, batch, first)
                first += len(batch)

    def text_chunks(self, name: str) -> Iterator[Chunk]:
        import pyarrow as pa

        if self.column(name).kind != "integer":
            yield from super().text_chunks(name)
            return
        with reading(self.path):  # through NumPy, missing whole numbers would make all of them floats
            for batch in self._batches(name):
                chunk = _decoded(batch)
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
            self._groups[key] = self._whole_group(name, group)
            while len(self._groups) > _KEPT_GROUPS * max(1, len(self.columns)):
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        return self._groups[key]

    def _whole_group(self, name: str, group: int) -> Any:
        import pyarrow as pa

        pieces: list[Any] = []
        opened = 0
        for piece in self._batches(name, group):
            pieces.append(piece)
            opened += piece.nbytes
            fail_if_no_room(self.path, opened, "Save it with smaller row groups.")
        return pieces[0] if len(pieces) == 1 else pa.chunked_array(pieces)

    def _values(self, column: Column, chunk: Any, first: int) -> Chunk:
        import pyarrow as pa

        chunk = _decoded(chunk)
        if column.kind == "text":
            return chunk.cast(pa.large_string())
        if column.shape:
            return self._rectangular(column, chunk, first)
        if pa.types.is_decimal(chunk.type) or pa.types.is_boolean(chunk.type):
            chunk = chunk.cast(pa.float64() if pa.types.is_decimal(chunk.type) else pa.uint8())
        return chunk.to_numpy(zero_copy_only=False)

    def _rectangular(self, column: Column, chunk: Any, first: int) -> Array:
        """Convert lists to an array `(rows, *shape)`; a row of another length is infinite, and its reason is noted.

        Raises InvalidInput at the first such row of a column without a usual length.
        """
        import pyarrow.compute as pc

        if len(column.shape) > 1 or column.name in self._ragged:
            return _all_rectangular(column, chunk, first)
        lengths = pc.fill_null(pc.list_value_length(chunk), -1).to_numpy(zero_copy_only=False)
        good = lengths == column.shape[0]
        if good.all():
            return _all_rectangular(column, chunk, first)
        import pyarrow as pa

        made = with_faulty_rows(_all_rectangular(column, chunk.filter(pa.array(good)), first), good)
        if made is None:
            return _all_rectangular(column, chunk, first)  # raises
        reasons = self.unread_cells.setdefault(column.name, {})
        for row in np.flatnonzero(~good).tolist():
            length = int(lengths[row])
            reasons[first + row] = why_uneven((length,) if length >= 0 else None, column.shape)
        return made


def _decoded(chunk: Any) -> Any:
    """The values themselves of a column that stores each of them once."""
    import pyarrow as pa

    return chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk


def _what_helps(arrow_type: Any) -> str:
    """Return what to do with a column whose type is neither numbers nor text nor lists of numbers."""
    import pyarrow as pa

    if _is_list(arrow_type):
        return "With pandas, table[NAME].str.join(' ') makes text of lists of texts."
    if pa.types.is_temporal(arrow_type):
        return "With pandas, table[NAME].astype(str) makes text of it, and (table[NAME] - START).dt.total_seconds() numbers."
    if pa.types.is_struct(arrow_type) or pa.types.is_map(arrow_type):
        return "Write each of its fields as a column of its own; with pandas, pandas.json_normalize(table[NAME])."
    if pa.types.is_null(arrow_type):
        return "It holds nothing; bind another column."
    return "With pandas, table[NAME].str.decode('utf-8') makes text of bytes that are text."


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


def _all_rectangular(column: Column, chunk: Any, first: int) -> Array:
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
