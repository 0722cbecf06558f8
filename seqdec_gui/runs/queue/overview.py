"""The queue as people look at it: every job with what its run does, and why those that wait do."""

from __future__ import annotations

from pathlib import Path

import msgspec

from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.notes import display_name
from seqdec_gui.runs.queue.job import Job, JobState
from seqdec_gui.runs.queue.place import Place, ThisMachine
from seqdec_gui.runs.queue.policy import Resources, why_waiting
from seqdec_gui.runs.queue.store import Queue

STUCK_PAUSED = "The queue is paused: nothing is started until `seqdec-gui queue continue`."


class QueuedRun(msgspec.Struct, frozen=True):
    """A job, its place among those that wait (from 1; 0 for others), a sentence, and the name of its run as people read it."""

    job: Job
    state: JobState
    text: str = ""
    place: int = 0
    title: str = ""


class Overview(msgspec.Struct, frozen=True):
    """All jobs: those that go on, then those that wait in their order, then those that have ended. `remarks` are sentences."""

    jobs: tuple[QueuedRun, ...] = ()
    paused: bool = False
    worked_on: bool = False
    cpu_runs: int = 1
    remarks: tuple[str, ...] = ()


def overview(queue: Queue, place: Place | None = None) -> Overview:
    """Return the queue with what its runs say. Asks for the devices, so it may take a second. Raises SeqdecError."""
    place = place or ThisMachine()
    state = queue.read()
    going, ended = list[QueuedRun](), list[QueuedRun]()
    for job in state.jobs:
        if job.outcome:
            ended.append(QueuedRun(job, "ended", job.text))
        elif job.claimed:
            going.append(_taken(job, place))
    waiting = state.waiting
    worked_on = queue.is_worked_on()
    resources = Resources(cpu=state.cpu_runs)
    if waiting:
        resources = place.resources([each.job for each in going], state.cpu_runs)
    used = [each.job.given for each in going if each.job.given is not None and each.state != "ended"]
    listed = []
    for number, job in enumerate(waiting, 1):
        why = why_waiting(job, resources, used) if not job.place else f"Waits for {job.place}."
        if not why:
            why = "The queue is paused." if state.paused else "Starts next." if worked_on else "Could start now."
        listed.append(QueuedRun(job, "waiting", why, number))
    remarks = []
    if waiting and state.paused:
        remarks.append(STUCK_PAUSED)
    elif waiting and not worked_on:
        what = counted(len(waiting), "run")
        remarks.append(f"Nobody works on the queue, and {what} would wait forever: seqdec-gui queue start.")
    jobs = tuple(msgspec.structs.replace(each, title=display_name(Path(each.job.run))) for each in (*going, *listed, *ended))
    return Overview(jobs, state.paused, worked_on, state.cpu_runs, tuple(remarks))


def _taken(job: Job, place: Place) -> QueuedRun:
    """Return a job that the scheduler has taken, as its run shows it."""
    if job.place:
        return QueuedRun(job, "running", f"On {job.place}.")
    match place.standing(job):
        case "new":
            return QueuedRun(job, "starting", "Starting.")
        case "going":
            return QueuedRun(job, "running", RunFolder(job.run).status().text)
        case _:
            end = place.end(job)
            return QueuedRun(msgspec.structs.replace(job, outcome=end.outcome), "ended", end.text)
