"""Writes generated sequences as CSV, SMILES or JSON Lines, and converts the rows of a task to columns."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedIds, ReadsText
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.formats.notation import Doubt, plain_cell
from seqdec_gui.data.outside import TITLE as OUTSIDE
from seqdec_gui.data.row_file import RowFile
from seqdec_gui.data.rows import Values
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.sampler import Sample

if TYPE_CHECKING:
    from seqdec_gui.runner.measured_properties import MeasuredProperties

HEADER = ("row", "sample", "text", "log_probability")
"""Columns of a file of samples."""
PROBLEM = "problem"
"""The column that says why a row could not be decoded; it is there if there is such a row."""
FINISHED = "finished"
"""The optional column that marks unfinished sequences: 0 for one that was cut at the greatest length, otherwise 1."""
PREVIEW = 20
"""Samples that the answer of a task repeats."""


class Beside(NamedTuple):
    """What stands beside the samples of a row: why it could not be decoded, by row, and columns that are carried over.

    `outside` says by row which of its numbers lie outside the range of the training rows.
    """

    reasons: Mapping[int, str] = {}
    kept: Mapping[str, Sequence[str]] = {}
    outside: Mapping[int, str] = {}

    def names(self, taken: Sequence[str]) -> list[str]:
        """Return the names of the further columns, different from those that are taken."""
        kept = [f"input_{name}" if name in (*taken, PROBLEM, OUTSIDE) else name for name in self.kept]
        return [*kept, *([OUTSIDE] if self.outside else []), *([PROBLEM] if self.reasons else [])]

    def cells(self, row: int) -> list[str]:
        kept = [column[row] for column in self.kept.values()]
        outside = [self.outside.get(row, "")] if self.outside else []
        return [*kept, *outside, *([self.reasons.get(row, "")] if self.reasons else [])]


NOTHING = Beside()


def write_samples(
    path: Path,
    parts: Iterable[list[Sample]],
    mark_unfinished: bool = False,
    beside: Beside = NOTHING,
    measured: MeasuredProperties | None = None,
) -> tuple[int, tuple[Sample, ...]]:
    """Write the file whole or not at all; returns the number of samples and the first of them. Raises SeqdecError.

    It is SMILES (`text`, a tab and a name) if it ends in .smi, JSON Lines if it ends in .jsonl, otherwise CSV.
    `mark_unfinished` adds the column `finished`, `measured` those of the properties of molecules. A row of `beside.reasons`
    has one line without a text, but none in SMILES.
    """
    count, preview = 0, list[Sample]()
    header = (*HEADER, *[FINISHED] * mark_unfinished, *(measured.names if measured is not None else ()))
    refused = sorted(beside.reasons)

    def refusals(before: float) -> Iterator[Sequence[object]]:
        while refused and refused[0] < before:
            row = refused.pop(0)
            yield (row, *[None] * (len(header) - 1), *beside.cells(row))

    with RowFile(path, (*header, *beside.names(header))) as file:
        for part in parts:
            further = measured.cells(part) if measured is not None else [()] * len(part)
            for (row, sample, text, log_probability, finished), cells in zip(part, further, strict=True):
                file.write(refusals(row))
                own = (row, sample, text, log_probability, *[finished] * mark_unfinished, *cells)
                file.write([(*own, *beside.cells(row))])
            preview += part[: PREVIEW - len(preview)]
            count += len(part)
        file.write(refusals(math.inf))
    return count, tuple(preview)


def columns_of(rows: Sequence[Mapping[str, Any]], fitted: Fitted) -> dict[str, Values]:
    """Return the values of each port from one mapping per row. Raises InvalidInput: a value is missing or of another kind."""
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
            columns[port.name] = [_text(value, row, name) for row, value in enumerate(values)]
            continue
        fail_if_read_otherwise(fitted, port, values)
        depth = port.codec.depth if isinstance(port.codec, FittedIds) else 0
        shape = (*port.codec.shape, depth) if depth else port.codec.shape
        try:
            columns[port.name] = np.array(values, np.float64).reshape(len(rows), *shape)
        except (ValueError, TypeError) as error:
            wrong = next((i for i, value in enumerate(values) if not _fits(value, shape)), 0)
            text = f"Row {wrong + 1} of input {name} is {str(values[wrong])[:60]!r}; expected numbers of shape {shape}."
            raise InvalidInput([Problem("error", "not_numbers", name, text)]) from error
    return columns


def _text(value: Any, row: int, name: str) -> str:
    """Return a value as text, a number as it is written. Raises InvalidInput for what is neither, such as None or NaN."""
    if isinstance(value, str) or (isinstance(value, numbers.Number | np.bool_) and not _is_nan(value)):
        return str(value)
    text = f"Row {row + 1} of input {name} is {str(value)[:60]!r} ({type(value).__name__}); expected text."
    raise InvalidInput([Problem("error", "missing_input", name, text, "Leave out rows that have no text.")])


def _is_nan(value: Any) -> bool:
    return isinstance(value, numbers.Real) and math.isnan(value)


def fail_if_read_otherwise(fitted: Fitted, port: FittedPort, values: Sequence[Any]) -> None:
    """Raise InvalidInput for a text that Python reads as another number than the training would, such as `1.234`."""
    notations = fitted.notations(port)
    for row, value in enumerate(values):
        parts = value if isinstance(value, list | tuple) else [value]
        for place, part in enumerate(parts):
            notation = notations[place if len(notations) == len(parts) else 0] if notations else None
            if not isinstance(part, str) or notation is None:
                continue
            read = plain_cell(part.strip(), notation)
            settled, other = (read.settled, read.other) if isinstance(read, Doubt) else (read, part.strip())
            if isinstance(read, Doubt) or _differ(read, part):
                text = (
                    f"Row {row + 1} of input {port.name} is the text {part!r}, which is {settled} as the file of the training "
                    f"was written, and may be {other}."
                )
                raise InvalidInput([Problem("error", "number_format", port.name, text, "Give a number, not a text.")])


def _differ(one: str, other: str) -> bool:
    try:
        return float(one) != float(other)
    except ValueError:
        return False  # what is no number in Python is refused as such


def _fits(value: Any, shape: tuple[int, ...]) -> bool:
    try:
        return np.array(value, np.float64).size == np.prod(shape, dtype=np.int64)
    except (ValueError, TypeError):
        return False
