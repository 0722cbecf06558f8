"""A training loop on an engine of plain numbers, for tests that need no framework."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.checkpoints import Progress
from seqdec_gui.runner.commands import Commands
from seqdec_gui.runner.engines.base import Engine, Floats, Interval, Rows, Sum
from seqdec_gui.runner.loop import Loop
from seqdec_gui.runner.program import Program
from seqdec_gui.runs import control
from seqdec_gui.runs.control import CommandReader
from seqdec_gui.runs.events import (
    Event,
    EventWriter,
    FinalEvent,
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
        self.while_compiling: list[Callable[[], None]] = []
        """What happens, one by one, while somebody waits for the first step."""

    def build(self) -> None: ...

    def start(self, dataset: Dataset) -> None: ...

    def make_ready(self, steps: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
        while self.while_compiling:
            self.while_compiling.pop(0)()
            meanwhile()
        return False

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


class Bench:
    """A run folder and a loop around an `Adder`."""

    report_every_s = 1.0
    checkpoint_every_s = 120.0

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
        self.quality: Any = None
        """What stands for `runner.quality.reports.QualityReports`."""
        self.fresh = Progress(steps_per_epoch=steps, batch_size=self.program.training.batch_size)

    def run(self, progress: Progress | None = None) -> FinalEvent:
        with EventWriter(self.folder.events) as events:
            offset = self.folder.commands.stat().st_size if self.folder.commands.exists() else 0
            commands = Commands(CommandReader(self.folder.commands, offset), events)
            loop = Loop(self.engine, self.dataset, self.folder, events, commands, progress or self.fresh,
                        self.report_every_s, self.checkpoint_every_s)  # fmt: skip
            loop.quality = self.quality
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

    def while_compiling(self, *commands: tuple[str, float | None] | str) -> None:
        """Send each of these commands while the first step is compiled."""
        self.engine.while_compiling = [functools.partial(self.send, command) for command in commands]
