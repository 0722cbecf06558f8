"""The scaling advisor: measures how fast one and N devices train a design. May be called from any thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.wording import listed
from seqdec_gui.runs.engine_choice import choose_engine
from seqdec_gui.runs.engine_names import EngineChoice, EngineName
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.probe import IsCancelled, OnMeasured, OnProgress, Plan, probe
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.workload import estimated_rows

GPU_BUDGET_S = 20.0
"""Seconds that the measurements on GPUs take together."""
CPU_BUDGET_S = 120.0
"""Seconds that the measurements on a CPU take together."""
BATCH_FACTORS = (1, 4, 16)
"""Multiples of the design's batch that are measured."""
NEAR_BEST = 0.93
"""Part of the best speed-up from which the sentence counts a speed-up as equally good."""
MIN_USEFUL_SPEED_UP = 1.15
"""Speed-up from which virtual CPU devices are useful, as with an engine that leaves cores idle."""
OWN_LOOPS = "own loops"
"""Shown for an engine that runs recurrent layers faster without cuDNN."""


class Advice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Measurements on one device (`alone`) and on all chosen ones (`devices`), each at several global batches.

    `batch_size` is the design's, made divisible by the devices. `sentence` sums the measurements up.
    """

    engine: EngineName
    why: str
    devices: DeviceChoice
    alone: DeviceChoice
    batch_size: int
    measurements: tuple[Measurement, ...]
    sentence: str

    def at(self, devices: DeviceChoice, batch_size: int) -> Measurement | None:
        """Return the measurement of these devices at this global batch, which may have failed; None if there is none."""
        matching = (each for each in self.measurements if each.devices == devices and each.batch_size == batch_size)
        return next(matching, None)

    def speed_up(self, measurement: Measurement) -> float | None:
        """Return the speed relative to one device at the same global batch; None unless both were measured."""
        base = self.at(self.alone, measurement.batch_size)
        if base is None or base.step_s is None or measurement.step_s is None:
            return None
        return base.step_s / measurement.step_s


def advise(
    design: Design,
    folder: Path,
    devices: DeviceChoice,
    *,
    engine: EngineChoice = "auto",
    batch_sizes: Sequence[int] = (),
    budget_s: float | None = None,
    on_progress: OnProgress | None = None,
    on_measured: OnMeasured | None = None,
    cancelled: IsCancelled | None = None,
) -> Advice:
    """Measure one and all of `devices` (resolved, not `auto`) at `batch_sizes`, by default the design's and larger ones.

    Takes about `budget_s` seconds, by default 20 on GPUs and 120 on a CPU. A batch for which no time is left gives a failed
    measurement. Raises InvalidInput, Cancelled.
    """
    name, why = choose_engine(engine, devices, design)
    sizes = tuple(batch_sizes) or batches(design, folder, devices)
    first = divisible_batch(design.training.batch_size, devices.replicas * design.training.micro_batches)
    alone = devices.first
    # one process per batch on a single CPU, because JAX chooses by the batch among how many cores it divides the work
    plans = [Plan(name, alone, part) for part in ([(size,) for size in sizes] if alone.kind == "cpu" else [sizes])]
    if devices.replicas > 1:
        plans.insert(0, Plan(name, devices, sizes))
    budget = budget_s or (GPU_BUDGET_S if devices.kind == "gpu" else CPU_BUDGET_S)
    measurements = probe(
        design, folder, plans, budget_s=budget, on_progress=on_progress, on_measured=on_measured, cancelled=cancelled
    )
    advice = Advice(
        engine=name, why=why, devices=devices, alone=alone, batch_size=first, measurements=measurements, sentence=""
    )  # fmt: skip
    return msgspec.structs.replace(advice, sentence=sentence_of(advice))


def batches(design: Design, folder: Path, devices: DeviceChoice) -> tuple[int, ...]:
    """Return the design's batch and larger ones, all divisible by the devices and none larger than the training rows."""
    rows = estimated_rows(design, folder)
    count = devices.replicas * design.training.micro_batches
    first, *larger = (divisible_batch(design.training.batch_size * factor, count) for factor in BATCH_FACTORS)
    return (first, *(size for size in larger if rows is None or size <= rows * (1 - design.data.split.validation)))


def divisible_batch(batch_size: int, count: int) -> int:
    """Return the global batch nearest to `batch_size` that divides by `count`: devices times micro-batches."""
    return max(count, round(batch_size / count) * count)


def sentence_of(advice: Advice) -> str:
    """Return one or two sentences that sum the measurements up."""
    parts = [_speed_ups(advice) if advice.devices.replicas > 1 else _alone(advice), *_failures(advice)]
    return " ".join(part[0].upper() + part[1:] for part in parts if part)


def _speed_ups(advice: Advice) -> str:
    ratios = [(each.batch_size, ratio) for each in advice.measurements
              if each.devices == advice.devices and (ratio := advice.speed_up(each)) is not None]  # fmt: skip
    if not ratios:
        return f"{devices_in_words(advice.devices)} could not be compared with one."
    ratios.sort()
    best = max(ratio for _, ratio in ratios)
    good = [batch for i, (batch, _) in enumerate(ratios) if min(ratio for _, ratio in ratios[i:]) >= NEAR_BEST * best]
    batch, ratio = ratios[0]
    if (good and good[0] == batch) or len(ratios) == 1:
        least, most = min(ratio for _, ratio in ratios), max(ratio for _, ratio in ratios)
        where = f"at batch {batch:,}" if len(ratios) == 1 else f"at every batch measured ({batch:,} to {ratios[-1][0]:,})"
        span = times(least) if times(least) == times(most) else f"{times(least)} to {times(most)}"
        return f"{devices_in_words(advice.devices)}: {span} {where}.{_shared_cores(advice)}"
    chosen = f"{times(ratio)} at batch {batch:,}"
    if not good:
        at, most = max(ratios, key=lambda pair: pair[1])
        return f"{devices_in_words(advice.devices)}: {chosen}, at most {times(most)} (batch {at:,}).{_shared_cores(advice)}"
    word = "at" if good[0] == ratios[-1][0] else "from"
    reached = min(ratio for batch, ratio in ratios if batch >= good[0])
    return f"{devices_in_words(advice.devices)}: {chosen}, {times(reached)} {word} {good[0]:,}.{_shared_cores(advice)}"


def _shared_cores(advice: Advice) -> str:
    ratios = [ratio for each in advice.measurements if (ratio := advice.speed_up(each)) and each.devices == advice.devices]
    if advice.devices.kind == "gpu" or max(ratios, default=0) >= MIN_USEFUL_SPEED_UP:
        return ""
    return " Virtual CPU devices share the same cores: they are for trying parallel training out."


def _alone(advice: Advice) -> str:
    speeds = sorted((each.batch_size, each.samples_per_s) for each in advice.measurements if each.samples_per_s is not None)
    if not speeds:
        return ""
    batch, speed = speeds[0]
    text = f"{devices_in_words(advice.devices)}: {speed:,.0f} samples/s at batch {batch:,}"
    larger, most = max(speeds, key=lambda pair: pair[1])
    return f"{text}, {times(most / speed)} that at {larger:,}." if larger > batch and most > 1.05 * speed else f"{text}."


def _failures(advice: Advice) -> list[str]:
    failed = [each for each in advice.measurements if each.failed]
    both = tuple(dict.fromkeys((advice.devices, advice.alone)))

    def sizes(devices: DeviceChoice, kind: str, sentence: str | None = None) -> list[int]:
        return [each.batch_size for each in failed
                if each.devices == devices and each.failed == kind and sentence in (None, each.failure)]  # fmt: skip

    sentences = []
    for devices in both:
        if full := sizes(devices, "out_of_memory"):
            sentences.append(f"{_batches(full[:1])} runs out of memory on {devices_in_words(devices)}.")
        if late := sizes(devices, "time"):
            were = "was" if len(late) == 1 else "were"
            sentences.append(f"{_batches(late)} {were} not measured for want of time on {devices_in_words(devices)}.")
    for sentence in dict.fromkeys(each.failure for each in failed if each.failed == "other"):
        places = [(devices_in_words(devices), batch) for devices in both if (batch := sizes(devices, "other", sentence))]
        sentences.append(f"{'; '.join(f'{name}, {_batches(batch).lower()}' for name, batch in places)}: {sentence}")
    return sentences


def _batches(sizes: Sequence[int]) -> str:
    return f"{'Batch' if len(sizes) == 1 else 'Batches'} {listed([f'{size:,}' for size in sizes])}"


def devices_in_words(devices: DeviceChoice) -> str:
    """Return the devices as text: `1 GPU`, `2 GPUs`, `the CPU`, `2 virtual CPU devices`."""
    count = devices.replicas
    if devices.kind == "gpu":
        return "1 GPU" if count == 1 else f"{count} GPUs"
    return "the CPU" if count == 1 else f"{count} virtual CPU devices"


def failure_in_words(measurement: Measurement) -> str:
    """Return the text that replaces the time of a failed measurement: `out of memory`, `no time left`, `failed`."""
    texts = {"out_of_memory": "out of memory", "time": "no time left", "other": "failed"}
    return texts.get(measurement.failed, "not measured")


def kernels_in_words(measurement: Measurement) -> str:
    """Return whether cuDNN runs the recurrent layers: `yes`, `1 of 3`, `no`, or `own loops` for a faster engine without it.

    Empty on a CPU, and where it is not known.
    """
    if measurement.cudnn_layers is None or not measurement.recurrent_layers or measurement.devices.kind == "cpu":
        return ""
    if measurement.cudnn_layers >= measurement.recurrent_layers:
        return "yes"
    if measurement.cudnn_layers:
        return f"{measurement.cudnn_layers} of {measurement.recurrent_layers}"
    info = ENGINES.get(measurement.engine)
    return OWN_LOOPS if info is not None and info.own_recurrent_loops else "no"


def times(ratio: float) -> str:
    """Return a ratio as text: `1.95x`, `2x`."""
    return f"{f'{ratio:.2f}'.rstrip('0').rstrip('.')}x"
