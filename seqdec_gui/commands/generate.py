"""Make sequences with a trained model: a file with the columns row, sample, text and log_probability.

seqdec-gui generate RUN --input rows.csv -n 10 --temperature 0.8 -o out.csv
seqdec-gui generate RUN --input rows.csv --beam 5 -o out.csv
seqdec-gui generate RUN -n 1000 --top-p 0.95 --unique --prefix c1cc -o molecules.smi
echo 1987 | seqdec-gui generate RUN --input - -o -
seqdec-gui generate RUN --split test -o out.csv
seqdec-gui generate BUNDLE.zip --input rows.csv -o out.csv
seqdec-gui generate RUN --input rows.csv --interpolate 0 7 --steps 9 -o between.csv
"""

from __future__ import annotations

import argparse

from seqdec_gui.commands.codes import add_codes, codes_of
from seqdec_gui.commands.console import absolute, do_task, say
from seqdec_gui.commands.decoding import add_decoding, constraints_of, strategy_of
from seqdec_gui.commands.numbers import LARGEST_SEED, whole_number
from seqdec_gui.commands.tasks import (
    add_checkpoint,
    add_decimal,
    add_devices,
    add_feed_map,
    add_split,
    existing_file,
    fields_of_rows,
    rows_and_run,
    standard_input,
    standard_output,
)
from seqdec_gui.domain.decoding import Beam, check_decoding
from seqdec_gui.runs.task_results import Generated
from seqdec_gui.runs.tasks import GenerateTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder, or a bundle (.zip) that was exported from one")
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="rows with columns named like the input ports, or one value a line for a single input; - for standard input",
    )
    add_decimal(parser)
    add_split(parser, "decode")
    parser.add_argument("-n", metavar="N", type=whole_number(1), default=1, dest="count", help="samples per row (default: 1)")
    parser.add_argument(
        "--seed", metavar="N", type=whole_number(0, LARGEST_SEED), default=0, help="random numbers (default: 0)"
    )
    parser.add_argument(
        "--mark-unfinished",
        action="store_true",
        help="add the column finished: 0 where a sequence was cut at the greatest length",
    )
    parser.add_argument(
        "--keep",
        metavar="COLUMN",
        action="append",
        default=[],
        help="carry a column of the input file over into the output; those that name or number its rows are anyway",
    )
    parser.add_argument(
        "--properties",
        metavar="NAMES",
        type=lambda text: tuple(name.strip() for name in text.split(",") if name.strip()),
        default=(),
        help="write properties of molecules beside (needs rdkit): names with commas, such as MolLogP,TPSA, or auto for those "
        "that columns of the inputs name, with what was wanted",
    )
    text = "the file to write: CSV, .smi (SMILES and a name) or .jsonl (JSON Lines); - for CSV on standard output"
    parser.add_argument("-o", "--output", metavar="OUT.csv", required=True, help=text)
    add_codes(parser)
    add_decoding(parser)
    add_feed_map(parser)
    add_checkpoint(parser)
    add_devices(parser)


def run(arguments: argparse.Namespace) -> int:
    strategy, constraints = strategy_of(arguments), constraints_of(arguments)
    count = 1 if isinstance(strategy, Beam) else arguments.count
    check_decoding(strategy, constraints, count, arguments.unique)
    where, trained = rows_and_run(arguments)
    with (
        standard_input(arguments.input) as rows,
        codes_of(arguments, where, trained, rows) as codes,
        standard_output(arguments.output) as output,
    ):
        result = do_task(
            GenerateTask(
                **fields_of_rows(arguments, where, trained, rows, output)
                | ({"input": "", "split": None, "keep": ()} if codes else {}),
                count=count,
                strategy=strategy,
                constraints=constraints,
                unique=arguments.unique,
                seed=arguments.seed,
                mark_unfinished=arguments.mark_unfinished,
                feed_map=absolute(existing_file(arguments.feed_map)) if arguments.feed_map else "",
                codes=codes,
                port=arguments.port,
                properties=arguments.properties,
            ),
            arguments.devices,
        )
    assert isinstance(result, Generated)
    if arguments.output == "-":
        return 0
    for row, _, text, _ in result.preview:
        say(f"{row}: {text}")
    for agreement in result.agreements:
        say(agreement)
    say(f"{result.samples:,} samples in {result.path}")
    return 0
