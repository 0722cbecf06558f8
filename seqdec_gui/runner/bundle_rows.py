"""Rows as they are given to a bundle in Python: mappings with the names of inputs or of columns, or values alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from seqdec_gui.data.codecs import ReadsText
from seqdec_gui.data.first_step import first_of_sequences, with_first_step
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.new_rows import EncodedRows, encode_good_rows
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.sample_file import columns_of


def as_list(rows: Any) -> list[Any]:
    """The rows as a list; those of a data frame of pandas or polars as mappings from column to value."""
    for name, arguments in (("to_dicts", ()), ("to_dict", ("records",))):
        method = getattr(rows, name, None)
        if callable(method) and hasattr(rows, "columns"):
            return list(method(*arguments))
    if isinstance(rows, str | bytes | Mapping):
        text = f"Expected a list of rows, received {'one mapping' if isinstance(rows, Mapping) else 'text'}."
        raise InvalidInput([Problem("error", "bad_value", "", text, "Put it into a list: generate([row]).")])
    return list(rows)


def by_input(row: Any, number: int, fitted: Fitted, inputs: Sequence[str]) -> dict[str, Any]:
    """The values of a row by input. Raises InvalidInput where one is missing.

    A mapping may name the input, its block, or the columns of the training; what it has besides is not looked at. Anything but
    a mapping is the value of the only input.
    """
    if not isinstance(row, Mapping):
        if len(inputs) == 1:
            return {inputs[0]: row}
        text = f"Row {number + 1} is no mapping; expected values for {', '.join(inputs)}."
        raise InvalidInput([Problem("error", "missing_input", "", text, "Give a mapping from input to value.")])
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in inputs:
        port = fitted.port(name)
        given = next((key for key in (name, *port.names) if key in row), None)
        if given is not None:
            found[name] = row[given]
        elif (columns := port.number_names or port.columns) and len(columns) > 1 and all(name in row for name in columns):
            values = [math.nan if row[column] in (None, "") else row[column] for column in columns]  # missing
            found[name] = values
            problems += [
                Problem(
                    "error",
                    "not_numbers",
                    name,
                    f"Row {number + 1} has {str(row[column])[:60]!r} in {column}.",
                    "Give a number.",
                )
                for column, value in zip(columns, values, strict=True)
                if not isinstance(port.codec, ReadsText) and not _is_number(value)
            ]
        else:
            text = f"Row {number + 1} has no value for input {name}."
            problems.append(Problem("error", "missing_input", name, text, f"Give {_accepted(port, row)}."))
    if problems:
        raise InvalidInput(problems)
    return found


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (ValueError, TypeError):
        return np.ndim(value) > 0  # several numbers under one name
    return True


def _accepted(port: FittedPort, row: Mapping[Any, Any]) -> str:
    missing = [column for column in port.columns if column not in row]
    if len(port.columns) > 1 and len(missing) < len(port.columns):
        return f"its columns too: {', '.join(missing[:8])}{' and more' if len(missing) > 8 else ''}"
    columns = ", ".join(port.columns[:8]) + (f" and {len(port.columns) - 8} more" if len(port.columns) > 8 else "")
    return f"it under the name {port.name}" + (f", or by the columns {columns}" if columns else "")


def encoded(rows: Sequence[Any], fitted: Fitted, inputs: Sequence[str], first: str) -> dict[str, Any]:
    """The arrays of the inputs, as the training stored them. Raises InvalidInput with every faulty row.

    `first` is the input whose sequences give the first step, "" if none does.
    """
    values = columns_of([by_input(row, number, fitted, inputs) for number, row in enumerate(rows)], _wanted(fitted, first))
    return dict(_wanted(fitted, first).encode_rows(first_of_sequences(values, fitted, first) if first else values))


def encoded_where_good(rows: Sequence[Any], fitted: Fitted, inputs: Sequence[str], first: str) -> EncodedRows:
    """The arrays of the inputs, with zeros for rows that cannot be encoded, which have their reasons. Raises InvalidInput."""
    reasons: dict[int, str] = {}
    mappings: dict[int, dict[str, Any]] = {}
    for number, row in enumerate(rows):
        try:
            mappings[number] = by_input(row, number, fitted, inputs)
            columns_of([mappings[number]], _wanted(fitted, first))
        except InvalidInput as error:
            mappings.pop(number, None)
            reasons[number] = _of_one_row(error.problems, number)
    arrays: dict[str, Any] = {}
    good = list(mappings)
    if good:
        values = columns_of(list(mappings.values()), _wanted(fitted, first))
        values = first_of_sequences(values, fitted, first) if first else values
        try:
            found = encode_good_rows(_wanted(fitted, first), values, {})
        except InvalidInput as error:
            if len(good) == 1:
                return EncodedRows({}, {**reasons, good[0]: _of_one_row(error.problems, good[0])}, len(rows))
            raise
        reasons |= {good[place]: why for place, why in found.reasons.items()}
        for name, array in found.arrays.items():
            arrays[name] = np.zeros((len(rows), *array.shape[1:]), array.dtype)
            arrays[name][good] = array
    return EncodedRows(arrays, dict(sorted(reasons.items())), len(rows))


def _of_one_row(problems: Iterable[Problem], number: int) -> str:
    texts = " ".join(problem.text for problem in problems)
    return texts.replace("Row 1 ", f"Row {number + 1} ", 1)


def _wanted(fitted: Fitted, first: str) -> Fitted:
    return with_first_step(fitted, first) if first else fitted
