"""Writes the curves of a run as a CSV table."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from seqdec_gui.domain.paths import mode_of_new_files
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.curves import Numbers, in_order
from seqdec_gui.runs.history import RunHistory

Columns = tuple[str, str, tuple[Numbers, Numbers, Numbers, Numbers]]
HEADER = "source,metric,step,epoch,seconds,value\n"
_ROWS = 5000
"""Rows that are formatted at a time."""


def columns_of(history: RunHistory) -> list[Columns]:
    """Return the points of all curves so far; call it in the thread that adds events to the history."""
    tables = (("report", history.reports), ("epoch", history.epochs), ("memory", history.memory), ("load", history.load))
    columns = []
    for source, curves in tables:
        for metric in in_order(curves):
            curve = curves[metric]
            columns.append((source, metric, (curve.steps, curve.epochs, curve.seconds, curve.values)))
    return columns


def write_csv(curves: Sequence[Columns], path: Path) -> int:
    """Write every value as a row `source,metric,step,epoch,seconds,value`; returns the number of rows. For a thread.

    `source` is `report` (the means since the report before) or `epoch` (of a whole epoch, or of its part), and `memory` (bytes)
    and `load` (0 to 1) with the device in place of the metric. Raises SeqdecError; then nothing has changed at `path`.
    """
    name = ""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        rows = 0
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(HEADER)
            for source, metric, columns in curves:
                rows += len(columns[0])
                for text in _lines(f"{source},{metric}", columns):
                    file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode_of_new_files())
        Path(name).replace(path)
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise SeqdecError(f"The curves cannot be written to {path}: {error.strerror}. Choose another folder.") from error
    return rows


def _lines(head: str, columns: tuple[Numbers, ...]) -> Iterator[str]:
    for first in range(0, len(columns[0]), _ROWS):
        parts = zip(*(column[first : first + _ROWS].tolist() for column in columns), strict=True)
        yield "".join(f"{head},{step:.0f},{epoch:.6g},{seconds:.3f},{value!r}\n" for step, epoch, seconds, value in parts)
