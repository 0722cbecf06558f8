"""The measurement beside peers: everybody trains the same model, the rows have their contract's fields, nobody is invented."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.commands import contenders
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.validation import check
from seqdec_gui.runner.bench import work
from seqdec_gui.runs.spec import DeviceChoice

ROOT = Path(__file__).resolve().parents[2]


def job(size: work.SizeName = "seed", **more: int) -> work.Job:
    return work.Job(size, DeviceChoice("cpu", 2), **({"per_device_batch": 8, "steps": 3, "epochs": 2} | more))


@pytest.mark.parametrize(("size", "parameters"), [("seed", 232_214), ("smiles", 1_380_131), ("large", 9_548_317)])
def test_the_work_is_the_models_that_the_figures_are_about(size: work.SizeName, parameters: int) -> None:
    design = work.design(job(size))
    assert check(design).ok
    assert infer(design).parameters == parameters


def test_rows_repeat_and_lie_within_their_symbols() -> None:
    one, other = (work.arrays(work.SIZES["seed"], 50) for _ in range(2))
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])
    assert one["inputs"].max() == 43
    assert one["targets"].max() == 21
    assert job().rows == 2 * 8 * 3


def test_unknown_engines_and_peers_are_named() -> None:
    with pytest.raises(InvalidInput, match="jax, tensorflow, got torch"):
        contenders.contenders(job(), "torch", "none")
    with pytest.raises(InvalidInput, match="keras-fit, torch-ddp, prototype, got theano"):
        contenders.contenders(job(), "jax", "theano")


def test_nobody_takes_part_when_nobody_is_asked_for() -> None:
    assert contenders.contenders(job(), "none", "none") == {}


@pytest.mark.slow
def test_everybody_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    command = [
        *(sys.executable, "-m", "seqdec_gui", "bench", "--size", "tiny", "--per-device-batch", "8", "--devices", "cpu:2"),
        *("--steps", "3", "--rounds", "1", "--engines", "jax", "--peers", "keras-fit,prototype", "--json", str(file)),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(file.read_text())
    assert [row["who"] for row in rows] == ["seqdec-gui:jax", "keras-fit", "keras-fit:jax", "prototype"], done.stderr
    for row in rows:
        assert (row["size"], row["devices"], row["per_device_batch"]) == ("tiny", "cpu:2", 8)
        assert row["samples_per_s"] > 0
        assert row["first_step_s"] > 0
    assert "1.00x" in done.stdout
