"""New rows for a trained model: from a data file, or from lines of text such as standard input."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedIds, FittedNumbers, ReadsText
from seqdec_gui.data.fitted import Fitted, FittedPort, faults
from seqdec_gui.data.formats.base import Array, Table, reading
from seqdec_gui.data.formats.comments import without_comments
from seqdec_gui.data.formats.compression import content_of
from seqdec_gui.data.formats.delimited import MISSING
from seqdec_gui.data.formats.delimiters import DELIMITERS_AS_WRITTEN, find_delimiter
from seqdec_gui.data.formats.encodings import decoded, is_utf8
from seqdec_gui.data.formats.numerals import ANY, Decimal, decimal_of, plain_texts
from seqdec_gui.data.formats.records import count_records, records
from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.data.sources import RowSource
from seqdec_gui.data.tables import open_table
from seqdec_gui.data.tensor_feeds import one_hot
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem

_ID = re.compile(r"(.*[ _-])?id|identifier", re.IGNORECASE)
"""The name of a column of ids, which is carried over to what is generated."""

_NAME = re.compile(r"[^\W\d][\w ,;.()-]*")
"""A line that may be the names of columns."""

Values: TypeAlias = list[str] | Array
_SHOWN_PROBLEMS = 20
"""The number of rows that are not numbers after which no further problems are collected."""


def is_id(name: str) -> bool:
    """Return whether a column of this name holds ids."""
    return _ID.fullmatch(name) is not None


class InputRows(NamedTuple):
    """The rows of a file or of lines, for the inputs of a trained model.

    - `values`: by port name, one per row; the value of a row that could not be read is one that cannot be encoded either.
    - `reasons`: by row, from 0, why it could not be read.
    - `kept`: other columns of the file, by name, as text: those that were asked for, and ids.
    """

    values: dict[str, Values]
    reasons: dict[int, str]
    kept: dict[str, list[str]]


def read_rows(fitted: Fitted, source: Path | Iterable[str]) -> dict[str, Values]:
    """Read the values of every port of `fitted.inputs`, as `read_input` does. Raises InvalidInput for the first bad rows."""
    rows = read_input(fitted, source)
    if rows.reasons:
        name = fitted.inputs[0].name
        raise InvalidInput(
            [Problem("error", "not_numbers", name, text) for _, text in sorted(rows.reasons.items())[:_SHOWN_PROBLEMS]]
        )
    return rows.values


_NUMBER = re.compile(ANY)
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""A number whose comma may be a decimal mark or stand between thousands."""

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}((,\d{3}){2,}(\.\d*)?|,\d{3}\.\d*)")
"""A number whose commas can only stand between thousands."""

_COMMAS_ONLY = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")


def read_input(
    fitted: Fitted, source: Path | Iterable[str], keep: Sequence[str] = (), how: Reading | None = None
) -> InputRows:  # fmt: skip
    """Read the values of every port of `fitted.inputs`, and the columns `keep`.

    The columns of a file are named like the ports, or like the columns of the training data. Lines are CSV with such a
    header; for a model with a single input they may be one value each: text as it stands, or the numbers of a vector with
    commas, semicolons or white space between them. `how` are the reading options of the training. Raises InvalidInput.
    """
    how = how or Reading()
    if not isinstance(source, Path):
        content = "\n".join(line.rstrip("\r\n") for line in source).encode()
        return _from_lines(fitted, content, "standard input", "", keep, how)
    row = format_of(source)
    names = [name for port in fitted.inputs for name in (*port.names, *port.columns)]
    if row is not None and not row.delimited:
        return _from_table(fitted, open_table(source, how=msgspec.structs.replace(how, header="auto"), bound=names), keep)
    return _from_lines(
        fitted, _text_of(source, how), source.name, (row.delimiter if row is not None else None) or "", keep, how
    )


class ColumnBeside(NamedTuple):
    """A column of a file of new rows that no input reads. One of ids is carried over to the results unasked."""

    name: str
    is_id: bool


def columns_beside(fitted: Fitted, source: Path, how: Reading | None = None) -> tuple[ColumnBeside, ...]:
    """Return the columns of a file that `read_input` can keep, in their order. Raises InvalidInput."""
    how = how or Reading()
    row = format_of(source)
    if row is not None and not row.delimited:
        bound = [name for port in fitted.inputs for name in (*port.names, *port.columns)]
        table = open_table(source, how=msgspec.structs.replace(how, header="auto"), bound=bound)
        names = [column.name for column in table.columns]
        columns_of = {port.name: _columns_for(port, names) for port in fitted.inputs}
    else:
        content = _without_set_comments(_text_of(source, how), how, source.name)
        delimiter, quoted = _dialect(content, (row.delimiter if row is not None else None) or "", how)
        first = next(records(content, delimiter, quoted, with_empty=True))
        names, columns_of, _ = _named(fitted, first.cells)
    if not all(columns_of.values()):
        return ()  # one value a line, or no column for some input
    used = {column for columns in columns_of.values() for column in columns}
    return tuple(ColumnBeside(name, is_id(name)) for name in names if name not in used)


# -- files with columns
def _from_table(fitted: Fitted, table: Table, keep: Sequence[str]) -> InputRows:
    names = [column.name for column in table.columns]
    columns_of = {port.name: _columns_for(port, names) for port in fitted.inputs}
    if len(fitted.inputs) == 1 and len(names) == 1 and not columns_of[fitted.inputs[0].name]:
        columns_of[fitted.inputs[0].name] = names  # one column for the only input, whatever it is called
    _require_all(fitted, columns_of, names, table.path.name)
    reasons: dict[int, str] = {}
    values = {port.name: _column_values(port, table, columns_of[port.name], reasons) for port in fitted.inputs}
    kept = {}
    for name in _kept_names(keep, names, [column for columns in columns_of.values() for column in columns], table.path.name):
        kept[name] = ["" if cell is None else str(cell) for cell in table.page(name, 0, table.column(name).rows)]
    return InputRows(values, reasons, kept)


def _kept_names(keep: Sequence[str], names: Sequence[str], used: Sequence[str], file: str) -> list[str]:
    """Return the columns to keep: those that are asked for, and those that hold ids. Raises InvalidInput for unknown ones."""
    unknown = [name for name in keep if name not in names]
    if unknown:
        listed = ", ".join(map(repr, names[:20]))
        text = f"{file} has no column {unknown[0]!r} to keep; its columns are {listed}."
        raise InvalidInput([Problem("error", "unknown_column", "keep", text)])
    ids = [name for name in names if name not in used and is_id(name)]
    return list(dict.fromkeys((*keep, *ids)))


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


def _column_values(port: FittedPort, table: Table, columns: list[str], reasons: dict[int, str]) -> Values:
    if isinstance(port.codec, ReadsText):
        return [cell or "" for chunk in table.text_chunks(columns[0]) for cell in chunk.to_pylist()]
    if len(columns) == 1 and table.column(columns[0]).kind == "text":
        return _numbers(port, [cell or "" for chunk in table.chunks(columns[0]) for cell in chunk.to_pylist()], reasons)
    parts = [np.concatenate([*table.chunks(name), np.empty((0, *table.column(name).shape))]) for name in columns]
    return _as_trained(port, parts[0] if len(parts) == 1 else np.stack(parts, axis=1))


# -- lines
def _text_of(source: Path, how: Reading) -> bytes:
    """Return the text of a file as UTF-8. Raises InvalidInput."""
    if not source.exists():
        raise InvalidInput(f"{source} does not exist; expected a file with one row per sample.", "missing_file", "data")
    with reading(source):
        raw = content_of(source)
        return decoded(raw, source.name, "auto" if is_utf8(raw) else how.encoding).content


def _without_set_comments(content: bytes, how: Reading, file: str) -> bytes:
    """Return the text without the comments that `how` names, and without white space at its end. Raises InvalidInput."""
    if how.comment not in ("auto", "none"):
        content, _ = without_comments(content, how.comment)
    content = content.rstrip(b"\r\n \t")
    if not content:
        raise InvalidInput(f"{file} is empty; expected one row per line.", "empty_file", "data")
    return content


def _dialect(content: bytes, delimiter: str, how: Reading) -> tuple[str, bool]:
    """Return the delimiter, unless it is known, and whether quotes are removed as in training."""
    first = re.split(rb"\r\n?|\n", content, maxsplit=1)[0].decode("utf-8", "replace")
    set_to = DELIMITERS_AS_WRITTEN.get(how.delimiter, how.delimiter)
    delimiter = delimiter or (set_to if how.delimiter != "auto" and set_to and set_to in first else find_delimiter(content))
    return delimiter, how.quoting != "no" and count_records(content, delimiter, True).fault < 0


def _named(fitted: Fitted, first: Sequence[str]) -> tuple[list[str], dict[str, list[str]], bool]:
    """Return the names of the columns, those of each input, and whether the first record holds the names."""
    names = [name.strip() for name in first]
    columns_of = {port.name: _columns_for(port, names) for port in fitted.inputs}
    if len(names) > 1 and not all(columns_of.values()):  # the columns trained on may have had no names either
        default_names = [f"column {i + 1}" for i in range(len(names))]
        columns_by_position = {port.name: _columns_for(port, default_names) for port in fitted.inputs}
        if all(columns_by_position.values()):
            return default_names, columns_by_position, False
    return names, columns_of, True


def _from_lines(
    fitted: Fitted, content: bytes, file: str, delimiter: str, keep: Sequence[str], how: Reading
) -> InputRows:  # fmt: skip
    """Read UTF-8 text as a table with a header, or for a single input as one value a line. Raises InvalidInput."""
    content = _without_set_comments(content, how, file)
    delimiter, quoted = _dialect(content, delimiter, how)
    table = [record.cells for record in records(content, delimiter, quoted, with_empty=True)]
    names, columns_of, has_names = _named(fitted, table[0])
    rows = table[1:] if has_names else table
    if len(fitted.inputs) == 1 and not columns_of[fitted.inputs[0].name]:
        if keep:
            raise InvalidInput(f"{file} has one value a line and no columns, so {keep[0]!r} cannot be kept.", "unknown_column")
        lines = re.split("\r\n?|\n", content.decode())
        reasons: dict[int, str] = {}
        return InputRows({fitted.inputs[0].name: _bare(fitted.inputs[0], lines, file, reasons)}, reasons, {})
    _require_all(fitted, columns_of, names, file)
    # An empty line is an empty value where there is one column, and no row at all where there are several.
    body = [record for record in rows if record != ("",) or len(names) == 1]
    if not body:
        raise InvalidInput(f"{file} has a header and no rows; expected at least one.", "no_rows", "data")
    reasons = {
        row: f"Row {row + 1} has {len(record)} fields, the header has {len(names)}; expected the same number."
        for row, record in enumerate(body)
        if len(record) != len(names)
    }
    if len(reasons) == len(body):
        raise InvalidInput(f"{file}: {reasons[0]}", "ragged_rows", "data")
    body = [(*record, *[""] * (len(names) - len(record)))[: len(names)] for record in body]
    values = {port.name: _cells(port, names, columns_of[port.name], body, delimiter, how, reasons) for port in fitted.inputs}
    used = [column for columns in columns_of.values() for column in columns]
    kept = {name: [record[names.index(name)] for record in body] for name in _kept_names(keep, names, used, file)}
    return InputRows(values, reasons, kept)


def _cells(
    port: FittedPort,
    names: list[str],
    columns: list[str],
    body: Sequence[Sequence[str]],
    delimiter: str,
    how: Reading,
    reasons: dict[int, str],
) -> Values:
    positions = [names.index(column) for column in columns]
    if isinstance(port.codec, ReadsText):
        return [record[positions[0]] for record in body]
    texts = [[record[position] for record in body] for position in positions]
    if len(positions) > 1 or not np.prod(port.codec.shape, dtype=np.int64) > 1:  # a cell holds one number, as in training
        decimal = decimal_of(body) if how.decimal == "auto" else how.decimal
        texts = [_plain_cells(port, cells, delimiter, decimal, how.decimal != "auto") for cells in texts]
    return _numbers(port, ["\t".join(cell.strip() or "NA" for cell in cells) for cells in zip(*texts, strict=True)], reasons)


def _plain_cells(port: FittedPort, cells: list[str], delimiter: str, decimal: Decimal, is_set: bool) -> list[str]:
    """Return the cells with decimal points and without marks between thousands; cells that are no numbers stay as they are.

    Raises InvalidInput if nothing says whether `1,234` is above a thousand: the training data may have settled it otherwise.
    Semicolons between cells say that it is not, commas that it is.
    """
    numbers = [at for at, cell in enumerate(cells) if _NUMBER.search(cell.strip())]
    texts = [cells[at].strip() for at in numbers]
    either = next((text for text in texts if _EITHER.fullmatch(text)), "")
    if either and not is_set and decimal == "." and delimiter not in (",", ";") and not any(map(_THOUSANDS.fullmatch, texts)):
        text = (
            f"Input {port.name}: {either!r} may be {either.replace(',', '')} or {either.replace(',', '.')}; nothing settles it."
        )
        hint = f"Write {either.replace(',', '')} or {either.replace(',', '.')}."
        raise InvalidInput([Problem("error", "number_format", port.name, text, hint)])
    if is_set and decimal == "." and any("," in text for text in texts):
        texts = [text.replace(",", "") if _COMMAS_ONLY.fullmatch(text) else text for text in texts]
    plain = dict(zip(numbers, plain_texts(texts, delimiter, decimal), strict=True))
    return [plain.get(at, cell) for at, cell in enumerate(cells)]


def _bare(port: FittedPort, lines: list[str], file: str, reasons: dict[int, str]) -> Values:
    """Read one value per line. Raises InvalidInput if the first is no value but may be a name: a header was probably meant."""
    text = isinstance(port.codec, ReadsText)
    try:
        first = RowSource(f"Input {port.name!r}", lines[:1] if text else _numbers(port, lines[:1], {}))
        problems = faults(port.codec, first, port.name)
    except InvalidInput as error:
        problems = list(error.problems)
    if problems and (len(lines) == 1 or _NAME.fullmatch(lines[0].strip())):
        wanted = " or ".join(map(repr, port.names))
        sentence = f"{file}: the first line is neither a header with a column {wanted} nor a value: {problems[0].text}"
        raise InvalidInput([Problem("error", "missing_input", port.name, sentence)])
    return lines if text else _numbers(port, lines, reasons)


# -- numbers
def _numbers(port: FittedPort, cells: Sequence[str], reasons: dict[int, str]) -> Array:
    """Read the numbers of every cell as an array of the trained shape.

    A row that fails is NaN, and its reason is added. Raises InvalidInput if all rows fail.
    """
    assert isinstance(port.codec, FittedNumbers | FittedIds)
    size = int(np.prod(port.codec.shape, dtype=np.int64))
    depth = port.codec.depth if isinstance(port.codec, FittedIds) else 0
    fills = isinstance(port.codec, FittedNumbers) and bool(port.codec.fill)
    values: list[list[float]] = []
    failed: dict[int, str] = {}
    width, first = 0, 0
    for row, cell in enumerate(cells):
        numbers = parse_numbers(cell, size, fills)
        if isinstance(numbers, str):
            what = "a number is missing" if numbers in ("", "NA") else f"{numbers!r} is not a number"
            failed[row] = f"row {row + 1}: {what}"
        elif len(numbers) not in (size, size * depth or size):
            failed[row] = f"row {row + 1} has {len(numbers)} number(s)"
        elif width and width != len(numbers):
            failed[row] = f"row {row + 1} has {len(numbers)} number(s), row {first + 1} has {width}"
        else:
            first = first if width else row
            width = len(numbers)
            values.append(numbers)
            continue
        values.append([])
    said = {row: f"Input {port.name}, {why}; expected {size} number(s)." for row, why in failed.items()}
    if len(failed) == len(cells):
        raise InvalidInput([Problem("error", "not_numbers", port.name, text) for text in list(said.values())[:_SHOWN_PROBLEMS]])
    for row, text in said.items():
        reasons.setdefault(row, text)
        values[row] = [np.nan] * width
    return _as_trained(port, np.array(values, np.float64))


def _as_trained(port: FittedPort, values: Array) -> Array:
    """Reshape values that differ from the trained rows in shape only; ids become one-hot if one-hot rows were trained."""
    codec = port.codec
    assert isinstance(codec, FittedNumbers | FittedIds)
    shape = codec.shape
    if isinstance(codec, FittedIds) and codec.depth:
        if values[:1].size == np.prod(shape, dtype=np.int64):
            ids = values.reshape(-1, *shape)
            finite = np.isfinite(ids)
            wrong = ids[finite & ((ids != np.trunc(ids)) | (ids < 0) | (ids > codec.depth))]
            if wrong.size:
                text = f"Input {port.name} has the id {wrong[0]:g}; expected whole numbers from 0 to {codec.depth - 1}."
                raise InvalidInput(text, "not_ids", port.name)
            rows = one_hot(np.where(finite, ids, 0).astype(np.int64), codec.depth)
            rows[~finite] = np.nan
            return rows
        shape = (*shape, codec.depth)
    fits = values.size == len(values) * np.prod(shape, dtype=np.int64)
    return values.reshape(len(values), *shape) if fits else values


def parse_numbers(text: str, count: int, fills: bool = False) -> list[float] | str:
    """Return the numbers of one line, or as text the first part that is not a number. With `fills` a missing one is NaN.

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
            numbers.append(np.nan if fills and part in MISSING else float(part))
        except ValueError:
            return part
    return numbers
