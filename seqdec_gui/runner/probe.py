"""The child of a probe: measures training steps of one engine on its devices, at several global batches."""

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
from seqdec_gui.runner import import_trimming as lean
from seqdec_gui.runner.failures import plain_sentence
from seqdec_gui.runner.measurement_lock import Quiet
from seqdec_gui.runs.crash import explain
from seqdec_gui.runs.measurement import OUT_OF_MEMORY, Measurement
from seqdec_gui.runs.spec import Placement
from seqdec_gui.runs.tasks import PROBE_GRACE, Measured, Probed, ProbeTask, Progress, TaskChannel

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Dataset
    from seqdec_gui.runner.engines.base import Engine

INTERVAL_S, GPU_INTERVAL_S = 0.25, 0.08
LENGTHS = (192, 128, 64, 32, 16, 8, 4, 2, 1)
"""Of an interval, in steps, or in as many steps as an engine compiles for (`Engine.fewest_steps`)."""
INTERVALS, GPU_INTERVALS = 5, 2
"""That are measured; on GPUs, where nothing else runs, they differ by a hundredth..."""
STEADY, MOST_GPU_INTERVALS, UNSTEADY_S = 0.05, 9, 1.5
"""...and where they differ by more than this part more are measured, up to so many, for no longer than this."""
MOST_TRIES = 4
"""To find how many steps fill an interval: a call takes some milliseconds itself, which make few steps look slow."""
PAIRS, GPU_PAIRS, MOST_DOUBT = 5, 3, 0.15
"""Of intervals, with and without; a share is given only if they lie this close to their median, half of them at least."""
SHORT_S = 2.0
"""What takes no longer is measured even where the time is up."""
GPU_TURNS_S = 5.0
"""For all children to measure on the GPUs one after the other, once they are ready."""
PATIENCE, MARGIN_S = 2.0, 1.0
"""After so many times the budget, a little less, the first batch is measured whatever others do."""
LEAST_RANDOM_ROWS = 512
SUBSET_BYTES = 256 << 20
"""How much of a streamed data set is put on the devices to see what a step takes without the stream."""

replace = msgspec.structs.replace


def process_age_s() -> float:
    """How long this process has lived, its imports included; where the system does not say, since this module came."""
    try:
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, AttributeError):
        return time.monotonic() - _IMPORTED


_IMPORTED = time.monotonic()


def probe(task: ProbeTask, channel: TaskChannel, scratch: Path) -> Probed:
    """Measure, and send every measurement as it is made. Running out of memory is one of them, and the last.

    Raises InvalidInput where the design's rows cannot be read.
    """
    with Quiet(task.turn) as quiet:
        done = _probe(task, channel, scratch, quiet)
        if done and len(task.batch_sizes) == 1:  # with larger ones to come the others may need the memory that it holds
            quiet.wait_for_all(PROBE_GRACE * task.budget_s - MARGIN_S - process_age_s())
    return Probed()


def _probe(task: ProbeTask, channel: TaskChannel, scratch: Path, quiet: Quiet) -> bool:
    """Whether all was measured."""
    batch_sizes = sorted(set(task.batch_sizes))
    with lean.uncollected():
        bench = _bench(task, batch_sizes, channel, scratch, quiet)
    if bench is None:
        return False
    done = True
    for number, batch in enumerate(batch_sizes):
        channel.send(Progress(done=number, total=len(batch_sizes), text=f"{task.engine} on {task.devices}, batch {batch}"))
        found = bench.measured(batch, later=len(batch_sizes) - number - 1)
        channel.send(Measured(measurement=found))
        done = done and not found.failed
        if found.failed == OUT_OF_MEMORY:
            break
    return done


def _bench(task: ProbeTask, batch_sizes: Sequence[int], channel: TaskChannel, scratch: Path, quiet: Quiet) -> Bench | None:
    """The engine, ready to train; None, and a measurement that says so, where it cannot be."""
    from seqdec_gui.runner import engines
    from seqdec_gui.runner.random_rows import rows_for
    from seqdec_gui.runner.script_files import write_script

    placement = Placement(task.devices, task.engine)
    channel.send(Progress(total=len(batch_sizes), text=f"{task.engine} on {task.devices} is starting"))
    engines.begin(placement)
    count = max(LEAST_RANDOM_ROWS, *batch_sizes)
    design = from_builtins(task.design)
    # an engine may decide by the batch how it works
    design = design.with_training(replace(design.training, batch_size=batch_sizes[0]))
    design, dataset = rows_for(design, Path(task.folder), task.real_rows, count)
    write_script(design, scratch / "model.py", (Path(task.folder),))

    from seqdec_gui.runner.program import Program
    from seqdec_gui.runner.quick_weights import quick_weights

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
        with quick_weights():
            engine.build()
        engine.start(dataset)
    except Exception as error:
        channel.send(Measured(measurement=failure(blank, error)))
        return None
    return Bench(engine, dataset, task, blank, quiet)


class Step(NamedTuple):
    """Seconds per step in every interval of `steps` steps; `compile_s` is what the calls before took longer than later ones."""

    steps: int
    compile_s: float
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


class Bench:
    """Measures one engine at several batches, within the time of its task."""

    def __init__(self, engine: Engine, dataset: Dataset, task: ProbeTask, blank: Measurement, quiet: Quiet) -> None:
        self._engine, self._dataset, self._task, self._blank, self._quiet = engine, dataset, task, blank, quiet
        self._longest_s = 0.0
        self._interval_s, self._intervals = (GPU_INTERVAL_S, GPU_INTERVALS) if on_gpus(engine) else (INTERVAL_S, INTERVALS)
        self._pairs = GPU_PAIRS if on_gpus(engine) else PAIRS
        self._alone_is_compiled = False
        self._random = np.random.default_rng(0)

    def measured(self, batch: int, later: int) -> Measurement:
        """One batch; `later` are still to come. Never raises for what an engine does."""
        blank = replace(self._blank, batch_size=batch)
        if process_age_s() + self._longest_s > self._task.budget_s and self._longest_s:
            return replace(blank, failed="time", failure=f"There was no time left of {self._task.budget_s:.0f} s.")
        began, waited_s = time.monotonic(), self._quiet.waited_s
        try:
            return self._measured(blank, later)
        except Exception as error:
            return failure(blank, error)
        finally:
            self._longest_s = max(self._longest_s, time.monotonic() - began - (self._quiet.waited_s - waited_s))

    def _measured(self, blank: Measurement, later: int) -> Measurement:
        from seqdec_gui.runner.kernels import recurrent_layers

        batch, engine = blank.batch_size, self._engine
        seconds = self._seconds(later)  # compiling does not shorten it
        first_of_all = not self._longest_s
        with lean.uncollected():
            first_s = self._train(batch, engine.fewest_steps)
        found = replace(
            blank,
            ready_s=process_age_s() if first_of_all else None,
            recurrent_layers=recurrent_layers(engine.training_model),
        )
        if on_gpus(engine) and found.recurrent_layers:
            found = replace(found, cudnn_layers=engine.cudnn_layers(*self._arguments(batch, engine.fewest_steps)))
        self._compile_alone(batch, first_s)
        step = self._step(batch, seconds, first_s)
        rows = len(self._dataset.training)
        found = replace(
            found,
            compile_s=step.compile_s,
            step_s=step.median,
            intervals=len(step.seconds),
            spread=(max(step.seconds) - min(step.seconds)) / step.median,
            peak_memory=engine.peak_memory(),
            epoch_s=(rows // batch) * step.median if self._task.real_rows else None,
        )
        if self._task.shares:
            found = self._with_shares(found, step, later)
        return found

    def _with_shares(self, found: Measurement, step: Step, later: int) -> Measurement:
        """What reduction and input cost, as far as there is time for another compilation each."""
        engine = self._engine
        resident = engine.resident
        found = replace(found, resident=resident, input_share=0.0 if resident else None)
        if engine.replicas == 1:
            found = replace(found, reduction_share=0.0)
        elif (self._alone_is_compiled or not on_gpus(engine)) and self._time_for(step, later, self._alone_is_compiled):
            found = replace(found, reduction_share=self._reduction_share(found.batch_size, step))
        if not resident and self._time_for(step, later):
            found = replace(found, input_share=self._input_share(found.batch_size, step, later))
        return found

    def _reduction_share(self, batch: int, step: Step) -> float | None:
        """Intervals with and without reduction take turns, so that what else the machine does weighs on both alike."""
        with self._engine.without_reductions():
            self._train(batch, step.steps)
        pairs = []
        with self._quiet.measuring(self._patience_s()):
            for _ in range(self._pairs):
                with self._engine.without_reductions():
                    without_s = self._train(batch, step.steps)
                pairs.append((self._train(batch, step.steps), without_s))
        return share_saved(pairs)

    def _input_share(self, batch: int, step: Step, later: int) -> float | None:
        """The same batches of a part of the rows that fits on the devices."""
        whole = self._dataset
        self._dataset = part_of(whole, max(batch, rows_in(whole, SUBSET_BYTES)))
        self._engine.start(self._dataset)
        still = None
        if self._engine.resident:
            still = self._step(batch, self._seconds(later), self._train(batch, self._engine.fewest_steps))
        self._dataset = whole
        self._engine.start(whole)
        return share_saved([(step.median, still.median)]) if still else None

    def _time_for(self, step: Step, later: int, compiled: bool = False) -> bool:
        """Whether a share may be measured, and compiled first, without taking the time of the batches to come."""
        measuring_s = 2 * self._pairs * max(self._interval_s, step.median)
        if compiled:
            return measuring_s < SHORT_S or process_age_s() + measuring_s * (1 + later) < self._task.budget_s
        return process_age_s() + (step.compile_s + measuring_s) * (1 + later) < self._task.budget_s

    def _patience_s(self) -> float:
        """How long others may keep it from measuring, for it to be done before it is given up (`runs.probe`)."""
        most_s = (PATIENCE if not self._longest_s else PROBE_GRACE) * self._task.budget_s - MARGIN_S
        return max(0.0, most_s - process_age_s())

    def _seconds(self, later: int) -> float:
        """For measuring, compilation apart: a part of what is left."""
        left = self._task.budget_s - process_age_s()
        return max(self._interval_s, min(self._intervals * 2 * self._interval_s, left / (2 * (later + 1))))

    def _compile_alone(self, batch: int, first_s: float) -> None:
        """Make the steps without reduction ready before anybody measures, as far as time allows; the others took `first_s`."""
        wanted = self._task.shares and self._engine.replicas > 1 and on_gpus(self._engine)
        self._alone_is_compiled = wanted and process_age_s() + first_s + GPU_TURNS_S < self._task.budget_s
        if self._alone_is_compiled:
            with self._engine.without_reductions():
                self._train(batch, self._engine.fewest_steps)

    def _step(self, batch: int, seconds: float, first_s: float) -> Step:
        """The time of a step, after a first call that took `first_s`."""
        fewest = self._engine.fewest_steps
        one_s = min(self._train(batch, fewest) for _ in range(2)) / fewest
        ran, steps = fewest, steps_in_interval(one_s, self._interval_s, fewest)
        if steps > fewest:  # a loop of another length may be compiled
            ran, first_s = ran + steps, first_s + self._train(batch, steps)
        with self._quiet.measuring(self._patience_s()):
            steps = self._steps_when_quiet(batch, steps)
            began = time.monotonic()
            found = [self._train(batch, steps) / steps]
            while self._needs_more(found, time.monotonic() - began, seconds):
                found.append(self._train(batch, steps) / steps)
        return Step(steps, max(0.0, first_s - ran * statistics.median(found)), tuple(found))

    def _steps_when_quiet(self, batch: int, steps: int) -> int:
        """How many fill an interval now that nobody else works: many at once are faster than one, and than beside others."""
        for _ in range(MOST_TRIES):
            step_s = self._train(batch, steps) / steps
            again = max(steps, steps_in_interval(step_s, self._interval_s, self._engine.fewest_steps))
            if again == steps:
                return steps
            steps = again
        self._train(batch, steps)
        return steps

    def _needs_more(self, found: Sequence[float], spent_s: float, seconds: float) -> bool:
        """Whether another interval is to be measured after these: two at least, and more on GPUs where they differ."""
        if len(found) < self._intervals:
            return len(found) < 2 or spent_s < seconds
        unsteady = max(found) - min(found) > STEADY * statistics.median(found)
        return unsteady and on_gpus(self._engine) and len(found) < MOST_GPU_INTERVALS and spent_s < UNSTEADY_S

    def _train(self, batch: int, steps: int) -> float:
        """Seconds of one call with so many steps."""
        arguments = self._arguments(batch, steps)
        began = time.monotonic()
        self._engine.train(*arguments)
        return time.monotonic() - began

    def _arguments(self, batch: int, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, learning rates (small: what is trained is thrown away, but must stay finite) and weights of KL terms."""
        rows = self._random.choice(self._dataset.training, (steps, batch)).astype(np.int64)
        kl_weights = np.full((steps, len(self._engine.program.divergences)), 1e-3, np.float32)
        return rows, np.full(steps, 1e-5, np.float32), kl_weights


def on_gpus(engine: Engine) -> bool:
    return engine.devices.kind == "gpu"


def steps_in_interval(step_s: float, interval_s: float = INTERVAL_S, fewest: int = 1) -> int:
    """`fewest` times the longest of `LENGTHS` that takes no longer than an interval should; `fewest` where they alone do."""
    wanted = interval_s / max(step_s * fewest, 1e-9)
    return fewest * next((length for length in LENGTHS if length <= wanted), 1)


def share_saved(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Median of how much of a time goes with a part left out, from (with, without) pairs; at least 0.

    None where the pairs differ so much that the median says nothing.
    """
    shares = sorted(1.0 - without_s / with_s for with_s, without_s in pairs)
    middle = statistics.median(shares)
    if statistics.median(abs(share - middle) for share in shares) > MOST_DOUBT:
        return None
    return max(0.0, middle)


def rows_in(dataset: Dataset, size: int) -> int:
    """How many rows fill so many bytes."""
    each = sum(array.nbytes for array in dataset.arrays.values()) / max(1, dataset.rows)
    return max(1, int(size / max(each, 1)))


def part_of(dataset: Dataset, count: int) -> Dataset:
    """The dataset cut down to its first training rows."""
    from dataclasses import replace

    rows = dataset.training[:count]
    none = np.zeros(0, np.int64)
    return replace(
        dataset, arrays=dataset.batch(rows), training=np.arange(len(rows)), validation=none, test=none, rows=len(rows)
    )


def failure(blank: Measurement, error: Exception) -> Measurement:
    """Out of memory is an answer; so is anything else an engine cannot do with this design."""
    cause = explain(None, f"{type(error).__name__}: {error}", "probe")
    if cause.kind == OUT_OF_MEMORY:
        return replace(blank, failed="out_of_memory", failure=cause.sentence)
    sentence = str(error) if isinstance(error, SeqdecError) else plain_sentence(error, f"{blank.engine} could not be measured")
    return replace(blank, failed="other", failure=sentence)
