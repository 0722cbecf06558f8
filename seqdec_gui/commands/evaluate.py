"""Measure a trained model on all rows of another file, or on rows of its own data that were set apart.

seqdec-gui evaluate RUN --data new.csv
seqdec-gui evaluate RUN --split test
"""

from __future__ import annotations

import argparse

import msgspec

from seqdec_gui.commands.console import absolute, do_task, say, say_json, say_table
from seqdec_gui.commands.tasks import (
    add_checkpoint,
    add_decimal,
    add_devices,
    add_split,
    existing_file,
    trained_on,
    trained_run,
)
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.task_results import Evaluated
from seqdec_gui.runs.tasks import EvaluateTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--data", metavar="FILE", help="a file with the columns that the design is bound to")
    add_decimal(parser)
    add_split(parser, "measure")
    add_checkpoint(parser)
    add_devices(parser)
    parser.add_argument("--json", action="store_true", help='as JSON: {"rows", "metrics"}')


def run(arguments: argparse.Namespace) -> int:
    if bool(arguments.data) == bool(arguments.split):
        raise InvalidInput("Expected either --data FILE or --split test, validation or training.", "data_or_split")
    target = trained_run(arguments.run, arguments.checkpoint)
    task = EvaluateTask(run=str(target.path), checkpoint=arguments.checkpoint)
    if arguments.data:
        task = msgspec.structs.replace(task, data=absolute(existing_file(arguments.data)), decimal=arguments.decimal)
    else:
        task = msgspec.structs.replace(task, split=arguments.split, trained_on=trained_on(target))
    result = do_task(task, arguments.devices)
    assert isinstance(result, Evaluated)
    if arguments.json:
        say_json({"rows": result.rows, "metrics": result.metrics})
        return 0
    say_table([(name, "nan" if value is None else f"{value:.6g}") for name, value in result.metrics.items()], right=(1,))
    say(counted(result.rows, "row"))
    return 0
