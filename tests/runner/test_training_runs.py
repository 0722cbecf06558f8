"""Whole runs in children of their own: what they write, obey, and say when they fail."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from seqdec_gui.runs import control, process
from seqdec_gui.runs.events import (
    Checkpoint,
    CommandAnswer,
    Epoch,
    Failed,
    Finished,
    Message,
    Started,
    Step,
    Stopped,
)
from seqdec_gui.runs.spec import DeviceChoice
from tests.domain.designs import block, design
from tests.runner import designs
from tests.runner.real_runs import Runs, events, runs_in, until, wait, weights

pytestmark = pytest.mark.slow


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with runs_in(tmp_path) as made:
        yield made


def test_a_run_writes_model_data_events_and_checkpoints(runs: Runs) -> None:
    run = runs.finish("run", runs.spec(designs.stack(units=(6,)), mini_epochs=2))
    (started,), told = events(run, Started), events(run, Epoch)

    assert process.exit_status(run.run.status()) == 0, run.run.log.read_text()[-2000:]
    assert isinstance(events(run)[-1], Finished)
    assert (started.epochs, started.steps_per_epoch, started.batch_size, started.mini_epochs) == (2, 8, 24, 2)
    assert (started.rows.training, started.rows.validation) == (192, 48)
    assert started.parameters.total > started.parameters.trainable > 0
    assert {"python", "keras", "tensorflow", "numpy"} <= set(started.versions)
    assert [(event.epoch, event.part, event.step) for event in told] == [(1, 1, 4), (1, 2, 8), (2, 1, 12), (2, 2, 16)]
    assert {"loss", "token_accuracy", "exact_accuracy", "perplexity", "val_loss", "learning_rate", "samples_per_s"} <= set(
        told[-1].metrics
    )
    assert told[-1].metrics["val_loss"] < told[0].metrics["val_loss"]
    assert any(message.code == "first_step" for message in events(run, Message))
    assert {event.name for event in events(run, Checkpoint)} == {"best", "last"}
    assert run.run.data.is_file()
    assert "keras.Model" in run.run.model.read_text()
    assert [path.name for path in run.run.path.iterdir() if path.name.startswith(".")] == []  # nothing half-written


def test_a_stopped_run_that_is_resumed_equals_one_that_was_not(runs: Runs) -> None:
    """With every random layer on: the random numbers go on, too."""
    spec = runs.spec(designs.noisy(), epochs=60, schedule="cosine")
    whole, stopped = runs.finish("whole", spec), runs.start("stopped", spec)
    until(stopped, Step)
    stopped.run.send(control.command("stop"))
    wait(stopped)
    (final,) = events(stopped, Stopped)
    assert process.exit_status(stopped.run.status()) == process.STOPPED_BY_USER
    assert 0 < final.step < 480
    resumed = runs.finish("stopped", msgspec.structs.replace(spec, resume=True))

    assert isinstance(events(resumed)[-1], Finished)
    (_, again) = events(resumed, Started)
    assert again.first_step == final.step
    one, other = weights(whole), weights(resumed)
    for name, expected in one.items():
        np.testing.assert_allclose(other[name], expected, rtol=1e-4, atol=1e-5, err_msg=name)
    seeds = [name for name in one if "seed_generator" in name]
    assert len(seeds) >= 4
    assert all(one[name][1] > 400 for name in seeds)  # they count the draws


def test_a_run_may_go_on_with_another_number_of_devices(runs: Runs) -> None:
    spec = runs.spec(designs.stack(units=(6,)), epochs=40)
    whole, moved = runs.finish("whole", spec), runs.start("moved", spec)
    until(moved, Step)
    moved.pause()
    wait(moved)
    assert moved.run.status().state == "paused"
    moved = runs.finish("moved", msgspec.structs.replace(spec, resume=True, devices=DeviceChoice("cpu", 2)))

    assert events(moved, Started)[-1].devices == ("cpu:0", "cpu:1")
    assert events(moved, Epoch)[-1].metrics["val_loss"] == pytest.approx(events(whole, Epoch)[-1].metrics["val_loss"], rel=1e-3)
    one, other = weights(whole), weights(moved)
    assert max(float(np.abs(one[name] - other[name]).max()) for name in one) < 1e-2


def test_commands_and_sigterm_are_obeyed_within_two_seconds(runs: Runs) -> None:
    run = runs.start("run", runs.spec(designs.stack(units=(6,)), epochs=100_000))
    until(run, Epoch, 3)
    sent = time.time()
    run.run.send(control.command("set_learning_rate", 0.005))
    until(run, CommandAnswer)
    (answer,) = events(run, CommandAnswer)
    assert answer.ok
    assert answer.time - sent < 2.0
    before = len(events(run, Epoch))
    until(run, Epoch, before + 2)
    assert events(run, Epoch)[-1].metrics["learning_rate"] == 0.005
    sent = time.time()
    run.signal(signal.SIGTERM)
    wait(run)
    (final,) = events(run, Stopped)
    assert final.time - sent < 2.0
    assert process.exit_status(run.run.status()) == process.STOPPED_BY_USER


def test_a_run_that_is_stopped_before_it_trains_waits_for_no_trial_export_and_can_be_resumed(runs: Runs) -> None:
    spec = runs.spec(designs.stack(units=(6,)), engine="jax", epochs=1)
    run = runs.start("run", spec)
    run.run.send(control.command("stop"))
    wait(run)
    assert process.exit_status(run.run.status()) == process.STOPPED_BY_USER, run.run.log.read_text()[-2000:]
    assert run.run.status().text == "Stopped by the user before the first step."
    assert events(run, Started) == []
    assert not run.run.checkpoint("last").exists()

    resumed = runs.finish("run", msgspec.structs.replace(spec, resume=True))
    assert isinstance(events(resumed)[-1], Finished), resumed.run.log.read_text()[-2000:]
    assert any(message.code == "begins_anew" for message in events(resumed, Message))


def test_a_run_that_diverges_says_so(runs: Runs) -> None:
    wanted = design(
        [
            block("numbers", "vector", width=3),
            block("dense", "layer_stack", layers=[{"layer": "Dense", "units": 3}]),
            block("loss", "loss", loss="mean_squared_error", metrics=["mean_absolute_error"]),
        ],
        ["numbers.output -> dense.inputs", "dense.outputs -> loss.predictions"],
    )
    run = runs.finish("run", runs.spec(wanted, optimizer="sgd", learning_rate=100.0, epochs=50))
    failed = events(run)[-1]
    assert isinstance(failed, Failed)
    assert failed.kind == "diverged"
    assert f"in epoch {failed.epoch}" in failed.sentence
    assert process.exit_status(run.run.status()) == 1


def test_what_is_invalid_is_told_before_anything_is_trained(runs: Runs) -> None:
    run = runs.finish("run", runs.spec(designs.stack(), batch_size=500))
    failed = events(run)[-1]
    assert isinstance(failed, Failed)
    assert failed.kind == "invalid"
    assert "A batch takes 500 rows, but there are only 192 to train on" in failed.sentence
    assert process.exit_status(run.run.status()) == 2
    assert events(run, Started) == []
    assert not run.run.checkpoint("last").exists()


def test_a_run_begins_with_the_weights_of_another_and_leaves_a_frozen_block_alone(runs: Runs) -> None:
    first = runs.finish("first", runs.spec(designs.stack(units=(6,))))
    spec = runs.spec(designs.stack(units=(6,), trainable=False), seed=7)
    second = runs.finish("second", msgspec.structs.replace(spec, initial_run=str(first.run.path), initial_checkpoint="last"))

    assert process.exit_status(second.run.status()) == 0, second.run.log.read_text()[-2000:]
    assert any(message.code == "initial_weights" for message in events(second, Message))
    before, after = weights(first), weights(second)
    for name in before:
        same = np.array_equal(before[name], after[name])
        assert same == name.startswith("model_1/"), name
    assert events(second, Epoch)[0].metrics["loss"] < events(first, Epoch)[0].metrics["loss"]


@pytest.mark.parametrize(
    "devices", [pytest.param(DeviceChoice("cpu"), marks=pytest.mark.long), DeviceChoice("cpu", 2)], ids=str
)
def test_a_run_that_was_paused_goes_on_with_the_other_engine_and_the_same_curve(runs: Runs, devices: DeviceChoice) -> None:
    """Within an epoch: optimizer, schedule, place in the epoch, and sums of the metrics go on."""
    spec = runs.spec(designs.stack(units=(6,)), epochs=4, schedule="cosine", engine="jax")
    whole = runs.finish("whole", spec)
    paused = runs.start("paused", spec)
    until(paused, Step)
    paused.pause()
    wait(paused)
    assert paused.run.status().state == "paused"
    resumed = runs.finish("paused", msgspec.structs.replace(spec, resume=True, devices=devices, engine="tensorflow"))

    assert events(resumed, Started)[-1].engine == "tensorflow"
    curves = [{event.epoch: event.metrics for event in events(run, Epoch)} for run in (whole, resumed)]
    for epoch in curves[0]:
        for name in ("loss", "val_loss", "learning_rate"):
            assert curves[1][epoch][name] == pytest.approx(curves[0][epoch][name], rel=1e-5), (epoch, name)


@pytest.mark.long
def test_averages_and_micro_batches_go_on_after_a_pause_with_the_other_engine(runs: Runs) -> None:
    """Reports and exports are of the average; the training goes on from the trained weights."""
    spec = runs.spec(
        designs.translation(layers=1, normalised=False), epochs=4, engine="jax", schedule="inverse_square_root",
        warmup_steps=10, optimizer="adamw", micro_batches=3, clip_value=0.01, label_smoothing=0.1, average_decay=0.9,
    )  # fmt: skip
    whole = runs.finish("whole", spec)
    paused = runs.start("paused", spec)
    until(paused, Step)
    paused.pause()
    wait(paused)
    assert paused.run.status().state == "paused"
    two = DeviceChoice("cpu", 2)
    resumed = runs.finish("paused", msgspec.structs.replace(spec, resume=True, devices=two, engine="tensorflow"))

    assert events(resumed, Started)[-1].engine == "tensorflow"
    curves = [{event.epoch: event.metrics for event in events(run, Epoch)} for run in (whole, resumed)]
    assert set(curves[0]) == {1, 2, 3, 4}
    for epoch in curves[0]:
        for name in ("loss", "val_loss", "learning_rate"):
            assert curves[1][epoch][name] == pytest.approx(curves[0][epoch][name], rel=1e-5), (epoch, name)
    for group in ("weights", "averages"):
        one, other = (weights(run, group=group) for run in (whole, resumed))
        assert one.keys() == other.keys() != set()
        for name in one:
            if "seed_generator" not in name:
                np.testing.assert_allclose(other[name], one[name], atol=1e-5, err_msg=name)
    assert any(np.abs(one[name] - weights(whole)[name]).max() > 1e-4 for name in one)
