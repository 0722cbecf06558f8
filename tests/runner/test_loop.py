"""The training loop on an engine of plain numbers: what is reported, kept and obeyed."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.training import Training
from seqdec_gui.runner import checkpoints, session
from seqdec_gui.runner.checkpoints import Progress
from seqdec_gui.runner.engines.base import Sum
from seqdec_gui.runs.events import (
    Checkpoint,
    Epoch,
    EventWriter,
    Failed,
    Finished,
    Message,
    Stopped,
    decode,
)
from tests.runner.loop_bench import Adder, Bench, SlowToCompile


def test_every_epoch_trains_whole_batches_of_other_rows_and_leaves_the_rest_out(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    final = bench.run()

    assert isinstance(final, Finished)
    assert (final.epoch, final.step, final.reason) == (3, 9, "epochs")
    assert len(bench.engine.seen) == 9
    epochs = [np.concatenate(bench.engine.seen[first : first + 3]) for first in (0, 3, 6)]
    for rows in epochs:
        assert len(set(rows)) == 36  # 40 training rows, batches of 12
        assert set(rows) <= set(bench.dataset.training)
    assert len({tuple(rows) for rows in epochs}) == 3
    assert set().union(*epochs) == set(bench.dataset.training)  # other rows are left out each time


def test_waiting_for_a_compilation_is_not_taken_for_training(tmp_path: Path) -> None:
    bench = Bench(tmp_path, batch_size=3)  # 13 steps an epoch
    bench.engine, bench.report_every_s = SlowToCompile(bench.program, bench.loss), 0.02
    bench.run()
    found = bench.engine.intervals
    assert sum(found) == 3 * 13
    assert found[0] == 4
    ends = np.cumsum(found)
    assert all(steps % 4 == 0 or end % 13 == 0 for steps, end in zip(found, ends, strict=True)), found
    assert bench.engine.compiled == {4, 1}
    rates = [event.metrics["samples_per_s"] for event in bench.events(Epoch)]
    assert min(rates) > 3 * 9 / 0.3
    (first,) = [event.text for event in bench.events(Message) if event.code == "first_step"]
    assert first.startswith("The first 4 steps took 0.")
    codes = [event.code for event in bench.events(Message)]
    assert codes.count("compiling") == 1  # said before the first step is there
    assert codes.index("compiling") < codes.index("first_step")


def test_an_epoch_tells_the_metrics_of_training_and_validation(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.run()
    epochs = bench.events(Epoch)

    assert [(event.epoch, event.step, event.part) for event in epochs] == [(1, 3, 1), (2, 6, 1), (3, 9, 1)]
    first = epochs[0].metrics
    assert first["loss"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert first["val_loss"] == pytest.approx(1 / 4)
    assert first["learning_rate"] == 0.001
    assert first["perplexity"] == pytest.approx(np.exp((1 + 1 / 2 + 1 / 3) / 3))
    assert {"token_accuracy", "val_token_accuracy", "exact_accuracy", "samples_per_s"} <= set(first)
    assert bench.engine.counted == 3 * 10  # every validation row, once per epoch


def test_mini_epochs_report_several_times_an_epoch(tmp_path: Path) -> None:
    bench = Bench(tmp_path, mini_epochs=2, epochs=2)
    bench.run()
    told = [(event.epoch, event.step, event.part, event.parts) for event in bench.events(Epoch)]
    assert told == [(1, 2, 1, 2), (1, 3, 2, 2), (2, 5, 1, 2), (2, 6, 2, 2)]
    assert bench.events(Epoch)[1].metrics["loss"] == pytest.approx(1 / 3)  # of its own steps


def test_the_best_checkpoint_is_that_of_the_best_validation(tmp_path: Path) -> None:
    bench = Bench(tmp_path, loss=lambda step: abs(step - 6) + 1.0, epochs=4)
    bench.run()
    best = [event for event in bench.events(Checkpoint) if event.name == "best"]

    assert [event.epoch for event in best] == [1, 2]
    model = Adder(bench.program).models
    assert checkpoints.load_weights(model, bench.folder.checkpoint("best")).total_steps == 6
    assert checkpoints.load_weights(model, bench.folder.checkpoint("last")).total_steps == 12


def test_without_validation_rows_the_training_loss_picks_the_best(tmp_path: Path) -> None:
    bench = Bench(tmp_path, validation=0.0)
    bench.run()
    assert [event.epoch for event in bench.events(Checkpoint) if event.name == "best"] == [1, 2, 3]
    assert not any(name.startswith("val_") for event in bench.events(Epoch) for name in event.metrics)


def test_early_stopping_ends_the_training(tmp_path: Path) -> None:
    bench = Bench(tmp_path, loss=lambda step: 1.0, epochs=50, early_stopping_patience=3)
    final = bench.run()

    assert isinstance(final, Finished)
    assert (final.epoch, final.reason) == (4, "early_stopping")
    assert any(message.code == "early_stopping" for message in bench.events(Message))


def test_plateau_lowers_the_rate(tmp_path: Path) -> None:
    bench = Bench(tmp_path, loss=lambda step: 1.0, epochs=6, schedule="plateau", plateau_patience=2, plateau_factor=0.1)
    bench.run()
    told = [event.text for event in bench.events(Message) if event.code == "plateau"]
    assert told == ["val_loss has not improved for 2 reports: the learning rate falls."] * 2
    rates = [event.metrics["learning_rate"] for event in bench.events(Epoch)]
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5])


def test_checkpoints_are_written_within_an_epoch_and_a_killed_run_goes_on_from_there(tmp_path: Path) -> None:
    folders = [tmp_path / "killed", tmp_path / "whole"]
    for folder in folders:
        folder.mkdir()
    bench, whole = (Bench(folder, epochs=1) for folder in folders)
    bench.checkpoint_every_s, bench.report_every_s = 1e-6, 1e-6

    def die(step: int) -> None:
        if step == 2:
            raise KeyboardInterrupt

    bench.engine.after_interval = die
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    assert [(event.name, event.step) for event in bench.events(Checkpoint)] == [("last", 1)]
    assert isinstance(bench.resume(), Finished)
    whole.run()
    np.testing.assert_array_equal(bench.engine.weight.value, whole.engine.weight.value)
    assert bench.events(Epoch)[-1].metrics["loss"] == pytest.approx(whole.events(Epoch)[-1].metrics["loss"], rel=1e-12)


def test_checkpoints_of_a_slow_disk_take_a_bounded_share_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, batch_size=3, epochs=1)
    bench.checkpoint_every_s, bench.report_every_s = 1e-6, 1e-6
    write, written = checkpoints.save, []

    def slowly(path: Path, *rest: Any) -> None:
        time.sleep(0.2)
        written.append(path.name.split(".")[0])
        write(path, *rest)

    monkeypatch.setattr(checkpoints, "save", slowly)
    bench.run()
    assert written == ["last", "best", "last"]  # after the first step, with the report, and at the end


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    bench = Bench(tmp_path, loss=lambda step: 1 / (step + 1) if step < 7 else float("nan"))
    final = bench.run()

    assert isinstance(final, Failed)
    assert (final.kind, final.epoch) == ("diverged", 3)
    assert "epoch 3" in final.sentence
    assert "step 8" in final.sentence
    assert checkpoints.load_weights(Adder(bench.program).models, bench.folder.checkpoint("best")).total_steps == 6


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def spoil(step: int) -> None:
        if step == 6:
            bench.engine.weight.value = np.array([np.nan, 1.0])

    bench.engine.after_interval = spoil
    final = bench.run()

    assert isinstance(final, Failed)
    assert final.kind == "diverged"
    assert checkpoints.load_weights(Adder(bench.program).models, bench.folder.checkpoint("best")).total_steps == 3


def test_stop_saves_and_a_resume_equals_a_run_that_was_never_stopped(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "stopped").mkdir()
    options: dict[str, Any] = {"epochs": 4, "mini_epochs": 2, "schedule": "cosine", "loss": lambda step: 1 + math.sin(step)}
    whole, stopped = Bench(tmp_path / "whole", **options), Bench(tmp_path / "stopped", **options)
    whole.run()
    stopped.at(4, "stop")
    final = stopped.run()

    assert isinstance(final, Stopped)
    assert 4 <= final.step < 12
    seen = stopped.engine.seen
    assert isinstance(stopped.resume(), Finished)
    np.testing.assert_array_equal(np.array(seen + stopped.engine.seen), np.array(whole.engine.seen))
    np.testing.assert_array_equal(stopped.engine.weight.value, whole.engine.weight.value)

    def told(bench: Bench) -> list[Any]:
        return [(event.epoch, event.step, event.part, {k: v for k, v in event.metrics.items() if k != "samples_per_s"})
                for event in bench.events(Epoch)]  # fmt: skip

    assert told(stopped) == told(whole)


def test_a_run_that_is_done_stays_done_on_resume(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.run()
    assert isinstance(bench.resume(), Finished)
    assert bench.engine.seen == []


@pytest.mark.parametrize(("ended", "advice"), [("epochs", "--epochs 4"), ("early_stopping", "--initial")])
def test_a_resume_with_nothing_left_to_train_says_so(tmp_path: Path, ended: Any, advice: str) -> None:
    writer, done = EventWriter(tmp_path / "events.jsonl"), Progress(epoch=3, ended=ended)
    again = session._continued(done, Progress(), Training(epochs=3), writer)
    (told,) = [decode(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]

    assert again == done
    assert isinstance(told, Message)
    assert told.text.startswith("Nothing is left to train")
    assert advice in told.text


def test_a_metric_that_is_not_finite_is_null_and_a_message_says_so_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.engine.evaluate = lambda rows, weights: {  # type: ignore[method-assign]
        f"loss/{name}": Sum(float("inf"), 1.0) for name in ("loss", "token_accuracy", "exact_accuracy")
    }
    bench.run()
    assert bench.events(Epoch)[0].metrics["val_loss"] is None
    assert [message.text for message in bench.events(Message) if "val_loss" in message.text] == [
        "val_loss is not a finite number in epoch 1."
    ]
