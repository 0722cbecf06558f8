"""Processes that measure one by one while none of the others works."""

import subprocess
import sys
import time

import pytest

from seqdec_gui.runner.measurement_lock import MeasurementLock

WORKER = """
import sys, time
from pathlib import Path
from seqdec_gui.runner.measurement_lock import MeasurementLock

lock, log, name, seconds = sys.argv[1], Path(sys.argv[2]), sys.argv[3], float(sys.argv[4])
def tell(what):
    with log.open("a") as file:
        file.write(f"{name} {what}\\n")
with MeasurementLock(lock) as held_lock:
    tell("works")
    time.sleep(seconds)
    with held_lock.measuring(float(sys.argv[5])):
        tell("measures")
        time.sleep(0.1)
        tell("has measured")
time.sleep(0.3)
"""


def test_nobody_measures_while_another_works_or_measures(tmp_path):
    lock, log = tmp_path / "lock", tmp_path / "log"
    lock.touch()
    command = [sys.executable, "-c", WORKER, lock, log]
    with MeasurementLock(str(lock)):  # nobody begins to measure before all are at work
        workers = [subprocess.Popen([*command, name, after, "30"]) for name, after in (("a", "0"), ("b", "0.4"), ("c", "0.1"))]
        until(lambda: log.exists() and log.read_text().count("works") == 3)
    assert [worker.wait(20) for worker in workers] == [0, 0, 0]
    told = log.read_text().splitlines()
    assert sorted(told[:3]) == ["a works", "b works", "c works"]
    for first, second in zip(told[3::2], told[4::2], strict=True):
        assert first.split()[1:] == ["measures"]
        assert second == f"{first.split()[0]} has measured"
    assert {line.split()[0] for line in told[3:]} == {"a", "b", "c"}


def test_a_process_that_dies_at_work_holds_nobody_up(tmp_path):
    lock, log = tmp_path / "lock", tmp_path / "log"
    lock.touch()
    worker = subprocess.Popen([sys.executable, "-c", WORKER, lock, log, "a", "60", "0"])
    until(log.exists)
    worker.kill()
    worker.wait(20)
    with MeasurementLock(str(lock)) as held_lock, held_lock.measuring(60):
        assert held_lock.waited_s < 10


def test_one_that_never_gets_ready_takes_only_the_others_patience(tmp_path):
    lock, log = tmp_path / "lock", tmp_path / "log"
    lock.touch()
    command = [sys.executable, "-c", WORKER, lock, log]
    slow = subprocess.Popen([*command, "slow", "60", "0"])
    try:
        until(lambda: log.exists() and "slow works" in log.read_text())
        quick = [subprocess.Popen([*command, name, "0", "1"]) for name in ("a", "b")]
        assert [worker.wait(20) for worker in quick] == [0, 0]
        assert slow.poll() is None
    finally:
        slow.kill()
        slow.wait(20)
    told = [
        line.partition(" ")[2] for line in log.read_text().splitlines() if not line.startswith("slow") and "works" not in line
    ]
    assert told == ["measures", "has measured"] * 2


def test_who_has_measured_ends_when_all_have(tmp_path):
    lock, log = tmp_path / "lock", tmp_path / "log"
    lock.touch()
    ending = WORKER.replace("time.sleep(0.3)", "").rstrip() + "\n    held_lock.wait_for_all(30)\n    tell('ends')\n"
    command = [sys.executable, "-c", ending, lock, log]
    with MeasurementLock(str(lock)):
        workers = [subprocess.Popen([*command, name, after, "30"]) for name, after in (("a", "0"), ("b", "0.4"), ("c", "0.1"))]
        until(lambda: log.exists() and log.read_text().count("works") == 3)
    assert [worker.wait(20) for worker in workers] == [0, 0, 0]
    told = [line.partition(" ")[2] for line in log.read_text().splitlines()]
    assert told.index("ends") > len(told) - 1 - told[::-1].index("has measured")


def test_one_that_never_measures_keeps_nobody_for_ever(tmp_path):
    lock = tmp_path / "lock"
    lock.touch()
    slow = subprocess.Popen([sys.executable, "-c", WORKER, lock, tmp_path / "log", "slow", "60", "0"])
    try:
        until((tmp_path / "log").exists)
        with MeasurementLock(str(lock)) as held_lock:
            began = time.monotonic()
            held_lock.wait_for_all(0.5)
            assert 0.5 <= time.monotonic() - began < 10
    finally:
        slow.kill()
        slow.wait(20)


@pytest.mark.timeout(20)
def test_one_that_is_alone_waits_for_nobody():
    with MeasurementLock("") as held_lock, held_lock.measuring(0), MeasurementLock("").measuring(0):
        pass
    held_lock.wait_for_all(20)
    assert held_lock.waited_s < 1


def until(done, seconds=20.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)
