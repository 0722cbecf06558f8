"""Sweeps: what can be searched, and that every trial is in the table once, whatever is killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui import resource_files
from seqdec_gui.domain import document
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.validation import check
from seqdec_gui.runs import lock, process
from seqdec_gui.runs.folder import RunFolder, list_runs
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.spec import DeviceChoice, RunSpec
from seqdec_gui.runs.sweep.controller import MOST_STARTS, Controller
from seqdec_gui.runs.sweep.folder import SweepFolder, SweepSpec
from seqdec_gui.runs.sweep.space import Axis, grid, parse_axis, parse_space, proposed_search, searchable, with_values

WORKER = Path(__file__).with_name("sweep_worker.py")
SEARCH = ("training.learning_rate=1e-5..1e-1:log", "training.batch_size=32|64")


def example() -> Any:
    return document.load(resource_files.path("examples/roman.seqdec"))


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[SweepFolder]:
    made = SweepFolder(tmp_path / "sweep")
    yield made
    for run in made.runs.iterdir() if made.runs.is_dir() else ():
        left = process.attach(RunFolder(run))
        left.kill()
        left.wait(10)
    end = time.monotonic() + 20
    while Queue().is_worked_on() and time.monotonic() < end:
        time.sleep(0.05)


def begun(sweep: SweepFolder, *search: str, **more: Any) -> SweepSpec:
    design = msgspec.structs.replace(example(), training=msgspec.structs.replace(example().training, epochs=4))
    run = RunSpec(design=document.to_builtins(design), devices=DeviceChoice("cpu"), engine="tensorflow")
    wanted = {"trials": 6, "parallel": 2} | more
    spec = SweepSpec(run=run, axes=parse_space(search or SEARCH, design), **wanted)
    sweep.write_spec(spec)
    Queue().set_cpu_runs(3)
    return spec


def work(sweep: SweepFolder, seconds: float = 0.0, wait: bool = True) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, str(WORKER), "sweep", str(sweep.path), str(seconds)])
    if wait:
        assert child.wait(200) == 0
    return child


def starts(run: Path) -> int:
    file = run / "starts.txt"
    return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_every_trial_is_an_ordinary_run_and_the_best_one_is_found(sweep: SweepFolder, sampler: str) -> None:
    spec = begun(sweep, sampler=sampler, trials=8)
    work(sweep)
    table = sweep.read_table()
    assert [trial.number for trial in table.trials] == list(range(1, 9))
    assert {trial.state for trial in table.trials} == {"finished"}
    assert [trial.value for trial in table.trials if trial.number == table.best] == [min(t.value for t in table.trials)]
    for trial, summary in zip(table.trials, list_runs(sweep.runs), strict=True):
        assert (trial.run, summary.state, starts(Path(trial.run))) == (summary.run, "finished", 1)
        design = RunFolder(trial.run).read_spec().load_design()
        assert design == with_values(spec.run.load_design(), spec.axes, trial.values)[0]
    assert table.importance["training.learning_rate"] > 0.5
    if sampler == "grid":
        assert [trial.values for trial in table.trials] == grid(spec.axes)[:8]


@pytest.mark.slow
def test_bad_trials_are_pruned_by_their_reports(sweep: SweepFolder) -> None:
    begun(sweep, "training.learning_rate=1e-5|3e-3|1e-3|1e-2|2e-3|1e-1", sampler="grid", prune="halving", trials=6)
    work(sweep, seconds=0.4)
    table = sweep.read_table()
    states = {trial.values["training.learning_rate"]: trial.state for trial in table.trials}
    assert states["1e-3"] == "finished"
    assert "pruned" in states.values()
    for trial in table.trials:
        if trial.state == "pruned":
            assert (RunFolder(trial.run).status().state, "Pruned after report" in trial.text) == ("stopped", True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whatever_is_killed_every_trial_is_in_the_table_and_none_twice(sweep: SweepFolder) -> None:
    begun(sweep, trials=20, parallel=3)
    drawn = random.Random(11)
    controller: subprocess.Popen[bytes] | None = None
    deadline, kills = time.monotonic() + 600, {"controller": 0, "scheduler": 0, "run": 0}
    while time.monotonic() < deadline:
        if controller is None or controller.poll() is not None:
            if controller is not None and controller.returncode == 0:
                break
            controller = work(sweep, seconds=0.15, wait=False)
        time.sleep(drawn.uniform(0.3, 2.5))
        left = [each for each, count in kills.items() if count < 6]
        victim = drawn.choice(left) if left else ""
        if victim == "controller":
            controller.kill()
            controller.wait()
            kills["controller"] += 1
        elif victim == "scheduler":
            kills["scheduler"] += _kill_worker()
        elif victim == "run":
            going = [run for run in sweep.runs.iterdir() if lock.is_held(run / "lock")] if sweep.runs.is_dir() else []
            for run in going[:1]:
                if (pid := lock.holder(run / "lock")) is not None:
                    os.kill(pid, signal.SIGKILL)
                    kills["run"] += 1
    assert controller is not None
    assert controller.wait(100) == 0
    assert all(kills.values()), kills
    table = sweep.read_table()
    assert [trial.number for trial in table.trials] == list(range(1, 21))
    assert len({trial.run for trial in table.trials}) == 20
    assert {trial.state for trial in table.trials} <= {"finished", "failed"}
    assert sum(trial.state == "finished" for trial in table.trials) >= 15
    for trial in table.trials:
        assert starts(Path(trial.run)) <= 3
        assert trial.state == RunFolder(trial.run).status().state.replace("crashed", "failed")
    import sqlite3

    with contextlib.closing(sqlite3.connect(sweep.study)) as stored:
        rows = stored.execute("select number, state from trials order by number").fetchall()
    assert [number for number, _ in rows] == list(range(20))
    assert "RUNNING" not in {state for _, state in rows}


def _kill_worker() -> bool:
    """Kill -9 the process that works on the queue, found by the lock that it holds."""
    if not Queue().is_worked_on():
        return False
    file = (Queue().path / "scheduler.lock").stat()
    for process_folder in Path("/proc").iterdir():
        if not process_folder.name.isdigit() or int(process_folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if any(os.path.samestat(each.stat(), file) for each in (process_folder / "fd").iterdir()):
                os.kill(int(process_folder.name), signal.SIGKILL)
                return True
    return False


@pytest.mark.slow
def test_a_trial_waits_for_its_last_start_before_it_counts_as_failed(sweep: SweepFolder) -> None:
    begun(sweep, trials=1, parallel=1)
    queue = Queue()
    with sweep.alone():
        controller = Controller(sweep, queue)

        def crash() -> None:
            """The queue starts the run, which ends without a word, and the queue notes that."""
            job = queue.read().jobs[-1]
            run = RunFolder(job.run)
            with lock.acquire(run.lock) as held:
                held.write(lock.record_of(run.path, 2**22 + 1))
            queue.change(lambda state: state.with_job(msgspec.structs.replace(job, claimed=1.0, outcome="crashed", text="")))

        for start in range(1, MOST_STARTS + 1):
            assert not controller.step()
            assert not controller.step(), f"given up before start {start}"
            crash()
        assert controller.step()
        controller._write_table()
    assert [(trial.state, trial.starts) for trial in sweep.read_table().trials] == [("failed", MOST_STARTS)]


@pytest.mark.slow
def test_a_trial_whose_values_do_not_go_together_fails_with_the_reason(sweep: SweepFolder) -> None:
    begun(sweep, "training.learning_rate=1e-3|2e-3", goal="val_nothing", sampler="grid", trials=2)
    work(sweep)
    table = sweep.read_table()
    assert {trial.state for trial in table.trials} == {"failed"}
    assert "have no val_nothing; they have val_loss, val_token_accuracy" in table.trials[0].text
    assert table.best == 0


# -- the space
@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("training.learning_rate=1e-4..1e-2:log", Axis("training.learning_rate", "range", low=1e-4, high=1e-2, log=True)),
        ("training.batch_size=16..128", Axis("training.batch_size", "range", low=16, high=128, integer=True)),
        ("training.clip_norm=0.5..2.0:step=0.5", Axis("training.clip_norm", "range", low=0.5, high=2.0, step=0.5)),
        ("a.b=.5..1.", Axis("a.b", "range", low=0.5, high=1.0)),
        ("decoder.units=128|256,128", Axis("decoder.units", "list", ("128", "256,128"))),
    ],
)
def test_ranges_and_lists_are_read(text: str, axis: Axis) -> None:
    assert parse_axis(text) == axis
    assert parse_axis(str(axis)) == axis


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a.b", "="), ("a.b=5", "a range or a list"), ("a.b=2..1", "smaller end first"), ("a.b=0..1:log", "above 0"),
        ("a.b=1|1", "different values"), ("a.b=1..2:lin", "log or step"), ("a.b=1..x", "a number"), ("a.b=1..5:step=9", "step"),
        ("a.b=1..inf", "a number"), ("a.b=|", "different values"),
    ],
)  # fmt: skip
def test_what_is_no_range_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        parse_axis(text)


def test_values_that_the_design_does_not_take_are_refused_all_at_once() -> None:
    wrong = [f"training.{text}" for text in ("learning_rate=0.0..1.0", "batch=1..2", "seed=1|x", "epochs=1|2", "epochs=1|3")]
    with pytest.raises(InvalidInput) as caught:
        parse_space(wrong, example())
    assert len(caught.value.problems) == 4
    with pytest.raises(InvalidInput, match="Nothing is searched"):
        parse_space((), example())


def test_parameters_that_have_to_be_equal_are_searched_together() -> None:
    design = example()
    with pytest.raises(
        InvalidInput, match=r"expected states\[LSTM 64\].*Search them together: encoder.units,decoder.units=64\|128"
    ):
        parse_space(("decoder.units=64|128",), design)
    axes = parse_space(("encoder.units,decoder.units=64|128",), design)
    changed, assignments = with_values(design, axes, {"encoder.units,decoder.units": "64"})
    assert assignments == ("encoder.units=64", "decoder.units=64")
    assert check(changed).problems == check(design).problems
    assert proposed_search(design, "decoder.units") == "encoder.units,decoder.units=64|128|256"
    assert proposed_search(design, "decoder.dropout") == "decoder.dropout=0..0.5"
    with pytest.raises(InvalidInput, match="searched twice"):
        parse_space(("encoder.units,decoder.units=64|128", "decoder.units=64|128"), design)


@pytest.mark.parametrize("name", searchable(example()))
def test_what_is_proposed_for_a_parameter_can_be_searched_or_is_refused(name: str) -> None:
    text = proposed_search(example(), name)
    assert text.partition("=")[0].split(",").count(name) == 1
    with contextlib.suppress(InvalidInput):  # such as an empty name of a column
        assert parse_space((text,), example())[0].cells()


@given(st.floats(1e-6, 1e3), st.floats(1.001, 1e4), st.booleans())
def test_a_grid_lies_within_its_range(low: float, factor: float, log: bool) -> None:
    axis = Axis("training.learning_rate", "range", low=low, high=low * factor, log=log)
    cells = [float(cell) for cell in axis.cells()]
    assert all(axis.low <= cell <= axis.high for cell in cells)
    assert cells == sorted(cells)
    assert len(cells) >= 2
