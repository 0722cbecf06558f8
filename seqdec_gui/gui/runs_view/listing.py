"""The runs of a folder, read in a thread; what has not changed since the last look is not read again. No Qt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui.runs_view.notes import FILE, Note, plain_name, read_note
from seqdec_gui.runs import lock
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.state import RunSummary

if TYPE_CHECKING:
    from seqdec_gui.runs.certificate import Certificate

_Stamp = tuple[tuple[int, int], ...]


class Entry(msgspec.Struct, frozen=True):
    """One run of the table. `alive`: its process goes on; `design_path` as the run was started, empty if never saved."""

    path: Path
    summary: RunSummary
    note: Note = Note()
    design_path: str = ""
    alive: bool = False
    certificate: Certificate | None = None

    @property
    def name(self) -> str:
        return self.note.name or plain_name(self.path.name)


class Listing:
    """Remembers what it read. One thread at a time."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Stamp, Entry]] = {}

    def read(self, parent: Path) -> list[Entry]:
        """All runs in a folder, oldest first; empty where there is no folder. Never raises for damaged runs."""
        try:
            runs = [RunFolder(child) for child in parent.iterdir() if child.is_dir()]
        except OSError:
            return []
        entries = [self._entry(run) for run in runs if run.exists]
        self._known = {entry.path: self._known[entry.path] for entry in entries}
        return sorted(entries, key=lambda entry: (entry.summary.created or 0, entry.path))

    def _entry(self, run: RunFolder) -> Entry:
        from seqdec_gui.runs import certificate  # here, in a thread: it brings half of what measures

        alive = lock.is_held(run.lock)
        stamp = (_stamp(run.events), _stamp(run.spec), _stamp(run.path / FILE), _stamp(run.lock), (int(alive), 0),
                 _stamp(run.path / certificate.FILE_NAME))  # fmt: skip
        known = self._known.get(run.path)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            design_path = run.read_spec().design_path
        except InvalidInput:
            design_path = ""
        entry = Entry(run.path, run.summary(), read_note(run.path), design_path, alive, certificate.read(run))
        self._known[run.path] = (stamp, entry)
        return entry


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (-1, -1)
    return status.st_size, status.st_mtime_ns
