"""The contenders of a measurement by `bench`, and how each is started."""

from __future__ import annotations

import functools
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from seqdec_gui.commands.console import warn
from seqdec_gui.domain import document
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.bench import work
from seqdec_gui.runs import events, process
from seqdec_gui.runs.engine_choice import missing
from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.reader import read_events
from seqdec_gui.runs.spec import DeviceChoice, Placement, RunSpec

Contender = Callable[[Path], work.Measured | None]
"""A function that runs one round in a folder; it returns None if the round failed."""

PRODUCT = "seqdec-gui"
"""The name of this program among the contenders, before the name of an engine."""

PEERS = ("keras-fit", "torch-ddp", "torch-graph", "torch-compile", "prototype", "keras-fit:tensorflow", "keras-fit:jax")
"""The names that `--peers` accepts; `keras-fit` stands for both of its engines."""

PEER_PREFIX = "MEASURED "
"""The beginning of the line in which a peer prints its result."""

MODULES: dict[str, tuple[str, str]] = {
    "keras-fit": ("keras_fit", "tensorflow"),
    "keras-fit:jax": ("keras_fit", "jax"),
    "prototype": ("prototype", "jax"),
    "torch-ddp": ("torch_ddp", "torch"),
    "torch-graph": ("torch_graph", "torch"),
    "torch-compile": ("torch_compile", "torch"),
}
"""The module of `runner.bench` and the library of each peer."""


def contenders(job: work.Job, engines: str, peers: str, nice: int = 0) -> dict[str, Contender]:
    """Return the contenders by name, in the order of their turns. Those that cannot run are left out with a warning.

    `engines` and `peers` are names separated by commas; `nice` is the niceness of this program's runs.
    Raises InvalidInput for an unknown name.
    """
    lacking = {engine: missing(engine, job.devices) for engine in ENGINES}
    contenders: dict[str, Contender] = {}
    for engine in ENGINES:
        if engine in _names(engines, tuple(ENGINES)):
            if lacking[engine]:
                warn(f"{PRODUCT}:{engine} is left out: {lacking[engine]}")
            else:
                contenders[f"{PRODUCT}:{engine}"] = functools.partial(_product, job, engine, nice)
    wanted = _names(peers, PEERS)
    for who, (module, library) in MODULES.items():
        kind = who.partition(":")[0]
        if kind in wanted or f"{kind}:{library}" in wanted:
            why = _unfit(who, job) or (_missing_torch(who, job) if library == "torch" else lacking[library])
            if why:
                warn(f"{who} is left out: {why}")
            else:
                contenders[who] = functools.partial(_peer, job, who, module, "jax" if library == "torch" else library)
    return contenders


def peak(job: work.Job, folder: Path) -> float | None:
    """Return the floating-point operations per second of large matrix products on all devices of the job; None if unknown.

    It is measured once in a process. Virtual CPU devices share one CPU.
    """
    key = job.devices, job.precision
    if key not in _peaks:
        _peaks[key] = _measured_peak(job, folder)
    return _peaks[key]


_peaks: dict[tuple[DeviceChoice, str], float | None] = {}


def _measured_peak(job: work.Job, folder: Path) -> float | None:
    if missing("jax", job.devices):
        return None
    child = _child(job, "peak", "jax", folder)
    if child.returncode or PEER_PREFIX not in child.stdout:
        return None
    operations = float(child.stdout.rpartition(PEER_PREFIX)[2])
    return operations * job.devices.replicas if job.devices.kind == "gpu" else operations


def _names(text: str, known: Sequence[str]) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip() not in ("", "none")]
    wrong = [name for name in names if name not in known]
    if wrong:
        raise InvalidInput(f"Expected some of {', '.join(known)}, got {', '.join(wrong)}.", "bad_bench")
    return names


def _unfit(who: str, job: work.Job) -> str:
    """Return why a peer has not written this model; empty if it has."""
    if job.size not in work.TRANSLATORS:
        return "It is a Transformer." if who == "torch-compile" else ""
    if who == "torch-compile" and job.devices.replicas > 1:
        return "It is written for one device."
    return "It is a stack of LSTMs." if who in ("torch-ddp", "torch-graph", "prototype") else ""


def _missing_torch(who: str, job: work.Job) -> str:
    """Return why a peer on PyTorch cannot take part; empty if it can."""
    if find_spec("torch") is None:
        return "PyTorch is not installed."
    return "CUDA graphs need GPUs." if who == "torch-graph" and job.devices.kind != "gpu" else ""


def _product(job: work.Job, engine: EngineName, nice: int, folder: Path) -> work.Measured | None:
    """Measure a run as `train` would start it; return None, with the reason on standard error, if it failed.

    The seconds of an epoch are those that the run reports: steps, reports and commands, but not the checkpoint after it.
    """
    data = work.write_arrays(job, folder)
    run = RunFolder(folder / "run")
    design = document.to_builtins(work.design(job))
    spec = RunSpec(design=design, folder=str(folder), data_file=str(data), devices=job.devices, engine=engine)
    start = time.time()
    status = process.start(run, spec, nice=nice, listed=False).wait()
    events_of_run = read_events(run)
    epochs = [event.seconds for event in events_of_run if isinstance(event, events.Epoch)]
    if status is None or status.state != "finished" or len(epochs) < 2:
        details = status.final.details if status and isinstance(status.final, events.Failed) else ""
        warn(f"{PRODUCT}:{engine} failed: {status.text if status else 'no answer'}\n{details}".rstrip())
        return None
    first = next((event.time for event in events_of_run if getattr(event, "code", "") == "first_step"), start)
    losses = [event.metrics.get("loss") for event in events_of_run if isinstance(event, events.Epoch)]
    loss = math.nan if losses[-1] is None else losses[-1]
    return work.Measured(job.rows / statistics.median(epochs[1:]), first - start, loss)


def _peer(job: work.Job, who: str, module: str, engine: EngineName, folder: Path) -> work.Measured | None:
    """Measure a run of a peer; return None, with the end of its error output on standard error, if it failed."""
    most = job.steps if job.devices.kind == "gpu" else work.PEER_STEPS_ON_CPU
    done = _child(msgspec.structs.replace(job, steps=min(job.steps, most)), module, engine, folder)
    last = [line for line in done.stdout.splitlines() if line.startswith(PEER_PREFIX)]
    if done.returncode or not last:
        warn(f"{who} failed: {' '.join(done.stderr.split())[-600:]}")
        return None
    return msgspec.json.decode(last[-1].removeprefix(PEER_PREFIX), type=work.Measured)


def _child(job: work.Job, module: str, engine: EngineName, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = child_environment(Placement(job.devices, engine), os.environ)
    command = [sys.executable, "-m", f"seqdec_gui.runner.bench.{module}", msgspec.json.encode(job).decode(), str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
