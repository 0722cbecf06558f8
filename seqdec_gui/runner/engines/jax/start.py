"""Starts JAX and CUDA in the background while the child reads its rows."""

from __future__ import annotations

import contextlib
import threading
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdec_gui.runs.spec import DeviceChoice


def begin(devices: DeviceChoice) -> None:
    """Import JAX and initialise CUDA in a thread, which takes a second, mostly spent in the driver.

    On a CPU this does nothing: there is nothing to wait for, and the engine must first set the number of virtual devices.
    """
    if devices.kind == "gpu":
        import jax  # not in the thread: two threads cannot import NumPy at the same time

        threading.Thread(target=_start_cuda, args=(jax,), daemon=True, name="start CUDA").start()


def _start_cuda(jax: ModuleType) -> None:
    with contextlib.suppress(Exception):
        jax.devices()
