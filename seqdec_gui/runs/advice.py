"""The scaling advisor: what one and what N devices are worth for a design, by measurement. May be called from any thread."""

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
CPU_BUDGET_S = 120.0
LARGER = (1, 4, 16)
"""Multiples of the chosen batch that are measured."""
AS_GOOD = 0.93
"""Share of the best speed-up that counts as just as good in the sentence."""
WORTH_IT = 1.15
"""Speed-up from which virtual CPU devices are of use: an engine that leaves cores idle gains by them."""
OWN_LOOPS = "own loops"


class Advice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Measurements on one device (`alone`) and on all that were chosen (`devices`), each at growing global batches.

    `batch_size` is the design's, made divisible by the devices; `sentence` says what follows, from measurements only.
    """

    engine: EngineName
    why: str
    devices: DeviceChoice
    alone: DeviceChoice
    batch_size: int
    measurements: tuple[Measurement, ...]
    sentence: str

    def at(self, devices: DeviceChoice, batch_size: int) -> Measurement | None:
        """The measurement of these devices at this global batch, also one that failed."""
        found = (one for one in self.measurements if one.devices == devices and one.batch_size == batch_size)
        return next(found, None)

    def speed_up(self, one: Measurement) -> float | None:
        """How many times as many rows per second as one device at the same global batch; None unless both were measured."""
        base = self.at(self.alone, one.batch_size)
        if base is None or base.step_s is None or one.step_s is None:
            return None
        return base.step_s / one.step_s


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

    Takes about `budget_s` seconds (20 on GPUs, 120 on a CPU); what does not fit in is not measured, and says so.
    Raises InvalidInput, Cancelled.
    """
    name, why = choose_engine(engine, devices, design)
    sizes = tuple(batch_sizes) or batches(design, folder, devices)
    first = fitting(design.training.batch_size, devices.replicas)
    alone = single(devices)
    # JAX decides by the batch among how many cores it divides a single CPU's work: a process each
    plans = [Plan(name, alone, part) for part in ([(size,) for size in sizes] if alone.kind == "cpu" else [sizes])]
    if devices.replicas > 1:
        plans.insert(0, Plan(name, devices, sizes))
    budget = budget_s or (GPU_BUDGET_S if devices.kind == "gpu" else CPU_BUDGET_S)
    found = probe(design, folder, plans, budget_s=budget, on_progress=on_progress, on_measured=on_measured, cancelled=cancelled)
    advice = Advice(
        engine=name, why=why, devices=devices, alone=alone, batch_size=first, measurements=found, sentence=""
    )  # fmt: skip
    return msgspec.structs.replace(advice, sentence=sentence_of(advice))


def batches(design: Design, folder: Path, devices: DeviceChoice) -> tuple[int, ...]:
    """The design's batch and larger ones, all divisible by the devices and none larger than the rows that train."""
    rows = estimated_rows(design, folder)
    count = devices.replicas
    wanted = [fitting(design.training.batch_size * factor, count) for factor in LARGER]
    kept = [size for size in wanted[1:] if rows is None or size <= rows * (1 - design.data.split.validation)]
    return (wanted[0], *kept)


def fitting(batch_size: int, count: int) -> int:
    """The nearest global batch that divides by so many devices."""
    return max(count, round(batch_size / count) * count)


def single(devices: DeviceChoice) -> DeviceChoice:
    """The first of these devices."""
    return devices.first


def sentence_of(advice: Advice) -> str:
    """What the measurements say, in a sentence or two."""
    parts = [_speed_ups(advice) if advice.devices.replicas > 1 else _alone(advice), *_failures(advice)]
    return " ".join(part[0].upper() + part[1:] for part in parts if part)


def _speed_ups(advice: Advice) -> str:
    known = [(one.batch_size, ratio) for one in advice.measurements
             if one.devices == advice.devices and (ratio := advice.speed_up(one)) is not None]  # fmt: skip
    if not known:
        return f"{devices_in_words(advice.devices)} could not be compared with one."
    known.sort()
    best = max(ratio for _, ratio in known)
    good = [batch for i, (batch, _) in enumerate(known) if min(ratio for _, ratio in known[i:]) >= AS_GOOD * best]
    batch, ratio = known[0]
    if (good and good[0] == batch) or len(known) == 1:
        least, most = min(ratio for _, ratio in known), max(ratio for _, ratio in known)
        where = f"at batch {batch:,}" if len(known) == 1 else f"at every batch measured ({batch:,} to {known[-1][0]:,})"
        shown = times(least) if times(least) == times(most) else f"{times(least)} to {times(most)}"
        return f"{devices_in_words(advice.devices)}: {shown} {where}.{_shared_cores(advice)}"
    chosen = f"{times(ratio)} at batch {batch:,}"
    if not good:
        at, most = max(known, key=lambda pair: pair[1])
        return f"{devices_in_words(advice.devices)}: {chosen}, at most {times(most)} (batch {at:,}).{_shared_cores(advice)}"
    word = "at" if good[0] == known[-1][0] else "from"
    reached = min(ratio for batch, ratio in known if batch >= good[0])
    return f"{devices_in_words(advice.devices)}: {chosen}, {times(reached)} {word} {good[0]:,}.{_shared_cores(advice)}"


def _shared_cores(advice: Advice) -> str:
    ratios = [ratio for one in advice.measurements if (ratio := advice.speed_up(one)) and one.devices == advice.devices]
    if advice.devices.kind == "gpu" or max(ratios, default=0) >= WORTH_IT:
        return ""
    return " Virtual CPU devices share the same cores: they are for trying parallel training out."


def _alone(advice: Advice) -> str:
    known = sorted((one.batch_size, one.samples_per_s) for one in advice.measurements if one.samples_per_s is not None)
    if not known:
        return ""
    batch, speed = known[0]
    text = f"{devices_in_words(advice.devices)}: {speed:,.0f} samples/s at batch {batch:,}"
    larger, most = max(known, key=lambda pair: pair[1])
    return f"{text}, {times(most / speed)} that at {larger:,}." if larger > batch and most > 1.05 * speed else f"{text}."


def _failures(advice: Advice) -> list[str]:
    failed = [one for one in advice.measurements if one.failed]
    both = tuple(dict.fromkeys((advice.devices, advice.alone)))

    def sizes(devices: DeviceChoice, kind: str, sentence: str | None = None) -> list[int]:
        return [one.batch_size for one in failed
                if one.devices == devices and one.failed == kind and sentence in (None, one.failure)]  # fmt: skip

    sentences = []
    for devices in both:
        if full := sizes(devices, "out_of_memory"):
            sentences.append(f"{_batches(full[:1])} runs out of memory on {devices_in_words(devices)}.")
        if late := sizes(devices, "time"):
            were = "was" if len(late) == 1 else "were"
            sentences.append(f"{_batches(late)} {were} not measured for want of time on {devices_in_words(devices)}.")
    for sentence in dict.fromkeys(one.failure for one in failed if one.failed == "other"):
        places = [(devices_in_words(devices), found) for devices in both if (found := sizes(devices, "other", sentence))]
        sentences.append(f"{'; '.join(f'{name}, {_batches(found).lower()}' for name, found in places)}: {sentence}")
    return sentences


def _batches(sizes: Sequence[int]) -> str:
    return f"{'Batch' if len(sizes) == 1 else 'Batches'} {listed([f'{size:,}' for size in sizes])}"


def devices_in_words(devices: DeviceChoice) -> str:
    """`1 GPU`, `2 GPUs`, `the CPU`, `2 virtual CPU devices`."""
    count = devices.replicas
    if devices.kind == "gpu":
        return "1 GPU" if count == 1 else f"{count} GPUs"
    return "the CPU" if count == 1 else f"{count} virtual CPU devices"


def failure_in_words(one: Measurement) -> str:
    """In place of its time, what a measurement that failed came to: `out of memory`, `no time left`, `failed`."""
    return {"out_of_memory": "out of memory", "time": "no time left", "other": "failed"}.get(one.failed, "not measured")


def kernels_in_words(one: Measurement) -> str:
    """Whether cuDNN runs the recurrent layers: `yes`, `1 of 3`, `no`, or `own loops` where the engine does better
    without it. Empty where there is nothing to say, as on a CPU.
    """
    if one.cudnn_layers is None or not one.recurrent_layers or one.devices.kind == "cpu":
        return ""
    if one.cudnn_layers >= one.recurrent_layers:
        return "yes"
    if one.cudnn_layers:
        return f"{one.cudnn_layers} of {one.recurrent_layers}"
    info = ENGINES.get(one.engine)
    return OWN_LOOPS if info is not None and info.own_recurrent_loops else "no"


def times(ratio: float) -> str:
    """`1.95x`, `2x`."""
    return f"{f'{ratio:.2f}'.rstrip('0').rstrip('.')}x"
