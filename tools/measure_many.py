"""Measure the window with very many steps and very many runs, and print one line for each figure with its bound.

    python tools/measure_many.py [steps] [live] [list]      all three without a name

steps: a run of a million reports, 180 MB of events, shown on the Train page: seconds until its curves are drawn, and whole.
live: two hundred runs that train, each reporting once a second, in the table of the Runs page: the longest delay of the window.
list: ten thousand finished runs in that table, read once before: seconds until all of them are there.

Each part is a process of its own, offscreen unless QT_QPA_PLATFORM says otherwise. Seconds are wall-clock time, with processor
time beside it; delays are those of a 5 ms timer.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from event_loop import listen, settle
from measure_window import ROOT, close, copy_of, environment_in, open_window, say

PARTS = ("steps", "live", "list")
STEPS = 1_000_000
PER_EPOCH = 10_000
LIVE = 200
LISTED = 10_000
LIVE_S = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--inside", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--live", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.live:
        keep_alive(arguments.live)
        return
    if arguments.inside:
        sys.path.insert(0, str(ROOT))
        {"steps": steps, "live": live, "list": listed}[arguments.parts[0]](arguments.inside)
        sys.stdout.flush()
        os._exit(0)  # as in measure_window
    for part in arguments.parts or PARTS:
        if part not in PARTS:
            parser.error(f"expected one of {', '.join(PARTS)}, got {part!r}")
        with tempfile.TemporaryDirectory(prefix="measure-") as folder:
            environment = environment_in(Path(folder))
            subprocess.run([sys.executable, __file__, part, "--inside", folder], env=environment, check=True)


class Clock:
    """Seconds and processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._busy = time.perf_counter(), time.process_time()

    def say(self, what: str, bound: float | None = None) -> None:
        busy = time.process_time() - self._busy
        say(what, time.perf_counter() - self._wall, "s", bound, f"{busy:.2f} s of processor time")


# -- a million steps
def steps(folder: Path) -> None:
    """Show a run of a million reports."""
    from seqdec_gui.gui.workspace.training_session import session_of
    from seqdec_gui.runs.history import read_history
    from seqdec_gui.runs.overview import read_overview
    from tests.gui.trained_runs import example_in, trained

    design = example_in(folder, "digits")
    run = trained(design, "long")
    _write_steps(run.events)
    for what, read, bound in (("overview", read_overview, 1.0), ("whole", read_history, None)):
        clock = Clock()
        read(run)
        clock.say(f"1,000,000 steps in the reader: {what}", bound)
    window = open_window(design)
    window.pages.show_page("train")
    listen(3.0)
    session = session_of(window.workspace)
    clock = Clock()

    def drawn() -> bool:
        items = window.pages.page("train").board.plots["loss"].plot.listDataItems()
        return any(item.name() == "loss" and item.getData()[0] is not None for item in items)

    window.workspace.run_requested.emit(run.path)
    settle(drawn)
    clock.say("1,000,000 steps in the window: curves drawn", 1.0)
    beat = listen(3.0)
    settle(lambda: not session.shown.history.thinned, 300)
    assert session.shown.history.reports["loss"].count == STEPS
    clock.say("  and whole")
    say("  longest delay while the whole is read", beat.longest_ms, "ms", 100, beat.culprit())
    beat = listen(2.0, lambda: session.shown.changed.emit())
    say("  longest delay of a redraw of all plots", beat.longest_ms, "ms", 100, beat.culprit())
    close(window)


def _write_steps(path: Path) -> None:
    from seqdec_gui.runs.events import Epoch, Event, Finished, Started, Step, encode

    with path.open("wb") as file:

        def write(event: Event) -> None:
            file.write(encode(event) + b"\n")

        began = {"epochs": STEPS // PER_EPOCH, "steps_per_epoch": PER_EPOCH, "batch_size": 64}
        write(Started(time=1e9, devices=("cpu:0",), engine="jax", **began))
        for step in range(1, STEPS + 1):
            loss = math.exp(-step / 3e5) + 0.05 * math.sin(step * 1.7) + 0.1
            metrics: dict[str, float | None] = {"loss": loss, "token_accuracy": 1 - loss / 2, "learning_rate": 1e-3}
            metrics["samples_per_s"] = 5000.0 + step % 7
            epoch = (step - 1) // PER_EPOCH + 1
            write(Step(time=1e9 + step / 5, epoch=epoch, step=step, metrics=metrics))
            if step % PER_EPOCH == 0:
                write(Epoch(time=1e9 + step / 5, epoch=epoch, step=step, metrics={"loss": loss, "val_loss": loss}, seconds=2e3))
        write(Finished(time=1e9 + STEPS / 5, epoch=STEPS // PER_EPOCH, step=STEPS))


# -- many runs
def live(folder: Path) -> None:
    """Two hundred runs that train, in the table."""
    runs = folder / "runs"
    writer = subprocess.Popen([sys.executable, __file__, "--live", str(runs)], stdout=subprocess.PIPE, cwd=ROOT)
    assert writer.stdout is not None
    writer.stdout.readline()
    window, rows = _table(folder, runs)
    try:
        settle(lambda: rows() == LIVE)
        listen(3.0)
        clock = Clock()
        beat = listen(LIVE_S)
        clock.say(f"{LIVE} live runs in the table for {LIVE_S:.0f} s")
        say("  longest delay of the window", beat.longest_ms, "ms", 100, beat.culprit())
        say("  99 of 100 delays", beat.percentile_ms(0.99), "ms", 20)
        states = [window.pages.page("runs").model.data(window.pages.page("runs").model.index(row, 1)) for row in range(LIVE)]
        print(f"  states shown: {sorted(set(map(str, states)))[:5]}")
    finally:
        writer.kill()
        writer.wait()
    close(window)


def keep_alive(runs: Path) -> None:
    """Be two hundred runs: hold their locks, and report for each once a second."""
    sys.path.insert(0, str(ROOT))
    from seqdec_gui.runs import lock
    from seqdec_gui.runs.events import EventWriter, Started, Step
    from tests.runs.run_folders import finished_run

    held: list[Any] = []
    for number in range(LIVE):
        run = finished_run(runs / f"{number:04d}", f"d{number % 7}", created=1000.0 + number, name=f"design {number % 7}")
        run.events.unlink()
        held.append(lock.acquire(run.lock))
        held[-1].write(lock.record_of(run.path, os.getpid()))
        held.append(EventWriter(run.events))
        held[-1].write(Started(epochs=10, steps_per_epoch=1000, batch_size=64, devices=("cpu:0",), engine="jax"))
    print("ready", flush=True)
    for step in range(1, 10_000):
        for events in held[1::2]:
            events.write(Step(epoch=step // 1000 + 1, step=step, metrics={"loss": 1 / step}))
            time.sleep(1 / LIVE)


def listed(folder: Path) -> None:
    """Ten thousand finished runs, in the table; they were listed once before."""
    from seqdec_gui.runs.folder import DesignKey
    from seqdec_gui.runs.known import Places
    from seqdec_gui.runs.listing import Listing
    from tests.runs.run_folders import finished_run

    runs = folder / "runs"
    for number in range(LISTED):
        finished_run(runs / f"{number:05d}", f"d{number % 7}", created=1000.0 + number, name=f"design {number % 7}")
    for what in ("for the first time", "again"):
        clock = Clock()
        Listing().read(Places(folders=(runs,)), DesignKey())
        clock.say(f"{LISTED:,} runs listed {what}", 1.0 if what == "again" else None)
    clock = Clock()
    window, rows = _table(folder, runs)
    clock.say("  a window, and its Runs page")
    clock = Clock()
    settle(lambda: rows() == LISTED, 120)
    clock.say(f"  {LISTED:,} runs in the table", 1.0)
    beat = listen(5.0)
    say("  longest delay of the window in the 5 s after that", beat.longest_ms, "ms", 100, beat.culprit())
    close(window)


def _table(folder: Path, runs: Path) -> tuple[Any, Any]:
    """A window at the table of all runs of a folder, and what gives the number of its rows."""
    from seqdec_gui.gui.window.open_run import show_all_runs
    from seqdec_gui.runs import known

    known.remember_folders([runs])
    window = open_window(copy_of("digits", folder, epochs=1))
    show_all_runs(window.workspace)
    return window, window.pages.page("runs").model.rowCount


if __name__ == "__main__":
    main()
