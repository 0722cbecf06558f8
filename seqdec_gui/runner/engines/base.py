"""What the training loop asks of an engine.

An engine owns the devices, the model's variables while training, and nothing else: rows, learning rates and the weight of
the KL term come in with every call, sums of losses and metrics go out. So both engines see the same rows in the same order,
and a checkpoint of one continues on the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Dataset

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Sum(NamedTuple):
    """A metric before its division: `total / count`."""

    total: float
    count: float

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else float("nan")


class Interval(NamedTuple):
    """What a stretch of training steps gave: the loss of each step, and sums of every metric over all of them."""

    losses: Floats
    metrics: Mapping[str, Sum]


class Engine(ABC):
    """Trains one model on the devices it was made for.

    Life: construct (before anything touches a device), `build`, `start`, then `train` and `evaluate` in any order, `sync`
    whenever the Keras variables are to be read, `load` after they were written. Every global batch divides by `replicas`.
    """

    name: str
    replicas: int

    @abstractmethod
    def build(self) -> None:
        """Build the models under the engine's scope; `self.models` then has every block and "full" as Keras models."""

    @abstractmethod
    def start(self, dataset: Dataset) -> None:
        """Put the data where the devices reach it fast, and prepare the steps. May be called once."""

    @abstractmethod
    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        """One optimizer step per line of `rows` (steps, global batch), with the learning rate and KL factor of that step.

        The rows of a line are split among the replicas in contiguous parts. The loss is that of the global batch: numerators
        and denominators are summed over the replicas before they are divided.
        """

    @abstractmethod
    def evaluate(self, rows: Rows, weights: Floats) -> Mapping[str, Sum]:
        """Losses and metrics at inference of (steps, global batch) rows, each counted `weights` times (0: padding)."""

    @abstractmethod
    def predict(self, rows: Rows) -> list[npt.NDArray[np.float32]]:
        """Predictions of every loss block's source for one-dimensional `rows`, any number of them, at inference."""

    @abstractmethod
    def sync(self) -> None:
        """Bring weights, moving statistics, optimizer slots and random state into the Keras variables."""

    @abstractmethod
    def load(self) -> None:
        """Take weights, moving statistics, optimizer slots and random state from the Keras variables."""
