"""Write the log-likelihood of given sequences: how likely a trained model is to generate them.

seqdec-gui score RUN --input pairs.csv -o scores.csv
seqdec-gui score RUN --split test --tokens -o scores.jsonl
seqdec-gui score BUNDLE.zip --input generated.csv -o scores.csv
seqdec-gui score TUNED --input generated.csv --against PRIOR -o scores.csv
seqdec-gui score RUN --split test --candidates 5 -o steps.jsonl
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from seqdec_gui.commands.console import absolute, do_task, say
from seqdec_gui.commands.numbers import whole_number
from seqdec_gui.commands.tasks import (
    add_given_sequences,
    add_trained,
    fields_of_sequences,
    rows_and_run,
    standard_input,
    standard_output,
    trained_run,
)
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.task_names import CheckpointName
from seqdec_gui.runs.task_results import Scored
from seqdec_gui.runs.tasks import ScoreTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    rows = "rows with the columns of the inputs, and one with the sequences"
    add_given_sequences(parser, "score", rows, "the column with the sequences (default: named as in training, or text)")
    parser.add_argument("--tokens", action="store_true", help="write the log-probability of each symbol too")
    text = "write the K likeliest symbols at each step too, into an output that ends in .jsonl"
    parser.add_argument("--candidates", metavar="K", type=whole_number(1, 1000), default=0, help=text)
    text = "another run or bundle, a prior for example: write the log-likelihoods under it, and the differences, too"
    parser.add_argument("--against", metavar="RUN", default="", help=text)
    text = "which weights of the other run (default: best), named as with --checkpoint"
    parser.add_argument("--against-checkpoint", choices=get_args(CheckpointName), default="best", help=text)
    text = "carry a column of the input file over into the output; those that name or number its rows are anyway"
    parser.add_argument("--keep", metavar="COLUMN", action="append", default=[], help=text)
    text = "the file to write: CSV, or .jsonl (JSON Lines); - for CSV on standard output"
    parser.add_argument("-o", "--output", metavar="OUT.csv", required=True, help=text)
    add_trained(parser)


def say_against(result: Scored, name: str) -> None:
    """Say how likely the sequences are under both models, on average."""
    if not result.compared:
        say(f"{name} could score none of them")
        return
    ours, theirs = result.compared_log_probability / result.compared, result.against_log_probability / result.compared
    say(
        f"{counted(result.compared, 'row')} under both: log-likelihood per row {ours:.6g}, under {name} {theirs:.6g}, "
        f"difference {ours - theirs:+.6g}"
    )


def run(arguments: argparse.Namespace) -> int:
    where, trained = rows_and_run(arguments)
    against = arguments.against
    if against and not expanded(against).is_file():
        against = str(trained_run(against, arguments.against_checkpoint).path)
    against = absolute(against) if against else ""
    with standard_input(arguments.input) as rows, standard_output(arguments.output) as output:
        result = do_task(
            ScoreTask(
                **fields_of_sequences(arguments, where, trained, rows, output),
                tokens=arguments.tokens,
                candidates=arguments.candidates,
                against=against,
                against_checkpoint=arguments.against_checkpoint,
            ),
            arguments.devices,
        )
    assert isinstance(result, Scored)
    if arguments.output == "-":
        return 0
    say(f"{counted(result.rows, 'row')}, {counted(result.symbols, 'symbol')} (end symbols included) in {result.path}")
    say(f"log-likelihood {result.log_probability:.6g}, {result.log_probability / max(1, result.rows):.6g} per row")
    say(f"perplexity {result.perplexity:.6g}")
    if against:
        say_against(result, Path(against).name)
    return 0
