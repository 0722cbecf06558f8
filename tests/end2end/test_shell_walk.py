"""The walk of a user at a shell, with the real command, real children and plain Keras at the end."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.resource_files import path as resource

pytestmark = pytest.mark.slow
COMMAND = (sys.executable, "-m", "seqdec_gui")
PLAIN_KERAS = """
import sys, keras, numpy as np
model = keras.models.load_model(sys.argv[1])
shapes = [tuple(2 if axis is None else axis for axis in tensor.shape) for tensor in model.inputs]
outputs = model.predict([np.zeros(shape) for shape in shapes], verbose=0)
print([tensor.name for tensor in model.inputs], model.count_params(), outputs.shape)
"""


def run(*arguments: object, status: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, input=stdin, timeout=280)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def events(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def plain_keras(file: Path) -> str:
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", PLAIN_KERAS, str(file)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture
def archetype(tmp_path: Path) -> Path:
    """The archetype's design and random rows of its shapes: 44 symbols in, 22 out."""
    random = np.random.default_rng(0)
    rows = 70
    np.savez(
        tmp_path / "rows.npz",
        X=random.normal(size=(rows, 11)).astype("float32"),
        decoder_inputs=np.eye(44, dtype="float32")[random.integers(0, 44, (rows, 33))],
        targets=np.eye(22, dtype="float32")[random.integers(0, 22, (rows, 33))],
    )
    design = tmp_path / "seed.seqdec"
    run("new", "latent-to-sequence", "-o", design)
    return design


@pytest.mark.parametrize("engine", ["tensorflow", pytest.param("jax", marks=pytest.mark.long)])
def test_archetype_from_template_to_a_file_that_plain_keras_opens(archetype: Path, engine: str) -> None:
    folder = archetype.parent
    bindings = ["--bind", "latent=X", "--bind", "decoder_inputs=decoder_inputs", "--bind", "loss.targets=targets"]
    settings = ["--epochs", 2, "--batch-size", 16, "--devices", "cpu:2", "--engine", engine]
    trained = run("train", archetype, "--data", folder / "rows.npz", *bindings, *settings, "--run", folder / "run")

    assert trained.stdout.splitlines()[-1] == f"run: {folder / 'run'}"
    assert [event["type"] for event in events(folder / "run")][-1] == "finished"
    last = [event for event in events(folder / "run") if event["type"] == "epoch"][-1]
    assert last["epoch"] == 2
    assert {"loss", "val_loss", "token_accuracy", "exact_accuracy", "learning_rate", "samples_per_s"} <= set(last["metrics"])

    exported = run("export", folder / "run", "--format", "h5", "-o", folder / "seed.h5")
    assert "largest difference" in exported.stdout
    assert plain_keras(folder / "seed.h5") == "['latent', 'decoder_inputs'] 232214 (2, 33, 22)"
    run("export", folder / "run", "--format", "keras", "--part", "model_1", "-o", folder / "encoder.keras")

    refused = run("generate", folder / "run", "--input", folder / "rows.npz", "-o", folder / "out.csv", status=2)
    assert "44" in refused.stderr
    assert "22" in refused.stderr
    assert not (folder / "out.csv").exists()


@pytest.mark.long
def test_roman_numerals_are_learnt_and_generated(tmp_path: Path) -> None:
    run("train", resource("examples/roman.seqdec"), "--devices", "cpu", "--run", tmp_path / "run", "--epochs", 15)
    best = max(event["metrics"]["val_exact_accuracy"] for event in events(tmp_path / "run") if event["type"] == "epoch")
    assert best >= 0.98

    run("generate", tmp_path / "run", "--input", "-", "-o", tmp_path / "out.csv", stdin="1987\n2026\n444\n")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "sample", "text", "log_probability"]
    assert [row["text"] for row in rows] == ["MCMLXXXVII", "MMXXVI", "CDXLIV"]

    unknown = run("generate", tmp_path / "run", "--input", "-", "-o", "-", stdin="12x\n", status=2)
    assert "'x'" in unknown.stderr


@pytest.mark.long
def test_stopped_run_is_resumed_and_keeps_its_curve(tmp_path: Path) -> None:
    arguments = ["train", resource("examples/roman.seqdec"), "--devices", "cpu", "--epochs", 500, "--run", tmp_path / "run"]
    child = subprocess.Popen([*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: (tmp_path / "run" / "events.jsonl").exists() and count_epochs(tmp_path / "run") >= 2, child)
    run("stop", tmp_path / "run")
    child.communicate(timeout=60)

    assert child.returncode == 130
    assert events(tmp_path / "run")[-1]["type"] == "stopped"
    before = count_epochs(tmp_path / "run")
    resumed = subprocess.Popen(
        [*COMMAND, "resume", str(tmp_path / "run")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: count_epochs(tmp_path / "run") > before, resumed)
    resumed.send_signal(signal.SIGINT)
    resumed.communicate(timeout=60)

    assert resumed.returncode == 130
    epochs = [event["epoch"] for event in events(tmp_path / "run") if event["type"] == "epoch"]
    assert epochs == sorted(epochs)


def count_epochs(folder: Path) -> int:
    return sum('"type":"epoch"' in line.replace(" ", "") for line in (folder / "events.jsonl").read_text().splitlines())


def wait_for(condition, child: subprocess.Popen[str], timeout_s: float = 120.0) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--devices", "gpu:7"], "gpu:7"),
        (["--devices", "cpu:3"], "66"),
        (["--batch-size", "100000"], "rows"),
        (["--data", "missing.csv"], "missing.csv"),
        (["--bind", "number=roman", "--set", "number.symbols=3"], "symbols"),
        (["--set", "training.learning_rate=fast"], "learning_rate"),
        (["--set", "encoder.unit=3"], "units"),
    ],
)
def test_wrong_arguments_are_one_sentence_and_leave_no_run(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run("train", resource("examples/roman.seqdec"), *arguments, "--run", tmp_path / "run", status=2)

    assert words in done.stderr
    assert not (tmp_path / "run").exists()


def test_not_a_number_in_the_data_is_named(tmp_path: Path) -> None:
    values = np.ones((50, 11), "float32")
    values[7, 3] = np.nan
    np.savez(tmp_path / "rows.npz", X=values, text=np.array(["CCO"] * 50))
    run("new", "latent-to-sequence", "-o", tmp_path / "a.seqdec", "--set", "model_2.output_units=44")
    bindings = ["--bind", "latent=X", "--bind", "model_2.inputs=text"]
    done = run("train", tmp_path / "a.seqdec", "--data", tmp_path / "rows.npz", *bindings, "--run", tmp_path / "run", status=2)

    assert "X" in done.stderr
    assert "row" in done.stderr
