"""Measure training beside 0, 1, 2, 4 and 8 spinning processes: the JAX engine, niced and not, and plain Keras in turns.

Prints a table and writes JSON; the product's rates are also given as ratios to the better peer of the same load. Peers whose
library is missing are left out. Run it as `taskset -c 0,1 python tools/measure_busy.py --limit 340 --json busy.json`. After
`--limit` seconds no further measurement starts; the loads that were not reached are missing from the table.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from seqdec_gui.commands.contenders import Contender, contenders
from seqdec_gui.runner.bench import work
from seqdec_gui.runs import devices
from seqdec_gui.runs.files import pretty_json, write_atomically

WORKLOADS: dict[str, tuple[work.SizeName, int, int]] = {
    "seed 64": ("seed", 64, 20),
    "seed 256": ("seed", 256, 6),
    "smiles 64": ("smiles", 64, 2),
}
"""Size, rows per step and steps per epoch, by name."""

NICENESS = 10
"""The niceness of the runs that the window starts on a CPU."""


SPIN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(10**6): pass"
"""The program of a competing process; it ends with the process that started it."""


@contextlib.contextmanager
def spinning(count: int) -> Iterator[None]:
    """Keep so many processes busy until the block ends; they inherit the processors that this process may use."""
    spinners = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def taking_part(name: str) -> dict[str, Contender]:
    """Return who is measured on a workload, by name."""
    size, batch, steps = WORKLOADS[name]
    available = devices.list_devices()
    job = work.Job(size, devices.resolve(devices.parse_devices("cpu", available)[0], available), batch, steps, epochs=3)
    niced = contenders(job, "jax", "none", NICENESS)
    return contenders(job, "jax", "keras-fit") | {f"{who}, niced": contend for who, contend in niced.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=340.0, help="seconds after which nothing more is started")
    parser.add_argument("--loads", default="0,1,2,4,8", help="numbers of spinning processes")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="names separated by commas")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each")
    parser.add_argument("--json", type=Path, help="file of the results")
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.limit
    rows: list[dict[str, object]] = []
    for load in map(int, arguments.loads.split(",")):
        for name in arguments.workloads.split(","):
            rates: dict[str, list[float]] = {}
            before = os.getloadavg()[0]
            for who, contend in list(taking_part(name).items()) * arguments.rounds:
                if time.monotonic() > until:
                    break
                with tempfile.TemporaryDirectory() as folder, spinning(load):
                    measured = contend(Path(folder))
                if measured is not None:
                    rates.setdefault(who, []).append(measured.samples_per_s)
            peers = [statistics.median(found) for who, found in rates.items() if who.startswith("keras-fit")]
            for who, found in rates.items():
                rate = statistics.median(found)
                ratio = rate / max(peers) if peers else None
                rows.append({"load": load, "workload": name, "who": who, "rows_per_s": rate, "ratio": ratio, "before": before})
                print(f"{load:2d}  {name:10s} {who:24s} {rate:10.1f} rows/s  {f'{ratio:.2f}x' if ratio else '-'}", flush=True)
            if arguments.json:
                write_atomically(arguments.json, pretty_json(rows))


if __name__ == "__main__":
    main()
