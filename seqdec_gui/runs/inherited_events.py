"""The curve that a forked run takes over from its parent: the events up to the fork, as they count."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from seqdec_gui.runs.events import FINAL, Checkpoint, Continued, Epoch, Event, Paused, Started, Step, encode
from seqdec_gui.runs.files import opener
from seqdec_gui.runs.fork_points import StoredProgress
from seqdec_gui.runs.salvage import LONGEST_LINE, Salvage


class Recount(msgspec.Struct, frozen=True):
    """Steps of `before` an epoch are counted as steps of `now` an epoch, so that the place in epochs stays."""

    before: int
    now: int

    def step(self, step: int) -> int:
        """Return a step of the parent in the counting of the fork."""
        if self.before == self.now or self.before <= 0:
            return step
        return round(step * self.now / self.before)


def read_inherited(events: Path, progress: StoredProgress, best: bool) -> list[Event]:
    """Return the events of a run up to a checkpoint, without what a later start of it took back.

    Raises UnreadableLine, OSError.
    `best`: whether the fork has the parent's best weights; otherwise nothing says that they were written.
    """
    salvage = Salvage(events)
    taken: list[Event] = []
    with open(events, "rb", opener=opener) as file:
        while (line := file.readline(LONGEST_LINE)).endswith(b"\n"):
            event = salvage.decode(line) if line.strip() else None
            if event is None:
                continue
            if isinstance(event, Started):
                taken = [each for each in taken if not _is_after(each, event.first_step)]
            taken.append(event)
    return list(_until(taken, progress, best))


def _is_after(event: Event, step: int) -> bool:
    return isinstance(event, Step | Epoch | Checkpoint) and event.step > step


def _until(events: list[Event], progress: StoredProgress, best: bool) -> Iterable[Event]:
    """Yield what belongs to the curve up to a checkpoint. A later start and an end that no start follows do not."""
    step = progress.total_steps
    end = next((at for at, event in enumerate(events) if _is_after(event, step)), len(events))
    kept = [event for event in events[:end] if not (isinstance(event, Started) and event.first_step >= step > 0)]
    last_start = max((at for at, event in enumerate(kept) if isinstance(event, Started)), default=-1)
    for at, event in enumerate(kept):
        if isinstance(event, FINAL) and at > last_start:
            continue
        if isinstance(event, Epoch) and not progress.has_reported(event):
            continue
        if isinstance(event, Checkpoint) and (event.name == "last" or not best):
            continue
        if isinstance(event, Paused | Continued) and event.step >= step:
            continue
        yield event


def recounted(event: Event, recount: Recount) -> Event:
    """Return an event with its step in the counting of the fork."""
    if recount.before == recount.now:
        return event
    if isinstance(event, Started):
        first = recount.step(event.first_step)
        return msgspec.structs.replace(event, steps_per_epoch=recount.now, first_step=first)
    if hasattr(event, "step"):
        return msgspec.structs.replace(event, step=recount.step(event.step))
    return event


def lines_of(events: Iterable[Event]) -> bytes:
    """Return events as the content of a file."""
    return b"".join(encode(event) + b"\n" for event in events)
