"""Moving run folders to the desktop's trash, from which they can be restored."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QFile, QStandardPaths

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import lock
from seqdec_gui.runs.folder import RunFolder


def move_to_trash(runs: Sequence[Path]) -> int:
    """Move run folders to the trash and return their number. Runs in a thread.

    Raises SeqdecError if a run is active or the file system has no trash; the runs before that one have been moved.
    """
    _make_trash()
    for path in runs:
        if lock.is_held(RunFolder(path).lock):
            raise SeqdecError(f"The run {path.name} is still going on: stop it before you delete it.")
        moved = QFile.moveToTrash(str(path))
        if not (moved[0] if isinstance(moved, tuple) else moved):
            raise SeqdecError(f"{path} could not be moved to the trash: delete the folder in a file manager.")
    return len(runs)


def _make_trash() -> None:
    """Make the trash folder if it is missing.

    Otherwise Qt 5.15 uses the working folder as the trash and moves runs to `files` there.
    """
    trash = Path(QStandardPaths.writableLocation(QStandardPaths.GenericDataLocation)) / "Trash"
    try:
        trash.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(trash, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        reason = f"There is no trash, as {trash} cannot be created: {error.strerror}"
        raise SeqdecError(f"{reason}. Delete the folder of the run in a file manager.") from error
