"""Lists the runs of many folders, in a thread; what has not changed since the last look is not read again. No Qt."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui import __version__
from seqdec_gui.runs import lock
from seqdec_gui.runs.folder import DesignKey, RunFolder
from seqdec_gui.runs.known import Places
from seqdec_gui.runs.notes import FILE, Note, plain_name, read_note
from seqdec_gui.runs.state import RunSummary

if TYPE_CHECKING:
    from seqdec_gui.runs.certificate import Certificate
    from seqdec_gui.runs.summary_cache import Kept, Stamp

FIRST_PART_S = 0.2
"""The time after which the runs read so far are told the first time, in seconds."""
NEXT_PART_S = 0.7
"""The time between the first two tellings, in seconds; each that follows takes twice as long, as there is more to show."""
_ABSENT = (-1, -1)


class Entry(msgspec.Struct, frozen=True):
    """One run of the table.

    `alive`: its process goes on; `own`: it is a run of the open design; `missing`: its folder was there at an earlier look.
    """

    path: Path
    summary: RunSummary
    note: Note = Note()
    own: bool = False
    alive: bool = False
    missing: bool = False
    certificate: Certificate | None = None

    @property
    def name(self) -> str:
        return self.note.name or plain_name(self.path.name, self.summary.design)

    @property
    def state(self) -> str:
        """Return the state of the run, `missing` if its folder is gone."""
        return "missing" if self.missing else self.summary.state


Told = Callable[[list[Entry]], None]


class Listing:
    """Remembers what it read, also between two starts of the program. One thread at a time; others wait."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self._cache_file: Path | None = None
        self._kept: dict[Path, Kept] = {}
        self._changed = False
        self._entries: dict[Path, Entry] = {}
        self._made: dict[Path, tuple[Kept, Entry]] = {}

    def read(self, places: Places, design: DesignKey, told: Told | None = None) -> list[Entry]:
        """Return the runs in all places, the oldest first; damaged and missing ones too.

        `told` is called with the runs known so far whenever reading takes long; small runs are read first.
        """
        with self._alone:
            self._load()
            self._entries = {}
            waiting: list[tuple[int, RunFolder, Stamp]] = []
            for path in _run_paths(places):
                kept = self._kept.get(path)
                stamp = _stamp_of(path, None if kept is None else kept.stamp)
                if kept is not None and kept.stamp == stamp:
                    self._entries[path] = self._entry(path, kept)
                else:
                    waiting.append((stamp[0][0], RunFolder(path), stamp))
            self._read_all(waiting, design, told)
            self._note_missing(places)
            self._store()
            return self._listed(design)

    def look_again(self, runs: Iterable[Path], design: DesignKey) -> list[Entry]:
        """Return the same runs as the last `read`, but look for changes only in these."""
        with self._alone:
            for run in map(RunFolder, runs):
                if run.path in self._entries and _looks_like_a_run(run):
                    self._entries[run.path] = self._read(run, _stamp_of(run.path))
            return self._listed(design)

    def forget(self, runs: Iterable[Path]) -> None:
        """Do not list these runs as missing when their folders are gone."""
        with self._alone:
            self._load()
            for run in runs:
                self._changed |= self._kept.pop(run, None) is not None
                self._entries.pop(run, None)
            self._store()

    # --
    def _listed(self, design: DesignKey) -> list[Entry]:
        for path, entry in self._entries.items():
            if (own := _owns(design, entry)) != entry.own:
                self._entries[path] = owned = msgspec.structs.replace(entry, own=own)
                self._made[path] = (self._kept[path], owned)
        return sorted(self._entries.values(), key=lambda entry: (entry.summary.created or 0, entry.summary.run))

    def _entry(self, path: Path, kept: Kept) -> Entry:
        """Return the entry of a run; the same object as before if nothing has changed, so that it is compared fast."""
        made = self._made.get(path)
        if made is None or made[0] is not kept:
            entry = Entry(path, kept.summary, kept.note, alive=bool(kept.stamp[-1][0]), certificate=kept.certificate)
            made = self._made[path] = (kept, entry)
        return made[1]

    def _read_all(self, waiting: list[tuple[int, RunFolder, Stamp]], design: DesignKey, told: Told | None) -> None:
        due, between = time.monotonic() + FIRST_PART_S, NEXT_PART_S
        for _, run, stamp in sorted(waiting, key=lambda each: each[0]):
            self._entries[run.path] = self._read(run, stamp)
            if told is not None and time.monotonic() >= due:
                told(self._listed(design))
                due, between = time.monotonic() + between, 2 * between

    def _read(self, run: RunFolder, stamp: Stamp) -> Entry:
        from seqdec_gui.runs import certificate  # here, in a thread: it brings half of what measures
        from seqdec_gui.runs.summary_cache import Kept

        kept = self._kept.get(run.path)
        if kept is None or kept.stamp != stamp:
            kept = self._kept[run.path] = Kept(stamp, run.summary(), read_note(run.path), certificate.read(run))
            self._changed = True
        return self._entry(run.path, kept)

    def _note_missing(self, places: Places) -> None:
        """Add the runs that were there once; one that was moved is the same run, elsewhere."""
        present = {_identity(entry.summary) for entry in self._entries.values()}
        folders, single = {*places.folders}, {*places.runs}
        for path, kept in list(self._kept.items()):
            if path in self._entries:
                continue
            if _identity(kept.summary) in present or not (path.parent in folders or path in single):
                del self._kept[path]
                self._changed = True
            else:
                self._entries[path] = msgspec.structs.replace(self._entry(path, kept), alive=False, missing=True)

    def _load(self) -> None:
        from seqdec_gui.runs import summary_cache

        if self._cache_file != summary_cache.file():
            self._cache_file = summary_cache.file()
            self._kept, self._made = summary_cache.load(__version__), {}

    def _store(self) -> None:
        from seqdec_gui.runs import summary_cache

        if self._changed:
            self._changed = False
            summary_cache.store(__version__, self._kept.values())


@cache
def shared() -> Listing:
    """Return the listing that the whole program shares, so that nothing is read twice."""
    return Listing()


def run_folders(places: Places) -> Iterator[RunFolder]:
    """Yield every run folder in these places once."""
    return map(RunFolder, _run_paths(places))


def _run_paths(places: Places) -> Iterator[Path]:
    seen: set[Path] = set()
    looked_into: set[tuple[int, int]] = set()
    for folder in places.folders:
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in looked_into:  # reached by another name before
                continue
            looked_into.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as children:
                parent = folder.absolute()
                paths = [parent / child.name for child in children if _is_folder(child)]
        except OSError:
            continue
        yield from _new_runs(paths, seen)
    yield from _new_runs(places.runs, seen)


def _new_runs(paths: Iterable[Path], seen: set[Path]) -> Iterator[Path]:
    for path in paths:
        if path not in seen and (_is_there(f"{path}/spec.json") or _looks_like_a_run(RunFolder(path))):
            seen.add(path)
            yield path


def _is_folder(child: os.DirEntry[str]) -> bool:
    try:
        return child.is_dir()
    except OSError:
        return False


def _looks_like_a_run(run: RunFolder) -> bool:
    try:
        return run.looks_like_a_run
    except OSError:  # it may not be read
        return False


def _identity(summary: RunSummary) -> tuple[object, ...]:
    return summary.created, summary.design_id, summary.state == "unreadable"


def _owns(design: DesignKey, entry: Entry) -> bool:
    return design.owns(entry.path, entry.summary.design_id, entry.summary.design_path)


def _stamp_of(path: Path, before: Stamp | None = None) -> Stamp:
    """Return what changes whenever the entry of a run does. The events come first, whether the run is alive comes last.

    `before` is the stamp of an earlier look: a start writes the lock, so one that was free and is unchanged is still free.
    """
    files = tuple(_stamp(f"{path}/{name}") for name in _STAMPED)
    if before is not None and not before[-1][0] and before[_LOCK] == files[_LOCK]:
        return (*files, (0, 0))
    return (*files, (int(_is_alive(RunFolder(path))), 0))


_STAMPED = ("events.jsonl", "spec.json", FILE, "lock", "certificate.json", "dataset.json")
_LOCK = _STAMPED.index("lock")


def _is_there(path: str) -> bool:
    try:
        os.stat(path)  # noqa: PTH116 - ten thousand times, where a Path takes twice as long
    except OSError:
        return False
    return True


def _is_alive(run: RunFolder) -> bool:
    try:
        return lock.is_held(run.lock)
    except OSError:
        return False


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return _ABSENT
    return status.st_size, status.st_mtime_ns
