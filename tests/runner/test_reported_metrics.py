"""What a run reports is what plain Keras says about its exported file, however the targets are bound.

Two children do it all: one trains and exports every case, the other knows nothing but Keras and evaluates the files.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.runner import report_and_export
from tests.runner.report_and_export import CASES

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-4
EVALUATE = """
import json, pathlib, sys
import keras, numpy

folder = pathlib.Path(sys.argv[1])
found = {}
for about in sorted(folder.glob("*.json")):
    case = json.loads(about.read_text())
    with numpy.load(about.with_suffix(".npz")) as arrays:
        inputs = [arrays[f"input {i}"] for i in range(len(arrays.files) - 2)]
        targets, weights = arrays["targets"], arrays["weights"]
    model = keras.models.load_model(folder / case["file"], compile=False)
    sparse = targets.ndim < len(model.outputs[0].shape)
    if case["loss"] == "categorical_crossentropy":
        losses = keras.losses
        kind = losses.SparseCategoricalCrossentropy if sparse else losses.CategoricalCrossentropy
        metric = "sparse_categorical_accuracy" if sparse else "categorical_accuracy"
    else:
        kind, metric = keras.losses.MeanSquaredError, "mean_absolute_error"
    model.compile(loss=kind(reduction="mean_with_sample_weight"), weighted_metrics=[metric])
    given = inputs if len(inputs) > 1 else inputs[0]
    loss, value = model.evaluate(given, targets, sample_weight=weights, batch_size=len(targets), verbose=0)
    predicted = model.predict(given, verbose=0)
    right = predicted.argmax(-1) == targets if sparse else None
    zero = None if right is None or not (targets == 0).any() else float(right[targets == 0].mean())
    found[about.stem] = {"loss": loss, "metric": value, "class 0": zero}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """By case: what the run reports, and what plain Keras says."""
    folder = tmp_path_factory.mktemp("cases")
    environment = report_and_export.environment()
    for command in (
        [sys.executable, "-m", "tests.runner.report_and_export", str(folder), *CASES],
        [sys.executable, "-c", EVALUATE, str(folder)],
    ):
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
    plain = json.loads(done.stdout.splitlines()[-1])
    return {name: (json.loads((folder / f"{name}.json").read_text()), plain[name]) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_loss_and_accuracy_are_those_of_the_export(found: dict[str, Any], name: str) -> None:
    run, plain = found[name]
    metric = "token_accuracy" if "token_accuracy" in run["metrics"] else "mean_absolute_error"
    assert run["metrics"]["loss"] == pytest.approx(plain["loss"], abs=TOLERANCE, rel=TOLERANCE)
    assert run["metrics"][metric] == pytest.approx(plain["metric"], abs=TOLERANCE)


@pytest.mark.parametrize("name", ["two classes, ids", "two classes, one-hot"])
def test_class_0_is_learnt(found: dict[str, Any], name: str) -> None:
    run, plain = found[name]
    assert plain["class 0"] == 1.0
    assert run["metrics"]["token_accuracy"] == run["metrics"]["exact_accuracy"] == 1.0


def test_targets_that_were_standardised_are_told(found: dict[str, Any]) -> None:
    assert found["standardised numbers"][0]["scaled"] == ["loss"]
    assert found["numbers"][0]["scaled"] == []
