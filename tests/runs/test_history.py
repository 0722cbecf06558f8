"""What a window knows of a run from its events: marks, what is being compiled, the time left."""

from __future__ import annotations

import msgspec
import pytest

from seqdec_gui.runs.events import (
    Checkpoint,
    CommandAnswer,
    Continued,
    Epoch,
    Event,
    Finished,
    Message,
    Paused,
    Started,
    Step,
    Stopped,
)
from seqdec_gui.runs.history import RunHistory
from tests.runs.run_folders import begun


def started(time: float, first_step: int = 0) -> Started:
    epoch = first_step // 100 + 1
    return Started(
        time=time, epochs=10, steps_per_epoch=100, batch_size=8, devices=("cpu:0",), engine="jax",
        first_step=first_step, first_epoch=epoch,
    )  # fmt: skip


def step(time: float, at: int) -> Step:
    return Step(time=time, epoch=at // 100 + 1, step=at, metrics={"loss": 1.0, "learning_rate": 0.01})


def history(*events: Event) -> RunHistory:
    taken = RunHistory()
    taken.take(events)
    return taken


def marks(taken: RunHistory) -> list[tuple[str, float, str]]:
    return [(mark.kind, mark.step, mark.text) for mark in taken.marks]


def said(taken: RunHistory) -> list[str]:
    return [message.text for message in taken.messages]


def test_the_time_left_does_not_count_what_was_compiled_before_the_first_report() -> None:
    taken = history(started(100.0), step(160.0, 1))  # a minute for one step
    assert taken.steps_per_s is None
    assert taken.seconds_left is None  # rather than sixteen hours
    taken.take([step(161.0, 11), step(162.0, 21)])
    assert taken.steps_per_s == pytest.approx(10)
    assert taken.seconds_left == pytest.approx(97.9)


def test_neither_does_it_after_a_resumption_or_a_pause() -> None:
    taken = history(started(0.0), step(10.0, 1), step(20.0, 101), Stopped(time=20.0, step=101))
    taken.take([started(500.0, 101), step(560.0, 102)])
    assert taken.seconds_left is None
    taken.take([step(561.0, 112)])
    assert taken.steps_per_s == pytest.approx(10)
    taken.take([Paused(time=562.0, step=112), Continued(time=9000.0, step=112), step(9001.0, 122)])
    assert taken.steps_per_s == pytest.approx(10)


def test_a_run_compiles_from_its_start_to_its_first_report() -> None:
    taken = history(started(100.0))
    assert taken.compiling_since == 100.0
    taken.take([step(130.0, 1)])
    assert taken.compiling_since is None
    taken.take([Stopped(time=131.0, step=1), started(200.0, 1)])
    assert taken.compiling_since == 200.0
    taken.take([Finished(time=201.0)])
    assert taken.compiling_since is None


def test_a_learning_rate_that_was_set_is_marked_and_said_and_one_that_was_refused_is_only_said() -> None:
    taken = history(started(0.0), step(1.0, 50))
    text = "The learning rate is 0.001 from step 51 on."
    taken.take([CommandAnswer(time=2.0, id="a", command="set_learning_rate", text=text)])
    taken.take([CommandAnswer(time=2.0, id="b", command="set_learning_rate", ok=False, text="Too large.")])
    assert marks(taken) == [("learning_rate", 50, text.rstrip("."))]
    assert said(taken) == [text, "The run refused to set learning rate: Too large."]
    assert [message.severity for message in taken.messages] == ["info", "warning"]
    assert len(taken.answers) == 2


def test_a_fall_of_the_rate_on_a_plateau_is_marked() -> None:
    text = "val_loss has not improved for 5 reports: the learning rate falls."
    taken = history(started(0.0), step(1.0, 50), Message(time=2.0, text=text, code="plateau"))
    assert marks(taken) == [("learning_rate", 50, text.rstrip("."))]
    assert said(taken) == [text]


def test_a_pause_has_one_mark_which_says_how_long_it_was() -> None:
    taken = history(started(0.0), step(1.0, 50), Paused(time=2.0, step=50))
    assert marks(taken) == [("pause", 50, "Paused")]
    taken.take([Continued(time=302.0, step=50), step(303.0, 60)])
    assert marks(taken) == [("pause", 50, "Paused for 5 min")]
    assert said(taken) == ["Paused after step 50.", "Continued after a pause of 5 min."]
    mark = next(iter(taken.marks))
    assert mark.along("epoch") == 0.5
    assert mark.along("time") == pytest.approx(1.0, abs=1.01)  # the curves leave the pause out too


def test_a_pause_that_ended_the_process_is_one_mark_too() -> None:
    taken = history(started(0.0), step(1.0, 50), Stopped(time=2.0, step=50, paused=True))
    assert marks(taken) == [("pause", 50, "Paused")]
    taken.take([started(62.0, 50)])
    assert marks(taken) == [("pause", 50, "Paused for 1 min")]
    assert said(taken)[-1] == "Continued after a pause of 1 min on cpu:0."
    taken.take([step(63.0, 60), Stopped(time=64.0, step=60), started(100.0, 60)])  # the next time it was stopped
    assert marks(taken)[1:] == [("resume", 60, "Resumed after step 60 on cpu:0")]


def test_a_resumption_is_marked_and_takes_back_the_marks_beyond_it() -> None:
    taken = history(started(0.0), step(1.0, 50), CommandAnswer(time=1.0, id="a", command="checkpoint"))
    taken.take([step(2.0, 90), CommandAnswer(time=2.0, id="b", command="checkpoint"), Stopped(time=2.0, step=90)])
    taken.take([started(100.0, 60)])
    assert marks(taken) == [("checkpoint", 50, "Checkpoint written"), ("resume", 60, "Resumed after step 60 on cpu:0")]


def test_the_best_and_the_last_checkpoint_have_one_mark_each_however_many_there_were() -> None:
    taken = history(started(0.0))
    for epoch in range(1, 8):
        at = 100 * epoch
        metrics = {"loss": 1.0, "val_loss": 2.0 / epoch}
        taken.take(
            [
                step(float(epoch), at),
                Epoch(time=float(epoch), epoch=epoch, step=at, metrics=metrics),
                Checkpoint(time=float(epoch), name="best", epoch=epoch, step=at, path="best", metrics=metrics),
                Checkpoint(time=float(epoch), name="last", epoch=epoch, step=at, path="last", metrics=metrics),
            ]
        )
    assert [(kind, at) for kind, at, _ in marks(taken)] == [("saved", 700), ("best", 700)]
    assert said(taken)[-1] == "Best weights so far: val loss 0.2857, epoch 7."
    assert not any("Last checkpoint" in text for text in said(taken))  # one every few seconds would drown the others


def test_a_report_that_a_resumed_run_repeats_stands_once() -> None:
    """A checkpoint at the last step of an epoch may come before its report, which the resumed run then makes again."""
    history = RunHistory()
    history.take(
        [begun(), Epoch(epoch=1, step=10, metrics={"val_loss": 0.5}), Epoch(epoch=2, step=20, metrics={"val_loss": 0.4})]
    )
    again = msgspec.structs.replace(begun(), first_epoch=2, first_step=20)
    history.take(
        [again, Epoch(epoch=2, step=20, metrics={"val_loss": 0.4}), Epoch(epoch=3, step=30, metrics={"val_loss": 0.3})]
    )
    assert history.epochs["val_loss"].steps.tolist() == [10, 20, 30]
    assert history.epochs["val_loss"].values.tolist() == pytest.approx([0.5, 0.4, 0.3])
