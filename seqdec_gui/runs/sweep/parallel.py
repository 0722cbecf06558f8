"""How many trials of a sweep are in the queue at a time."""

from __future__ import annotations

from seqdec_gui.runs import devices
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.spec import DeviceChoice


def default_parallel(wish: DeviceChoice, width: int) -> int:
    """Return how many runs of this width the devices of this machine take at the same time, at least 1."""
    gpus = sum(device.kind == "gpu" for device in devices.list_devices())
    if wish.kind == "gpu" or (wish.kind == "auto" and gpus):
        return max(1, 1 if wish.kind == "gpu" else gpus // width)
    return max(1, Queue().read().cpu_runs // (wish.count if wish.kind == "cpu" else width))
