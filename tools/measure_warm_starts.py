"""How much sooner a warm worker begins than a new process, without a window: for machines with GPUs and no screen.

python tools/measure_warm_starts.py DEVICES [ENGINE] [DESIGN]     pairs in turns, medians and ratios

Trains one epoch of the design (default: the Roman numerals) from a new process and from a worker that waits; generates thrice.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from seqdec_gui.domain import document
from seqdec_gui.domain.edit import set_value
from seqdec_gui.runs import devices, process
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.events import Step
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.reader import read_events
from seqdec_gui.runs.spec import RunSpec
from seqdec_gui.runs.tasks import GenerateTask, run_task, task_environment
from seqdec_gui.runs.workers import Worker, Workers

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
QUIET_S = 1.0
"""Seconds without processor time after which a worker has imported all it wants."""
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def main() -> None:
    named, engine, *design = [*sys.argv[1:], *["auto", "jax"][len(sys.argv) - 1 :]]
    path = Path(design[0]).resolve() if design else ROOT / "resources" / "examples" / "roman.seqdec"
    choice, _ = devices.parse_devices(named, devices.list_devices())
    wanted = set_value(document.load(path), "training.epochs", "1")
    spec = RunSpec(
        design=document.to_builtins(wanted), design_path=str(path), folder=str(path.parent), engine=engine, devices=choice,
        data_file=str(path.parent / wanted.data.file), report_every_s=0.1,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _first_step(spec, folder / "before", warm=False)  # what it compiles is kept
        pairs = [tuple(_first_step(spec, folder / f"{turn}-{warm}", warm) for warm in (False, True)) for turn in range(ROUNDS)]
        cold, warm = (statistics.median(each) for each in zip(*pairs, strict=True))
        ratio = statistics.median(w / c for c, w in pairs)
        print(f"{engine} on {choice}: first step after {cold:.2f} s, from a worker {warm:.2f} s, ratio {ratio:.2f}")
        _generate(folder / "before", engine, folder)


def _first_step(spec: RunSpec, path: Path, warm: bool) -> float:
    """The seconds from the start of a run to its first step; waits for its end."""
    workers = Workers()
    try:
        if warm:
            workers.expect(child_environment(process.place(spec), os.environ))
            _wait_until_quiet(workers.waiting[0])
        began = time.time()
        run = process.start(RunFolder(path), spec, workers=workers if warm else None)
        status = run.wait(300)
    finally:
        workers.close()
    steps = [event.time for event in read_events(run.run) if isinstance(event, Step)]
    if not steps:
        raise SystemExit(f"no step: {status}\n{run.run.log.read_text()[-2000:]}")
    return steps[0] - began


def _generate(run: Path, engine: str, folder: Path) -> None:
    """Prints the seconds of a generation in a new process, of the first in a worker, and of the second there."""
    workers = Workers()
    seconds = []
    try:
        for turn in range(3):
            task = GenerateTask(run=str(run), output=str(folder / f"{turn}.csv"), split="validation")
            if turn == 1:
                workers.expect(task_environment(task)[0])
                _wait_until_quiet(workers.waiting[0])
            began = time.monotonic()
            run_task(task, workers=workers if turn else None)
            seconds.append(time.monotonic() - began)
    finally:
        workers.close()
    new, first, second = seconds
    print(f"{engine}: generating in a new process {new:.2f} s, first in a worker {first:.2f} s, second there {second:.2f} s")


def _wait_until_quiet(worker: Worker) -> None:
    quiet, before = time.monotonic(), -1
    while time.monotonic() - quiet < QUIET_S:
        fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()
        now = int(fields[11]) + int(fields[12])
        if now > before + TICKS_PER_S // 50:
            quiet, before = time.monotonic(), now
        time.sleep(0.05)


if __name__ == "__main__":
    main()
