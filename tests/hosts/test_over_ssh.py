"""Runs on a host that is reached through a real sshd, over a link that breaks."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from seqdec_gui import cli
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import active, lock
from seqdec_gui.runs.checkpoint_file import fault
from seqdec_gui.runs.control import command
from seqdec_gui.runs.events import CommandAnswer, Epoch, Started, Step, encode
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import book, copied, record, starting
from seqdec_gui.runs.hosts.answering import Resumption
from seqdec_gui.runs.hosts.book import Host
from seqdec_gui.runs.hosts.copied import CopiedProcess
from seqdec_gui.runs.hosts.fetching import have_checkpoint
from seqdec_gui.runs.hosts.ssh import LinkLost, NotPrepared
from seqdec_gui.runs.reader import Follower, read_events
from tests.hosts.conftest import STEPS, Design, identical, original
from tests.hosts.sshd import Server

pytestmark = pytest.mark.slow

LONGEST_S = 120.0
CUTS = 50


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = LONGEST_S) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def is_further(process: CopiedProcess, before: int) -> bool:
    return process.running() and len(epochs_of(process.run)) > before


def finished(process: CopiedProcess) -> RunFolder:
    status = process.wait(LONGEST_S)
    assert status is not None, "the run goes on"
    assert status.state == "finished", status
    return process.run


def steps_of(run: RunFolder) -> list[int]:
    return [event.step for event in read_events(run) if isinstance(event, Step)]


def epochs_of(run: RunFolder) -> list[int]:
    return [event.epoch for event in read_events(run) if isinstance(event, Epoch)]


@pytest.mark.timeout(900)  # each cut costs a new connection, which takes seconds on a busy machine
@pytest.mark.long
def test_a_link_that_is_cut_fifty_times_costs_no_event_and_brings_none_twice(server: Server, lab: Host, design: Design) -> None:
    begun = server.proxy.cuts
    process = design.start(lab, 100_000)
    run, over, draw = process.run, threading.Event(), random.Random(21)

    def size() -> int:
        return run.events.stat().st_size if run.events.exists() else 0

    def cut() -> None:
        """Every other time while a connection is made or just then, and otherwise in the middle of events."""
        while not over.is_set() and (done := server.proxy.cuts - begun) < CUTS:
            before, until = size(), time.monotonic() + 30
            while done % 2 and size() == before and time.monotonic() < until:
                over.wait(0.01)
            over.wait(draw.uniform(0.0, 0.5))
            server.proxy.cut()

    cutting = threading.Thread(target=cut)
    cutting.start()
    seen = []
    follower = Follower(run, process.running)
    try:
        until = time.monotonic() + 800
        while not follower.ended and time.monotonic() < until:
            seen += follower.poll()
            if server.proxy.cuts - begun >= CUTS and not over.is_set():
                over.set()
                process.stop()
            time.sleep(0.02)
    finally:
        over.set()
        cutting.join()
        process.wait(LONGEST_S)
    assert follower.ended
    assert server.proxy.cuts - begun >= CUTS
    there = read_events(original(run))
    assert [encode(event) for event in seen] == [encode(event) for event in there]
    assert identical(run)
    times = Counter(event.step for event in seen if isinstance(event, Step))
    assert set(times.values()) == {1}
    epochs = [event.epoch for event in seen if isinstance(event, Epoch)]
    assert epochs == list(range(1, len(epochs) + 1))


def test_the_follower_may_be_killed_and_the_next_look_goes_on(lab: Host, design: Design) -> None:
    process = design.start(lab, 150)
    run = process.run
    for _ in range(3):
        wait_until(lambda: lock.is_held(run.lock) and len(epochs_of(run)) > 0, "nobody follows")
        pid = lock.holder(run.lock)
        assert pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not lock.is_held(run.lock), "the follower lives")
        before = len(epochs_of(run))
        assert run.status().state == "unfinished"
        assert "seqdec-gui attach" in run.status().text
        assert active.is_alive(run)  # so that a window that starts follows it
        run.events.write_bytes(run.events.read_bytes() + b'{"type":"st')  # what a kill within a write leaves
        again = copied.attach(run)
        going_on = partial(is_further, again, before)
        wait_until(going_on, "it is not followed again")
    assert process.wait(LONGEST_S) is not None
    finished(process)
    assert identical(run)
    assert epochs_of(run) == list(range(1, 151))


def test_commands_are_obeyed_and_a_stopped_run_goes_on(server: Server, lab: Host, design: Design) -> None:
    process = design.start(lab, 2000)
    run = process.run
    wait_until(lambda: bool(steps_of(run)), "it does not begin")
    assert run.status().state == "running"
    rate = command("set_learning_rate", 0.005)
    server.proxy.down = True  # given while the link is down
    server.proxy.cut()
    run.send(rate)
    with run.commands.open("ab") as file:
        file.write(b'{"command": "checkpoint"}\nno command\n')
    wait_until(lambda: "Trying again" in process.news(), "the loss of the link is not told")
    assert "the run goes on there" in run.status().text
    server.proxy.down = False
    answers = lambda: [event for event in read_events(run) if isinstance(event, CommandAnswer)]  # noqa: E731
    wait_until(lambda: len(answers()) >= 3, "the commands are not answered")
    assert [(answer.command, answer.ok) for answer in answers()][:2] == [("set_learning_rate", True), ("checkpoint", True)]
    assert answers()[0].id == rate.id
    assert not answers()[2].ok
    wait_until(lambda: process.news() == "", "the link counts as lost")

    process.pause()
    assert process.wait(LONGEST_S) is not None
    assert run.status().state == "paused"
    stopped_at = epochs_of(run)[-1]
    again = starting.resume(run, Resumption(training=run.read_spec().design["training"] | {"epochs": stopped_at + 5}))
    finished(again)
    assert identical(run)
    assert epochs_of(run)[-1] == stopped_at + 5
    assert len([event for event in read_events(run) if isinstance(event, Started)]) == 2
    assert len(answers()) == 4  # with the pause: no command was taken twice


def test_a_run_that_does_not_obey_is_ended_there(lab: Host, design: Design) -> None:
    process = design.start(lab, 5000)
    run = process.run
    wait_until(lambda: bool(steps_of(run)), "it does not begin")
    process.kill()
    status = process.wait(LONGEST_S)
    assert status is not None
    assert status.state == "crashed"
    assert "was killed (SIGKILL)" in status.text
    assert not lock.is_held(original(run).lock)
    assert run.summary().state == "crashed"
    follower = Follower(run, process.running)
    events = []
    while not follower.ended:
        events += follower.poll()
    assert getattr(events[-1], "kind", "") == "killed"


def test_a_run_that_is_gone_is_said_to_be(lab: Host, design: Design) -> None:
    process = design.start(lab, 3)
    run = finished(process)
    at = record.read(run.path)
    assert at is not None
    there = original(run)
    there.path.rename(there.path.with_name("elsewhere"))
    record.write(run.path, record.HostRecord(host=at.host, address=at.address, run=at.run, mark=at.mark))
    run.events.write_bytes(b"".join(run.events.read_bytes().splitlines(keepends=True)[:-1]))
    again = copied.attach(run)
    status = again.wait(LONGEST_S)
    assert status is not None
    assert "moved or removed" in status.text
    there.path.with_name("elsewhere").rename(there.path)
    there.events.write_bytes(b"x" + there.events.read_bytes())
    copied.look_again(run)
    status = copied.attach(run).wait(LONGEST_S)
    assert status is not None
    assert "no longer those that were copied" in status.text


def test_checkpoints_come_on_demand(lab: Host, design: Design) -> None:
    run = finished(design.start(lab, 20))
    assert list(run.checkpoints.iterdir()) == []
    assert have_checkpoint(run, "last") == ""
    fetched = run.checkpoint("last")
    assert fault(fetched) == ""
    assert fetched.read_bytes() == original(run).checkpoint("last").read_bytes()
    assert have_checkpoint(run, "best") == ""
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["best.weights.h5", "last.weights.h5"]


def test_a_checkpoint_is_fetched_over_a_link_that_breaks(server: Server, lab: Host, design: Design) -> None:
    process = design.start(lab, 2000)
    run = process.run
    wait_until(lambda: original(run).checkpoint("last").exists(), "no checkpoint is written")
    server.proxy.down = True
    server.proxy.cut()
    with pytest.raises(LinkLost):
        have_checkpoint(run, "last")
    server.proxy.down = False
    assert have_checkpoint(run, "last") == ""
    server.proxy.down = True
    server.proxy.cut()
    assert "may be an earlier one" in have_checkpoint(run, "last")
    server.proxy.down = False
    process.stop()
    process.wait(LONGEST_S)
    assert have_checkpoint(run, "last") == ""
    assert run.checkpoint("last").read_bytes() == original(run).checkpoint("last").read_bytes()


def test_what_was_sent_once_is_not_sent_again(
    server: Server, lab: Host, design: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = Path(server.python("sends"))
    python.write_text(python.read_text().replace("exec ", f"export SEQDEC_TEST_NOT_THERE='{tmp_path}'\nexec "))
    host = Host("lab", "there", lab.folder, str(python))
    book.add(host)
    first = starting.start(RunFolder(tmp_path / "one"), design.spec(2), host)
    assert [file.sent for file in first.files] == [design.data.stat().st_size]
    assert Path(first.files[0].there).is_relative_to(Path(lab.folder) / "files")
    spec = original(finished(first.process)).read_spec()
    assert spec.data_file == first.files[0].there
    assert first.process.run.read_spec().data_file == str(design.data)  # here it is the file of here
    again = starting.start(RunFolder(tmp_path / "two"), design.spec(2), host)
    assert [file.sent for file in again.files] == [0]
    finished(again.process)


def test_a_design_that_the_host_refuses_leaves_nothing(lab: Host, design: Design, tmp_path: Path) -> None:
    spec = design.spec(2)
    design.data.unlink()
    with pytest.raises(InvalidInput, match="On lab: There is no data file"):
        starting.start(RunFolder(tmp_path / "copy"), spec, lab)
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [("SEQDEC_TEST_VERSION=9.9.9", "seqdec-gui is 9.9.9 there"), ("SEQDEC_TEST_VERSION=0.0.1", "hosts prepare lab")],
)
def test_another_version_there_is_not_trained_on(
    server: Server, lab: Host, design: Design, environment: str, sentence: str
) -> None:
    python = Path(server.python("other version"))
    name, _, value = environment.partition("=")
    python.write_text(python.read_text().replace("exec ", f"export {name}={value}\nexec "))
    book.add(Host("lab", "there", lab.folder, str(python)))
    with pytest.raises(NotPrepared, match=sentence):
        design.start(book.find("lab"), 2)
    assert cli.main(["hosts", "check", "lab"]) == 1


def test_what_is_missing_is_said_with_what_helps(server: Server, lab: Host) -> None:
    book.add(Host("lab", "there", lab.folder))
    with pytest.raises(NotPrepared, match=r"seqdec-gui is not there .* hosts prepare lab"):
        starting.look("lab")
    server.configure(known=False)
    with pytest.raises(LinkLost, match=r"Connect once by hand \(ssh there\)"):
        starting.look("lab")
    server.configure()
    (server.folder / "authorized_keys").rename(server.folder / "no_keys")
    try:
        with pytest.raises(LinkLost, match="ssh-copy-id there"):
            starting.look("lab")
    finally:
        (server.folder / "no_keys").rename(server.folder / "authorized_keys")


def test_a_shell_that_prints_does_no_harm(server: Server, lab: Host) -> None:
    python = Path(server.python("talks"))
    python.write_text(python.read_text().replace("exec ", "echo 'Welcome, 3 users'; echo '{\"kind\": \"done\"}'\nexec "))
    book.add(Host("lab", "there", lab.folder, str(python)))
    assert starting.look("lab").version == starting.look("lab").version != ""


def test_the_command_line_trains_lists_follows_and_stops(
    lab: Host, design: Design, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    design.spec(4000)
    monkeypatch.chdir(design.folder)
    assert cli.main(["train", str(design.path), "--on", "lab:cpu", "--run", "mine", "--detach", "--checkpoint-every", "1"]) == 0
    said = capsys.readouterr()
    assert f"run: {design.folder / 'mine'}" in said.out
    run = RunFolder(design.folder / "mine")
    wait_until(lambda: bool(steps_of(run)), "it does not begin")
    assert cli.main(["runs", "mine"]) == 0
    assert "running" in capsys.readouterr().out
    assert cli.main(["stop", "mine"]) == 0
    assert "Stopped by the user in epoch" in capsys.readouterr().out
    last = epochs_of(run)[-1]
    assert cli.main(["resume", "mine", "--epochs", str(last + 3)]) == 0
    said = capsys.readouterr()
    assert "Finished after" in said.out
    assert cli.main(["attach", "mine", "--json"]) == 0
    assert capsys.readouterr().out.encode() == original(run).events.read_bytes()
    assert cli.main(["train", str(design.path), "--on", "lab:gpu:9", "--run", "other"]) == 2
    assert "gpu:9 does not exist" in capsys.readouterr().err
    assert not (design.folder / "other").exists()
    assert cli.main(["train", str(design.path), "--on", "lap"]) == 2
    assert "Did you mean lab?" in capsys.readouterr().err


def test_a_record_that_leads_to_a_server_that_was_never_added_is_not_followed(design: Design) -> None:
    """The folder of a run may come from elsewhere."""
    run = RunFolder(design.folder / "foreign")
    run.path.mkdir()
    record.write(run.path, record.HostRecord(host="evil", address="-oProxyCommand=touch x", run="/x"))
    with pytest.raises(SeqdecError, match="no host 'evil'"):
        book.find("evil")
    assert STEPS == 16


def test_a_folder_that_was_not_made_here_commands_no_run(lab: Host, design: Design, tmp_path: Path) -> None:
    """A stranger may know the names of a host and of a run on it, and may have read the folder of another run."""
    run = finished(design.start(lab, 3))
    other = finished(design.start(lab, 3, "other"))
    at, of_other = record.read(run.path), record.read(other.path)
    assert at is not None
    assert of_other is not None
    for number, mark in enumerate(("", of_other.mark, "../" + at.mark)):
        foreign = RunFolder(tmp_path / f"foreign {number}")
        shutil.copytree(run.path, foreign.path)
        record.write(foreign.path, msgspec.structs.replace(at, mark=mark))
        with pytest.raises(InvalidInput, match="was not made by this user"):
            starting.resume(foreign, Resumption())
        with pytest.raises(InvalidInput, match="was not made by this user"):
            have_checkpoint(foreign, "last")
    moved = RunFolder(tmp_path / "moved")
    run.path.rename(moved.path)
    have_checkpoint(moved, "last")


def test_a_list_of_runs_follows_those_that_nobody_follows(
    lab: Host, design: Design, capsys: pytest.CaptureFixture[str]
) -> None:
    process = design.start(lab, 3)
    run = finished(process)
    at = record.read(run.path)
    assert at is not None
    record.write(run.path, record.HostRecord(host=at.host, address=at.address, run=at.run, mark=at.mark))
    run.events.write_bytes(b"".join(run.events.read_bytes().splitlines(keepends=True)[:4]))
    assert run.status().state == "unfinished"
    cli.main(["runs", str(run.path)])
    capsys.readouterr()
    wait_until(lambda: run.status().state == "finished", "the list did not have it followed")
    wait_until(lambda: not lock.is_held(run.lock), "it is followed although it has ended")
    assert identical(run)
