"""A run that waits for devices, and the queue of all of them, as `queue.json` holds them."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from seqdec_gui.runs.spec import DeviceChoice

FORMAT = 1
LARGEST_PRIORITY = 100
"""The largest priority; the least is its negative."""
MOST_WIDE = 64
"""The most devices that one run may ask for."""
Outcome = Literal["", "finished", "stopped", "paused", "failed", "crashed", "unreadable", "refused", "gone"]
"""How a job ended: as its run did; `refused`: it could not be started; `gone`: its folder is not there any more."""
JobState = Literal["waiting", "starting", "running", "ended"]


def _new_id() -> str:
    return uuid.uuid4().hex[:6]


class Job(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run folder with its `spec.json` that is to be started, once.

    `place` is where it runs: empty for this machine, otherwise the name of a host. `devices` are the wish; with `auto` any
    `width` devices of the place do. `before` is when the run was started last as it was added (0: never), so that a start
    since then is seen in the folder itself. `passed` counts the later jobs that took devices this one could use. `now`: it is
    to start at once, whatever is free. `claimed` is when the scheduler took it, `given` the devices that it then got.
    """

    run: str
    id: str = msgspec.field(default_factory=_new_id)
    place: str = ""
    devices: DeviceChoice = DeviceChoice()
    width: Annotated[int, Meta(ge=1, le=MOST_WIDE)] = 1
    priority: Annotated[int, Meta(ge=-LARGEST_PRIORITY, le=LARGEST_PRIORITY)] = 0
    added: float = msgspec.field(default_factory=time.time)
    before: float = 0.0
    passed: int = 0
    now: bool = False
    claimed: float = 0.0
    given: DeviceChoice | None = None
    outcome: Outcome = ""
    text: str = ""
    """A sentence about the outcome."""

    @property
    def name(self) -> str:
        """The name of the run's folder."""
        return Path(self.run).name

    @property
    def waiting(self) -> bool:
        """Whether the scheduler has not taken it yet."""
        return not self.claimed and not self.outcome

    @property
    def open(self) -> bool:
        """Whether the scheduler has taken it and it has not ended, as far as the queue knows."""
        return bool(self.claimed) and not self.outcome

    @property
    def wide(self) -> int:
        """How many devices it takes."""
        return self.width if self.devices.kind == "auto" else self.devices.replicas


class QueueState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All jobs in the order in which they were put. `paused`: nothing is started. `cpu_runs`: runs on the CPU at a time."""

    format: int = FORMAT
    jobs: tuple[Job, ...] = ()
    paused: bool = False
    cpu_runs: Annotated[int, Meta(ge=1, le=MOST_WIDE)] = 1

    @property
    def waiting(self) -> tuple[Job, ...]:
        """The waiting jobs in the order in which they are to start: the higher priority first, then as they were put."""
        return tuple(sorted((job for job in self.jobs if job.waiting), key=lambda job: -job.priority))

    def with_job(self, changed: Job) -> QueueState:
        """Return the queue with this job in the place of the one with its id."""
        jobs = tuple(changed if job.id == changed.id else job for job in self.jobs)
        return msgspec.structs.replace(self, jobs=jobs)
