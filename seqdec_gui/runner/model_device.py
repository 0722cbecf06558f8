"""The device on which a short job builds and runs trained models."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.engines import of_backend

CPU = "cpu:0"
_building_on: ContextVar[str] = ContextVar("building_on", default=CPU)


def building_device() -> str:
    """Where models are built now, as Keras names devices: the CPU, except within `on_given_device`."""
    return _building_on.get()


@contextlib.contextmanager
def on_given_device() -> Iterator[None]:
    """Build models where this child's environment says that it computes: on its GPU, or on the CPU.

    A framework that compiles whatever it does builds on the CPU all the same: its inference functions move the weights.
    Raises SeqdecError where a GPU was given and the framework sees none.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "-1") == "-1":
        yield
        return
    import keras

    info = of_backend(keras.backend.backend())
    title = info.title if info is not None else keras.backend.backend()
    if not _sees_a_gpu():
        text = f"A GPU was chosen, and the installed {title} has none that it can use: choose cpu, or install its GPU support"
        raise SeqdecError(f"{text} (docs/install.md).")
    on_gpu = info is not None and info.builds_without_compiling
    token = _building_on.set("gpu:0" if on_gpu else CPU)
    try:
        yield
    finally:
        _building_on.reset(token)


def _sees_a_gpu() -> bool:
    import keras

    try:
        return bool(keras.distribution.list_devices("gpu"))
    except RuntimeError:  # JAX without CUDA
        return False
