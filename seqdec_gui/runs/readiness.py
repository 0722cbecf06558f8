"""Checks, before a process is started, whether a design can be trained now on these devices and this data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from seqdec_gui.data.dataset import Trial, sampled, try_fit
from seqdec_gui.data.earlier import EarlierFit
from seqdec_gui.data.formats.registry import format_of, not_readable, what_to_do
from seqdec_gui.data.tables import inspect
from seqdec_gui.data.teaching import ROWS_COMPARED
from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.paths import expanded, path_fault
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.validation import check, unbound
from seqdec_gui.runs.batches import batch_problems, problems_of_trial
from seqdec_gui.runs.data_check import fit_problems
from seqdec_gui.runs.initial import earlier_fit
from seqdec_gui.runs.spec import DeviceChoice, FitChoice


class Stamp(NamedTuple):
    """A data file as it was; `modified_ns` and `size` (bytes) are -1 where there is none. `folder`: its folder is there."""

    path: str
    modified_ns: int
    size: int
    folder: bool


Stamps = tuple[Stamp, ...]


def readiness(design: Design, folder: Path, devices: DeviceChoice, elsewhere: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return all errors that prevent a training, and warnings.

    `folder` is where the design's relative paths begin; `devices` is resolved (not `auto`). The data is not opened.
    `elsewhere` are paths of files that are not expected here, because the machine that trains has them.
    """
    report = check(design)
    ports = unbound(design, report.inference)
    missing = [
        Problem("error", "unbound_port", port.port, "No column feeds this port.", f"Bind one: --bind {port.port}=COLUMN.")
        for port in ports
        if report.ok
    ]
    return (*report.problems, *missing, *data_problems(design, folder, elsewhere), *batch_problems(design.training, devices))


def data_problems(design: Design, folder: Path, elsewhere: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return errors for data files that do not exist, are no files, or have an unknown format."""
    if not design.data.file:
        text = "The design has no data file."
        return (Problem("error", "no_data", "data.file", text, "Choose one, or give --data FILE."),)
    paths = data_files(design.data, folder)
    hint = "Check the path, or give --data FILE."
    problems = []
    for path in paths:
        if path_fault(str(path)) or str(path) in elsewhere:
            continue  # a problem of the design itself; or none
        if not path.exists():
            problems.append(Problem("error", "data_missing", "data.file", f"There is no data file {path}.", hint))
        elif path.is_dir():
            problems.append(Problem("error", "unknown_format", "data.file", not_readable(path), hint))
        elif not path.is_file():
            text = f"{path} is a pipe or a device; expected a data file."
            problems.append(Problem("error", "not_a_file", "data.file", text, hint))
        elif format_of(path) is None:
            problems.append(Problem("error", "unknown_format", "data.file", not_readable(path), f"{hint} {what_to_do(path)}"))
    return tuple(problems)


def data_files(source: DataSource, folder: Path) -> tuple[Path, ...]:
    """Return every file that the source names, each once."""
    names = [source.file, *(binding.file for binding in source.bindings)]
    return tuple(folder / expanded(name) for name in dict.fromkeys(names) if name)


def stamps(source: DataSource, folder: Path) -> Stamps:
    """Return path, time and size of the files of a source, to notice later that they have changed."""
    return tuple(_stamp(path) for path in data_files(source, folder))


def _stamp(path: Path) -> Stamp:
    if path_fault(str(path)):
        return Stamp(str(path), -1, -1, False)
    try:
        status = path.stat()
    except OSError:
        return Stamp(str(path), -1, -1, path.parent.is_dir())
    return Stamp(str(path), status.st_mtime_ns, status.st_size, True)


def problems_in_data(
    design: Design, folder: Path, devices: DeviceChoice, initial_run: str = "", fit: FitChoice = "initial"
) -> tuple[Problem, ...]:
    """Return the problems in the data itself, for a design without other errors. Reads the data, which may take long.

    `initial_run` and `fit` are as in a `RunSpec`.
    """
    earlier = None
    if initial_run and fit == "initial":
        try:
            earlier = earlier_fit(initial_run, design)
        except InvalidInput as error:
            return error.problems
    trial, _ = try_data(design.data, data_ports(design), folder, earlier)
    return (*problems_of_trial(trial, design.training, devices), *fit_problems(trial, design))


def try_data(
    source: DataSource, ports: Sequence[DataPort], folder: Path, earlier: EarlierFit | None = None
) -> tuple[Trial, Stamps]:
    """Return the result of fitting codecs to the bound columns, as a run does, and the stamps of the files.

    `earlier` are the fitted codecs of an initial run. Reads the data, which may take long; the tables stay open for the next
    call.
    """
    before = stamps(source, folder)
    source = msgspec.structs.replace(source, file=str(expanded(source.file)) if source.file else "")
    trial = try_fit(source, ports, folder, opened=lambda path, names, how: inspect(path, how, names), earlier=earlier)
    return sampled(trial, ROWS_COMPARED), before
