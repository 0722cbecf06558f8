"""Write the codes of rows: the bottleneck of an autoencoder, the code of an encoder, or the initial states of a decoder.

seqdec-gui encode RUN --input rows.csv -o codes.csv
seqdec-gui encode RUN --split test -o codes.npz
"""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import do_task, say
from seqdec_gui.commands.tasks import (
    add_checkpoint,
    add_decimal,
    add_devices,
    add_split,
    fields_of_rows,
    rows_and_run,
    standard_input,
    standard_output,
)
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.task_results import Encoded
from seqdec_gui.runs.tasks import EncodeTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder, or a bundle (.zip) that was exported from one")
    parser.add_argument("--input", metavar="FILE", help="rows with the columns of the inputs; - for standard input")
    add_decimal(parser)
    add_split(parser, "encode")
    text = "the output to write (default: the last called mean or code, else the initial states of the decoder)"
    parser.add_argument("--port", metavar="BLOCK.PORT", default="", help=text)
    text = "carry a column of the input file over into the output; those that name or number its rows are anyway"
    parser.add_argument("--keep", metavar="COLUMN", action="append", default=[], help=text)
    text = "the file to write: CSV, .jsonl (JSON Lines) or .npz (arrays codes and row); - for CSV on standard output"
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help=text)
    add_checkpoint(parser)
    add_devices(parser)


def run(arguments: argparse.Namespace) -> int:
    where, trained = rows_and_run(arguments)
    with standard_input(arguments.input) as rows, standard_output(arguments.output) as output:
        result = do_task(
            EncodeTask(**fields_of_rows(arguments, where, trained, rows, output), port=arguments.port), arguments.devices
        )
    assert isinstance(result, Encoded)
    if arguments.output != "-":
        say(f"{counted(result.rows, 'row')}, {result.width} numbers of {', '.join(result.ports)}, in {result.path}")
    return 0
