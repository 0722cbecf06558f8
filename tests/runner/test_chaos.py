"""A bounded part of `make chaos`, with fixed seeds: damage of runs that train plain numbers, and of what is done with a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHAOS = Path(__file__).parents[2] / "tools" / "chaos.py"
TASKS = CHAOS.with_name("chaos_tasks.py")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_run_is_lost_and_no_curve_differs() -> None:
    told = subprocess.run(
        [sys.executable, str(CHAOS), "--engine", "numbers", "--seed", "7", "--kills", "3", "--files", "4"],
        capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert "runs lost: 0, curves differing: 0, runs that could not be read: 0" in told.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("seed", "tasks"), [(5, 2), pytest.param(6, 8, marks=pytest.mark.long)])
def test_generating_and_exporting_leave_files_whole_or_not_there(seed: int, tasks: int) -> None:
    told = subprocess.run(
        [sys.executable, str(TASKS), "--seed", str(seed), "--tasks", str(tasks)], capture_output=True, text=True, timeout=1200
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"tasks hurt: {tasks}, broken: 0, processes left: 0, without a sentence: 0" in told.stdout
