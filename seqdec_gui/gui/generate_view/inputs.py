"""What a trained run takes, and rows of its data as a form or a task wants them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqdec_gui.data import fitted as fitted_file
from seqdec_gui.data.codecs import FittedCategory, FittedText
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.tables import inspect
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.generation import obstacle
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui.data_view.words import array_text
from seqdec_gui.runs.folder import RunFolder

PEEKED_ROWS = 64

Row = dict[str, Any]
"""Port name to text, or to a (nested) list of numbers: one row of `GenerateTask.rows`."""


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

    @property
    def ports(self) -> tuple[FittedPort, ...]:
        return self.fitted.inputs


def read_inputs(run: RunFolder) -> RunInputs:
    """Reads `data.json`, and looks at the data if it is still there. Raises InvalidInput."""
    fitted = fitted_file.load(run.data)
    spec = run.read_spec()
    design = spec.load_design()
    why_not, reading = obstacle(design), design.data.reading
    data = Path(spec.data_file) if spec.data_file else None
    try:
        rows = 0 if data is None else inspect(data, reading, _columns_of(fitted)).rows
        peeked = [] if data is None else rows_of_data(fitted, data, 0, min(rows, PEEKED_ROWS), reading)
    except InvalidInput:  # moved, or bound from several files: typing and files still work
        return RunInputs(run, fitted, None, 0, {}, why_not)
    return RunInputs(run, fitted, data, rows, _highest(fitted, peeked), why_not, reading)


def rows_of_data(fitted: Fitted, data: Path, first: int, count: int, reading: Reading) -> list[Row]:
    """Rows [first, first + count) of the columns that the run was trained on. Raises InvalidInput."""
    table = inspect(data, reading, _columns_of(fitted))
    cells = {port.name: [table.page(table.column(name).name, first, count) for name in port.columns] for port in fitted.inputs}
    rows = min((len(column) for columns in cells.values() for column in columns), default=0)
    return [
        {port.name: _value(port, [column[row] for column in cells[port.name]]) for port in fitted.inputs} for row in range(rows)
    ]


def _columns_of(fitted: Fitted) -> list[str]:
    return [column for port in fitted.ports for column in port.columns]


def in_words(row: Row) -> str:
    """What a row holds on one line: `1987`; several inputs with a comma, of many numbers the first."""
    return ", ".join(value if isinstance(value, str) else array_text(np.asarray(value)) for value in row.values())


def _value(port: FittedPort, cells: list[Any]) -> Any:
    if isinstance(port.codec, FittedText | FittedCategory):
        return "" if cells[0] is None else str(cells[0])
    values = np.array([np.nan if cell is None else cell for cell in cells], np.float64)
    return (values[0] if len(cells) == 1 else values).tolist()


def _highest(fitted: Fitted, rows: list[Row]) -> dict[str, float]:
    found = {}
    for port in fitted.inputs:
        if rows and not isinstance(port.codec, FittedText | FittedCategory):
            values = np.array([row[port.name] for row in rows], np.float64)
            if np.isfinite(values).any():
                found[port.name] = float(np.nanmax(values))
    return found
