"""A loss, a data format and an export format cost two files each, and every path of the program then knows them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.domain.training import Training
from tests.domain.designs import block, design
from tests.toys.checkout import ADDITIONS, Checkout

STEPS = 4


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("toys"))


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """A small decoder of numbers with the toy loss, without data; the program here does not know that loss."""
    wanted = design(
        [
            block("latent", "vector", width=3),
            block("before", "float_sequence", length=STEPS, features=2),
            block("states", "dense_states", units=[4]),
            block("decoder", "recurrent_decoder", units=[4], output_units=2, output_activation="linear"),
            block("loss", "loss", loss="mean_squared_error", metrics=["mean_absolute_error"]),
        ],
        [
            "latent.output -> states.inputs",
            "before.output -> decoder.inputs",
            "states.states -> decoder.initial_states",
            "decoder.outputs -> loss.predictions",
        ],
    ).with_data(DataSource())
    plain = json.loads(document.dumps(wanted.with_training(Training(epochs=2, batch_size=8, learning_rate=0.01))))
    plain["blocks"][-1]["parameters"]["loss"] = "log_cosh"
    path = tmp_path / "numbers.seqdec"
    path.write_text(json.dumps(plain))
    return path


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file of the toy format; `after` is a fixed function of `vector`, `before` the same one step behind."""
    random = np.random.default_rng(0)
    path = tmp_path / "rows.JSONL"
    with path.open("w") as file:
        for vector in random.normal(size=(80, 3)).round(3):
            after = np.cumsum(np.tile(vector[:2] * 0.2, (STEPS, 1)), axis=0).round(4)
            before = np.concatenate([np.zeros((1, 2)), after[:-1]])
            row = {"name": f"row {vector[0]}", "vector": vector.tolist(), "before": before.tolist(), "after": after.tolist()}
            file.write(json.dumps(row) + "\n")
    return path


BOUND = ("--bind", "latent=vector", "--bind", "before=before", "--bind", "loss.targets=after")


@pytest.mark.parametrize("what", ADDITIONS)
def test_an_addition_costs_two_files(what: str, checkout: Checkout) -> None:
    files = [addition.file for addition in ADDITIONS[what]]
    assert len(set(files)) == 2
    assert all((checkout.package / file).is_file() for file in files)


def test_a_loss_is_in_the_catalog_in_check_and_in_the_script(checkout: Checkout, numbers: Path) -> None:
    kinds = json.loads(checkout.command("catalog", "--json"))
    (parameter,) = [parameter for parameter in kinds["loss"]["parameters"] if parameter["name"] == "loss"]
    assert "log_cosh" in parameter["choices"]
    report = json.loads(checkout.command("check", numbers, "--json"))
    assert report["ok"], report["problems"]
    code = "import sys; from seqdec_gui.domain import codegen, document; print(codegen.generate(document.load(sys.argv[1])))"
    assert "def build()" in checkout.python("-c", code, numbers)


def test_a_data_format_is_opened_previewed_estimated_and_bound(checkout: Checkout, numbers: Path, rows: Path) -> None:
    code = """
import json, sys
from pathlib import Path
from seqdec_gui.data.formats.registry import is_delimited
from seqdec_gui.data.tables import inspect, preview
from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.runs.readiness import data_problems
from seqdec_gui.runs.workload import estimated_rows

path = Path(sys.argv[2])
table = inspect(path)
named = document.load(Path(sys.argv[1])).with_data(DataSource(str(path)))
page = preview(path, 1, 2)
print(json.dumps({
    "columns": {column.name: (column.kind, column.shape, column.rows) for column in table.columns},
    "page": [len(page["name"]), page["name"][0], page["after"][0].shape],
    "delimited": is_delimited(path),
    "rows": estimated_rows(named, path.parent),
    "problems": [problem.code for problem in data_problems(named, path.parent)],
}))
"""
    seen = json.loads(checkout.python("-c", code, numbers, rows))
    first = json.loads(rows.read_text().splitlines()[1])["name"]
    assert seen["columns"] == {
        "name": ["text", [], 80],
        "vector": ["array", [3], 80],
        "before": ["array", [STEPS, 2], 80],
        "after": ["array", [STEPS, 2], 80],
    }
    assert seen["page"] == [2, first, [STEPS, 2]]
    assert (seen["delimited"], seen["problems"]) == (False, [])
    assert seen["rows"] == pytest.approx(80, abs=2)


@pytest.mark.slow
def test_the_window_offers_all_three(checkout: Checkout, numbers: Path, rows: Path) -> None:
    offered = json.loads(checkout.python(Path(__file__).with_name("look_at_window.py"), numbers, rows))
    assert offered["loss"]["log_cosh"] == offered["chosen loss"] == "log-cosh error"
    assert offered["formats"]["toy"] == "Toy archive"
    assert "*.toyrows" in offered["filter"]
    assert offered["dropped"]
    assert ".toyrows" in offered["empty"]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.long
def test_a_run_with_the_toy_loss_on_toy_data_is_exported_in_the_toy_format(
    checkout: Checkout, numbers: Path, rows: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    where = ("--devices", "cpu", "--engine", "tensorflow", "--run", run, "--json")
    printed = checkout.command("train", numbers, "--data", rows, *BOUND, *where, timeout=150)
    epochs = [event["metrics"] for event in map(json.loads, printed.splitlines()[:-1]) if event["type"] == "epoch"]
    assert len(epochs) == 2
    assert 0 < epochs[1]["val_loss"] < epochs[0]["val_loss"]
    told = checkout.command("export", run, "--format", "toy", "-o", tmp_path / "model.TOY", timeout=150)
    assert "largest difference to the trained model on" in told
    assert f"exported {tmp_path / 'model.toy'}" in told
    part = checkout.command("export", run, "--format", "toy", "--part", "decoder", timeout=150)
    assert f"exported {run / 'exports' / 'decoder.toy'}" in part
    evaluated = json.loads(checkout.command("evaluate", run, "--data", rows, "--json", timeout=150))
    assert evaluated["metrics"]["loss"] < 2 * epochs[0]["val_loss"]
    out = tmp_path / "samples.csv"
    checkout.command("generate", run, "--input", rows, "-o", out, timeout=150)
    assert len(out.read_text().splitlines()) == 81
