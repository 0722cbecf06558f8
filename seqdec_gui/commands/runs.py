"""List runs and how they went."""

from __future__ import annotations

import argparse
import time

from seqdec_gui.commands.console import say, say_json, say_table
from seqdec_gui.runs.folder import list_runs
from seqdec_gui.runs.state import RunSummary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", default=".", help="a folder with runs, or with a folder `runs` (default: here)"
    )
    parser.add_argument("--json", action="store_true", help="as a JSON list, oldest first")


def run(arguments: argparse.Namespace) -> int:
    summaries = list_runs(arguments.folder)
    if arguments.json:
        say_json(summaries)
        return 0
    if not summaries:
        say(f"No runs in {arguments.folder}.")
        return 0
    rows = [("run", "state", "epoch", "loss", "val_loss", "time", "devices")]
    say_table([*rows, *map(_row, summaries)], right=(2, 3, 4, 5))
    for summary in summaries:
        if summary.state in ("failed", "crashed", "unreadable"):
            say(f"{summary.run}: {summary.text}")
    return 0


def _row(summary: RunSummary) -> tuple[str, ...]:
    epoch = f"{summary.epoch}/{summary.epochs}" if summary.epochs else ""
    loss, validation = (_figure(summary.metrics.get(name)) for name in ("loss", "val_loss"))
    devices = ",".join(summary.devices)
    return summary.run, summary.state, epoch, loss, validation, _duration(summary), devices


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _duration(summary: RunSummary) -> str:
    if summary.started is None:
        return ""
    seconds = int((summary.ended or time.time()) - summary.started)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
