"""Starts the waiting runs of one place as devices become free. Whichever program holds the scheduler's lock does it.

A job is taken in two steps, and the program may be killed between any two lines: first the queue says that it is taken, then
its run is started, which the run's own lock shows. A job that was taken and whose run shows no start is started by the next
scheduler; one whose run shows a start is never started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.lock import RunLocked
from seqdec_gui.runs.queue.job import Job, QueueState
from seqdec_gui.runs.queue.place import End, Place
from seqdec_gui.runs.queue.policy import Plan, plan
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.spec import DeviceChoice

POLL_S = 0.5
"""Seconds between two looks at the queue."""
replace = msgspec.structs.replace


class Scheduler:
    """Starts the runs of one place. `work` returns when nothing waits and nothing goes on, or another scheduler is at work."""

    def __init__(self, queue: Queue, place: Place, poll_s: float = POLL_S) -> None:
        self._queue = queue
        self._place = place
        self._poll_s = poll_s

    def work(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Work until there is nothing to do, or `stop()`; returns whether this was the scheduler. Raises SeqdecError."""
        with self._queue.scheduling(self._place.name) as alone:
            if not alone:
                return False
            while not stop() and self.step():
                time.sleep(self._poll_s)
            return True

    def step(self) -> bool:
        """Look once: note what ended, start what can start; returns whether there is more to do. Only with the lock held."""
        self._place.watch()
        state = self._queue.read()
        going = self._look_after([job for job in state.jobs if job.open and job.place == self._place.name])
        waiting = [job for job in state.waiting if job.place == self._place.name]
        if not waiting or (state.paused and not any(job.now for job in waiting)):
            return bool(going)
        resources = self._place.resources(going, state.cpu_runs)
        used = [job.given for job in going if job.given is not None]
        claimed: list[Job] = []

        def claim(now: QueueState) -> QueueState:
            claimed.clear()
            here = [job for job in now.waiting if job.place == self._place.name]
            found = plan(here, resources, used, now.paused)
            now = _passed(now, found)
            for start in found.starts:
                taken = replace(start.job, claimed=time.time(), given=start.devices)
                claimed.append(taken)
                now = now.with_job(taken)
            return now

        self._queue.change(claim)
        for job in claimed:
            self._begin(job)
        return bool(going or claimed) or not state.paused

    def _look_after(self, jobs: list[Job]) -> list[Job]:
        """Note how the runs of taken jobs ended, start those that were taken and never started; returns those that go on."""
        going = []
        for job in jobs:
            match self._place.standing(job):
                case "going":
                    going.append(job)
                case "new":
                    if self._begin(job):
                        going.append(job)
                case _:
                    self._note(job, self._place.end(job))
        return going

    def _begin(self, job: Job) -> bool:
        """Start the run of a taken job; returns whether it goes on."""
        if self._place.standing(job) != "new":  # somebody has started it by hand while it waited
            return True
        try:
            self._place.start(job, job.given or DeviceChoice("cpu"))
        except RunLocked:  # or does so in this moment
            return True
        except (SeqdecError, OSError) as error:
            self._note(job, End("refused", f"It could not be started. {error}"))
            return False
        return True

    def _note(self, job: Job, end: End) -> None:
        def note(state: QueueState) -> QueueState:
            now = next((each for each in state.jobs if each.id == job.id), None)
            return state if now is None else state.with_job(replace(now, outcome=end.outcome, text=end.text))

        self._queue.change(note)


def _passed(state: QueueState, found: Plan) -> QueueState:
    """Return the queue with the times counted that later jobs have passed waiting ones."""
    for job in state.jobs:
        if times := found.passed.count(job.id):
            state = state.with_job(replace(job, passed=job.passed + times))
    return state
