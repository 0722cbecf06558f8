"""What every test gets: a home of its own, no screen, and a check that it leaves no thread and no process behind."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("no deadline", deadline=None)  # a busy machine is no fault of an example
hypothesis.settings.load_profile("no deadline")

ROOT = Path(__file__).resolve().parent.parent
# Children inherit it, so that one whose parent is gone is still known as ours.
OWNER = "SEQDEC_GUI_TEST_OWNER"
GRACE_S = 3.0
HOME_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
# Where there is as much room in memory, what is temporary lies there: designs, events and Qt's settings are flushed to the
# disk whenever they are written, and a disk takes longer for it than the tests for their work.
MEMORY, ROOM = "/dev/shm", 4 << 30
# Started once a process by the standard library, and kept on purpose.
LASTING_PROCESSES = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


def pytest_configure(config: pytest.Config) -> None:
    """Set up the environment before anything is imported or started. Runs in each xdist worker too."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ[OWNER] = str(os.getpid())
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        if os.environ["QT_QPA_PLATFORM"] == "offscreen":
            os.environ.pop(name, None)
    # Without compiled files each worker and each of the many children would compile everything again: half of the time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # Children must find this checkout, wherever they are started.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _temporary_root())  # of `tmp_path`, on the same device as the homes
    folder = Path(tempfile.mkdtemp(prefix="seqdec-gui-tests-", dir=os.environ["PYTEST_DEBUG_TEMPROOT"]))
    config.stash[_HOMES] = folder
    _point_home_to(folder)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)  # Qt warns about any other mode, and a warning fails a test
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)


def _temporary_root() -> str:
    roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM
    return MEMORY if roomy else tempfile.gettempdir()


def pytest_collection_finish() -> None:
    """What was collected stays: the garbage collector need not walk over all of it again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_HOMES], ignore_errors=True)


_HOMES: pytest.StashKey[Path] = pytest.StashKey()


def _point_home_to(folder: Path) -> None:
    os.environ["HOME"] = str(folder)
    for name in HOME_FOLDERS:
        os.environ[name] = str(folder / name.lower())


@pytest.fixture(autouse=True)
def home(pytestconfig: pytest.Config) -> Iterator[Path]:
    """An empty home folder for each test: settings of the user are neither read nor written, nor shared by tests."""
    homes = pytestconfig.stash[_HOMES]
    folder = Path(tempfile.mkdtemp(prefix="home-", dir=homes))
    _point_home_to(folder)
    yield folder
    _point_home_to(homes)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_left_behind(home: Path) -> Iterator[None]:
    """Fail the test that leaves a thread, a Qt thread or a process running, and name it."""
    threads, native, processes = _threads(), _qt_threads(), _processes()
    yield

    def left() -> dict[str, str]:
        return {
            **{f"thread {ident}": name for ident, name in _threads().items() if ident not in threads},
            **{f"Qt thread {ident}": name for ident, name in _qt_threads().items() if ident not in native},
            **{f"process {pid}": command for pid, command in _processes().items() if pid not in processes},
        }

    until = time.monotonic() + GRACE_S
    while (remaining := left()) and time.monotonic() < until:
        time.sleep(0.02)
    if remaining:
        for pid in _processes().keys() - processes.keys():
            _kill(pid)  # or it would disturb the tests that follow
        pytest.fail("left behind: " + "; ".join(f"{what} ({name})" for what, name in remaining.items()), pytrace=False)


def _threads() -> dict[int, str]:
    """Python's threads. Dummy ones stand for foreign threads that once called Python, and are never taken off the list."""
    return {
        thread.ident: thread.name
        for thread in threading.enumerate()
        if thread.ident is not None and not thread.name.startswith(("Dummy-", "pytest_timeout", "execnet"))
    }


def _qt_threads() -> dict[int, str]:
    """Running QThreads: Qt names a thread after its object or class, so one that a class of ours names ends in Thread."""
    found = {}
    if "PyQt5.QtCore" in sys.modules:
        for task in Path("/proc/self/task").glob("*/comm"):
            name = _read(task).decode(errors="replace").strip()
            if name.endswith("Thread"):
                found[int(task.parent.name)] = name
    return found


def _processes() -> dict[int, str]:
    """Processes started by this one, or by one it started, that still run: pid and command. Linux only."""
    mark = f"{OWNER}={os.getpid()}".encode()
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - twice a test, so it had better be quick
        environment = b"" if int(name) == os.getpid() else _read(f"/proc/{name}/environ")
        if mark not in environment or mark not in environment.split(b"\0"):
            continue
        command = _read(f"/proc/{name}/cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
        if command and not any(lasting in command for lasting in LASTING_PROCESSES):
            found[int(name)] = command
    return found


def _read(path: Path | str) -> bytes:
    """The content of a file in /proc, empty when the process has gone or is not ours."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
