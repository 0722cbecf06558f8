"""How much sooner a warm worker begins than a new process: the part `warm` of tools/measure_window.py.

Clicks in a real window with the bundled example, with and without warm workers in turns, so that the ratios are of one run.
"""

from __future__ import annotations

import functools
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from event_loop import listen, settle

ROUNDS = 3
QUIET_S = 1.0
"""Seconds without processor time after which a worker has imported all it wants."""
TYPED = "1987"


def measure(window: Any, say: Callable[..., None]) -> None:
    """Train with either engine and generate, with and without warm workers, in this window. The example has one epoch."""
    from seqdec_gui.gui.workspace import launch
    from seqdec_gui.runs.engines import ENGINES

    plain = launch.RunSpec
    for name, info in ENGINES.items():
        launch.RunSpec = functools.partial(plain, engine=name)
        _train(window, warm=False)  # what it compiles is kept
        pairs = [(_train(window, warm=False), _train(window, warm=True)) for _ in range(ROUNDS)]
        cold, warm = (statistics.median(each) for each in zip(*pairs, strict=True))
        say(f"{info.title}: click on Train to first step, new process", cold, "s")
        say(f"{info.title}: the same, warm worker", warm, "s")
        say(f"{info.title}: ratio, median of {ROUNDS} pairs", statistics.median(w / c for c, w in pairs), "", 0.4)
    launch.RunSpec = plain
    _generate(window, say)


def _train(window: Any, warm: bool) -> float:
    """The seconds from the click to the event of the first step. Waits for the end of the run."""
    from PyQt5.QtWidgets import QWidget

    from seqdec_gui.gui.workspace.training_session import session_of
    from seqdec_gui.runs.events import Step, decode

    _ready(window, "train", warm)
    session = session_of(window.workspace)
    clicked = time.time()
    window.findChild(QWidget, "train_button").click()
    settle(lambda: session.active is not None and session.active.run is not None, 60)
    run = session.active.run
    settle(lambda: session.active is None, 300)
    events = [decode(line) for line in run.events.read_bytes().splitlines()]
    return next(event.time for event in events if isinstance(event, Step)) - clicked


def _generate(window: Any, say: Callable[..., None]) -> None:
    _ready(window, "generate", warm=False)
    say("Generate: click to rows, new process", _rows(window), "s")
    _ready(window, "generate", warm=True)
    say("Generate: the first time in a warm worker", _rows(window), "s")
    say("Generate: the second time, median of 5", statistics.median(_rows(window) for _ in range(5)), "s", 0.5)


def _rows(window: Any) -> float:
    """The seconds from the click on Generate until the rows stand in the table."""
    from PyQt5.QtWidgets import QPlainTextEdit, QPushButton, QTableView

    from seqdec_gui.gui.tasks import background

    page = window.findChild(object, "generate_panel")
    page.findChild(QPlainTextEdit, "input_number").setPlainText(TYPED)
    table = page.findChild(QTableView, "results_table")
    seen = table.model()
    shown = [False]
    for signal in (seen.modelReset, seen.rowsInserted):
        signal.connect(lambda *_: shown.__setitem__(0, seen.rowCount() > 0))
    began = time.monotonic()
    page.findChild(QPushButton, "generate_button").click()
    settle(lambda: shown[0] and not page.task.running and not background.busy(), 120)
    return time.monotonic() - began


def _ready(window: Any, page: str, warm: bool) -> None:
    """Show a page, with a worker that has imported everything, or without any."""
    from seqdec_gui.gui.tasks import background, warm_workers
    from seqdec_gui.gui.workspace.workspace import PageName

    warm_workers.end()
    if warm:
        warm_workers.begin()
    other = PageName.DATA if page == "train" else PageName.CODE
    window.workspace.page_requested.emit(other)
    window.workspace.page_requested.emit(PageName(page))
    listen(2.5)
    settle(lambda: not background.busy(), 60)
    current = warm_workers.current()
    if current is not None:
        settle(lambda: len(current.waiting) > 0, 60)
        _quiet([worker.process.pid for worker in current.waiting])
    listen(0.5)


def _quiet(pids: list[int]) -> None:
    used, since = -1.0, time.monotonic()
    while time.monotonic() - since < QUIET_S:
        listen(0.2)
        now = sum(map(_seconds, pids))
        if now > used:
            used, since = now, time.monotonic()


def _seconds(pid: int) -> float:
    """Processor time of a process and of those that it has started."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + sum(map(_seconds, map(int, children)))
