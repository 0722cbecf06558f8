"""Measure big data files: memory, and the time to the first step beside that of a small file of the same columns.

.venv/bin/python tools/bench_data.py [--rows 1600000] [--columns 2000] [--folder DIR] [--json FILE]

Four files are made: sequences of letters with a vector (--rows of them, and 2,000), and tables of --columns numbers (20,000
rows, and 2,000). Each is trained on the CPU in a process of its own, as `seqdec-gui train` does it, until its first step
is reported.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from seqdec_gui.commands.templates import template_path
from seqdec_gui.domain import document
from seqdec_gui.domain.edit import bind, set_value

LETTERS = np.array(list("CNOSFclnos()=#123[]@H+-/\\"))
SMALL_ROWS = 2_000
WIDE_ROWS = 20_000
STEPS = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_600_000)
    parser.add_argument("--columns", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, help="where the files go (default: a temporary folder)")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-bench-") as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        cases = (
            ("long", arguments.rows, 11), ("long, small", SMALL_ROWS, 11),
            ("wide", WIDE_ROWS, arguments.columns), ("wide, small", SMALL_ROWS, arguments.columns),
        )  # fmt: skip
        results = [{"case": name, **measured(folder, name, rows, columns)} for name, rows, columns in cases]
    for one in results:
        sys.stdout.write(f"{one['case']:12} {one['rows']:>9,} rows {one['columns']:>5} columns {one['megabytes']:7.0f} MB: "
                         f"read in {one['read_s']:5.1f} s, first step after {one['first_step_s']:5.1f} s, "
                         f"{one['first_step_processor_s']:.1f} s of processor time, {one['peak_gb']:.2f} GB\n")  # fmt: skip
    for big, small in zip(results[::2], results[1::2], strict=True):
        sys.stdout.write(
            f"{big['case']}: first step {big['first_step_s'] / small['first_step_s']:.2f} times as late as small\n"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


def measured(folder: Path, name: str, rows: int, columns: int) -> dict[str, Any]:
    """Make a file, train on it until the first step, and return times in seconds and the peak memory in GB."""
    path = folder / f"{name.replace(', ', '_')}.csv"
    made(path, rows, columns)
    names = [f"x{i}" for i in range(columns)]
    design = document.load(template_path("latent-to-sequence"))
    for setting, value in (
        ("latent.width", str(columns)), ("decoder_inputs.length", str(STEPS + 1)), ("decoder_inputs.symbols", "40"),
        ("model_2.output_units", "40"), ("training.epochs", "1"), ("training.batch_size", "128"),
    ):  # fmt: skip
        design = set_value(design, setting, value)
    design = bind(bind(design, "latent", names), "model_2.inputs", ["text"])
    design = set_value(design, "data.file", str(path))
    file = folder / f"{path.stem}.seqdec"
    document.save(design, file)
    run = folder / f"run_{path.stem}"
    command = [sys.executable, "-m", "seqdec_gui", "train", str(file), "--devices", "cpu", "--json", "--run", str(run)]
    began = time.monotonic()
    peak = [0]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        done = threading.Event()
        watcher = threading.Thread(target=watch, args=(run, peak, done))
        watcher.start()
        first = 0.0
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith('{"type":"step"') or '"type":"step"' in line.replace(" ", ""):
                first = time.monotonic() - began
                break
        processor = processor_s(run)
        subprocess.run([sys.executable, "-m", "seqdec_gui", "stop", str(run)], check=False, capture_output=True)
        child.stdout.read()
        done.set()
        watcher.join()
    read_s, read_processor_s = map(
        float,
        subprocess.run([sys.executable, "-c", READ, str(file)], check=True, capture_output=True, text=True).stdout.split(),
    )
    return {
        "rows": rows, "columns": columns, "megabytes": path.stat().st_size / 1e6, "read_s": read_s, "first_step_s": first,
        "read_processor_s": read_processor_s, "first_step_processor_s": processor,
        "peak_gb": peak[0] / 1e6,
    }  # fmt: skip


READ = """
import sys, time
from pathlib import Path
from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain import document
from seqdec_gui.domain.dataflow import data_ports
design = document.load(Path(sys.argv[1]))
began = time.monotonic()
open_dataset(design.data, data_ports(design), Path(sys.argv[1]).parent)
print(time.monotonic() - began, time.process_time())
"""


def processor_s(run: Path) -> float:
    """Return the processor time of the process that holds the run, of all its threads, in seconds."""
    pid = json.loads((run / "lock").read_text())["pid"]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch(run: Path, peak: list[int], done: threading.Event) -> None:
    """Keep the greatest resident memory, in kB, of the process that holds the run."""
    while not done.wait(0.1):
        try:
            pid = json.loads((run / "lock").read_text())["pid"]
            status = Path(f"/proc/{pid}/status").read_text()
        except (OSError, ValueError, KeyError):
            continue
        peak[0] = max(peak[0], *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def made(path: Path, rows: int, columns: int) -> None:
    """Write a CSV file of texts and numbers, a part at a time."""
    random = np.random.default_rng(0)
    schema = pa.schema([("text", pa.string()), *((f"x{i}", pa.float32()) for i in range(columns))])
    part = max(1, 4_000_000 // (columns + STEPS))
    with csv.CSVWriter(path, schema) as writer:
        for at in range(0, rows, part):
            count = min(part, rows - at)
            lengths = random.integers(STEPS // 4, STEPS, count)
            letters = LETTERS[random.integers(0, len(LETTERS), (count, STEPS))]
            texts = ["".join(row[:size]) for row, size in zip(letters, lengths, strict=True)]
            numbers = random.normal(size=(columns, count)).astype(np.float32)
            writer.write_table(pa.table([pa.array(texts), *map(pa.array, numbers)], schema=schema))


if __name__ == "__main__":
    main()
