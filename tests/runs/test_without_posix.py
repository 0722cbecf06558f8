"""The window, designs, data and the reading of runs on a system that is no POSIX: what Linux alone has is taken away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from seqdec_gui.runs import lock
from tests.runs.run_folders import finished_run

ROOT = Path(__file__).resolve().parent.parent.parent
TAKEN_AWAY = Path(__file__).with_name("take_posix_away.py")


def on_other_system(code: str, *arguments: str) -> str:
    """Run code in a process in which `fcntl`, `pwd`, `os.setsid`, `signal.SIGKILL` and their like are absent; its output."""
    done = subprocess.run(
        [sys.executable, TAKEN_AWAY, code, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def modules(*packages: str) -> str:
    found = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in packages
        for path in sorted((ROOT / "seqdec_gui" / package).rglob("*.py"))
    ]
    return f"import {', '.join(found)}\n"


def test_what_is_taken_away_is_away() -> None:
    """Otherwise these tests would show nothing."""
    code = (
        "import os, signal\n"
        "for name in ('fcntl', 'pwd', 'resource', 'grp'):\n"
        "    try:\n        __import__(name)\n        print('there:', name)\n"
        "    except ImportError: pass\n"
        "print([name for name in ('setsid', 'killpg', 'pread', 'O_NOFOLLOW') if hasattr(os, name)])\n"
        "print(hasattr(signal, 'SIGKILL'))"
    )
    assert on_other_system(code) == "[]\nFalse"


@pytest.mark.parametrize("package", ["domain", "data", "runs", "commands"])
def test_every_module_is_imported(package: str) -> None:
    assert on_other_system(modules(package) + "print('imported')") == "imported"


def test_a_design_is_read_checked_and_its_data_tried() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom seqdec_gui.domain import document\n"
        "from seqdec_gui.runs.readiness import problems_in_data, readiness\nfrom seqdec_gui.runs.spec import DeviceChoice\n"
        "path = Path(sys.argv[1])\ndesign = document.load(path)\n"
        "print(readiness(design, path.parent, DeviceChoice('cpu')), problems_in_data(design, path.parent, DeviceChoice('cpu')))"
    )
    assert on_other_system(code, str(ROOT / "resources" / "examples" / "roman.seqdec")) == "() ()"


def test_runs_are_listed_and_read_and_a_held_lock_is_seen(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "runs" / "one")
    finished_run(tmp_path / "runs" / "two")
    code = (
        "import sys\nfrom pathlib import Path\nfrom seqdec_gui.runs import lock\nfrom seqdec_gui.runs.folder import list_runs\n"
        "from seqdec_gui.runs.history import read_history\nfrom seqdec_gui.runs.folder import RunFolder\n"
        "folder = Path(sys.argv[1])\n"
        "print([summary.state for summary in list_runs(folder)], lock.is_held(folder / 'one' / 'lock'))\n"
        "print(read_history(RunFolder(folder / 'one')).final is not None)"
    )
    assert on_other_system(code, str(tmp_path / "runs")) == "['finished', 'finished'] False\nTrue"
    with lock.acquire(run.lock):  # by this process, in the way of Windows
        pass


def test_locks_of_two_processes_exclude_each_other(tmp_path: Path) -> None:
    code = (
        "import sys, subprocess\nfrom pathlib import Path\nfrom seqdec_gui.runs import lock\npath = Path(sys.argv[1])\n"
        "held = lock.acquire(path)\n"
        "if len(sys.argv) > 2: sys.exit()\n"
        "held.write(lock.LockRecord(7, 'here', 1.0))\n"
        "print(lock.is_held(path), lock.read_record(path).pid)\n"
        "done = subprocess.run([sys.executable, sys.orig_argv[1], CODE, str(path), 'again'], capture_output=True, text=True)\n"
        "print(done.returncode, 'RunLocked' in done.stderr)\n"
        "held.close()\nprint(lock.is_held(path))"
    )
    code = f"CODE = {code!r}\n{code}"
    assert on_other_system(code, str(tmp_path / "lock")) == "True 7\n1 True\nFalse"


def test_a_start_is_refused_with_what_helps(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom seqdec_gui import cli\n"
        "sys.exit(0 if cli.main(['train', sys.argv[1], '--run', sys.argv[2], '--engine', 'tensorflow']) else 5)"
    )
    done = subprocess.run(
        [sys.executable, TAKEN_AWAY, code, str(ROOT / "resources/examples/roman.seqdec"), str(tmp_path / "run")],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Train on a host" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_window_opens_a_design_and_lists_runs(tmp_path: Path) -> None:
    pytest.importorskip("PyQt5")
    code = (
        "import sys\nfrom pathlib import Path\nfrom PyQt5.QtWidgets import QApplication\n"
        "application = QApplication([])\n"
        "from seqdec_gui.gui.window.main_window import open_window\n"
        "from seqdec_gui.gui.workspace.workspace import PageName\n"
        "window = open_window(Path(sys.argv[1]))\n"
        "for page in PageName:\n"
        "    window.pages.show_page(page)\n"
        "    for _ in range(20): application.processEvents()\n"
        "print(len(window.workspace.document.design.blocks) > 0)\n"
        "sys.stdout.flush()\nimport os; os._exit(0)"
    )
    assert on_other_system(code, str(ROOT / "resources" / "examples" / "roman.seqdec")).splitlines()[-1] == "True"
