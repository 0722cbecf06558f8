"""Makes engines by their names in `runs.engines.ENGINES`, for the rest of the child."""

from __future__ import annotations

import contextlib
import os
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.engine_choice import unsuited
from seqdec_gui.runs.engines import engine_info

if TYPE_CHECKING:
    from seqdec_gui.runner.cluster import Party
    from seqdec_gui.runner.engines.base import Engine
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runs.spec import Placement


def begin(placement: Placement) -> None:
    """Start the slow parts of the engine's initialisation, in the background where possible. Call it before rows are read.

    Failures are not raised: `create` meets them again and raises an exception that says what is missing.
    """
    if reference := engine_info(placement.engine).begin:
        with contextlib.suppress(Exception):
            load(reference)(placement.devices)


class ImportAhead:
    """Imports the framework in a thread while another reads rows, which leaves the interpreter free most of the time.

    Wait for it before anything of the framework is imported otherwise: two threads must not meet in half-imported modules. It
    looks at no device. Failures are not raised: `create` meets them again.
    """

    def __init__(self, placement: Placement) -> None:
        for name in ("pyarrow.compute", "pyarrow.csv"):  # and NumPy with them, which two threads cannot import at the same time
            import_module(name)
        self._module = engine_info(placement.engine).engine.partition(":")[0]
        self.thread = threading.Thread(target=self._import, name="import the framework", daemon=True)
        self.thread.start()

    def _import(self) -> None:
        with contextlib.suppress(Exception):
            import_module("keras")
            import_module(self._module)


def create(
    placement: Placement, program: Program, *, exact: bool = False, leads: Party | None = None, **options: Any
) -> Engine:
    """Return a new engine for a placement. Engines are made nowhere else.

    Imports the framework; call it before anything else uses a device. `exact` computes matrix products in full float32 on GPUs,
    whose libraries read an environment variable for it when they are loaded. `leads` are the other processes of a run on
    several hosts, which this process leads. `options` are further arguments of the engine's constructor. Raises InvalidInput
    for a training with an option that the engine does not have.
    """
    if why := unsuited(placement.engine, program.design):
        raise InvalidInput(why, "engine_unsuited", "engine")
    if exact:
        os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    if leads is not None:
        options["party"] = leads
        leading: Engine = load(engine_info(placement.engine).leading)(program, placement.devices, exact=exact, **options)
        return leading
    engine: Engine = load(engine_info(placement.engine).engine)(program, placement.devices, exact=exact, **options)
    return engine


def load(reference: str) -> Any:
    """Return the object that a reference `"module:name"` of the registry names."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
