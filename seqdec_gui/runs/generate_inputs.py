"""Reads the inputs of a trained run, and rows of its data for a form or a task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedText, ReadsText
from seqdec_gui.data.display import array_text
from seqdec_gui.data.first_step import with_first_step
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.tables import inspect
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import Plan, Stepwise, attends, obstacle, plan_for, plan_with_mapping, variational_width
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runs.data_record import read_record
from seqdec_gui.runs.folder import RunFolder

PEEKED_ROWS = 64
"""First rows of the data from which the largest values and the first step are taken."""

Row = dict[str, Any]
"""Port name to text, or to a (nested) list of numbers: one row of `GenerateTask.rows`."""


class Predictions(NamedTuple):
    """What a run predicts: the port of its targets, and the number of symbols or numbers in a step.

    `needs_mapping` says why it generates only if a file says what is fed after each prediction, and `taken` how many symbols
    or numbers a fed step then has.
    """

    port: FittedPort
    width: int
    numbers: bool
    needs_mapping: str = ""
    taken: int = 0
    fed: FittedPort | None = None


class RunInputs(NamedTuple):
    """The run's codecs, its data file (None where it cannot be read any more), and how many rows that has.

    `highest` is the largest value that a numeric port has in the first rows, where the data can be read.
    """

    run: RunFolder
    fitted: Fitted
    data: Path | None
    rows: int
    highest: Mapping[str, float]
    obstacle: str = ""
    """Why nothing can be generated with the run's design."""
    reading: Reading = Reading()
    """How the data file was read for the training."""
    first_step: str = ""
    """The port that gives the first step of each row, where the rows of the data begin with different numbers."""
    predicted: Predictions | None = None
    """What the run predicts; None if it cannot generate."""
    trained_on: int = 0
    """How many rows the run trained on; 0 if it did not record it."""
    variational: int = 0
    """How many numbers the code of its variational bottleneck has; 0 without one."""
    attends: bool = False
    """Whether a block of its design attends to something."""

    @property
    def ports(self) -> tuple[FittedPort, ...]:
        return self.fitted.inputs


def read_inputs(run: RunFolder) -> RunInputs:
    """Reads `data.json`, and looks at the data if it is still there. Raises InvalidInput."""
    fitted = run.read_fit()
    spec = run.read_spec()
    design = spec.load_design()
    why_not, reading = obstacle(design), fitted.reading(design.data.reading)
    predicted = _predictions(design, fitted, why_not)
    record = read_record(run.dataset)
    trained_on = 0 if record is None else record.training
    data = Path(spec.data_file) if spec.data_file else None
    try:
        rows = 0 if data is None else inspect(data, reading, _columns_of(fitted)).rows
        plan = None if data is None or predicted is None else plan_with_mapping(design) or plan_for(design, infer(design))
        first_step = "" if data is None or plan is None else _first_step(plan, fitted, reading, data, min(rows, PEEKED_ROWS))
        fitted = with_first_step(fitted, first_step) if first_step else fitted
        peeked = [] if data is None else rows_of_data(fitted, data, 0, min(rows, PEEKED_ROWS), reading, first_step)
    except InvalidInput:  # moved, or bound from several files: typing and files still work
        return RunInputs(
            run,
            fitted,
            None,
            0,
            {},
            why_not,
            predicted=predicted,
            variational=variational_width(design),
            attends=attends(design),
        )
    highest = _highest(fitted, peeked)
    return RunInputs(
        run, fitted, data, rows, highest, why_not, reading, first_step, predicted, trained_on, variational_width(design),
        attends(design),
    )  # fmt: skip


def _predictions(design: Design, fitted: Fitted, why_not: str) -> Predictions | None:
    """Return what is generated, with a mapping if it takes one; None if there is no way."""
    mapped = plan_with_mapping(design) if why_not else None
    if why_not and mapped is None:
        return None
    plan = mapped or plan_for(design, infer(design))
    arrays = {feed.name: feed.array for feed in fitted.feeds}
    if plan.loss not in arrays:
        return None
    fed = fitted.port(arrays[plan.fed]) if isinstance(plan, Stepwise) and plan.fed in arrays else None
    taken = plan.taken if isinstance(plan, Stepwise) else 0
    return Predictions(fitted.port(arrays[plan.loss]), plan.width, plan.numbers, why_not if mapped else "", taken, fed)


def scoring_inputs(inputs: RunInputs) -> RunInputs:
    """Return the inputs with the sequence to score as the last, which may be as long as those that are generated.

    For a run that predicts no symbols these are the inputs alone.
    """
    predicted, fitted = inputs.predicted, inputs.fitted
    if predicted is None or predicted.numbers:
        return inputs
    port = predicted.port
    codec, others = port.codec, tuple(other for other in fitted.inputs if other.name != port.name)
    if isinstance(codec, FittedText):
        codec = msgspec.structs.replace(codec, longer="refuse")
        if codec.end and codec.padding == "right" and len(others) == len(fitted.inputs):
            codec = msgspec.structs.replace(codec, end=False, end_reserved=True)
    sequence = msgspec.structs.replace(port, role="input", generated=False, taught="", codec=codec)
    ports = (*others, sequence)
    return inputs._replace(fitted=msgspec.structs.replace(fitted, ports=ports), first_step="")


def _first_step(plan: Plan, fitted: Fitted, reading: Reading, data: Path, count: int) -> str:
    """Return the input of a decoder of numbers whose rows begin differently; empty where none does. Raises InvalidInput."""
    if not isinstance(plan, Stepwise) or not plan.numbers:
        return ""
    port, table = fitted.port(plan.fed), inspect(data, reading, _columns_of(fitted))
    cells = [table.page(table.column(name).name, 0, count) for name in port.columns]
    rows = [_steps(port, [column[row] for column in cells]) for row in range(count)]
    return plan.fed if rows and any((row[0] != rows[0][0]).any() for row in rows) else ""


def _steps(port: FittedPort, cells: list[Any]) -> Any:
    """Return the steps of a sequence of numbers as it stands in the data. Raises InvalidInput where it has another length."""
    values = np.asarray(_value(port, cells), np.float64)
    shape = port.codec.row_shape
    if values.size != np.prod(shape, dtype=np.int64):
        raise InvalidInput(f"Rows of {port.name} have {values.size} numbers in the data; expected the shape {shape}.")
    return values.reshape(shape)


def rows_of_data(fitted: Fitted, data: Path, first: int, count: int, reading: Reading, first_step: str = "") -> list[Row]:
    """Return rows [first, first + count) of the columns that the run was trained on. Raises InvalidInput.

    Of the port `first_step` the numbers of its first step alone.
    """
    table = inspect(data, reading, _columns_of(fitted))
    cells = {port.name: [table.page(table.column(name).name, first, count) for name in port.columns] for port in fitted.inputs}
    rows = min((len(column) for columns in cells.values() for column in columns), default=0)
    return [
        {
            port.name: _first_numbers(port, value) if port.name == first_step else value
            for port in fitted.inputs
            for value in [_value(port, [column[row] for column in cells[port.name]])]
        }
        for row in range(rows)
    ]


def _columns_of(fitted: Fitted) -> list[str]:
    return [column for port in fitted.ports for column in port.columns]


def in_words(row: Row) -> str:
    """Return a row as one line of text, `1987`; several inputs with a comma, of many numbers the first ones."""
    return ", ".join(value if isinstance(value, str) else array_text(np.asarray(value)) for value in row.values())


def _value(port: FittedPort, cells: list[Any]) -> Any:
    if isinstance(port.codec, ReadsText):
        return "" if cells[0] is None else str(cells[0])
    values = np.array([np.nan if cell is None else cell for cell in cells], np.float64)
    return (values[0] if len(cells) == 1 else values).tolist()


def _first_numbers(port: FittedPort, value: Any) -> Any:
    """Return the first step of a whole sequence, for a port whose codec takes one step."""
    size = int(np.prod(port.codec.row_shape, dtype=np.int64))
    return np.asarray(value, np.float64).reshape(-1)[:size].tolist()


def _highest(fitted: Fitted, rows: list[Row]) -> dict[str, float]:
    highest = {}
    for port in fitted.inputs:
        if rows and not isinstance(port.codec, ReadsText):
            values = np.array([row[port.name] for row in rows], np.float64)
            if np.isfinite(values).any():
                highest[port.name] = float(np.nanmax(values))
    return highest
