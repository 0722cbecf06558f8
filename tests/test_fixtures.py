"""The checks in conftest catch what they are for: each is shown a test that must fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty test suite with this project's conftest."""
    conftest = Path(__file__).with_name("conftest.py").read_text()
    pytester.makeconftest(conftest.replace("GRACE_S = 3.0", "GRACE_S = 0.2"))
    return pytester


def test_a_process_left_running_fails_its_test_and_ends(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import subprocess, sys
        def test_leaves_a_process():
            # A session of its own and a parent that is gone, as for a run that outlives the window.
            child = "Popen(['sleep', '60'], start_new_session=True, stdout=DEVNULL, stderr=DEVNULL)"
            code = f"from subprocess import DEVNULL, Popen; print({child}.pid)"
            pid = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
            open("pid", "w").write(pid)
        def test_that_follows():
            pass
        """
    )
    result = suite.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*left behind: process * (sleep 60)*"])
    assert not _runs(int((suite.path / "pid").read_text()))


def test_a_thread_left_running_fails_its_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import threading
        def test_leaves_a_thread():
            threading.Thread(target=threading.Event().wait, args=(0.7,), name="follower").start()
        """
    )
    result = suite.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*left behind: thread * (follower)*"])


def test_a_qt_thread_left_running_fails_its_test(suite: pytest.Pytester) -> None:
    pytest.importorskip("PyQt5.QtCore", reason="the window's libraries are not installed")
    suite.makepyfile(
        """
        from threading import Event
        from PyQt5.QtCore import QThread
        class FollowerThread(QThread):
            running = Event()
            def run(self):
                self.running.set()
                self.sleep(1)
        threads = []
        def test_leaves_a_qt_thread():
            threads.append(FollowerThread())
            threads[0].start()
            assert FollowerThread.running.wait(5)
        def test_waits_for_it():
            assert threads[0].wait(5000)
        """
    )
    result = suite.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*left behind: Qt thread * (FollowerThread)*"])


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
