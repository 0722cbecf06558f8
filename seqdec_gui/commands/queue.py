"""Let runs wait for devices, and start them as devices become free.

list               what waits, goes on and has ended (also without a word)
add DESIGN|RUN     put a new run of a design at the end (options as of `train`), or one to resume
remove JOB         take a job off; JOB is its id, its run folder or the folder's name
move JOB PLACE     PLACE among those that wait: 1, 2, ..., first, last, up or down
priority JOB N     -100 to 100; the higher start first
now JOB            start it at once, whatever is free
pause, continue    start nothing more, or go on; runs that go on are left alone
cpu N              let N runs train on the CPU at a time
start              see to it that a process works on the queue
work               be that process, until nothing waits or goes on
clear              take off what has ended; the runs stay where they are

No service is needed: whoever adds a run, and the window, see to it that a process works on the queue while something waits. It
opens no port, and ends by itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from seqdec_gui.commands import train
from seqdec_gui.commands.console import say, say_json, say_table, warn
from seqdec_gui.commands.queued import check_wishes, number_in, put_into_queue
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runs import devices, folder, known
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.queue.job import LARGEST_PRIORITY, MOST_WIDE, Job
from seqdec_gui.runs.queue.overview import QueuedRun, overview
from seqdec_gui.runs.queue.place import ThisMachine
from seqdec_gui.runs.queue.scheduler import Scheduler
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.queue.worker import ensure_worker

ACTIONS = ("list", "add", "remove", "move", "priority", "now", "pause", "continue", "cpu", "start", "work", "clear")
_PLAIN = ("list", "pause", "continue", "start", "work", "clear")
"""The actions that take no word."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, nargs="?", default="list", metavar="ACTION", help="one of those above")
    parser.add_argument("words", nargs="*", metavar="WORD", help="a job, a design, a run, a number")
    parser.add_argument("--width", type=int, default=1, metavar="N", help="with `add`: train on any N devices (default: 1)")
    parser.add_argument("--priority", type=int, default=0, metavar="N", help="with `add`: -100 to 100 (default: 0)")
    parser.add_argument("--no-start", action="store_true", help="with `add`: start no process that works on the queue")
    parser.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)
    train.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    queue, action, words = Queue(), arguments.action, arguments.words
    expected = 0 if action in _PLAIN else 2 if action in ("move", "priority") else 1
    if len(words) != expected:
        text = f"`queue {action}` takes {expected} word{'s' * (expected != 1)}, received {' '.join(words) or 'none'}."
        raise InvalidInput([Problem("error", "bad_queue_command", action, text, "seqdec-gui queue --help")])
    match action:
        case "list":
            return _list(queue, arguments.json)
        case "add":
            return _add(queue, words[0], arguments)
        case "work":
            return _work(queue, arguments.quiet)
        case "remove":
            say(f"Removed {queue.remove(words[0]).name}.")
        case "move":
            queue.move(words[0], _place_of(queue, *words))
        case "priority":
            queue.set_priority(words[0], number_in(words[1], -LARGEST_PRIORITY, LARGEST_PRIORITY))
        case "now":
            queue.start_now(words[0])
        case "pause" | "continue":
            queue.pause(action == "pause")
        case "cpu":
            queue.set_cpu_runs(number_in(words[0], 1, MOST_WIDE))
        case "clear":
            queue.clear()
    if action in ("now", "continue", "start", "cpu"):
        ensure_worker(queue)
    return 0 if action in ("remove", "start") else _list(queue, arguments.json)


def _add(queue: Queue, what: str, arguments: argparse.Namespace) -> int:
    run = RunFolder(what)
    if run.exists:
        asked = run.read_spec()
        wish = devices.parse_devices(arguments.devices, devices.list_devices())[0] if arguments.devices else asked.devices
        asked = msgspec.structs.replace(asked, devices=wish)
        width, priority = check_wishes(asked, arguments)
        job = queue.add(run, wish, width, priority)
        if not arguments.no_start:
            ensure_worker(queue)
        say_json(job) if arguments.json else say(f"queued: {job.id}")
        return 0
    arguments.design = what
    asked = train.make_spec(arguments)
    check_wishes(asked, arguments)
    target = folder.create(arguments.run, arguments.design)
    known.remember_designs([(Path(arguments.design), asked.design_id)])
    return put_into_queue(target, asked, arguments)


def _work(queue: Queue, quiet: bool) -> int:
    if not Scheduler(queue, ThisMachine()).work() and not quiet:
        warn("Another program works on the queue already.")
    return 0


def _list(queue: Queue, as_json: bool) -> int:
    shown = overview(queue)
    if as_json:
        say_json(shown)
        return 0
    if not shown.jobs:
        say("The queue is empty.")
        return 0
    rows = [("", "id", "run", "state", "devices", "priority", "")]
    say_table([*rows, *map(_row, shown.jobs)], right=(0, 5))
    for text in shown.remarks:
        say(text)
    return 0


def _row(each: QueuedRun) -> tuple[str, ...]:
    job: Job = each.job
    wish = f"any {job.width}" if job.devices.kind == "auto" else str(job.devices)
    return (
        str(each.place) if each.place else "",
        job.id,
        job.name,
        job.outcome or each.state,
        str(job.given or wish),
        str(job.priority) if job.priority else "",
        each.text,
    )


def _place_of(queue: Queue, job: str, wish: str) -> int:
    from seqdec_gui.runs.queue.store import find

    state = queue.read()
    waiting = state.waiting
    at = next((number for number, each in enumerate(waiting) if each.id == find(state, job).id), 0)
    named = {"first": 0, "last": len(waiting), "up": at - 1, "down": at + 1}
    return named[wish] if wish in named else number_in(wish, 1, 1_000_000) - 1
