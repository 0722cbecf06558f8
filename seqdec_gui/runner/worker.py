"""A warm worker: a process that has imported a framework and waits for one run or task (docs/decisions/0051).

`python -m seqdec_gui.runner.worker SOCKET IDLE_S`: the window starts it with the whole environment of the job to come, so that
it is the process that the job would have got, only earlier. It touches no device before it has a job. It ends when the window
ends, after `IDLE_S` seconds without a job, and when memory gets scarce.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import msgspec

from seqdec_gui.runner.import_trimming import exit_at_once, garbage_collection_paused, refuse_unused_imports
from seqdec_gui.runner.parent_watch import temporary_files_in, watch
from seqdec_gui.runs import lock
from seqdec_gui.runs.engines import of_backend
from seqdec_gui.runs.worker_jobs import (
    LARGEST_JOB,
    SCARCE_MEMORY,
    TAKEN,
    WORKER_MEMORY,
    ExpectExport,
    TaskJob,
    TrainJob,
    decoder,
)

MODULES = (
    *("keras", "pyarrow", "pyarrow.compute", "pyarrow.csv", "pynvml"),
    *(f"seqdec_gui.domain.{name}" for name in ("catalog", "document")),
    *(f"seqdec_gui.data.{name}" for name in ("dataset", "rows", "first_step", "teaching", "formats.delimited")),
    *(f"seqdec_gui.runner.{name}" for name in ("__main__", "session", "loop", "steps_trial", "trial_export", "checkpoints")),
    *(f"seqdec_gui.runner.{name}" for name in ("initial_weights", "keras_files", "task", "loaded", "opened_run", "sampler")),
    *(f"seqdec_gui.runner.{name}" for name in ("sample_file", "evaluate", "export", "exports.keras_file", "reopen")),
)
"""What is imported beside the engine. Importing must look at no device; a test holds it to that."""
LOOK_S = 20.0
"""Seconds between two looks at the memory while the worker waits."""


def main(arguments: list[str]) -> int:
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    with garbage_collection_paused():
        preload()
    return _Worker(channel, float(arguments[1])).wait()


def preload() -> None:
    """Import what runs and tasks of this process's engine import, and begin the trial export that a run will ask for."""
    refuse_unused_imports()
    info = of_backend(os.environ.get("KERAS_BACKEND", ""))
    for name in (*MODULES, *((info.engine.partition(":")[0],) if info is not None else ())):
        import_module(name)
    from seqdec_gui.runner import trial_export

    trial_export.prepare()


class _Worker:
    def __init__(self, channel: socket.socket, idle_s: float) -> None:
        self._channel = channel
        self._idle_s = idle_s
        self._watched = False

    def wait(self) -> int:
        """Wait for jobs and do them; returns the exit status. A run takes this process over and does not return."""
        until = time.monotonic() + self._idle_s
        while time.monotonic() < until and not memory_is_scarce():
            if not select.select([self._channel], [], [], min(LOOK_S, max(0.0, until - time.monotonic())))[0]:
                continue
            data, files, _flags, _from = socket.recv_fds(self._channel, LARGEST_JOB, 4)
            if not data:  # the window has gone
                break
            job = decoder.decode(data)
            if isinstance(job, ExpectExport):
                _expect_export()
                continue
            self._channel.send(TAKEN)
            if isinstance(job, TrainJob):
                _train(job, self._channel, *files)
            self._do(job, *files)
            if not job.stay:
                break
            until = time.monotonic() + self._idle_s
        return 0

    def _do(self, job: TaskJob, stdin: int, stdout: int, log: int) -> None:
        from seqdec_gui.runner import task, trial_export

        trial_export.forget()  # it is a training that has use for it
        self._watch()
        own_log = os.dup(2)
        _pass_on_log(log)
        os.dup2(stdin, 0, inheritable=False)
        os.dup2(stdout, 1, inheritable=False)
        os.dup2(log, 2, inheritable=False)
        for file in (stdin, stdout, log):
            os.close(file)
        try:
            with temporary_files_in(job.scratch):
                task.answer()
        finally:
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.close(nothing)
            for number in (1, 2):
                os.dup2(own_log, number)
            os.close(own_log)

    def _watch(self) -> None:
        """End this process, and those that it started, as soon as the window has gone, whatever the task is doing."""
        if not self._watched and hasattr(select, "POLLRDHUP"):
            self._watched = True
            watch(self._channel.fileno(), select.POLLRDHUP)


def _train(job: TrainJob, channel: socket.socket, log: int, held: int) -> NoReturn:
    """Train the run as `python -m seqdec_gui.runner` does; from here on nothing connects this process with the window."""
    from seqdec_gui.runner.__main__ import main as train

    channel.close()
    _pass_on_log(log)
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    os.environ[lock.DESCRIPTOR] = str(held)
    exit_at_once(train([job.run]))


def _pass_on_log(log: int) -> None:
    """Write to the job's log what this process has said so far, as it would stand there after an ordinary start."""
    with contextlib.suppress(OSError):
        said = os.pread(2, 1 << 20, 0)
        os.ftruncate(2, 0)
        os.lseek(2, 0, os.SEEK_SET)
        os.write(log, said)


def _expect_export() -> None:
    from seqdec_gui.runner import reopen, trial_export

    trial_export.forget()
    reopen.prepare()


def memory_is_scarce() -> bool:
    own, left = _kilobytes("/proc/self/status", "VmRSS"), _kilobytes("/proc/meminfo", "MemAvailable")
    return (own is not None and own * 1024 > WORKER_MEMORY) or (left is not None and left * 1024 < SCARCE_MEMORY)


def _kilobytes(path: str, name: str) -> int | None:
    """Return a line of one of Linux's status files, in units of 1,024 bytes; None where there is none."""
    try:
        lines = Path(path).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), None)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, ConnectionError, msgspec.DecodeError):
        main(sys.argv[1:])
    exit_at_once(0)
