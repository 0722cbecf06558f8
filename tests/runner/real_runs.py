"""Whole runs in children of their own, for the tests that need them: started, waited for, and looked into."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from seqdec_gui.domain import document
from seqdec_gui.domain.design import Design
from seqdec_gui.runs import process
from seqdec_gui.runs.events import Event, decode
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice, EngineName, RunSpec
from tests.runner import designs

LONGEST_S = 200.0
ROWS = 240


class Runs:
    """Starts runs in a folder and sees to it that none is left behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = designs.write_rows(folder, ROWS)
        self.started: list[process.RunProcess] = []

    def spec(self, wanted: Design, devices: int = 1, engine: EngineName = "tensorflow", **training: Any) -> RunSpec:
        bound = designs.bound(wanted, self.data, **({"batch_size": 24, "epochs": 2, "learning_rate": 1e-2} | training))
        return RunSpec(design=document.to_builtins(bound), data_file=str(self.data), devices=DeviceChoice("cpu", devices),
                       engine=engine, report_every_s=0.2)  # fmt: skip

    def start(self, name: str, spec: RunSpec, argv: Sequence[str] | None = None) -> process.RunProcess:
        run = process.start(RunFolder(self.folder / name), spec, argv=argv)
        self.started.append(run)
        return run

    def finish(self, name: str, spec: RunSpec) -> process.RunProcess:
        return wait(self.start(name, spec))


def wait(run: process.RunProcess) -> process.RunProcess:
    assert run.wait(LONGEST_S), "the run does not end"
    return run


def events(run: process.RunProcess | RunFolder, kind: type[Any] | None = None) -> list[Any]:
    folder = run if isinstance(run, RunFolder) else run.run
    data = folder.events.read_bytes() if folder.events.exists() else b""
    found: list[Event] = [decode(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
    return [event for event in found if kind is None or isinstance(event, kind)]


def until(run: process.RunProcess, kind: type[Any], count: int = 1) -> None:
    end = time.monotonic() + LONGEST_S
    while len(events(run, kind)) < count:
        assert run.running(), run.run.log.read_text()[-2000:]
        assert time.monotonic() < end, f"no {kind.__name__} in time"
        time.sleep(0.05)


def weights(run: process.RunProcess, checkpoint: str = "last", group: str = "weights") -> dict[str, Any]:
    found: dict[str, Any] = {}
    with h5py.File(run.run.checkpoint(checkpoint)) as file:
        file[group].visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


@contextmanager
def runs_in(folder: Path) -> Iterator[Runs]:
    """Runs in this folder, none of which outlives the block."""
    made = Runs(folder)
    try:
        yield made
    finally:
        for run in made.started:
            run.kill()
            run.wait(10)
