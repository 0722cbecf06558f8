"""A run that gives no sign of life is said to be silent, with what it is doing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqdec_gui.runs import lock, watchdog
from seqdec_gui.runs.events import Message, Paused, Started, Step
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.reader import Follower
from seqdec_gui.runs.watchdog import Watchdog, main_thread

HANGS = """
import faulthandler, os, signal, sys, threading, time
from seqdec_gui.runs import lock
from seqdec_gui.runs.events import EventWriter, Started, Step
from seqdec_gui.runs.folder import RunFolder
run = RunFolder(sys.argv[1])
if sys.argv[2] == "asked":
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=True)
held = lock.adopt(run.lock)
events = EventWriter(run.events)
events.write(Started(epochs=1, steps_per_epoch=9, batch_size=1, devices=("gpu:0", "gpu:1"), engine="jax"))
if sys.argv[2] != "asked":
    events.write(Step(epoch=1, step=1))
threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
def all_reduce():
    time.sleep(100)
def train():
    all_reduce()
train()
"""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QUIET_S", "STARTING_S", "STACK_S"):
        monkeypatch.setattr(watchdog, name, 0.5)


@pytest.mark.parametrize("handler", ["asked", "none"])
def test_a_run_that_hangs_is_told_with_its_stack_and_goes_on(tmp_path: Path, short: None, handler: str) -> None:
    run = RunFolder(tmp_path)
    with run.log.open("wb") as log:
        child = subprocess.Popen([sys.executable, "-c", HANGS, str(tmp_path), handler], stderr=log)
    try:
        follower, end, told = Follower(run), time.monotonic() + 60, []
        while not told and time.monotonic() < end:
            told = [event for event in follower.poll() if isinstance(event, Message)]
            time.sleep(0.05)
        (silent,) = told
        assert (silent.code, silent.severity) == ("silent", "warning")
        assert "no sign of life" in silent.text
        assert f"resume --restart {tmp_path}" in silent.text
        if handler == "asked":
            assert "Its main thread is in all_reduce (<string>:" in silent.text
            assert ", called by train (<string>:" in silent.text
            assert "NCCL_DEBUG=INFO" in silent.text
        else:  # a run of an earlier version: the signal would have killed it
            assert "main thread" not in silent.text
            assert "NCCL" not in silent.text
        assert child.poll() is None
        assert lock.is_held(run.lock)
        time.sleep(1.2)
        assert follower.poll() == []  # said once
    finally:
        child.kill()
        child.wait()


def test_how_long_a_run_may_be_silent_follows_its_own_pace(tmp_path: Path) -> None:
    now = [0.0]
    dog = Watchdog(RunFolder(tmp_path), lambda: now[0])
    dog.take([Started(epochs=1, steps_per_epoch=9, batch_size=1, devices=("cpu:0",), engine="jax")])
    assert dog.limit_s == watchdog.STARTING_S
    for _ in range(3):
        now[0] += 40
        dog.take([Step(epoch=1, step=1)])
    assert dog.limit_s == 40 * watchdog.PATIENCE
    dog.take([Paused(epoch=1, step=3)])
    now[0] += 1e6
    assert dog.look() is None


def test_a_log_without_stacks_names_no_thread() -> None:
    assert main_thread("nothing") == []
