"""Reads the events of a run, while they are written or afterwards."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from seqdec_gui.runs import lock
from seqdec_gui.runs.events import FINAL, Event, FinalEvent, Started, decode
from seqdec_gui.runs.files import opener
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.state import crash_of

CHUNK_BYTES = 8 << 20
"""Most bytes that are read at a time."""


class EventTail:
    """Reads a growing file of events. `offset` is the place of the next unread line; a half line is left for later."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self) -> list[Event]:
        """Return the complete events since the last call, empty where there is no file. Raises UnreadableLine, OSError."""
        return [event for _, event in self.read_placed()]

    def read_placed(self, most_bytes: int | None = None) -> list[tuple[int, Event]]:
        """As `read`, with the offset at which each event's line begins. At most 8 MiB (or `most_bytes`) a call, or one line."""
        size = most_bytes or CHUNK_BYTES
        try:
            with open(self.path, "rb", opener=opener) as file:
                file.seek(self.offset)
                data = file.read(size)
                while data and b"\n" not in data and (more := file.read(size)):
                    data += more
        except FileNotFoundError:
            return []
        placed = []
        for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):
            if line.strip():
                placed.append((self.offset, decode(line)))
            self.offset += len(line)
        return placed


class Follower:
    """The events of one run for a reader that looks now and then.

    `poll` gives what is new, all starts of the run included. After the final event of the latest start `final` is set and
    nothing follows; a run that died silently gets a `failed` event that says how. Polling is cheap: one open, one read.
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

    @property
    def ended(self) -> bool:
        return self.final is not None

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
        if not alive and not placed and self.final is None and record is not None and record.host == socket.gethostname():
            self.final = crash_of(self.run, record)
            new.append(self.final)
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
