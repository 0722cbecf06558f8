"""Write which steps a trained model attends to while it makes sequences: weights of every layer and head.

seqdec-gui attention RUN --input rows.csv -o attention.json
seqdec-gui attention RUN --split test --rows 20 -o attention.npz
seqdec-gui attention RUN --input generated.csv --text text -o attention.json
"""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import absolute, do_task, say
from seqdec_gui.commands.numbers import whole_number
from seqdec_gui.commands.tasks import (
    add_given_sequences,
    add_trained,
    fields_of_sequences,
    rows_and_run,
    standard_input,
)
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.task_results import Attended
from seqdec_gui.runs.tasks import AttentionTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    rows = "rows with the columns of the inputs, and with --text one with the sequences"
    text = "the column with the sequences; without it they are generated, the likeliest symbol at every step"
    add_given_sequences(parser, "read", rows, text)
    text = "the most rows, from the first on (default: 100)"
    parser.add_argument("--rows", metavar="N", type=whole_number(1), default=100, help=text)
    text = "the file to write: .json, or .npz with an array (heads, targets, sources) for each row and layer"
    parser.add_argument("-o", "--output", metavar="OUT.json", required=True, help=text)
    add_trained(parser)
    parser.set_defaults(keep=())


def run(arguments: argparse.Namespace) -> int:
    where, trained = rows_and_run(arguments)
    with standard_input(arguments.input) as rows:
        fields = fields_of_sequences(arguments, where, trained, rows, absolute(arguments.output))
        result = do_task(
            AttentionTask(
                **fields,
                generated=not arguments.text,
                most=arguments.rows,
            ),
            arguments.devices,
        )
    assert isinstance(result, Attended)
    for title, heads in result.maps:
        say(f"{title}: {counted(heads, 'head')}")
    say(f"the attention of {counted(result.rows, 'row')} in {result.path}")
    return 0
