"""Designs and runs written before the formats grew: they open unchanged and mean what they meant.

`tests/fixtures/format1` was written by version 0.1.0 of 2026-11-28; `@FOLDER@` stands for the folder that it was written in.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seqdec_gui.data import fitted
from seqdec_gui.data.codecs import FittedIds, FittedNumbers, FittedText
from seqdec_gui.domain import document
from seqdec_gui.domain.validation import check
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.state import summary

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "format1"
OF_EVALUATION = {
    "words": {"loss": 3.68849, "token_accuracy": 0.00369686, "exact_accuracy": 0.0},
    "ids": {"loss": 1.65599, "token_accuracy": 0.122596, "exact_accuracy": 0.0},
}
"""What that version said of all rows of the data."""
GENERATED = {"0": ("D", -7.346225), "1": ("D", -7.346601)}
"""What it generated, greedily, for `abc` and `dea`: text and log-probability by row."""


SINCE: dict[str, dict[str, object]] = {
    kind: {"learning_rate_factor": 1.0} for kind in ("dense_states", "recurrent_encoder", "recurrent_decoder")
}
SINCE["recurrent_encoder"] |= {"dropout_per_layer": [], "output_dropout": 0.0}
SINCE["recurrent_decoder"] |= {
    "dropout_per_layer": [], "output_dropout": 0.0, "attention": "none", "attention_units": 128, "attention_heads": 4,
    "input_feeding": "none", "context_units": 128, "head": [], "head_activation": "relu", "head_dropout": 0.0,
}  # fmt: skip
"""What parameters that were added later are in old designs, by kind: what leaves everything as it was."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "there"
    shutil.copytree(FIXTURES, there)
    for spec in there.glob("*/spec.json"):
        spec.write_text(spec.read_text().replace("@FOLDER@", str(there)))
    return there


def seqdec_gui(*arguments: str, **more: str) -> str:
    command = [sys.executable, "-m", "seqdec_gui", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280, input=more.get("text"))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["words", "ids"])
def test_old_designs_open_and_are_sound(name: str) -> None:
    design = document.load(FIXTURES / f"{name}.seqdec")
    assert check(design).ok
    assert document.loads(document.dumps(design)) == design
    old = json.loads((FIXTURES / f"{name}.seqdec").read_text())
    new = json.loads(document.dumps(design))
    assert {block["id"]: block["parameters"] | SINCE.get(block["kind"], {}) for block in old["blocks"]} == {
        block["id"]: block["parameters"] for block in new["blocks"]
    }
    assert old["links"] == new["links"]
    assert old["training"] == new["training"]


def test_what_old_runs_have_fitted_means_what_it_meant() -> None:
    words = fitted.load(FIXTURES / "words-run" / "data.json")
    source, taught = (words.port(name).codec for name in ("source", "decoder_inputs"))
    assert isinstance(source, FittedText)
    assert (source.begin_id, source.end_id, source.first_symbol, source.symbols) == (None, None, 1, 6)
    assert isinstance(taught, FittedText)
    assert (taught.begin_id, taught.end_id, taught.first_symbol, taught.symbols) == (1, 2, 3, 8)
    ids = fitted.load(FIXTURES / "ids-run" / "data.json")
    targets, latent = (ids.port(name).codec for name in ("loss", "latent"))
    assert isinstance(targets, FittedIds)
    assert targets.pad_id == 0  # what that version took for padding stays padding in its runs
    assert isinstance(latent, FittedNumbers)
    assert len(latent.mean) == 4


def test_old_runs_are_listed(folder: Path) -> None:
    summaries = {name: summary(RunFolder(folder / f"{name}-run")) for name in ("words", "ids")}
    assert {name: found.state for name, found in summaries.items()} == {"words": "finished", "ids": "finished"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["words", "ids"])
def test_old_runs_are_evaluated_as_they_were(folder: Path, name: str) -> None:
    data = folder / ("words.csv" if name == "words" else "ids.npz")
    said = dict(
        line.split() for line in seqdec_gui("evaluate", str(folder / f"{name}-run"), "--data", str(data)).splitlines()[:3]
    )
    assert {metric: float(value) for metric, value in said.items()} == pytest.approx(OF_EVALUATION[name], abs=2e-5)


@pytest.mark.slow
def test_old_runs_generate_what_they_generated_and_go_on(folder: Path) -> None:
    run, output = folder / "words-run", folder / "out.csv"
    seqdec_gui("generate", str(run), "--input", "-", "-o", str(output), text="abc\ndea\n")
    rows = {row["row"]: row for row in csv.DictReader(io.StringIO(output.read_text()))}
    assert {row: each["text"] for row, each in rows.items()} == {row: text for row, (text, _) in GENERATED.items()}
    for row, (_, log_probability) in GENERATED.items():
        assert float(rows[row]["log_probability"]) == pytest.approx(log_probability, abs=1e-4)
    spec = json.loads((run / "spec.json").read_text())
    spec["design"]["training"]["epochs"] = 3
    (run / "spec.json").write_text(json.dumps(spec))
    seqdec_gui("resume", str(run), "--devices", "cpu")
    assert summary(RunFolder(run)).epoch == 3
