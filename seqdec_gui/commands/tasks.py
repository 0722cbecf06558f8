"""What `export`, `evaluate` and `generate` share."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.folder import RunFolder, open_run


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best", help="which weights (default: best)")


def trained_run(path: str, checkpoint: str) -> RunFolder:
    """A run that has this checkpoint. Raises InvalidInput."""
    run = open_run(path)
    if not any(run.checkpoints.glob(f"{checkpoint}*")):
        text = f"{run.path} has no checkpoint {checkpoint!r} yet. {run.status().text}"
        raise InvalidInput(text, "no_checkpoint")
    return run


def existing_file(path: str) -> str:
    """The path, if a file is there. Raises InvalidInput."""
    if not Path(path).expanduser().is_file():
        raise InvalidInput(f"Expected a file, found nothing at {path}.", "no_file")
    return path
