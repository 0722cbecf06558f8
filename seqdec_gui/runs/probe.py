"""Measuring how fast a design trains here: short probes, each in a child of its own. May be called from any thread."""

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

BUDGET_S, CPU_BUDGET_S = 20.0, 45.0
FIRST_GRACE = 3.0
"""In place of `PROBE_GRACE` until something was measured, for without it nothing would be known."""
CORES_TOGETHER = 4
"""For each of the children that start and compile at the same time."""
LARGEST_DATA = 256 << 20
"""Bytes of data files above which random rows are measured: reading would take longer than the probe."""
WORTH_SHARE = 1 / 30
"""A probe may take so much of the training that it is for."""
_GPU_SPEED, _CPU_SPEED = 5e12, 15e9
"""Operations per second of a GPU and of a core of a CPU that a training of recurrent layers reaches, roughly."""

OnProgress = Callable[[Progress], None]
OnMeasured = Callable[[Measurement], None]
IsCancelled = Callable[[], bool]


class Plan(NamedTuple):
    """What one child is to measure."""

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
    """Do these plans, in the order of `plans` and of their batches, within about `budget_s` seconds together.

    What runs out of memory or time is a measurement that says so. On GPUs, where the cores suffice, the children start together
    and measure one by one, with many cores a child per batch: compiling takes longest. Results are kept for `auto`;
    `on_measured` hears each at once. Raises InvalidInput (the design or its rows cannot be used), Cancelled.
    """
    fail_unless_sound(design)
    real = has_rows(design, folder)
    on_gpus = all(plan.devices.kind == "gpu" for plan in plans)
    if on_gpus and _cores() >= CORES_TOGETHER * sum(len(plan.batch_sizes) for plan in plans):
        plans = [plan._replace(batch_sizes=(size,)) for plan in plans for size in sorted(plan.batch_sizes)]
    together = on_gpus and len(plans) > 1 and _cores() >= CORES_TOGETHER * len(plans)
    batches = sum(len(plan.batch_sizes) for plan in plans)
    stopped = threading.Event()
    found: dict[int, list[Measurement]] = {i: [] for i in range(len(plans))}
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
            attempts.append(pool.submit(_attempt, task, found[i], gate, stopped, on_progress, on_measured, cancelled))
        try:
            for attempt in attempts:
                attempt.result()
        finally:
            stopped.set()
    measured = tuple(one for i in range(len(plans)) for one in found[i])
    _keep(design, measured)
    return measured


def probe_engines(
    design: Design,
    folder: Path,
    devices: DeviceChoice,
    *,
    on_progress: OnProgress | None = None,
    cancelled: IsCancelled | None = None,
) -> tuple[Measurement, ...]:
    """Every engine that can be used, at the design's batch. Raises as `probe`."""
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
    """What `auto` chooses, after a probe where one is missing and worth its time (`is_worth_probing`).

    Call it before a run is started; the run then finds the measurement in the cache. Never fails because of the probe itself.
    """
    decision = decide("auto", devices, design)
    if decision.measurement is not None or not is_worth_probing(design, folder, devices):
        return decision
    usable = usable_engines(devices)
    if len(usable) < 2:
        return decision
    try:
        found = probe_engines(design, folder, devices, on_progress=on_progress, cancelled=cancelled)
    except Cancelled:
        raise
    except SeqdecError:
        return decision
    return by_measurement(found, design.training.epochs, usable) or decision


def is_worth_probing(design: Design, folder: Path, devices: DeviceChoice) -> bool:
    """Whether the training is long enough, by estimate, for a probe to take no more than `WORTH_SHARE` of it."""
    seconds = estimated_training_s(design, folder, devices)
    return seconds is not None and _budget_s(devices) <= WORTH_SHARE * seconds


def estimated_training_s(design: Design, folder: Path, devices: DeviceChoice) -> float | None:
    """A rough estimate, good to a factor of three: operations over what such devices reach. None without rows."""
    rows = estimated_rows(design, folder)
    if rows is None:
        return None
    speed = devices.replicas * _GPU_SPEED if devices.kind == "gpu" else _cores() * _CPU_SPEED
    return operations_per_training(design, rows) / speed


def has_rows(design: Design, folder: Path) -> bool:
    """Whether the design's own rows can be measured: all ports bound, files there and not too large."""
    return not why_no_rows(design, folder)


def why_no_rows(design: Design, folder: Path) -> str:
    """Why the design's own rows cannot be measured, in a sentence; empty where they can."""
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
    if size > LARGEST_DATA:
        return f"The data has {size / 1e9:.1f} GB, and rows are read only up to {LARGEST_DATA / 1e9:.1f} GB."
    return ""


def fail_unless_sound(design: Design) -> None:
    """Raise InvalidInput with every error of the design."""
    report = check(design)
    if not report.ok:
        raise InvalidInput(errors(report.problems))


def _attempt(
    task: ProbeTask,
    found: list[Measurement],
    gate: threading.Semaphore,
    stopped: threading.Event,
    on_progress: OnProgress | None,
    on_measured: OnMeasured | None,
    cancelled: IsCancelled | None,
) -> None:
    """Do one task; adds to `found` until the child ends or its time is up."""

    def hear(event: Event) -> None:
        if isinstance(event, Measured):
            found.append(event.measurement)
            if on_measured is not None:
                on_measured(event.measurement)
        elif isinstance(event, Progress) and on_progress is not None:
            on_progress(event)

    with gate:
        began = time.monotonic()

        def limit_s() -> float:
            return task.budget_s * (PROBE_GRACE if found else FIRST_GRACE)

        def by_the_user() -> bool:
            return stopped.is_set() or (cancelled is not None and cancelled())

        try:
            run_task(task, hear, task.devices, task.engine, lambda: by_the_user() or time.monotonic() > began + limit_s())
        except InvalidInput:
            raise
        except Cancelled:
            if by_the_user():
                raise
            found += not_measured(task, found, "time", f"It was given up after {limit_s():.0f} s.")
        except SeqdecError as error:
            memory = str(error) in (GPU_MEMORY_SENTENCE, MEMORY_SENTENCE)
            found += not_measured(task, found, "out_of_memory" if memory else "other", str(error))[:1]


def not_measured(
    task: ProbeTask, found: Sequence[Measurement], failed: Literal["out_of_memory", "time", "other"], sentence: str
) -> list[Measurement]:
    """One measurement that says so for every batch that is not among `found`, smallest first."""
    done = {one.batch_size for one in found}
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


def _keep(design: Design, measured: Sequence[Measurement]) -> None:
    available = device_list.list_devices()
    by_key: dict[tuple[DeviceChoice, int], list[Measurement]] = {}
    for one in measured:
        by_key.setdefault((one.devices, one.batch_size), []).append(one)
    for (devices, batch), group in by_key.items():
        probe_cache.store(probe_cache.key_of(design, devices, batch, available), group)


def _budget_s(devices: DeviceChoice) -> float:
    """For both engines together; on a CPU they are measured one after the other."""
    return BUDGET_S if devices.kind == "gpu" else CPU_BUDGET_S


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
