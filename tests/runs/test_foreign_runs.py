"""A run folder may come from anybody: it must not have other files written, other processes signalled, or a reader wait."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import lock, process
from seqdec_gui.runs.control import CommandReader, command
from seqdec_gui.runs.crash import log_tail
from seqdec_gui.runs.environment import working_folder
from seqdec_gui.runs.events import Epoch, EventWriter, Message
from seqdec_gui.runs.files import copy_atomically
from seqdec_gui.runs.folder import RunFolder, list_runs
from seqdec_gui.runs.lock import LockRecord
from seqdec_gui.runs.process import attach
from seqdec_gui.runs.reader import EventTail
from seqdec_gui.runs.spec import write
from tests.runs.conftest import fake

WRITTEN = ("model.py", "data.json", "events.jsonl", "commands.jsonl", "log.txt", "lock", "spec.json")
FOLDERS = ("checkpoints", "exports", "cache")
TREASURE = b"a file of the user\nwithout a newline at its end"


@pytest.fixture
def foreign(tmp_path, run_spec) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    write(run_spec, run.spec)
    return run


@pytest.fixture
def treasure(tmp_path) -> Path:
    path = tmp_path / "treasure"
    path.write_bytes(TREASURE)
    return path


@pytest.mark.parametrize("name", WRITTEN)
def test_file_that_is_a_link_keeps_a_run_from_going_on(name, foreign, treasure, run_spec):
    if name == "spec.json":
        foreign.spec.replace(treasure)
    (foreign.path / name).symlink_to(treasure)
    before = treasure.read_bytes()
    again = msgspec.structs.replace(run_spec, resume=True)

    with pytest.raises(InvalidInput, match=f"{name} is a symbolic link"):
        process.start(foreign, again, argv=fake("finish"))
    assert treasure.read_bytes() == before


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_that_is_a_link_keeps_a_run_from_going_on(name, foreign, tmp_path, run_spec):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (foreign.path / name).symlink_to(elsewhere)

    with pytest.raises(InvalidInput, match=f"{name} is a symbolic link"):
        process.start(foreign, msgspec.structs.replace(run_spec, resume=True), argv=fake("finish"))
    assert not any(elsewhere.iterdir())


def test_run_folder_itself_may_be_a_link(foreign, tmp_path, start):
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "real").mkdir()

    assert start("finish", folder="link").wait(20).state == "finished"


def test_nothing_is_written_through_a_link(foreign, treasure):
    for path in (foreign.events, foreign.commands, foreign.lock, foreign.log):
        path.symlink_to(treasure)

    with pytest.raises(OSError, match="symbolic link"):
        EventWriter(foreign.events)
    with pytest.raises(OSError, match="symbolic link"):
        foreign.send(command("stop"))
    with pytest.raises(OSError, match="symbolic link"):
        lock.acquire(foreign.lock)
    with pytest.raises(OSError, match="symbolic link"):
        lock.record_of(foreign.path, 1)
    assert treasure.read_bytes() == TREASURE


def test_copy_goes_through_no_link_that_lies_ready(tmp_path, treasure):
    source, target = tmp_path / "a.keras", tmp_path / "b.keras"
    source.write_bytes(b"new")
    target.symlink_to(treasure)
    (tmp_path / ".b.keras.partial").symlink_to(treasure)
    copy_atomically(source, target)

    assert treasure.read_bytes() == TREASURE
    assert target.read_bytes() == b"new"
    assert not target.is_symlink()


def test_data_that_was_fitted_goes_through_no_link_that_lies_ready(tmp_path, treasure):
    from seqdec_gui.data.storage import write_whole

    (tmp_path / ".data.json.partial").symlink_to(treasure)
    write_whole(tmp_path / "data.json", b"{}")

    assert treasure.read_bytes() == TREASURE
    assert (tmp_path / "data.json").read_bytes() == b"{}"


@pytest.mark.parametrize("name", ["spec.json", "events.jsonl", "commands.jsonl", "log.txt", "lock", "certificate.json"])
def test_pipe_in_place_of_a_file_makes_nobody_wait(name, foreign):
    (foreign.path / name).unlink(missing_ok=True)
    os.mkfifo(foreign.path / name)
    code = (
        "import sys; from seqdec_gui.runs import certificate, folder, lock\n"
        "run = folder.RunFolder(sys.argv[1])\n"
        "print(run.status().state, run.summary().state, lock.is_held(run.lock), certificate.read(run))\n"
    )
    command = [sys.executable, "-c", code, str(foreign.path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[2:] == ["False", "None"]


def test_pipes_have_no_content(foreign):
    for path in (foreign.events, foreign.commands, foreign.log):
        os.mkfifo(path)

    assert log_tail(foreign.log) == ""
    with pytest.raises(OSError, match="no ordinary file"):
        EventTail(foreign.events).read()
    with pytest.raises(OSError, match="no ordinary file"):
        CommandReader(foreign.commands).read()


# -- processes
@pytest.fixture
def bystander():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    yield child
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    child.wait()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="which files a process has open cannot be seen")
def test_process_that_a_foreign_lock_names_is_not_signalled(foreign, bystander):
    with lock.acquire(foreign.lock) as held:
        held.write(msgspec.structs.replace(lock.record_of(foreign.path, bystander.pid)))
        attached = attach(foreign)
        assert attached.running()
        assert attached.pid is None
        attached.kill()
        attached.stop(grace_s=0, terminate_s=0)
        attached.running()
        attached.signal(signal.SIGTERM)

    assert bystander.poll() is None


def test_process_that_really_holds_the_lock_is_known(foreign, start):
    child = start("obey", folder="other")

    assert attach(child.run).pid == child.pid


@pytest.mark.parametrize("pid", [-1, 0, 1 << 40])
def test_number_that_is_no_process_is_not_signalled(pid, foreign):
    with lock.acquire(foreign.lock) as held:
        held.write(lock.record_of(foreign.path, pid))
        attach(foreign).kill()
        assert attach(foreign).pid is None


# -- what the files say
@pytest.mark.parametrize("field", ["design_path", "folder", "data_file", "initial_run"])
def test_spec_with_a_path_that_is_none_is_damaged(field, foreign, run_spec):
    write(msgspec.structs.replace(run_spec, **{field: "a\0b"}), foreign.spec)

    with pytest.raises(InvalidInput, match=f"{field} is no path"):
        foreign.read_spec()
    assert list_runs(foreign.path)[0].state == "unreadable"


def test_record_with_nonsense_is_none(foreign):
    foreign.lock.write_text('{"pid": "1; kill", "host": 3}\n')
    assert lock.read_record(foreign.lock) is None
    assert isinstance(foreign.status().text, str)
    foreign.lock.write_bytes(msgspec.json.encode(LockRecord(1, "elsewhere\x1b[2J", 0.0)) + b"\n")
    with EventWriter(foreign.events) as events:
        events.write(Message(text="\x1b[2Jhello"))
    assert foreign.status().state == "unfinished"


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="where a process works cannot be seen")
def test_child_works_nowhere_near_the_run(start, tmp_path, monkeypatch):
    """XLA would run `cuda_sdk_lib/bin/ptxas` of its working folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    child = start("obey")

    assert Path(f"/proc/{child.pid}/cwd").resolve() == tmp_path


def test_child_works_somewhere_without_a_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))

    assert working_folder() == Path("/")


def test_pipe_in_place_of_the_lock_is_no_running_process(foreign):
    os.mkfifo(foreign.lock)

    assert attach(foreign).pid is None
    assert not attach(foreign).running()
    assert foreign.status().state == "unreadable"


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"step","time":1,"epoch":-1,"step":1}',
        f'{{"type":"step","time":1,"epoch":1,"step":{10**30}}}',
        '{"type":"step","time":1e300,"epoch":1,"step":1}',
        '{"type":"step","time":-1,"epoch":1,"step":1}',
        '{"type":"epoch","time":1,"epoch":1,"step":1,"parts":0}',
    ],
)
def test_event_with_a_number_that_cannot_be_is_damaged(line, foreign):
    foreign.events.write_text(line + "\n")

    (told,) = EventTail(foreign.events).read()
    assert told.code == "damaged_events"
    assert "is damaged" in told.text


def test_metric_that_no_plot_can_show_is_none():
    assert Epoch(epoch=1, step=1, metrics={"loss": 1e308, "b": -1e308, "c": 1e299}).metrics == {
        "loss": None,
        "b": None,
        "c": 1e299,
    }


@pytest.mark.parametrize("field", ["events_offset", "log_offset", "commands_offset", "started", "pid"])
def test_record_of_a_start_that_cannot_be_is_none(field, foreign):
    record = {"pid": 1, "host": socket.gethostname(), "started": 1.0} | {field: -5}
    foreign.lock.write_text(json.dumps(record) + "\n")
    foreign.log.write_text("x\n")

    assert lock.read_record(foreign.lock) is None
    assert foreign.status().state == "unfinished"
