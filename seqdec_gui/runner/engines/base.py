"""The contract of an engine: what the training loop, the probe and the certificate ask of whatever trains a model.

A new engine implements `Engine` and gets a row in `runs.engines.ENGINES`; nothing else names it. Everything above the engine
works with row numbers, learning rates and sums: it does not know the framework, so a checkpoint of one engine continues on
another, which sees the same rows in the same order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
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
    """A metric before its division: the sum `total` over `count` tokens or rows."""

    total: float
    count: float

    def plus(self, more: Sum) -> Sum:
        return Sum(self.total + more.total, self.count + more.count)

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else float("nan")


class Interval(NamedTuple):
    """The result of several training steps: the loss of each step, and sums of every fraction over all of them.

    `metrics` has the names of `Objective.names`. Add the steps in float64: float32 stops counting at 16.7 million tokens.
    """

    losses: Floats
    metrics: Mapping[str, Sum]


class Engine(ABC):
    """Trains one model on the devices it was made for.

    An engine owns the devices, the compiled steps, and the model's variables while it trains. It is made by `engines.create`,
    in a process whose environment was set for its devices (`runs.environment`), before anything else uses a device.

    Call order: the constructor, `build`, `start`, then `train`, `evaluate` and `predict` in any order; `sync` before the Keras
    variables are read, `load` after they were written. A global batch must divide by `replicas`.

    Attributes:
        name: The engine's name in `runs.engines.ENGINES`.
        program: What to train: the script, its losses, optimizer and seed.
        devices: Where to train; never `auto`.
        processes: How many processes train together, each on such devices of its host.
        exact: Whether matrix products are computed in full float32 (no TensorFloat-32 on GPUs).
        models: After `build`, the Keras models by block id, and "full".
        training_model: After `build`, the full model with the outputs of the KL terms (`program.training_model`). It shares its
            layers with `models`.
        optimizer: After `build`, built on `training_model.trainable_variables`. A checkpoint holds the variables of the models
            and of the optimizer.
    """

    name: str
    processes: int = 1
    models: dict[str, keras.Model]
    training_model: keras.Model
    optimizer: keras.Optimizer

    def __init__(self, program: Program, devices: DeviceChoice, *, exact: bool = False) -> None:
        """Store the arguments, and set the process up for the devices and for `exact` products.

        `exact` costs time on GPUs. Only certificates need it: with TensorFloat-32, two ways to divide a batch differ by 1e-3.
        """
        self.program = program
        self.devices = devices
        self.exact = exact

    @property
    def replicas(self) -> int:
        """The number of devices that share a global batch, those of other hosts included."""
        return self.devices.replicas * self.processes

    def rows_at_once(self, batch: int) -> int:
        """Return how many rows of a global batch all devices compute at once. Raises ValueError if it has no such part.

        A step sums the gradients of `training.micro_batches` parts, each divided by the denominators of the global batch, so
        that it does what a step on the whole batch does.
        """
        parts = self.program.training.micro_batches
        if batch % (parts * self.replicas):
            raise ValueError(f"{batch} rows cannot be divided into {parts} parts on each of {self.replicas} devices")
        return batch // parts

    # -- life
    @abstractmethod
    def build(self) -> None:
        """Build models and optimizer under the engine's scope (`Program.build_models`)."""

    @abstractmethod
    def start(self, dataset: Dataset) -> None:
        """Put the data where the devices reach it fast, and prepare the steps. Call it again to change the data."""

    def renew(self, dataset: Dataset) -> None:
        """Train on arrays of the same shapes in place of those that `start` was given: an epoch may write its rows anew.

        An engine that can do so without a further compilation overrides this method.
        """
        self.sync()
        self.start(dataset)

    @abstractmethod
    def sync(self) -> None:
        """Write weights, moving statistics, optimizer slots and random state to the Keras variables."""

    @abstractmethod
    def load(self) -> None:
        """Read weights, moving statistics, optimizer slots and random state from the Keras variables."""

    def averaged(self) -> AbstractContextManager[None]:
        """Return a context in which `evaluate`, `predict` and `sync` use the moving average of the weights.

        In a context that has ended the weights are the trained ones again. An engine has it whose optimizer is made by
        `optimizers.optimizer_for`.
        """
        raise NotImplementedError(f"{type(self).__name__} keeps no average of the weights")

    # -- compilation
    def compile_ahead(self) -> None:  # noqa: B027 - an engine may have nothing to compile ahead
        """Start to compile the training step in a background thread. `train` blocks until it is ready."""

    def make_ready(self, steps: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
        """Block until `train` can run without compiling.

        Args:
            steps: How many steps the call of `train` will have, at the design's batch size.
            meanwhile: Called several times a second while this waits. An exception that it raises ends the waiting, but not the
                compilation.

        Returns:
            False where the engine cannot tell, so that the next `train` may compile.
        """
        return False

    @property
    def fewest_steps(self) -> int:
        """Pass `train` multiples of this many steps to avoid further compilations."""
        return 1

    # -- work
    @abstractmethod
    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        """Take one optimizer step per line of `rows`.

        The rows of a line are split among the replicas in contiguous parts. The loss is that of the global batch: numerators
        and denominators are summed over the replicas before they are divided. Any number of steps is allowed; calls with the
        same number compile nothing new.

        Args:
            rows: Row numbers of the dataset, (steps, global batch).
            learning_rates: Of each step, (steps,).
            kl_weights: Of each step and KL term of the program, annealing included, (steps, kl_terms).
        """

    @abstractmethod
    def evaluate(self, rows: Rows, weights: Floats) -> Mapping[str, Sum]:
        """Return the fractions of `Objective.names` at inference, summed over rows.

        Args:
            rows: Row numbers, (steps, global batch).
            weights: How often each row counts, of the same shape; 0 for rows that only fill up a batch.
        """

    @abstractmethod
    def predict(self, rows: Rows) -> list[npt.NDArray[np.float32]]:
        """Return the predictions for every loss block at inference, each (rows, ...), for any number of `rows` (rows,)."""

    # -- questions of the probe
    @property
    def resident(self) -> bool:
        """After `start`: whether all rows lie on the devices, so that a step waits for no input."""
        return False

    def peak_memory(self) -> int | None:
        """Return the most bytes in use so far on the fullest GPU, or on a CPU by this whole process; None where unknown.

        An engine that trains on GPUs overrides this method for them.
        """
        return peak_of_process()

    def cudnn_layers(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> int | None:
        """Return how many recurrent layers the compiled training step runs in cuDNN's kernel; 0 on a CPU, None if unknown.

        Call it after `train` with the same arguments.
        """
        return 0 if self.devices.kind == "cpu" else None

    def without_reductions(self) -> AbstractContextManager[None]:
        """Return a context in which `train` sums nothing over the devices, neither gradients nor BatchNormalization's moments.

        The difference in time is the cost of the reductions; the weights that are trained meanwhile are wrong. The first
        `train` in such a context compiles steps of its own, which later contexts reuse. An engine that trains on several
        devices overrides this method.
        """
        if self.replicas > 1:
            raise NotImplementedError(f"{type(self).__name__} cannot train without reductions")
        return nullcontext()


def peak_of_process(status: Path = Path("/proc/self/status")) -> int | None:
    """Return the largest resident set of this process so far in bytes, from `/proc`; None where that is missing."""
    try:
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)
