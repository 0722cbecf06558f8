"""The folders beside an exported file in which a child writes it first, and which a child that was killed leaves behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from seqdec_gui.runs import lock

PREFIX = ".seqdec-gui-"
LOCK = ".in-use"
"""A file of the folder that is locked for as long as its process lives."""

_own: set[Path] = set()
"""The folders of this process."""


def scratch_prefix(pid: int) -> str:
    """Return how the names of the folders begin in which a process of this number writes what it exports."""
    return f"{PREFIX}{pid}-"


@contextlib.contextmanager
def scratch_beside(output: Path) -> Iterator[Path]:
    """Make a folder beside a file that is to be written, and remove it at the end.

    Folders that processes have left there which were killed together with their parents are removed, too. Raises OSError.
    """
    remove_forsaken(output.parent)
    with tempfile.TemporaryDirectory(prefix=scratch_prefix(os.getpid()), dir=output.parent) as name:
        folder = Path(name)
        with lock.acquire(folder / f"{LOCK}.new"):
            # Only now is the folder one that can be found without an owner.
            (folder / f"{LOCK}.new").rename(folder / LOCK)
            _own.add(folder)
            try:
                yield folder
            finally:
                _own.discard(folder)


def remove_own() -> None:
    """Remove the folders that this process has not yet removed; it is about to end in the middle of something. Never raises."""
    for folder in tuple(_own):
        shutil.rmtree(folder, ignore_errors=True)


def remove_scratch(folder: Path, pid: int) -> None:
    """Remove what a process that was killed has left in `folder`. Never raises."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{scratch_prefix(pid)}*"):
            if not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)


def remove_forsaken(folder: Path) -> None:
    """Remove the folders in `folder` whose process has ended without removing them. Never raises."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{PREFIX}*"):
            if not path.is_symlink() and (path / LOCK).is_file() and not lock.is_held(path / LOCK):
                shutil.rmtree(path, ignore_errors=True)
