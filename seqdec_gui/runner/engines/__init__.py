"""Two ways to train the same model on N devices; what is above them does not know which one runs."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdec_gui.runner.engines.base import Engine
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runs.spec import Placement


def begin(placement: Placement) -> None:
    """Begin in a thread what takes seconds on GPUs, most of them waiting for files and the driver: JAX's import, CUDA's start.

    Call it before rows are read. On a CPU there is nothing to wait for, and the engine sets first how many devices there are.
    """
    if placement.engine == "jax" and placement.devices.kind == "gpu":
        threading.Thread(target=_start_cuda, daemon=True, name="start CUDA").start()


def create(placement: Placement, program: Program) -> Engine:
    """The engine that a run was given. Imports its framework; call before anything else touches a device."""
    if placement.engine == "jax":
        from seqdec_gui.runner.engines.jax import JaxEngine

        return JaxEngine(program, placement.devices)
    from seqdec_gui.runner.engines.tensorflow import TensorFlowEngine

    return TensorFlowEngine(program, placement.devices)


def _start_cuda() -> None:
    with contextlib.suppress(Exception):  # the engine asks again, and says why there are no devices
        import jax

        jax.devices()
