"""Divides rows into training, validation and test rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import Table
from seqdec_gui.data.order import SPLIT_STREAM, epoch_order
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.domain.wording import counted

Rows = np.ndarray[Any, np.dtype[np.int64]]

_NAMES = {
    "train": "training", "training": "training",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""The part of the data for each word that a split column may contain, lower case."""


class Parts(NamedTuple):
    """Row indices, each ascending, together all rows."""

    training: Rows
    validation: Rows
    test: Rows


def split_rows(split: Split, rows: int, table: Table | None) -> tuple[Parts, list[Problem]]:
    """Divide range(rows) into three parts, and return them with every problem. `table` has the column of the split."""
    if split.kind == "random":
        parts = _random(split, rows)
    else:
        try:
            parts = _by_column(split, rows, table)
        except InvalidInput as error:
            return Parts(np.arange(rows), *(np.empty(0, np.int64),) * 2), list(error.problems)
    return parts, _check(split, parts, rows)


def _random(split: Split, rows: int) -> Parts:
    """Rows in the order of Philox with the key (seed, 2**64 - 1): first the test rows, then validation, then training."""
    order = epoch_order(split.seed, SPLIT_STREAM, rows)
    test = round(rows * split.test)
    validation = test + round(rows * split.validation)
    part = np.zeros(rows, np.int8)
    part[order[test:validation]] = 1
    part[order[:test]] = 2
    return Parts(*(np.flatnonzero(part == which).astype(np.int64, copy=False) for which in range(3)))


def _by_column(split: Split, rows: int, table: Table | None) -> Parts:
    """Divide the rows by the words of the split column. Raises InvalidInput."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not split.column or table is None:
        raise InvalidInput("The split by column names no column; expected the column that says train, validation or test.",
                           "split_column_missing", "data")  # fmt: skip
    chunks = [chunk.cast(pa.string()) for chunk in table.text_chunks(split.column)]
    coded = pc.utf8_lower(pc.utf8_trim_whitespace(pa.chunked_array(chunks, pa.string()))).combine_chunks().dictionary_encode()
    words = coded.dictionary.to_pylist()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    if len(codes) != rows:
        text = f"Split column {split.column!r} has {len(codes)} rows, the data has {rows}; expected the same number."
        raise InvalidInput(text, "row_counts_differ", "data")
    parts = np.array([_NAMES.get(word, "") for word in words] + [""])[codes]
    unknown_rows = np.flatnonzero(parts == "")
    if len(unknown_rows):
        row = int(unknown_rows[0])
        cell_text = repr(words[codes[row]]) if codes[row] >= 0 else "nothing"
        raise InvalidInput(
            f"Split column {split.column!r} says {cell_text} in row {row + 1} ({len(unknown_rows)} such rows); "
            "expected train, validation or test.", "unknown_split", "data")  # fmt: skip
    return Parts(*(np.flatnonzero(parts == name).astype(np.int64) for name in Parts._fields))


def _check(split: Split, parts: Parts, rows: int) -> list[Problem]:
    """Return an error if no row is left for training, and a warning for each part that a share leaves empty."""
    problems = []
    if rows == 0:
        problems.append(Problem("error", "no_rows", "data", "The data has no rows; expected at least one to train on."))
    elif not len(parts.training):
        text = f"Of {counted(rows, 'row')} none is left for training; expected at least one."
        hint = "Give less to validation and test, or more rows."
        problems.append(Problem("error", "no_training_rows", "data", text, hint))
    if rows and not errors(problems) and split.kind == "random":
        for name, share, part in (("validation", split.validation, parts.validation), ("test", split.test, parts.test)):
            if share > 0 and not len(part):
                text = f"A share of {share:g} of {counted(rows, 'row')} leaves no row for {name}."
                problems.append(Problem("warning", "empty_split", "data", text, f"Raise the share or set {name} to 0."))
    return problems
