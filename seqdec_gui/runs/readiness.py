"""Whether a design can be trained now, on these devices and this file: what is found before a process is started."""

from __future__ import annotations

from pathlib import Path

from seqdec_gui.data.tables import SUFFIXES
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.training import Training
from seqdec_gui.domain.validation import check, unbound
from seqdec_gui.runs.spec import DeviceChoice


def readiness(design: Design, folder: Path, devices: DeviceChoice) -> tuple[Problem, ...]:
    """Every problem that stands in the way of training, and warnings.

    `folder` is where the design's relative paths begin; `devices` is resolved (not `auto`). The data is not opened.
    """
    report = check(design)
    ports = unbound(design, report.inference)
    missing = [
        Problem("error", "unbound_port", port.port, "No column feeds this port.", f"Bind one: --bind {port.port}=COLUMN.")
        for port in ports
        if report.ok
    ]
    return (*report.problems, *missing, *data_problems(design, folder), *batch_problems(design.training, devices))


def data_problems(design: Design, folder: Path) -> tuple[Problem, ...]:
    """Files that the design names and that are not there, or can be no data."""
    if not design.data.file:
        text = "The design has no data file."
        return (Problem("error", "no_data", "data.file", text, "Choose one, or give --data FILE."),)
    names = [design.data.file, *(binding.file for binding in design.data.bindings if binding.file)]
    paths = [folder / Path(name).expanduser() for name in dict.fromkeys(names)]
    hint = "Check the path, or give --data FILE."
    problems = []
    for path in paths:
        if not path.exists():
            problems.append(Problem("error", "data_missing", "data.file", f"There is no data file {path}.", hint))
        elif path.is_dir() or path.suffix.lower() not in SUFFIXES:
            what = "a folder" if path.is_dir() else f"a {path.suffix} file" if path.suffix else "a file without an ending"
            text = f"{path} is {what}; expected one of {' '.join(SUFFIXES)}."
            problems.append(Problem("error", "unknown_format", "data.file", text, hint))
    return tuple(problems)


def batch_problems(training: Training, devices: DeviceChoice) -> tuple[Problem, ...]:
    """The global batch must divide among the devices; the hint names the nearest sizes that do."""
    count, batch = devices.replicas, training.batch_size
    if batch % count == 0:
        return ()
    lower, upper = batch // count * count, (batch // count + 1) * count
    nearest = f"{lower} or {upper}" if lower else str(upper)
    text = f"A batch of {batch} rows does not divide among {count} devices."
    return (Problem("error", "batch_devices", "training.batch_size", text, f"Set it to {nearest}."),)
