"""Show where a trained model goes wrong: confused symbols, errors by position and length, worst rows first.

seqdec-gui errors RUN
seqdec-gui errors RUN --split test -o errors/
seqdec-gui errors RUN --order likelihood --rows 0 -o errors.json
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from seqdec_gui.commands.console import absolute, do_task, say, say_table
from seqdec_gui.commands.numbers import whole_number
from seqdec_gui.commands.tasks import add_checkpoint, add_devices, add_split, trained_on, trained_run
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.quality.errors import ORDERS
from seqdec_gui.runs.task_results import ErrorsFound
from seqdec_gui.runs.tasks import ErrorsTask

MOST = 1_000_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    add_split(parser, "decode")
    text = "decode at most so many rows, drawn at random; 0: all of them (default: 2000)"
    parser.add_argument("--rows", metavar="N", type=whole_number(0, MOST), default=2000, help=text)
    text = "which rows are the worst: those with most edits (default), or with the least likely targets"
    parser.add_argument("--order", choices=ORDERS, default="edits", help=text)
    text = "of how many of the worst rows to keep the candidates of each step (default: 100)"
    parser.add_argument("--worst", metavar="N", type=whole_number(0, MOST), default=100, help=text)
    text = "how many candidates of each step to keep (default: 5)"
    parser.add_argument("--candidates", metavar="N", type=whole_number(1, 1000), default=5, help=text)
    parser.add_argument("--show", metavar="N", type=whole_number(0, 1000), default=10, help="print so many lines of each table")
    text = "where to write all of it: a file that ends in .json, or a folder for errors.json and tables in CSV"
    parser.add_argument("-o", "--output", metavar="OUT", help=text)
    add_checkpoint(parser)
    add_devices(parser)


def run(arguments: argparse.Namespace) -> int:
    target = trained_run(arguments.run, arguments.checkpoint)
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as folder:
        result = do_task(
            ErrorsTask(
                run=str(target.path),
                output=absolute(arguments.output) if arguments.output else str(Path(folder) / "errors.json"),
                split=arguments.split or "validation",
                trained_on=trained_on(target),
                rows=arguments.rows,
                order=arguments.order,
                worst=arguments.worst,
                candidates=arguments.candidates,
                shown=arguments.show,
                checkpoint=arguments.checkpoint,
            ),
            arguments.devices,
        )
    assert isinstance(result, ErrorsFound)
    _show(result)
    if arguments.output:
        for path in result.paths:
            say(path)
    return 0


def _show(result: ErrorsFound) -> None:
    share = f" ({result.exact / result.rows:.1%})" if result.rows else ""
    say(f"{counted(result.rows, 'row')}, {result.exact:,} of them right{share}")
    rate = "" if result.error_rate is None else f"{result.rate} ({result.short}) {result.error_rate:.2%}: "
    say(
        f"{rate}{counted(result.substitutions, 'substitution')}, {counted(result.insertions, 'insertion')}, "
        f"{counted(result.deletions, 'deletion')}"
    )
    if result.confused:
        say("")
        rows = [(target or "(nothing)", made or "(nothing)", f"{count:,}") for target, made, count in result.confused]
        say_table([("target", "generated", "times"), *rows], right=(2,))
    if result.worst:
        say("")
        worst = [(str(row), given, target, made, str(edits)) for row, given, target, made, edits in result.worst]
        say_table([("row", "input", "target", "generated", "edits"), *worst], right=(0, 4))
