"""A run that is told to stop before its first step ends at once, whatever it is doing, and leaves nothing half-written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqdec_gui.runner.early_stop import remove_temporary
from seqdec_gui.runs import control
from seqdec_gui.runs.folder import RunFolder

CHILD = """
import subprocess, sys, time
from pathlib import Path
from seqdec_gui.runner.commands import Commands
from seqdec_gui.runner.early_stop import EarlyStop
from seqdec_gui.runs.control import CommandReader
from seqdec_gui.runs.events import Checkpoint, EventWriter, Finished, Message
from seqdec_gui.runs.folder import RunFolder
run, how = RunFolder(sys.argv[1]), sys.argv[2]
events = EventWriter(run.events)
if how == "resumed":
    events.write(Checkpoint(name="last", epoch=3, step=40, path="checkpoints/last.weights.h5"))
commands = Commands(CommandReader(run.commands), events)
commands.listen_to_signals()
EarlyStop(run, events, commands, 0)
(run.path / ".dry-run-x").mkdir()
(run.path / ".data.json.x").touch()
child = subprocess.Popen(["sleep", "100"])
(run.path / "child").write_text(str(child.pid))
if how == "over":
    commands.training_has_begun()
events.write(Message(text="ready"))
end = time.monotonic() + 60
while time.monotonic() < end:  # as a thread that compiles, or imports: it obeys nobody
    sum(range(1000))
    if how == "over" and run.commands.exists():
        time.sleep(0.5)
        child.kill()
        events.write(Finished(epoch=9))
        break
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.checkpoints.mkdir(parents=True)
    return made


def start(run: RunFolder, how: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(run.path), how])
    end = time.monotonic() + 60
    while not (run.events.exists() and b"ready" in run.events.read_bytes()):
        assert time.monotonic() < end
        assert child.poll() is None
        time.sleep(0.02)
    return child


@pytest.mark.parametrize("how", ["stop", "pause", "resumed", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_ends_the_process_while_its_main_thread_is_busy(run: RunFolder, how: str | signal.Signals) -> None:
    child = start(run, str(how))
    if isinstance(how, signal.Signals):
        child.send_signal(how)
    else:
        run.send(control.command("pause" if how == "pause" else "stop"))
    assert child.wait(20) == (0 if how == "pause" else 130)  # about 0.1 s where nothing else runs
    last = run.events.read_text().splitlines()[-1]
    assert '"type":"stopped"' in last
    assert ('"paused":true' in last) == (how == "pause")
    assert ('"step":40' in last) == (how == "resumed")
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".")] == []
    end = time.monotonic() + 20
    while alive(int((run.path / "child").read_text())):
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_once_steps_are_taken_the_training_obeys(run: RunFolder) -> None:
    child = start(run, "over")
    run.send(control.command("stop"))
    assert child.wait(60) == 0
    assert '"type":"finished"' in run.events.read_text().splitlines()[-1]


def test_only_what_the_run_writes_itself_is_removed(run: RunFolder) -> None:
    (run.path / ".dry-run-1").mkdir()
    (run.path / "kept").mkdir()
    (run.path / ".dry-run-2").symlink_to(run.path / "kept")
    for name in (".data.json.abc", "data.json", ".notes", ".gitignore"):
        (run.path / name).touch()
    for name in (".last.weights.h5.abc", "last.weights.h5"):
        (run.checkpoints / name).touch()
    remove_temporary(run)
    assert {path.name for path in run.path.iterdir()} == {
        ".dry-run-2",
        "kept",
        "data.json",
        ".notes",
        ".gitignore",
        "checkpoints",
    }
    assert {path.name for path in run.checkpoints.iterdir()} == {"last.weights.h5"}
