"""Follow a run that was started elsewhere: its whole curve, then what is new. Ctrl-C leaves it running."""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import say, warn
from seqdec_gui.commands.progress import choose_view, watch
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import process
from seqdec_gui.runs.folder import open_run
from seqdec_gui.runs.hosts import copied


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--json", action="store_true", help="write the run's events, one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    target = open_run(arguments.run)
    copied.look_again(target)
    attached = copied.attach(target)
    if attached.running():
        copied.await_follower(target)
    before = attached.run.status()
    if before.state in ("unfinished", "unreadable"):
        raise InvalidInput(f"{attached.run.path}: {before.text}", "not_running")
    status = watch(attached, choose_view(arguments.json), _leave)
    if status.state != "finished":
        warn(status.text)
    elif not arguments.json:
        say(status.text)
    return process.exit_status(status)


def _leave(times: int) -> None:
    warn("Left; the run goes on.")
    raise KeyboardInterrupt
