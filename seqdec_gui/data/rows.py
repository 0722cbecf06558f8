"""New rows for a trained model: from a data file, or from lines of text such as standard input."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np

from seqdec_gui.data.codecs import ReadsText
from seqdec_gui.data.fitted import Fitted, FittedPort, faults
from seqdec_gui.data.formats.base import Array, Table, reading
from seqdec_gui.data.formats.comments import comments_at, comments_problem, line_ends_at, without_comments
from seqdec_gui.data.formats.compression import content_of
from seqdec_gui.data.formats.delimiters import DELIMITERS_AS_WRITTEN, delimiter_as, find_delimiter, unused_character
from seqdec_gui.data.formats.encodings import Decoded, decoded, is_utf8, line_at
from seqdec_gui.data.formats.notation import Decimal, Notation, as_set
from seqdec_gui.data.formats.numerals import proved_decimals
from seqdec_gui.data.formats.records import Record, count_records, records
from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.data.formats.settled import of
from seqdec_gui.data.name_evidence import names_rows
from seqdec_gui.data.new_columns import (
    columns_for,
    columns_in_table,
    fail_if_unusable,
    first_line_notes,
    require_columns,
    values_of_rows,
)
from seqdec_gui.data.new_numbers import SHOWN_PROBLEMS, as_trained, detected_cells, notes_of_lines, numbers_of, settled_cells
from seqdec_gui.data.sources import RowSource
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted

_LINE_END = re.compile(rb"\r\n?|\n")
_NAME = re.compile(r"[^\W\d][\w ,;.()-]*")
"""A line that may be the names of columns."""

Values: TypeAlias = list[str] | Array
_SHOWN_NAMES = 5
"""The number of cells of the first line that a message shows."""


class InputRows(NamedTuple):
    """The rows of a file or of lines, for the inputs of a trained model.

    - `values`: by port name, one per row; the value of a row that could not be read is one that cannot be encoded either.
    - `reasons`: by row, from 0, why it could not be read.
    - `kept`: other columns of the file, by name, as text: those that were asked for, and those that name the rows.
    - `lines`: the line of the file in which each row begins, from 1; empty where rows have no lines.
    - `notes`: what may have been meant otherwise.
    """

    values: dict[str, Values]
    reasons: dict[int, str]
    kept: dict[str, list[str]]
    lines: tuple[int, ...] = ()
    notes: tuple[Problem, ...] = ()

    def placed(self) -> InputRows:
        """Return the rows with the line of the file in every reason."""
        return self._replace(reasons={row: placed(row, why, self.lines) for row, why in self.reasons.items()})


def placed(row: int, why: str, lines: Sequence[int]) -> str:
    """Return why a row cannot be used, with its line; without lines the number of the row is left to who shows the reason."""
    return f"Line {lines[row]}: {why}" if row < len(lines) else why


def read_rows(fitted: Fitted, source: Path | Iterable[str]) -> dict[str, Values]:
    """Read the values of every port of `fitted.inputs`, as `read_input` does. Raises InvalidInput for the first bad rows."""
    rows = read_input(fitted, source)
    if rows.reasons:
        name = fitted.inputs[0].name
        raise InvalidInput(
            [Problem("error", "not_numbers", name, text) for _, text in sorted(rows.reasons.items())[:SHOWN_PROBLEMS]]
        )
    return rows.values


def read_input(
    fitted: Fitted, source: Path | Iterable[str], keep: Sequence[str] = (), how: Reading | None = None
) -> InputRows:  # fmt: skip
    """Read the values of every port of `fitted.inputs`, and the columns `keep`.

    The columns of a file are named like the ports, or like the columns of the training data. Lines are CSV with such a
    header; for a model with a single input they may be one value each: text as it stands, or the numbers of a vector with
    commas, semicolons or white space between them. `how` are the reading options of the training. Raises InvalidInput.
    """
    how = fitted.reading(how or Reading(), [port.name for port in fitted.inputs])
    if not isinstance(source, Path):
        content = "".join(line.rstrip("\r\n") + "\n" for line in source).encode()
        return _from_lines(fitted, content, "standard input", "", keep, how).placed()
    row = format_of(source)
    if row is not None and not row.delimited:
        table = open_table(source, how=msgspec.structs.replace(how, header="auto"), bound=_bound(fitted))
        return _from_table(fitted, table, keep, how)
    delimiter = (row.delimiter if row is not None else None) or ""
    text = _text_of(source, how)
    rows = _from_lines(fitted, text.content, source.name, delimiter, keep, how).placed()
    return rows._replace(notes=(*(note for note in text.problems if note.severity == "warning"), *rows.notes))


def _bound(fitted: Fitted) -> list[str]:
    """Return the names that columns of new rows may have."""
    return [name for port in fitted.inputs for name in (*port.names, *port.columns, *port.parts)]


class ColumnBeside(NamedTuple):
    """A column of a file of new rows that no input reads. One that names or numbers the rows is carried over unasked."""

    name: str
    is_id: bool


def columns_beside(fitted: Fitted, source: Path, how: Reading | None = None) -> tuple[ColumnBeside, ...]:
    """Return the columns of a file that `read_input` can keep, in their order. Raises InvalidInput."""
    how = fitted.reading(how or Reading(), [port.name for port in fitted.inputs])
    row = format_of(source)
    if row is not None and not row.delimited:
        table = open_table(source, how=msgspec.structs.replace(how, header="auto"), bound=_bound(fitted))
        names = [column.name for column in table.columns]
        columns_of = columns_in_table(fitted, table)
    else:
        body = _without_comments(fitted, _text_of(source, how).content, how, source.name)
        delimiter, quoted = _dialect(fitted, body, (row.delimiter if row is not None else None) or "", how, source.name)
        first = next(records(body.content, delimiter, quoted, with_empty=True))
        names, columns_of, _ = _named(fitted, first.cells)
    if not all(columns_of.values()):
        return ()  # one value a line, or no column for some input
    used = {column for columns in columns_of.values() for column in columns}
    return tuple(ColumnBeside(name, names_rows(name)) for name in names if name not in used)


# -- files with columns
def _notations(fitted: Fitted, port: FittedPort, how: Reading) -> tuple[Notation | None, ...]:
    """Return the notation of each column of a port: the one that is set, or else that of the training."""
    if how.decimal != "auto":
        return (as_set(how.decimal),) * max(1, len(port.columns))
    return fitted.notations(port)


def _from_table(fitted: Fitted, table: Table, keep: Sequence[str], how: Reading) -> InputRows:
    names = [column.name for column in table.columns]
    columns_of = columns_in_table(fitted, table)
    require_columns(fitted, columns_of, names, table.path.name, table.unusable)
    reasons: dict[int, str] = {}
    notes = [problem for problem in table.problems if problem.severity == "warning" or problem.code == "blank_lines"]
    values = {
        port.name: _column_values(fitted, port, how, table, columns_of[port.name], reasons, notes) for port in fitted.inputs
    }
    kept = {}
    for name in set(keep) & set(table.unusable):
        table.column(name)  # says why it cannot be kept
    used = {column for columns in columns_of.values() for column in columns}
    for name, why in table.unusable.items():
        if name not in used and names_rows(name):
            notes.append(Problem("warning", why.code, "data", f"{why.text} It is not carried over to the results."))
    for name in _kept_names(keep, names, [*used], table.path.name):
        kept[name] = ["" if cell is None else str(cell) for cell in table.page(name, 0, table.column(name).rows)]
    return InputRows(values, reasons, kept, notes=tuple(notes))


def _kept_names(keep: Sequence[str], names: Sequence[str], used: Sequence[str], file: str) -> list[str]:
    """Return the columns to keep: those that are asked for, and those that name rows. Raises InvalidInput for others."""
    unknown = [name for name in keep if name not in names]
    if unknown:
        listed = ", ".join(map(repr, names[:20]))
        text = f"{file} has no column {unknown[0]!r} to keep; its columns are {listed}."
        raise InvalidInput([Problem("error", "unknown_column", "keep", text)])
    ids = [name for name in names if name not in used and names_rows(name)]
    return list(dict.fromkeys((*keep, *ids)))


def _column_values(
    fitted: Fitted,
    port: FittedPort,
    how: Reading,
    table: Table,
    columns: list[str],
    reasons: dict[int, str],
    notes: list[Problem],
) -> Values:
    fail_if_unusable(port, columns, table)
    if columns[0] in table.unusable_cells:
        return values_of_rows(port, columns[0], table, reasons, _notations(fitted, port, how))
    if isinstance(port.codec, ReadsText):
        cells = [cell or "" for chunk in table.text_chunks(columns[0]) for cell in chunk.to_pylist()]
        _add_unread(port, columns, table, reasons)
        return cells
    if len(columns) == 1 and table.column(columns[0]).kind == "text":
        cells = [cell or "" for chunk in table.chunks(columns[0]) for cell in chunk.to_pylist()]
        notes += notes_of_lines(port, cells, fitted.notations(port)) if how.decimal == "auto" else ()
        return numbers_of(port, cells, reasons, _notations(fitted, port, how))
    parts = [np.concatenate([*table.chunks(name), np.empty((0, *table.column(name).shape))]) for name in columns]
    _add_unread(port, columns, table, reasons)
    return as_trained(port, parts[0] if len(parts) == 1 else np.stack(parts, axis=1))


def _add_unread(port: FittedPort, columns: Sequence[str], table: Table, reasons: dict[int, str]) -> None:
    """Add why cells of these columns, which have been read, are missing."""
    for name in columns:
        for row, why in table.unread_cells.get(name, {}).items():
            reasons.setdefault(row, f"Input {port.name}: its cell {why}.")


# -- lines
def _text_of(source: Path, how: Reading) -> Decoded:
    """Return the text of a file as UTF-8, with a warning where its encoding is a guess. Raises InvalidInput."""
    if not source.exists():
        raise InvalidInput(f"{source} does not exist; expected a file with one row per sample.", "missing_file", "data")
    with reading(source):
        raw = content_of(source)
        return decoded(raw, source.name, "auto" if is_utf8(raw) else how.encoding, how.wrong_bytes)


class _Body(NamedTuple):
    """The text of new rows without comments, and without the empty lines at its end, of which there are `empty_end`.

    `first_line` is that of the text in the file, 0 if lines were taken out of it.
    """

    content: bytes
    first_line: int
    empty_end: int
    notes: tuple[Problem, ...] = ()


def _without_comments(fitted: Fitted, content: bytes, how: Reading, file: str) -> _Body:
    """Return the text without the comments that `how` names, or those before names in use. Raises InvalidInput."""
    first, notes = 1, list[Problem]()
    start = line_ends_at(content)
    if how.comment not in ("auto", "none"):
        content, skipped = without_comments(content, how.comment)
        first, start = 0 if skipped else 1, 0
    elif how.comment == "auto" and (at := comments_at(content, start)) > start:
        names = re.split(rb"\r\n?|\n", content[at:], maxsplit=1)[0].decode("utf-8", "replace")
        known = set(_bound(fitted))
        if of(how).comment == "#" or any(cell.strip().strip('"') in known for cell in re.split("[,;\t|]", names)):
            notes, start = [comments_problem(content[start:at], file)], at
    first = line_at(content, start) if first else 0
    text = content[start:].rstrip(b"\r\n")
    if not text.strip():
        raise InvalidInput(f"{file} is empty; expected one row per line.", "empty_file", "data")
    ends = len(_LINE_END.findall(content, start + len(text)))  # the first closes the last line
    return _Body(text, first, max(0, ends - 1), tuple(notes))


def _dialect(fitted: Fitted, body: _Body, delimiter: str, how: Reading, file: str) -> tuple[str, bool]:
    """Return the delimiter, unless it is known, and whether quotes are removed, both as in training.

    Raises InvalidInput for a cell that is not closed, if quotes were removed in training.
    """
    content = body.content
    first = re.split(rb"\r\n?|\n", content, maxsplit=1)[0].decode("utf-8", "replace")
    set_to = DELIMITERS_AS_WRITTEN.get(how.delimiter, how.delimiter)
    if not delimiter and how.delimiter != "auto" and set_to and set_to in first:
        delimiter = set_to
    if not delimiter:
        delimiter = find_delimiter(content)
        same = delimiter_as(of(how), content, delimiter, _bound(fitted)) if how.delimiter == "auto" else None
        if same == "":
            return unused_character(content, file), False
        delimiter = same or delimiter
    if how.quoting == "no" or (how.quoting == "auto" and of(how).quoting == "no"):
        return delimiter, False
    fault = count_records(content, delimiter, True).fault
    if fault >= 0 and "yes" in (how.quoting, of(how).quoting):
        line = f"line {body.first_line - 1 + line_at(content, fault)}" if body.first_line else "a line"
        text = f"In {line} of {file} a cell begins with a quote that is not closed at the end of a cell."
        hint = "Quotes around cells were removed in training: close it, and write quotes inside a quoted text twice."
        raise InvalidInput([Problem("error", "open_quote", "data", text, hint)])
    return delimiter, fault < 0


def _named(fitted: Fitted, first: Sequence[str]) -> tuple[list[str], dict[str, list[str]], bool]:
    """Return the names of the columns, those of each input, and whether the first record holds the names."""
    names = [name.strip() for name in first]
    columns_of = {port.name: columns_for(port, names) for port in fitted.inputs}
    if len(names) > 1 and not all(columns_of.values()):  # the columns trained on may have had no names either
        default_names = [f"column {i + 1}" for i in range(len(names))]
        columns_by_position = {port.name: columns_for(port, default_names) for port in fitted.inputs}
        if all(columns_by_position.values()):
            return default_names, columns_by_position, False
    return names, columns_of, True


def _from_lines(
    fitted: Fitted, content: bytes, file: str, delimiter: str, keep: Sequence[str], how: Reading
) -> InputRows:  # fmt: skip
    """Read UTF-8 text as a table with a header, or for a single input as one value a line. Raises InvalidInput."""
    text = _without_comments(fitted, content, how, file)
    delimiter, quoted = _dialect(fitted, text, delimiter, how, file)
    table = list(records(text.content, delimiter, quoted, with_empty=True))
    names, columns_of, has_names = _named(fitted, table[0].cells)
    rows = table[1:] if has_names else table
    notes = list(text.notes)
    if len(fitted.inputs) == 1 and not columns_of[fitted.inputs[0].name]:
        if keep:
            raise InvalidInput(f"{file} has one value a line and no columns, so {keep[0]!r} cannot be kept.", "unknown_column")
        lines = [*re.split("\r\n?|\n", text.content.decode()), *[""] * text.empty_end]
        reasons: dict[int, str] = {}
        notes += first_line_notes(lines, fitted.inputs[0], file)
        values = {fitted.inputs[0].name: _bare(fitted, lines, file, reasons, how, notes)}
        return InputRows(values, reasons, {}, _line_numbers(text, range(1, len(lines) + 1)), tuple(notes))
    require_columns(fitted, columns_of, names, file)
    _require_single(columns_of, names, file)
    if has_names and of(how).header == "no":
        cells = ", ".join(table[0].cells[:_SHOWN_NAMES])
        said = f"The first line of {file} is read as names of columns, which the file of the training did not have: {cells}."
        notes.append(Problem("warning", "header_assumed", "data", said, "Write a line with the names above it if it is a row."))
    # An empty line is an empty value where there is one column, and no row at all where there are several.
    body = [record for record in rows if record.cells != ("",) or len(names) == 1]
    if skipped := len(rows) - len(body):
        said = f"{file} has {counted(skipped, 'empty line')} between its rows, skipped in reading."
        notes.append(Problem("info", "blank_lines", "data", said))
    if not body:
        raise InvalidInput(f"{file} has a header and no rows; expected at least one.", "no_rows", "data")
    if len(names) == 1:
        last = body[-1].line + body[-1].cells[0].count("\n")
        body += [Record(("",), len(text.content), last + at) for at in range(1, text.empty_end + 1)]
    numbers = _line_numbers(text, [record.line for record in body])
    reasons = {
        row: f"It has {len(record.cells)} fields, the header has {len(names)}; expected the same number."
        for row, record in enumerate(body)
        if len(record.cells) != len(names)
    }
    if len(reasons) == len(body):
        raise InvalidInput(f"{file}: {placed(0, reasons[0], numbers)}", "ragged_rows", "data")
    cells_of = [(*record.cells, *[""] * (len(names) - len(record.cells)))[: len(names)] for record in body]
    read_values: dict[str, Values] = {}
    for port in fitted.inputs:
        try:
            at = [names.index(column) for column in columns_of[port.name]]
            read_values[port.name] = _cells(fitted, port, at, cells_of, delimiter, how, reasons, notes)
        except InvalidInput as error:
            raise _with_lines(error, reasons, numbers) from None
    used = [column for columns in columns_of.values() for column in columns]
    kept = {name: [cells[names.index(name)] for cells in cells_of] for name in _kept_names(keep, names, used, file)}
    return InputRows(read_values, reasons, kept, numbers, tuple(notes))


def _line_numbers(text: _Body, lines: Iterable[int]) -> tuple[int, ...]:
    return tuple(text.first_line - 1 + line for line in lines) if text.first_line else ()


def _with_lines(error: InvalidInput, reasons: dict[int, str], lines: Sequence[int]) -> InvalidInput:
    """Return the error with the lines of those rows whose reasons it names."""
    rows = {why: row for row, why in reversed(reasons.items())}
    return InvalidInput(
        [
            msgspec.structs.replace(problem, text=placed(rows[problem.text], problem.text, lines))
            if problem.text in rows
            else problem
            for problem in error.problems
        ]
    )


def _require_single(columns_of: dict[str, list[str]], names: Sequence[str], file: str) -> None:
    """Raise InvalidInput if a column in use is there twice."""
    twice = [name for columns in columns_of.values() for name in columns if names.count(name) > 1]
    if twice:
        text = f"{file} has several columns named {twice[0]!r}, and the model needs one; give every column a name of its own."
        raise InvalidInput([Problem("error", "duplicate_column", "data", text, "Remove or rename the others.")])


def _cells(
    fitted: Fitted,
    port: FittedPort,
    positions: list[int],
    body: Sequence[Sequence[str]],
    delimiter: str,
    how: Reading,
    reasons: dict[int, str],
    notes: list[Problem],
) -> Values:
    if isinstance(port.codec, ReadsText):
        return [record[positions[0]] for record in body]
    texts = [[record[position] for record in body] for position in positions]
    notations = fitted.notations(port)
    if len(notations) != len(positions):
        notations = (notations[0] if len(notations) == 1 else None,) * len(positions)
    if not (len(positions) > 1 or not np.prod(port.codec.shape, dtype=np.int64) > 1):  # numbers of a vector in one cell
        notes += notes_of_lines(port, texts[0], notations) if how.decimal == "auto" else ()
        return numbers_of(port, texts[0], reasons, _notations(fitted, port, how))
    proved = proved_decimals(body)
    decimal: Decimal = how.decimal if how.decimal != "auto" else "," if proved == {","} else "."
    plain = []
    for cells, notation in zip(texts, notations, strict=True):
        if notation is not None and how.decimal == "auto":
            read = settled_cells(port, cells, notation, proved, delimiter)
        else:
            read = detected_cells(port, cells, delimiter, decimal, how.decimal != "auto")
        plain.append(read.cells)
        notes += read.notes
        for row, why in read.reasons.items():
            reasons.setdefault(row, why)
    return numbers_of(port, ["\t".join(cell.strip() or "NA" for cell in cells) for cells in zip(*plain, strict=True)], reasons)


def _bare(
    fitted: Fitted, lines: list[str], file: str, reasons: dict[int, str], how: Reading, notes: list[Problem]
) -> Values:  # fmt: skip
    """Read one value per line. Raises InvalidInput if the first is no value but may be a name: a header was probably meant."""
    port = fitted.inputs[0]
    notations = _notations(fitted, port, how)
    text = isinstance(port.codec, ReadsText)
    try:
        first = RowSource(f"Input {port.name!r}", lines[:1] if text else numbers_of(port, lines[:1], {}, notations))
        problems = faults(port.codec, first, port.name)
    except InvalidInput as error:
        problems = list(error.problems)
    if problems and (not any(lines[1:]) or _NAME.fullmatch(lines[0].strip())):
        wanted = " or ".join(map(repr, port.names))
        sentence = f"{file}: the first line is neither a header with a column {wanted} nor a value: {problems[0].text}"
        raise InvalidInput([Problem("error", "missing_input", port.name, sentence)])
    if text:
        return lines
    notes += notes_of_lines(port, lines, notations) if how.decimal == "auto" else ()
    return numbers_of(port, lines, reasons, notations)
