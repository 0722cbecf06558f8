"""Where runs run: this machine. Other places (a host that is reached over a network) have the same methods."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import devices, known, lock, process
from seqdec_gui.runs.active import is_alive
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.listing import run_folders
from seqdec_gui.runs.process import RunProcess
from seqdec_gui.runs.queue.job import Job, Outcome
from seqdec_gui.runs.queue.policy import Resources
from seqdec_gui.runs.spec import DeviceChoice

NICE = 10
"""The niceness of a run on the CPU, so that it yields to whoever sits at the machine."""
OTHERS_S = 3.0
"""Seconds between two looks at the folders of all runs: there may be thousands."""
Standing = Literal["new", "going", "ended", "gone"]
"""What became of a run since it was put into the queue: nothing yet, it goes on, it ended, or its folder is not there."""


class End(msgspec.Struct, frozen=True):
    """How a run ended, and a sentence about it."""

    outcome: Outcome
    text: str


class Place(Protocol):
    """A place where runs run. The scheduler of a place is its only caller; it may be killed between any two calls.

    What `standing` says has to come from the run itself, not from memory: it is what keeps a run from being started twice.
    """

    name: str
    """Empty for this machine."""

    def resources(self, jobs: Sequence[Job], cpu_runs: int) -> Resources:
        """Return the devices of the place; those that `jobs` use are not counted as busy. May take a second."""

    def standing(self, job: Job) -> Standing:
        """Return what became of the run of a job since it was added."""

    def start(self, job: Job, given: DeviceChoice) -> None:
        """Start the run of a job whose standing is `new`. Raises SeqdecError where it cannot be started, with why."""

    def end(self, job: Job) -> End:
        """Return how the run of a job whose standing is `ended` or `gone` went."""

    def watch(self) -> None:
        """Look after what was started here, now and then: children that ended are waited for."""


class ThisMachine:
    """This machine: runs are child processes, as everywhere, and go on if their parent ends."""

    name = ""

    def __init__(self, argv: Sequence[str] | None = None) -> None:
        """Start runs with `argv` and the run folder; by default with the runner."""
        self._argv = argv
        self._children: list[RunProcess] = []
        self._others: tuple[float, list[DeviceChoice]] = (-OTHERS_S, [])

    def resources(self, jobs: Sequence[Job], cpu_runs: int) -> Resources:
        """Return the GPUs, those of them that other programs use, and how many runs of others train on the CPU."""
        ours = {Path(job.run) for job in jobs}
        used = {index for job in jobs if job.given is not None for index in job.given.gpus}
        listed = [device for device in devices.list_devices() if device.kind == "gpu"]
        busy = {device.index: _why_busy(device) for device in listed if device.busy and device.index not in used}
        others = self._devices_of_others(ours)
        for choice in others:
            busy |= {index: "another run trains on it" for index in choice.gpus if choice.kind == "gpu"}
        taken = sum(min(choice.count, cpu_runs) for choice in others if choice.kind == "cpu")
        return Resources(tuple(device.index for device in listed), busy, cpu_runs, min(taken, cpu_runs))

    def standing(self, job: Job) -> Standing:
        """Read it from the lock of the run: who starts a run writes there before its process exists."""
        run = RunFolder(job.run)
        if not run.exists:
            return "gone"
        try:
            if lock.is_held(run.lock):
                return "going"
            record = lock.read_record(run.lock)
        except OSError:
            return "gone"
        if record is None or record.started == job.before:
            return "new"
        # A start that was killed before its process existed leaves no id; a process writes its own before anything else.
        return "ended" if record.pid else "new"

    def start(self, job: Job, given: DeviceChoice) -> None:
        """Start the process of the run, on these devices. Raises SeqdecError."""
        run = RunFolder(job.run)
        asked = run.read_spec()
        again = asked.resume or lock.read_record(run.lock) is not None
        placed = msgspec.structs.replace(asked, devices=given, resume=again, placement=None)
        nice = NICE if given.kind == "cpu" else 0
        self._children.append(process.start(run, placed, nice=nice, argv=self._argv))

    def end(self, job: Job) -> End:
        """Return the state of the run, and what it says."""
        run = RunFolder(job.run)
        if not run.exists:
            return End("gone", "Its folder is gone.")
        status = run.status()
        if status.state == "running" or status.state == "unfinished":
            return End("crashed", status.text)
        return End(status.state, status.text)

    def watch(self) -> None:
        """Wait for children that ended, whose exit status is then known to the readers of the run."""
        self._children = [child for child in self._children if child.running()]

    def _devices_of_others(self, ours: set[Path]) -> list[DeviceChoice]:
        """Return the devices of the runs that go on outside of the queue; looks at most every `OTHERS_S` seconds."""
        now = time.monotonic()
        if now - self._others[0] >= OTHERS_S:
            self._others = (now, _others(ours))
        return self._others[1]


def _why_busy(device: devices.Device) -> str:
    if device.others:
        return "another program is on it"
    return "its memory is in use" if device.memory_used else "it is at work"


def _others(ours: set[Path]) -> list[DeviceChoice]:
    """Return the devices of the runs that go on outside of the queue."""
    found: list[DeviceChoice] = []
    for run in run_folders(known.places()):
        if run.path not in ours and is_alive(run):
            with contextlib.suppress(SeqdecError, OSError):
                found.append(run.read_spec().placed_devices)
    return found
