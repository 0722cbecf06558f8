"""What the training loop obeys: commands, while it trains, waits for steps to be compiled, or has not begun."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from seqdec_gui.runner.commands import Commands, StopRequested
from seqdec_gui.runs import control
from seqdec_gui.runs.control import CommandReader
from seqdec_gui.runs.events import (
    Checkpoint,
    CommandAnswer,
    Continued,
    Epoch,
    EventWriter,
    Finished,
    Message,
    Paused,
    Stopped,
)
from tests.runner.loop_bench import Bench


def test_a_stop_is_obeyed_while_steps_are_compiled(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.while_compiling("stop")
    final = bench.run()

    assert isinstance(final, Stopped)
    assert final.step == 0
    assert bench.engine.seen == []
    assert [answer.ok for answer in bench.events(CommandAnswer)] == [True]
    assert bench.folder.checkpoint("last").exists()  # a resume begins with these weights


def test_a_rate_that_is_set_while_steps_are_compiled_is_that_of_the_next_step(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.while_compiling(("set_learning_rate", 0.5), "checkpoint")
    bench.run()

    assert [answer.ok for answer in bench.events(CommandAnswer)] == [True, True]
    assert bench.engine.rates == pytest.approx([0.5] * 9)
    assert bench.events(Checkpoint)[0].step == 0


def test_a_hold_while_steps_are_compiled_is_not_taken_for_compiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    bench.while_compiling("hold")

    def go_on(_: float, sleep: Callable[[float], None] = time.sleep) -> None:
        sleep(1.5)
        bench.send("continue")

    monkeypatch.setattr("seqdec_gui.runner.commands.time.sleep", go_on)
    bench.run()
    (told,) = [message for message in bench.events(Message) if message.code == "first_step"]
    assert float(told.text.split(" took ")[1].split()[0]) < 1.0, told.text
    assert bench.events(Epoch)[0].seconds < 1.0


def test_commands_are_answered_with_their_id(tmp_path: Path) -> None:
    bench = Bench(tmp_path, epochs=4)
    bench.at(5, ("set_learning_rate", 0.5), "checkpoint", "continue")
    bench.run()
    answers = bench.events(CommandAnswer)

    assert [(answer.command, answer.ok) for answer in answers] == [
        ("set_learning_rate", True), ("checkpoint", True), ("continue", False),
    ]  # fmt: skip
    sent = [control._parse(line) for line in bench.folder.commands.read_bytes().splitlines()]
    assert [answer.id for answer in answers] == [command.id for command in sent]
    assert bench.engine.rates[0] == pytest.approx(0.001)
    assert bench.engine.rates[-1] == pytest.approx(0.5)


class Recorder:
    """A handler of commands that notes the learning rates."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def set_learning_rate(self, value: float) -> str:
        self.rates.append(value)
        return "so be it"

    def save_checkpoint(self) -> str:
        return ""

    def hold_began(self) -> None:
        pass

    def hold_ended(self) -> None:
        pass


def test_before_the_training_only_a_stop_is_obeyed_and_the_rest_when_it_begins(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.send(("set_learning_rate", 0.5))
    with EventWriter(bench.folder.events) as events:
        commands = Commands(CommandReader(bench.folder.commands, 0), events)
        commands.look_for_stop()
        assert bench.events(CommandAnswer) == []
        handler = Recorder()
        commands.obey(handler)
        assert handler.rates == [0.5]
        bench.send("hold")
        bench.send("stop")
        with pytest.raises(StopRequested):
            commands.look_for_stop()
    assert [(answer.command, answer.text) for answer in bench.events(CommandAnswer)] == [
        ("set_learning_rate", "so be it"), ("stop", "Stopping."),
    ]  # fmt: skip


def test_a_line_that_is_no_command_is_answered_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def write(step: int) -> None:
        if step == 1:
            bench.folder.commands.write_text('{"command":"dance","id":"x"}\n')

    bench.engine.after_interval = write
    assert isinstance(bench.run(), Finished)
    (answer,) = bench.events(CommandAnswer)
    assert (answer.id, answer.ok) == ("x", False)
    assert "dance" in answer.text


def test_a_hold_waits_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            bench.send("continue")

    monkeypatch.setattr("seqdec_gui.runner.commands.time.sleep", sleep)
    bench.at(4, "hold")
    assert isinstance(bench.run(), Finished)

    assert len(waited) == 3
    kinds = [type(event) for event in bench.events()]
    assert kinds.index(Paused) < kinds.index(Continued)
    (paused,) = bench.events(Paused)
    assert paused.step >= 4
    assert len(bench.engine.seen) == 9


def test_a_held_run_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    monkeypatch.setattr("seqdec_gui.runner.commands.time.sleep", lambda _: bench.send("stop"))
    bench.at(4, "hold")
    assert isinstance(bench.run(), Stopped)
    assert isinstance(bench.resume(), Finished)


def test_a_held_run_can_be_paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    monkeypatch.setattr("seqdec_gui.runner.commands.time.sleep", lambda _: bench.send("pause"))
    bench.at(4, "hold")
    final = bench.run()
    assert isinstance(final, Stopped)
    assert final.paused


def test_a_pause_saves_everything_ends_the_run_and_costs_nothing(tmp_path: Path) -> None:
    folders = [tmp_path / "paused", tmp_path / "whole"]
    for folder in folders:
        folder.mkdir()
    paused, whole = (Bench(folder) for folder in folders)
    paused.report_every_s = 1e-6
    paused.at(4, "pause")
    final = paused.run()
    assert isinstance(final, Stopped)
    assert final.paused
    assert 4 <= final.step < 9
    assert isinstance(paused.resume(), Finished)
    assert isinstance(whole.run(), Finished)
    found, expected = (
        [event.metrics[name] for event in bench.events(Epoch) for name in ("loss", "val_loss")] for bench in (paused, whole)
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_pause_before_the_training_ends_the_run_before_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with EventWriter(bench.folder.events) as events:
        commands = Commands(CommandReader(bench.folder.commands, 0), events)
        bench.send("pause")
        with pytest.raises(StopRequested) as request:
            commands.look_for_stop()
    assert request.value.paused
