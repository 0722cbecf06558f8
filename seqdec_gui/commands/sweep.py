"""Search for the best parameters of a design: many runs with other values, chosen by Optuna and run by the queue.

    seqdec-gui sweep DESIGN --search training.learning_rate=1e-4..1e-2:log --search 'decoder.dropout=0|0.2' --trials 20
    seqdec-gui sweep DIR              go on with a sweep; with --trials more of them
    seqdec-gui sweep DIR --table      show its trials

Ranges include their ends; `:log` draws evenly in the logarithm, `:step=N` in steps; lists have | between the values.
Parameters that have to be equal are searched together: encoder.units,decoder.units=128|256. Ctrl-C
leaves the sweep: runs that go on go on, and nothing of it is lost, whatever is killed. Every trial is a run in DIR/runs, to be
opened, resumed, forked and exported as any other.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import get_args

import msgspec

from seqdec_gui.commands import train
from seqdec_gui.commands.console import say, say_json, say_table, warn
from seqdec_gui.commands.queued import check_wishes
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.quality import larger_is_better
from seqdec_gui.runs import known
from seqdec_gui.runs.sweep.controller import Controller
from seqdec_gui.runs.sweep.folder import PrunerName, SamplerName, SweepFolder, SweepSpec, Table, open_sweep
from seqdec_gui.runs.sweep.parallel import default_parallel
from seqdec_gui.runs.sweep.space import grid, parse_space
from seqdec_gui.runs.sweep.words import count_words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("design", metavar="DESIGN|DIR", help="the .seqdec file, or the folder of a sweep to go on with")
    text = "a parameter with its range or list; may be given several times"
    parser.add_argument("--search", metavar="NAME=RANGE", action="append", default=[], help=text)
    parser.add_argument("--trials", metavar="N", type=int, help="how many runs (default: 20, or the whole grid)")
    parser.add_argument("--folder", metavar="DIR", help="the sweep's folder (default: sweeps/TIME-DESIGN beside the design)")
    parser.add_argument("--goal", metavar="METRIC", default="val_loss", help="what to optimise (default: val_loss)")
    parser.add_argument("--sampler", choices=get_args(SamplerName), default="tpe", help="how values are chosen (default: tpe)")
    text = "stop runs that will not be good: median of the others at this report, or successive halving (default: none)"
    parser.add_argument("--prune", choices=get_args(PrunerName), default="none", help=text)
    parser.add_argument("--parallel", metavar="N", type=int, help="trials in the queue at a time (default: as many as fit)")
    parser.add_argument("--table", action="store_true", help="show the trials of a sweep and do nothing")
    parser.add_argument("--prepare", action="store_true", help="make the folder, and leave the rest to `sweep DIR`")
    parser.add_argument("--width", type=int, default=1, metavar="N", help="train each on any N devices (default: 1)")
    parser.add_argument("--priority", type=int, default=0, metavar="N", help="of the runs in the queue, -100 to 100")
    train.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    there = SweepFolder(arguments.design)
    if there.exists or Path(arguments.design).is_dir():
        sweep = open_sweep(arguments.design)
        _refuse_changes(arguments)
        if arguments.table:
            return _show(sweep.read_table(), sweep.read_spec(), arguments.json)
        if arguments.trials is not None:
            with sweep.alone():
                sweep.write_spec(msgspec.structs.replace(sweep.read_spec(), trials=_count(arguments.trials)))
    else:
        sweep = _make(arguments)
        say(f"sweep: {sweep.path}")
    return 0 if arguments.prepare else _work(sweep, arguments.json)


def _make(arguments: argparse.Namespace) -> SweepFolder:
    """Make the folder of a new sweep. Raises InvalidInput with every problem."""
    asked = train.make_spec(arguments)
    width, priority = check_wishes(asked, arguments)
    axes = parse_space(arguments.search, asked.load_design())
    trials = arguments.trials
    if trials is None:
        trials = len(grid(axes)) if arguments.sampler == "grid" else 20
    design = Path(arguments.design).absolute()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    sweep = SweepFolder(arguments.folder or design.parent / "sweeps" / f"{stamp}-{design.stem}")
    if sweep.exists:
        text = f"{sweep.path} holds a sweep already."
        raise InvalidInput([Problem("error", "sweep_exists", "folder", text, f"Go on with it: seqdec-gui sweep {sweep.path}")])
    if sweep.path.is_dir() and any(sweep.path.iterdir()):
        raise InvalidInput(f"{sweep.path} is not empty and holds no sweep: choose an empty or a new folder.", "not_empty")
    parallel = arguments.parallel if arguments.parallel is not None else default_parallel(asked.devices, width)
    sweep.write_spec(
        SweepSpec(
            run=asked,
            axes=axes,
            trials=_count(trials),
            goal=arguments.goal,
            maximize=larger_is_better(arguments.goal),
            sampler=arguments.sampler,
            prune=arguments.prune,
            seed=int(asked.load_design().training.seed),
            width=width,
            priority=priority,
            parallel=_count(parallel),
        )
    )
    known.remember_folders([sweep.runs])
    return sweep


def _refuse_changes(arguments: argparse.Namespace) -> None:
    if arguments.search or arguments.folder:
        text = "A sweep goes on as it was begun; expected its folder alone, or with --trials."
        raise InvalidInput([Problem("error", "sweep_search", "search", text, "Begin another sweep in a new folder.")])


def _count(number: int) -> int:
    if not 1 <= number <= 100_000:
        raise InvalidInput(f"Expected 1 to 100,000 trials, received {number}.", "sweep_search", "trials")
    return number


def _work(sweep: SweepFolder, as_json: bool) -> int:
    states: dict[int, str] = {}

    def told(table: Table) -> None:
        for trial in table.trials:
            if trial.state in ("finished", "pruned", "failed") and states.get(trial.number) != trial.state:
                states[trial.number] = trial.state
                if as_json:
                    say(msgspec.json.encode(trial).decode())
                else:
                    values = " ".join(f"{name}={value}" for name, value in trial.values.items())
                    shown = "" if trial.value is None else f" {trial.value:.6g}"
                    say(f"trial {trial.number}: {trial.state}{shown}  {values}")

    with sweep.alone():
        spec = sweep.read_spec()
        try:
            table = Controller(sweep).work(told)
        except KeyboardInterrupt:
            warn(f"Left; runs that were begun go on. Go on with the sweep: seqdec-gui sweep {sweep.path}")
            raise
    if not as_json:
        _show(table, spec, as_json)
    say(f"sweep: {sweep.path}")
    return 0 if table.best else 1


def _show(table: Table, spec: SweepSpec, as_json: bool) -> int:
    if as_json:
        say_json(table)
        return 0
    names = [axis.name for axis in spec.axes]
    rows = [("", "trial", "state", spec.goal, *names, "")]
    for trial in table.trials:
        value = "" if trial.value is None else f"{trial.value:.6g}"
        values = (_shown(trial.values.get(name, "")) for name in names)
        text = trial.text if trial.state in ("failed", "pruned") else ""
        rows.append(("*" if trial.number == table.best else "", str(trial.number), trial.state, value, *values, text))
    say_table(rows, right=(1, 3))
    say(f"{count_words(table, spec.trials)}.")
    if table.importance:
        say("importance: " + ", ".join(f"{name} {share:.0%}" for name, share in table.importance.items()))
    if table.best:
        say(f"best: {table.trials[table.best - 1].run}")
    return 0


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
