"""Where the rows live while training: on every device if they fit, otherwise in the host's memory, sent ahead in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

Storage = Literal["auto", "resident", "streamed"]
SHARE_OF_GPU = 0.4
"""The rest is for weights, activations and workspace."""
SHARE_OF_HOST = 0.25
CHUNK_BYTES = 64 << 20
"""How much of a streamed data set is sent in one go, for all devices together."""


def fits(arrays: Mapping[str, np.ndarray], devices: list[Any]) -> bool:
    """Whether a copy of the arrays on each of the devices takes no more than its share of the memory."""
    size = sum(array.nbytes for array in arrays.values())
    if devices[0].platform == "cpu":
        return size * len(devices) <= SHARE_OF_HOST * available_host_memory()
    return size <= SHARE_OF_GPU * min(available_on(device) for device in devices)


def available_on(device: Any) -> float:
    """Bytes that this process can still take of the device's memory; infinite where it does not say."""
    known = device.memory_stats() or {}
    return float(known["bytes_limit"] - known.get("bytes_in_use", 0)) if "bytes_limit" in known else float("inf")


def available_host_memory() -> float:
    """Bytes that can be taken without swapping, from the kernel's estimate; 4 GiB where there is none."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return float(4 << 30)
    return next((float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), float(4 << 30))


def bytes_per_row(arrays: Iterable[np.ndarray]) -> int:
    return sum(array.dtype.itemsize * int(np.prod(array.shape[1:])) for array in arrays)
