"""Hurts runs in every way that is promised to cost nothing, and counts what it costs: `make chaos`.

    python tools/chaos.py [--seed 1] [--kills 200] [--files 132] [--engine tensorflow]

Real runs are trained in children of their own. The undisturbed run says what the curve is; every other one is hurt at a place
drawn with the seed, resumed until it has finished, and compared: no run may be lost, no curve may differ.
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from seqdec_gui.domain import document  # noqa: E402
from seqdec_gui.domain.problems import SeqdecError  # noqa: E402
from seqdec_gui.runs import process  # noqa: E402
from seqdec_gui.runs.events import Checkpoint, Epoch, Started, Step  # noqa: E402
from seqdec_gui.runs.folder import RunFolder  # noqa: E402
from seqdec_gui.runs.known import Places  # noqa: E402
from seqdec_gui.runs.listing import Listing  # noqa: E402
from seqdec_gui.runs.reader import read_events  # noqa: E402
from seqdec_gui.runs.salvage import events_of  # noqa: E402
from seqdec_gui.runs.spec import DeviceChoice, RunSpec  # noqa: E402
from tests.runner import designs  # noqa: E402

LONGEST_S = 300.0
"""Seconds that a start of a run may take."""
NUMBERS = "numbers"
"""The engine that trains plain numbers (`tests.runner.plain_child`): everything but the framework, twenty times as fast."""
UNPRIVILEGED = () if os.getuid() else ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Begins the command of a process that permissions of files bind, also where root starts it."""
CLOSE = 1e-5
"""Relative difference up to which losses are equal."""
STARTS = 12
"""How often a run is resumed at most before it counts as lost."""
FILES = ("spec.json", "data.json", "dataset.json", "model.py", "events.jsonl", "commands.jsonl", "log.txt", "lock",
         "checkpoints/last.weights.h5", "checkpoints/best.weights.h5", "checkpoints/last-*.weights.h5")  # fmt: skip


class Chaos:
    """Runs in one folder, and what came of them."""

    def __init__(self, folder: Path, seed: int, engine: str, epochs: int) -> None:
        self.folder, self.random, self.engine = folder, random.Random(seed), engine
        self.argv = argv_of(engine)
        self.steps = 16 * epochs
        self.data = designs.write_rows(folder, 240)
        bound = designs.bound(designs.noisy(), self.data, batch_size=12, epochs=epochs, learning_rate=1e-2, schedule="cosine")
        self.spec = RunSpec(design=document.to_builtins(bound), data_file=str(self.data), devices=DeviceChoice("cpu"),
                            engine="tensorflow" if engine == NUMBERS else engine,
                            report_every_s=0.05, checkpoint_every_s=0.05)  # fmt: skip
        self.faults = self.lost = self.differing = self.unreadable = 0
        self.whole = self.finished("whole")
        self.curve = curve_of(self.whole)

    # -- runs
    def start(self, name: str, resume: bool = False) -> process.RunProcess:
        return process.start(
            RunFolder(self.folder / name), msgspec.structs.replace(self.spec, resume=resume), argv=self.argv, listed=False
        )

    def finished(self, name: str) -> RunFolder:
        run = RunFolder(self.folder / name)
        for number in range(STARTS):
            if number == 0 and not run.exists:
                going = self.start(name)
            elif run.status().state == "finished":
                return run
            else:
                going = self.start(name, resume=True)
            if going.wait(LONGEST_S) is None:
                going.kill()
                going.wait(10)
        return run

    def judge(self, name: str, what: str) -> None:
        """Resume a hurt run, and compare it with the one that was not."""
        self.faults += 1
        run = RunFolder(self.folder / name)
        why = ""
        try:
            self.look(run)
            self.finished(name)
        except SeqdecError as error:
            why = str(error)
        state = run.status()
        if state.state != "finished":
            self.lost += 1
            print(f"LOST   {what}: {why or state.text}", flush=True)
        elif (worst := difference(curve_of(run), self.curve)) > CLOSE:
            self.differing += 1
            print(f"DIFFER {what}: by {worst:.2g}", flush=True)
        else:
            print(f"ok     {what}", flush=True)
        shutil.rmtree(run.path, ignore_errors=True)

    def look(self, run: RunFolder) -> None:
        """Read a hurt run in every way that a window does: nothing but sentences may come of it."""
        try:
            entries = Listing().read(Places(runs=(run.path,)), msgspec_key())
            status = run.status()
            with contextlib.suppress(SeqdecError):
                read_events(run)
            if not entries or len(status.text) > 5000 or "Traceback" in status.text:
                raise AssertionError(f"{len(entries)} entries, {status.text[:200]!r}")
        except Exception as error:
            self.unreadable += 1
            print(f"UNREAD {run.name}: {error!r}", flush=True)

    # -- kills
    def kill_at(self, number: int, victim: str, moment: str) -> None:
        """Kill -9 the child, the process that started it, or both: while it starts, trains, or writes a checkpoint."""
        name = f"kill{number}"
        run = RunFolder(self.folder / name)
        parent = subprocess.Popen([sys.executable, __file__, "--start", str(self.folder), name, self.engine],
                                  stdout=subprocess.PIPE, cwd=ROOT)  # fmt: skip
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        waited = self.wait_for(run, pid, moment)
        if victim in ("child", "both"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if victim in ("parent", "both"):
            parent.kill()
        if victim == "parent":  # the child goes on, and may be killed next
            going = process.attach(run)
            going.wait(self.random.uniform(0, 1.0))
            going.kill()
        parent.kill()
        parent.wait()
        attached = process.attach(run)
        attached.wait(30)
        self.judge(name, f"kill -9 of {victim}, {moment} ({waited})")

    def wait_for(self, run: RunFolder, pid: int, moment: str) -> str:
        """Wait until a moment has come; returns what the run was doing."""
        end = time.monotonic() + LONGEST_S
        if moment == "starting":
            time.sleep(self.random.uniform(0, 5))
            return "training" if last_step(run) else "before the first step"
        wanted = self.random.randrange(2, self.steps * 3 // 4) if moment == "training" else 2
        while (at := last_step(run)) < wanted and alive(pid) and time.monotonic() < end:
            time.sleep(0.02)
        if moment == "training":
            time.sleep(self.random.uniform(0, 0.3))
            return f"step {at} of {self.steps}"
        for _ in range(self.random.randrange(1, 6)):  # a checkpoint that is being written has a temporary name
            while alive(pid) and time.monotonic() < end and not being_written(run):
                pass
        time.sleep(self.random.uniform(0, 0.002))
        return "within the writing" if being_written(run) else "just after it"

    # -- damage
    def damage(self, number: int, file: str, how: str) -> None:
        """Cut, flip, empty or remove a file of a run that was stopped half-way."""
        name = f"damage{number}"
        shutil.copytree(self.half_way, self.folder / name)
        found = sorted((self.folder / name).glob(file))
        if not found:  # a run without a framework writes fewer files
            shutil.rmtree(self.folder / name)
            return
        path = self.random.choice(found)
        data = bytearray(path.read_bytes())
        at = self.random.randrange(max(1, len(data)))
        match how:
            case "cut":
                path.write_bytes(data[:at])
            case "flip" if data:
                data[at] ^= 1 << self.random.randrange(8)
                path.write_bytes(data)
            case "zeros":
                path.write_bytes(data[:at] + bytes(len(data) - at))
            case "gone":
                path.unlink()
        self.judge(name, f"{path.relative_to(self.folder / name)} {how} at {at:,} of {len(data):,}")

    @property
    def half_way(self) -> Path:
        """A run that was killed half-way, with several checkpoints."""
        run = RunFolder(self.folder / "half")
        if not run.exists:
            going = self.start("half")
            end = time.monotonic() + LONGEST_S
            while (
                len([event for event in events_of(run.events, Checkpoint) if event.name == "last"]) < 4
                and time.monotonic() < end
            ):
                time.sleep(0.02)
            going.kill()
            going.wait(30)
        return run.path

    # -- the rest
    def full_disk(self, number: int, room: int) -> None:
        """Let every file of the run end at so many bytes, as on a disk with no more room (RLIMIT_FSIZE)."""
        name = f"full{number}"
        run = RunFolder(self.folder / name)
        argv = (sys.executable, str(ROOT / "tools" / "chaos.py"), "--limited", str(room))
        going = process.start(run, self.spec, argv=(*argv, self.engine), listed=False)
        going.wait(LONGEST_S)
        self.judge(name, f"no file beyond {room:,} bytes: {run.status().text[:70]}")

    def tiny_disk(self, size: int) -> None:
        """Train on a disk of so many bytes, then give it room and resume; needs the right to mount."""
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        tmpfs = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
        if subprocess.run(tmpfs, stderr=subprocess.DEVNULL).returncode:
            print(f"left out: a disk of {size:,} bytes cannot be mounted here", flush=True)
            return
        try:
            said = "could not be started"
            with contextlib.suppress(SeqdecError):
                going = self.start("disk/run")
                going.wait(LONGEST_S)
                said = going.run.status().text[:70]
            subprocess.run(["mount", "-o", f"remount,size={256 << 20}", str(disk)], check=True)
            self.judge("disk/run", f"a disk of {size:,} bytes: {said}")
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)

    def folder_removed(self) -> None:
        """Remove the folder of a run that trains: its process must end."""
        going = self.start("removed")
        self.wait_for(going.run, going.pid or 0, "training")
        shutil.rmtree(going.run.path, ignore_errors=True)
        self.faults += 1
        ended = going.wait(60) is not None or not alive(going.pid or 0)
        print(
            f"{'ok    ' if ended else 'LOST  '} folder removed while it trains: the process {'ends' if ended else 'goes on'}",
            flush=True,
        )
        self.lost += not ended
        going.kill()

    def read_only(self, number: int, what: str) -> None:
        """Take the right to write from folders of a run that trains, give it back once the run has had to write, and resume."""
        name = f"readonly{number}"
        going = process.start(RunFolder(self.folder / name), self.spec, argv=(*UNPRIVILEGED, *self.argv), listed=False)
        run, pid = going.run, going.pid or 0
        if (at := self.wait_for(run, pid, "training")) and not alive(pid) and last_step(run) == 0:
            print(f"left out: a process without the rights of root: {run.status().text[:70]}", flush=True)
            return
        folders = [run.path, run.checkpoints] if what == "run folder" else [run.checkpoints]
        for folder in folders:
            folder.chmod(0o555)
        going.wait(10)
        for folder in folders:
            folder.chmod(0o755)
        said = run.status().text[:90]
        going.kill()
        going.wait(10)
        self.judge(name, f"{what} made read-only at {at}: {said}")

    def clock_back(self) -> None:
        """Resume a run whose files come from the future."""
        name = "clock"
        shutil.copytree(self.half_way, self.folder / name)
        later = time.time() + 86400 * 30
        for path in (self.folder / name).rglob("*"):
            os.utime(path, (later, later))
        self.judge(name, "clock set back by a month")

    def two_writers(self) -> None:
        """Resume a run from several programs at once: one trains, the others are refused."""
        name = "two"
        shutil.copytree(self.half_way, self.folder / name)
        many = [subprocess.Popen([sys.executable, __file__, "--resume", str(self.folder), name, self.engine], cwd=ROOT,
                                 stdout=subprocess.DEVNULL) for _ in range(3)]  # fmt: skip
        for each in many:
            each.wait(LONGEST_S)
        self.judge(name, "three programs resume one run")


def msgspec_key() -> Any:
    from seqdec_gui.runs.folder import DesignKey

    return DesignKey()


def last_step(run: RunFolder) -> int:
    return max((event.step for kind in (Step, Epoch) for event in events_of(run.events, kind)), default=0)


def being_written(run: RunFolder) -> bool:
    with contextlib.suppress(OSError):
        return any(".weights.h5." in child.name for child in os.scandir(run.checkpoints))
    return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def curve_of(run: RunFolder) -> dict[int, tuple[float, float]]:
    """Return training and validation loss by epoch, of the starts that count."""
    curve: dict[int, tuple[float, float]] = {}
    for event in read_events(run):
        if isinstance(event, Started):
            curve = {epoch: value for epoch, value in curve.items() if epoch < event.first_epoch}
        elif isinstance(event, Epoch):
            curve[event.epoch] = (event.metrics["loss"] or 0.0, event.metrics["val_loss"] or 0.0)
    return curve


def difference(one: dict[int, tuple[float, float]], other: dict[int, tuple[float, float]]) -> float:
    """Return the largest relative difference of two curves where both have an epoch; the last must be there."""
    if not one or max(one) != max(other):
        return float("inf")
    return max(abs(a - b) / max(abs(b), 1e-12) for epoch in one for a, b in zip(one[epoch], other[epoch], strict=True))


def starter(folder: str, name: str, engine: str, resume: bool) -> None:
    """Start or resume a run as another program does, and wait for it."""
    run = RunFolder(Path(folder) / name)
    spec = RunFolder(Path(folder) / "whole").read_spec()
    with contextlib.suppress(SeqdecError):
        asked = msgspec.structs.replace(spec, resume=resume, placement=None)
        going = process.start(run, asked, argv=argv_of(engine), listed=False)
        print(going.pid, flush=True)
        going.wait()


def argv_of(engine: str) -> tuple[str, ...]:
    """Return the command of the process of a run."""
    return (sys.executable, "-m", "tests.runner.plain_child") if engine == NUMBERS else process.RUNNER


def limited(room: int, engine: str, run: str) -> None:
    """Be the process of a run that can make no file longer than `room` bytes."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    os.execv(sys.executable, [*argv_of(engine), run])


def faults(chaos: Chaos, kills: int, files: int) -> Iterator[Callable[[], None]]:
    """Yield every fault, in an order drawn with the seed."""
    moments = ("starting", "training", "training", "checkpoint", "checkpoint")
    for number in range(kills):
        victim, moment = ("child", "both", "parent")[number % 3], moments[number % len(moments)]
        yield lambda number=number, victim=victim, moment=moment: chaos.kill_at(number, victim, moment)  # type: ignore[misc]
    for number in range(files):
        file, how = FILES[number % len(FILES)], ("cut", "flip", "zeros", "gone")[number // len(FILES) % 4]
        yield lambda number=number, file=file, how=how: chaos.damage(number, file, how)  # type: ignore[misc]
    if files:
        yield chaos.clock_back
        yield chaos.two_writers
        yield chaos.folder_removed
        for number, what in enumerate(("checkpoints", "run folder")):
            yield lambda number=number, what=what: chaos.read_only(number, what)  # type: ignore[misc]
        for size in (20_000, 2 << 20, 9 << 20):
            yield lambda size=size: chaos.tiny_disk(size)  # type: ignore[misc]
        for number, room in enumerate((300, 2000, 6000, 12_000, 30_000)):
            yield lambda number=number, room=room: chaos.full_disk(number, room)  # type: ignore[misc]


def main() -> int:
    os.environ["PYTHONPATH"] = str(ROOT)
    if sys.argv[1:2] == ["--start"] or sys.argv[1:2] == ["--resume"]:
        starter(*sys.argv[2:5], resume=sys.argv[1] == "--resume")
        return 0
    if sys.argv[1:2] == ["--limited"]:
        limited(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--files", type=int, default=132)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--engine", default="tensorflow", help="tensorflow, jax, or numbers: without a framework")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-chaos-") as folder:
        chaos = Chaos(Path(folder), arguments.seed, arguments.engine, arguments.epochs)
        for fault in faults(chaos, arguments.kills, arguments.files):
            fault()
    print(f"faults tried: {chaos.faults}, runs lost: {chaos.lost}, curves differing: {chaos.differing}, "
          f"runs that could not be read: {chaos.unreadable}")  # fmt: skip
    return 1 if chaos.lost or chaos.differing or chaos.unreadable else 0


if __name__ == "__main__":
    sys.exit(main())
