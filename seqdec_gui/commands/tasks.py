"""What `export`, `evaluate` and `generate` share."""

from __future__ import annotations

import argparse

from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.events import Started
from seqdec_gui.runs.folder import RunFolder, open_run
from seqdec_gui.runs.reader import read_events


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best", help="which weights (default: best)")


def add_devices(parser: argparse.ArgumentParser) -> None:
    """`--devices` of a command that computes with a trained run; its value is for `console.do_task`."""
    text = "cpu, gpu:0, or auto (default: the first GPU that the run trained on, else the CPU)"
    parser.add_argument("--devices", metavar="DEVICE", help=text)


def trained_run(path: str, checkpoint: str) -> RunFolder:
    """A run that has this checkpoint. Raises InvalidInput."""
    run = open_run(path)
    if not any(run.checkpoints.glob(f"{checkpoint}*")):
        text = f"{run.path} has no checkpoint {checkpoint!r} yet. {run.status().text}"
        raise InvalidInput(text, "no_checkpoint")
    return run


def add_split(parser: argparse.ArgumentParser, verb: str) -> None:
    names = ("test", "validation", "training")
    parser.add_argument("--split", choices=names, help=f"{verb} these rows of the run's own data")


def trained_on(run: RunFolder) -> int:
    """How many rows the run trained on by its own word; 0 where it did not say."""
    starts = [event for event in read_events(run) if isinstance(event, Started)]
    return starts[-1].rows.training if starts else 0


def existing_file(path: str) -> str:
    """The path, if a file is there. Raises InvalidInput."""
    if not expanded(path).is_file():
        found = f"a folder: {path}" if expanded(path).is_dir() else f"nothing at {path}"
        raise InvalidInput(f"Expected a file, found {found}.", "no_file")
    return path
