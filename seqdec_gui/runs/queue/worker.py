"""Sees to it that somebody works on the queue: a process of its own, which ends once nothing waits or goes on."""

from __future__ import annotations

import os
import subprocess
import sys

from seqdec_gui.runs.environment import with_package, working_folder
from seqdec_gui.runs.queue.store import Queue

COMMAND = (sys.executable, "-P", "-m", "seqdec_gui", "queue", "work", "--quiet")
"""The command of a process that works on the queue of this machine."""


def ensure_worker(queue: Queue, command: tuple[str, ...] = ()) -> subprocess.Popen[bytes] | None:
    """Start a process that works on the queue, unless one does or nothing waits; returns it. It outlives this program.

    Two that are started at the same time settle it by the scheduler's lock: one of them ends at once. Raises SeqdecError.
    """
    state = queue.read()
    wanted = [job for job in state.jobs if not job.place and (job.open or (job.waiting and (job.now or not state.paused)))]
    if not wanted or queue.is_worked_on():
        return None
    queue.path.mkdir(parents=True, exist_ok=True)
    with (queue.path / "scheduler.log").open("ab") as log:
        child = subprocess.Popen(
            command or COMMAND,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=with_package(os.environ),
            cwd=working_folder(),
            start_new_session=True,
        )
    child.returncode = 0  # it outlives this program, and keeps Popen from warning that it still runs
    return child
