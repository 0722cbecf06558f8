"""The queue of this machine as a file: `queue.json`, changed by one program at a time under a lock.

The file says what waits, in which order, and what was taken; the run folders say everything else.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.runs import file_lock, folder, known, lock
from seqdec_gui.runs.files import open_to_write, pretty_json, read_bytes, write_atomically
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.queue.job import FORMAT, LARGEST_PRIORITY, MOST_WIDE, Job, QueueState
from seqdec_gui.runs.spec import DeviceChoice

FILE = "queue.json"


def default_folder() -> Path:
    """Return the folder of this machine's queue: homes may be shared by several, whose devices are not."""
    host = re.sub(r"[^A-Za-z0-9._-]", "_", socket.gethostname()) or "host"
    return known.data_folder() / "queue" / host


class Queue:
    """The queue in a folder. Making the object touches nothing; every change reads the file anew, under the lock."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = default_folder() if path is None else path
        self.file = self.path / FILE

    def read(self) -> QueueState:
        """Return the queue; empty where there is none. Raises SeqdecError for a file that is damaged or of a newer version."""
        try:
            data = read_bytes(self.file)
        except FileNotFoundError:
            return QueueState()
        except OSError as error:
            raise SeqdecError(f"The queue {self.file} cannot be read: {(error.strerror or str(error)).lower()}.") from error
        try:
            state = msgspec.json.decode(data, type=QueueState)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            text = f"The queue {self.file} is damaged or of a newer version: {str(error)[:200]}."
            raise SeqdecError(
                f"{text} Its runs are where they were; move the file away to begin with an empty queue."
            ) from None
        if state.format > FORMAT:
            raise SeqdecError(f"The queue {self.file} is of a newer seqdec-gui: upgrade to use it.")
        return state

    def change(self, change: Callable[[QueueState], QueueState]) -> QueueState:
        """Change the queue, alone; returns what it is then. Raises SeqdecError, and what `change` raises: then nothing is."""
        try:
            with self._alone("lock"):
                before = self.read()
                after = change(before)
                if after != before:
                    write_atomically(self.file, pretty_json(after))
                return after
        except OSError as error:
            raise SeqdecError(f"The queue {self.file} cannot be written: {(error.strerror or str(error)).lower()}.") from error

    @contextlib.contextmanager
    def scheduling(self, place: str) -> Iterator[bool]:
        """Hold the lock of the one scheduler of a place; yields whether it was free. It is free again if the holder dies."""
        file = self._opened(f"scheduler{'-' if place else ''}{place}.lock")
        try:
            try:
                file_lock.take(file)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(file)

    def is_worked_on(self, place: str = "") -> bool:
        """Whether some program starts the waiting runs of a place."""
        return lock.is_held(self.path / f"scheduler{'-' if place else ''}{place}.lock")

    def _opened(self, name: str) -> int:
        self.path.mkdir(parents=True, exist_ok=True)
        return open_to_write(self.path / name, os.O_RDWR)

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        file = self._opened(name)
        try:
            file_lock.wait_and_take(file)
            yield
        finally:
            os.close(file)

    # -- what users do
    def add(self, run: RunFolder, devices: DeviceChoice, width: int = 1, priority: int = 0, place: str = "") -> Job:
        """Put a run at the end, and return its job; one that waits or goes on already is not put twice. Raises InvalidInput."""
        if not run.exists:
            raise InvalidInput(f"Expected a run folder with a spec.json, found none at {run.path}.", "no_run")
        record = lock.read_record(run.lock)
        path = str(run.path)
        new = Job(run=path, devices=devices, width=width, priority=priority, place=place, before=_started(record))

        def put(state: QueueState) -> QueueState:
            if any(job.run == path and not job.outcome for job in state.jobs):
                return state
            others = tuple(job for job in state.jobs if job.run != path)  # what it was before is told by its folder
            return msgspec.structs.replace(state, jobs=(*others, new))

        state = self.change(put)
        return next(job for job in state.jobs if job.run == path)

    def remove(self, wish: str) -> Job:
        """Take a job off, with the folder of a run that was never started. Raises InvalidInput: unknown, or it goes on."""
        removed: list[Job] = []

        def take(state: QueueState) -> QueueState:
            job = find(state, wish)
            begins = self.is_worked_on(job.place) and job.before == _started(lock.read_record(RunFolder(job.run).lock))
            if job.open and (begins or lock.is_held(RunFolder(job.run).lock)):
                text = f"{job.name} has been started; stop it instead: seqdec-gui stop {job.run}."
                raise InvalidInput([Problem("error", "queue_started", "job", text)])
            removed.append(job)
            return msgspec.structs.replace(state, jobs=tuple(each for each in state.jobs if each.id != job.id))

        self.change(take)
        job = removed[0]
        if job.waiting and not job.before and not job.place:
            folder.discard(RunFolder(job.run), started=False)
        return job

    def move(self, wish: str, to: int) -> QueueState:
        """Move a waiting job to a place among the waiting ones, from 0; it gets the priority of those around. InvalidInput."""

        def put(state: QueueState) -> QueueState:
            job = _waiting(state, wish)
            others = [each for each in state.waiting if each.id != job.id]
            at = max(0, min(to, len(others)))
            above = others[at - 1].priority if at else LARGEST_PRIORITY
            below = others[at].priority if at < len(others) else -LARGEST_PRIORITY
            moved = msgspec.structs.replace(job, priority=max(below, min(job.priority, above)))
            order = iter([*others[:at], moved, *others[at:]])
            jobs = tuple(next(order) if each.waiting else each for each in state.jobs)
            return msgspec.structs.replace(state, jobs=jobs)

        return self.change(put)

    def set_priority(self, wish: str, priority: int) -> QueueState:
        """Give a waiting job another priority. Raises InvalidInput."""
        return self.change(lambda state: state.with_job(msgspec.structs.replace(_waiting(state, wish), priority=priority)))

    def start_now(self, wish: str) -> QueueState:
        """Have a waiting job started at once, also where the queue is paused or no device is free. Raises InvalidInput."""
        return self.change(lambda state: state.with_job(msgspec.structs.replace(_waiting(state, wish), now=True)))

    def pause(self, paused: bool) -> QueueState:
        """Start nothing more, or go on."""
        return self.change(lambda state: msgspec.structs.replace(state, paused=paused))

    def set_cpu_runs(self, count: int) -> QueueState:
        """Let so many runs train on the CPU at a time. Raises InvalidInput."""
        if not 1 <= count <= MOST_WIDE:
            raise InvalidInput(f"Expected 1 to {MOST_WIDE} runs on the CPU at a time, received {count}.", "queue_cpu")
        return self.change(lambda state: msgspec.structs.replace(state, cpu_runs=count))

    def clear(self) -> QueueState:
        """Take off all jobs that have ended; their runs stay where they are."""
        return self.change(lambda state: msgspec.structs.replace(state, jobs=tuple(j for j in state.jobs if not j.outcome)))


def find(state: QueueState, wish: str) -> Job:
    """Return the job with this id, run folder or name of a run folder. Raises InvalidInput, also where several have it."""
    path = str(Path(wish).absolute())
    found = [job for job in state.jobs if wish == job.id or path == job.run] or [j for j in state.jobs if wish == j.name]
    if len(found) == 1:
        return found[0]
    many = f"{len(found)} jobs are called so: give the id of one" if found else "there is no such job in the queue"
    raise InvalidInput([Problem("error", "queue_no_job", wish, f"{many[0].upper()}{many[1:]}.", "seqdec-gui queue list")])


def _waiting(state: QueueState, wish: str) -> Job:
    job = find(state, wish)
    if not job.waiting:
        raise InvalidInput([Problem("error", "queue_started", wish, f"{job.name} does not wait any more.")])
    return job


def _started(record: lock.LockRecord | None) -> float:
    return record.started if record is not None else 0.0


def ids(jobs: Sequence[Job]) -> tuple[str, ...]:
    """Return the ids of jobs."""
    return tuple(job.id for job in jobs)
