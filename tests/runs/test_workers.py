"""Warm workers without a framework: who gets one, what it is like, and how it ends."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runner import worker as runner_worker
from seqdec_gui.runs import lock, process, spec, tasks, trained_files, workers
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice, Placement, RunSpec
from seqdec_gui.runs.tasks import Cancelled, EvaluateTask, Notice, run_task
from seqdec_gui.runs.worker_jobs import WORKER_MEMORY

FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))
OWNER = Path(__file__).with_name("owner_of_worker.py")
ENDED_S = 10.0


@pytest.fixture
def kept(monkeypatch):
    monkeypatch.setattr(workers, "_memory_left", lambda: 64 << 30)
    made = workers.Workers(FAKE)
    yield made
    made.close()


@pytest.fixture
def task(tmp_path):
    """A task with a run whose files exist."""
    run = RunFolder(tmp_path / "run")
    run.checkpoints.mkdir(parents=True)
    run.spec.write_text("{}")
    run.checkpoint("best").write_text("weights")
    return EvaluateTask(run=str(run.path), data="/rows.csv")


def environment_of(task):
    return tasks.task_environment(task)[0]


def pids(made):
    return [each.process.pid for each in made.waiting]


def do(task, made):
    """Do the task; returns the id of the process that did it, and its session."""
    told = []
    run_task(task, told.append, workers=made, argv=(sys.executable, "-c", "raise SystemExit(7)"))
    return tuple(map(int, told[-1].text.split()[:2]))


def ended(pid):
    """Whether a process has ended, at the latest after `ENDED_S`."""
    until = time.monotonic() + ENDED_S
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


# -- tasks
def test_a_worker_does_a_task_and_stays_with_what_it_has_loaded(kept, task):
    kept.expect(environment_of(task))
    (pid,) = pids(kept)
    assert do(task, kept) == (pid, pid)  # its own session
    assert do(task, kept) == (pid, pid)
    assert pids(kept) == [pid]


def test_a_changed_checkpoint_is_loaded_by_another_process(kept, task):
    kept.expect(environment_of(task))
    first, _ = do(task, kept)
    RunFolder(task.run).checkpoint("best").write_text("other weights")
    kept.expect(environment_of(task))
    second, _ = do(task, kept)
    assert second != first
    assert ended(first)


def test_a_worker_leaves_no_descriptor_open(kept, task):
    kept.expect(environment_of(task))
    assert run_task(task, workers=kept).rows == run_task(task, workers=kept).rows == run_task(task, workers=kept).rows


def test_an_invalid_input_is_told_and_the_worker_stays(kept, task):
    kept.expect(environment_of(task))
    (pid,) = pids(kept)
    with pytest.raises(InvalidInput, match="That is no file"):
        run_task(EvaluateTask(run=task.run, data="wrong"), workers=kept)
    assert do(task, kept) == (pid, pid)


def test_a_worker_that_dies_in_a_task_is_told_like_any_child(kept, task):
    kept.expect(environment_of(task))
    with pytest.raises(SeqdecError, match="SIGKILL"):
        run_task(EvaluateTask(run=task.run, data="die"), workers=kept)
    assert pids(kept) == []


def test_a_task_in_a_worker_can_be_given_up(kept, task, tmp_path):
    kept.expect(environment_of(task))
    (pid,) = pids(kept)
    with pytest.raises(Cancelled):
        run_task(EvaluateTask(run=task.run, data="hang"), workers=kept, cancelled=(tmp_path / "hangs").exists)
    assert ended(pid)


def test_a_task_can_be_given_up_while_its_worker_imports(kept, task, monkeypatch):
    monkeypatch.setenv("FAKE_WORKER", "slow")
    kept.expect(environment_of(task))
    (pid,) = pids(kept)
    with pytest.raises(Cancelled):
        run_task(task, workers=kept, cancelled=lambda: True)
    assert ended(pid)


def test_a_worker_that_still_imports_is_waited_for(kept, task, monkeypatch):
    monkeypatch.setenv("FAKE_WORKER", "slow")
    kept.expect(environment_of(task))
    (pid,) = pids(kept)
    assert do(task, kept) == (pid, pid)


@pytest.mark.parametrize("death", ["while idle", "while importing", "of its import"])
def test_a_dead_worker_is_no_error_but_an_ordinary_start(kept, task, monkeypatch, death):
    monkeypatch.setenv("FAKE_WORKER", {"while idle": "", "while importing": "slow", "of its import": "dies"}[death])
    kept.expect(environment_of(task))
    (pid,) = pids(kept)
    if death != "of its import":
        os.kill(pid, signal.SIGKILL)
    if death == "while idle":
        assert ended(pid)
    ordinary = Path(__file__).with_name("fake_task.py")
    assert run_task(task, workers=kept, argv=(sys.executable, str(ordinary), "done")).rows == 7
    assert pids(kept) == []


# -- what has to fit
def test_another_environment_gets_no_worker(kept, task, monkeypatch):
    kept.expect(environment_of(task))
    assert kept.take(child_environment(Placement(DeviceChoice("cpu"), "jax"), os.environ)) is None
    monkeypatch.setenv("XLA_FLAGS", "--xla_of_the_user")
    assert kept.take(environment_of(task)) is None
    monkeypatch.delenv("XLA_FLAGS")
    worker = kept.take(environment_of(task))
    assert worker is not None
    worker.end()


@pytest.mark.parametrize("change", ["umask", "limit", "version"])
def test_what_a_process_inherits_has_to_be_the_same(kept, task, monkeypatch, change):
    kept.expect(environment_of(task))
    (pid,) = pids(kept)
    umask, limits = None, resource.getrlimit(resource.RLIMIT_CORE)
    try:
        if change == "umask":
            umask = os.umask(0o077)
        elif change == "limit":
            resource.setrlimit(resource.RLIMIT_CORE, (0, limits[1]) if limits[0] else (limits[0], 0))
        else:
            monkeypatch.setattr(workers, "_version", lambda package: "another")
        assert kept.take(environment_of(task)) is None
    finally:
        if umask is not None:
            os.umask(umask)
        if change == "limit" and limits[0]:
            resource.setrlimit(resource.RLIMIT_CORE, limits)
    assert ended(pid)


def test_no_more_workers_than_memory_has_room_for(kept, task, monkeypatch):
    def expect(number):
        kept.expect(environment_of(task) | {"NUMBER": str(number)})
        return [each.environment["NUMBER"] for each in kept.waiting]

    assert expect(1) == ["1"]
    assert expect(2) == ["1", "2"]
    assert expect(1) == ["2", "1"]
    assert expect(3) == ["1", "3"]
    monkeypatch.setattr(workers, "_memory_left", lambda: 5 << 30)
    assert expect(4) == ["4"]
    monkeypatch.setattr(workers, "_memory_left", lambda: 3 << 30)
    assert expect(5) == ["4"]


def test_a_worker_that_has_grown_too_large_ends(monkeypatch):
    sizes = {"VmRSS": 1000, "MemAvailable": 8 << 20}
    monkeypatch.setattr(runner_worker, "_kilobytes", lambda path, name: sizes[name])
    assert not runner_worker.memory_is_scarce()
    sizes["VmRSS"] = WORKER_MEMORY // 1024 + 1
    assert runner_worker.memory_is_scarce()
    sizes |= {"VmRSS": 1000, "MemAvailable": 1000}
    assert runner_worker.memory_is_scarce()


def test_the_sizes_are_those_of_this_process_and_machine():
    assert 1000 < runner_worker._kilobytes("/proc/self/status", "VmRSS") < WORKER_MEMORY // 1024
    assert runner_worker._kilobytes("/proc/meminfo", "MemAvailable") > 1000
    assert runner_worker._kilobytes("/proc/none", "VmRSS") is None


# -- runs
def start(kept, folder, nice=0):
    wanted = RunSpec(design={}, engine="tensorflow", devices=DeviceChoice("cpu"))
    kept.expect(child_environment(Placement(DeviceChoice("cpu"), "tensorflow"), os.environ))
    (pid,) = pids(kept)
    started = process.start(RunFolder(folder), wanted, nice=nice, workers=kept)
    return pid, started


def test_a_worker_becomes_the_process_of_a_run(kept, tmp_path, monkeypatch):
    """The real runner: a design without blocks is refused, which is an answer by the child."""
    monkeypatch.setattr(process, "place", lambda spec: Placement(DeviceChoice("cpu"), "tensorflow"))
    pid, started = start(kept, tmp_path / "run")
    assert started.pid == pid
    record = lock.read_record(started.run.lock)
    assert (record.pid, record.host) == (pid, os.uname().nodename)
    status = started.wait(60)
    assert status.state == "failed"
    assert status.final.kind == "invalid"
    assert lock.read_record(started.run.lock).exit_status == 2
    assert "said while importing" in started.run.log.read_text()
    assert not lock.is_held(started.run.lock)
    assert pids(kept) == []


def test_a_dead_worker_is_an_ordinary_start_of_a_run(kept, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "place", lambda spec: Placement(DeviceChoice("cpu"), "tensorflow"))
    monkeypatch.setenv("FAKE_WORKER", "dies")
    pid, started = start(kept, tmp_path / "run")
    assert started.pid != pid
    assert started.wait(60).final.kind == "invalid"


# -- the end
def test_a_worker_ends_when_nobody_has_asked_for_it(task, monkeypatch):
    monkeypatch.setattr(workers, "_memory_left", lambda: 64 << 30)
    monkeypatch.setenv("FAKE_WORKER", "with_child")
    made = workers.Workers(FAKE, idle_s=0.2)
    made.expect(environment_of(task))
    (pid,) = pids(made)
    assert ended(pid)
    made.close()


def test_closing_ends_the_workers_and_what_they_started(kept, task, monkeypatch):
    monkeypatch.setenv("FAKE_WORKER", "with_child")
    kept.expect(environment_of(task))
    (pid,) = pids(kept)
    kept.close()
    assert ended(pid)
    kept.expect(environment_of(task))
    assert pids(kept) == []  # `nothing_left_behind` looks for the child


@pytest.mark.parametrize("busy", [False, True])
def test_workers_end_with_a_program_that_is_killed(tmp_path, task, busy):
    """Idle, and in the middle of a task that would take a minute; no temporary file stays either."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    owner = subprocess.Popen(
        [sys.executable, str(OWNER), task.run, "hang" if busy else ""],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(folder), "FAKE_WORKER": "with_child"},
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    until = time.monotonic() + ENDED_S
    while busy and not (tmp_path / "hangs").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert (tmp_path / "hangs").exists() == busy
    assert not ended_already(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert ended(pid)
    assert list(folder.iterdir()) == []


def ended_already(pid):
    return not Path(f"/proc/{pid}").exists()


# -- what a worker has loaded
def test_stamps_change_with_every_file_that_a_trained_model_is_read_from(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.checkpoints.mkdir(parents=True)
    data = tmp_path / "rows.csv"
    spec.write(RunSpec(design={}, data_file=str(data)), run.spec)
    files = (run.spec, run.data, run.checkpoint("best"), data)
    seen = {trained_files.stamps(str(run.path), "best")}
    for file in files[1:]:
        file.write_text("x")
        seen.add(trained_files.stamps(str(run.path), "best"))
    spec.write(RunSpec(design={"a": 1}, data_file=str(data)), run.spec)
    seen.add(trained_files.stamps(str(run.path), "best"))
    assert len(seen) == len(files) + 1
    assert trained_files.stamps(str(run.path), "last") not in seen
    assert trained_files.stamps(str(run.path), "best") in seen


def test_a_notice_is_passed_on(kept, task):
    kept.expect(environment_of(task))
    told = []
    run_task(task, told.append, workers=kept)
    assert isinstance(told[0], Notice)
    assert told[0].text.endswith(str(Path.home()))
