"""Two ways to train the same model on N devices; what is above them does not know which one runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdec_gui.runner.engines.base import Engine
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runs.spec import Placement


def create(placement: Placement, program: Program) -> Engine:
    """The engine that a run was given. Imports its framework; call before anything else touches a device."""
    if placement.engine == "jax":
        from seqdec_gui.runner.engines.jax import JaxEngine

        return JaxEngine(program, placement.devices)
    from seqdec_gui.runner.engines.tensorflow import TensorFlowEngine

    return TensorFlowEngine(program, placement.devices)
