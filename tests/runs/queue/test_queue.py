"""The order of the queue, what users do with it, and which jobs start on which devices."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import lock
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.queue.job import Job
from seqdec_gui.runs.queue.overview import overview
from seqdec_gui.runs.queue.policy import MOST_PASSED, Resources, impossible, plan, why_waiting
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.spec import DeviceChoice
from tests.runs.queue.test_exactly_once import starts, waiting_run, work_to_the_end


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "queue")


def names(queue: Queue) -> list[str]:
    return [job.name for job in queue.read().waiting]


def filled(queue: Queue, *wanted: str) -> None:
    for name in wanted:
        queue.add(waiting_run(queue.path / "runs", name), DeviceChoice("cpu"))


def test_the_order_is_that_of_adding_of_priorities_and_of_hand(queue: Queue) -> None:
    filled(queue, "a", "b", "c", "d")
    assert names(queue) == ["a", "b", "c", "d"]
    queue.move("d", 1)
    assert names(queue) == ["a", "d", "b", "c"]
    queue.set_priority("c", 5)
    assert names(queue) == ["c", "a", "d", "b"]
    queue.move("b", 0)  # in front of a higher priority it gets that
    assert names(queue) == ["b", "c", "a", "d"]
    queue.move("c", 99)
    assert names(queue) == ["b", "a", "d", "c"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(-3, 9), st.booleans()), max_size=12))
def test_a_moved_job_stands_where_it_was_put(moves: list[tuple[str, int, bool]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        queue = Queue(Path(folder))
        filled(queue, *"abcdef")
        for name, number, by_priority in moves:
            if by_priority:
                queue.set_priority(name, number)
            else:
                queue.move(name, number)
                assert names(queue).index(name) == max(0, min(number, 5))
        assert sorted(names(queue)) == list("abcdef")


def test_a_job_is_taken_off_with_the_folder_that_was_never_started(queue: Queue) -> None:
    filled(queue, "a", "b")
    queue.remove("a")
    assert names(queue) == ["b"]
    assert not (queue.path / "runs" / "a").exists()
    with pytest.raises(InvalidInput, match="no such job"):
        queue.remove("a")


def test_a_run_that_ended_is_put_again_and_resumed(queue: Queue, tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "runs", "again")
    queue.add(run, DeviceChoice("cpu"))
    work_to_the_end(queue)
    queue.add(run, DeviceChoice("cpu"))
    assert names(queue) == ["again"]
    work_to_the_end(queue)
    assert (starts(run), run.read_spec().resume) == (2, True)
    queue.remove("again")
    assert run.exists  # a run that was trained is never removed with its job


def test_a_run_that_is_started_by_hand_while_it_waits_is_not_started_again(queue: Queue, tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "runs", "by-hand")
    queue.add(run, DeviceChoice("cpu"))
    with lock.acquire(run.lock) as held:
        held.write(lock.record_of(run.path, 1))
    (run.path / "starts.txt").write_text("1\n")
    work_to_the_end(queue)
    assert starts(run) == 1
    assert queue.read().jobs[0].outcome == "crashed"


def test_what_cannot_be_started_says_why_and_the_others_go_on(queue: Queue, tmp_path: Path) -> None:
    bad, good = (waiting_run(tmp_path / "runs", name) for name in ("bad", "good"))
    queue.add(bad, DeviceChoice("cpu"))
    queue.add(good, DeviceChoice("cpu"))
    for path in (bad.spec, bad.copies / "spec.json"):
        path.write_text("{")
    work_to_the_end(queue)
    first, second = queue.read().jobs
    assert (first.outcome, second.outcome) == ("refused", "finished")
    assert "damaged" in first.text


def test_a_paused_queue_starts_only_what_is_to_start_at_once(queue: Queue) -> None:
    filled(queue, "a", "b")
    queue.pause(True)
    queue.start_now("b")
    work_to_the_end(queue)
    assert names(queue) == ["a"]
    shown = overview(queue)
    assert [(each.job.name, each.state) for each in shown.jobs] == [("a", "waiting"), ("b", "ended")]
    assert "paused" in shown.remarks[0]
    queue.pause(False)
    assert "Nobody works on the queue" in overview(queue).remarks[0]
    work_to_the_end(queue)
    assert names(queue) == []
    queue.clear()
    assert overview(queue).jobs == ()


def test_a_damaged_queue_is_refused_with_what_to_do(queue: Queue) -> None:
    filled(queue, "a")
    queue.file.write_bytes(queue.file.read_bytes()[:-30])
    with pytest.raises(SeqdecError, match=r"damaged or of a newer version.*move the file away"):
        queue.read()
    with pytest.raises(SeqdecError, match="damaged"):
        queue.pause(True)


# -- which jobs start
def job(width: int = 1, devices: DeviceChoice | None = None, **more: object) -> Job:
    return Job(run="/somewhere", width=width, devices=devices or DeviceChoice(), **more)  # type: ignore[arg-type]


def test_runs_of_one_and_two_devices_are_packed() -> None:
    gpus = Resources(gpus=(0, 1, 2, 3))
    found = plan([job(2), job(1), job(1), job(1)], gpus, [])
    assert [str(start.devices) for start in found.starts] == ["gpu:0,gpu:1", "gpu:2", "gpu:3"]
    assert found.passed == ()
    busy = msgspec.structs.replace(gpus, busy={0: "another program"})
    found = plan([job(2), job(2), job(1)], busy, [DeviceChoice("gpu", gpus=(3,))])
    assert [str(start.devices) for start in found.starts] == ["gpu:1,gpu:2"]


def test_a_wide_run_is_passed_only_so_often() -> None:
    gpus, wide = Resources(gpus=(0, 1)), job(2)
    narrow = [job() for _ in range(20)]
    going: list[tuple[Job, DeviceChoice]] = [(job(), DeviceChoice("gpu", gpus=(0,)))]
    waiting, rounds = [wide, *narrow], 0
    while wide.id in {each.id for each in waiting}:
        found = plan(waiting, gpus, [devices for _, devices in going])
        waiting = [each for each in waiting if each.id not in {start.job.id for start in found.starts}]
        counts = {each.id: each.passed + found.passed.count(each.id) for each in waiting}
        waiting = [msgspec.structs.replace(each, passed=counts[each.id]) for each in waiting]
        going += [(start.job, start.devices) for start in found.starts]
        going.pop(0)
        rounds += 1
        assert rounds < 20
    assert len(narrow) - len(waiting) <= MOST_PASSED


def test_named_devices_are_waited_for_and_absent_ones_never_come() -> None:
    gpus = Resources(gpus=(0, 1), busy={1: "another program is on it"})
    mine = job(devices=DeviceChoice("gpu", gpus=(1,)))
    assert plan([mine, job()], gpus, []).passed == ()  # it waits for another device than the one that is taken
    assert "gpu:1 (another program is on it)" in why_waiting(mine, gpus, [])
    assert plan([msgspec.structs.replace(mine, now=True)], gpus, []).starts[0].devices.gpus == (1,)
    assert "no gpu:7" in impossible(job(devices=DeviceChoice("gpu", gpus=(7,))), gpus)
    assert "needs 3 GPUs" in impossible(job(3), gpus)
    assert plan([job(3), job()], gpus, []).starts[0].devices.gpus == (0,)


def test_the_cpu_takes_as_many_runs_as_are_set() -> None:
    one, two = Resources(), Resources(cpu=2)
    cpu = DeviceChoice("cpu")
    assert len(plan([job(), job()], one, []).starts) == 1
    assert len(plan([job(), job(), job()], two, []).starts) == 2
    assert plan([job()], one, [cpu]).starts == ()
    assert len(plan([job(devices=DeviceChoice("cpu", count=4))], one, []).starts) == 1  # it gets the CPU for itself
    assert plan([job()], msgspec.structs.replace(one, cpu_taken=1), []).starts == ()
    assert len(plan([job(now=True)], one, [cpu]).starts) == 1


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.integers(1, 4)), max_size=14),
)
def test_no_device_is_given_twice_and_every_possible_job_ends(count: int, wanted: list[tuple[int, bool, int]]) -> None:
    gpus = Resources(gpus=tuple(range(count)))
    named = [DeviceChoice() if anyhow else DeviceChoice("gpu", gpus=tuple(range(width))) for width, anyhow, _ in wanted]
    waiting = [job(width, devices) for (width, *_), devices in zip(wanted, named, strict=True)]
    seconds = {each.id: wish[2] for each, wish in zip(waiting, wanted, strict=True)}
    going: dict[str, tuple[DeviceChoice, int]] = {}
    waiting = [each for each in waiting if not impossible(each, gpus)]
    for now in range(200):
        going = {id: pair for id, pair in going.items() if pair[1] > now}
        found = plan(waiting, gpus, [devices for devices, _ in going.values()])
        for start in found.starts:
            going[start.job.id] = (start.devices, now + seconds[start.job.id])
        used = [index for devices, _ in going.values() for index in devices.gpus]
        assert len(used) == len(set(used))
        started = {start.job.id for start in found.starts}
        waiting = [
            msgspec.structs.replace(each, passed=each.passed + found.passed.count(each.id))
            for each in waiting
            if each.id not in started
        ]
        assert all(each.passed <= MOST_PASSED + count for each in waiting)
        assert waiting == [] or going  # a device is never idle while the first job could use it
        if not waiting and not going:
            return
    raise AssertionError(f"{len(waiting)} jobs never started")


# -- the command line
def run_queue(*words: str, status: int = 0) -> str:
    told = subprocess.run([sys.executable, "-m", "seqdec_gui", "queue", *words], capture_output=True, text=True, timeout=60)
    assert told.returncode == status, told.stderr
    return told.stdout if status == 0 else told.stderr


def test_the_command_lists_moves_and_removes(tmp_path: Path) -> None:
    queue = Queue()
    assert run_queue() == "The queue is empty.\n"
    for name in ("a", "b"):
        run = waiting_run(tmp_path, name)
        run_queue("add", str(run.path), "--devices", "cpu", "--no-start")
    run_queue("move", "b", "first")
    assert names(queue) == ["b", "a"]
    run_queue("priority", "a", "7")
    listed = json.loads(run_queue("--json"))
    assert [(each["job"]["priority"], each["place"]) for each in listed["jobs"]] == [(7, 1), (0, 2)]
    assert "Nobody works on the queue, and 2 runs would wait forever" in run_queue("list")
    assert "Removed a." in run_queue("remove", "a")
    assert not RunFolder(tmp_path / "a").exists
    assert "takes 2 words" in run_queue("move", "b", status=2)
    assert "from -100 to 100" in run_queue("priority", "b", "1000", status=2)
    assert "no such job" in run_queue("remove", "c", status=2)


def test_a_job_that_is_being_started_is_not_taken_off(queue: Queue) -> None:
    filled(queue, "a")
    (waiting,) = queue.read().jobs
    queue.change(lambda state: state.with_job(msgspec.structs.replace(waiting, claimed=1.0)))
    with queue.scheduling("") as alone:
        assert alone
        with pytest.raises(InvalidInput, match="has been started"):
            queue.remove("a")
        with pytest.raises(InvalidInput, match="does not wait any more"):
            queue.move("a", 0)
    queue.remove("a")  # its scheduler is gone, and has not started it
    assert queue.read().jobs == ()
