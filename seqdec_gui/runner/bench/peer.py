"""A peer's process: a job as JSON and a folder as arguments, one line `MEASURED {json}` at the end."""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from seqdec_gui.domain.codegen import generate
from seqdec_gui.runner.bench.work import Job, Measured, design
from seqdec_gui.runner.probe import process_age_s

PREFIX = "MEASURED "


def given() -> tuple[Job, Path]:
    """The job and the folder that this process was given."""
    return msgspec.json.decode(sys.argv[1], type=Job), Path(sys.argv[2])


def write_model(job: Job, folder: Path) -> Path:
    """The script that the product would train, for peers on Keras."""
    path = folder / "model.py"
    path.write_text(generate(design(job)), encoding="utf-8")
    return path


def measure(job: Job, epoch: Callable[[], float], first_step_s: float | None = None) -> Measured:
    """Run `epoch`, which returns its mean loss when the devices are done, once to warm up and then `job.epochs - 1` times."""
    seconds, loss = [], math.nan
    for number in range(job.epochs):
        start = time.perf_counter()
        loss = epoch()
        seconds.append(time.perf_counter() - start)
        if number == 0 and first_step_s is None:
            first_step_s = process_age_s()
    return Measured(job.rows / statistics.median(seconds[1:]), first_step_s or 0.0, loss)


def tell(measured: Measured) -> None:
    """Give the result to whoever started this process."""
    sys.stdout.write(f"{PREFIX}{msgspec.json.encode(measured).decode()}\n")
    sys.stdout.flush()
