"""Make sequences with a trained model: a file with the columns row, sample, text and log_probability.

seqdec-gui generate RUN --input rows.csv -n 10 --temperature 0.8 -o out.csv
seqdec-gui generate RUN --input rows.csv --beam 5 -o out.csv
seqdec-gui generate RUN -n 1000 --top-p 0.95 --unique --prefix c1cc -o molecules.smi
echo 1987 | seqdec-gui generate RUN --input - -o -
seqdec-gui generate RUN --split test -o out.csv
seqdec-gui generate BUNDLE.zip --input rows.csv -o out.csv
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from seqdec_gui.commands.console import absolute, do_task, say
from seqdec_gui.commands.decoding import add_decoding, constraints_of, strategy_of
from seqdec_gui.commands.numbers import LARGEST_SEED, whole_number
from seqdec_gui.commands.tasks import add_checkpoint, add_devices, add_split, existing_file, trained_on, trained_run
from seqdec_gui.domain.decoding import Beam, check_decoding
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import printable
from seqdec_gui.runs.task_results import Generated
from seqdec_gui.runs.tasks import GenerateTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder, or a bundle (.zip) that was exported from one")
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="rows with columns named like the input ports, or one value a line for a single input; - for standard input",
    )
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
        help="carry a column of the input file over into the output; columns of ids are carried over anyway",
    )
    text = "the file to write: CSV, .smi (SMILES and a name) or .jsonl (JSON Lines); - for CSV on standard output"
    parser.add_argument("-o", "--output", metavar="OUT.csv", required=True, help=text)
    add_decoding(parser)
    add_checkpoint(parser)
    add_devices(parser)


def run(arguments: argparse.Namespace) -> int:
    strategy, constraints = strategy_of(arguments), constraints_of(arguments)
    count = 1 if isinstance(strategy, Beam) else arguments.count
    check_decoding(strategy, constraints, count, arguments.unique)
    if arguments.input is not None and arguments.split:
        raise InvalidInput("Expected rows by --input or by --split, received both.", "input_and_split")
    if arguments.keep and arguments.input is None:
        raise InvalidInput("--keep names columns of the file of rows; expected --input too.", "keep_alone")
    bundle = expanded(arguments.run).is_file()
    if bundle and arguments.split:
        raise InvalidInput("A bundle holds no data, so there are no rows to split; give rows by --input.", "no_rows")
    target = None if bundle else trained_run(arguments.run, arguments.checkpoint)
    with _input(arguments.input) as rows, _output(arguments.output) as output:
        result = do_task(
            GenerateTask(
                run=absolute(arguments.run) if target is None else str(target.path),
                input=rows,
                split=arguments.split,
                trained_on=trained_on(target) if arguments.split and target is not None else 0,
                output=output,
                count=count,
                strategy=strategy,
                constraints=constraints,
                unique=arguments.unique,
                seed=arguments.seed,
                checkpoint=arguments.checkpoint,
                mark_unfinished=arguments.mark_unfinished,
                keep=tuple(arguments.keep),
            ),
            arguments.devices,
        )
    assert isinstance(result, Generated)
    if arguments.output == "-":
        return 0
    for row, _, text, _ in result.preview:
        say(f"{row}: {text}")
    say(f"{result.samples:,} samples in {result.path}")
    return 0


@contextlib.contextmanager
def _output(name: str) -> Iterator[str]:
    """Yield the path to write. For standard output it is a temporary file, which is copied to standard output at the end."""
    if name != "-":
        yield absolute(name)
        return
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as folder:
        path = Path(folder) / "standard_output.csv"
        yield str(path)
        with path.open(encoding="utf-8", newline="") as file:
            if sys.stdout.isatty():
                sys.stdout.writelines(map(printable, file))
            else:
                shutil.copyfileobj(file, sys.stdout)


@contextlib.contextmanager
def _input(name: str | None) -> Iterator[str]:
    """Yield the path of the rows. Rows of standard input are written to a temporary file for the child."""
    if name is None:
        yield ""
    elif name != "-":
        yield absolute(existing_file(name))
    else:
        with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as folder:
            path = Path(folder) / "standard input"  # messages contain this name
            path.write_bytes(sys.stdin.buffer.read())
            yield str(path)
