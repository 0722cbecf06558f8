"""Which waiting runs start now, and on which devices: pure functions of the queue and of what is free.

Jobs go in their order. One that is too wide for what is free is passed by narrower ones behind it, so that no device idles; but
only `MOST_PASSED` times, then what is free is kept for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.queue.job import Job
from seqdec_gui.runs.spec import DeviceChoice

MOST_PASSED = 4
"""How many later jobs may take devices that a waiting job could use, before devices are kept for it."""


class Resources(msgspec.Struct, frozen=True):
    """The devices of a place. `busy` are GPUs that somebody else uses, with why; `cpu` is how many runs it takes at a time.

    `cpu_taken` is how many of these the runs outside of the queue use.
    """

    gpus: tuple[int, ...] = ()
    busy: dict[int, str] = {}
    cpu: int = 1
    cpu_taken: int = 0


class Start(msgspec.Struct, frozen=True):
    """A job that starts now, and its devices."""

    job: Job
    devices: DeviceChoice


class Plan(msgspec.Struct, frozen=True):
    """What starts now; `passed` are the ids of waiting jobs that later ones have passed, one for each time."""

    starts: tuple[Start, ...] = ()
    passed: tuple[str, ...] = ()


class _Free:
    """What is free while a plan is made."""

    def __init__(self, resources: Resources, going: Iterable[DeviceChoice]) -> None:
        taken = {index for choice in going if choice.kind == "gpu" for index in choice.gpus}
        self.gpus = [index for index in resources.gpus if index not in taken and index not in resources.busy]
        used = sum(min(choice.count, resources.cpu) for choice in going if choice.kind == "cpu")
        self.cpu = max(0, resources.cpu - resources.cpu_taken - used)

    def take(self, choice: DeviceChoice, resources: Resources) -> None:
        self.gpus = [index for index in self.gpus if index not in choice.gpus]
        if choice.kind == "cpu":
            self.cpu = max(0, self.cpu - min(choice.count, resources.cpu))


def plan(waiting: Sequence[Job], resources: Resources, going: Sequence[DeviceChoice], paused: bool = False) -> Plan:
    """Return what starts now. `waiting` are in their order; `going` are the devices of the jobs that run.

    Where the queue is `paused` only jobs start that are to start at once.
    """
    free, starts, passed = _Free(resources, going), list[Start](), list[str]()
    blocked: list[Job] = []
    for job in [job for job in waiting if job.now]:
        choice = _fitting(job, resources, free.gpus, free.cpu) or _anything(job, resources)
        if choice is not None:
            starts.append(Start(job, choice))
            free.take(choice, resources)
    for job in [] if paused else [job for job in waiting if not job.now]:
        if impossible(job, resources):
            continue
        kept = [each for each in blocked if each.passed + passed.count(each.id) >= MOST_PASSED]
        gpus = _left(free.gpus, kept, resources)
        cpu = 0 if any(pool(each, resources) == "cpu" for each in kept) else free.cpu
        choice = _fitting(job, resources, gpus, cpu)
        if choice is None:
            blocked.append(job)
            continue
        passed += [each.id for each in blocked if _could_use(each, choice, resources)]
        starts.append(Start(job, choice))
        free.take(choice, resources)
    return Plan(tuple(starts), tuple(passed))


def pool(job: Job, resources: Resources) -> str:
    """Return what a job trains on: `gpu` or `cpu`. `auto` means GPUs where the place has any."""
    if job.devices.kind != "auto":
        return job.devices.kind
    return "gpu" if resources.gpus else "cpu"


def impossible(job: Job, resources: Resources) -> str:
    """Return why a job can never start at a place, as a sentence; empty where it can."""
    if pool(job, resources) == "cpu":
        return ""
    absent = [f"gpu:{index}" for index in job.devices.gpus if index not in resources.gpus]
    if absent:
        return f"There is no {', '.join(absent)} here."
    if job.wide > len(resources.gpus):
        return f"It needs {counted(job.wide, 'GPU')}, and this place has {len(resources.gpus)}."
    return ""


def why_waiting(job: Job, resources: Resources, going: Sequence[DeviceChoice]) -> str:
    """Return what a job waits for, as a sentence; empty where it could start now."""
    if why := impossible(job, resources):
        return why
    free = _Free(resources, going)
    if _fitting(job, resources, free.gpus, free.cpu) is not None:
        return ""
    if pool(job, resources) == "cpu":
        return f"The CPU is taken: {counted(resources.cpu, 'run')} at a time."
    if job.devices.kind == "gpu":
        wanted = [index for index in job.devices.gpus if index not in free.gpus]
        busy = [f"gpu:{index} ({resources.busy.get(index, 'a run of the queue')})" for index in wanted]
        return f"Waits for {', '.join(busy)}."
    return f"Waits for {counted(job.wide, 'GPU')}; {len(free.gpus)} of {len(resources.gpus)} free."


def _fitting(job: Job, resources: Resources, gpus: Sequence[int], cpu: int) -> DeviceChoice | None:
    """Return devices among those free on which a job can start; None where there are not enough."""
    if pool(job, resources) == "cpu":
        return DeviceChoice("cpu", count=job.wide) if min(job.wide, resources.cpu) <= cpu else None
    if job.devices.kind == "gpu":
        return job.devices if set(job.devices.gpus) <= set(gpus) else None
    return DeviceChoice("gpu", gpus=tuple(gpus[: job.width])) if len(gpus) >= job.width else None


def _anything(job: Job, resources: Resources) -> DeviceChoice | None:
    """Return devices for a job that is to start at once although they are taken; None where there are too few at all."""
    if impossible(job, resources):
        return None
    calm = sorted(resources.gpus, key=lambda index: index in resources.busy)
    return _fitting(job, resources, calm, resources.cpu)


def _left(gpus: Sequence[int], kept: Sequence[Job], resources: Resources) -> list[int]:
    """Return the free GPUs that are not kept for jobs which were passed often enough."""
    left = list(gpus)
    for job in kept:
        if pool(job, resources) == "gpu":
            mine = set(job.devices.gpus) if job.devices.kind == "gpu" else set(left[: job.width])
            left = [index for index in left if index not in mine]
    return left


def _could_use(job: Job, choice: DeviceChoice, resources: Resources) -> bool:
    """Whether a job waits for devices like those that another one gets."""
    if pool(job, resources) != choice.kind:
        return False
    return choice.kind == "cpu" or job.devices.kind == "auto" or bool(set(job.devices.gpus) & set(choice.gpus))
