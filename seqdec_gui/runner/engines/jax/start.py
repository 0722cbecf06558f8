"""Starts JAX and CUDA while the child reads its rows."""

from __future__ import annotations

import contextlib
import threading
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdec_gui.runs.spec import DeviceChoice


def begin(devices: DeviceChoice) -> None:
    """Import JAX, and start CUDA in a thread: it takes a second on GPUs, most of it waiting for the driver.

    On a CPU there is nothing to wait for, and the engine decides first how many devices there are.
    """
    if devices.kind == "gpu":
        import jax  # not in the thread: NumPy cannot be imported by two at once

        threading.Thread(target=_start_cuda, args=(jax,), daemon=True, name="start CUDA").start()


def _start_cuda(jax: ModuleType) -> None:
    with contextlib.suppress(Exception):
        jax.devices()
