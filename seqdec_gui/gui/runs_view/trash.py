"""Run folders go to the desktop's trash, from where they can be brought back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QFile, QStandardPaths

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import lock
from seqdec_gui.runs.folder import RunFolder


def move_to_trash(runs: Sequence[Path]) -> int:
    """Move run folders to the trash and say how many. For a thread.

    Raises SeqdecError: a run goes on, or the file system has no trash; the runs before it are in the trash then.
    """
    # Qt makes the trash in the user's data folder, but not that folder.
    Path(QStandardPaths.writableLocation(QStandardPaths.GenericDataLocation)).mkdir(parents=True, exist_ok=True)
    for path in runs:
        if lock.is_held(RunFolder(path).lock):
            raise SeqdecError(f"The run {path.name} is still going on: stop it before you delete it.")
        moved = QFile.moveToTrash(str(path))
        if not (moved[0] if isinstance(moved, tuple) else moved):
            raise SeqdecError(f"{path} could not be moved to the trash: delete the folder in a file manager.")
    return len(runs)
