"""Reports the memory and load of a run's devices every few seconds."""

from __future__ import annotations

import os
import time
from pathlib import Path

from seqdec_gui.runs import devices
from seqdec_gui.runs.events import DeviceLoad, EventWriter
from seqdec_gui.runs.spec import DeviceChoice

REPORT_INTERVAL_S = 3.0
"""Seconds between two reports."""


class DeviceWatch:
    """Writes `device` events: for GPUs what the driver reports, for the CPU the memory and load of this process."""

    def __init__(self, choice: DeviceChoice, events: EventWriter) -> None:
        self._choice = choice
        self._events = events
        self._last_report_s = time.monotonic()
        self._cpu_s = time.process_time()

    def report_if_due(self) -> None:
        """Write an event for each device, unless the last report is less than `REPORT_INTERVAL_S` seconds old."""
        now = time.monotonic()
        if now - self._last_report_s < REPORT_INTERVAL_S:
            return
        for load in self._gpus() if self._choice.kind == "gpu" else [self._cpu(now - self._last_report_s)]:
            self._events.write(load)
        self._last_report_s = now
        self._cpu_s = time.process_time()

    def _gpus(self) -> list[DeviceLoad]:
        return [
            DeviceLoad(id=device.id, memory_used=device.memory_used, memory_total=device.memory_total, load=device.load)
            for device in devices.list_devices()
            if device.kind == "gpu" and device.index in self._choice.gpus
        ]

    def _cpu(self, seconds: float) -> DeviceLoad:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        load = min(1.0, (time.process_time() - self._cpu_s) / seconds / cores)
        return DeviceLoad(id="cpu", memory_used=_resident_bytes(), memory_total=_main_memory_bytes(), load=load)


def _resident_bytes() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _main_memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
