"""Recovery files with the changes of a design, written two seconds after the last edit in case the window does not close."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import re
import time
from pathlib import Path

import msgspec
from PyQt5.QtCore import QObject, QStandardPaths, QTimer, pyqtSlot

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.workspace.document import DesignDocument

IDLE_MS = 2000
"""The time from the last edit to writing the recovery file, in milliseconds."""
SUFFIX = ".autosave"
"""The ending that the recovery file of a design adds to the design's name."""


_WRITER = re.compile(r"^untitled-([1-9][0-9]{0,8})(?=[-.])|\.([1-9][0-9]{0,8})\.autosave$")
"""The process id in the name of a recovery file."""
_numbers = itertools.count(1)
"""The numbers of the documents of this process, which keep the recovery files of designs without a file apart."""


class Recovery(msgspec.Struct, frozen=True):
    """A recovery file, the design file it belongs to (None if there is none), and its modification time (Unix seconds)."""

    file: Path
    design: Path | None
    written: float

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self.file.unlink()


class Autosave(QObject):
    """Writes the recovery file of a document.

    The file is removed when the design is saved or closed (`forget`).
    """

    def __init__(self, document: DesignDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._number = next(_numbers)
        self._written: Path | None = None
        self._writing: background.Operation | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(IDLE_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        document.design_changed.connect(self._on_document_design_changed)
        document.clean_changed.connect(self._on_document_clean_changed)
        document.path_changed.connect(self._on_document_path_changed)

    @property
    def pending(self) -> bool:
        """Return whether changes have not been written yet."""
        return self._timer.isActive() or self._writing is not None

    def file(self) -> Path:
        """Return the path of the open design's recovery file."""
        path = self._document.path
        if path is not None:
            return path.with_name(f"{path.name}.{os.getpid()}{SUFFIX}")  # another window may have the same file open
        return cache_folder() / f"untitled-{os.getpid()}-{self._number}{design_file.SUFFIX}{SUFFIX}"

    def forget(self) -> None:
        """Stop writing and remove the file, because the design is saved or not wanted."""
        self._timer.stop()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        if self._written is not None:
            Recovery(self._written, None, 0).remove()
            self._written = None

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        if preferences.autosave_is_on():
            self._timer.start()

    @pyqtSlot(bool)
    def _on_document_clean_changed(self, clean: bool) -> None:
        if clean:
            self.forget()

    @pyqtSlot(object)
    def _on_document_path_changed(self, _path: Path | None) -> None:
        self.forget()

    @pyqtSlot()
    def _on_timer_timeout(self) -> None:
        design, file = self._document.design, self.file()
        bare = self._document.path is None and not design.blocks and not design.annotations
        if self._document.clean or bare:
            return
        if self._writing is not None:
            self._timer.start()
            return
        self._written = file
        self._writing = background.run(lambda: write(design, file), self._on_written, self._on_not_written, self)

    def _on_written(self, _result: None) -> None:
        self._writing = None

    def _on_not_written(self, error: Exception) -> None:
        self._writing = None
        if not isinstance(error, OSError | SeqdecError):  # a full disk must not interrupt the user
            raise error


def cache_folder() -> Path:
    """Return the folder of recovery files of designs without a file."""
    return Path(QStandardPaths.writableLocation(QStandardPaths.GenericCacheLocation)) / "seqdec-gui"


def write(design: Design, file: Path) -> None:
    """Write a recovery file. Raises InvalidInput, OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    design_file.save(design, file)


def left_behind(path: Path) -> Recovery | None:
    """Return the newest recovery file that a window left behind of the design at `path`."""
    others = (file for file in path.parent.glob(f"{glob.escape(path.name)}.*{SUFFIX}") if _WRITER.search(file.name))
    files = [file for file in others if not _alive(file)]
    files.append(path.with_name(path.name + SUFFIX))  # as versions before this one called it
    newest = max((Recovery(file, path, _modified(file)) for file in files), key=lambda one: one.written)
    return newest if newest.written > _modified(path) else None


def left_behind_unsaved() -> tuple[Recovery, ...]:
    """Return the recovery files that windows left behind of designs without a file, the newest first."""
    files = [file for file in cache_folder().glob(f"untitled-*{SUFFIX}") if not _alive(file)]
    return tuple(sorted((Recovery(file, None, _modified(file)) for file in files), key=lambda one: -one.written))


def age(recovery: Recovery) -> str:
    """Return how long ago a recovery file was written: `2 minutes ago`, `3 hours ago`, `5 days ago`."""
    seconds = max(0.0, time.time() - recovery.written)
    for length, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{counted(count, name)} ago"
    return "a moment ago"


def _modified(file: Path) -> float:
    with contextlib.suppress(OSError):
        return file.stat().st_mtime
    return 0.0


def _alive(file: Path) -> bool:
    """Return whether the process that wrote this file still runs and so needs it."""
    found = _WRITER.search(file.name)
    if found is None:
        return False
    try:
        os.kill(int(found[1] or found[2]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
