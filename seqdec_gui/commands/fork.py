"""Start a new run from a checkpoint of another one, under other settings.

The new run begins with the weights, the optimizer, the random state and the curve of the checkpoint, and goes on from there;
the run that it comes from stays as it is. With nothing changed it repeats that run's curve.
"""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import warn_of
from seqdec_gui.commands.train import add_placement, add_queue, add_watching, apply, launch_and_watch
from seqdec_gui.domain.problems import InvalidInput, SeqdecError, errors
from seqdec_gui.domain.validation import check
from seqdec_gui.runs import devices, folder, process
from seqdec_gui.runs.batches import batch_problems
from seqdec_gui.runs.events import complete_bytes
from seqdec_gui.runs.folder import RunFolder, open_run
from seqdec_gui.runs.fork import fork, fork_problems
from seqdec_gui.runs.spec import RunSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder to go on from")
    text = "the checkpoint: best, last, or the step of one that is kept (default: last)"
    parser.add_argument("--from", dest="point", metavar="POINT", default="last", help=text)
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="what differs from that run: training.learning_rate=1e-4, decoder.dropout=0.2; not the shapes of weights",
    )
    parser.add_argument("--epochs", metavar="N", help="train up to this epoch, counted from the first run's beginning")
    parser.add_argument("--data", metavar="FILE", help="go on with the rows of this file; the warnings say what that means")
    add_placement(parser)
    parser.add_argument("--run", dest="target", metavar="DIR", help="the new run's folder (default: beside the others)")
    add_queue(parser)
    add_watching(parser)


def run(arguments: argparse.Namespace) -> int:
    parent = open_run(arguments.run)
    target, asked = make_fork(parent, arguments)
    if arguments.queue:
        from seqdec_gui.commands.queued import put_into_queue

        return put_into_queue(target, asked, arguments)
    offset = complete_bytes(target.events)
    try:
        started = process.start(target, asked, nice=arguments.nice)
    except SeqdecError:
        folder.discard(target, started=False)
        raise
    return launch_and_watch(started, arguments, remove_invalid=True, offset=offset)


def make_fork(parent: RunFolder, arguments: argparse.Namespace) -> tuple[RunFolder, RunSpec]:
    """Return the folder of the new run, filled, and its specification. Raises InvalidInput with every problem."""
    asked = parent.read_spec()
    before = asked.load_design()
    overrides = [*arguments.set]
    for name in ("epochs", "keep_checkpoints"):
        if getattr(arguments, name) is not None:
            overrides.append(f"training.{name}={getattr(arguments, name)}")
    design = apply(before, overrides, arguments.data, [])
    available = devices.list_devices()
    choice, warnings = devices.parse_devices(arguments.devices or str(asked.devices), available)
    problems = (
        *fork_problems(before, design),
        *errors(check(design).problems),
        *batch_problems(design.training, devices.resolve(choice, available)),
    )
    if errors(problems):
        raise InvalidInput(errors(problems))
    warn_of((*problems, *warnings))
    place = asked.design_path if asked.design_path else None
    target = folder.create(arguments.target, place, parent=parent.path.parent, name=asked.name)
    try:
        return target, fork(parent, arguments.point, design, target, tuple(overrides), choice, arguments.engine)
    except SeqdecError:
        folder.discard(target, started=False)
        raise
