"""The bounds on what reading a data file may take; the one place where they are stated.

A few bytes can declare or unpack to any size. What a file declares is compared with its own size, and what has to be held in
memory at once with the memory that is available, before anything of that size is made. `docs/threat_model.md` lists them.
"""

from __future__ import annotations

import contextlib
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from seqdec_gui.domain.problems import InvalidInput, Problem

resource: Any
try:
    resource = import_module("resource")
except ImportError:  # Windows has no such limits
    resource = None

FREE_BYTES = 512 << 20
"""The size, in bytes, that any file may have when it is open, however small it is."""

MOST_EXPANSION = 250
"""The largest ratio of a file's size when open to that on the disk, above `FREE_BYTES`; text is compressed 3 to 20 fold."""

SHARE_OF_MEMORY = 0.75
"""The share of the available memory that the content of one file may take."""

MOST_COLUMNS = 100_000
"""The largest number of columns, arrays or datasets in a file."""

MOST_DEPTH = 64
"""The largest depth of groups in groups, structures in structures, or lists in lists."""

LONGEST_LINE = 16 << 20
"""The largest size of a line of text, in bytes."""

FREE_CELLS = 20_000_000
"""The number of cells that any table may have, however small its file is: rows times columns, empty cells included."""


def most_bytes(stored: int) -> int:
    """Return the largest size that `stored` bytes of a file may have when they are open."""
    return max(FREE_BYTES, MOST_EXPANSION * stored)


def swelling(stored: int, opened: int) -> str:
    """Return in words that `stored` bytes of a file claim to be too many when open; empty if they may be as many."""
    if opened <= most_bytes(stored):
        return ""
    return f"claims {shown(opened)}, of which the file holds {shown(stored)}"


def fail_if_it_swells(path: Path, opened: int, stored: int | None = None) -> None:
    """Raise InvalidInput where a file, or the part of it that has `stored` bytes, has too many bytes when it is open."""
    size = path.stat().st_size
    if why := swelling(size if stored is None else min(stored, size), opened):
        hint = "If its content is right, save it uncompressed."
        raise InvalidInput([Problem("error", "too_large_file", "data", f"{path.name} {why}, and is not read.", hint)])


def fail_if_no_room(path: Path, needed: int, instead: str) -> None:
    """Raise InvalidInput where so many bytes are more than may be taken from the memory that is available."""
    if needed <= FREE_BYTES or needed <= (room := room_in_memory()):
        return
    text = f"{path.name} needs about {shown(needed)} of memory, and {shown(room)} may be taken for it."
    raise InvalidInput([Problem("error", "too_large_file", "data", text, instead)])


def fail_if_too_many_columns(path: Path, count: int) -> None:
    """Raise InvalidInput for more columns than `MOST_COLUMNS`."""
    if count > MOST_COLUMNS:
        text = f"{path.name} has more than {MOST_COLUMNS:,} columns, which is the most that is read."
        hint = "Put values of one kind into one array, a row each, and save it as .npz."
        raise InvalidInput([Problem("error", "too_large_file", "data", text, hint)])


def fail_if_sparse(path: Path, rows: int, columns: int, instead: str) -> None:
    """Raise InvalidInput for a table of far more cells than the file can have values for."""
    if rows * columns > max(FREE_CELLS, path.stat().st_size):
        text = f"{path.name} makes a table of {rows:,} rows and {columns:,} columns, most of whose cells are empty."
        raise InvalidInput([Problem("error", "too_large_file", "data", text, instead)])


def room_in_memory() -> int:
    """Return how many bytes the content of one file may take, of what the machine, its container and its user's limit leave."""
    left = [_of_the_machine(), _of_the_container(), _of_the_limit()]
    known = [amount for amount in left if amount is not None]
    return int(SHARE_OF_MEMORY * max(0, min(known))) if known else 4 << 30


def _of_the_machine() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _of_the_container() -> int | None:
    folder = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError):  # "max" is no number: no limit
        return int((folder / "memory.max").read_text("ascii")) - int((folder / "memory.current").read_text("ascii"))
    return None


def _of_the_limit() -> int | None:
    if resource is None:
        return None
    soft: int = resource.getrlimit(resource.RLIMIT_AS)[0]
    if soft == resource.RLIM_INFINITY:
        return None
    with contextlib.suppress(OSError, ValueError, IndexError):
        return soft - int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return soft


def shown(count: int) -> str:
    """Return a number of bytes as people write it."""
    for unit, size in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:,.1f} {unit}" if count < 2**50 else f"more than 1,000 {unit}"
    return f"{count:,} bytes"
