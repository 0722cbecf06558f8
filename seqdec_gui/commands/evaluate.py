"""Measure a trained model on all rows of another file."""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import absolute, do_task, say, say_json, say_table
from seqdec_gui.commands.tasks import add_checkpoint, existing_file, trained_run
from seqdec_gui.runs.tasks import Evaluated, EvaluateTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--data", metavar="FILE", required=True, help="a file with the columns that the design is bound to")
    add_checkpoint(parser)
    parser.add_argument("--json", action="store_true", help='as JSON: {"rows", "metrics"}')


def run(arguments: argparse.Namespace) -> int:
    target = trained_run(arguments.run, arguments.checkpoint)
    data = existing_file(arguments.data)
    result = do_task(EvaluateTask(run=str(target.path), data=absolute(data), checkpoint=arguments.checkpoint))
    assert isinstance(result, Evaluated)
    if arguments.json:
        say_json({"rows": result.rows, "metrics": result.metrics})
        return 0
    say_table([(name, "nan" if value is None else f"{value:.6g}") for name, value in result.metrics.items()], right=(1,))
    say(f"{result.rows:,} rows")
    return 0
