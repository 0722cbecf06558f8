"""Warm workers with the real frameworks: what an ordinary process gives, sooner; a run outlives who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain import document
from seqdec_gui.domain.decoding import Sampling
from seqdec_gui.runs import lock, process, workers
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.events import Epoch, Finished, Step
from seqdec_gui.runs.spec import RunSpec
from seqdec_gui.runs.spec import write as write_spec
from seqdec_gui.runs.tasks import ExportTask, GenerateTask, run_task, task_environment
from tests.runner import designs
from tests.runner.real_runs import Runs, events, runs_in, until, wait, weights

pytestmark = pytest.mark.slow
NO_DEVICE = """
from seqdec_gui.runner import worker
worker.preload()
import os, sys
print(len([file for file in os.listdir("/proc/self/fd") if "/dev/nvidia" in os.path.realpath("/proc/self/fd/" + file)]))
if "jax" in sys.modules:
    from jax._src import xla_bridge
    print(len(xla_bridge._backends))
else:
    from tensorflow.python.eager import context
    print(int(context.context()._context_handle is not None))
from seqdec_gui.runner import trial_export
trial_export.forget()
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with runs_in(tmp_path_factory.mktemp("runs")) as made:
        yield made


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[workers.Workers]:
    monkeypatch.setattr(workers, "_memory_left", lambda: 64 << 30)
    made = workers.Workers()
    yield made
    made.close()


def start_warm(runs: Runs, name: str, spec: RunSpec, kept: workers.Workers) -> process.RunProcess:
    kept.expect(child_environment(process.place(spec), os.environ))
    (worker,) = kept.waiting
    started = process.start(process.RunFolder(runs.folder / name), spec, workers=kept)
    runs.started.append(started)
    assert started.pid == worker.process.pid
    return started


@pytest.mark.parametrize("engine", ["tensorflow", pytest.param("jax", marks=pytest.mark.long)])
def test_a_run_in_a_worker_is_the_run_of_an_ordinary_process(runs: Runs, kept: workers.Workers, engine: Any) -> None:
    spec = runs.spec(designs.stack(), engine=engine, epochs=1)
    ordinary = runs.finish(f"ordinary-{engine}", spec)
    warm = wait(start_warm(runs, f"warm-{engine}", spec, kept))
    assert isinstance(warm.run.status().final, Finished), warm.run.log.read_text()[-2000:]
    losses = [[event.metrics["loss"] for event in events(run, Epoch)] for run in (ordinary, warm)]
    assert losses[0] == losses[1]
    expected, found = weights(ordinary), weights(warm)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    _samples_are_the_same(warm, kept, engine)


def _samples_are_the_same(trained: process.RunProcess, kept: workers.Workers, engine: Any) -> None:
    """Generate in an ordinary process, in a worker, and again in that worker."""
    path = trained.run.path
    task = GenerateTask(
        run=str(path), output=str(path / "ordinary.csv"), split="validation", count=2, strategy=Sampling(0.7), seed=3
    )
    run_task(task, engine=engine)
    kept.expect(task_environment(task, engine=engine)[0])
    seconds = []
    for name in ("first", "second"):
        began = time.monotonic()
        result = run_task(GenerateTask(**_fields(task) | {"output": str(path / f"{name}.csv")}), engine=engine, workers=kept)
        seconds.append(time.monotonic() - began)
        assert result.path == str(path / f"{name}.csv")
        assert (path / f"{name}.csv").read_bytes() == (path / "ordinary.csv").read_bytes()
        (worker,) = kept.waiting
        assert worker.loaded is not None
    assert seconds[1] < seconds[0]
    assert kept.take(task_environment(task, engine=engine)[0], "another stamp") is None


def _fields(task: GenerateTask) -> dict[str, Any]:
    return {name: getattr(task, name) for name in task.__struct_fields__}


def test_an_export_in_a_worker_has_its_fresh_process_ready(runs: Runs, kept: workers.Workers) -> None:
    trained = runs.finish("exported", runs.spec(designs.stack(), epochs=1))
    task = ExportTask(run=str(trained.run.path), format="keras", output=str(runs.folder / "model.keras"))
    kept.expect(task_environment(task)[0], export=True)
    result = run_task(task, workers=kept, argv=(sys.executable, "-c", "raise SystemExit(7)"))
    assert result.rows > 0
    assert result.difference <= 1e-5
    assert kept.waiting == ()


def test_a_run_in_a_worker_goes_on_when_its_window_is_killed(runs: Runs) -> None:
    spec = runs.spec(designs.stack(), epochs=500)
    write_spec(spec, runs.folder / "wanted.json")
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(runs.folder / "wanted.json"), str(runs.folder / "orphan")])
    attached = process.attach(process.RunFolder(runs.folder / "orphan"))
    runs.started.append(attached)
    end = time.monotonic() + 60
    while not events(attached, Step) and time.monotonic() < end:
        time.sleep(0.05)
    pid = lock.holder(attached.run.lock)
    assert pid is not None
    assert os.getsid(pid) == pid
    owner.kill()
    owner.wait()
    steps = len(events(attached, Epoch))
    until(attached, Epoch, steps + 2)
    assert lock.holder(attached.run.lock) == pid
    attached.stop()
    assert attached.wait(30).state == "stopped"


OWNER = """
import os, sys, time
from seqdec_gui.runs import process, spec, workers
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.folder import RunFolder
from pathlib import Path
workers._memory_left = lambda: 64 << 30
kept = workers.Workers()
wanted = spec.read(Path(sys.argv[1]))
kept.expect(child_environment(process.place(wanted), os.environ))
pid = kept.waiting[0].process.pid
started = process.start(RunFolder(sys.argv[2]), wanted, workers=kept)
assert started.pid == pid
time.sleep(600)
"""


def test_a_run_in_a_worker_that_is_killed_says_how(runs: Runs, kept: workers.Workers) -> None:
    run = start_warm(runs, "killed", runs.spec(designs.stack(), epochs=500), kept)
    until(run, Step)
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    status = wait(run).run.status()
    assert status.state == "crashed"
    assert "SIGKILL" in status.text


@pytest.mark.parametrize("engine", ["tensorflow", "jax"])
def test_importing_looks_at_no_device(engine: Any, tmp_path: Path) -> None:
    placement = process.place(RunSpec(design=document.to_builtins(designs.stack()), engine=engine))
    done = subprocess.run(
        [sys.executable, "-c", NO_DEVICE],
        env=child_environment(placement, os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "0"]
