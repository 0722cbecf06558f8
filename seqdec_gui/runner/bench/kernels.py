"""Which kernels a training step on a GPU consists of, and how long each takes: JAX's profiler, added up by name.

`kernels.py JOB FOLDER NAME...`, names as in `variants.py`: the kernels of the first GPU per optimizer step, most time first.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from seqdec_gui.runner.bench.peer import given
from seqdec_gui.runner.bench.variants import ready

STEPS = 8
"""Of the call that is looked at."""
SHOWN = 30


class Kernel(NamedTuple):
    """Calls and microseconds of all steps together."""

    name: str
    calls: int
    total_us: float


def main() -> None:
    job, folder = given()
    for name in sys.argv[3:]:
        job_here, engine, rows = ready(job, name, folder)
        rates, none = np.full(STEPS, 1e-3, "float32"), np.zeros((STEPS, 0), "float32")
        engine.train(rows[:STEPS], rates, none)
        with tempfile.TemporaryDirectory() as traces:
            with jax.profiler.trace(traces, create_perfetto_trace=True):
                engine.train(rows[:STEPS], rates, none)
            (trace,) = Path(traces).rglob("perfetto_trace.json.gz")
            found = kernels(json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"])
        busy, calls = sum(one.total_us for one in found), sum(one.calls for one in found)
        say(f"{job_here.size} {name}: {busy / 1e3 / STEPS:.3f} ms in {calls / STEPS:.0f} kernels a step")
        for one in found[:SHOWN]:
            each_us = one.total_us / one.calls
            say(f"  {one.total_us / 1e3 / STEPS:8.3f} ms {one.calls / STEPS:7.1f} x {each_us:8.2f} us  {one.name}")


def kernels(events: list[dict[str, Any]]) -> list[Kernel]:
    """The kernels on the streams of the first GPU, most time first, of a trace in Chrome's format."""
    names = {event["pid"]: event["args"]["name"] for event in events if event.get("name") == "process_name"}
    streams = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name"
        and "Stream" in event["args"]["name"]
        and "gpu:0" in names.get(event["pid"], "").lower()
    }
    found: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if event.get("ph") == "X" and (event["pid"], event["tid"]) in streams:
            found[event["name"]].append(float(event["dur"]))
    return sorted((Kernel(name, len(times), sum(times)) for name, times in found.items()), key=lambda one: -one.total_us)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
