"""The process that does a task: a warm worker, or a new child."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import IO

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs.crash import exit_status_of
from seqdec_gui.runs.environment import working_folder
from seqdec_gui.runs.workers import Worker, Workers, reap

POSSIBLE = hasattr(os, "killpg")
"""Whether tasks can be run on this system: what their children say is waited for in a way that Windows lacks."""
ELSEWHERE = "On this system nothing is computed with a model. Do it on the host of the run (--there), or install it in WSL."
"""What is said where they cannot."""


@contextlib.contextmanager
def task_process(
    argv: Sequence[str],
    environment: Mapping[str, str],
    log: IO[bytes],
    workers: Workers | None = None,
    loads: Hashable = None,
    waiting: Callable[[], None] = lambda: None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process with pipes for standard input and output that reads one task; it is killed at the end of the context.

    A worker that has done a task with `loads` stays, unless the context ends with an exception other than InvalidInput.
    `waiting` is called until a worker has taken the task, and may raise.
    """
    if not POSSIBLE:
        raise SeqdecError(ELSEWHERE)
    worker = None if workers is None else _worker(workers, environment, log, loads, waiting)
    if workers is None or worker is None:
        with _new_child(argv, environment, log) as child:
            yield child
        return
    stays = False
    try:
        yield worker.process
        stays = True
    except InvalidInput:  # the worker has said what is wrong with the input, and goes on
        stays = True
        raise
    finally:
        if stays and loads is not None:
            workers.keep(worker, loads)
        else:
            worker.end()


def _worker(
    workers: Workers, environment: Mapping[str, str], log: IO[bytes], loads: Hashable, waiting: Callable[[], None]
) -> Worker | None:
    """Return a worker that has taken a task; None if there is none."""
    worker = workers.take(environment, loads)
    if worker is None:
        return None
    taken = False
    try:
        taken = worker.begin_task(log, loads is not None, waiting)
    finally:
        if not taken:
            worker.end()
    return worker if taken else None


@contextlib.contextmanager
def _new_child(argv: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        argv,
        env=environment,
        cwd=working_folder(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield child
    finally:  # the child has not been waited for, so its process group still exists and is its own
        end_group(child)
        for pipe in filter(None, (child.stdin, child.stdout)):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        reap(child)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """Kill a child that has not been waited for, with what it has started where the system has groups of processes."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()


def read_lines(child: subprocess.Popen[bytes], waiting: Callable[[], None]) -> Iterator[bytes]:
    """Yield the complete lines of the child until it closes the pipe or ends.

    `waiting` is called ten times a second, and may raise. The end is noticed even if processes that the child started keep the
    pipe open.
    """
    assert child.stdout is not None
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            waiting()
            if not selector.select(timeout=0.1):
                if exit_status_of(child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                    return
                continue
            data = os.read(child.stdout.fileno(), 1 << 16)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            yield from lines
