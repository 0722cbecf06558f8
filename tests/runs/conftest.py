import sys
from pathlib import Path

import pytest

from seqdec_gui.runs import process
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice, RunSpec

FAKE_CHILD = Path(__file__).with_name("fake_child.py")
DESIGN = {"format": 1, "blocks": [], "links": [], "training": {"epochs": 3}}


def fake(mode: str) -> tuple[str, ...]:
    return (sys.executable, str(FAKE_CHILD), mode)


@pytest.fixture
def run_spec() -> RunSpec:
    return RunSpec(design=DESIGN, design_path="/somewhere/roman.seqdec", devices=DeviceChoice("cpu"), engine="tensorflow")


@pytest.fixture
def start(tmp_path, run_spec, monkeypatch):
    """Starts fake children and sees to it that none is left behind."""
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")
    started = []

    def start(mode: str, folder: str = "run", spec: RunSpec = run_spec, **options) -> process.RunProcess:
        run = process.start(RunFolder(tmp_path / folder), spec, argv=fake(mode), **options)
        started.append(run)
        return run

    yield start
    for run in started:
        run.kill()
        run.wait(10)
