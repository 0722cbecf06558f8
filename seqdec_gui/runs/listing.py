"""The runs of some folders, read in a thread; what has not changed since the last look is not read again. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui.runs import lock
from seqdec_gui.runs.folder import DesignKey, RunFolder
from seqdec_gui.runs.notes import FILE, Note, plain_name, read_note
from seqdec_gui.runs.state import RunSummary

if TYPE_CHECKING:
    from seqdec_gui.runs.certificate import Certificate

_Stamp = tuple[tuple[int, int], ...]


class Entry(msgspec.Struct, frozen=True):
    """One run of the table. `alive`: its process goes on; `own`: it is a run of the open design."""

    path: Path
    summary: RunSummary
    note: Note = Note()
    own: bool = False
    alive: bool = False
    certificate: Certificate | None = None

    @property
    def name(self) -> str:
        return self.note.name or plain_name(self.path.name)


class Listing:
    """Remembers what it read. One thread at a time."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Stamp, Entry]] = {}

    def read(self, parents: Sequence[Path], design: DesignKey) -> list[Entry]:
        """Return all runs in the first folder, and those of this design in the others, oldest first; damaged ones too."""
        entries = [
            msgspec.structs.replace(entry, own=_owns(design, entry)) for parent in parents for entry in self._entries(parent)
        ]
        self._known = {entry.path: self._known[entry.path] for entry in entries}
        shown = [entry for entry in entries if entry.own or entry.path.parent == parents[0].absolute()]
        return sorted(shown, key=lambda entry: (entry.summary.created or 0, entry.path))

    def _entries(self, parent: Path) -> list[Entry]:
        try:
            runs = [RunFolder(child) for child in parent.iterdir() if child.is_dir()]
        except OSError:
            return []
        return [self._entry(run) for run in runs if run.exists]

    def _entry(self, run: RunFolder) -> Entry:
        from seqdec_gui.runs import certificate  # here, in a thread: it brings half of what measures

        alive = lock.is_held(run.lock)
        stamp = (_stamp(run.events), _stamp(run.spec), _stamp(run.path / FILE), _stamp(run.lock), (int(alive), 0),
                 _stamp(run.path / certificate.FILE_NAME))  # fmt: skip
        known = self._known.get(run.path)
        if known is not None and known[0] == stamp:
            return known[1]
        summary, note = run.summary(), read_note(run.path)
        entry = Entry(run.path, summary, note, alive=alive, certificate=certificate.read(run))
        self._known[run.path] = (stamp, entry)
        return entry


def _owns(design: DesignKey, entry: Entry) -> bool:
    return design.owns(entry.path, entry.summary.design_id, entry.summary.design_path)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (-1, -1)
    return status.st_size, status.st_mtime_ns
