"""Which engine trains a run: by what is installed, by what was measured, else by a rule. Imports no framework."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import seqdec_gui
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import probe_cache
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.spec import ENGINES, DeviceChoice, EngineChoice, EngineName

_GPU_PLUGINS = ("jax_cuda13_plugin", "jax_cuda12_plugin")
LARGE_BATCH = 512
"""Rows from which TensorFlow's products are the faster ones on a CPU; the figures are in docs/parallelism.md."""
LONGER_START_S = 10.0
"""Until a training on JAX and GPUs is ready, compared with a probe, which tries few kernels (docs/performance.md)."""


class Decision(NamedTuple):
    """The engine, a sentence that says why, and its measurement where there is one."""

    engine: EngineName
    why: str
    measurement: Measurement | None = None


def choose_engine(wish: EngineChoice, devices: DeviceChoice, design: Design | None = None) -> tuple[EngineName, str]:
    """The engine for these devices (not `auto`) and a sentence that says why. Raises InvalidInput where none can be used.

    `auto` takes what an earlier probe of this design's shape on these devices found faster (`runs.probe`). Without one:
    JAX, but TensorFlow for large batches on one CPU. Starts nothing and takes milliseconds.
    """
    decision = decide(wish, devices, design)
    return decision.engine, decision.why


def decide(wish: EngineChoice, devices: DeviceChoice, design: Design | None = None, folder: Path | None = None) -> Decision:
    """As `choose_engine`, with the measurement."""
    reasons = {name: missing(name, devices) for name in ENGINES}
    if wish != "auto":
        if reasons[wish]:
            raise InvalidInput(f"The engine {wish} cannot be used: {reasons[wish]}", "engine_missing", "engine")
        return Decision(wish, f"{wish} was asked for.")
    usable = [name for name in ENGINES if not reasons[name]]
    if not usable:
        raise InvalidInput(f"No engine can be used: {reasons['tensorflow']} {reasons['jax']}", "engine_missing", "engine")
    if len(usable) == 1:
        (other,) = (name for name in ENGINES if name not in usable)
        return Decision(usable[0], f"{ENGINES[other]} cannot be used: {reasons[other]}")
    if design is not None:
        measured = probe_cache.load(probe_cache.key_of(design, devices, design.training.batch_size))
        found = by_measurement(measured, design.training.epochs)
        if found is not None:
            return found
    return _by_rule(devices, design)


def by_measurement(measured: Sequence[Measurement], epochs: int) -> Decision | None:
    """The engine that trains to the end first: start, compilation and all epochs; without rows, the faster step.

    None unless both were measured. One that ran out of memory loses.
    """
    by_engine = {one.engine: one for one in measured}
    if set(by_engine) != set(ENGINES):
        return None
    alive = [one for one in by_engine.values() if one.step_s is not None]
    if not alive:
        return None
    if len(alive) == 1:
        (winner,) = alive
        (loser,) = (one for one in by_engine.values() if one is not winner)
        return Decision(winner.engine, f"{ENGINES[loser.engine]} ran out of memory when it was measured here.", winner)
    whole = all(one.epoch_s is not None and one.ready_s is not None for one in alive)
    winner, loser = sorted(alive, key=lambda one: _seconds(one, epochs if whole else None))
    return Decision(winner.engine, _comparison(winner, loser, epochs if whole else None), winner)


def _by_rule(devices: DeviceChoice, design: Design | None) -> Decision:
    unknown = "on this design the two have not been compared here."
    if devices.kind == "cpu" and devices.replicas == 1 and design is not None and design.training.batch_size >= LARGE_BATCH:
        return Decision("tensorflow", f"TensorFlow is the faster engine on a CPU from {LARGE_BATCH} rows a batch; {unknown}")
    return Decision("jax", f"JAX is the faster engine as a rule; {unknown}")


def missing(engine: EngineName, devices: DeviceChoice) -> str:
    """Why an engine cannot be used on these devices, and what to install; empty where it can."""
    if not _exists(engine):
        return f"this version has no {engine} engine."
    if find_spec(engine) is None:
        return f"{engine} is not installed (pip install {_PACKAGES[engine]})."
    if engine == "jax" and devices.kind == "gpu" and not any(find_spec(plugin) for plugin in _GPU_PLUGINS):
        return "JAX is installed without GPU support (pip install 'seqdec-gui[gpu]')."
    return ""


def _seconds(one: Measurement, epochs: int | None) -> float:
    assert one.step_s is not None
    if epochs is None or one.epoch_s is None or one.ready_s is None:
        return one.step_s
    longer_s = LONGER_START_S if one.engine == "jax" and one.devices.kind == "gpu" else 0.0
    return one.ready_s + longer_s + epochs * one.epoch_s


def _comparison(winner: Measurement, loser: Measurement, epochs: int | None) -> str:
    ours, theirs = _seconds(winner, epochs), _seconds(loser, epochs)
    first, second = ENGINES[winner.engine], ENGINES[loser.engine]
    if epochs is None:
        speeds = f"{winner.samples_per_s:,.0f} and {loser.samples_per_s:,.0f} samples/s"
        return f"{first} was measured {theirs / ours:.1f} times as fast as {second} here ({speeds})."
    return f"By measurement {first} ends after about {_span(ours)}, {second} after {_span(theirs)}."


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 180 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _exists(engine: EngineName) -> bool:
    engines = Path(seqdec_gui.__file__).parent / "runner" / "engines"
    return (engines / f"{engine}.py").exists() or (engines / engine / "__init__.py").exists()


_PACKAGES: dict[EngineName, str] = {"tensorflow": "tensorflow", "jax": "'seqdec-gui[jax]'"}
