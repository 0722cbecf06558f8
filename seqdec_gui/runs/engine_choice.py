"""Chooses the engine of a run: by what is installed and measured, otherwise by a rule. Imports no framework."""

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
    """The chosen engine, a sentence with the reason, and its measurement if there is one."""

    engine: EngineName
    why: str
    measurement: Measurement | None = None


def choose_engine(wish: EngineChoice, devices: DeviceChoice, design: Design | None = None) -> tuple[EngineName, str]:
    """Return the engine for these devices (not `auto`) and a sentence with the reason. Raises InvalidInput if none is usable.

    `auto` takes the engine that an earlier probe of this design's shape on these devices measured as faster (`runs.probe`), on
    a CPU a probe while the machine was as busy as now.
    Without a probe it is the first of `ENGINES`, or for large batches on one CPU the one that is faster there. Starts no
    process, and takes milliseconds.
    """
    decision = decide(wish, devices, design)
    return decision.engine, decision.why


def decide(wish: EngineChoice, devices: DeviceChoice, design: Design | None = None) -> Decision:
    """Choose an engine as `choose_engine` does, and return the decision with its measurement."""
    if wish != "auto":
        if reason := missing(wish, devices) or unsuited(wish, design):
            code = "engine_missing" if missing(wish, devices) else "engine_unsuited"
            raise InvalidInput(f"The engine {wish} cannot be used: {reason}", code, "engine")
        return Decision(wish, f"{wish} was asked for.")
    reasons = {name: missing(name, devices) or unsuited(name, design) for name in ENGINES}
    usable = [name for name in ENGINES if not reasons[name]]
    if not usable:
        raise InvalidInput(f"No engine can be used: {' '.join(reasons.values())}", "engine_missing", "engine")
    if len(usable) == 1:
        why = " ".join(f"{engine_title(name)} cannot be used: {reason}" for name, reason in reasons.items() if reason)
        return Decision(usable[0], why)
    if design is not None:
        key = probe_cache.key_of(design, devices, design.training.batch_size)
        measured = probe_cache.load(key, busy=probe_cache.cores_are_busy(devices))
        decision = by_measurement(measured, design.training.epochs, usable)
        if decision is not None:
            return decision
    return _by_rule(devices, design, usable)


def usable_engines(devices: DeviceChoice) -> tuple[EngineName, ...]:
    """Return the engines that can be used on these devices, in the order of `ENGINES`."""
    return tuple(name for name in ENGINES if not missing(name, devices))


def engine_for_models(devices: DeviceChoice) -> EngineName:
    """Return the engine whose framework opens, runs and writes trained models in short jobs on these devices.

    On the CPU an engine that builds models without compiling (TensorFlow) is preferred. On GPUs one is preferred whose GPU
    support is known to be installed, which for TensorFlow shows only when it is imported. Raises InvalidInput, with what to
    install, where none can be used.
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
    """Return the engine that trains to the end first, including start and compilation; without rows, the one with faster steps.

    None unless every engine of `among` (default: all) was measured. An engine that ran out of memory is not chosen.
    """
    names = set(ENGINES if among is None else among)
    by_engine = {measurement.engine: measurement for measurement in measured if measurement.engine in names}
    successful = [measurement for measurement in by_engine.values() if measurement.step_s is not None]
    if set(by_engine) != names or not successful:
        return None
    if len(successful) == 1:
        (winner,) = successful
        losers = " and ".join(engine_title(name) for name in by_engine if name != winner.engine)
        return Decision(winner.engine, f"{losers} ran out of memory when it was measured here.", winner)
    whole = all(each.epoch_s is not None and each.ready_s is not None for each in successful)
    compared_epochs = epochs if whole else None
    winner, second, *_ = sorted(successful, key=lambda each: _seconds(each, compared_epochs))
    return Decision(winner.engine, _comparison(winner, second, compared_epochs), winner)


def _by_rule(devices: DeviceChoice, design: Design | None, usable: Sequence[EngineName]) -> Decision:
    unknown = "the two have not been compared on this design here."
    rows = design.training.batch_size if design is not None and devices.kind == "cpu" and devices.replicas == 1 else 0
    for name in usable:
        least = ENGINES[name].faster_on_cpu_from_rows
        if least is not None and rows >= least:
            text = f"{engine_title(name)} is the faster engine on a CPU from {least} rows a batch; {unknown}"
            return Decision(name, text)
    return Decision(usable[0], f"{engine_title(usable[0])} is the faster engine as a rule; {unknown}")


def missing(engine: EngineName, devices: DeviceChoice) -> str:
    """Return why an engine cannot be used on these devices, with what to install; empty if it can be used.

    Raises InvalidInput where this version does not know the engine.
    """
    info = engine_info(engine)
    if find_spec(info.packages[0]) is None:
        return f"{info.packages[0]} is not installed (pip install {info.install})."
    if devices.kind == "gpu" and info.gpu_plugins and not any(find_spec(plugin) for plugin in info.gpu_plugins):
        return f"{info.title} is installed without GPU support (pip install {info.gpu_install})."
    return ""


def unsuited(engine: EngineName, design: Design | None) -> str:
    """Return why an engine cannot train this design; empty if it can."""
    info = engine_info(engine)
    if design is None or not design.training.rematerialise or info.rematerialises:
        return ""
    able = " or ".join(other.title for other in ENGINES.values() if other.rematerialises)
    return f"{info.title} cannot compute activations again; train on {able}, or switch training.rematerialise off."


def _seconds(measurement: Measurement, epochs: int | None) -> float:
    """Return the seconds of a whole training of `epochs` epochs; with None, those of one step."""
    assert measurement.step_s is not None
    if epochs is None or measurement.epoch_s is None or measurement.ready_s is None:
        return measurement.step_s
    longer_s = engine_info(measurement.engine).longer_gpu_start_s if measurement.devices.kind == "gpu" else 0.0
    return measurement.ready_s + longer_s + epochs * measurement.epoch_s


def _comparison(winner: Measurement, loser: Measurement, epochs: int | None) -> str:
    ours, theirs = _seconds(winner, epochs), _seconds(loser, epochs)
    first, second = engine_title(winner.engine), engine_title(loser.engine)
    if epochs is None:
        speeds = f"{winner.samples_per_s:,.0f} and {loser.samples_per_s:,.0f} samples/s"
        return f"{first} was measured {theirs / ours:.1f} times as fast as {second} here ({speeds})."
    return f"By measurement {first} ends after about {_span(ours)}, {second} after {_span(theirs)}."


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 180 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
