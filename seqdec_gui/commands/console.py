"""Functions that write to the terminal, load designs and run tasks, for several commands."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import printable

if TYPE_CHECKING:
    from seqdec_gui.domain.design import Design
    from seqdec_gui.runs.task_results import TaskResult
    from seqdec_gui.runs.tasks import Event, Progress, Task


def say(text: str = "") -> None:
    """Write a line to standard output and flush it, so that the reader of a pipe has it at once."""
    sys.stdout.write(f"{printable(text)}\n")
    sys.stdout.flush()


def warn(text: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(f"{printable(text)}\n")
    sys.stderr.flush()


def say_json(value: Any) -> None:
    """Write plain data or structs as indented JSON to standard output."""
    say(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def warn_of(problems: Iterable[Problem]) -> None:
    """Write warnings and remarks to standard error."""
    for problem in problems:
        if problem.severity != "error":
            warn(f"{problem.severity}: {problem.sentence()}")


def say_table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Write a table with the heading as its first row; columns in `right` are aligned right."""
    rows = [[printable(cell, one_line=True) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True)))
        say("  ".join(cells).rstrip())


def load_design(path: str) -> Design:
    """Load the design of a file, and inspect the Keras files that it names but does not describe. Raises InvalidInput."""
    from seqdec_gui.domain import document
    from seqdec_gui.runs.folder import RunFolder

    if RunFolder(path).looks_like_a_run:
        hint = "Give the file that it was trained from; certify takes a run as --run."
        raise InvalidInput([Problem("error", "run_as_design", path, "Expected a design file, received a run's folder.", hint)])
    design = document.load(path)
    imported = [file for block in design.blocks if (file := block.parameters.imported) is not None]
    if not any(file.file and not file.is_inspected for file in imported):
        return design
    from seqdec_gui.runs.imports import inspected

    return inspected(design, Path(path).absolute().parent, _report)


def do_task(task: Task, devices: str | None = None) -> TaskResult:
    """Run a task in a child, with its progress on standard error if that is a terminal.

    `devices` is the value of `--devices`; None if it was not used. Raises InvalidInput, SeqdecError.
    """
    from seqdec_gui.runs.task_devices import parse_device
    from seqdec_gui.runs.tasks import run_task

    choice, warnings = parse_device(devices)
    for text in warnings:
        warn(f"warning: {text}")
    return run_task(task, _report, choice)


def _report(line: Event) -> None:
    match line.__struct_config__.tag:
        case "notice":
            _clear()
            warn(line.text)  # type: ignore[union-attr]
        case "progress" if sys.stderr.isatty():
            done = f"{line.done} of {line.total}" if line.total else str(line.done)  # type: ignore[union-attr]
            sys.stderr.write(f"\r\x1b[K{printable(line.text, one_line=True)} {done}\r")  # type: ignore[union-attr]
            sys.stderr.flush()


@contextlib.contextmanager
def report_progress() -> Iterator[Callable[[Progress], None]]:
    """Yield a function that shows progress on the terminal; its line is cleared at the end."""
    try:
        yield _report
    finally:
        _clear()


def _clear() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def absolute(path: str) -> str:
    """Return the absolute path, for a child that runs in another folder."""
    return str(expanded(path).absolute())
