"""Opens data files and reads all of them, and prints a line of JSON for each: what came of it, and what memory it took.

Run as `python -m tests.hostile.open_file FILE...`; each file is read in a process of its own.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.problems import SeqdecError

LARGEST_PRINTED = 200
MOST_ADDRESSES = 8 << 30
"""The address space of such a process, in bytes."""


def peak_bytes() -> int:
    """The most memory that this process ever held, as the kernel counts it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("expected VmHWM in /proc/self/status")


def read_all(path: Path) -> dict[str, Any]:
    """Read a page and the whole of every column. Returns the columns, the refusals, and the first values of each column."""
    said: list[str] = []
    first: dict[str, str] = {}
    names: list[str] = []
    try:
        table = open_table(path)
        names = [column.name for column in table.columns]
        said = [problem.text for problem in table.unusable.values()]
        for name in names:
            try:
                first[name] = repr(table.page(name, 0, 3))[:LARGEST_PRINTED]
                for _ in table.chunks(name):
                    pass
            except SeqdecError as error:
                said.append(str(error))
    except SeqdecError as error:
        said.append(str(error))
    return {"columns": names, "said": said, "first": first}


def main() -> None:
    import h5py  # noqa: F401
    import openpyxl  # noqa: F401
    import scipy.io  # noqa: F401

    for name in sys.argv[1:]:
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            if status:
                sys.exit(f"{name}: the process that reads it ended with status {status}")
            continue
        resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
        before, began = peak_bytes(), time.monotonic()
        found = read_all(Path(name))
        sys.stdout.write(json.dumps(found | {"seconds": time.monotonic() - began, "bytes": peak_bytes() - before}) + "\n")
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
