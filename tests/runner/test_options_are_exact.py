"""Micro-batches do what the whole batch does, on one device and on two, with every option of the optimizer; both engines.

Each training is a child of its own, because a process can set up its devices only once.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.runs.engine_names import EngineName
from tests.runner import train_on

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5


def trained(engine: EngineName, devices: int, out: Path, *names: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.runner.options_on", engine, str(devices), str(out), *names]
    environment = train_on.environment(engine, devices)
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [dict(np.load(out / f"{name} {devices}.npz")) for name in names]


@pytest.mark.parametrize("engine", ["jax", pytest.param("tensorflow", marks=pytest.mark.long)])
def test_parts_of_a_batch_are_the_batch_on_one_device_and_on_two(engine: EngineName, tmp_path: Path) -> None:
    whole, parts = trained(engine, 1, tmp_path, "whole", "parts")
    (on_two,) = trained(engine, 2, tmp_path, "parts")
    for other in (parts, on_two):
        assert whole.keys() == other.keys()
        apart = {key: float(np.max(np.abs(whole[key] - other[key]) / np.maximum(1.0, np.abs(whole[key])), initial=0.0))
                 for key in whole if "seed_generator" not in key}  # fmt: skip
        assert {key: value for key, value in apart.items() if value > TOLERANCE} == {}
    assert np.ptp(whole["losses"]) > 1e-2  # it has moved
    for key in (key for key in whole if key.startswith("swapped")):
        number = key.removeprefix("swapped ")
        np.testing.assert_array_equal(whole[key], whole[f"average {number}"])  # what reports are of
        assert np.any(whole[f"trained {number}"] != whole[key])  # and what the training goes on with
