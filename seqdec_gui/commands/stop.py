"""Stop a run at the end of its interval; what was trained is saved and can be resumed."""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import say
from seqdec_gui.commands.numbers import number
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import process
from seqdec_gui.runs.folder import open_run
from seqdec_gui.runs.hosts import copied


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--kill", action="store_true", help="end it at once; only its last checkpoint stays")
    parser.add_argument("--no-wait", action="store_true", help="return without waiting for the end")
    parser.add_argument(
        "--grace",
        metavar="SECONDS",
        type=number(0),
        default=process.STOP_GRACE_S,
        help="how long the run may take before it is ended by force (default: %(default)g)",
    )
    parser.add_argument("--terminate", type=number(0), default=process.TERMINATE_GRACE_S, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    attached = copied.attach(open_run(arguments.run))
    if not attached.running():
        say(f"The run is not running. {attached.run.status().text}")
        return 0
    if arguments.kill:
        if attached.pid is None:
            raise SeqdecError(f"The run still runs: {copied.unverified(attached.run)}")
        attached.kill()
        patience = process.LAST_WAIT_S
    else:
        attached.stop(grace_s=arguments.grace, terminate_s=arguments.terminate)
        patience = arguments.grace + arguments.terminate + process.LAST_WAIT_S
    if arguments.no_wait:
        say("Asked to stop.")
        return 0
    status = attached.wait(patience)
    if status is None:
        raise SeqdecError(f"The run still runs after {patience:.0f} s: {copied.unverified(attached.run)}")
    say(status.text)
    return 0
