"""What was last read of each run folder, kept in the user's cache folder: it makes thousands of runs list fast. No Qt.

Nothing depends on it but speed, and the names of runs whose folders have gone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from seqdec_gui.runs.certificate import Certificate
from seqdec_gui.runs.files import read_bytes, write_atomically
from seqdec_gui.runs.notes import Note
from seqdec_gui.runs.state import RunSummary

FORMAT = 1
FILE = "runs.json"
"""The name of the file in the user's cache folder."""
MOST_BYTES = 256 << 20
"""Size up to which the file is read, in bytes; a run takes about 1 KB."""
Stamp = tuple[tuple[int, int], ...]
"""Size and time (in nanoseconds) of each file that a summary depends on."""


class Kept(msgspec.Struct, frozen=True):
    """A run as it was last read."""

    stamp: Stamp
    summary: RunSummary
    note: Note = Note()
    certificate: Certificate | None = None


class _Cache(msgspec.Struct, frozen=True):
    format: int
    version: str
    runs: tuple[Kept, ...]


def file() -> Path:
    """Return the path of the cache."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("seqdec-gui")) / FILE


def load(version: str) -> dict[Path, Kept]:
    """Return what is kept, by run folder; nothing where there is no cache, or one of another version of the program."""
    try:
        cache = msgspec.json.decode(read_bytes(file(), MOST_BYTES), type=_Cache)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    if cache.format != FORMAT or cache.version != version:
        return {}
    return {Path(kept.summary.run): kept for kept in cache.runs}


def store(version: str, runs: Iterable[Kept]) -> None:
    """Keep these. Runs whose names are no text are left out; a full disk is no failure."""
    with contextlib.suppress(OSError):
        file().parent.mkdir(parents=True, exist_ok=True)
        try:
            data = msgspec.json.encode(_Cache(FORMAT, version, tuple(runs)))
        except UnicodeEncodeError:
            data = msgspec.json.encode(_Cache(FORMAT, version, tuple(kept for kept in runs if _is_text(kept.summary.run))))
        write_atomically(file(), data)


def _is_text(path: str) -> bool:
    return path.isprintable() and path.encode(errors="ignore").decode() == path
