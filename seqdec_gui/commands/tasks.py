"""Arguments and checks that `export`, `evaluate` and `generate` share."""

from __future__ import annotations

import argparse

from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.events import Started
from seqdec_gui.runs.folder import RunFolder, open_run
from seqdec_gui.runs.reader import read_events


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """Add `--checkpoint`, which selects the weights of a run."""
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best", help="which weights (default: best)")


def add_devices(parser: argparse.ArgumentParser) -> None:
    """Add `--devices` for a command that computes with a trained run; `console.do_task` takes its value."""
    text = "cpu, gpu:0, or auto (default: the first GPU that the run trained on, else the CPU)"
    parser.add_argument("--devices", metavar="DEVICE", help=text)


def trained_run(path: str, checkpoint: str) -> RunFolder:
    """Open a run that has this checkpoint. Raises InvalidInput."""
    run = open_run(path)
    if not any(run.checkpoints.glob(f"{checkpoint}*")):
        text = f"{run.path} has no checkpoint {checkpoint!r} yet. {run.status().text}"
        raise InvalidInput(text, "no_checkpoint")
    return run


def add_split(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add `--split`, which selects rows of the run's own data; `verb` is what the command does with them."""
    names = ("test", "validation", "training")
    parser.add_argument("--split", choices=names, help=f"{verb} these rows of the run's own data")


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
