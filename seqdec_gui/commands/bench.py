"""Measure samples per second on random data: this program's training, and what people write by hand, in the same run.

The product trains through the same run folder, loop and reports as `train` does. Peers, where installed, are plain Keras
(`keras-fit`), PyTorch by hand (`torch-ddp`), PyTorch with the whole step as one CUDA graph (`torch-graph`, GPUs only), a
Transformer by hand with fused attention and `torch.compile` (`torch-compile`) and the prototype of the JAX engine
(`prototype`). All get the same model and data,
each measurement is a process of its own, contenders take turns, and the median of the rounds counts. Quote ratios within one
run, not samples/s of different runs. `of peak` is the model's floating-point operations (products of forward and backward pass)
over those of large matrix products on the same devices, measured in the same run. `--generate` measures generating
in the same way.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from seqdec_gui.commands import bench_chart, bench_generate, contenders
from seqdec_gui.commands.console import say, say_table
from seqdec_gui.commands.contenders import PEERS, PRODUCT
from seqdec_gui.commands.numbers import whole_number
from seqdec_gui.domain.cost import operations_per_row
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runner.bench import work
from seqdec_gui.runs import devices
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.files import pretty_json, write_atomically
from seqdec_gui.runs.spec import DeviceChoice

MOST_FAILURES = 2
"""The number of failures after which a contender is left out."""


class Row(msgspec.Struct, frozen=True):
    """The result of one contender, with the median of the rounds.

    `first_step_s` are the seconds from the start of the process to the first step, imports and compilation included. `loss` is
    the mean over the last epoch of the last round; None if it is not finite. `of_peak` is the model's operations per second
    divided by those of large matrix products on the same devices; None if the latter are unknown.
    """

    who: str
    size: str
    devices: str
    per_device_batch: int
    samples_per_s: float
    first_step_s: float
    rounds: tuple[float, ...]
    of_peak: float | None = None
    loss: float | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--size",
        choices=(*work.SIZES, *work.TRANSLATORS),
        action="append",
        help="model and data: stacks, or a Transformer (default: seed); may be given several times",
    )
    parser.add_argument(
        "--per-device-batch",
        metavar="B",
        type=whole_number(1),
        action="append",
        help="rows per step on each device (default: 64 and 256)",
    )
    parser.add_argument("--devices", metavar="DEVICES", default="cpu", help="cpu (default), cpu:2, gpu:0, gpu:0,gpu:1")
    parser.add_argument("--engines", metavar="NAMES", default=",".join(ENGINES), help="engines of this program to measure")
    parser.add_argument(
        "--peers",
        metavar="NAMES",
        default="keras-fit",
        help=f"of {', '.join(PEERS)}, or none (default: keras-fit)",
    )
    parser.add_argument("--rounds", metavar="N", type=whole_number(1, 1000), default=3, help="turns of each (default: 3)")
    parser.add_argument("--steps", metavar="N", type=whole_number(1), help="optimizer steps of an epoch (default: about 2 s)")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32", help="default: float32")
    text = "measure generating in place of training: stacks at temperature 1, Transformers greedily, beside loops by hand"
    parser.add_argument("--generate", action="store_true", help=text)
    parser.add_argument("--json", metavar="FILE", help="write the rows as JSON")
    parser.add_argument("--chart", metavar="FILE.svg", help="draw the rows")


def run(arguments: argparse.Namespace) -> int:
    available = devices.list_devices()
    choice = devices.resolve(devices.parse_devices(arguments.devices, available)[0], available)
    if arguments.generate:
        return _generate(choice, arguments)
    rows: list[Row] = []
    for size in arguments.size or ["seed"]:
        for batch in arguments.per_device_batch or [64, 256]:
            rows += measure(size, batch, choice, arguments)
            if arguments.json:
                write_atomically(Path(arguments.json), pretty_json([msgspec.to_builtins(row) for row in rows]))
            if arguments.chart:
                write_atomically(Path(arguments.chart), bench_chart.drawn([msgspec.to_builtins(row) for row in rows]).encode())
    return 0 if rows else 1


def _generate(choice: DeviceChoice, arguments: argparse.Namespace) -> int:
    found = [row for size in arguments.size or ["seed"] for row in bench_generate.measure(size, choice, arguments.rounds)]
    if arguments.json:
        write_atomically(Path(arguments.json), pretty_json([msgspec.to_builtins(row) for row in found]))
    return 0 if found else 1


def measure(size: str, batch: int, choice: DeviceChoice, arguments: argparse.Namespace) -> list[Row]:
    """Measure all contenders on one size and batch, and print a table. Raises InvalidInput."""
    steps = arguments.steps or _default_steps(size, choice, batch)
    job = work.Job(size, choice, batch, steps, precision=arguments.precision)  # type: ignore[arg-type]
    taking_part = contenders.contenders(job, arguments.engines, arguments.peers)
    results: dict[str, list[work.Measured]] = {}
    failures = Counter[str]()
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-bench-") as folder:
        for turn in range(arguments.rounds):
            for who, contend in taking_part.items():
                if failures[who] < MOST_FAILURES:
                    here = Path(folder) / f"{turn}-{who.replace(':', '-')}"
                    here.mkdir()
                    measured = contend(here)
                    if measured is None:
                        failures[who] += 1
                    else:
                        results.setdefault(who, []).append(measured)
        most = contenders.peak(job, Path(folder)) if results else None
    rows = [_row(who, job, rounds, most) for who, rounds in results.items()]
    _show(rows)
    return rows


def _default_steps(size: str, choice: DeviceChoice, batch: int) -> int:
    if choice.kind == "gpu":
        return work.STEPS_ON_GPU
    return max(2, work.STEPS_ON_CPU[size] * 64 // batch)  # type: ignore[index]


def _row(who: str, job: work.Job, results: Sequence[work.Measured], most: float | None) -> Row:
    """Return the row of a contender from the results of its rounds."""
    rates = [result.samples_per_s for result in results]
    first = statistics.median(result.first_step_s for result in results)
    operations = operations_per_row(infer(work.design(job))) * statistics.median(rates)
    return Row(
        who=who,
        size=job.size,
        devices=str(job.devices),
        per_device_batch=job.per_device_batch,
        samples_per_s=round(statistics.median(rates), 1),
        first_step_s=round(first, 1),
        rounds=tuple(round(rate, 1) for rate in rates),
        of_peak=float(f"{operations / most:.3g}") if most else None,
        loss=round(results[-1].loss, 4) if math.isfinite(results[-1].loss) else None,
    )


def _show(rows: Sequence[Row]) -> None:
    """Print a table with the ratio of each contender to the first of this program's engines."""
    if not rows:
        return
    best = next((row for row in rows if row.who.startswith(PRODUCT)), rows[0])
    say(f"\n{best.size}, {best.per_device_batch} rows per device, {best.devices}")
    heading = ("who", "samples/s", f"{best.who} is", "of peak", "first step", "loss", "rounds")
    table = [
        (
            row.who,
            f"{row.samples_per_s:,.0f}",
            f"{best.samples_per_s / row.samples_per_s:.2f}x",
            "-" if row.of_peak is None else f"{100 * row.of_peak:.1f} %",
            f"{row.first_step_s:.1f} s",
            "-" if row.loss is None else f"{row.loss:.3f}",
            " ".join(f"{rate:,.0f}" for rate in row.rounds),
        )
        for row in rows
    ]
    say_table([heading, *table], right=(1, 2, 3, 4, 5))
