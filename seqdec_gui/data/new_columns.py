"""Finds the columns of new rows by their names, and reads those of which single rows alone cannot be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedIds, FittedNumbers, ReadsText
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.formats.base import Array, Table
from seqdec_gui.data.formats.header import is_known_name, judge_header
from seqdec_gui.data.formats.memory import gathered
from seqdec_gui.data.formats.notation import Notation
from seqdec_gui.data.new_numbers import as_trained, numbers_of
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted, shortened

_SHOWN_NAMES = 20
"""The number of columns that a message names."""

_HEADER_SAMPLE = 100
"""The number of lines with which a first line is compared that may be a name."""

_SHOWN_REASONS = 3
"""The number of columns that cannot be used of which a message says why."""


def columns_for(port: FittedPort, names: Sequence[str]) -> list[str]:
    """Return the columns that hold the values of this port; empty if the file has none."""
    for name in port.names:
        if name in names:
            return [name]
    if all(column in names for column in port.columns):
        return list(port.columns)
    return list(port.number_names) if port.number_names and all(part in names for part in port.number_names) else []


def columns_in_table(fitted: Fitted, table: Table) -> dict[str, list[str]]:
    """Return the columns of each input by its name, empty where the table has none.

    A column that cannot be used counts as one of its name, so that no other is taken in its place. The only column of a file
    that names none holds the values of the only input.
    """
    names = [*(column.name for column in table.columns), *table.unusable]
    found = {port.name: columns_for(port, names) for port in fitted.inputs}
    if len(fitted.inputs) == 1 and len(names) == 1 and not table.has_names:
        found[fitted.inputs[0].name] = names
    return found


def require_columns(
    fitted: Fitted,
    columns_of: Mapping[str, Sequence[str]],
    names: Sequence[str],
    file: str,
    unusable: Mapping[str, Problem] | None = None,
) -> None:
    """Raise InvalidInput with a problem for each input that has no column; `unusable` are the columns that cannot be read."""
    problems = []
    for port in fitted.inputs:
        if not columns_of[port.name]:
            wanted = " or ".join(map(repr, port.names))
            if len(port.columns) > 1 or port.number_names:
                wanted += f" or all of {', '.join(port.number_names or port.columns)}"
            found = ", ".join(map(repr, names[:_SHOWN_NAMES])) or "no column that can be used"
            text = f"{file} has no column for input {port.name}: expected {wanted}, found {found}."
            text = " ".join([text, *(why.text for why in [*(unusable or {}).values()][:_SHOWN_REASONS])])
            problems.append(Problem("error", "missing_input", port.name, text, "Name the column like the input."))
    if problems:
        raise InvalidInput(problems)


def first_line_notes(lines: Sequence[str], port: FittedPort, file: str) -> list[Problem]:
    """Return a warning where the first line of a file with one value a line may be the name of its column."""
    if len(lines) < 2 or not isinstance(port.codec, ReadsText):
        return []
    if not (is_known_name(lines[0].strip()) or judge_header([[line] for line in lines[:_HEADER_SAMPLE]]).header):
        return []
    text = f"The first line of {file} may be the name of its column, and is read as a row: {shortened(lines[0].strip(), 40)}."
    hint = f"If it is a name, remove it, or write {port.name!r} in its place."
    return [Problem("warning", "header_missing", "data", text, hint)]


def fail_if_unusable(port: FittedPort, columns: Sequence[str], table: Table) -> None:
    """Raise InvalidInput if a column of this input cannot be used, unless single rows of it can."""
    for name in columns:
        if name in table.unusable and not (len(columns) == 1 and name in table.unusable_cells):
            raise _refusal(port, name, table)


def _refusal(port: FittedPort, name: str, table: Table) -> InvalidInput:
    problem = table.unusable[name]
    text = f"{table.path.name} has no values for input {port.name}: {problem.text}"
    return InvalidInput([msgspec.structs.replace(problem, where=port.name, text=text, hint="")])


def values_of_rows(
    port: FittedPort, name: str, table: Table, reasons: dict[int, str], notations: Sequence[Notation | None]
) -> list[str] | Array:
    """Return the values of a column of which some cells cannot be used; the reasons of their rows are added.

    Raises InvalidInput if no cell can be used.
    """
    cells = table.unusable_cells[name]
    failed: dict[int, str] = {}
    if isinstance(port.codec, ReadsText):
        values: list[str] | Array = _texts(cells, failed)
    else:
        values = _numbers(port, cells, failed, notations)
    missing = sum(cell is None for row, cell in enumerate(cells) if row not in failed)
    if len(failed) + missing == len(cells):
        if name in table.unusable or not failed:
            raise _refusal(port, name, table)
        row = min(failed)
        text = f"{table.path.name} has no values for input {port.name}: row {row + 1} {failed[row]}."
        raise InvalidInput([Problem("error", "unusable_array", port.name, text)])
    where = "" if name == port.name else f" in column {name!r}"
    for row, why in failed.items():
        reasons.setdefault(row, f"Input {port.name}: its cell{where} {why}.")
    return values


def _texts(cells: Sequence[Any], failed: dict[int, str]) -> list[str]:
    """Return the cells as texts, as in a column of texts and numbers; for lists and objects the reasons are added."""
    for row, cell in enumerate(cells):
        if isinstance(cell, list | dict):
            failed[row] = f"holds {'a list' if isinstance(cell, list) else 'an object'}; expected a text"
    texts = gathered("", [*(None if row in failed else cell for row, cell in enumerate(cells)), ""]).values
    return [text or "" for text in texts.to_pylist()[:-1]]


def _numbers(
    port: FittedPort, cells: Sequence[Any], failed: dict[int, str], notations: Sequence[Notation | None]
) -> Array:  # fmt: skip
    """Return the numbers of every cell; a row that fails is NaN, and its reason is added."""
    assert not isinstance(port.codec, ReadsText)
    size = int(np.prod(port.codec.shape, dtype=np.int64))
    depth = port.codec.depth if isinstance(port.codec, FittedIds) else 0
    read: dict[int, Array] = {}
    for row, cell in enumerate(cells):
        try:
            read[row] = _numbers_of_cell(port, cell, size, notations)
        except InvalidInput as error:
            failed[row] = error.problems[0].text
            continue
        width = next(iter(read.values())).size
        if read[row].size not in (size, size * depth or size) or read[row].size != width:
            failed[row] = f"has {counted(read.pop(row).size, 'number')}; expected {size}"
    width = next((values.size for values in read.values()), size)
    empty = np.full(width, np.nan)
    return as_trained(port, np.stack([read.get(row, empty) for row in range(len(cells))]))


def _numbers_of_cell(port: FittedPort, cell: Any, size: int, notations: Sequence[Notation | None]) -> Array:
    """Return the numbers of a cell in a row. Raises InvalidInput, with the reason as its text."""
    if isinstance(cell, str):
        try:
            return numbers_of(port, [cell], {}, notations).reshape(-1)
        except InvalidInput as error:
            said = error.problems[0].text.removeprefix(f"Input {port.name}: ").rstrip(".")
            raise InvalidInput(f"holds a text that is not read: {said}") from None
    if cell is None and size == 1:
        return np.full(1, np.nan)
    if cell is None or isinstance(cell, dict):
        raise InvalidInput(f"holds {'no value' if cell is None else 'an object'}; expected {counted(size, 'number')}")
    if isinstance(cell, list) and isinstance(port.codec, FittedNumbers | FittedIds) and not port.codec.shape:
        raise InvalidInput("holds a list; expected a number")
    made = gathered("", [cell])
    if made.unusable or not isinstance(made.values, np.ndarray):
        raise InvalidInput((made.unusable or "holds a number that would be rounded").replace("row 1", "the row"))
    return np.asarray(made.values, np.float64).reshape(-1)
