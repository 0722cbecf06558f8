"""What the window promises, measured by the tool that the figures of docs/performance.md come from."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

SLACK = 3.0
"""A test guards against another order of magnitude; `make measure` says whether the promise itself is kept."""

pytestmark = pytest.mark.timing


@pytest.mark.parametrize("part", ["start", "plots"])
def test_the_promises_are_kept(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The window within a second and a quarter of TensorFlow's import; a million points within 20 ms; thrice if busy."""
    command = [sys.executable, "tools/measure_window.py", part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)
    with capsys.disabled():
        print(f"\n{done.stdout}", end="")
    assert done.returncode == 0, done.stderr
    promises = re.findall(r"([\d.]+)(?: \w+)? +<= ([\d.]+)", done.stdout)
    assert promises
    assert [(value, bound) for value, bound in promises if float(value) > SLACK * float(bound)] == []
