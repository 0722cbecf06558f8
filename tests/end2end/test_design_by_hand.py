"""A design written by hand: two encoders, one of them a Keras file that is only named, their codes side by side."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end2end.test_shell_walk import plain_keras, run

pytestmark = pytest.mark.slow
ENCODER = """
import sys, keras
from keras import layers
x = keras.Input((8, 8), name="letters")
code = layers.LSTM(6, kernel_regularizer="l2", name="code")(x)
keras.Model(x, code, name="pretrained").save(sys.argv[1])
"""
EXPECTED = 4 * 6 * (8 + 6 + 1) + 4 * 4 * (8 + 4 + 1) + 2 * (10 + 1) * 10 + 4 * 10 * (10 + 10 + 1) + (10 + 1) * 10


def by_hand(folder: Path) -> dict[str, Any]:
    words = ["".join("abcdefg"[(row * k + 3) % 7] for k in range(2 + row % 5)) for row in range(80)]
    (folder / "words.csv").write_text("word,backwards\n" + "".join(f"{word},{word[::-1]}\n" for word in words))
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", ENCODER, str(folder / "encoder.keras")], check=True, env=environment)
    letters = {"length": 8, "symbols": 8}
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "first": ("token_sequence", letters),
        "second": ("token_sequence", letters),
        "target": ("token_sequence", {"length": 9, "symbols": 10}),
        "imported": ("keras_model", {"file": "encoder.keras"}),
        "encoder": ("recurrent_encoder", {"units": [4], "output": ["code"]}),
        "join": ("concatenate", {}),
        "states": ("dense_states", {"units": [10], "batch_normalization": False}),
        "decoder": ("recurrent_decoder", {"units": [10], "batch_normalization": False, "output_units": 10}),
        "loss": ("loss", {}),
    }
    links = {
        "first.output": "imported.letters",
        "second.output": "encoder.inputs",
        "imported.code": "join.input_0",
        "encoder.code": "join.input_1",
        "join.output": "states.inputs",
        "states.states": "decoder.initial_states",
        "target.output": "decoder.inputs",
        "decoder.outputs": "loss.predictions",
    }
    columns = {"first": "word", "second": "word", "target": "backwards"}
    return {
        "format": 1,
        "blocks": [{"id": name, "kind": kind, "parameters": given} for name, (kind, given) in kinds.items()],
        "links": [{"from": source, "to": target} for source, target in links.items()],
        "data": {
            "file": "words.csv",
            "split": {"validation": 0.1, "test": 0.1},
            "bindings": [{"port": port, "column": column} for port, column in columns.items()],
        },
        "training": {"epochs": 1, "batch_size": 16},
    }


@pytest.mark.long
def test_a_design_written_by_hand_is_checked_trained_evaluated_sampled_and_exported(tmp_path: Path) -> None:
    design = tmp_path / "hand.seqdec"
    design.write_text(json.dumps(by_hand(tmp_path)))
    checked = json.loads(run("check", design, "--json").stdout)
    assert (checked["ok"], checked["parameters"]) == (True, {"total": EXPECTED, "trainable": EXPECTED})

    folder = tmp_path / "run"
    trained = run("train", design, "--devices", "cpu:2", "--engine", "jax", "--run", folder)
    assert "imported: The imported layers code have regularizers" in trained.stderr

    assert run("evaluate", folder, "--split", "test").stdout.splitlines()[-1] == "8 rows"
    sampled = list(csv.DictReader(io.StringIO(run("generate", folder, "--split", "test", "-o", "-").stdout)))
    assert len(sampled) == 8
    assert all(float(row["log_probability"]) < 0 for row in sampled)

    run("export", folder, "--format", "keras", "-o", tmp_path / "all.keras")
    assert plain_keras(tmp_path / "all.keras") == f"['first', 'second', 'target'] {EXPECTED} (2, 9, 10)"
