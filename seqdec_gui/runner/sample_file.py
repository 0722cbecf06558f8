"""Writes generated sequences as CSV, SMILES or JSON Lines, and converts the rows of a task to columns."""

from __future__ import annotations

import csv
import math
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedIds, ReadsText
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.rows import Values, is_id
from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.sampler import Sample

HEADER = ("row", "sample", "text", "log_probability")
"""Columns of a file of samples."""
PROBLEM = "problem"
"""The column that says why a row could not be decoded; it is there if there is such a row."""
FINISHED = "finished"
"""The optional column that marks unfinished sequences: 0 for one that was cut at the greatest length, otherwise 1."""
PREVIEW = 20
"""Samples that the answer of a task repeats."""


class Beside(NamedTuple):
    """What stands beside the samples of a row: why it could not be decoded, by row, and columns that are carried over."""

    reasons: Mapping[int, str] = {}
    kept: Mapping[str, Sequence[str]] = {}

    def names(self, taken: Sequence[str]) -> list[str]:
        """Return the names of the further columns, different from those that are taken."""
        kept = [f"input_{name}" if name in (*taken, PROBLEM) else name for name in self.kept]
        return [*kept, *([PROBLEM] if self.reasons else [])]

    def cells(self, row: int) -> list[str]:
        kept = [column[row] for column in self.kept.values()]
        return [*kept, *([self.reasons.get(row, "")] if self.reasons else [])]


NOTHING = Beside()


def write_samples(
    path: Path, parts: Iterable[list[Sample]], mark_unfinished: bool = False, beside: Beside = NOTHING
) -> tuple[int, tuple[Sample, ...]]:
    """Write the file whole or not at all; returns the number of samples and the first of them. Raises SeqdecError.

    It is SMILES (`text`, a tab and a name) if it ends in .smi, JSON Lines if it ends in .jsonl, otherwise CSV.
    `mark_unfinished` adds the column `finished`. A row of `beside.reasons` has one line without a text, but none in SMILES.
    """
    count, preview = 0, list[Sample]()
    header = (*HEADER, FINISHED) if mark_unfinished else HEADER
    names = (*header, *beside.names(header))
    refused = sorted(beside.reasons)

    def refusals(before: float) -> Iterator[Sequence[object]]:
        while refused and refused[0] < before:
            row = refused.pop(0)
            yield (row, "", "", "", *[""] * mark_unfinished, *beside.cells(row))

    special = path.exists() and not path.is_file()  # a pipe or a device is written to, never replaced by a file
    partial = path if special else path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = _WRITERS.get(path.suffix.lower(), _Csv)(file, names)
            for part in parts:
                for row, sample, text, log_probability, finished in part:
                    writer.write(refusals(row))
                    cells = (row, sample, text, "" if log_probability is None else f"{log_probability:.6f}")
                    writer.write([(*cells, *[int(finished)] * mark_unfinished, *beside.cells(row))])
                preview += part[: PREVIEW - len(preview)]
                count += len(part)
            writer.write(refusals(math.inf))
            file.flush()
            if not special:
                os.fsync(file.fileno())
        if not special:
            partial.replace(path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        if not special:
            partial.unlink(missing_ok=True)
    return count, tuple(preview)


class _Csv:
    def __init__(self, file: TextIO, names: Sequence[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(names)

    def write(self, rows: Iterable[Sequence[object]]) -> None:
        self._writer.writerows(rows)


class _JsonLines:
    """One object per line, with null where CSV has an empty cell of the file's own columns."""

    def __init__(self, file: TextIO, names: Sequence[str]) -> None:
        self._file, self._names = file, names

    def write(self, rows: Iterable[Sequence[object]]) -> None:
        for row in rows:
            values = dict(zip(self._names, row, strict=True))
            refused = values["sample"] == ""
            if refused:
                values |= dict.fromkeys((name for name in (*HEADER[1:], FINISHED) if name in values), None)
            else:
                number = values["log_probability"]
                values["log_probability"] = None if number == "" else float(str(number))
                if FINISHED in values:
                    values[FINISHED] = bool(values[FINISHED])
            self._file.write(msgspec.json.encode(values).decode() + "\n")


class _Smiles:
    """The text, a tab, and as its name the first column of ids, or the number of the row, and the number of the sample."""

    def __init__(self, file: TextIO, names: Sequence[str]) -> None:
        self._file = file
        self._named_by = next((at for at, name in enumerate(names[len(HEADER) :], len(HEADER)) if is_id(name)), 0)

    def write(self, rows: Iterable[Sequence[object]]) -> None:
        for row in rows:
            if row[1] != "" and row[2]:
                name = "_".join(str(row[self._named_by]).split())
                self._file.write(f"{row[2]}\t{name}_{row[1]}\n")


_WRITERS: Mapping[str, Callable[[TextIO, Sequence[str]], _Csv | _JsonLines | _Smiles]] = {
    ".jsonl": _JsonLines,
    ".smi": _Smiles,
}


def columns_of(rows: Sequence[Mapping[str, Any]], fitted: Fitted) -> dict[str, Values]:
    """Return the values of each port from one mapping per row. Raises InvalidInput: a value is missing or is no number."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns: dict[str, Values] = {}
    for name in names:
        port = fitted.port(name)
        missing = next((i for i, row in enumerate(rows) if name not in row), None)
        if missing is not None:
            text = f"Row {missing + 1} has no value for input {name}."
            raise InvalidInput([Problem("error", "missing_input", name, text, "Give one value per row.")])
        values = [row[name] for row in rows]
        if isinstance(port.codec, ReadsText):
            columns[port.name] = [str(value) for value in values]
            continue
        depth = port.codec.depth if isinstance(port.codec, FittedIds) else 0
        shape = (*port.codec.shape, depth) if depth else port.codec.shape
        try:
            columns[port.name] = np.array(values, np.float64).reshape(len(rows), *shape)
        except (ValueError, TypeError) as error:
            wrong = next((i for i, value in enumerate(values) if not _fits(value, shape)), 0)
            text = f"Row {wrong + 1} of input {name} is {str(values[wrong])[:60]!r}; expected numbers of shape {shape}."
            raise InvalidInput([Problem("error", "not_numbers", name, text)]) from error
    return columns


def _fits(value: Any, shape: tuple[int, ...]) -> bool:
    try:
        return np.array(value, np.float64).size == np.prod(shape, dtype=np.int64)
    except (ValueError, TypeError):
        return False
