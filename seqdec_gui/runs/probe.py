"""Measures how fast a design trains, by short probes in child processes. May be called from any thread."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

from seqdec_gui.domain import document
from seqdec_gui.domain.cost import operations_per_training
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, SeqdecError, errors
from seqdec_gui.domain.validation import check, unbound
from seqdec_gui.domain.wording import listed
from seqdec_gui.runs import devices as device_list
from seqdec_gui.runs import probe_cache
from seqdec_gui.runs.crash import GPU_MEMORY_SENTENCE, MEMORY_SENTENCE
from seqdec_gui.runs.engine_choice import Decision, by_measurement, decide, usable_engines
from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.readiness import data_problems
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.tasks import PROBE_GRACE, Cancelled, Event, Measured, ProbeTask, Progress, run_task
from seqdec_gui.runs.workload import estimated_rows

BUDGET_S = 20.0
"""Seconds of a probe of all engines on GPUs."""
CPU_BUDGET_S = 45.0
"""Seconds of a probe of all engines on a CPU, where they are measured one after the other."""
FIRST_GRACE = 3.0
"""Multiple of its budget after which a child that has measured nothing yet is killed; later it is `PROBE_GRACE`."""
CORES_PER_CHILD = 4
"""Cores for each child that are needed to start and compile several children at the same time."""
MAX_DATA_BYTES = 256 << 20
"""Bytes of data files above which random rows are measured, because reading the files would take longer than the probe."""
MAX_PROBE_SHARE = 1 / 30
"""Largest part of the estimated training time that a probe may take before it."""
_GPU_SPEED = 5e12
"""Rough number of operations per second that a training of recurrent layers reaches on a GPU."""
_CPU_CORE_SPEED = 15e9
"""Rough number of operations per second that a training of recurrent layers reaches on a core of a CPU."""

OnProgress = Callable[[Progress], None]
OnMeasured = Callable[[Measurement], None]
IsCancelled = Callable[[], bool]


class Plan(NamedTuple):
    """The measurements of one child. `shares`: also measure what part of a step reduction and input take."""

    engine: EngineName
    devices: DeviceChoice
    batch_sizes: tuple[int, ...]
    shares: bool = True


def probe(
    design: Design,
    folder: Path,
    plans: Sequence[Plan],
    *,
    budget_s: float = BUDGET_S,
    on_progress: OnProgress | None = None,
    on_measured: OnMeasured | None = None,
    cancelled: IsCancelled | None = None,
) -> tuple[Measurement, ...]:
    """Measure all `plans` in about `budget_s` seconds together; returns the measurements in the order of plans and batches.

    A batch that runs out of memory or time gives a failed measurement. On GPUs the children start together, if there are enough
    cores, and measure one by one; with many cores there is a child for each batch, because compiling takes most of the time.
    The measurements are cached for `auto`. `on_measured` is called with each as soon as it is made. Raises InvalidInput (the
    design or its rows cannot be used), Cancelled.
    """
    fail_unless_sound(design)
    busy = next((probe_cache.cores_are_busy(plan.devices) for plan in plans), None)
    real = has_rows(design, folder)
    on_gpus = all(plan.devices.kind == "gpu" for plan in plans)
    if on_gpus and _cores() >= CORES_PER_CHILD * sum(len(plan.batch_sizes) for plan in plans):
        plans = [plan._replace(batch_sizes=(size,)) for plan in plans for size in sorted(plan.batch_sizes)]
    together = on_gpus and len(plans) > 1 and _cores() >= CORES_PER_CHILD * len(plans)
    batches = sum(len(plan.batch_sizes) for plan in plans)
    stopped = threading.Event()
    by_plan: dict[int, list[Measurement]] = {i: [] for i in range(len(plans))}
    with tempfile.NamedTemporaryFile(prefix="seqdec-gui-turn-") as turn, ThreadPoolExecutor(len(plans)) as pool:
        attempts = []
        gate = threading.Semaphore(len(plans) if together else 1)
        for i, plan in enumerate(plans):
            each_s = budget_s if together else budget_s * len(plan.batch_sizes) / batches
            task = ProbeTask(
                design=document.to_builtins(design), folder=str(folder.absolute()), devices=plan.devices, engine=plan.engine,
                batch_sizes=plan.batch_sizes, real_rows=real, shares=plan.shares, budget_s=each_s,
                turn=turn.name if together else "",
            )  # fmt: skip
            attempts.append(pool.submit(_attempt, task, by_plan[i], gate, stopped, on_progress, on_measured, cancelled))
        try:
            for attempt in attempts:
                attempt.result()
        finally:
            stopped.set()
    measurements = tuple(measurement for i in range(len(plans)) for measurement in by_plan[i])
    _store(design, measurements, busy)
    return measurements


def probe_engines(
    design: Design,
    folder: Path,
    devices: DeviceChoice,
    *,
    on_progress: OnProgress | None = None,
    cancelled: IsCancelled | None = None,
) -> tuple[Measurement, ...]:
    """Measure every engine that can be used, at the design's batch. Raises as `probe` does."""
    plans = [Plan(name, devices, (design.training.batch_size,), False) for name in usable_engines(devices)]
    return probe(design, folder, plans, budget_s=_budget_s(devices), on_progress=on_progress, cancelled=cancelled)


def best_engine(
    design: Design,
    folder: Path,
    devices: DeviceChoice,
    *,
    on_progress: OnProgress | None = None,
    cancelled: IsCancelled | None = None,
) -> Decision:
    """Return what `auto` chooses, after a probe if there is no measurement yet and a probe is worth its time.

    Call it before a run is started; the run then takes the measurement from the cache. A failed probe is not an error. Raises
    InvalidInput, Cancelled.
    """
    decision = decide("auto", devices, design)
    if decision.measurement is not None or not is_worth_probing(design, folder, devices):
        return decision
    usable = usable_engines(devices)
    if len(usable) < 2:
        return decision
    try:
        measurements = probe_engines(design, folder, devices, on_progress=on_progress, cancelled=cancelled)
    except Cancelled:
        raise
    except SeqdecError:
        return decision
    return by_measurement(measurements, design.training.epochs, usable) or decision


def is_worth_probing(design: Design, folder: Path, devices: DeviceChoice) -> bool:
    """Whether a probe takes at most `MAX_PROBE_SHARE` of the estimated training time."""
    seconds = estimated_training_s(design, folder, devices)
    return seconds is not None and _budget_s(devices) <= MAX_PROBE_SHARE * seconds


def estimated_training_s(design: Design, folder: Path, devices: DeviceChoice) -> float | None:
    """Estimate the seconds of the training, to within a factor of three; None without rows."""
    rows = estimated_rows(design, folder)
    if rows is None:
        return None
    speed = devices.replicas * _GPU_SPEED if devices.kind == "gpu" else _cores() * _CPU_CORE_SPEED
    return operations_per_training(design, rows) / speed


def has_rows(design: Design, folder: Path) -> bool:
    """Whether the design's own rows can be measured: all ports are bound, and the files exist and are not too large."""
    return not why_no_rows(design, folder)


def why_no_rows(design: Design, folder: Path) -> str:
    """Return why the design's own rows cannot be measured, in a sentence; empty if they can."""
    if not design.data.file:
        return "The design has no data file."
    if problems := errors(data_problems(design, folder)):
        return problems[0].text
    if ports := unbound(design, check(design).inference):
        return f"No column is bound to {listed([port.port for port in ports])}."
    names = {design.data.file, *(binding.file for binding in design.data.bindings if binding.file)}
    try:
        size = sum((folder / expanded(name)).stat().st_size for name in names)
    except OSError as error:
        return f"{error.filename} cannot be read: {(error.strerror or str(error)).lower()}."
    if size > MAX_DATA_BYTES:
        return f"The data has {size / 1e9:.1f} GB, and rows are read only up to {MAX_DATA_BYTES / 1e9:.1f} GB."
    return ""


def fail_unless_sound(design: Design) -> None:
    """Raise InvalidInput with all errors of the design, if it has any."""
    report = check(design)
    if not report.ok:
        raise InvalidInput(errors(report.problems))


def _attempt(
    task: ProbeTask,
    measurements: list[Measurement],
    gate: threading.Semaphore,
    stopped: threading.Event,
    on_progress: OnProgress | None,
    on_measured: OnMeasured | None,
    cancelled: IsCancelled | None,
) -> None:
    """Run one child, and append its measurements to `measurements`, until it ends or its time is up."""

    def hear(event: Event) -> None:
        if isinstance(event, Measured):
            measurements.append(event.measurement)
            if on_measured is not None:
                on_measured(event.measurement)
        elif isinstance(event, Progress) and on_progress is not None:
            on_progress(event)

    with gate:
        began = time.monotonic()

        def limit_s() -> float:
            return task.budget_s * (PROBE_GRACE if measurements else FIRST_GRACE)

        def by_the_user() -> bool:
            return stopped.is_set() or (cancelled is not None and cancelled())

        try:
            run_task(task, hear, task.devices, task.engine, lambda: by_the_user() or time.monotonic() > began + limit_s())
        except InvalidInput:
            raise
        except Cancelled:
            if by_the_user():
                raise
            measurements += not_measured(task, measurements, "time", f"It was stopped after {limit_s():.0f} s.")
        except SeqdecError as error:
            memory = str(error) in (GPU_MEMORY_SENTENCE, MEMORY_SENTENCE)
            failed: Literal["out_of_memory", "other"] = "out_of_memory" if memory else "other"
            measurements += not_measured(task, measurements, failed, str(error))[:1]


def not_measured(
    task: ProbeTask, measurements: Sequence[Measurement], failed: Literal["out_of_memory", "time", "other"], sentence: str
) -> list[Measurement]:
    """Return a failed measurement for every batch of the task that is not in `measurements`, smallest first."""
    done = {measurement.batch_size for measurement in measurements}
    return [
        Measurement(
            engine=task.engine,
            devices=task.devices,
            batch_size=batch,
            data="real" if task.real_rows else "random",
            failed=failed,
            failure=sentence,
        )
        for batch in sorted(set(task.batch_sizes) - done)
    ]


def _store(design: Design, measured: Sequence[Measurement], busy: bool | None = None) -> None:
    """Store the measurements in the cache."""
    available = device_list.list_devices()
    by_key: dict[tuple[DeviceChoice, int], list[Measurement]] = {}
    for measurement in measured:
        by_key.setdefault((measurement.devices, measurement.batch_size), []).append(measurement)
    for (devices, batch), group in by_key.items():
        probe_cache.store(probe_cache.key_of(design, devices, batch, available), group, busy=busy)


def _budget_s(devices: DeviceChoice) -> float:
    """Return the seconds of a probe of all engines together."""
    return BUDGET_S if devices.kind == "gpu" else CPU_BUDGET_S


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
