"""Opens a file for the first time in a process of its own: libraries in C may crash on damaged files, and take a process along.

HDF5, SciPy's reader of MATLAB files and Arrow's of Parquet do. `python -m seqdec_gui.data.formats.trial FILE` reads a file, and
ends by a signal where its library crashes; every other fault is found again, and said, when the file is opened.
"""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache
from pathlib import Path

LONGEST_S = 120
"""Seconds after which the process is ended; a file that takes longer is taken for sound."""

WHOLE_BYTES = 64 * 2**20
"""The size up to which the values of a file are all read; of a larger file only the first of each column are."""


def crashes_library(path: Path) -> bool:
    """Return whether reading the file crashes the library that reads it. A file is read again only after it has changed."""
    status = path.stat()
    return _crashes(path.absolute(), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _crashes(path: Path, modified_ns: int, size: int) -> bool:
    command = [sys.executable, "-m", "seqdec_gui.data.formats.trial", str(path)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode < 0


def main(path: Path) -> None:
    """Read the columns of a file; whatever the readers raise is no crash."""
    from seqdec_gui.data.formats.registry import format_of
    from seqdec_gui.domain.problems import InvalidInput

    row = format_of(path)
    if row is None:
        return
    whole = path.stat().st_size <= WHOLE_BYTES
    try:
        table = row.table_class()(path)
    except InvalidInput:
        return
    for column in table.columns:
        try:
            table.page(column.name, 0, 1)
            for _ in table.chunks(column.name) if whole else ():
                pass
        except InvalidInput:
            continue


if __name__ == "__main__":
    main(Path(sys.argv[1]))
