"""Measure what several devices are worth for a design: one and all of them, at its batch and at larger ones.

Takes about 20 seconds on GPUs, up to two minutes on a CPU (--budget). What does not fit in is not measured, and says so.
Nothing is trained; rows are the design's own where data are bound, and random ones of its shapes otherwise.
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
    return 0 if any(one.step_s is not None for one in advice.measurements) else 1


def parse_batches(text: str | None, count: int) -> tuple[int, ...]:
    """The batches that a user listed. Raises InvalidInput: no numbers, or not divisible by the devices."""
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
    rows = sorted(advice.measurements, key=lambda one: (one.devices.replicas, one.batch_size))
    say_table([_HEADING, *(row_of(advice, one) for one in rows)], right=range(1, len(_HEADING)))
    if any(one.data == "random" for one in rows):
        say("Measured on random rows of the design's shapes: without its data an epoch has no length.")
    say(advice.sentence)


def row_of(advice: Advice, one: Measurement) -> tuple[str, ...]:
    """The cells of a measurement; `-` for what was not measured."""
    from seqdec_gui.runs.advice import failure_in_words, kernels_in_words

    if one.step_s is None:
        return (str(one.devices), f"{one.batch_size:,}", failure_in_words(one), *["-"] * (len(_HEADING) - 3))
    speed_up = advice.speed_up(one)
    return (
        str(one.devices),
        f"{one.batch_size:,}",
        f"{float(f'{1000 * one.step_s:.3g}'):,g}",
        f"{one.samples_per_s:,.0f}",
        "-" if speed_up is None else f"{speed_up:.2f}x",
        _share(one.reduction_share),
        _share(one.input_share),
        "-" if one.peak_memory is None else f"{one.peak_memory / 2**30:.2f} GiB",
        kernels_in_words(one) or "-",
        "-" if one.compile_s is None else f"{one.compile_s:.1f} s",
        "-" if one.epoch_s is None else f"{one.epoch_s:,.1f} s",
    )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
