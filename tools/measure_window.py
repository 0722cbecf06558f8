"""Measure what the window promises, and print one line for each figure with its bound.

python tools/measure_window.py                       all parts but memory, about six minutes
python tools/measure_window.py start plots           only these: start, actions, tabs, blocks, plots, collection, training,
                                                     warm, memory
python tools/measure_window.py memory --minutes 10   a run that streams 50 reports a second; the window's memory at the end

Each part is a process of its own with a home of its own, offscreen unless QT_QPA_PLATFORM says otherwise. Times are wall-clock
times, so a busy machine shows; what an action costs is the longest delay of a 5 ms timer from the action until it has settled.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from event_loop import listen, settle

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "resources" / "examples"
PARTS = ("start", "actions", "tabs", "blocks", "plots", "collection", "training", "warm", "memory")
CSV_ROWS = 1_600_000
STARTS = 5
RUNS = 1000
WARM_UP_S = 60.0
REPORTS_PER_S = 50
BYTES_A_REPORT = 4 * 4 * 8  # four metrics; step, epoch, seconds and value of each
INTERACTIVE = """
import os, sys, time
from seqdec_gui.gui.app import create_application
application = create_application()
from PyQt5.QtCore import QAbstractEventDispatcher
def look():
    if any(w.windowHandle() and w.windowHandle().isExposed() for w in application.topLevelWidgets()):
        print(time.monotonic(), flush=True)
        os._exit(0)
QAbstractEventDispatcher.instance().aboutToBlock.connect(look)
from seqdec_gui.cli import main
main(sys.argv[1:])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--minutes", type=float, default=10.0, help="how long `memory` streams")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long `training` listens")
    parser.add_argument("--inside", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        part = arguments.parts[0]
        parts = {"actions": actions, "tabs": tabs, "blocks": blocks, "plots": plots, "collection": collection}
        (parts | {"training": training, "warm": warm, "memory": memory})[part](arguments)
        sys.stdout.flush()
        os._exit(0)  # Python may take the application down before its widgets, which ends the process with SIGSEGV now and then
    for part in arguments.parts or [part for part in PARTS if part != "memory"]:
        if part not in PARTS:
            parser.error(f"expected one of {', '.join(PARTS)}, got {part!r}")
        with tempfile.TemporaryDirectory(prefix="measure-") as folder:
            environment = environment_in(Path(folder))
            if part == "start":
                start(environment)
            else:
                options = ["--minutes", str(arguments.minutes), "--seconds", str(arguments.seconds), "--inside", folder]
                subprocess.run([sys.executable, __file__, part, *options], env=environment, check=True)


def environment_in(folder: Path) -> dict[str, str]:
    home = folder / "home"
    home.mkdir(mode=0o700)
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    quiet = "default.warning=false"  # offscreen there are no hints of sizes to pass on, and Qt says so each time
    return (
        {"QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": quiet}
        | os.environ
        | dict.fromkeys(names, str(home))
        | {"PYTHONPATH": path}
    )


def say(what: str, value: float, unit: str, bound: float | None = None, more: str = "") -> None:
    """One figure, its bound, and whether it is kept."""
    promised = "" if bound is None else f"<= {bound:g} {unit}  {'ok' if value <= bound else 'MISSED'}"
    print(f"{what:58} {value:9.2f} {unit:3} {promised:22} {more}".rstrip(), flush=True)


# -- the start
def start(environment: dict[str, str]) -> None:
    """From the start of the process to a painted window with nothing left to do, beside what TensorFlow's import takes."""
    _time_to_interactive(environment)  # warm, and with the settings of a second start
    seconds = statistics.median(_time_to_interactive(environment) for _ in range(STARTS))
    say("start to an interactive window, median of 5", seconds, "s", 1.0)
    design = statistics.median(_time_to_interactive(environment, str(EXAMPLES / "digits.seqdec")) for _ in range(STARTS))
    say("the same with a design", design, "s", 1.0)
    command = [sys.executable, "-c", "import tensorflow"]
    tensorflow = statistics.median(_seconds(command, environment) for _ in range(3))
    say("import tensorflow, median of 3", tensorflow, "s")
    say("start of the window / import tensorflow", seconds / tensorflow, "", 0.25)


def _time_to_interactive(environment: dict[str, str], *design: str) -> float:
    begun = time.monotonic()
    command = [sys.executable, "-c", INTERACTIVE, *design]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout
    return float(told.split()[-1]) - begun


def _seconds(command: list[str], environment: dict[str, str]) -> float:
    begun = time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
    return time.monotonic() - begun


# -- what a user does
def open_window(path: Path | None = None) -> Any:
    """A real window, its first seconds over."""
    from seqdec_gui.gui.app import create_application, spare_collector

    create_application()
    from seqdec_gui.gui.window.main_window import open_window

    window = open_window(path)
    spare_collector(window)
    window.resize(1280, 800)
    settle(lambda: window.workspace.devices.known)
    listen(3.0)
    return window


def actions(arguments: argparse.Namespace) -> None:
    """The longest delay of the event loop that each action causes."""
    from seqdec_gui.domain import document as design_file
    from seqdec_gui.gui.app import create_application, spare_collector

    folder = arguments.inside
    big, small = folder / "molecules.csv", EXAMPLES / "data" / "roman.csv"
    _write_rows(big)
    many = folder / "many.seqdec"
    design_file.save(_tangle(), many)
    kept: list[Any] = [create_application()]
    from seqdec_gui.gui.look import theme
    from seqdec_gui.gui.window import main_window

    def begin() -> None:
        kept.append(main_window.open_window(EXAMPLES / "digits.seqdec"))
        spare_collector(kept[1])

    say("making the window, as one delay", listen(0.3, begin).longest_ms, "ms")
    window = kept[1]

    def act(what: str, action: Callable[[], object], bound: float = 50.0, seconds: float = 2.0) -> None:
        beat = listen(seconds, action)
        say(what, beat.longest_ms, "ms", bound, beat.culprit() if beat.longest_ms > 30 else "")

    act("the first four seconds, nothing done", lambda: None, 100, 4)
    act("the four seconds after them", lambda: None, 50, 4)
    for name in ("train", "data", "runs", "generate", "code"):
        act(f"the {name.title()} page, first time", lambda name=name: window.pages.show_page(name), 100)
    for name in ("design", "train"):
        act(f"the {name.title()} page, again", lambda name=name: window.pages.show_page(name))
    window.pages.show_page("design")
    act("select a block: another form", lambda: window.document.select(["decoder"]))
    act("and the design's own form again", lambda: window.document.select([]))
    act("theme switch, every page built", lambda: theme.set_mode("dark"), 100)
    act("theme switch back", lambda: theme.set_mode("light"), 100)
    window.pages.show_page("data")
    act("open a small data file", lambda: window.workspace.data_file_offered.emit(small))
    act(f"open a data file of {CSV_ROWS:,} rows", lambda: window.workspace.data_file_offered.emit(big), 50, 12)
    preview = window.findChild(object, "data_table")
    act("scroll it to the end", preview.scrollToBottom)
    act("undo that edit", window.document.undo_stack.undo)
    window.document.undo_stack.setClean()
    window.pages.show_page("design")
    act("open a design of 200 blocks", lambda: window.files.open(many), 100)
    act("automatic layout of 200 blocks", window.design_view.editor.auto_layout, 100)
    act("a new theme with 200 blocks", lambda: theme.set_mode("dark"), 100)
    close(window)


def tabs(_arguments: argparse.Namespace) -> None:
    """A design opened in a tab of its own: in the one that the window keeps at hand, and in one that is built for it."""
    from seqdec_gui.gui.window.spare_tab import BEGIN_MS

    window = open_window(EXAMPLES / "digits.seqdec")
    designs, spare = window.designs, window.designs.spare
    building = listen(BEGIN_MS / 1000 + 4.0, spare.keep)  # nothing is done meanwhile
    longest: dict[bool, list[float]] = {True: [], False: []}
    for name in ("roman", "molecules", "pronunciation") * 3:
        for at_hand in (True, False):
            if at_hand:
                settle(lambda: spare.ready, 60)
            assert spare.ready == at_hand  # the second follows within BEGIN_MS
            path = EXAMPLES / f"{name}.seqdec"
            longest[at_hand].append(listen(0.5, lambda path=path: designs.open(path)).longest_ms)
            designs.close_tab(designs.index)
    for at_hand, what, bound in (
        (True, "a design in the tab at hand, median of 9", 100),
        (False, "in a tab built for it", None),
    ):
        median, most = statistics.median(longest[at_hand]), max(longest[at_hand])
        say(what, median, "ms", bound, f"longest {most:.0f} ms")
    say("while a tab is built in advance, nothing done", building.longest_ms, "ms", None, building.culprit())
    close(window)


def _write_rows(path: Path) -> None:
    """As many rows as a large set of molecules has: a text of 20 to 60 characters and two numbers."""
    import numpy as np

    random = np.random.default_rng(1)
    letters = np.frombuffer(b"CCCCCNNOO()=c1c1FSl", np.uint8)
    block = [bytes(random.choice(letters, length)).decode() for length in random.integers(20, 60, 4000)]
    lines = "\n".join(f"{text},{number:.4f},{number * 7:.1f}" for text, number in zip(block, random.random(4000), strict=True))
    with path.open("w") as file:
        file.write("smiles,score,weight\n")
        for _ in range(CSV_ROWS // 4000):
            file.write(lines + "\n")


def _tangle() -> Any:
    from tests.gui.test_design_view_layout import tangle

    return tangle(200, 1)


def close(window: Any) -> None:
    window.workspace.close_guards.clear()
    window.document.undo_stack.setClean()
    window.close()
    window.deleteLater()


def blocks(_arguments: argparse.Namespace) -> None:
    """The canvas with 200 blocks, ms of processor time."""
    from seqdec_gui.gui.app import create_application

    kept = create_application()
    from tests.gui.bench_design_view import measure

    bounds = {"frame": 16.0, "repaint": 50.0, "begin": 50.0, "open": 100.0}
    for what, value in measure(200).items():
        say(
            f"200 blocks: {what}", value, "ms", None if "turn by turn" in what else bounds.get(what.split()[0].strip(","), 50.0)
        )
    kept.quit()


def plots(_arguments: argparse.Namespace) -> None:
    """One new report and the redraw of a plot that holds a million."""
    from seqdec_gui.gui.app import create_application

    kept = create_application()
    from seqdec_gui.gui.pages.train.board import Board
    from seqdec_gui.gui.workspace.document import DesignDocument
    from seqdec_gui.gui.workspace.training_session import TrainingSession
    from seqdec_gui.gui.workspace.workspace import Workspace
    from seqdec_gui.runs.history import RunHistory
    from tests.gui import bench_training_view as bench

    board = Board(TrainingSession(Workspace(DesignDocument())))
    board.resize(1000, 640)
    board.show()
    settle(lambda: len(board.plots) == 5)
    history = RunHistory()
    bench.fill(history, 1_000_000)
    board.show_history(history)

    def redraws(function: Callable[..., float]) -> float:
        wall = []
        for _ in range(31):
            begun = time.perf_counter()
            function(board, history)
            wall.append(1000 * (time.perf_counter() - begun))
        return statistics.median(wall)

    say("1,000,000 points: redraw of the loss, median of 31", redraws(bench.one_plot), "ms", 20)
    board._smoothing.setValue(5)
    say("the same, smoothed over the raw curve", redraws(bench.one_plot), "ms", 40)
    board._smoothing.setValue(0)
    say("four plots of 1,000,000 points in one go", redraws(bench.whole), "ms", 80)
    kept.quit()


def collection(arguments: argparse.Namespace) -> None:
    """A collection of all garbage, with a large design open and many runs listed; ms of its thread's processor time."""
    import gc

    from PyQt5.QtCore import QCoreApplication
    from PyQt5.QtWidgets import QTableView

    from seqdec_gui.domain import document
    from seqdec_gui.gui.tasks import collection as collecting
    from seqdec_gui.gui.window.open_run import show_all_runs
    from seqdec_gui.runs import known
    from tests.runs.run_folders import finished_run

    for number in range(RUNS):
        finished_run(arguments.inside / "runs" / f"{number:04d}", "d", created=1000.0 + number, name="design")
    known.remember_folders([arguments.inside / "runs"])
    path = arguments.inside / "tangle.seqdec"
    document.save(_tangle(), path)
    window = open_window(EXAMPLES / "digits.seqdec")
    collecting.begin(QCoreApplication.instance())
    listen(10.0)
    frozen = gc.get_freeze_count()
    window.designs.open(path)
    show_all_runs(window.workspace)
    table = window.findChild(QTableView, "runs_table")
    settle(lambda: table.model() is not None and table.model().rowCount() == RUNS, 120)
    listen(3.0)
    assert gc.get_freeze_count() <= frozen  # the design and the runs are not among what is left out
    taken = []
    for _ in range(9):
        begun = time.thread_time()
        gc.collect()
        taken.append(1000 * (time.thread_time() - begun))
    what = f"all garbage, 200 blocks and {RUNS:,} runs listed"
    say(what, statistics.median(taken), "ms", 50, f"longest {max(taken):.0f} ms, {len(gc.get_objects()):,} objects")
    close(window)


# -- a run
def training(arguments: argparse.Namespace) -> None:
    """The event loop while a bundled example trains on all cores and its curves are shown."""
    from PyQt5.QtWidgets import QWidget

    from seqdec_gui.runs.spec import DeviceChoice

    design = copy_of("molecules", arguments.inside, epochs=1000)
    window = open_window(design)
    window.workspace.devices.choose(DeviceChoice("cpu", count=os.cpu_count() or 1))
    window.findChild(QWidget, "train_button").click()
    from seqdec_gui.gui.workspace.training_session import session_of

    session = session_of(window.workspace)
    try:
        settle(lambda: session.active is not None and session.active.history.step > 0, 180)
        listen(5.0)
        followed = session.active
        before, started = followed.history.step, _child_seconds(followed)
        events = _lines(followed.run.events)
        beat = listen(arguments.seconds)
        engine, devices = followed.history.started.engine, ", ".join(followed.history.started.devices)
        cores = (_child_seconds(followed) - started) / arguments.seconds
        more = f"{engine} on {devices}, {cores:.1f} cores, {(followed.history.step - before) / arguments.seconds:.0f} steps/s, "
        more += f"{(_lines(followed.run.events) - events) / arguments.seconds:.1f} events/s"
        say("while a run trains: 5 ms timer, delays counted", len(beat.delays), "", None, more)
        say("  50 % of delays", beat.percentile_ms(0.5), "ms")
        say("  99 % of delays", beat.percentile_ms(0.99), "ms", 50)
        say("  longest delay", beat.longest_ms, "ms", None, beat.culprit())
    finally:
        if session.active is not None and session.active.run is not None:
            from seqdec_gui.runs.process import RunProcess

            process = RunProcess(session.active.run)
            process.kill()
            process.wait(20)
        listen(1.0)
        close(window)


def warm(arguments: argparse.Namespace) -> None:
    """What warm workers are worth: from clicks in a window to the first step, and to rows."""
    import measure_warm

    from seqdec_gui.gui.tasks import warm_workers
    from seqdec_gui.runs.spec import DeviceChoice

    window = open_window(copy_of("roman", arguments.inside, epochs=1))
    window.workspace.devices.choose(DeviceChoice("cpu"))
    try:
        measure_warm.measure(window, say)
    finally:
        warm_workers.end()
        close(window)


def copy_of(example: str, folder: Path, epochs: int) -> Path:
    import msgspec

    from seqdec_gui.domain import document as design_file

    shutil.copytree(EXAMPLES / "data", folder / "data")
    design = design_file.load(EXAMPLES / f"{example}.seqdec")
    training = msgspec.structs.replace(design.training, epochs=epochs, early_stopping_patience=0)
    design_file.save(msgspec.structs.replace(design, training=training), folder / f"{example}.seqdec")
    return folder / f"{example}.seqdec"


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def _child_seconds(followed: Any) -> float:
    """Processor time of a run's process."""
    from seqdec_gui.runs.process import RunProcess

    fields = Path(f"/proc/{RunProcess(followed.run).pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(arguments: argparse.Namespace) -> None:
    """Resident memory while 50 reports a second come in, far more than a run writes; a whole epoch each 20 s."""
    from seqdec_gui.domain import document as design_file
    from seqdec_gui.runs import folder, process
    from seqdec_gui.runs.spec import DeviceChoice, RunSpec

    design = copy_of("digits", arguments.inside, epochs=100_000)
    spec = RunSpec(design=design_file.to_builtins(design_file.load(design)), design_path=str(design), folder=str(design.parent),
                   data_file="", devices=DeviceChoice("cpu"))  # fmt: skip
    writer = (sys.executable, str(ROOT / "tools" / "streaming_run.py"), str(REPORTS_PER_S), str(60 * (arguments.minutes + 2)))
    run = process.start(folder.create(None, design), spec, argv=writer)
    window = open_window(design)
    from seqdec_gui.gui.workspace.training_session import session_of

    settle(lambda: session_of(window.workspace).active is not None)
    window.pages.show_page("train")
    listen(WARM_UP_S)
    history = session_of(window.workspace).active.history
    first, sizes = history.step, [_resident()]
    for _ in range(max(2, round(arguments.minutes))):
        beat = listen(60.0)
        sizes.append(_resident())
        print(f"  {sizes[-1] / 2**20:.1f} MiB, longest delay {beat.longest_ms:.0f} ms {beat.culprit()}", flush=True)
    minutes, reports = len(sizes) - 1, history.step - first
    points = reports * BYTES_A_REPORT / 2**20
    # The steps in between are buffers that double; between two of them only what the points take may be added.
    usual = statistics.median(after - before for before, after in itertools.pairwise(sizes)) / 2**20
    say(f"memory after {WARM_UP_S:.0f} s", sizes[0] / 2**20, "MiB")
    say(f"  growth over {minutes} min of streaming", (sizes[-1] - sizes[0]) / 2**20, "MiB", None, f"{reports:,} reports")
    say("  of it, the points themselves", points, "MiB")
    say("  growth in a usual minute, the points left out", usual - points / minutes, "MiB", 0.1)
    run.kill()
    run.wait(20)
    listen(1.0)
    close(window)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
