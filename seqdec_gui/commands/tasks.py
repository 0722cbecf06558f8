"""Arguments, checks and files that `export`, `evaluate`, `generate` and `score` share."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from seqdec_gui.commands.console import absolute
from seqdec_gui.data.feed_map import as_pairs, read_feed_map
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import printable
from seqdec_gui.runs.events import Started
from seqdec_gui.runs.folder import RunFolder, open_run
from seqdec_gui.runs.hosts import record
from seqdec_gui.runs.reader import read_events
from seqdec_gui.runs.task_names import CheckpointName, checkpoint_in


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """Add `--checkpoint`, which selects the weights of a run."""
    text = "which weights (default: best); of a run that averages weights those it uses, or those that are named"
    parser.add_argument("--checkpoint", choices=get_args(CheckpointName), default="best", help=text)
    text = "for a run on a host: do this there, and bring what is written back"
    parser.add_argument("--there", action="store_true", help=text)


def add_devices(parser: argparse.ArgumentParser) -> None:
    """Add `--devices` for a command that computes with a trained run; `console.do_task` takes its value."""
    text = "cpu, gpu:0, or auto (default: the first GPU that the run trained on, else the CPU)"
    parser.add_argument("--devices", metavar="DEVICE", help=text)


def add_decimal(parser: argparse.ArgumentParser) -> None:
    """Add `--decimal`, for a file that does not tell which mark is decimal."""
    text = "the decimal mark of the file, . or , (default: as the file tells, or as that of the training)"
    parser.add_argument("--decimal", choices=("auto", ".", ","), default="auto", metavar="MARK", help=text)


def add_feed_map(parser: argparse.ArgumentParser) -> None:
    """Add `--feed-map`, for a decoder that takes other symbols or numbers than it predicts."""
    text = (
        "CSV (predicted,fed) or JSON: which symbol or id is fed after each predicted one, or which predicted number as which "
        "fed one; and after `begin` what is fed first"
    )
    parser.add_argument("--feed-map", metavar="FILE", help=text)


def keep_feed_map(design: Design, file: str | None) -> Design:
    """Return the design with what a file says is fed after each prediction; unchanged without one. Raises InvalidInput."""
    if not file:
        return design
    pairs = as_pairs(read_feed_map(expanded(existing_file(file))))
    return design.with_data(msgspec.structs.replace(design.data, feed_map=pairs))


def trained_run(path: str, checkpoint: str) -> RunFolder:
    """Open a run that has this checkpoint. Raises InvalidInput."""
    run = open_run(path)
    if record.is_copy(run.path):
        return run  # the task gets it from its host, or says that there is none
    if not any(run.checkpoints.glob(f"{checkpoint_in(checkpoint)}*")):
        text = f"{run.path} has no checkpoint {checkpoint!r} yet. {run.status().text}"
        raise InvalidInput(text, "no_checkpoint")
    return run


def add_split(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add `--split`, which selects rows of the run's own data; `verb` is what the command does with them."""
    names = ("test", "validation", "training")
    parser.add_argument("--split", choices=names, help=f"{verb} these rows of the run's own data")


def add_given_sequences(parser: argparse.ArgumentParser, verb: str, rows: str, text: str) -> None:
    """Add `RUN`, the rows (`--input`, `--split` and how they are read) and `--text`, for a command that reads sequences.

    `verb` is what the command does with the rows; `rows` and `text` are the help of `--input` and `--text`.
    """
    parser.add_argument("run", metavar="RUN", help="the run folder, or a bundle (.zip) that was exported from one")
    parser.add_argument("--input", metavar="FILE", help=f"{rows}; - for standard input")
    add_decimal(parser)
    add_split(parser, verb)
    parser.add_argument("--text", metavar="COLUMN", default="", help=text)


def add_trained(parser: argparse.ArgumentParser) -> None:
    """Add what says with which weights, feed map and device a trained run computes, for a command that reads sequences."""
    add_feed_map(parser)
    add_checkpoint(parser)
    add_devices(parser)


def trained_on(run: RunFolder) -> int:
    """Return how many rows the run trained on according to its events; 0 if they do not say."""
    starts = [event for event in read_events(run) if isinstance(event, Started)]
    return starts[-1].rows.training if starts else 0


def existing_file(path: str) -> str:
    """Return the path if it is a file. Raises InvalidInput."""
    if not expanded(path).is_file():
        contents = f"a folder: {path}" if expanded(path).is_dir() else f"nothing at {path}"
        raise InvalidInput(f"Expected a file, found {contents}.", "no_file")
    return path


def rows_and_run(arguments: argparse.Namespace) -> tuple[str, int]:
    """Return the run or bundle, and how many rows it trained on, for a command with `--input`, `--split` and `--keep`.

    Raises InvalidInput for arguments that do not go together, and for a run without the checkpoint.
    """
    if arguments.input is not None and arguments.split:
        raise InvalidInput("Expected rows by --input or by --split, received both.", "input_and_split")
    if arguments.keep and arguments.input is None:
        raise InvalidInput("--keep names columns of the file of rows; expected --input too.", "keep_alone")
    if expanded(arguments.run).is_file():
        if arguments.split:
            raise InvalidInput("A bundle holds no data, so there are no rows to split; give rows by --input.", "no_rows")
        return str(arguments.run), 0
    target = trained_run(arguments.run, arguments.checkpoint)
    return str(target.path), trained_on(target) if arguments.split else 0


def fields_of_sequences(arguments: argparse.Namespace, run: str, trained_on: int, rows: str, output: str) -> dict[str, Any]:
    """Return the fields of a `RowsTask` that reads sequences: those of `fields_of_rows`, the feed map and the column."""
    return fields_of_rows(arguments, run, trained_on, rows, output) | {
        "feed_map": absolute(existing_file(arguments.feed_map)) if arguments.feed_map else "",
        "text": arguments.text,
    }


def fields_of_rows(arguments: argparse.Namespace, run: str, trained_on: int, rows: str, output: str) -> dict[str, Any]:
    """Return the fields of a `RowsTask`, after `rows_and_run`; `rows` and `output` are files."""
    return {
        "run": absolute(run), "input": rows, "split": arguments.split, "trained_on": trained_on, "output": output,
        "checkpoint": arguments.checkpoint, "keep": tuple(arguments.keep), "decimal": arguments.decimal,
    }  # fmt: skip


@contextlib.contextmanager
def standard_output(name: str) -> Iterator[str]:
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
def standard_input(name: str | None) -> Iterator[str]:
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
