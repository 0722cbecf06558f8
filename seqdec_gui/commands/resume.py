"""Resume a run from its last checkpoint, on the same or on other devices.

The curve continues: the order of rows and all random numbers are the same as in a run that was never interrupted.
"""

from __future__ import annotations

import argparse
import os

import msgspec

from seqdec_gui.commands.console import warn_of
from seqdec_gui.commands.train import add_placement, add_watching, launch_and_watch
from seqdec_gui.domain.document import from_builtins, to_builtins
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError, errors
from seqdec_gui.domain.training import Training
from seqdec_gui.runs import devices, process
from seqdec_gui.runs.batches import batch_problems
from seqdec_gui.runs.cluster import fitting
from seqdec_gui.runs.cluster.choice import Cluster, parse
from seqdec_gui.runs.events import complete_bytes
from seqdec_gui.runs.folder import RunFolder, open_run
from seqdec_gui.runs.hosts import copied, record, starting, together
from seqdec_gui.runs.hosts.answering import Resumption
from seqdec_gui.runs.spec import of_all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    add_placement(parser)
    text = "share it among other processes than before, as in train; none: on this host alone (default: as before)"
    parser.add_argument("--cluster", metavar="CLUSTER", help=text)
    parser.add_argument("--epochs", metavar="N", help="train up to this epoch, also to continue a finished run")
    parser.add_argument("--restart", action="store_true", help="end the run first if it is still alive, by force if it hangs")
    add_watching(parser)


def run(arguments: argparse.Namespace) -> int:
    target = open_run(arguments.run)
    here = not record.is_copy(target.path)
    if arguments.restart:
        _end(target)
    spec = target.read_spec()
    damage = target.damage()  # before the start, which writes the file anew
    design = from_builtins(spec.design)
    if arguments.epochs is not None:
        design = set_value(design, "training.epochs", arguments.epochs)
    if arguments.keep_checkpoints is not None:
        design = set_value(design, "training.keep_checkpoints", arguments.keep_checkpoints)
    available = devices.list_devices() if here else starting.devices_of(target)
    choice, warnings = devices.parse_devices(arguments.devices or str(spec.devices), available)
    cluster = _cluster(arguments.cluster, spec.cluster)
    if here and cluster is not None and cluster.kind == "hosts":
        text = "A run on several hosts is resumed from where it was started; here, expected --cluster none or local:N."
        raise InvalidInput(text, "bad_cluster")
    resolved = devices.resolve(choice, available)
    if cluster is not None:
        resolved = of_all(fitting.devices_for(cluster, choice, resolved), cluster)
    problems = (*batch_problems(design.training, resolved), *warnings)
    if errors(problems):
        raise InvalidInput(errors(problems))
    replanned = _replanned(from_builtins(spec.design).training, design.training)
    if replanned is not None:
        warn_of((replanned,))
    if damage:
        warn_of((Problem("warning", "copy_used", "", damage),))
    if arguments.detach:  # otherwise the messages of the run include these
        warn_of(problems)
    again = msgspec.structs.replace(
        spec, design=to_builtins(design), devices=choice, engine=arguments.engine or spec.engine, resume=True, placement=None,
        cluster=cluster, checkpoint_every_s=float(arguments.checkpoint_every or spec.checkpoint_every_s),
    )  # fmt: skip
    offset = complete_bytes(target.events)  # before the start, which may write at once
    if not here:
        changes = Resumption(
            devices=choice, engine=again.engine, training=again.design["training"],
            checkpoint_every_s=again.checkpoint_every_s, cluster=_meeting(cluster, target),
        )  # fmt: skip
        going_on = starting.resume(target, changes, arguments.nice)
        if changes.cluster is not None:
            together.join(changes.cluster, str(target.read_spec().placed_devices), target.name, going_on)
        return launch_and_watch(going_on, arguments, offset=offset)
    return launch_and_watch(process.start(target, again, nice=arguments.nice), arguments, offset=offset)


def _cluster(wish: str | None, before: Cluster | None) -> Cluster | None:
    """Return the processes with which a run goes on. What SLURM has given is looked up anew: it is another job."""
    if wish is None:
        return parse("slurm", os.environ) if before is not None and before.kind == "slurm" else before
    return None if wish == "none" else parse(wish, os.environ)


def _meeting(cluster: Cluster | None, target: RunFolder) -> Cluster | None:
    """Return the processes with which the run of a copy goes on, of which the first is where its folder is."""
    at = record.read(target.path)
    if cluster is None or at is None:
        return None
    if cluster.kind != "hosts" or cluster.hosts[0] != at.host:
        text = f"The folder of the run is on {at.host}, which leads it; expected --cluster hosts:{at.host},..., or none."
        raise InvalidInput(text, "bad_cluster")
    return together.meeting_place(cluster) if cluster.processes > 1 else None


def _end(target: RunFolder) -> None:
    """Stop a run, and kill it if it does not answer. Raises SeqdecError if it cannot be ended from here."""
    going = copied.attach(target)
    if going.running():
        going.stop(process.RESTART_GRACE_S, process.RESTART_GRACE_S)
        if going.wait(3 * process.RESTART_GRACE_S) is None:
            raise SeqdecError(f"The run still runs: {copied.unverified(target)}")


def _replanned(before: Training, now: Training) -> Problem | None:
    """Return a warning if the decay of the learning rate ended with the last epoch, which is another one now."""
    if now.schedule not in ("exponential", "cosine") or now.schedule_last_epoch or before.epochs == now.epochs:
        return None
    text = (
        f"The learning rate is planned anew: its {now.schedule} decay ended with epoch {before.epochs}, the last one, and now "
        f"ends with epoch {now.epochs}. The rate goes on from where that curve is, which may be far from the rate before."
    )
    hint = "To go on with the final rate instead, begin a run with these weights and that rate: train --initial RUN --set ..."
    return Problem("warning", "schedule_replanned", "training.epochs", text, hint)
