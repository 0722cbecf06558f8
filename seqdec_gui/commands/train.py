"""Train a design in a process of its own.

Ctrl-C stops the run at the end of its interval and keeps what was trained (exit status 130); a second one kills it.
The run goes on if this program dies. The last line is `run: PATH`, the folder with everything the run has written.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import get_args

from seqdec_gui.commands.console import absolute, load_design, report_progress, say, warn, warn_of
from seqdec_gui.commands.numbers import whole_number
from seqdec_gui.commands.progress import choose_view, stopping, watch
from seqdec_gui.commands.shown_samples import ShownSamples
from seqdec_gui.commands.tasks import add_feed_map, keep_feed_map
from seqdec_gui.domain import document
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import bind, parse_assignment, set_value
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, SeqdecError, errors
from seqdec_gui.domain.quality import MEASURES
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runs import devices, folder, known, process
from seqdec_gui.runs.cluster import fitting
from seqdec_gui.runs.cluster.choice import parse, place_in_step
from seqdec_gui.runs.data_check import has_open_axes
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.events import Epoch, Failed
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import record
from seqdec_gui.runs.hosts.fetching import have_checkpoint
from seqdec_gui.runs.process import RunProcess
from seqdec_gui.runs.proposed import bound_if_clear, in_words, proposals_for, with_hints
from seqdec_gui.runs.readiness import problems_in_data, readiness
from seqdec_gui.runs.salvage import events_of
from seqdec_gui.runs.spec import CHECKPOINT_EVERY_S, FitChoice, RunSpec, of_all
from seqdec_gui.runs.task_names import CheckpointName

_TRAINING = ("epochs", "batch_size", "micro_batches", "seed", "keep_checkpoints", "quality", "quality_rows", "quality_share")
"""The training parameters that have an option of their own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("design", metavar="DESIGN", help="the .seqdec file")
    add_options(parser)
    add_cluster(parser)
    add_queue(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add everything but the design."""
    parser.add_argument("--data", metavar="FILE", help="train on this file instead of the design's")
    parser.add_argument(
        "--bind",
        metavar="PORT=COLUMN",
        action="append",
        default=[],
        help="feed a port from a column, or from several: latent=mass,logp; without it, unbound ports get the columns that "
        "only they can mean, and the command says which",
    )
    add_placement(parser)
    add_host(parser)
    parser.add_argument("--epochs", metavar="N", help="passes over the training rows")
    parser.add_argument("--batch-size", metavar="N", help="rows per step, over all devices together")
    text = "parts in which each device computes its rows of a step, to save memory (default: the design's)"
    parser.add_argument("--micro-batches", metavar="N", help=text)
    parser.add_argument("--seed", metavar="N", help="initial weights, order of rows, random layers")
    text = f"measure what is generated for validation rows while training: {', '.join(MEASURES)}; several with commas"
    parser.add_argument("--quality", metavar="MEASURES", help=text)
    parser.add_argument("--quality-rows", metavar="N", help="how many validation rows to decode for that (default: 200)")
    parser.add_argument("--quality-share", metavar="S", help="most of its time (default: 0.1; 1: every report)")
    parser.add_argument("--run", metavar="DIR", help="run folder (default: runs/TIME-DESIGN beside the design)")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="change a parameter: training.learning_rate=3e-4, model_2.units=256,256, data.split.seed=1, loss.codec.pad_id=0",
    )
    add_feed_map(parser)
    parser.add_argument("--initial", metavar="RUN", help="begin with the weights of an earlier run")
    parser.add_argument(
        "--checkpoint",
        choices=get_args(CheckpointName),
        default="best",
        help="which weights of the earlier run (default: best); of one that averages weights those it uses, or those named",
    )
    parser.add_argument(
        "--fit",
        choices=get_args(FitChoice),
        help="with --initial: keep the alphabets, labels and scalers that the weights know (initial, the default), "
        "or fit them to the new data (anew)",
    )
    add_watching(parser)


def add_queue(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run that waits for its devices."""
    parser.add_argument("--queue", action="store_true", help="put the run into the queue; it starts when devices are free")
    parser.add_argument("--width", type=int, default=1, metavar="N", help="with --queue: train on any N devices (default: 1)")
    parser.add_argument("--priority", type=int, default=0, metavar="N", help="with --queue: -100 to 100 (default: 0)")
    parser.add_argument("--no-start", action="store_true", help="with --queue: start no process that works on the queue")


def add_host(parser: argparse.ArgumentParser) -> None:
    text = "train on a host (`seqdec-gui hosts`), on devices of it if they are named: lab, lab:gpu:0,1, lab:cpu:2"
    parser.add_argument("--on", metavar="HOST[:DEVICES]", help=text)


def add_cluster(parser: argparse.ArgumentParser) -> None:
    text = (
        "share one run among processes, one on each host: hosts:lab1,lab2 (of `seqdec-gui hosts`), slurm, "
        "ray://ADDRESS?hosts=4, or local:2, two processes of this machine, to try it"
    )
    parser.add_argument("--cluster", metavar="CLUSTER", help=text)


def add_placement(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", metavar="DEVICES", help="auto (idle GPUs, else CPU), cpu, cpu:2, or gpu:0,gpu:1")
    parser.add_argument("--engine", choices=("auto", *ENGINES), help="what computes (default: auto)")


def add_watching(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint-every",
        metavar="SECONDS",
        type=whole_number(1, 1_000_000),
        help=f"write a checkpoint after so many seconds, also within an epoch (default: {CHECKPOINT_EVERY_S:.0f})",
    )
    parser.add_argument(
        "--keep-checkpoints", metavar="K", help="keep the K newest checkpoints, besides the best one (default: the design's)"
    )
    text = "after each report that measures quality, show N of the rows: input, target and what was generated"
    parser.add_argument("--show-samples", metavar="N", type=whole_number(0, 20), default=0, help=text)
    parser.add_argument("--json", action="store_true", help="write the run's events, one JSON object a line")
    parser.add_argument("--detach", action="store_true", help="return as soon as the run has started")
    parser.add_argument(
        "--nice", metavar="N", type=whole_number(0, 19), default=0, help="how much the run yields to other programs, 0 to 19"
    )


def run(arguments: argparse.Namespace) -> int:
    spec = make_spec(arguments)
    if spec.cluster is not None and (others := step_of_slurm(spec)) is not None:
        return others
    if arguments.queue and spec.cluster is not None:
        raise InvalidInput(
            "A run of several processes does not wait in the queue; expected --cluster or --queue.", "queue_there"
        )
    if arguments.queue:
        from seqdec_gui.commands.queued import check_wishes, put_into_queue

        check_wishes(spec, arguments)  # before there is a folder
        known.remember_designs([(Path(arguments.design), spec.design_id)])
        return put_into_queue(folder.create(arguments.run, arguments.design), spec, arguments)
    measure_engines(spec)
    if spec.initial_run:
        have_checkpoint(RunFolder(spec.initial_run), spec.initial_checkpoint)
    target = folder.create(arguments.run, arguments.design)
    known.remember_designs([(Path(arguments.design), spec.design_id)])
    try:
        started = process.start(target, spec, nice=arguments.nice)
    except SeqdecError:
        folder.discard(target, started=False)
        raise
    return launch_and_watch(started, arguments, remove_invalid=True)


def step_of_slurm(spec: RunSpec) -> int | None:
    """Train under process 0 where `srun` has started this on each host; returns the exit status, None in process 0."""
    from seqdec_gui.runs.cluster.join import main
    from seqdec_gui.runs.process import place

    number, tasks = place_in_step(os.environ)
    if number == 0 or tasks < 2 or spec.cluster is None or not spec.cluster.started_outside:
        return None
    at = ",".join(f"{name}:{spec.cluster.port}" for name in spec.cluster.at)
    words = ["--at", at, "--number", str(number), "--processes", str(tasks), "--devices", str(place(spec).devices)]
    return main(words)


def make_spec(
    arguments: argparse.Namespace, available: Sequence[devices.Device] | None = None, elsewhere: Collection[str] = ()
) -> RunSpec:
    """Return the specification of the run. Raises InvalidInput with every problem of design, data and devices.

    `available` are the devices, by default those of this machine; `elsewhere` are data files that another machine has.
    """
    overrides = [*(f"{name}={value}" for name in _TRAINING if (value := getattr(arguments, name)) is not None)]
    overrides = [*arguments.set, *(f"training.{override}" for override in overrides)]
    design = apply(load_design(arguments.design), overrides, arguments.data, arguments.bind)
    base = Path(arguments.design).absolute().parent
    design = keep_feed_map(design, arguments.feed_map)
    proposals = proposals_for(design, base)
    proposed = None if arguments.bind else bound_if_clear(design, proposals)
    if proposed is not None:
        design = proposed
        for proposal in proposals:
            warn(in_words(proposal))
    available = devices.list_devices() if available is None else available
    choice, warnings = devices.parse_devices("auto" if arguments.devices is None else arguments.devices, available)
    resolved = devices.resolve(choice, available)
    wanted = getattr(arguments, "cluster", None)
    cluster = parse(wanted, os.environ) if wanted else None
    if cluster is not None:
        resolved = of_all(fitting.devices_for(cluster, choice, resolved), cluster)
    problems = with_hints(readiness(design, base, resolved, elsewhere), proposals)
    initial_run = str(folder.open_run(arguments.initial).path) if arguments.initial else ""
    if arguments.fit and not initial_run:
        raise InvalidInput("--fit says what becomes of the fit of an earlier run; expected --initial RUN too.", "fit_alone")
    fit: FitChoice = arguments.fit or "initial"
    if (
        not errors(problems) and not elsewhere and (arguments.detach or has_open_axes(infer(design)))
    ):  # otherwise the messages of the run show them
        problems = (*problems, *problems_in_data(design, base, resolved, initial_run, fit))
    if errors(problems):
        raise InvalidInput(errors(problems))
    if arguments.detach:
        warn_of((*problems, *warnings))
    taken = [
        f"{each.port.port}={','.join(each.taken.columns)}"
        for each in proposals
        if proposed is not None and each.taken is not None
    ]
    return RunSpec(
        design=document.to_builtins(design),
        design_path=absolute(arguments.design),
        folder=str(base),
        data_file=str(base / expanded(design.data.file)) if design.data.file else "",
        devices=choice,
        engine=arguments.engine or "auto",
        cluster=cluster,
        overrides=(*overrides, *(f"bind {text}" for text in (*arguments.bind, *taken))),
        initial_run=initial_run,
        initial_checkpoint=arguments.checkpoint,
        fit=fit,
        checkpoint_every_s=float(arguments.checkpoint_every or CHECKPOINT_EVERY_S),
    )


def measure_engines(spec: RunSpec) -> None:
    """Measure both engines if the engine is `auto` and the training is long; the run reads the result from the cache."""
    if spec.engine == "auto" and spec.cluster is None:
        from seqdec_gui.runs.probe import best_engine

        choice = devices.resolve(spec.devices, devices.list_devices())
        with report_progress() as progress:
            best_engine(spec.load_design(), Path(spec.folder), choice, on_progress=progress)


def apply(design: Design, overrides: list[str], data: str | None, bindings: list[str]) -> Design:
    """Return the design with these assignments, data file and bindings (`PORT=COLUMN[,COLUMN...]`). Raises InvalidInput."""
    assignments = [parse_assignment(override) for override in overrides]
    codec_assignments = [(name, value) for name, value in assignments if ".codec." in name]  # they need their bindings first
    for name, value in assignments:
        if (name, value) not in codec_assignments:
            design = set_value(design, name, value)
    if data is not None:
        design = set_value(design, "data.file", absolute(data))
    for binding in bindings:
        port, columns = parse_assignment(binding, "PORT=COLUMN")
        design = bind(design, port, [column.strip() for column in columns.split(",")])
    for name, value in codec_assignments:
        design = set_value(design, name, value)
    return design


def offer_batch(ended: RunProcess) -> None:
    """Find the largest batch that fits, after a run has run out of memory, and say how to train with it."""
    from seqdec_gui.runs.fitting_batch import largest_batch

    spec = ended.run.read_spec()
    placement = spec.placement
    if placement is None:
        return
    warn("Looking for the largest batch that fits, for a minute at most; Ctrl-C ends this.")
    try:
        with report_progress() as progress:
            found = largest_batch(
                spec.load_design(), Path(spec.folder), placement.devices, placement.engine, on_progress=progress
            )
    except (SeqdecError, KeyboardInterrupt) as error:
        warn(f"No batch was found that fits. {error}".strip())
        return
    if found is None:
        warn("No smaller batch was found that fits: make the model smaller, or its sequences shorter.")
    else:
        where = spec.design_path or "DESIGN"
        warn(f"{found.sentence()} Train with it: seqdec-gui train {where} --batch-size {found.batch_size}")


def launch_and_watch(started: RunProcess, arguments: argparse.Namespace, remove_invalid: bool = False, offset: int = 0) -> int:
    """Show a run that was just started until it ends, and return the exit status; the last line names the run folder.

    `offset` is the place in its file of events where this start begins. Earlier events are summed up and not shown again,
    except with --json. `remove_invalid` removes the folder of a run that could not start because design or data were refused.
    """
    if arguments.detach:
        started.detach()
        say(f"run: {started.run.path}")
        return 0
    try:
        earlier = events_of(started.run.events, Epoch, offset)
        view = choose_view(arguments.json, earlier, ShownSamples(started.run.samples, arguments.show_samples))
        status = watch(started, view, stopping(started), 0 if arguments.json else offset)
    finally:
        started.wait(timeout_s=5)
        started.detach()
    if status.state != "finished":
        warn(status.text)
    elif not arguments.json:
        say(status.text)
    out_of_memory = isinstance(status.final, Failed) and status.final.kind == "out_of_memory"
    if out_of_memory and not arguments.json and not record.is_copy(started.run.path):
        offer_batch(started)
    if remove_invalid and isinstance(status.final, Failed) and status.final.kind == "invalid":
        folder.discard(started.run)
        return process.exit_status(status)
    say(f"run: {started.run.path}")
    return process.STOPPED_BY_USER if started.killed else process.exit_status(status)
