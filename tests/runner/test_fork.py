"""Runs that go on from a checkpoint of another one: their curves, what they keep of it, and what is refused."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seqdec_gui.domain import document
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.checkpoint_file import fault
from seqdec_gui.runs.events import Epoch, Message, Started
from seqdec_gui.runs.folder import RunFolder, list_runs
from seqdec_gui.runs.fork import fork, fork_problems
from seqdec_gui.runs.fork_points import fork_points, point_at
from seqdec_gui.runs.history import read_history
from seqdec_gui.runs.spec import RunSpec
from tests.runner import designs
from tests.runner.real_runs import Runs, events, runs_in, wait

NUMBERS = (sys.executable, "-m", "tests.runner.plain_child")
"""The process of a run that trains plain numbers, with everything but the framework."""


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with runs_in(tmp_path) as made:
        yield made


def numbers(runs: Runs, **training: Any) -> RunSpec:
    settings = {"batch_size": 12, "epochs": 6, "learning_rate": 1e-2, "keep_checkpoints": 50} | training
    asked = runs.spec(designs.noisy(), **settings)
    return msgspec.structs.replace(asked, report_every_s=0.02, checkpoint_every_s=0.02)


def parent(runs: Runs, **training: Any) -> RunFolder:
    run = wait(runs.start("parent", numbers(runs, **training), argv=NUMBERS)).run
    assert run.status().state == "finished", run.status().text
    return run


def curve(run: RunFolder) -> dict[int, tuple[float, float]]:
    """Losses by step of the epochs that count, as the history of the window has them."""
    history = read_history(run)
    loss, validation = history.epochs["loss"], history.epochs["val_loss"]
    return {int(step): (float(a), float(b)) for step, a, b in zip(loss.steps, loss.values, validation.values, strict=True)}


def assert_close(one: dict[int, tuple[float, float]], other: dict[int, tuple[float, float]]) -> None:
    assert list(one) == list(other)
    for step, losses in other.items():
        assert one[step] == pytest.approx(losses, rel=1e-5), step


def forked(runs: Runs, run: RunFolder, name: str, point: str, *assignments: str, argv: Any = NUMBERS) -> RunFolder:
    changed = run.read_spec().load_design()
    for assignment in assignments:
        changed = set_value(changed, *assignment.split("="))
    target = RunFolder(runs.folder / name)
    asked = fork(run, point, changed, target, assignments)
    assert target.status().state == "unfinished"
    assert "never started" in target.status().text
    return wait(runs.start(name, asked, argv=argv)).run


@pytest.mark.slow
def test_a_fork_with_nothing_changed_has_the_curve_of_its_parent(runs: Runs) -> None:
    run = parent(runs)
    points = [point for point in fork_points(run) if point.name not in ("best", "last")]
    assert len(points) > 3
    whole = curve(run)
    for number, point in enumerate((points[0], points[len(points) // 2], points[-1])):
        child = forked(runs, run, f"same{number}", point.name)
        assert child.status().state == "finished", child.status().text
        assert_close(curve(child), whole)
        (mark,) = [mark for mark in read_history(child).marks if mark.kind == "fork"]
        assert (mark.step, "Forked from parent" in mark.text) == (point.step, True)
        assert curve(run) == whole  # the parent stays as it is


@pytest.mark.slow
def test_the_curve_leaves_that_of_the_parent_where_settings_differ(runs: Runs) -> None:
    run = parent(runs)
    point = fork_points(run)[len(fork_points(run)) // 2]
    child = forked(runs, run, "slower", str(point.step), "training.learning_rate=1e-4")
    mine, theirs = curve(child), curve(run)
    assert max(mine) == max(theirs)
    assert all(mine[step] == losses for step, losses in theirs.items() if step <= point.step)
    rates = [event.metrics["learning_rate"] for event in events(child, Epoch)]
    assert (rates[0], rates[-1]) == (pytest.approx(1e-2), pytest.approx(1e-4))
    assert any("training.learning_rate 0.01 → 0.0001" in event.text for event in events(child, Message))
    (summary,) = list_runs(child.path)
    assert summary.parent == str(run.path)
    assert summary.started is not None
    assert summary.started >= child.read_spec().created > events(child, Started)[0].time


@pytest.mark.slow
def test_a_fork_needs_its_parent_no_more_and_can_be_resumed_and_forked_again(runs: Runs) -> None:
    run = parent(runs)
    whole = curve(run)
    middle = fork_points(run)[2]
    child = RunFolder(runs.folder / "child")
    asked = fork(run, str(middle.step), run.read_spec().load_design(), child)
    shutil.rmtree(run.path)
    going = runs.start("child", asked, argv=NUMBERS)
    going.kill()
    wait(going)
    again = msgspec.structs.replace(child.read_spec(), resume=True, placement=None)
    wait(runs.start("child", again, argv=NUMBERS))
    assert_close(curve(child), whole)
    grandchild = forked(runs, child, "grandchild", fork_points(child)[0].name)
    assert_close(curve(grandchild), whole)


@pytest.mark.slow
def test_an_early_stop_is_gone_on_from_and_the_end_is_refused(runs: Runs) -> None:
    run = parent(runs)
    with pytest.raises(InvalidInput, match=r"the end of epoch 6.*more epochs"):
        forked(runs, run, "end", "last")
    longer = forked(runs, run, "longer", "last", "training.epochs=8")
    assert events(longer, Epoch)[-1].epoch == 8
    stopped = wait(
        runs.start("stopped", numbers(runs, epochs=40, early_stopping_patience=1, early_stopping_delta=1e6), argv=NUMBERS)
    ).run
    assert getattr(stopped.status().final, "reason", "") == "early_stopping"
    child = forked(runs, stopped, "goes-on", "last", "training.early_stopping_patience=0", "training.epochs=5")
    assert events(child, Epoch)[-1].epoch == 5


@pytest.mark.slow
def test_a_point_without_a_checkpoint_is_refused_with_those_that_there_are(runs: Runs) -> None:
    run = parent(runs)
    points = fork_points(run)
    with pytest.raises(InvalidInput, match=rf"received '7777777'.*step {points[-1].step:,}") as caught:
        fork(run, "7777777", run.read_spec().load_design(), RunFolder(runs.folder / "x"))
    assert caught.value.problems[0].code == "no_such_checkpoint"
    assert point_at(points, points[1].step + 0.5) == points[1]
    assert point_at(points, points[0].step - 1) is None
    path = points[0].path
    path.write_bytes(path.read_bytes()[:-9])
    assert fault(path)
    with pytest.raises(InvalidInput, match="damaged"):
        fork(run, str(points[0].step), run.read_spec().load_design(), RunFolder(runs.folder / "y"))


def test_what_changes_weights_is_refused_and_other_data_is_said(tmp_path: Path) -> None:
    before = designs.bound(designs.stack(units=(6,)), designs.write_rows(tmp_path, 24), batch_size=12)
    assert fork_problems(before, before) == ()
    name = next(block.id for block in before.blocks if block.kind == "recurrent_decoder")
    wider = set_value(before, f"{name}.units", "8")
    wrong = fork_problems(before, wider)
    assert {problem.code for problem in wrong} == {"fork_other_weights"}
    assert name in {problem.where for problem in wrong}
    assert not fork_problems(before, set_value(before, f"{name}.dropout", "0.3"))
    other = fork_problems(before, set_value(before, "data.split.seed", "5"))
    assert [(problem.severity, problem.code) for problem in other] == [("warning", "fork_other_data")]
    assert "data.split.seed: 0 → 5" in other[0].text


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.long
def test_forks_of_real_models_repeat_the_curve_change_optimizer_and_batch(runs: Runs) -> None:
    run = runs.finish("parent", runs.spec(designs.stack(units=(6,)), epochs=2, mini_epochs=2)).run
    whole = runs.finish("whole", runs.spec(designs.stack(units=(6,)), epochs=3, mini_epochs=2)).run
    same = forked(runs, run, "same", "last", "training.epochs=3", argv=None)
    assert_close(curve(same), curve(whole))
    slower = forked(runs, run, "slower", "last", "training.epochs=3", "training.learning_rate=1e-4", argv=None)
    assert [curve(slower)[step] == losses for step, losses in curve(whole).items()] == [True] * 4 + [False] * 2
    other = forked(runs, run, "sgd", "last", "training.epochs=3", "training.optimizer=sgd", argv=None)
    assert other.status().state == "finished", other.status().text
    assert any(event.code == "fork_optimizer_anew" for event in events(other, Message))
    batch = forked(runs, run, "batch", "last", "training.epochs=3", "training.batch_size=48", argv=None)
    assert [(event.first_step, event.steps_per_epoch) for event in events(batch, Started)] == [(0, 4), (8, 4)]
    assert sorted(curve(batch)) == [2, 4, 6, 8, 10, 12]
    assert [event.epoch for event in events(batch, Epoch)] == [1, 1, 2, 2, 3, 3]


def test_a_fork_is_an_ordinary_specification(tmp_path: Path) -> None:
    """A run of before has no `fork`, and reads as before."""
    old = RunSpec(design=document.to_builtins(designs.stack(units=(6,))))
    plain = msgspec.to_builtins(old)
    del plain["fork"]
    assert msgspec.convert(plain, RunSpec).fork is None
