"""How many rows a training has, told without reading the whole file: to decide what is worth measuring."""

from __future__ import annotations

from pathlib import Path

from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import SeqdecError

_SAMPLE_BYTES = 65536


def estimated_rows(design: Design, folder: Path) -> int | None:
    """Rows of the design's data file: counted where the format says them, estimated from the start of a text file.

    None where there is no file or it cannot be read. Takes milliseconds.
    """
    if not design.data.file:
        return None
    path = folder / expanded(design.data.file)
    try:
        if not path.is_file():
            return None
        row = format_of(path)
        if row is not None and row.row_per_line:
            with path.open("rb") as file:
                start = file.read(_SAMPLE_BYTES)
            lines = max(1, start.count(b"\n"))
            return max(1, round(path.stat().st_size * lines / max(1, len(start))) - 1)
        from seqdec_gui.data.tables import inspect

        return max(column.rows for column in inspect(path).columns)
    except (OSError, SeqdecError, ValueError):
        return None
