"""Selects the device on which a short job builds and runs trained models."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.engines import of_backend

CPU = "cpu:0"
"""The name of the CPU in Keras."""
_building_on: ContextVar[str] = ContextVar("building_on", default=CPU)


def building_device() -> str:
    """Return the device on which models are built now, as Keras names it: the CPU, except within `on_placed_device`."""
    return _building_on.get()


@contextlib.contextmanager
def on_placed_device() -> Iterator[None]:
    """Make models be built, within the context, on the device that this child's environment selects: a GPU or the CPU.

    With a framework that compiles every operation they are still built on the CPU, and its inference functions move the
    weights. Raises SeqdecError where a GPU is selected and the framework cannot use it.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "-1") == "-1":
        yield
        return
    import keras

    info = of_backend(keras.backend.backend())
    title = info.title if info is not None else keras.backend.backend()
    if not sees_a_gpu():
        text = f"A GPU was chosen, and the installed {title} has none that it can use: choose cpu, or install its GPU support"
        raise SeqdecError(f"{text} (docs/install.md).")
    on_gpu = info is not None and info.builds_without_compiling
    token = _building_on.set("gpu:0" if on_gpu else CPU)
    try:
        yield
    finally:
        _building_on.reset(token)


def sees_a_gpu() -> bool:
    """Return whether the framework has a GPU that it can use."""
    import keras

    try:
        return bool(keras.distribution.list_devices("gpu"))
    except RuntimeError:  # JAX without CUDA
        return False
