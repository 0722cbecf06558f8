"""The engine of process 0 of a run on several hosts: whatever it computes, it has the other processes compute with it.

Everything above the engine is that of a run on one host: only this process knows commands, checkpoints and the run folder. The
others need no file either: the design and the rows come from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jax
import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.domain import document
from seqdec_gui.domain.codegen import keras_file_names
from seqdec_gui.runner.engines.base import Floats, Interval, Rows, Sum
from seqdec_gui.runner.engines.jax import hosts
from seqdec_gui.runner.engines.jax.engine import JaxEngine
from seqdec_gui.runner.engines.jax.meeting import Block, Call, Meeting

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Dataset
    from seqdec_gui.runner.cluster import Party
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runs.spec import DeviceChoice


class Plan(msgspec.Struct, frozen=True):
    """What the other processes are told at first: the design, its imported Keras files, and how to compute."""

    design: dict[str, Any]
    files: dict[str, bytes]
    exact: bool
    keep_compiled: bool


class Shapes(msgspec.Struct, frozen=True):
    """What the others are told of a dataset before its arrays are sent."""

    arrays: dict[str, tuple[str, tuple[int, ...]]]
    fitted: bytes
    training: int
    rows: int


class LeadingEngine(JaxEngine):
    """Tells the other processes of each call before it makes it. Calls that a call makes itself are not told."""

    def __init__(self, program: Program, devices: DeviceChoice, *, party: Party, exact: bool = False, **options: Any) -> None:
        super().__init__(program, devices, exact=exact, **options)
        self.processes = party.processes
        self._party = party
        self._meeting = Meeting(party.at, 0, party.processes)
        self._within = False
        party.tell_the_end = self.end

    @contextmanager
    def _together(self, name: str, *arrays: npt.NDArray[Any], number: int = 0, data: bytes = b"") -> Iterator[None]:
        """Tell the others to make the same call. Raises Lost where one is gone."""
        if self._within:
            yield
            return
        self._within = True
        try:
            self._meeting.tell(Call(name, tuple(map(Block.of, arrays)), number, data))
            yield
        except jax.errors.JaxRuntimeError as error:
            raise self._party.explained(error) from error
        finally:
            self._within = False

    # -- life
    def build(self) -> None:
        self._configure()
        self._meeting.begin(self._party.only_here)
        self._party.has_met(self._meeting)
        folder = self.program.model_file.parent
        names = keras_file_names(self.program.design).values()
        files = {name: (folder / name).read_bytes() for name in names}
        plan = Plan(document.to_builtins(self.program.design), files, self.exact, self._keep_compiled)
        with self._together("build", data=msgspec.msgpack.encode(plan)):
            super().build()

    def start(self, dataset: Dataset) -> None:
        shapes = {name: (array.dtype.str, array.shape) for name, array in dataset.arrays.items()}
        told = Shapes(shapes, dataset.fitted.dumps(), len(dataset.training), dataset.rows)
        with self._together("start", data=msgspec.msgpack.encode(told)):
            self._send(dataset)
            super().start(dataset)

    def renew(self, dataset: Dataset) -> None:
        with self._together("renew"):
            self._send(dataset)
            super().renew(dataset)

    def end(self) -> None:
        """Tell the others that it is over."""
        self._meeting.tell(Call("end"))

    @staticmethod
    def _send(dataset: Dataset) -> None:
        for name in sorted(dataset.arrays):
            hosts.sent_from_process_zero(dataset.arrays[name])

    def load(self) -> None:
        with self._together("load"):
            super().load()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        with self._together("averaged"):
            pass
        try:
            with super().averaged():
                yield
        finally:
            with self._together("trained"):
                pass

    @contextmanager
    def without_reductions(self) -> Iterator[None]:
        with self._together("unreduced"):
            pass
        with super().without_reductions():
            yield
        with self._together("reduced"):
            pass

    # -- compilation
    def compile_ahead(self) -> None:
        with self._together("compile_ahead"):
            super().compile_ahead()

    def make_ready(self, steps: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
        with self._together("make_ready", number=steps):
            pass  # what is done meanwhile may make calls of its own
        return super().make_ready(steps, meanwhile)

    # -- work
    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        with self._together("train", rows.astype("int32"), learning_rates, kl_weights):
            return super().train(rows, learning_rates, kl_weights)

    def evaluate(self, rows: Rows, weights: Floats) -> Mapping[str, Sum]:
        with self._together("evaluate", rows.astype("int32"), weights):
            return super().evaluate(rows, weights)

    def predict(self, rows: Rows) -> list[npt.NDArray[np.float32]]:
        with self._together("predict", rows.astype("int32")):
            return super().predict(rows)


__all__ = ["LeadingEngine", "Plan", "Shapes"]
