import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import lock, process
from seqdec_gui.runs.control import command
from seqdec_gui.runs.events import CommandAnswer, Epoch, Failed, Finished, Started, Stopped
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.process import attach, exit_status
from seqdec_gui.runs.reader import follow, read_events
from tests.runs.conftest import FAKE_CHILD, fake


def wait_for(condition, timeout_s=10.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "the wait was in vain"
        time.sleep(0.02)


def names(events):
    return [type(event).__name__ for event in events]


def has_begun(child):
    return lambda: child.run.events.exists() and child.run.events.stat().st_size > 0


def test_a_run_is_followed_from_before_its_first_event_to_its_end(start):
    child = start("finish")
    events = list(follow(child.run, poll_s=0.02))
    assert names(events) == ["Started", *["Step", "Epoch"] * 3, "Finished"]
    status = child.wait(10)
    assert status.state == "finished"
    assert status.text == "Finished after 3 epochs."
    assert exit_status(status) == 0
    assert "chatter from tensorflow" in child.run.log.read_text()
    assert events[0].devices == ("cpu:0",)


def test_the_run_is_locked_from_start_to_end_without_a_gap(start):
    child = start("obey")
    assert lock.is_held(child.run.lock)
    with pytest.raises(SeqdecError, match=f"process {child.pid}"):
        lock.acquire(child.run.lock, timeout_s=0.1)
    assert child.run.status().state == "running"
    child.stop()
    assert child.wait(10).state == "stopped"
    assert not lock.is_held(child.run.lock)


def test_stop_returns_at_once_and_the_run_saves_and_stops(start):
    child = start("obey")
    wait_for(has_begun(child))
    began = time.perf_counter()
    child.stop()
    assert time.perf_counter() - began < 0.5
    status = child.wait(10)
    assert isinstance(status.final, Stopped)
    assert exit_status(status) == 130


def test_a_run_that_ignores_stop_gets_sigterm(start):
    child = start("sigterm")
    wait_for(has_begun(child))
    child.stop(grace_s=0.2, terminate_s=30)
    status = child.wait(10)
    assert status.state == "crashed"
    assert "SIGTERM" in status.text
    assert exit_status(status) == 1


def test_a_deaf_run_is_killed(start):
    child = start("deaf")
    wait_for(has_begun(child))
    child.stop(grace_s=0.1, terminate_s=0.1)
    assert "SIGKILL" in child.wait(10).text


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("segv", "SIGSEGV"),
        ("exit3", "exit status 3 without saying why. Its log ends with: the last words"),
        ("memory", "Main memory ran out"),
        ("silent_exit", "its last event is missing"),
    ],
)
def test_a_run_that_dies_silently_has_crashed_and_the_reader_says_how(start, mode, words):
    child = start(mode)
    status = child.wait(10)
    assert status.state == "crashed"
    assert words in status.text
    last = list(follow(child.run))[-1]
    assert isinstance(last, Failed)
    assert words in last.sentence
    assert isinstance(attach(child.run).run.status().final, Failed)


def test_the_log_goes_with_the_crash(start):
    child = start("exit3")
    assert "chatter from tensorflow\nthe last words" in child.wait(10).final.details


def test_a_run_killed_by_somebody_who_attached_is_said_to_be_killed(start):
    child = start("obey")
    wait_for(has_begun(child))
    other = attach(child.run)
    other.kill()
    status = other.wait(10)
    assert status.final.kind == "killed"
    assert "was killed" in status.text


def test_a_killed_run_is_told_from_a_finished_one(start):
    child = start("obey")
    wait_for(has_begun(child))
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait(10).final.kind == "killed"


def test_a_crash_that_nobody_waited_for_is_seen_too(start):
    child = start("exit3")
    process_id = child.pid
    child.detach()
    wait_for(lambda: not lock.is_held(child.run.lock))
    os.waitpid(process_id, 0)
    status = child.run.status()
    assert status.state == "crashed"
    assert "Its log ends with: the last words" in status.text


def test_what_a_dead_run_leaves_behind_neither_holds_the_lock_nor_lives_on(start):
    child = start("grandchild")
    wait_for(lambda: (child.run.path / "grandchild").exists())
    status = child.wait(10)
    assert status.state == "crashed"
    assert "exit status 5" in status.text
    left = int((child.run.path / "grandchild").read_text())
    wait_for(lambda: not _alive(left))


def _alive(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in "ZX"
    return False


def test_a_grandchild_that_outlives_the_run_does_not_hold_the_lock(start):
    child = start("grandchild")
    process_id = child.pid
    child.detach()
    wait_for(lambda: not lock.is_held(child.run.lock))
    assert child.run.status().state == "crashed"
    os.killpg(process_id, signal.SIGKILL)
    os.waitpid(process_id, 0)


def test_a_second_start_in_a_living_run_is_refused(start, run_spec):
    child = start("obey")
    with pytest.raises(SeqdecError, match="is being used by process"):
        process.start(child.run, msgspec.structs.replace(run_spec, resume=True), argv=fake("finish"))


def test_a_run_is_not_started_twice_but_resumed(start, run_spec):
    child = start("exit3")
    child.wait(10)
    with pytest.raises(InvalidInput, match="resume it"):
        start("finish")
    resumed = start("finish", spec=msgspec.structs.replace(run_spec, resume=True))
    assert resumed.wait(10).state == "finished"
    events = list(follow(resumed.run))
    assert names(events).count("Started") == 2
    assert isinstance(events[-1], Finished)


def test_a_resumed_run_that_dies_before_its_first_event_has_crashed_though_it_finished_before(start, run_spec):
    start("finish").wait(10)
    again = process.start(
        RunFolder(start("finish", folder="other").run.path.parent / "run"),
        msgspec.structs.replace(run_spec, resume=True),
        argv=(sys.executable, "-c", "raise SystemExit('no module named x')"),
    )
    status = again.wait(10)
    assert status.state == "crashed"
    assert "no module named x" in status.text


def test_old_commands_are_not_obeyed_by_a_resumed_run(start, run_spec):
    first = start("obey")
    first.stop()
    first.wait(10)
    second = start("obey", spec=msgspec.structs.replace(run_spec, resume=True))
    wait_for(lambda: sum(isinstance(event, Epoch) for event in read_events(second.run)) > 5)
    assert second.running()
    second.stop()
    assert second.wait(10).state == "stopped"


def test_commands_are_answered_with_their_id_and_a_hold_shows(start):
    child = start("obey")
    for name in ("hold", "continue"):
        sent = command(name)
        child.run.send(sent)
        wait_for(lambda sent=sent: any(isinstance(e, CommandAnswer) and e.id == sent.id for e in read_events(child.run)))
        expected = {"hold": "paused", "continue": "running"}[name]
        wait_for(lambda expected=expected: child.run.status().state == expected)


def test_a_paused_run_has_ended_and_can_be_resumed(start, run_spec):
    child = start("obey")
    child.pause()
    status = child.wait(10)
    assert (status.state, status.ended, exit_status(status)) == ("paused", True, 0)
    assert "devices are free" in status.text
    again = start("obey", spec=msgspec.structs.replace(run_spec, resume=True))
    wait_for(lambda: again.run.status().state == "running")
    again.stop()
    assert again.wait(10).state == "stopped"


def test_an_attached_run_is_stopped_like_an_own_one(start):
    child = start("deaf")
    wait_for(has_begun(child))
    other = attach(RunFolder(child.run.path))
    assert other.pid == child.pid
    other.stop(grace_s=0.1, terminate_s=0.1)
    wait_for(lambda: not other.running() or not child.running())
    assert child.wait(10).state == "crashed"
    assert other.pid is None


def test_the_run_outlives_the_program_that_started_it(tmp_path, run_spec):
    code = f"""
import sys, msgspec
from seqdec_gui.runs import engine_choice, process, spec
from seqdec_gui.runs.folder import RunFolder
engine_choice.missing = lambda *_: ""
run_spec = msgspec.json.decode({msgspec.json.encode(run_spec)!r}, type=spec.RunSpec)
process.start(RunFolder({str(tmp_path / "run")!r}), run_spec, argv=(sys.executable, {str(FAKE_CHILD)!r}, "obey")).detach()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    run = attach(RunFolder(tmp_path / "run"))
    assert run.running()
    run.stop()
    assert run.wait(10).state == "stopped"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, run_spec, start):
    (tmp_path / "file").write_text("")
    with pytest.raises(SeqdecError, match=r"cannot be started in .*file.*: ") as raised:
        start("finish", folder="file/run")
    assert "\n" not in str(raised.value)


def test_a_half_line_is_left_alone_until_the_run_is_dead(start):
    child = start("half")
    wait_for(lambda: child.run.events.exists() and child.run.events.read_bytes().endswith(b"epo"))
    assert names(read_events(child.run)) == ["Started"]
    assert child.run.status().state == "running"
    child.kill()
    assert child.wait(10).state == "crashed"


def test_the_spec_says_what_was_made_of_auto(start, run_spec, monkeypatch):
    child = start("finish", spec=msgspec.structs.replace(run_spec, engine="auto"))
    child.wait(10)
    placement = child.run.read_spec().placement
    assert placement.devices.kind == "cpu"
    assert placement.engine in ("jax", "tensorflow")
    started = next(event for event in read_events(child.run) if isinstance(event, Started))
    assert started.engine == placement.engine


def test_niceness_is_given_to_the_child(start):
    child = start("obey", nice=5)
    assert os.getpriority(os.PRIO_PROCESS, child.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 5
