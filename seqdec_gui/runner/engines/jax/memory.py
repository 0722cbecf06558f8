"""Where the rows are stored while training: on every device if they fit, otherwise in host memory, sent ahead in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

Storage = Literal["auto", "resident", "streamed"]
GPU_MEMORY_SHARE = 0.4
"""Largest part of a GPU's free memory for the rows; the rest is for weights, activations and workspace."""
HOST_MEMORY_SHARE = 0.25
"""Largest part of the host's available memory for the rows, all copies together."""
CHUNK_BYTES = 64 << 20
"""Bytes of a streamed dataset that are sent at a time, to all devices together."""


def fits(arrays: Mapping[str, np.ndarray], devices: list[Any]) -> bool:
    """Whether a copy of the arrays fits in the allowed share of the memory of each device."""
    size = sum(array.nbytes for array in arrays.values())
    if devices[0].platform == "cpu":
        return size * len(devices) <= HOST_MEMORY_SHARE * available_host_memory()
    return size <= GPU_MEMORY_SHARE * min(available_on(device) for device in devices)


def available_on(device: Any) -> float:
    """Return the bytes of a device that this process can still allocate; infinity where the device does not report it."""
    stats = device.memory_stats() or {}
    return float(stats["bytes_limit"] - stats.get("bytes_in_use", 0)) if "bytes_limit" in stats else float("inf")


def available_host_memory() -> float:
    """Return the bytes that can be allocated without swapping, as the kernel estimates; 4 GiB where it does not."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return float(4 << 30)
    return next((float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), float(4 << 30))


def bytes_per_row(arrays: Iterable[np.ndarray]) -> int:
    """Return the bytes of one row of all arrays together."""
    return sum(array.dtype.itemsize * int(np.prod(array.shape[1:])) for array in arrays)
