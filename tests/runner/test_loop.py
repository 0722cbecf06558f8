"""The training loop on an engine of plain numbers: what is reported, kept and obeyed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.training import Training
from seqdec_gui.runner import checkpoints, session
from seqdec_gui.runner.checkpoints import Progress
from seqdec_gui.runner.commands import Commands, StopRequested
from seqdec_gui.runner.engines.base import Engine, Floats, Interval, Rows, Sum
from seqdec_gui.runner.loop import Loop
from seqdec_gui.runner.program import Program
from seqdec_gui.runs import control
from seqdec_gui.runs.control import CommandReader
from seqdec_gui.runs.events import (
    Checkpoint,
    CommandAnswer,
    Continued,
    Epoch,
    Event,
    EventWriter,
    Failed,
    FinalEvent,
    Finished,
    Message,
    Paused,
    Stopped,
    decode,
)
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice
from tests.runner import designs


class Number:
    """What a checkpoint needs of a Keras variable."""

    dtype = "float64"

    def __init__(self, name: str, value: npt.NDArray[np.float64]) -> None:
        self.name, self.value = name, value

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def numpy(self) -> npt.NDArray[np.float64]:
        return self.value

    def assign(self, value: npt.NDArray[np.float64]) -> None:
        self.value = np.array(value)


class Adder(Engine):
    """The weight adds up a hash of the rows it sees, so it tells which rows came in which order; the loss is `loss(step)`."""

    name = "adder"

    def __init__(self, program: Program, loss: Callable[[int], float] = lambda step: 1 / (step + 1)) -> None:
        super().__init__(program, DeviceChoice("cpu"))
        self.weight, self.slot = Number("kernel", np.zeros(2)), Number("iterations", np.zeros(()))
        self.models = {"block": SimpleNamespace(layers=[SimpleNamespace(name="layer", variables=[self.weight])])}  # type: ignore[dict-item]
        self.optimizer = SimpleNamespace(variables=[self.slot])
        self.loss = loss
        self.seen: list[npt.NDArray[np.int64]] = []
        self.rates: list[float] = []
        self.counted = 0.0
        self.after_interval: Callable[[int], None] = lambda step: None

    def build(self) -> None: ...

    def start(self, dataset: Dataset) -> None: ...

    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        losses = []
        for line, rate in zip(rows, learning_rates, strict=True):
            step = int(self.slot.value)
            self.seen.append(line)
            self.rates.append(float(rate))
            losses.append(self.loss(step))
            self.weight.value = self.weight.value * 1.0001 + np.array([line.sum(), rate * (line * np.arange(len(line))).sum()])
            self.slot.value = self.slot.value + 1
        self.after_interval(int(self.slot.value))
        return Interval(np.array(losses, np.float32), self._sums(float(np.sum(losses)), len(losses)))

    def evaluate(self, rows: Rows, weights: Floats) -> Mapping[str, Sum]:
        self.counted += float(weights.sum())
        return self._sums(self.loss(int(self.slot.value)) * len(rows), len(rows))

    def _sums(self, total: float, count: float) -> dict[str, Sum]:
        return {f"loss/{name}": Sum(total, count) for name in ("loss", "token_accuracy", "exact_accuracy")}

    def predict(self, rows: Rows) -> list[Any]:
        return []

    def sync(self) -> None: ...

    def load(self) -> None: ...


class SlowToCompile(Adder):
    """As on several GPUs: calls of few lengths, each of which takes long to be made ready."""

    fewest_steps = 4

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.compiled: set[int] = set()
        self.intervals: list[int] = []

    def make_ready(self, steps: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
        lengths = {4 if steps >= 4 else 0, steps % 4} - {0}
        time.sleep(0.3 * len(lengths - self.compiled))
        self.compiled |= lengths
        return True

    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        self.intervals.append(len(rows))
        return super().train(rows, learning_rates, kl_weights)


class NeverReady(Adder):
    """Compiles for as long as anybody waits; `asked` is called as soon as somebody does."""

    asked: Callable[[], None]

    def make_ready(self, steps: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
        self.asked()
        for _ in range(1000):
            meanwhile()
            time.sleep(0.01)
        return True


class AskedAtFirst(Adder):
    """Looks at the commands as often as there are `commands`, before its first step; `asked` sends one each time."""

    asked: Callable[[], None]
    commands: list[control.Command]

    def make_ready(self, steps: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
        while self.commands:
            self.asked()
            meanwhile()
        return True


class Bench:
    """A run folder and a loop around an `Adder`."""

    report_every_s = 1.0

    def __init__(
        self, folder: Path, loss: Callable[[int], float] | None = None, validation: float = 0.2, **training: Any
    ) -> None:
        file = designs.write_rows(folder)
        design = designs.bound(
            designs.stack(), file, Split(validation=validation), **({"batch_size": 12, "epochs": 3} | training)
        )
        self.folder = RunFolder(folder)
        self.dataset = open_dataset(design.data, data_ports(design), folder)
        self.program = Program.of(design, self.folder.model)
        self.loss = loss or (lambda step: 1 / (step + 1))
        self.engine = Adder(self.program, self.loss)
        steps = len(self.dataset.training) // self.program.training.batch_size
        self.fresh = Progress(steps_per_epoch=steps, batch_size=self.program.training.batch_size)

    def run(self, progress: Progress | None = None) -> FinalEvent:
        with EventWriter(self.folder.events) as events:
            offset = self.folder.commands.stat().st_size if self.folder.commands.exists() else 0
            commands = Commands(CommandReader(self.folder.commands, offset), events)
            loop = Loop(self.engine, self.dataset, self.folder, events, commands, progress or self.fresh, self.report_every_s)
            return loop.run()

    def resume(self) -> FinalEvent:
        """In what would be a new process."""
        self.engine = Adder(self.program, self.loss)
        return self.run(checkpoints.load(self.folder.checkpoint("last"), self.engine.models, self.engine.optimizer))

    def events(self, kind: type[Any] | None = None) -> list[Any]:
        found: list[Event] = [decode(line) for line in self.folder.events.read_bytes().splitlines()]
        return [event for event in found if kind is None or isinstance(event, kind)]

    def send(self, *commands: tuple[str, float | None] | str) -> None:
        for command in commands:
            self.folder.send(control.command(*((command,) if isinstance(command, str) else command)))

    def at(self, step: int, *commands: tuple[str, float | None] | str) -> None:
        """Send these commands once so many steps are done."""
        before = self.engine.after_interval

        def after(done: int) -> None:
            before(done)
            if done >= step and not sent:
                sent.append(done)
                self.send(*commands)

        sent: list[int] = []
        self.engine.after_interval = after


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


def test_a_stop_is_obeyed_while_steps_are_compiled(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.engine = NeverReady(bench.program, bench.loss)
    bench.engine.asked = lambda: bench.folder.send(control.command("stop"))
    began = time.monotonic()
    final = bench.run()

    assert isinstance(final, Stopped)
    assert final.step == 0
    assert time.monotonic() - began < 5
    assert [answer.ok for answer in bench.events(CommandAnswer)] == [True]
    assert bench.folder.checkpoint("last").exists()  # a resume begins with these weights


def test_a_rate_that_is_set_while_steps_are_compiled_is_that_of_the_next_step(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.engine = AskedAtFirst(bench.program, bench.loss)
    bench.engine.commands = [control.command("set_learning_rate", 0.5), control.command("checkpoint")]
    bench.engine.asked = lambda: bench.folder.send(bench.engine.commands.pop(0))
    bench.run()

    assert [answer.ok for answer in bench.events(CommandAnswer)] == [True, True]
    assert bench.engine.rates == pytest.approx([0.5] * 9)
    assert bench.events(Checkpoint)[0].step == 0


def test_a_pause_while_steps_are_compiled_is_not_taken_for_compiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    bench.engine = AskedAtFirst(bench.program, bench.loss)
    bench.engine.commands = [control.command("pause"), control.command("checkpoint")]
    bench.engine.asked = lambda: bench.folder.send(bench.engine.commands.pop(0))

    def go_on(seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        sleep(1.5)
        bench.folder.send(control.command("continue"))

    monkeypatch.setattr("seqdec_gui.runner.commands.time.sleep", go_on)
    bench.run()
    (told,) = [message for message in bench.events(Message) if message.code == "first_step"]
    assert float(told.text.split(" took ")[1].split()[0]) < 1.0, told.text
    assert bench.events(Epoch)[0].seconds < 1.0


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
    rates = [event.metrics["learning_rate"] for event in bench.events(Epoch)]
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5])


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


def test_before_the_training_only_a_stop_is_obeyed_and_the_rest_when_it_begins(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.send(("set_learning_rate", 0.5))
    with EventWriter(bench.folder.events) as events:
        commands = Commands(CommandReader(bench.folder.commands, 0), events)
        commands.look_for_stop()
        assert bench.events(CommandAnswer) == []
        set_to: list[float] = []
        commands.set_rate = lambda value: set_to.append(value) or "so be it"  # type: ignore[func-returns-value]
        commands.obey()
        assert set_to == [0.5]
        bench.send("pause")
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


def test_a_pause_waits_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            bench.send("continue")

    monkeypatch.setattr("seqdec_gui.runner.commands.time.sleep", sleep)
    bench.at(4, "pause")
    assert isinstance(bench.run(), Finished)

    assert len(waited) == 3
    kinds = [type(event) for event in bench.events()]
    assert kinds.index(Paused) < kinds.index(Continued)
    (paused,) = bench.events(Paused)
    assert paused.step >= 4
    assert len(bench.engine.seen) == 9


def test_a_paused_run_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    monkeypatch.setattr("seqdec_gui.runner.commands.time.sleep", lambda _: bench.send("stop"))
    bench.at(4, "pause")
    assert isinstance(bench.run(), Stopped)
    assert isinstance(bench.resume(), Finished)


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
