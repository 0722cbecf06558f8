"""Measures sequences per second of generating beside loops written by hand, for `bench --generate`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec

import msgspec

from seqdec_gui.commands.console import say, say_table, warn
from seqdec_gui.commands.contenders import PEER_PREFIX, PRODUCT
from seqdec_gui.runner.bench import generate_work, work
from seqdec_gui.runs.engine_choice import missing
from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.spec import DeviceChoice, Placement

ROWS, ROWS_OF_TRANSFORMERS = 4096, 256


class GenerateRow(msgspec.Struct, frozen=True):
    """The result of one contender, with the medians of the rounds."""

    who: str
    size: str
    devices: str
    sequences_per_s: float
    symbols_per_s: float
    first_s: float
    mean_length: float


def measure(size: work.SizeName, choice: DeviceChoice, rounds: int) -> list[GenerateRow]:
    """Measure all contenders on one size, in turns, and print a table."""
    attends = size in work.TRANSLATORS
    taking_part: list[tuple[str, generate_work.Who, EngineName]] = [
        *[(f"{PRODUCT}:{engine}", "product", engine) for engine in ENGINES],
        *[(who, who, engine) for who, engine in (generate_work.WITHOUT_A_CACHE if attends else generate_work.PEERS)],
    ]
    count = ROWS_OF_TRANSFORMERS if attends else ROWS
    results: dict[str, list[generate_work.GenerateMeasured]] = {}
    for _ in range(rounds):
        for name, who, engine in taking_part:
            if why := _missing(who, engine, choice):
                warn(f"{name} is left out: {why}")
            elif measured := _measured(generate_work.GenerateJob(who, size, count, choice), engine):
                results.setdefault(name, []).append(measured)
    rows = [_row(name, size, str(choice), found) for name, found in results.items()]
    _show(rows)
    return rows


def _missing(who: generate_work.Who, engine: EngineName, choice: DeviceChoice) -> str:
    """Return why a contender cannot take part; empty if it can."""
    if who == "torch-graph":  # Keras makes its weights, on the CPU
        return "PyTorch is not installed." if find_spec("torch") is None else missing(engine, DeviceChoice("cpu"))
    return missing(engine, choice)


def _measured(job: generate_work.GenerateJob, engine: EngineName) -> generate_work.GenerateMeasured | None:
    environment = child_environment(Placement(job.devices, engine), os.environ)
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-bench-") as folder:
        module = generate_work.TRANSLATING_MODULE if job.size in work.TRANSLATORS else generate_work.MODULE
        command = [sys.executable, "-m", module, msgspec.json.encode(job).decode(), folder]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    last = [line for line in done.stdout.splitlines() if line.startswith(PEER_PREFIX)]
    if done.returncode or not last:
        warn(f"{job.who} failed: {' '.join(done.stderr.split())[-600:]}")
        return None
    return msgspec.json.decode(last[-1].removeprefix(PEER_PREFIX), type=generate_work.GenerateMeasured)


def _row(name: str, size: str, devices: str, found: Sequence[generate_work.GenerateMeasured]) -> GenerateRow:
    fields = ("sequences_per_s", "symbols_per_s", "first_s", "mean_length")
    medians = {field: round(statistics.median(getattr(each, field) for each in found), 2) for field in fields}
    return GenerateRow(name, size, devices, **medians)


def _show(rows: Sequence[GenerateRow]) -> None:
    """Print a table with the ratio of the fastest of this program's engines to each contender, in symbols per second."""
    own = [row for row in rows if row.who.startswith(PRODUCT)]
    if not own:
        return
    best = max(own, key=lambda row: row.symbols_per_s)
    say(f"\ngenerating, {best.size}, {best.devices}: {'greedily' if best.size in work.TRANSLATORS else 'temperature 1'}")
    heading = ("who", "symbols/s", f"{best.who} is", "sequences/s", "first call", "mean length")
    table = [
        (
            row.who,
            f"{row.symbols_per_s:,.0f}",
            f"{best.symbols_per_s / row.symbols_per_s:.2f}x",
            f"{row.sequences_per_s:,.1f}",
            f"{row.first_s:.1f} s",
            f"{row.mean_length:.1f}",
        )
        for row in rows
    ]
    say_table([heading, *table], right=(1, 2, 3, 4, 5))
