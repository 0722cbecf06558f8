"""Hurts what is done with a trained run: generating, exporting and evaluating it. `make chaos` calls it after the training.

    python tools/chaos_tasks.py [--seed 1] [--tasks 24] [--engine tensorflow]

A run is trained once. Then each command is killed at a random moment, or has no room, no right to write, no folder any more, or
a second one beside it. What it was to write must be whole, as it was before, or not there; no process may be left; and the same
command must give the undisturbed result afterwards, with nothing half-written beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from seqdec_gui.domain import document  # noqa: E402
from seqdec_gui.domain.problems import SeqdecError  # noqa: E402
from seqdec_gui.runs import process  # noqa: E402
from seqdec_gui.runs.folder import RunFolder  # noqa: E402
from seqdec_gui.runs.spec import DeviceChoice, RunSpec  # noqa: E402
from tests.runner import designs  # noqa: E402

LONGEST_S = 600.0
"""Seconds that a command may take on a busy machine."""
LEFT_S = 20.0
"""Seconds after which a process of a killed command counts as left behind; a busy machine takes a while to end it."""
OLD = b"what was there before"
UNPRIVILEGED = () if os.getuid() else ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Begins the command of a process that permissions of files bind, also where root starts it."""
COMMANDS = {
    "generate": ("generate", "RUN", "--split", "validation", "-n", "200", "--temperature", "1", "-o", "OUT.csv"),
    "keras": ("export", "RUN", "--format", "keras", "-o", "OUT.keras"),
    "bundle": ("export", "RUN", "--format", "bundle", "-o", "OUT.zip"),
}
KILLS = ("command", "child", "both")
HURTS = (*KILLS, "no room", "read-only", "run removed", "folder removed", "two at once")


class Tasks:
    """A trained run, the undisturbed result of each command, and what came of the others."""

    def __init__(self, folder: Path, seed: int, engine: str) -> None:
        self.folder, self.random, self.number = folder, random.Random(seed), 0
        self.tried = self.broken = self.left = self.unclear = 0
        data = designs.write_rows(folder, 240)
        bound = designs.bound(designs.stack(), data, batch_size=12, epochs=2, learning_rate=1e-2)
        spec = RunSpec(design=document.to_builtins(bound), data_file=str(data), devices=DeviceChoice("cpu"), engine=engine)  # type: ignore[arg-type]
        self.run = folder / "run"
        going = process.start(RunFolder(self.run), spec, listed=False)
        going.wait(LONGEST_S)
        state = RunFolder(self.run).status()
        if state.state != "finished":
            raise SeqdecError(f"The run that is to be hurt was not trained: {state.text}")
        self.whole: dict[str, bytes] = {}
        self.seconds: dict[str, float] = {}
        for name in COMMANDS:
            begun = time.monotonic()
            out = self.out(name, self.folder / f"whole-{name}")
            told = self.do(name, self.run, out)
            if told.returncode:
                raise SeqdecError(f"{name} fails without a fault: {told.stderr[-500:]}")
            self.seconds[name], self.whole[name] = time.monotonic() - begun, out.read_bytes()

    def out(self, name: str, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder / COMMANDS[name][-1]

    def argv(self, name: str, run: Path, out: Path, before: tuple[str, ...] = ()) -> list[str]:
        words = [str(run) if word == "RUN" else str(out) if word.startswith("OUT.") else word for word in COMMANDS[name]]
        return [*before, sys.executable, "-m", "seqdec_gui", *words]

    def do(self, name: str, run: Path, out: Path, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.argv(name, run, out, before), capture_output=True, text=True, timeout=LONGEST_S, cwd=ROOT)

    def same(self, name: str, out: Path) -> bool:
        """Return whether a file is what the undisturbed command writes; archives hold times, so they are only tested."""
        if name == "generate":
            return out.read_bytes() == self.whole[name]
        try:
            with zipfile.ZipFile(out) as archive, zipfile.ZipFile(self.folder / f"whole-{name}" / out.name) as wanted:
                return archive.testzip() is None and sorted(archive.namelist()) == sorted(wanted.namelist())
        except (OSError, zipfile.BadZipFile):
            return False

    def hurt(self, name: str, how: str) -> None:
        """Let one thing happen to one command, look, and give the command again."""
        self.number += 1
        self.tried += 1
        folder = self.folder / f"try{self.number}"
        out, run = self.out(name, folder / "out"), folder / "run"
        shutil.copytree(self.run, run)
        before = self.random.random() < 0.5
        if before:
            out.write_bytes(OLD)
        said = self.disturb(name, how, run, out)
        faults = []
        if out.is_file():
            if not (before and out.read_bytes() == OLD) and not self.same(name, out):
                faults.append(f"{out.name} is neither whole nor as before ({out.stat().st_size:,} bytes)")
        elif before and how != "folder removed":
            faults.append(f"{out.name} was there before, and is gone")
        if how not in KILLS and any(words in said for words in ("Traceback", "because of a bug", "without saying why")):
            faults.append(f"no sentence: {said[-300:]!r}")
            self.unclear += 1
        out.parent.mkdir(parents=True, exist_ok=True)
        if not run.exists():
            shutil.copytree(self.run, run)
        told = self.do(name, run, out)
        if told.returncode or not self.same(name, out):
            faults.append(f"the same command fails afterwards: {told.stderr[-300:]!r}")
        if beside := sorted(each.name for each in out.parent.iterdir() if each != out):
            faults.append(f"left beside it: {', '.join(beside)}")
        self.broken += bool(faults)
        word = "BROKEN" if faults else "ok    "
        print(f"{word} {name}, {how}: {'; '.join(faults) or said.strip().splitlines()[-1:]}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)

    def disturb(self, name: str, how: str, run: Path, out: Path) -> str:
        """Do it, and return what the command said."""
        moment = self.random.uniform(0.05, 1.0) * self.seconds[name]
        if how == "read-only":
            out.parent.chmod(0o555)
            told = self.do(name, run, out, UNPRIVILEGED)
            out.parent.chmod(0o755)
            return told.stdout + told.stderr
        before: tuple[str, ...] = ()
        if how == "no room":
            room = self.random.choice((100, 3000, 20_000))
            before = (sys.executable, str(Path(__file__).resolve()), "--limited", str(room))
        going = [self.started(name, run, out, before) for _ in range(2 if how == "two at once" else 1)]
        families = [(each, set[int]()) for each in going]
        end, done = time.monotonic() + moment, False
        while any(each.poll() is None for each in going) and time.monotonic() - end < LONGEST_S:
            for each, family in families:
                family |= descendants(each.pid)
            if not done and time.monotonic() > end:
                done = True
                self.strike(how, going[0].pid, families[0][1], run, out)
            time.sleep(0.01)
        told = "".join(part for each in going for part in each.communicate(timeout=LONGEST_S))
        last = time.monotonic() + LEFT_S
        alive = {pid for _, family in families for pid in family}
        while (alive := {pid for pid in alive if is_alive(pid)}) and time.monotonic() < last:
            time.sleep(0.05)
        for pid in alive:
            self.left += 1
            print(f"LEFT   a process of {name}, {how}: {pid}", flush=True)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return told

    def started(self, name: str, run: Path, out: Path, before: tuple[str, ...]) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        return subprocess.Popen(self.argv(name, run, out, before), text=True, cwd=ROOT, **pipes)  # type: ignore[call-overload,no-any-return]

    def strike(self, how: str, pid: int, family: set[int], run: Path, out: Path) -> None:
        victims = {"command": {pid}, "child": family, "both": {pid, *family}}.get(how, set())
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        if how in ("run removed", "folder removed"):
            shutil.rmtree(run if how == "run removed" else out.parent, ignore_errors=True)


def descendants(pid: int) -> set[int]:
    """Return the processes that a process has started, directly or through others."""
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        try:
            children = Path(f"/proc/{waiting[0]}/task/{waiting.pop(0)}/children").read_text().split()
        except OSError:
            continue
        found |= set(map(int, children))
        waiting += map(int, children)
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def limited(room: int, command: list[str]) -> None:
    """Be a command that can make no file longer than `room` bytes."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    os.execv(command[0], command)


def faults(tasks: Tasks, count: int) -> list[Callable[[], None]]:
    """Return the faults: every way to hurt in turn, each of another command."""
    names = list(COMMANDS)
    return [
        lambda number=number: tasks.hurt(names[(number + number // len(HURTS)) % len(names)], HURTS[number % len(HURTS)])  # type: ignore[misc]
        for number in range(count)
    ]


def main() -> int:
    os.environ["PYTHONPATH"] = str(ROOT)
    if sys.argv[1:2] == ["--limited"]:
        limited(int(sys.argv[2]), sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=24)
    parser.add_argument("--engine", default="tensorflow", choices=("tensorflow", "jax"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-chaos-") as folder:
        tasks = Tasks(Path(folder), arguments.seed, arguments.engine)
        for fault in faults(tasks, arguments.tasks):
            fault()
    print(
        f"tasks hurt: {tasks.tried}, broken: {tasks.broken}, processes left: {tasks.left}, without a sentence: {tasks.unclear}"
    )
    return 1 if tasks.broken or tasks.left or tasks.unclear else 0


if __name__ == "__main__":
    sys.exit(main())
