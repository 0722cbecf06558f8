"""One job on the engine on JAX in several tunings, without the product around it: which is fastest here.

`variants.py JOB FOLDER NAME...`; a line `{"name", "samples_per_s", "ms_per_step", "compile_s", "loss"}` each. Names: `float32`,
`bfloat16`; after any fields of `Tuning` with a number (`float32-cudnn1`, `bfloat16-unroll16`), `-1` (on the first device) and
`-apart` (on all devices, without the sums over them).
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner import engines
from seqdec_gui.runner.bench.peer import given, write_model
from seqdec_gui.runner.bench.work import Job, design, write_arrays
from seqdec_gui.runner.engines.base import Engine
from seqdec_gui.runner.engines.jax.tuning import Tuning
from seqdec_gui.runner.program import Program
from seqdec_gui.runs.spec import DeviceChoice, Placement

replace = msgspec.structs.replace
_APART = contextlib.ExitStack()
"""Never closed: nothing else is asked of an engine whose devices are apart."""


def main() -> None:
    job, folder = given()
    for name in sys.argv[3:]:
        found: dict[str, object]
        try:
            found = measure(job, name, folder)
        except Exception as error:  # the next may work
            found = {"error": f"{type(error).__name__}: {error}"[:300]}
        sys.stdout.write(msgspec.json.encode({"name": name, "size": job.size, **found}).decode() + "\n")
        sys.stdout.flush()


def measure(job: Job, name: str, folder: Path) -> dict[str, object]:
    job, engine, rows = ready(job, name, folder)
    rates, none = np.full(job.steps, 1e-3, "float32"), np.zeros((job.steps, 0), "float32")
    seconds = []
    for _ in range(job.epochs):
        start = time.perf_counter()
        loss = float(engine.train(rows, rates, none).losses[-1])
        seconds.append(time.perf_counter() - start)
    rest = statistics.median(seconds[1:])
    found = {"samples_per_s": round(job.rows / rest, 1), "ms_per_step": round(1e3 * rest / job.steps, 3)}
    return {**found, "compile_s": round(seconds[0] - rest, 1), "loss": loss}


def ready(job: Job, name: str, folder: Path) -> tuple[Job, Engine, npt.NDArray[np.int64]]:
    """The job as this name wants it, an engine that has its data, and the rows of an epoch's steps (steps, batch)."""
    job, tuning, apart = parsed(job, name)
    write_arrays(job, folder)
    wanted = design(job)
    program = Program.of(wanted, write_model(job, folder))
    engine = engines.create(Placement(job.devices, "jax"), program, tuning=tuning, keep_compiled=False)
    engine.build()
    dataset = open_dataset(wanted.data, data_ports(wanted), folder)
    engine.start(dataset)
    if apart:
        _APART.enter_context(engine.without_reductions())
    return job, engine, np.random.default_rng(0).permutation(dataset.training).reshape(job.steps, job.batch)


def parsed(job: Job, name: str) -> tuple[Job, Tuning, bool]:
    """The job, the engine's tuning, and whether the devices are to be apart."""
    precision, *rest = name.split("-")
    tuning, apart = Tuning(), False
    for part in rest:
        key = part.rstrip("0123456789")
        value = part.removeprefix(key)
        if part == "1":
            gpus = job.devices.gpus[:1]
            job = replace(job, devices=DeviceChoice("gpu", gpus=gpus) if gpus else DeviceChoice("cpu"))
        elif part == "apart":
            apart = True
        elif key in Tuning.__struct_fields__ and value:
            tuning = replace(tuning, **{key: int(value) if key == "unroll" else value != "0"})
        else:
            fields = ", ".join(Tuning.__struct_fields__)
            raise InvalidInput(f"Expected 1, apart, or one of {fields} and a number, received {part}: change {name}.")
    return replace(job, precision=precision), tuning, apart


if __name__ == "__main__":
    main()
