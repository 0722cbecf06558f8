"""Follow a real run with a real window for a long time, and write down what both hold, once a minute.

    python tools/soak.py soak.csv --minutes 120      a run trains, a window follows it and turns its pages
    python tools/soak.py soak.csv --judge            what grew, an hour, and whether that is within the bounds

The run is a real child with the engine that is asked for. Each minute the window shows its next page; every tenth minute the
run is held and goes on. Offscreen unless QT_QPA_PLATFORM says otherwise. All of it lies in a folder that is removed at the end.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measure_window
from event_loop import listen, settle

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = ("minute", "points", "page", "delay_ms", "window_mib", "window_files", "window_threads", "child_mib", "child_files",
           "child_threads", "event_bytes")  # fmt: skip
PAGES = ("train", "design", "data", "runs", "train", "generate", "code")
HOLD_EVERY = 10
"""Minutes between two holds of the run."""
SETTLED = 0.25
"""The part of the time that is not judged: pages are built, buffers grow to their size."""
POINT_MIB = 4 * 8 / 2**20
"""What a point of a curve takes: step, epoch, seconds and value."""
BOUNDS = {
    "window_mib": 12.0,
    "child_mib": 12.0,
    "window_files": 1.0,
    "child_files": 1.0,
    "window_threads": 1.0,
    "child_threads": 1.0,
}
"""What may be added in an hour; from the window's memory the points of the curves are taken first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, help="the file of figures")
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--engine", default="tensorflow", choices=("tensorflow", "jax"))
    parser.add_argument("--judge", action="store_true", help="read the file of figures instead of measuring")
    parser.add_argument("--inside", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.judge:
        with arguments.csv.open(newline="") as file:
            sys.exit(judge(list(csv.DictReader(file))))
    if arguments.inside:
        soak(arguments)
        sys.stdout.flush()
        os._exit(0)  # as in measure_window
    arguments.csv.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        environment = measure_window.environment_in(Path(folder))
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--inside", folder], env=environment, check=True)
    sys.exit(subprocess.run([sys.executable, __file__, str(arguments.csv), "--judge"], check=False).returncode)


def soak(arguments: argparse.Namespace) -> None:
    """Measure from within the process of the window."""
    from seqdec_gui.domain import document as design_file
    from seqdec_gui.gui.workspace.training_session import session_of
    from seqdec_gui.runs import folder, process
    from seqdec_gui.runs.control import command
    from seqdec_gui.runs.spec import DeviceChoice, RunSpec

    design = measure_window.copy_of("digits", arguments.inside, epochs=1_000_000)
    wanted = design_file.load(design)
    spec = RunSpec(design=design_file.to_builtins(wanted), design_path=str(design), folder=str(design.parent),
                   data_file=str(design.parent / str(wanted.data.file)), devices=DeviceChoice("cpu"),
                   engine=arguments.engine)  # fmt: skip
    run = process.start(folder.create(None, design), spec, nice=10)
    window = measure_window.open_window(design)
    session = session_of(window.workspace)
    settle(lambda: session.active is not None and session.active.history.step > 0, 600)
    pid = run.pid
    assert pid is not None
    with arguments.csv.open("w", newline="", buffering=1) as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        begun, minute = time.monotonic(), 0
        while time.monotonic() - begun < 60 * arguments.minutes and session.active is not None:
            page = PAGES[minute % len(PAGES)]
            beat = listen(60.0, lambda page=page: window.pages.show_page(page))
            minute += 1
            if session.active is None:
                break
            points, size = points_of(session.active.history), run.run.events.stat().st_size
            rows.writerow((minute, points, page, round(beat.longest_ms), *holds(os.getpid()), *holds(pid), size))
            if minute % HOLD_EVERY == 0 and session.active is not None:
                run.run.send(command("hold"))
                listen(5.0)
                run.run.send(command("continue"))
    status = run.run.status()
    print(f"{minute} minutes, the run is {status.state}: {status.text}")
    run.kill()
    run.wait(20)
    listen(1.0)
    measure_window.close(window)


def points_of(history: Any) -> int:
    """Return how many points all curves of a history have."""
    tables = (history.reports, history.epochs, history.memory, history.memory_share, history.load)
    return sum(curve.count for table in tables for curve in table.values())


def holds(pid: int) -> tuple[float, int, int]:
    """Resident memory in MiB, open files, threads of a process."""
    process = Path(f"/proc/{pid}")
    resident = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return round(resident, 2), count(process / "fd"), count(process / "task")


def count(folder: Path) -> int:
    """Return how many entries a folder has."""
    return sum(1 for _ in folder.iterdir())


def judge(rows: Sequence[dict[str, str]]) -> int:
    """Print the growth of every figure, an hour, and return 0 where all are within the bounds, otherwise 1."""
    missed = 0
    delay = max(float(row["delay_ms"]) for row in rows)
    print(f"{len(rows)} minutes, {rows[-1]['points']} points of curves, longest delay of the window {delay:.0f} ms")
    for name, bound in BOUNDS.items():
        own = POINT_MIB if name == "window_mib" else 0.0
        judged = rows[int(SETTLED * len(rows)) :]
        grown = slope([(float(row["minute"]), float(row[name]) - own * float(row["points"])) for row in judged]) * 60
        first, last, word = rows[0][name], rows[-1][name], "ok" if grown <= bound else "MISSED"
        print(f"{name:15} {first:>9} at first, {last:>9} at last, {grown:+8.2f} an hour  <= {bound:g}  {word}")
        missed += grown > bound
    return int(missed > 0)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the median of the slopes between all pairs of points (Theil and Sen), which single jumps do not move."""
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for at, a in enumerate(points) for b in points[at + 1 :])
    return slopes[len(slopes) // 2] if slopes else 0.0


if __name__ == "__main__":
    main()
