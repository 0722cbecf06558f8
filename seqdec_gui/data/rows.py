"""New rows for a trained model: from a data file, or from lines of text such as standard input."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedNumbers, FittedText
from seqdec_gui.data.fitted import Fitted, FittedPort, faults
from seqdec_gui.data.formats.base import Array, Table, reading
from seqdec_gui.data.formats.delimiters import find_delimiter
from seqdec_gui.data.formats.encodings import decoded
from seqdec_gui.data.formats.numerals import plain_texts
from seqdec_gui.data.formats.records import count_records
from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.data.sources import RowSource
from seqdec_gui.data.tables import open_table
from seqdec_gui.data.tensor_feeds import one_hot
from seqdec_gui.domain.problems import InvalidInput, Problem

Values: TypeAlias = list[str] | Array
_SHOWN_PROBLEMS = 20
"""The number of rows that are not numbers after which no further problems are collected."""


def read_rows(fitted: Fitted, source: Path | Iterable[str]) -> dict[str, Values]:
    """Read the values of every port of `fitted.inputs`, for `Fitted.encode_rows`.

    The columns of a file are named like the ports, or like the columns of the training data. Lines are CSV with such a
    header; for a model with a single input they may be one value each: text as it stands, or the numbers of a vector with
    commas, semicolons or white space between them. Raises InvalidInput.
    """
    if not isinstance(source, Path):
        return _from_lines(fitted, [line.rstrip("\r\n") for line in source], "standard input", "")
    row = format_of(source)
    if row is not None and not row.delimited:
        return _from_table(fitted, open_table(source))
    if not source.exists():
        raise InvalidInput(f"{source} does not exist; expected a file with one row per sample.", "missing_file", "data")
    with reading(source):
        content = decoded(source.read_bytes(), source.name).content.decode()
    lines = re.split(r"\r\n?|\n", content)
    return _from_lines(fitted, lines, source.name, (row.delimiter if row is not None else None) or "")


# -- files with columns
def _from_table(fitted: Fitted, table: Table) -> dict[str, Values]:
    names = [column.name for column in table.columns]
    columns_of = {port.name: _columns_for(port, names) for port in fitted.inputs}
    _require_all(fitted, columns_of, names, table.path.name)
    return {port.name: _column_values(port, table, columns_of[port.name]) for port in fitted.inputs}


def _columns_for(port: FittedPort, names: Sequence[str]) -> list[str]:
    """Return the columns that hold the values of this port; empty if the file has none."""
    for name in port.names:
        if name in names:
            return [name]
    return list(port.columns) if all(column in names for column in port.columns) else []


def _require_all(fitted: Fitted, columns_of: dict[str, list[str]], names: Sequence[str], file: str) -> None:
    """Raise InvalidInput with a problem for each input that has no column."""
    problems = []
    for port in fitted.inputs:
        if not columns_of[port.name]:
            wanted = " or ".join(map(repr, port.names))
            if len(port.columns) > 1:
                wanted += f" or all of {', '.join(port.columns)}"
            text = f"{file} has no column for input {port.name}: expected {wanted}, found {', '.join(map(repr, names[:20]))}."
            problems.append(Problem("error", "missing_input", port.name, text, "Name the column like the input."))
    if problems:
        raise InvalidInput(problems)


def _column_values(port: FittedPort, table: Table, columns: list[str]) -> Values:
    if isinstance(port.codec, FittedText | FittedCategory):
        return [cell or "" for chunk in table.text_chunks(columns[0]) for cell in chunk.to_pylist()]
    if len(columns) == 1 and table.column(columns[0]).kind == "text":
        return _numbers(port, [cell or "" for chunk in table.chunks(columns[0]) for cell in chunk.to_pylist()])
    parts = [np.concatenate([*table.chunks(name), np.empty((0, *table.column(name).shape))]) for name in columns]
    return _as_trained(port, parts[0] if len(parts) == 1 else np.stack(parts, axis=1))


# -- lines
def _from_lines(fitted: Fitted, lines: list[str], file: str, delimiter: str) -> dict[str, Values]:
    """Read lines as CSV with a header, or for a single input as one value each. Raises InvalidInput."""
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise InvalidInput(f"{file} is empty; expected one row per line.", "empty_file", "data")
    delimiter = delimiter or find_delimiter("\n".join(lines[:200]).encode())
    quoted = count_records("\n".join(lines).encode(), delimiter, True).fault < 0  # as in training
    lines_with_ends = (f"{line}\n" for line in lines)
    try:
        if quoted:
            records = list(csv.reader(lines_with_ends, delimiter=delimiter))
        else:
            records = list(csv.reader(lines_with_ends, delimiter=delimiter, quoting=csv.QUOTE_NONE))
    except csv.Error as error:
        raise InvalidInput(f"{file} cannot be read as text with columns: {error}.", "unreadable_file", "data") from None
    names, rows = [name.strip() for name in records[0]], records[1:]
    columns_of = {port.name: _columns_for(port, names) for port in fitted.inputs}
    if len(names) > 1 and not all(columns_of.values()):  # the columns trained on may have had no names either
        default_names = [f"column {i + 1}" for i in range(len(names))]
        columns_by_position = {port.name: _columns_for(port, default_names) for port in fitted.inputs}
        if all(columns_by_position.values()):
            names, rows, columns_of = default_names, records, columns_by_position
    if len(fitted.inputs) == 1 and not columns_of[fitted.inputs[0].name]:
        return {fitted.inputs[0].name: _bare(fitted.inputs[0], lines, file)}
    _require_all(fitted, columns_of, names, file)
    # An empty line is an empty value where there is one column, and no row at all where there are several.
    body = [record or [""] for record in rows if record or len(names) == 1]
    for row, record in enumerate(body):
        if len(record) != len(names):
            text = f"{file}, row {row + 1} has {len(record)} fields, the header has {len(names)}; expected the same number."
            raise InvalidInput(text, "ragged_rows", "data")
    if not body:
        raise InvalidInput(f"{file} has a header and no rows; expected at least one.", "no_rows", "data")
    return {port.name: _cells(port, names, columns_of[port.name], body, delimiter) for port in fitted.inputs}


def _cells(port: FittedPort, names: list[str], columns: list[str], body: list[list[str]], delimiter: str) -> Values:
    positions = [names.index(column) for column in columns]
    if isinstance(port.codec, FittedText | FittedCategory):
        return [record[positions[0]] for record in body]
    texts = [[record[position] for record in body] for position in positions]
    if len(positions) > 1 or not np.prod(port.codec.shape, dtype=np.int64) > 1:  # a cell holds one number, as in training
        texts = [plain_texts(cells, delimiter) for cells in texts]
    return _numbers(port, ["\t".join(cells) for cells in zip(*texts, strict=True)])


def _bare(port: FittedPort, lines: list[str], file: str) -> Values:
    """Read one value per line. If the first line is not a value, the error says that a header was probably meant."""
    text = isinstance(port.codec, FittedText | FittedCategory)
    try:
        first = RowSource(f"Input {port.name!r}", lines[:1] if text else _numbers(port, lines[:1]))
        problems = faults(port.codec, first, port.name)
    except InvalidInput as error:
        problems = list(error.problems)
    if problems:
        wanted = " or ".join(map(repr, port.names))
        problem = Problem(
            "error", "missing_input", port.name,
            f"{file}: the first line is neither a header with a column {wanted} nor a value: {problems[0].text}",
        )  # fmt: skip
        raise InvalidInput([problem])
    return lines if text else _numbers(port, lines)


# -- numbers
def _numbers(port: FittedPort, cells: Sequence[str]) -> Array:
    """Read the numbers of every cell as an array of the trained shape. Raises InvalidInput with the rows that fail."""
    assert isinstance(port.codec, FittedNumbers | FittedIds)
    size = int(np.prod(port.codec.shape, dtype=np.int64))
    depth = port.codec.depth if isinstance(port.codec, FittedIds) else 0
    values: list[list[float]] = []
    problems = []
    for row, cell in enumerate(cells):
        numbers = parse_numbers(cell, size)
        if isinstance(numbers, str):
            reason = f"row {row + 1}: {numbers!r} is not a number"
        elif len(numbers) not in (size, size * depth or size):
            reason = f"row {row + 1} has {len(numbers)} number(s)"
        elif values and len(values[0]) != len(numbers):
            reason = f"row {row + 1} has {len(numbers)} number(s), row 1 has {len(values[0])}"
        else:
            values.append(numbers)
            continue
        problems.append(Problem("error", "not_numbers", port.name, f"Input {port.name}, {reason}; expected {size} number(s)."))
        if len(problems) == _SHOWN_PROBLEMS:
            break
    if problems:
        raise InvalidInput(problems)
    return _as_trained(port, np.array(values, np.float64))


def _as_trained(port: FittedPort, values: Array) -> Array:
    """Reshape values that differ from the trained rows in shape only; ids become one-hot if one-hot rows were trained."""
    codec = port.codec
    assert isinstance(codec, FittedNumbers | FittedIds)
    shape = codec.shape
    if isinstance(codec, FittedIds) and codec.depth:
        if values[:1].size == np.prod(shape, dtype=np.int64):
            ids = values.reshape(-1, *shape)
            wrong = ids[(ids != np.trunc(ids)) | (ids < 0) | (ids > codec.depth)]
            if wrong.size:
                text = f"Input {port.name} has the id {wrong[0]:g}; expected whole numbers from 0 to {codec.depth - 1}."
                raise InvalidInput(text, "not_ids", port.name)
            return one_hot(ids.astype(np.int64), codec.depth)
        shape = (*shape, codec.depth)
    fits = values.size == len(values) * np.prod(shape, dtype=np.int64)
    return values.reshape(len(values), *shape) if fits else values


def parse_numbers(text: str, count: int) -> list[float] | str:
    """Return the numbers of one line, or as text the first part that is not a number.

    Commas are decimal commas if semicolons or tabs separate the numbers, or if white space alone gives `count` numbers.
    """
    text = text.strip().strip("[]()")
    if ";" in text or "\t" in text:
        parts = [part.replace(",", ".") for part in re.split(r"[;\s]+", text)]
    elif len(text.split()) == count and not any(part.endswith(",") for part in text.split()):
        parts = [part.replace(",", ".") for part in text.split()]
    else:
        parts = re.split(r"\s*,\s*|\s+", text)
    numbers = []
    for part in parts:
        try:
            numbers.append(float(part))
        except ValueError:
            return part
    return numbers
