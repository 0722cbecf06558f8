"""What a mirror of a run is: points of curves with the place in the events up to which they are written."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import lock
from seqdec_gui.runs.events import DeviceLoad, Epoch, Event, Started, Step
from seqdec_gui.runs.files import pretty_json, read_bytes, write_atomically
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import copied
from seqdec_gui.runs.reader import EventTail
from seqdec_gui.runs.spec import RunSpec

POLL_S = 0.5
"""Seconds between two looks at the events of a run that goes on."""
PART_BYTES = 1 << 20
"""The part of the events that is written at once, in bytes."""
PLACE = ".seqdec-gui-{}.json"
"""The file of a mirror that says up to where it has written."""


class Point(msgspec.Struct, frozen=True):
    """A value of a curve. `time` in seconds since 1970; `start` counts the starts of the run, from 1."""

    name: str
    step: int
    value: float
    time: float


class Place(msgspec.Struct, frozen=True):
    """Up to where the events are written, the number of starts before that, and what a mirror keeps for itself."""

    events: int = 0
    starts: int = 0
    own: dict[str, int | str] = {}


class Mirror(ABC):
    """Writes a run in the way of one tool. What is written twice after a kill must be the same as once."""

    title: str

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    @abstractmethod
    def begin(self, asked: RunSpec, place: Place) -> None:
        """Open what is there, and take away what was written beyond `place`. Raises SeqdecError."""

    @abstractmethod
    def write(self, points: list[Point]) -> None:
        """Write points. Raises SeqdecError, OSError."""

    @abstractmethod
    def started(self, event: Started) -> None:
        """Write what a start of the run says: devices, engine, rows."""

    @abstractmethod
    def kept(self) -> dict[str, int | str]:
        """Have what was written on the disk, and return what `begin` needs to know of it."""

    @abstractmethod
    def end(self, state: str) -> None:
        """Close; `state` is that of the run."""


def points_of(event: Event) -> Iterator[Point]:
    """Yield the points of one event: steps and epochs by what they measure, devices by what they do."""
    if isinstance(event, Step):
        yield from _curve_points("step", event)
    elif isinstance(event, Epoch):
        yield from _curve_points("epoch", event)
        if event.seconds >= 0:
            yield Point("epoch/seconds", event.step, event.seconds, event.time)


def load_points(event: DeviceLoad, step: int) -> Iterator[Point]:
    """Yield the points of what a device was doing at a step."""
    if event.load is not None:
        yield Point(f"device/{event.id} load", step, event.load, event.time)
    if event.memory_used is not None:
        yield Point(f"device/{event.id} memory GiB", step, event.memory_used / 2**30, event.time)


def _curve_points(kind: str, event: Step | Epoch) -> Iterator[Point]:
    for name, value in event.metrics.items():
        if value is not None:
            yield Point(f"{kind}/{name}", event.step, value, event.time)


def mirror(run: RunFolder, made: Mirror, once: bool = False, stop: Callable[[], bool] = lambda: False) -> int:
    """Write all that a run says, until it has ended; with `once` what it has said so far. Returns the number of points.

    A mirror that was ended at any moment goes on where it was, without a point twice. Raises SeqdecError, OSError.
    """
    made.folder.mkdir(parents=True, exist_ok=True)
    with _alone(made):
        place = _read(_place(made))
        made.begin(run.read_spec(), place)
        tail, step, written = EventTail(run.events, place.events), 0, 0
        process = copied.attach(run)
        while True:
            alive = process.running()  # before reading: what is written until then is read below
            placed = tail.read_placed(PART_BYTES)
            points: list[Point] = []
            starts = place.starts
            for _, event in placed:
                if isinstance(event, Started):
                    starts += 1
                    made.started(event)
                elif isinstance(event, DeviceLoad):
                    points += load_points(event, step)
                else:
                    step = getattr(event, "step", step)
                    points += points_of(event)
            if placed:
                made.write(points)
                written += len(points)
                place = Place(tail.offset, starts, made.kept())
                write_atomically(_place(made), pretty_json(place))
            elif not alive or once or stop():
                break
            else:
                time.sleep(POLL_S)
        made.end(run.status().state)
        return written


def _place(made: Mirror) -> Path:
    return made.folder / PLACE.format(made.name)


def _read(path: Path) -> Place:
    try:
        return msgspec.json.decode(read_bytes(path), type=Place)
    except FileNotFoundError:
        return Place()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        text = f"{path}, which says what was written before, cannot be read: {error}. Choose an empty folder."
        raise SeqdecError(text) from None


@contextlib.contextmanager
def _alone(made: Mirror) -> Iterator[None]:
    try:
        held = lock.acquire(made.folder / f"{PLACE.format(made.name)}.lock")
    except lock.RunLocked:
        raise SeqdecError(f"Another program writes into {made.folder} already.") from None
    with held:
        yield
