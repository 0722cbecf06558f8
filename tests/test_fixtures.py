"""The checks in conftest catch what they are for: a suite of tests that must fail is run with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
import subprocess, sys, threading
from PyQt5.QtCore import QThread

def test_leaves_a_process():
    # A session of its own and a parent that is gone, as for a run that outlives the window.
    child = "Popen(['sleep', '60'], start_new_session=True, stdout=DEVNULL, stderr=DEVNULL)"
    code = f"from subprocess import DEVNULL, Popen; print({child}.pid)"
    pid = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    open("pid", "w").write(pid)

def test_that_follows():
    pass

def test_leaves_a_thread():
    threading.Thread(target=may_end.wait, args=(20,), name="follower").start()

def test_ends_the_thread():
    may_end.set()

class FollowerThread(QThread):
    running = threading.Event()
    def run(self):
        self.running.set()
        may_end.wait(20)

may_end = threading.Event()
threads = []

def test_leaves_a_qt_thread():
    may_end.clear()
    threads.append(FollowerThread())
    threads[0].start()
    assert FollowerThread.running.wait(5)

def test_waits_for_it():
    may_end.set()
    assert threads[0].wait(5000)
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a suite with this project's conftest, and what the run of it printed. One run: it loads all plugins."""
    folder = tmp_path_factory.mktemp("suite")
    conftest = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
    assert "GRACE_S = 3.0" in conftest
    (folder / "conftest.py").write_text(conftest.replace("GRACE_S = 3.0", "GRACE_S = 0.2"), encoding="utf-8")
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return folder, done.stdout.splitlines()


def errors(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("ERROR ")]


def test_only_what_is_left_behind_fails_a_test(suite: tuple[Path, list[str]]) -> None:
    assert re.search(r"\b6 passed, 3 errors\b", suite[1][-1]), "\n".join(suite[1])


def test_a_process_left_running_fails_its_test_and_ends(suite: tuple[Path, list[str]]) -> None:
    folder, lines = suite
    failed = [line for line in lines if re.fullmatch(r"left behind: process \d+ \(sleep 60\)", line)]
    assert len(failed) == 1
    assert any(line.startswith("ERROR test_suite.py::test_leaves_a_process ") for line in errors(lines))
    assert not _runs(int((folder / "pid").read_text()))


def test_a_thread_left_running_fails_its_test(suite: tuple[Path, list[str]]) -> None:
    assert any(re.fullmatch(r"left behind: thread \d+ \(follower\)", line) for line in suite[1])
    assert any(line.startswith("ERROR test_suite.py::test_leaves_a_thread ") for line in errors(suite[1]))


def test_a_qt_thread_left_running_fails_its_test(suite: tuple[Path, list[str]]) -> None:
    assert any(re.fullmatch(r"left behind: Qt thread \d+ \(FollowerThread\)", line) for line in suite[1])
    assert any(line.startswith("ERROR test_suite.py::test_leaves_a_qt_thread ") for line in errors(suite[1]))


def test_each_test_has_an_empty_home_of_its_own(home: Path) -> None:
    assert Path.home() == home
    assert os.environ["XDG_CONFIG_HOME"].startswith(str(home))
    assert list(home.iterdir()) == []


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
