"""The engines, as the rest of the child makes them: by the name in `runs.engines.ENGINES`."""

from __future__ import annotations

import contextlib
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from seqdec_gui.runs.engines import engine_info

if TYPE_CHECKING:
    from seqdec_gui.runner.engines.base import Engine
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runs.spec import Placement


def begin(placement: Placement) -> None:
    """Start what the engine needs and takes long, in the background where that is possible. Call it before rows are read.

    Its failures are not raised: the engine asks again, and says what is missing.
    """
    if reference := engine_info(placement.engine).begin:
        with contextlib.suppress(Exception):
            load(reference)(placement.devices)


def create(placement: Placement, program: Program, *, exact: bool = False, **options: Any) -> Engine:
    """Make the engine of a placement: the only place where one is made.

    Imports its framework; call it before anything else touches a device. `exact` asks for matrix products in full float32 on
    GPUs, whose libraries are told so before they are loaded. `options` are further arguments of the engine's own constructor.
    """
    if exact:
        os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    engine: Engine = load(engine_info(placement.engine).engine)(program, placement.devices, exact=exact, **options)
    return engine


def load(reference: str) -> Any:
    """What a `"module:name"` of the registry points to."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
