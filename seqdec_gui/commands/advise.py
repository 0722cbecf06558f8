"""Measure how much several devices speed up a design: on one and on all of them, at its batch and at larger ones.

Takes about 20 seconds on GPUs, up to two minutes on a CPU (--budget). Combinations that do not fit into that time are listed
as not measured. Nothing is trained. Rows come from the data of the design if columns are bound, and are random otherwise.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from seqdec_gui.commands.console import load_design, report_progress, say, say_json, say_table, warn_of
from seqdec_gui.commands.numbers import MANY, number
from seqdec_gui.commands.train import add_placement
from seqdec_gui.domain.edit import parse_assignment, set_value
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import devices

if TYPE_CHECKING:
    from seqdec_gui.runs.advice import Advice
    from seqdec_gui.runs.measurement import Measurement

_HEADING = (
    "devices", "batch", "ms/step", "samples/s", "speed-up", "reduction", "input", "memory", "cuDNN", "compile", "epoch",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("design", metavar="DESIGN", help="the .seqdec file")
    add_placement(parser)
    parser.add_argument("--batch", metavar="N,N", help="global batches to measure (default: the design's, 4 and 16 times it)")
    parser.add_argument("--budget", metavar="SECONDS", type=number(0.1), help="time it may take (default: 20, on a CPU 120)")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="change a parameter of the design")
    parser.add_argument("--json", action="store_true", help="as one JSON object, times in seconds and memory in bytes")


def run(arguments: argparse.Namespace) -> int:
    from seqdec_gui.runs.advice import advise

    design = load_design(arguments.design)
    for assignment in arguments.set:
        design = set_value(design, *parse_assignment(assignment))
    available = devices.list_devices()
    wish, warnings = devices.parse_devices(arguments.devices or "auto", available)
    choice = devices.resolve(wish, available)
    warn_of(warnings)
    with report_progress() as progress:
        advice = advise(
            design,
            Path(arguments.design).absolute().parent,
            choice,
            engine=arguments.engine or "auto",
            batch_sizes=parse_batches(arguments.batch, choice.replicas),
            budget_s=arguments.budget,
            on_progress=progress,
        )
    if arguments.json:
        say_json(advice)
    else:
        _say(advice)
    return 0 if any(measurement.step_s is not None for measurement in advice.measurements) else 1


def parse_batches(text: str | None, count: int) -> tuple[int, ...]:
    """Parse a list of batch sizes. Raises InvalidInput for text that is no number and for sizes that devices cannot share."""
    if text is None:
        return ()
    try:
        sizes = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise InvalidInput(f"Expected batches as 256,2048, received {text!r}.", "batches", "--batch") from None
    outside = [size for size in sizes if not 1 <= size <= MANY]
    if outside:
        raise InvalidInput(f"Expected batches from 1 to {MANY:,} rows, received {outside[0]}.", "batches", "--batch")
    wrong = [size for size in sizes if size % count]
    if wrong:
        raise InvalidInput(f"Expected batches that divide by {count} devices, received {wrong[0]}.", "batches", "--batch")
    return sizes


def _say(advice: Advice) -> None:
    say(f"Engine {advice.engine}. {advice.why}")
    rows = sorted(advice.measurements, key=lambda measurement: (measurement.devices.replicas, measurement.batch_size))
    say_table([_HEADING, *(row_of(advice, measurement) for measurement in rows)], right=range(1, len(_HEADING)))
    if any(measurement.data == "random" for measurement in rows):
        say("Measured on random rows of the design's shapes: without its data an epoch has no length.")
    say(advice.sentence)


def row_of(advice: Advice, measurement: Measurement) -> tuple[str, ...]:
    """Return the cells of a measurement, with `-` for a figure that was not measured."""
    from seqdec_gui.runs.advice import failure_in_words, kernels_in_words

    placement, batch = str(measurement.devices), f"{measurement.batch_size:,}"
    if measurement.step_s is None:
        return (placement, batch, failure_in_words(measurement), *["-"] * (len(_HEADING) - 3))
    speed_up = advice.speed_up(measurement)
    return (
        placement,
        batch,
        f"{float(f'{1000 * measurement.step_s:.3g}'):,g}",
        f"{measurement.samples_per_s:,.0f}",
        "-" if speed_up is None else f"{speed_up:.2f}x",
        _share(measurement.reduction_share),
        _share(measurement.input_share),
        "-" if measurement.peak_memory is None else f"{measurement.peak_memory / 2**30:.2f} GiB",
        kernels_in_words(measurement) or "-",
        "-" if measurement.compile_s is None else f"{measurement.compile_s:.1f} s",
        "-" if measurement.epoch_s is None else f"{measurement.epoch_s:,.1f} s",
    )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
