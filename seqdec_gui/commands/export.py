"""Write a trained model for use elsewhere.

A file of weights is opened in a fresh process and compared with the trained model on real rows before success is reported.
"""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import absolute, do_task, say
from seqdec_gui.commands.tasks import add_checkpoint, trained_run
from seqdec_gui.domain.codegen import parts
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.export_formats import EXPORT_FORMATS, export_format
from seqdec_gui.runs.tasks import Exported, ExportTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--format", metavar="FORMAT", required=True, help=f"one of {', '.join(EXPORT_FORMATS)}")
    parser.add_argument("-o", "--output", metavar="PATH", help="the file to write (default: exports/ in the run folder)")
    parser.add_argument("--part", metavar="PART", default="full", help="full (default), or the id of one block")
    add_checkpoint(parser)
    parser.add_argument(
        "--raw-inputs",
        action="store_true",
        help="build the standardising of the inputs into the file, so that it takes the numbers of the data",
    )


def run(arguments: argparse.Namespace) -> int:
    format = export_format(arguments.format)
    target = trained_run(arguments.run, arguments.checkpoint)
    known = ["full", *parts(target.read_spec().load_design())]
    if arguments.part not in known:
        text = f"There is no part {arguments.part!r} with layers to export; there are {', '.join(known)}."
        raise InvalidInput(text, "no_such_part")
    output = arguments.output or target.exports / f"{arguments.part}{format.suffixes[0]}"
    result = do_task(
        ExportTask(
            run=str(target.path),
            format=format.name,
            output=absolute(str(output)),
            part=arguments.part,
            checkpoint=arguments.checkpoint,
            raw_inputs=arguments.raw_inputs,
        )
    )
    assert isinstance(result, Exported)
    if result.difference is not None:
        say(f"largest difference to the trained model on {result.rows:,} rows: {result.difference:.3g}")
    for scaling in result.standardised:
        say(scaling.sentence())
    if any(scaling.role == "input" for scaling in result.standardised):
        say("Export with --raw-inputs for a file that takes the numbers of the data.")
    for path in result.paths:
        say(f"exported {path}")
    return 0
