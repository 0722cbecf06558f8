"""What the training loop asks of an engine.

An engine owns the devices, the model's variables while training, and nothing else: rows, learning rates and the weight of
the KL term come in with every call, sums of losses and metrics go out. So both engines see the same rows in the same order,
and a checkpoint of one continues on the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras

    from seqdec_gui.data.dataset import Dataset
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runs.spec import DeviceChoice

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Sum(msgspec.Struct, frozen=True):
    """A metric before its division: `total / count`."""

    total: float
    count: float

    def plus(self, more: Sum) -> Sum:
        return Sum(self.total + more.total, self.count + more.count)

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else float("nan")


class Interval(NamedTuple):
    """What a stretch of training steps gave: the loss of each step, and sums of every fraction over all of them.

    `metrics` has the names of `Objective.names`. Add the steps in float64: float32 stops counting at 16.7 million tokens.
    """

    losses: Floats
    metrics: Mapping[str, Sum]


class Engine(ABC):
    """Trains one model on the devices it was made for.

    Life: construct (before anything touches a device), `build`, `start`, then `train` and `evaluate` in any order, `sync`
    whenever the Keras variables are to be read, `load` after they were written. Every global batch divides by `replicas`.

    After `build`: `models` are the blocks and "full", `training_model` shares their layers (`program.training_model`), and
    `optimizer` is built on `training_model.trainable_variables`. Their variables are what a checkpoint holds.
    """

    name: str
    models: dict[str, keras.Model]
    training_model: keras.Model
    optimizer: keras.Optimizer

    def __init__(self, program: Program, devices: DeviceChoice) -> None:
        self.program = program
        self.devices = devices

    @property
    def replicas(self) -> int:
        return self.devices.replicas

    @abstractmethod
    def build(self) -> None:
        """Build models and optimizer under the engine's scope (`Program.build_models`)."""

    @abstractmethod
    def start(self, dataset: Dataset) -> None:
        """Put the data where the devices reach it fast, and prepare the steps. May be called once."""

    def compile_ahead(self) -> None:  # noqa: B027 - an engine may have nothing to begin
        """Begin to compile training steps in the background, for who has other things to do first. `train` waits for them."""

    def make_ready(self, steps: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
        """Wait until a call of `train` with so many steps of the design's batch would compile nothing; False where it may.

        `meanwhile` is called again and again as it waits; what it raises ends the waiting, though not the compilation.
        """
        return False

    @property
    def fewest_steps(self) -> int:
        """Calls of `train` with a multiple of so many steps compile least."""
        return 1

    @abstractmethod
    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        """One optimizer step per line of `rows` (steps, global batch), at that step's learning rate and KL weights.

        `learning_rates` is (steps,), `kl_weights` (steps, divergences of the program), the latter with the annealing multiplied
        in. The rows of a line are split among the replicas in contiguous parts. The loss is that of the global batch:
        numerators and denominators are summed over the replicas before they are divided. May be called with any number of
        steps; calls with the same number cost no new compilation.
        """

    @abstractmethod
    def evaluate(self, rows: Rows, weights: Floats) -> Mapping[str, Sum]:
        """Fractions of `Objective.names` at inference over (steps, global batch) rows, each counted `weights` times.

        A weight of 0 is for padding: any row may stand there.
        """

    @abstractmethod
    def predict(self, rows: Rows) -> list[npt.NDArray[np.float32]]:
        """Predictions of every loss block's source for one-dimensional `rows`, any number of them, at inference."""

    @abstractmethod
    def sync(self) -> None:
        """Bring weights, moving statistics, optimizer slots and random state into the Keras variables."""

    @abstractmethod
    def load(self) -> None:
        """Take weights, moving statistics, optimizer slots and random state from the Keras variables."""
