"""Warm workers: processes that have imported a framework before there is a job for them (docs/decisions/0051).

A worker gets one job: a run, whose process it becomes, or a task. It was started in the environment that the job would get, and
`Workers.take` compares all of it; so a worker is what an ordinary start would have made, only earlier. Where there is none that
fits, or it has died, the caller starts a process in the ordinary way. After a task that reads a trained run the worker stays
with what it has loaded, for further tasks with the same checkpoint.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import msgspec

from seqdec_gui.runs.engines import framework_packages
from seqdec_gui.runs.environment import working_folder
from seqdec_gui.runs.worker_jobs import LARGEST_JOB, TAKEN, ExpectExport, Message, TaskJob, TrainJob

resource: Any
try:
    resource = import_module("resource")
except ImportError:  # Windows, where no worker is started
    resource = None

POSSIBLE = resource is not None and hasattr(socket, "AF_UNIX")
"""Whether this system has what workers need."""
WORKER = (sys.executable, "-m", "seqdec_gui.runner.worker")
"""Command of a worker, without the number of its socket and the seconds that it waits for a job."""
IDLE_S = 900.0
"""Seconds without a job after which a worker ends by itself."""
MEMORY_EACH = 4 << 30
"""Bytes that the machine must have left for each worker without anything loaded."""
MOST_FRESH = 2
"""Most workers without anything loaded: one for the next run, one for the next task."""
TAKE_S = 30.0
"""Seconds in which a worker has to take a job; it may still be importing."""
KILL_WAIT_S = 0.1
"""Seconds to wait for a killed process before its end is left to a background thread."""


class Worker:
    """A warm worker, as its parent sees it. `process` is what `Popen` would have given for an ordinary start."""

    def __init__(self, environment: Mapping[str, str], circumstances: Hashable, argv: Sequence[str], idle_s: float) -> None:
        self.environment = dict(environment)
        self.circumstances = circumstances
        self.loaded: Hashable = None
        """What it has loaded, None if nothing."""
        self._scratch: Path | None = None
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, tempfile.TemporaryFile() as log:
            self.process = subprocess.Popen(
                [*argv, str(theirs.fileno()), f"{idle_s:g}"],
                env=self.environment,
                cwd=working_folder(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def train(self, run: Path, log: int, lock: int) -> subprocess.Popen[bytes] | None:
        """Make it the process of a run, with these descriptors; returns that process, None if it has not taken the run."""
        if not self._hand_over(TrainJob(run=str(run)), (log, lock)):
            return None
        self._socket.close()
        return self.process

    def begin_task(self, log: IO[bytes], stay: bool, waiting: Callable[[], None] = lambda: None) -> bool:
        """Connect the process's standard streams with a task that is about to come; returns whether it has taken the task.

        `waiting` is called several times a second until then, and may raise.
        """
        self._scratch = Path(tempfile.mkdtemp(prefix="seqdec-gui-worker-"))
        (stdin, write), (read, stdout) = os.pipe(), os.pipe()
        self.process.stdin, self.process.stdout = os.fdopen(write, "wb"), os.fdopen(read, "rb")
        try:
            return self._hand_over(TaskJob(scratch=str(self._scratch), stay=stay), (stdin, stdout, log.fileno()), waiting)
        finally:
            os.close(stdin)
            os.close(stdout)

    def end_task(self) -> None:
        """Put away what belonged to a task that has given its result."""
        for pipe in filter(None, (self.process.stdin, self.process.stdout)):
            with contextlib.suppress(OSError):
                pipe.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def expect_export(self) -> None:
        """Let it begin what an export needs besides its own process."""
        with contextlib.suppress(OSError):
            self._socket.send(msgspec.json.encode(ExpectExport()), socket.MSG_DONTWAIT)

    def end(self) -> None:
        """End it at once, with the processes that it started."""
        self._socket.close()
        if self.process.returncode is None:  # not waited for yet, so the group is still its own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.end_task()
        reap(self.process)

    def _hand_over(self, job: Message, files: Sequence[int], waiting: Callable[[], None] = lambda: None) -> bool:
        try:
            socket.send_fds(self._socket, [msgspec.json.encode(job)], files)
            until = time.monotonic() + TAKE_S
            while not select.select([self._socket], [], [], 0.1)[0]:
                waiting()
                if time.monotonic() > until:
                    return False
            return self._socket.recv(LARGEST_JOB) == TAKEN
        except OSError:
            return False


class Workers:
    """The workers of one program. All methods may be called from several threads; only those that take a job wait."""

    def __init__(self, argv: Sequence[str] | None = None, idle_s: float = IDLE_S) -> None:
        self._argv = tuple(argv or WORKER)
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._waiting: list[Worker] = []
        self._closed = False

    @property
    def waiting(self) -> tuple[Worker, ...]:
        """The workers that wait for a job, the one that was expected last at the end."""
        with self._lock:
            return tuple(self._waiting)

    def expect(self, environment: Mapping[str, str], *, export: bool = False) -> None:
        """Have a worker for this environment, because a job is likely to come; does nothing where memory is scarce.

        `export`: the job is an export, which needs another process besides.
        """
        circumstances = _circumstances()
        with self._lock:
            self._put_away(lambda each: each.alive and each.circumstances == circumstances)
            if self._closed:
                return
            fresh = [each for each in self._waiting if each.loaded is None]
            worker = next((each for each in fresh if each.environment == environment), None)
            if worker is None:
                most = min(MOST_FRESH, _memory_left() // MEMORY_EACH)
                if not most:
                    return
                keep = fresh[-(most - 1) :] if most > 1 else []
                self._put_away(lambda each: each.loaded is not None or each in keep)
                worker = Worker(environment, circumstances, self._argv, self._idle_s)
            else:
                self._waiting.remove(worker)
            self._waiting.append(worker)
            if export:
                worker.expect_export()

    def take(self, environment: Mapping[str, str], loaded: Hashable = None) -> Worker | None:
        """Return a worker for a job, which belongs to the caller from now on; None if none fits.

        `loaded`: what it had better have loaded already. Another one with something loaded is put away then.
        """
        circumstances = _circumstances()
        with self._lock:
            self._put_away(lambda each: each.alive and each.circumstances == circumstances)
            if loaded is not None:
                self._put_away(lambda each: each.loaded in (None, loaded))
            fitting = [each for each in self._waiting if each.environment == environment and each.loaded in (None, loaded)]
            if not fitting:
                return None
            worker = max(fitting, key=lambda each: each.loaded is not None)
            self._waiting.remove(worker)
            return worker

    def keep(self, worker: Worker, loaded: Hashable) -> None:
        """Take a worker back that has done its task and has this loaded; only the last of them is kept."""
        worker.end_task()
        with self._lock:
            worker.loaded = loaded
            self._put_away(lambda each: each.loaded is None)
            if self._closed:
                worker.end()
            else:
                self._waiting.append(worker)

    def close(self) -> None:
        """End every worker that waits. Runs and tasks go on."""
        with self._lock:
            self._closed = True
            self._put_away(lambda each: False)

    def _put_away(self, stays: Callable[[Worker], bool]) -> None:
        leaving = [each for each in self._waiting if not stays(each)]
        self._waiting = [each for each in self._waiting if each not in leaving]
        for each in leaving:
            each.end()


def reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for a killed process; in a background thread if it takes long, for example while the driver shuts CUDA down."""
    try:
        process.wait(KILL_WAIT_S)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, daemon=True, name="wait for a killed task").start()


def _circumstances() -> Hashable:
    """Return what a process inherits besides its environment, and which versions it would import now."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii", errors="replace").splitlines() if status.exists() else []
    umask = next((line for line in lines if line.startswith("Umask:")), "")
    affinity = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    limits = tuple(resource.getrlimit(getattr(resource, name)) for name in sorted(dir(resource)) if name.startswith("RLIMIT_"))
    packages = ("seqdec_gui", "keras", *sorted(framework_packages()))
    return (umask, affinity, limits, os.getpriority(os.PRIO_PROCESS, 0), *map(_version, packages))


def _version(package: str) -> Hashable:
    found = find_spec(package)
    return None if found is None or found.origin is None else _stamp(Path(found.origin))


def _stamp(path: Path) -> Hashable:
    try:
        status = path.stat()
    except OSError:
        return None
    return str(path), status.st_mtime_ns, status.st_size, status.st_ino


def _memory_left() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)
