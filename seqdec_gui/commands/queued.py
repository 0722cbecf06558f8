"""Putting a run into the queue, for every command that can do so instead of starting it."""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import say, say_json
from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.runs import devices, known, spec
from seqdec_gui.runs.batches import batch_problems
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.queue.job import LARGEST_PRIORITY, MOST_WIDE, Job
from seqdec_gui.runs.queue.policy import Resources, impossible
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.queue.worker import ensure_worker
from seqdec_gui.runs.spec import DeviceChoice, RunSpec


def put_into_queue(target: RunFolder, asked: RunSpec, arguments: argparse.Namespace) -> int:
    """Write the specification of a new run and put it into the queue of this machine. Raises InvalidInput."""
    width, priority = check_wishes(asked, arguments)
    spec.write(asked, target.spec)
    known.remember_run(target.path)
    queue = Queue()
    job = queue.add(target, asked.devices, width, priority)
    if not arguments.no_start:
        ensure_worker(queue)
    if arguments.json:
        say_json(job)
    else:
        say(f"queued: {job.id}")
        say(f"run: {target.path}")
    return 0


def check_wishes(asked: RunSpec, arguments: argparse.Namespace) -> tuple[int, int]:
    """Return how many devices the run takes, and its priority. Raises InvalidInput where they are out of range."""
    width = number_in(str(arguments.width), 1, MOST_WIDE)
    priority = number_in(str(arguments.priority), -LARGEST_PRIORITY, LARGEST_PRIORITY)
    if width > 1 and asked.devices.kind != "auto":
        raise InvalidInput("--width means any N devices; expected --devices auto with it.", "bad_queue_command", "width")
    gpus = tuple(device.index for device in devices.list_devices() if device.kind == "gpu")
    if why := impossible(Job(run="", devices=asked.devices, width=width), Resources(gpus=gpus)):
        raise InvalidInput([Problem("error", "no_such_device", "devices", why)])
    if wrong := errors(batch_problems(asked.load_design().training, DeviceChoice("cpu", count=width))):
        raise InvalidInput(wrong)
    return width, priority


def number_in(text: str, least: int, most: int) -> int:
    """Return a whole number of the command line. Raises InvalidInput where it is out of range."""
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise InvalidInput(f"Expected a whole number from {least} to {most}, received {text!r}.", "bad_queue_command")
    return number
