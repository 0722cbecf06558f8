"""Finds the largest batch that fits into memory, after a run has run out of it, by short trials in children of their own.

On GPUs smaller batches are tried, the smallest first. In main memory a trial that goes too far could have another program
killed: there two small batches are measured, and what each further row takes is their difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.wording import format_bytes
from seqdec_gui.runs import probe
from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.tasks import Progress

BUDGET_S = 60.0
"""About the longest time that the trials take together, in seconds."""
USABLE = 0.8
"""Part of the free main memory that a batch may take."""


class FittingBatch(msgspec.Struct, frozen=True):
    """`batch_size` took, or would take, `memory` bytes (None: unknown); `measured` is false where it was estimated."""

    batch_size: int
    memory: int | None
    measured: bool

    def sentence(self) -> str:
        """Return what fits, in words."""
        how = "was tried" if self.measured else "was estimated from smaller ones"
        memory = f" and takes {format_bytes(self.memory)}" if self.memory is not None else ""
        return f"A batch of {self.batch_size:,} rows fits{memory}: it {how}."


def largest_batch(
    design: Design,
    folder: Path,
    devices: DeviceChoice,
    engine: EngineName,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    available: int | None = None,
) -> FittingBatch | None:
    """Return the largest batch below the design's that fits; None where none was found.

    `available` is the free memory for a CPU in bytes, by default that of the machine. Raises InvalidInput, Cancelled.
    """
    batch, unit = design.training.batch_size, devices.replicas * design.training.micro_batches
    on_cpu = devices.kind == "cpu"
    shares = (1 / 16, 1 / 8) if on_cpu else (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4)
    sizes = tuple(sorted({size for share in shares if 0 < (size := _rounded(batch * share, unit)) < batch}))
    if not sizes:
        return None
    plans = [probe.Plan(engine, devices, sizes, shares=False)]
    measured = [
        one
        for one in probe.probe(design, folder, plans, budget_s=BUDGET_S, on_progress=on_progress, cancelled=cancelled)
        if not one.failed and one.step_s is not None
    ]
    if not measured:
        return None
    measured.sort(key=lambda one: one.batch_size)
    if on_cpu and (estimate := _estimated(measured, batch, unit, free_memory() if available is None else available)):
        return estimate
    return FittingBatch(measured[-1].batch_size, measured[-1].peak_memory, True)


def _estimated(measured: list[Measurement], batch: int, unit: int, available: int) -> FittingBatch | None:
    """Return the largest batch whose memory, a linear function of the rows, leaves some of the machine's free."""
    first, last = measured[0], measured[-1]
    if first is last or first.peak_memory is None or last.peak_memory is None or not available:
        return None
    per_row = (last.peak_memory - first.peak_memory) / (last.batch_size - first.batch_size)
    if per_row <= 0:  # too little to be seen beside what the framework takes
        return None
    size = _rounded(last.batch_size + (USABLE * available - last.peak_memory) / per_row, unit)
    size = min(size, _rounded(batch * 3 / 4, unit))
    if size <= last.batch_size:
        return None
    return FittingBatch(size, int(last.peak_memory + per_row * (size - last.batch_size)), False)


def free_memory() -> int:
    """Return the bytes of main memory that are free, or the limit of the container if that is less; 0 if unknown."""
    free = 0
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii", errors="replace").splitlines()
        free = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)
        limit, used = (Path(f"/sys/fs/cgroup/memory.{name}").read_text().strip() for name in ("max", "current"))
        if limit != "max":
            free = min(free, max(0, int(limit) - int(used)))
    except (OSError, ValueError):
        pass
    return free or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def _rounded(size: float, unit: int) -> int:
    """Return the largest multiple of the number of devices up to `size`; above 64 one with few digits in binary."""
    rows = int(size) // unit * unit
    step = unit
    while rows // step > 64:
        step *= 2
    return rows // step * step
