"""The child process of a probe: times the training steps of one engine on its devices, at several global batches."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from seqdec_gui.domain.document import from_builtins
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner.failures import plain_sentence
from seqdec_gui.runner.import_trimming import garbage_collection_paused
from seqdec_gui.runner.measurement_lock import MeasurementLock
from seqdec_gui.runs.crash import explain
from seqdec_gui.runs.measurement import OUT_OF_MEMORY, Measurement
from seqdec_gui.runs.spec import Placement
from seqdec_gui.runs.task_results import Probed
from seqdec_gui.runs.tasks import PROBE_GRACE, Measured, ProbeTask, Progress, TaskChannel

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Dataset
    from seqdec_gui.runner.engines.base import Engine

CPU_INTERVAL_S = 0.25
"""Seconds that one timed interval of training steps should take on a CPU."""
GPU_INTERVAL_S = 0.08
"""Seconds that one timed interval of training steps should take on GPUs."""
INTERVAL_LENGTHS = (192, 128, 64, 32, 16, 8, 4, 2, 1)
"""Possible lengths of an interval, longest first, in multiples of `Engine.fewest_steps` steps."""
CPU_INTERVALS = 5
"""Timed intervals per measurement on a CPU, where other programs disturb them."""
GPU_INTERVALS = 2
"""Timed intervals per measurement on GPUs, whose times repeat within 1 %; see `MAX_RELATIVE_SPREAD`."""
MAX_RELATIVE_SPREAD = 0.05
"""Further intervals are timed on GPUs while slowest and fastest differ by more than this part of the median."""
MAX_GPU_INTERVALS = 9
"""Most timed intervals per measurement on GPUs, however much they differ."""
MAX_GPU_TIMING_S = 1.5
"""Seconds after which no further interval is timed on GPUs, however much they differ."""
MAX_LENGTH_TRIALS = 4
"""Attempts to choose the length of an interval: the overhead of a call, some milliseconds, makes few steps look slow."""
CPU_PAIRS = 5
"""Pairs of intervals, with and without a part of the work, from which its share is computed on a CPU."""
GPU_PAIRS = 3
"""Pairs of intervals, with and without a part of the work, from which its share is computed on GPUs."""
MAX_SHARE_DEVIATION = 0.15
"""Largest median absolute deviation of the shares of the pairs; beyond it the share counts as unknown."""
ALWAYS_MEASURED_S = 2.0
"""Measurements that need no compilation and at most this many seconds are made even when the budget is spent."""
GPU_TURNS_S = 5.0
"""Seconds to keep for all children to measure on the GPUs one after the other, once they have compiled."""
FIRST_BATCH_GRACE = 2.0
"""Multiple of the budget by which the first batch is measured, even while other processes still work."""
MARGIN_S = 1.0
"""Seconds by which a measurement is begun before the parent would give this process up."""
MIN_RANDOM_ROWS = 512
"""Fewest rows of a random dataset."""
RESIDENT_SUBSET_BYTES = 256 << 20
"""Bytes of a streamed dataset that are put on the devices to time steps that do not wait for their input."""

replace = msgspec.structs.replace


def process_age_s() -> float:
    """Seconds since this process started, its imports included; since this module was imported where `/proc` is missing."""
    try:
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, AttributeError):
        return time.monotonic() - _IMPORT_TIME


_IMPORT_TIME = time.monotonic()
"""When this module was imported, on the monotonic clock."""


def probe(task: ProbeTask, channel: TaskChannel, scratch: Path) -> Probed:
    """Time the steps at every batch of `task.batch_sizes`, and send each `Measurement` through `channel` once it is made.

    A batch that runs out of memory gives a measurement that says so; larger batches are then left out.

    Raises InvalidInput where the design's rows cannot be read.
    """
    with MeasurementLock(task.turn) as lock:
        complete = _measure_batches(task, channel, scratch, lock)
        if complete and len(task.batch_sizes) == 1:  # otherwise the other probes may need the memory that this one holds
            lock.wait_for_all(PROBE_GRACE * task.budget_s - MARGIN_S - process_age_s())
    return Probed()


def _measure_batches(task: ProbeTask, channel: TaskChannel, scratch: Path, lock: MeasurementLock) -> bool:
    """Measure each batch, smallest first; returns whether every measurement succeeded."""
    batch_sizes = sorted(set(task.batch_sizes))
    with garbage_collection_paused():
        timer = _make_timer(task, batch_sizes, channel, scratch, lock)
    if timer is None:
        return False
    complete = True
    for number, batch in enumerate(batch_sizes):
        channel.send(Progress(done=number, total=len(batch_sizes), text=f"{task.engine} on {task.devices}, batch {batch}"))
        measurement = timer.measured(batch, batches_left=len(batch_sizes) - number - 1)
        channel.send(Measured(measurement=measurement))
        complete = complete and not measurement.failed
        if measurement.failed == OUT_OF_MEMORY:
            break
    return complete


def _make_timer(
    task: ProbeTask, batch_sizes: Sequence[int], channel: TaskChannel, scratch: Path, lock: MeasurementLock
) -> StepTimer | None:
    """Build and start the engine, and return a timer of its steps.

    Where the engine cannot be started, a failed measurement is sent and None returned.
    """
    from seqdec_gui.runner import engines
    from seqdec_gui.runner.random_rows import rows_for
    from seqdec_gui.runner.script_files import write_script

    placement = Placement(task.devices, task.engine)
    channel.send(Progress(total=len(batch_sizes), text=f"{task.engine} on {task.devices} is starting"))
    engines.begin(placement)
    count = max(MIN_RANDOM_ROWS, *batch_sizes)
    design = from_builtins(task.design)
    # engines may choose by the batch size how they compute
    design = design.with_training(replace(design.training, batch_size=batch_sizes[0]))
    design, dataset = rows_for(design, Path(task.folder), task.real_rows, count)
    write_script(design, scratch / "model.py", (Path(task.folder),))

    from seqdec_gui.runner.numpy_initializers import numpy_initializers
    from seqdec_gui.runner.program import Program

    program = Program.of(design, scratch / "model.py")
    blank = Measurement(
        engine=task.engine,
        devices=task.devices,
        batch_size=batch_sizes[0],
        precision=program.precision,
        data="real" if task.real_rows else "random",
    )
    try:
        engine = engines.create(placement, program)
        with numpy_initializers():
            engine.build()
        engine.start(dataset)
    except Exception as error:
        channel.send(Measured(measurement=failure(blank, error)))
        return None
    return StepTimer(engine, dataset, task, blank, lock)


class StepTimes(NamedTuple):
    """Seconds per training step, one value for each timed interval.

    `steps` is the length of an interval; `compile_s` the seconds that the untimed calls before spent on compiling.
    """

    steps: int
    compile_s: float
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


class StepTimer:
    """Times the training steps of one engine at several batches, within the budget of its task."""

    def __init__(self, engine: Engine, dataset: Dataset, task: ProbeTask, blank: Measurement, lock: MeasurementLock) -> None:
        """Take an engine that has been built and started on `dataset`; `blank` is a measurement without results."""
        self._engine = engine
        self._dataset = dataset
        self._task = task
        self._blank = blank
        self._lock = lock
        self._longest_s = 0.0
        self._interval_s = GPU_INTERVAL_S if on_gpus(engine) else CPU_INTERVAL_S
        self._intervals = GPU_INTERVALS if on_gpus(engine) else CPU_INTERVALS
        self._pairs = GPU_PAIRS if on_gpus(engine) else CPU_PAIRS
        self._unreduced_is_compiled = False
        self._random = np.random.default_rng(0)

    def measured(self, batch: int, batches_left: int) -> Measurement:
        """Return the measurement at one global batch; a failed one for whatever exception the engine raises.

        `batches_left` is how many batches share the rest of the budget after this one.
        """
        blank = replace(self._blank, batch_size=batch)
        if process_age_s() + self._longest_s > self._task.budget_s and self._longest_s:
            return replace(blank, failed="time", failure=f"There was no time left of {self._task.budget_s:.0f} s.")
        began = time.monotonic()
        waited_s = self._lock.waited_s
        try:
            return self._measured(blank, batches_left)
        except Exception as error:
            return failure(blank, error)
        finally:
            self._longest_s = max(self._longest_s, time.monotonic() - began - (self._lock.waited_s - waited_s))

    def _measured(self, blank: Measurement, batches_left: int) -> Measurement:
        from seqdec_gui.runner.kernels import recurrent_layers

        batch, engine = blank.batch_size, self._engine
        seconds = self._timing_budget_s(batches_left)  # computed first, so that compiling does not shorten it
        first_of_all = not self._longest_s
        with garbage_collection_paused():
            first_s = self._train(batch, engine.fewest_steps)
        measurement = replace(
            blank,
            ready_s=process_age_s() if first_of_all else None,
            recurrent_layers=recurrent_layers(engine.training_model),
        )
        if on_gpus(engine) and measurement.recurrent_layers:
            measurement = replace(measurement, cudnn_layers=engine.cudnn_layers(*self._arguments(batch, engine.fewest_steps)))
        self._compile_without_reductions(batch, first_s)
        times = self._step(batch, seconds, first_s)
        rows = len(self._dataset.training)
        measurement = replace(
            measurement,
            compile_s=times.compile_s,
            step_s=times.median,
            intervals=len(times.seconds),
            spread=(max(times.seconds) - min(times.seconds)) / times.median,
            peak_memory=engine.peak_memory(),
            epoch_s=(rows // batch) * times.median if self._task.real_rows else None,
        )
        if self._task.shares:
            measurement = self._with_shares(measurement, times, batches_left)
        return measurement

    def _with_shares(self, measurement: Measurement, times: StepTimes, batches_left: int) -> Measurement:
        """Add the shares of a step that reduction and input take, where the budget allows the compilation that each needs."""
        engine = self._engine
        resident = engine.resident
        measurement = replace(measurement, resident=resident, input_share=0.0 if resident else None)
        if engine.replicas == 1:
            measurement = replace(measurement, reduction_share=0.0)
        elif self._can_measure_reduction(times, batches_left):
            measurement = replace(measurement, reduction_share=self._reduction_share(measurement.batch_size, times))
        if not resident and self._fits_in_budget(times, batches_left):
            measurement = replace(measurement, input_share=self._input_share(measurement.batch_size, times, batches_left))
        return measurement

    def _can_measure_reduction(self, times: StepTimes, batches_left: int) -> bool:
        """Whether the budget allows it; on GPUs also whether the steps without reductions are compiled already."""
        compiled = self._unreduced_is_compiled
        return (compiled or not on_gpus(self._engine)) and self._fits_in_budget(times, batches_left, compiled)

    def _reduction_share(self, batch: int, times: StepTimes) -> float | None:
        """Return the share of a step's time that summing over the devices takes.

        Intervals with and without reduction alternate, so that other programs slow both alike.
        """
        with self._engine.without_reductions():
            self._train(batch, times.steps)
        pairs = []
        with self._lock.measuring(self._lock_timeout_s()):
            for _ in range(self._pairs):
                with self._engine.without_reductions():
                    without_s = self._train(batch, times.steps)
                pairs.append((self._train(batch, times.steps), without_s))
        return share_saved(pairs)

    def _input_share(self, batch: int, times: StepTimes, batches_left: int) -> float | None:
        """Return the share of a step's time that streaming the rows takes.

        The steps are timed again on a subset of the rows that fits on the devices. None where it does not fit.
        """
        whole = self._dataset
        self._dataset = part_of(whole, max(batch, rows_in(whole, RESIDENT_SUBSET_BYTES)))
        self._engine.start(self._dataset)
        resident_step = None
        if self._engine.resident:
            first_s = self._train(batch, self._engine.fewest_steps)
            resident_step = self._step(batch, self._timing_budget_s(batches_left), first_s)
        self._dataset = whole
        self._engine.start(whole)
        return share_saved([(times.median, resident_step.median)]) if resident_step else None

    def _fits_in_budget(self, times: StepTimes, batches_left: int, compiled: bool = False) -> bool:
        """Whether a share can be measured, after compiling if it is not `compiled`, and leave the other batches their time."""
        measuring_s = 2 * self._pairs * max(self._interval_s, times.median)
        if compiled and measuring_s < ALWAYS_MEASURED_S:
            return True
        compile_s = 0.0 if compiled else times.compile_s
        return process_age_s() + (compile_s + measuring_s) * (1 + batches_left) < self._task.budget_s

    def _lock_timeout_s(self) -> float:
        """Seconds to wait for other processes that work, so that this one ends before `runs.probe` gives it up."""
        grace = PROBE_GRACE if self._longest_s else FIRST_BATCH_GRACE
        return max(0.0, grace * self._task.budget_s - MARGIN_S - process_age_s())

    def _timing_budget_s(self, batches_left: int) -> float:
        """Seconds for the timed intervals of one batch, without compilation: a part of the budget that is left."""
        left_s = self._task.budget_s - process_age_s()
        return max(self._interval_s, min(self._intervals * 2 * self._interval_s, left_s / (2 * (batches_left + 1))))

    def _compile_without_reductions(self, batch: int, first_s: float) -> None:
        """Compile the steps without reductions before any process measures, if the budget allows it.

        `first_s` is what the steps with reductions took to compile, the estimate for these.
        """
        wanted = self._task.shares and self._engine.replicas > 1 and on_gpus(self._engine)
        self._unreduced_is_compiled = wanted and process_age_s() + first_s + GPU_TURNS_S < self._task.budget_s
        if self._unreduced_is_compiled:
            with self._engine.without_reductions():
                self._train(batch, self._engine.fewest_steps)

    def _step(self, batch: int, seconds: float, first_s: float) -> StepTimes:
        """Time training steps for about `seconds` seconds, after a first call of the engine that took `first_s` seconds."""
        fewest = self._engine.fewest_steps
        step_s = min(self._train(batch, fewest) for _ in range(2)) / fewest
        steps = steps_in_interval(step_s, self._interval_s, fewest)
        untimed_steps = fewest
        untimed_s = first_s
        if steps > fewest:  # a loop of another length may be compiled
            untimed_steps += steps
            untimed_s += self._train(batch, steps)
        with self._lock.measuring(self._lock_timeout_s()):
            steps = self._interval_length(batch, steps)
            began = time.monotonic()
            times = [self._train(batch, steps) / steps]
            while self._needs_more(times, time.monotonic() - began, seconds):
                times.append(self._train(batch, steps) / steps)
        compile_s = max(0.0, untimed_s - untimed_steps * statistics.median(times))
        return StepTimes(steps, compile_s, tuple(times))

    def _interval_length(self, batch: int, steps: int) -> int:
        """Return how many steps fill an interval, at least `steps`, timed while no other process works.

        A step takes less time in a long call than in a short one, and less when no other process compiles.
        """
        for _ in range(MAX_LENGTH_TRIALS):
            step_s = self._train(batch, steps) / steps
            longer = max(steps, steps_in_interval(step_s, self._interval_s, self._engine.fewest_steps))
            if longer == steps:
                return steps
            steps = longer
        self._train(batch, steps)
        return steps

    def _needs_more(self, times: Sequence[float], spent_s: float, seconds: float) -> bool:
        """Whether to time another interval after those that took `times` (seconds per step) and `spent_s` seconds together.

        At least two are timed, then up to `seconds` seconds, and further ones on GPUs while their times differ.
        """
        if len(times) < self._intervals:
            return len(times) < 2 or spent_s < seconds
        differ = max(times) - min(times) > MAX_RELATIVE_SPREAD * statistics.median(times)
        return differ and on_gpus(self._engine) and len(times) < MAX_GPU_INTERVALS and spent_s < MAX_GPU_TIMING_S

    def _train(self, batch: int, steps: int) -> float:
        """Train `steps` steps in one call of the engine; returns the seconds that it took."""
        arguments = self._arguments(batch, steps)
        began = time.monotonic()
        self._engine.train(*arguments)
        return time.monotonic() - began

    def _arguments(self, batch: int, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return random rows, learning rates and KL weights for `Engine.train`.

        The rates are small: the trained weights are thrown away, but they must stay finite.
        """
        rows = self._random.choice(self._dataset.training, (steps, batch)).astype(np.int64)
        kl_weights = np.full((steps, len(self._engine.program.kl_terms)), 1e-3, np.float32)
        return rows, np.full(steps, 1e-5, np.float32), kl_weights


def on_gpus(engine: Engine) -> bool:
    """Whether the engine trains on GPUs."""
    return engine.devices.kind == "gpu"


def steps_in_interval(step_s: float, interval_s: float = CPU_INTERVAL_S, fewest: int = 1) -> int:
    """Return how many steps of `step_s` seconds make an interval of at most `interval_s` seconds.

    The number is `fewest` times one of `INTERVAL_LENGTHS`, at least `fewest`.
    """
    wanted = interval_s / max(step_s * fewest, 1e-9)
    return fewest * next((length for length in INTERVAL_LENGTHS if length <= wanted), 1)


def share_saved(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the share of the time that a part of the work takes: the median over (with, without) pairs of seconds, at least 0.

    None where the shares of the pairs differ by more than `MAX_SHARE_DEVIATION`, so that their median is meaningless.
    """
    shares = sorted(1.0 - without_s / with_s for with_s, without_s in pairs)
    median = statistics.median(shares)
    if statistics.median(abs(share - median) for share in shares) > MAX_SHARE_DEVIATION:
        return None
    return max(0.0, median)


def rows_in(dataset: Dataset, size: int) -> int:
    """Return how many rows of the dataset take `size` bytes, at least 1."""
    bytes_per_row = sum(array.nbytes for array in dataset.arrays.values()) / max(1, dataset.rows)
    return max(1, int(size / max(bytes_per_row, 1)))


def part_of(dataset: Dataset, count: int) -> Dataset:
    """Return a dataset of the first `count` training rows, without validation and test rows."""
    from dataclasses import replace

    rows = dataset.training[:count]
    none = np.zeros(0, np.int64)
    return replace(
        dataset, arrays=dataset.batch(rows), training=np.arange(len(rows)), validation=none, test=none, rows=len(rows)
    )


def failure(blank: Measurement, error: Exception) -> Measurement:
    """Return `blank` as a failed measurement: out of memory, or the reason why the engine cannot train this design."""
    cause = explain(None, f"{type(error).__name__}: {error}", "probe")
    if cause.kind == OUT_OF_MEMORY:
        return replace(blank, failed="out_of_memory", failure=cause.sentence)
    sentence = str(error) if isinstance(error, SeqdecError) else plain_sentence(error, f"{blank.engine} could not be measured")
    return replace(blank, failed="other", failure=sentence)
