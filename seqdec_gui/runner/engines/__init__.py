"""Two ways to train the same model on N devices; what is above them does not know which one runs."""

from __future__ import annotations

import contextlib
import threading
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdec_gui.runner.engines.base import Engine
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runs.spec import Placement


def begin(placement: Placement) -> None:
    """Import JAX, and begin in a thread what takes a second on GPUs, most of it waiting for the driver: CUDA's start.

    Call it before rows are read. On a CPU there is nothing to wait for, and the engine sets first how many devices there are.
    """
    if placement.engine == "jax" and placement.devices.kind == "gpu":
        with contextlib.suppress(Exception):  # the engine asks again, and says what is missing, or why there are no devices
            import jax  # not in the thread: NumPy cannot be imported by two at once

            threading.Thread(target=_start_cuda, args=(jax,), daemon=True, name="start CUDA").start()


def create(placement: Placement, program: Program) -> Engine:
    """The engine that a run was given. Imports its framework; call before anything else touches a device."""
    if placement.engine == "jax":
        from seqdec_gui.runner.engines.jax import JaxEngine

        return JaxEngine(program, placement.devices)
    from seqdec_gui.runner.engines.tensorflow import TensorFlowEngine

    return TensorFlowEngine(program, placement.devices)


def _start_cuda(jax: ModuleType) -> None:
    with contextlib.suppress(Exception):
        jax.devices()
