"""Whole runs by several processes of this machine: they equal one device, obey, and go on with fewer."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.domain.design import Design
from seqdec_gui.runs.cluster.choice import Cluster
from seqdec_gui.runs.control import command
from seqdec_gui.runs.events import Checkpoint, CommandAnswer, Continued, Epoch, Failed, Message, Paused, Started
from seqdec_gui.runs.process import RunProcess
from tests.runner import designs
from tests.runner.real_runs import Runs, events, runs_in, until, wait, weights
from tests.runner.train_on import is_compared

pytestmark = pytest.mark.slow
TOLERANCE = 1e-5
LOST_S = 60.0
"""Most seconds between the loss of a process and the end of the run."""
ENDLESS = {"epochs": 10_000}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with runs_in(tmp_path) as made:
        yield made


def together(runs: Runs, wanted: Design, processes: int, **training: Any) -> Any:
    """The specification of a run by so many processes; with 1 by one device of this process alone."""
    spec = runs.spec(wanted, engine="jax", **training)
    return spec if processes == 1 else msgspec.structs.replace(spec, cluster=Cluster("local", processes, one_host=True))


def others_of(run: RunProcess) -> list[int]:
    """The processes that train under process 0."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
            parent = int((entry.parent / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if b"seqdec_gui.runner.member" in words and parent == run.pid:
            found.append(int(entry.parent.name))
    return found


def same(one: RunProcess, other: RunProcess) -> None:
    """Final weights and the metrics of every report are those of the other run."""
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    worst = {
        name: float(np.max(np.abs(a[name] - b[name]) / np.maximum(1.0, np.abs(a[name])), initial=0.0))
        for name in a
        if np.issubdtype(a[name].dtype, np.floating) and is_compared(f"variable {name.replace('/', ' ')}")
    }
    assert {name: value for name, value in worst.items() if value > TOLERANCE} == {}
    reports, others = events(one, Epoch), events(other, Epoch)
    assert len(reports) == len(others) > 0
    for report, another in zip(reports, others, strict=True):
        assert report.metrics.keys() == another.metrics.keys()
        for name, value in report.metrics.items():
            if name != "samples_per_s":
                assert another.metrics[name] == pytest.approx(value, rel=TOLERANCE, abs=TOLERANCE), name


def test_two_processes_equal_one_device(runs: Runs) -> None:
    wanted = designs.translation(layers=1)  # masks, BatchNormalization; 192 and 48 rows: the last batches are not full
    one, two = (runs.start(f"{count}", together(runs, wanted, count, batch_size=22, epochs=1)) for count in (1, 2))
    for run in (one, two):
        wait(run)
        assert run.run.status().state == "finished", run.run.log.read_text()[-3000:]
    same(one, two)
    (started,) = events(two, Started)
    assert started.devices == ("local.0/cpu:0", "local.1/cpu:0")


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("wanted", "processes", "batch"),
    [
        (lambda: designs.stack(units=(6,)), 3, 24),
        (lambda: designs.translation(layers=1), 3, 21),
        (lambda: designs.translation(cell="GRU", layers=2), 2, 22),
    ],
    ids=["stack", "masks and a ragged last batch", "two layers with masks"],
)
def test_several_processes_equal_one_device(runs: Runs, wanted: Callable[[], Design], processes: int, batch: int) -> None:
    one, many = (runs.finish(f"{count}", together(runs, wanted(), count, batch_size=batch)) for count in (1, processes))
    same(one, many)


@pytest.mark.cluster
@pytest.mark.parametrize("wanted", [designs.noisy, designs.transformer], ids=["noise and dropout", "transformer"])
def test_random_layers_draw_what_they_draw_on_as_many_devices_of_one_process(runs: Runs, wanted: Callable[[], Design]) -> None:
    one = runs.finish("devices", runs.spec(wanted(), devices=2, engine="jax"))
    other = runs.finish("processes", together(runs, wanted(), 2))
    same(one, other)


@pytest.mark.cluster
def test_what_is_commanded_happens_in_all_processes(runs: Runs) -> None:
    run = runs.start("run", together(runs, designs.stack(units=(6,)), 2, **ENDLESS))
    until(run, Epoch)
    others = others_of(run)
    assert len(others) == 1
    run.run.send(command("set_learning_rate", 1e-3))
    run.run.send(command("checkpoint"))
    run.run.send(command("hold"))
    until(run, Paused)
    run.run.send(command("continue"))
    until(run, Continued)
    run.run.send(command("pause"))
    wait(run)
    assert run.run.status().state == "paused"
    assert [answer.ok for answer in events(run, CommandAnswer)] == [True] * 5
    assert events(run, Checkpoint)
    gone_soon(others)
    written = sorted(path.name for path in run.run.path.iterdir() if path.name.startswith("."))
    assert written == []

    last = events(run, Checkpoint)[-1].step
    again = runs.start("run", msgspec.structs.replace(run.run.read_spec(), resume=True, placement=None, cluster=None))
    until(again, Started, 2)
    assert events(again, Started)[-1].first_step == last
    again.stop()
    wait(again)


def gone_soon(pids: list[int], seconds: float = LOST_S) -> None:
    end = time.monotonic() + seconds
    while alive := [pid for pid in pids if Path(f"/proc/{pid}").exists() and not _is_zombie(pid)]:
        assert time.monotonic() < end, f"{alive} live on"
        time.sleep(0.1)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.cluster
def test_a_lost_process_ends_the_run_and_fewer_go_on(runs: Runs) -> None:
    spec = together(runs, designs.stack(units=(6,)), 3, **ENDLESS)
    run = runs.start("run", msgspec.structs.replace(spec, checkpoint_every_s=1.0))
    until(run, Checkpoint, 2)
    first, second = others_of(run)
    os.kill(first, signal.SIGKILL)
    began = time.monotonic()
    wait(run)
    assert time.monotonic() - began < LOST_S
    gone_soon([second])
    failed = events(run, Failed)
    assert len(failed) == 1
    assert "of the 3 processes of the run" in failed[0].sentence
    assert "--cluster local:2" in failed[0].sentence
    saved = events(run, Checkpoint)[-1].step

    changed = msgspec.structs.replace(
        run.run.read_spec(), resume=True, placement=None, cluster=Cluster("local", 2, one_host=True)
    )
    again = runs.start("run", changed)
    until(again, Started, 2)
    assert events(again, Started)[-1].first_step == saved
    assert len(events(again, Started)[-1].devices) == 2
    until(again, Epoch, len(events(again, Epoch)) + 1)
    again.stop()
    wait(again)
    assert again.run.status().state == "stopped"


@pytest.mark.cluster
def test_when_process_0_is_killed_the_others_end(runs: Runs) -> None:
    run = runs.start("run", together(runs, designs.stack(units=(6,)), 2, **ENDLESS))
    until(run, Epoch)
    others = others_of(run)
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    gone_soon(others)
    wait(run)
    assert run.run.status().state == "crashed"


@pytest.mark.cluster
def test_a_process_that_hangs_ends_the_run(runs: Runs) -> None:
    run = runs.start("run", together(runs, designs.stack(units=(6,)), 2, **ENDLESS))
    until(run, Epoch)
    (other,) = others_of(run)
    os.kill(other, signal.SIGSTOP)
    try:
        began = time.monotonic()
        wait(run)
        assert time.monotonic() - began < LOST_S
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(other, signal.SIGKILL)
    assert "no sign of life" in events(run, Failed)[0].sentence


@pytest.mark.cluster
def test_quality_averages_and_early_stopping_are_those_of_one_process(runs: Runs) -> None:
    settings = {
        "epochs": 3, "average_decay": 0.9, "early_stopping_patience": 1, "early_stopping_delta": 10.0,
        "quality": ("exact_match",), "quality_rows": 10, "quality_share": 1.0, "monitor": "val_loss",
    }  # fmt: skip
    one, two = (runs.finish(f"{count}", together(runs, designs.translation(layers=1), count, **settings)) for count in (1, 2))
    same(one, two)
    for run in (one, two):
        assert [message.code for message in events(run, Message) if message.code == "early_stopping"] == ["early_stopping"]
