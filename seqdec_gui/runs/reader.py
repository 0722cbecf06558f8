"""Reads the events of a run, while they are written or afterwards."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from seqdec_gui.runs import lock
from seqdec_gui.runs.events import FINAL, MOST_SEARCHED, Event, FinalEvent, Message, Started
from seqdec_gui.runs.files import opener
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.salvage import LONGEST_LINE, Salvage
from seqdec_gui.runs.state import silent_end
from seqdec_gui.runs.watchdog import Watchdog

CHUNK_BYTES = 8 << 20
"""Most bytes that are read at a time."""


class EventTail:
    """Reads a growing file of events. `offset` is the place of the next unread line; a half line is left for later."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset
        self._searched = 0
        """Up to where the end of a line that is too long for an event was looked for in vain."""
        self._salvage = Salvage(path)
        self._time = 0.0
        """That of the last event."""

    def read(self) -> list[Event]:
        """Return the complete events since the last call, empty where there is no file. Raises UnreadableLine, OSError."""
        return [event for _, event in self.read_placed()]

    def read_placed(self, most_bytes: int | None = None) -> list[tuple[int, Event]]:
        """As `read`, with the offset at which each event's line begins. At most 8 MiB (or `most_bytes`) a call, or one line.

        Damaged lines are left out; a warning among the events says how many.
        """
        lost, self._salvage.why = self._salvage.lost, ""
        try:
            with open(self.path, "rb", opener=opener) as file:
                data = self._lines(file, most_bytes or CHUNK_BYTES)
        except FileNotFoundError:
            return []
        placed: list[tuple[int, Event]] = []
        for line in data.splitlines(keepends=True):
            if line.strip() and (event := self._salvage.decode(line)) is not None:
                placed.append((self.offset, event))
            self.offset += len(line)
        if self._salvage.why:
            text = Salvage.sentence_of(self._salvage.lost - lost, self.path.name, self._salvage.why)
            now = placed[-1][1].time if placed else self._time
            placed.append((self.offset - 1, Message(time=now, severity="warning", code="damaged_events", text=text)))
        if placed:
            self._time = placed[-1][1].time
        return placed

    def _lines(self, file: BinaryIO, size: int) -> bytes:
        """Return the complete lines from `offset` on, of about `size` bytes; passes over a line too long for an event."""
        if os.fstat(file.fileno()).st_size < self._searched:  # what a crash left was cut off
            self._searched = 0
        file.seek(max(self.offset, self._searched))
        if self._searched <= self.offset:
            data = file.read(size)
            while b"\n" not in data and len(data) < LONGEST_LINE and (more := file.read(size)):
                data += more
            if (end := data.rfind(b"\n") + 1) or len(data) < LONGEST_LINE:
                return data[:end]
        until = file.tell() + MOST_SEARCHED
        while file.tell() < until and (more := file.read(CHUNK_BYTES)):  # of a size that no event has
            if (end := more.find(b"\n")) >= 0:
                self.offset = file.tell() - len(more) + end + 1
                self._salvage.skip(f"a line is longer than {LONGEST_LINE:,} bytes.")
                return b""
        self._searched = file.tell()
        return b""


class Follower:
    """The events of one run for a reader that looks now and then.

    `poll` gives what is new, all starts of the run included. After the final event of the latest start `final` is set and
    nothing follows; a run that died silently gets a `failed` event that says how, and one that gives no sign of life
    a warning. Polling is cheap: one open, one read.
    """

    def __init__(self, run: RunFolder, alive: Callable[[], bool] | None = None, offset: int = 0) -> None:
        """`alive`: whether the run's process lives; a parent gives `RunProcess.running`, which knows the exit status first.

        `offset` is where in the file of events to begin: the start of a line.
        """
        self.run = run
        self.final: FinalEvent | None = None
        self.begun = False
        """Whether the latest start of the run has said that it began; what was read before is of earlier starts."""
        self._alive = alive or (lambda: lock.is_held(run.lock))
        self._tail = EventTail(run.events, offset)
        self._watchdog = Watchdog(run)

    @property
    def ended(self) -> bool:
        return self.final is not None

    @property
    def offset(self) -> int:
        """Return up to where in the file the events were given."""
        return self._tail.offset

    def poll(self, most_bytes: int | None = None) -> list[Event]:
        """Return new events; none if the run has not begun. Raises UnreadableLine, OSError.

        At most `most_bytes` are read (or one line), so that the replay of a long run need not be in memory at once.
        """
        if self.ended:
            return []
        alive = self._alive()  # before reading: a run that ends in between has then written its last event
        record = lock.read_record(self.run.lock)
        new: list[Event] = []
        placed: list[tuple[int, Event]] = []
        while placed := self._tail.read_placed(most_bytes):
            for offset, event in placed:
                new.append(event)
                of_latest = offset >= (record.events_offset if record else 0)
                if isinstance(event, FINAL) and of_latest:
                    self.final = event
                self.begun = self.begun or (isinstance(event, Started) and of_latest)
            if most_bytes is not None:
                break
        self._watchdog.take(new)
        if alive and not placed and self.final is None and (silent := self._watchdog.look()) is not None:
            new.append(silent)
        if not alive and not placed and self.final is None and record is not None:
            self.final = silent_end(self.run, record)
            new += [self.final] if self.final is not None else []
        return new


def follow(run: RunFolder, poll_s: float = 0.1, stop: Callable[[], bool] | None = None) -> Iterator[Event]:
    """Yield all events of a run, waiting for new ones until the run ends or `stop()` is true.

    A run that was not started yet is waited for. Raises UnreadableLine, OSError.
    """
    follower = Follower(run)
    while True:
        yield from follower.poll()
        if follower.ended or (stop is not None and stop()):
            return
        time.sleep(poll_s)


def read_events(run: RunFolder) -> list[Event]:
    """Return all events written so far. Raises UnreadableLine, OSError."""
    tail = EventTail(run.events)
    events: list[Event] = []
    while new := tail.read():
        events += new
    return events
