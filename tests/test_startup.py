"""How long someone waits for an answer of the command line. Wall-clock time, so the tests run without a neighbour."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROMAN = ROOT / "resources" / "examples" / "roman.seqdec"

pytestmark = pytest.mark.timing


def best_of(times: int, *arguments: str) -> float:
    """The shortest wall-clock time in seconds of a command that must succeed; the others met a busy machine."""
    shortest = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "seqdec_gui", *arguments], cwd=ROOT, capture_output=True, check=False, timeout=60
        )
        shortest = min(shortest, time.perf_counter() - start)
        assert done.returncode == 0, done.stderr.decode()
    return shortest


def test_help_takes_less_than_three_tenths_of_a_second() -> None:
    assert best_of(7, "--help") < 0.3


def test_check_takes_less_than_half_a_second() -> None:
    assert best_of(7, "check", str(ROMAN)) < 0.5
