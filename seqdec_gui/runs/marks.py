"""What happened to a run besides its steps: learning rates set, pauses, resumptions, checkpoints; marked on its curves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Literal

import msgspec

from seqdec_gui.domain.short_numbers import duration
from seqdec_gui.runs.curves import Axis

MarkKind = Literal["learning_rate", "pause", "resume", "fork", "checkpoint", "saved", "best"]
"""`fork`: where the run leaves the curve of its parent. Of checkpoints: `checkpoint` was written because the user asked for it,
`saved` is the last one of the run, `best` that of the best weights."""
OPEN_PAUSE = "Paused"
"""The text of a pause that has not ended."""
MOST_MARKS = 500
"""Marks that are kept; older ones are dropped."""


class Mark(msgspec.Struct, frozen=True):
    """Something that happened at a place of the curves. `time` is in seconds since 1970, `seconds` since the run's start."""

    kind: MarkKind
    step: float
    epoch: float
    seconds: float
    time: float
    text: str

    def along(self, axis: Axis) -> float:
        """Return the place on an axis."""
        return {"step": self.step, "epoch": self.epoch, "time": self.seconds}[axis]


class Marks:
    """The marks of a run in the order in which they happened, and the places of its best and its last checkpoint.

    `version` changes with every change.
    """

    def __init__(self) -> None:
        self.version = 0
        self.best: Mark | None = None
        self.saved: Mark | None = None
        self._happened: deque[Mark] = deque(maxlen=MOST_MARKS)

    def add(self, mark: Mark) -> None:
        """Add a mark; one of `best` or `saved` takes the place of the one before it."""
        if mark.kind == "best":
            self.best = mark
        elif mark.kind == "saved":
            self.saved = mark
        else:
            self._happened.append(mark)
        self.version += 1

    def end_pause(self, time: float) -> str:
        """Note how long the pause that goes on took, and return it in words; empty if none does."""
        if not self._happened or self._happened[-1].text != OPEN_PAUSE:
            return ""
        mark = self._happened.pop()
        took = duration(max(0.0, time - mark.time))
        self._happened.append(msgspec.structs.replace(mark, text=f"Paused for {took}"))
        self.version += 1
        return took

    def cut_after(self, step: float) -> None:
        """Remove the marks after a step from which the run begins again."""
        self._happened = deque((mark for mark in self._happened if mark.step <= step), maxlen=MOST_MARKS)
        if self.saved is not None and self.saved.step > step:
            self.saved = None
        if self.best is not None and self.best.step > step:
            self.best = None
        self.version += 1

    def __iter__(self) -> Iterator[Mark]:
        yield from self._happened
        yield from (mark for mark in (self.saved, self.best) if mark is not None)

    def near(self, place: float, reach: float, axis: Axis) -> list[Mark]:
        """Return the marks within `reach` of a place of the axis, the nearest first."""
        found = [mark for mark in self if abs(mark.along(axis) - place) <= reach]
        return sorted(found, key=lambda mark: abs(mark.along(axis) - place))
