"""Which engine trains a run: by what is installed, by what was measured, else by a rule. Imports no framework."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.util import find_spec
from typing import NamedTuple

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import probe_cache
from seqdec_gui.runs.engine_names import EngineChoice, EngineName
from seqdec_gui.runs.engines import ENGINES, engine_info, engine_title
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.spec import DeviceChoice


class Decision(NamedTuple):
    """The engine, a sentence that says why, and its measurement where there is one."""

    engine: EngineName
    why: str
    measurement: Measurement | None = None


def choose_engine(wish: EngineChoice, devices: DeviceChoice, design: Design | None = None) -> tuple[EngineName, str]:
    """The engine for these devices (not `auto`) and a sentence that says why. Raises InvalidInput where none can be used.

    `auto` takes what an earlier probe of this design's shape on these devices found faster (`runs.probe`). Without one:
    the first of `ENGINES`, but for large batches on one CPU the one that is faster there. Starts nothing; takes milliseconds.
    """
    decision = decide(wish, devices, design)
    return decision.engine, decision.why


def decide(wish: EngineChoice, devices: DeviceChoice, design: Design | None = None) -> Decision:
    """As `choose_engine`, with the measurement."""
    if wish != "auto":
        if reason := missing(wish, devices):
            raise InvalidInput(f"The engine {wish} cannot be used: {reason}", "engine_missing", "engine")
        return Decision(wish, f"{wish} was asked for.")
    reasons = {name: missing(name, devices) for name in ENGINES}
    usable = [name for name in ENGINES if not reasons[name]]
    if not usable:
        raise InvalidInput(f"No engine can be used: {' '.join(reasons.values())}", "engine_missing", "engine")
    if len(usable) == 1:
        why = " ".join(f"{engine_title(name)} cannot be used: {reason}" for name, reason in reasons.items() if reason)
        return Decision(usable[0], why)
    if design is not None:
        measured = probe_cache.load(probe_cache.key_of(design, devices, design.training.batch_size))
        found = by_measurement(measured, design.training.epochs, usable)
        if found is not None:
            return found
    return _by_rule(devices, design, usable)


def usable_engines(devices: DeviceChoice) -> tuple[EngineName, ...]:
    """The engines that can be used on these devices, in the order of `ENGINES`."""
    return tuple(name for name in ENGINES if not missing(name, devices))


def engine_for_models(devices: DeviceChoice) -> EngineName:
    """The engine whose framework opens, runs and writes trained models in short jobs on these devices.

    On the CPU the one that builds a model without compiling (TensorFlow), where it is installed; otherwise one that is. On GPUs
    one whose support for them is seen to be installed comes first: of TensorFlow's nobody knows before it is imported.
    Raises InvalidInput where none can be used, with what to install.
    """
    usable = usable_engines(devices)
    if not usable:
        reasons = " ".join(missing(name, devices) for name in ENGINES)
        raise InvalidInput(f"No framework can be used for this: {reasons}", "engine_missing", "engine")
    if devices.kind == "gpu":
        return min(usable, key=lambda name: not ENGINES[name].gpu_plugins)
    return min(usable, key=lambda name: not ENGINES[name].builds_without_compiling)


def by_measurement(
    measured: Sequence[Measurement], epochs: int, among: Collection[EngineName] | None = None
) -> Decision | None:
    """The engine that trains to the end first: start, compilation and all epochs; without rows, the faster step.

    None unless every engine of `among` (default: all) was measured. One that ran out of memory loses.
    """
    names = set(ENGINES if among is None else among)
    by_engine = {one.engine: one for one in measured if one.engine in names}
    alive = [one for one in by_engine.values() if one.step_s is not None]
    if set(by_engine) != names or not alive:
        return None
    if len(alive) == 1:
        (winner,) = alive
        losers = " and ".join(engine_title(name) for name in by_engine if name != winner.engine)
        return Decision(winner.engine, f"{losers} ran out of memory when it was measured here.", winner)
    whole = all(one.epoch_s is not None and one.ready_s is not None for one in alive)
    winner, second, *_ = sorted(alive, key=lambda one: _seconds(one, epochs if whole else None))
    return Decision(winner.engine, _comparison(winner, second, epochs if whole else None), winner)


def _by_rule(devices: DeviceChoice, design: Design | None, usable: Sequence[EngineName]) -> Decision:
    unknown = "on this design the two have not been compared here."
    rows = design.training.batch_size if design is not None and devices.kind == "cpu" and devices.replicas == 1 else 0
    for name in usable:
        least = ENGINES[name].faster_on_cpu_from_rows
        if least is not None and rows >= least:
            text = f"{engine_title(name)} is the faster engine on a CPU from {least} rows a batch; {unknown}"
            return Decision(name, text)
    return Decision(usable[0], f"{engine_title(usable[0])} is the faster engine as a rule; {unknown}")


def missing(engine: EngineName, devices: DeviceChoice) -> str:
    """Why an engine cannot be used on these devices, and what to install; empty where it can.

    Raises InvalidInput where this version does not know the engine.
    """
    info = engine_info(engine)
    if find_spec(info.packages[0]) is None:
        return f"{info.packages[0]} is not installed (pip install {info.install})."
    if devices.kind == "gpu" and info.gpu_plugins and not any(find_spec(plugin) for plugin in info.gpu_plugins):
        return f"{info.title} is installed without GPU support (pip install {info.gpu_install})."
    return ""


def _seconds(one: Measurement, epochs: int | None) -> float:
    assert one.step_s is not None
    if epochs is None or one.epoch_s is None or one.ready_s is None:
        return one.step_s
    longer_s = engine_info(one.engine).longer_gpu_start_s if one.devices.kind == "gpu" else 0.0
    return one.ready_s + longer_s + epochs * one.epoch_s


def _comparison(winner: Measurement, loser: Measurement, epochs: int | None) -> str:
    ours, theirs = _seconds(winner, epochs), _seconds(loser, epochs)
    first, second = engine_title(winner.engine), engine_title(loser.engine)
    if epochs is None:
        speeds = f"{winner.samples_per_s:,.0f} and {loser.samples_per_s:,.0f} samples/s"
        return f"{first} was measured {theirs / ours:.1f} times as fast as {second} here ({speeds})."
    return f"By measurement {first} ends after about {_span(ours)}, {second} after {_span(theirs)}."


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 180 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
