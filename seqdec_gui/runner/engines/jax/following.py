"""A process of a run on several hosts other than process 0: makes each call of the engine that process 0 makes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from seqdec_gui.data import fitted
from seqdec_gui.data.dataset import Dataset
from seqdec_gui.domain import document
from seqdec_gui.runner.engines.jax import hosts
from seqdec_gui.runner.engines.jax.engine import JaxEngine
from seqdec_gui.runner.engines.jax.leading import Plan, Shapes
from seqdec_gui.runner.engines.jax.meeting import Call, Meeting
from seqdec_gui.runner.program import Program
from seqdec_gui.runner.script_files import write_script
from seqdec_gui.runs.spec import DeviceChoice

ENDED = "ended/{}"
"""The key under which a process says that it ends, or why it failed."""


def follow(at: Sequence[str], number: int, processes: int, devices: DeviceChoice) -> None:
    """Train as process `number` until process 0 says that it is over. Raises Lost, and what Keras and JAX raise."""
    meeting = Meeting(at, number, processes)
    meeting.begin()
    try:
        with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as folder:
            Follower(meeting, devices, Path(folder)).run()
    except Exception as error:
        meeting.say(ENDED.format(number), f"{type(error).__name__}: {error}"[:400].encode())
        raise
    meeting.say(ENDED.format(number), b"")


class Follower:
    """Carries out calls. The script of the model lies in a temporary folder; nothing else is written."""

    def __init__(self, meeting: Meeting, devices: DeviceChoice, folder: Path) -> None:
        self._meeting, self._devices, self._folder = meeting, devices, folder
        self._engine: JaxEngine
        self._dataset: Dataset
        self._contexts = ExitStack()

    def run(self) -> None:
        """Carry out calls until the last."""
        while (call := self._meeting.next_call()).name != "end":
            self._carry_out(call)

    def _carry_out(self, call: Call) -> None:
        arrays = [block.array for block in call.arrays]
        match call.name:
            case "build":
                self._build(msgspec.msgpack.decode(call.data, type=Plan))
            case "start":
                self._start(msgspec.msgpack.decode(call.data, type=Shapes))
            case "renew":
                self._dataset = self._received(self._dataset)
                self._engine.renew(self._dataset)
            case "make_ready":
                self._engine.make_ready(call.number)
            case "averaged":
                self._contexts.enter_context(self._engine.averaged())
            case "unreduced":
                self._contexts.enter_context(self._engine.without_reductions())
            case "trained" | "reduced":
                self._contexts.close()
            case "load" | "compile_ahead" | "train" | "evaluate" | "predict":
                getattr(self._engine, call.name)(*arrays)
            case _:
                raise ValueError(
                    f"process 0 asks for {call.name!r}, which is not known here: install the same version everywhere"
                )

    def _build(self, plan: Plan) -> None:
        design = document.from_builtins(plan.design)
        for name, data in plan.files.items():
            (self._folder / Path(name).name).write_bytes(data)
        script = self._folder / "model.py"
        write_script(design, script, (self._folder,))
        self._engine = JaxEngine(Program.of(design, script), self._devices, exact=plan.exact, keep_compiled=plan.keep_compiled)
        self._engine.processes = self._meeting.processes
        self._engine.build()

    def _start(self, shapes: Shapes) -> None:
        known = fitted.loads(shapes.fitted)
        arrays: dict[str, Any] = {name: np.empty(shape, dtype) for name, (dtype, shape) in shapes.arrays.items()}
        nothing = np.zeros(0, np.int64)
        empty = Dataset(arrays, known.feeds, np.zeros(shapes.training, np.int64), nothing, nothing, shapes.rows, known)
        self._dataset = self._received(empty)
        self._engine.start(self._dataset)

    @staticmethod
    def _received(dataset: Dataset) -> Dataset:
        """Return the dataset with the arrays of process 0."""
        arrays = {}
        for name in sorted(dataset.arrays):
            own = dataset.arrays[name]
            data = hosts.sent_from_process_zero(own)
            arrays[name] = np.frombuffer(data, own.dtype).reshape(own.shape)
        return dataset.with_arrays(arrays)
