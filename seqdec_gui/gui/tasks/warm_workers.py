"""The warm workers of this program: `gui.app` begins them if the user wants them; what starts a run or a task asks for one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import background
from seqdec_gui.runs.tasks import GenerateTask, InspectTask, Task, task_environment
from seqdec_gui.runs.workers import POSSIBLE, Workers

_begun: list[Workers] = []
"""The workers of this program; empty where there are none."""


def begin() -> None:
    """Keep workers warm from now on, if the settings say so. Where it is not called, every run and task starts a process."""
    if POSSIBLE and not _begun and preferences.warm_workers_are_on():
        _begun.append(Workers())


def end() -> None:
    """End the workers that wait, and keep none any more."""
    while _begun:
        _begun.pop().close()


def current() -> Workers | None:
    """Return the workers of this program, or None."""
    return _begun[0] if _begun else None


def expect(environment: Callable[[], Mapping[str, str]], *, export: bool = False) -> None:
    """Have a worker warmed for a job with this environment, in a thread. It is no error if that cannot be."""
    workers = current()
    if workers is None:
        return

    def work() -> None:
        with contextlib.suppress(SeqdecError, OSError):  # whoever starts the job says what is wrong
            workers.expect(environment(), export=export)

    background.run(work, lambda _none: None)


def expect_task(run: str = "", *, export: bool = False) -> None:
    """Have a worker warmed for a task: one that computes with this run, or any other."""
    task: Task = GenerateTask(run=run, output=os.devnull) if run else InspectTask(path=os.devnull)
    expect(lambda: task_environment(task)[0], export=export)
