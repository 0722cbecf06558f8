"""Pause a run: save everything and free its devices, until `seqdec-gui resume`."""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import say
from seqdec_gui.commands.numbers import number
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import process
from seqdec_gui.runs.control import command
from seqdec_gui.runs.folder import open_run
from seqdec_gui.runs.hosts import copied


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--no-wait", action="store_true", help="return without waiting for the end")
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=number(0),
        default=process.STOP_GRACE_S,
        help="how long to wait for the end (default: %(default)g); the run is not ended by force",
    )
    parser.add_argument("--hold", action="store_true", help="keep the process and the memory, and only wait")
    parser.add_argument("--continue", dest="go_on", action="store_true", help="go on after --hold")


def run(arguments: argparse.Namespace) -> int:
    target = open_run(arguments.run)
    attached = copied.attach(target)
    if not attached.running():
        say(f"The run is not running. {target.status().text}")
        return 0
    if arguments.hold or arguments.go_on:
        target.send(command("continue" if arguments.go_on else "hold"))
        say("Asked to go on." if arguments.go_on else "Asked to wait.")
        return 0
    attached.pause()
    if arguments.no_wait:
        say("Asked to pause.")
        return 0
    status = attached.wait(arguments.wait)
    if status is None:
        raise SeqdecError(
            f"The run has not paused after {arguments.wait:g} s: it does so at the end of an interval, once it has started. "
            f"Wait longer, or end it: seqdec-gui stop {target.path}. {copied.link_of(target)}".strip()
        )
    say(status.text)
    if status.state == "paused":
        say(f"Go on with: seqdec-gui resume {target.path}")
    return 0
