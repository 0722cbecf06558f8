"""A bounded part of `make chaos`, with a fixed seed: kills and damage of runs that train plain numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHAOS = Path(__file__).parents[2] / "tools" / "chaos.py"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_run_is_lost_and_no_curve_differs() -> None:
    told = subprocess.run(
        [sys.executable, str(CHAOS), "--engine", "numbers", "--seed", "7", "--kills", "3", "--files", "4"],
        capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert "runs lost: 0, curves differing: 0, runs that could not be read: 0" in told.stdout
