"""Write the curves of a run into the files of another tool, while it trains or afterwards. It is a reader beside the run.

seqdec-gui mirror RUN --to tensorboard      then: tensorboard --logdir RUN/mirrors
seqdec-gui mirror RUN --to mlflow           then: mlflow ui --backend-store-uri sqlite:///RUN/mirrors/mlflow.db
"""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdec_gui.commands.console import say
from seqdec_gui.domain.paths import expanded
from seqdec_gui.runs.folder import RunFolder, open_run
from seqdec_gui.runs.mirrors.base import Mirror, mirror

TOOLS = ("tensorboard", "mlflow")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--to", choices=TOOLS, required=True, help="the tool whose files are written")
    text = "where to write (default: mirrors in the run folder); several runs may share it"
    parser.add_argument("--folder", metavar="DIR", help=text)
    parser.add_argument("--once", action="store_true", help="write what the run has said so far, and do not wait for more")


def run(arguments: argparse.Namespace) -> int:
    target = open_run(arguments.run)
    folder = (expanded(arguments.folder) if arguments.folder else target.path / "mirrors").absolute()
    made = _made(arguments.to, folder, target)
    written = mirror(target, made, arguments.once)
    say(f"{written:,} points written for {made.title} into {folder}")
    return 0


def _made(tool: str, folder: Path, run: RunFolder) -> Mirror:
    if tool == "tensorboard":
        from seqdec_gui.runs.mirrors.tensorboard import TensorBoard

        return TensorBoard(folder, run.name)
    from seqdec_gui.runs.mirrors.mlflow import MLflow

    return MLflow(folder, run.name)
