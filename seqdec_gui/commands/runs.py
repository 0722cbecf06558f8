"""List runs and how they went."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seqdec_gui.commands.console import say, say_json, say_table
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.folder import DesignKey, RunFolder, list_runs
from seqdec_gui.runs.hosts import copied, record
from seqdec_gui.runs.state import RunSummary

if TYPE_CHECKING:
    from seqdec_gui.runs.listing import Entry


FOLLOW_S = 5.0
"""Seconds to wait for the process that follows a run again."""


class ListedRun(RunSummary, frozen=True):
    """A run as `--all --json` gives it: with what the user said about it, and whether its folder is gone."""

    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    missing: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", help="a folder with runs, or with a folder `runs` (default: here)"
    )
    parser.add_argument("--all", action="store_true", help="every run of yours, wherever it lies")
    parser.add_argument(
        "--search", metavar="WORDS", help="with --all: only runs with these words in name, note, tags or folder"
    )
    parser.add_argument("--json", action="store_true", help="as a JSON list, oldest first")


def run(arguments: argparse.Namespace) -> int:
    if arguments.all and arguments.folder is not None:
        raise InvalidInput(f"--all lists the runs of every folder; received {arguments.folder} too.", "two_places")
    if arguments.search is not None and not arguments.all:
        raise InvalidInput("--search looks through all runs; expected --all too.", "search_alone")
    summaries: Sequence[RunSummary]
    if arguments.all:
        where = "any folder that is known"
        summaries = all_runs(arguments.search or "")
        if followed_again(summaries):
            summaries = all_runs(arguments.search or "")
    else:
        where = "." if arguments.folder is None else arguments.folder
        summaries = list_runs(where)
        if followed_again(summaries):
            summaries = list_runs(where)
    if arguments.json:
        say_json(summaries)
        return 0
    if not summaries:
        say(f"No runs in {where}.")
        return 0
    rows = [("run", "state", "epoch", "loss", "val_loss", "time", "devices")]
    say_table([*rows, *map(_row, summaries)], right=(2, 3, 4, 5))
    for summary in summaries:
        if summary.state in ("failed", "crashed", "unreadable"):
            say(f"{summary.run}: {summary.text}")
    return 0


def followed_again(summaries: Sequence[RunSummary]) -> bool:
    """Follow runs on hosts that nobody follows, because this machine was off or the process was killed; whether there are any.

    Waits for a moment, so that what they say now is listed.
    """
    lost = [RunFolder(each.run) for each in summaries if each.state == "unfinished" and record.goes_on(Path(each.run))]
    for run in lost:
        copied.start_follower(run)
    for run in lost:
        copied.await_follower(run, FOLLOW_S)
    return bool(lost)


def all_runs(words: str = "") -> list[ListedRun]:
    """Return every run of this user that is known, here and in the folder `runs` beside it too, the oldest first."""
    from seqdec_gui.runs import known, listing
    from seqdec_gui.runs.run_filter import RunFilter

    here = Path.cwd()
    wanted = RunFilter(words=words)
    entries = listing.shared().read(known.places((here / "runs",)), DesignKey())
    return [_listed(entry) for entry in entries if wanted.passes(entry)]


def _listed(entry: Entry) -> ListedRun:
    fields = {name: getattr(entry.summary, name) for name in RunSummary.__struct_fields__}
    return ListedRun(**fields, name=entry.name, note=entry.note.note, tags=entry.note.tags, missing=entry.missing)


def _row(summary: RunSummary) -> tuple[str, ...]:
    epoch = f"{summary.epoch}/{summary.epochs}" if summary.epochs else ""
    loss, validation = (_figure(summary.metrics.get(name)) for name in ("loss", "val_loss"))
    devices = ",".join(summary.devices)
    state = "missing" if isinstance(summary, ListedRun) and summary.missing else summary.state
    return summary.run, state, epoch, loss, validation, _duration(summary), devices


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _duration(summary: RunSummary) -> str:
    if summary.started is None:
        return ""
    seconds = int((summary.ended or time.time()) - summary.started)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
