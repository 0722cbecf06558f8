"""The folders beside an exported file in which a child writes it first, and which a child that was killed leaves behind."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path


def scratch_prefix(pid: int) -> str:
    """Return how the names of the folders begin in which a process of this number writes what it exports."""
    return f".seqdec-gui-{pid}-"


def remove_scratch(folder: Path, pid: int) -> None:
    """Remove what a process that was killed has left in `folder`. Never raises."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{scratch_prefix(pid)}*"):
            if not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
