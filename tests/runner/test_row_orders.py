"""Rows that every epoch writes anew: the same on any devices and engine, and after a stop. Subwords are bundled."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.random_orders import Rewriting, rewritten
from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import Binding, DataSource, Split, TextCodec
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner import row_orders
from seqdec_gui.runner.row_orders import RowOrders
from seqdec_gui.runs import control
from seqdec_gui.runs.events import Epoch, Finished, Step
from seqdec_gui.runs.spec import DeviceChoice, EngineName, RunSpec
from tests.data.test_random_orders import MOLECULES, PORTS
from tests.runner.real_runs import Runs, events, runs_in, until, wait, weights

pytest.importorskip("rdkit")
pytestmark = pytest.mark.slow
LONGER = ["OC(=O)c1ccccc1", "CCN(CC)CC", "c1ccc2ncccc2c1", "CC(C)Cc1ccc(cc1)C(C)C", "C1CC1C1CC1", "COc1ccc(Cl)cc1"]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    (tmp_path / "rows.csv").write_text("smiles\n" + "\n".join((LONGER + MOLECULES) * 4) + "\n", "utf-8")
    codec = TextCodec("smiles", random_order=True)
    source = DataSource("rows.csv", Split(validation=0.2), (Binding("fed.output", "smiles", codec),), numbering="shared")
    return open_dataset(source, PORTS, tmp_path)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_rows_of_an_epoch_depend_on_nothing_else(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.setattr(row_orders, "ROWS_A_WORKER", len(dataset.training) // workers)
    monkeypatch.setattr(row_orders.os, "cpu_count", lambda: workers + 1)
    codec = dataset.fitted.port("fed").codec
    assert isinstance(codec, FittedText)
    stored = dataset.arrays["fed"]
    texts = tuple(codec.decode(row) for row in stored[dataset.training].tolist())
    orders = RowOrders(dataset, 7)
    try:
        for epoch in (3, 4, 9):  # as after a resume, in order, and with one left out
            found = orders.of_epoch(epoch, 4)["fed"]
            (wanted,) = rewritten(Rewriting(texts, tuple(dataset.training.tolist()), (codec,), 7), epoch)
            assert (found[dataset.training] == wanted).all()
            assert (found[dataset.validation] == stored[dataset.validation]).all()
            assert (found[dataset.training] != stored[dataset.training]).any()
    finally:
        orders.close()


def test_a_process_that_ends_is_told(dataset: Dataset) -> None:
    orders = RowOrders(dataset, 7)
    for part in orders._parts:
        part.process.kill()
    with pytest.raises(SeqdecError, match="random orders ended"):
        orders.of_epoch(1, 1)
    orders.close()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with runs_in(tmp_path_factory.mktemp("orders")) as made:
        yield made


def spec(runs: Runs, devices: int = 1, engine: EngineName = "jax", epochs: int = 3, **codec: Any) -> RunSpec:
    """A language model of SMILES by subwords, whose rows every epoch writes anew."""
    path = runs.folder / "smiles.csv"
    if not path.exists():
        path.write_text("smiles\n" + "\n".join((LONGER + MOLECULES) * 10) + "\n", "utf-8")
    resource = Path(__file__).parents[2] / "resources" / "templates" / "language-model.seqdec"
    wanted = json.loads(resource.read_text("utf-8"))
    for block in wanted["blocks"]:
        block["parameters"].update({
            "token_sequence": {"symbols": 40, "length": None, "encoding": "one_hot"},
            "recurrent_decoder": {"units": [16], "output_units": 40, "embedding": 0},
        }.get(block["kind"], {}))  # fmt: skip
    fed = next(block["id"] for block in wanted["blocks"] if block["kind"] == "recurrent_decoder")
    text = {"type": "text", "tokens": "smiles", "random_order": True} | codec
    binding = {"port": f"{fed}.inputs", "column": "smiles", "codec": text}
    wanted["data"] = {"file": str(path), "bindings": [binding], "numbering": "shared"}
    wanted["training"] = {"epochs": epochs, "batch_size": 16, "learning_rate": 1e-2, "seed": 5}
    read = document.from_builtins(wanted)
    return RunSpec(
        design=document.to_builtins(read), data_file=str(path), devices=DeviceChoice("cpu", devices), engine=engine,
        report_every_s=0.05,
    )  # fmt: skip


def losses(run: Any) -> list[float]:
    found = {event.epoch: event.metrics["loss"] for event in events(run, Epoch)}
    assert isinstance(events(run)[-1], Finished), run.run.log.read_text()[-2000:]
    return [found[epoch] for epoch in sorted(found)]


@pytest.mark.parametrize("engine", ["jax", pytest.param("tensorflow", marks=pytest.mark.long)])
def test_two_devices_train_as_one(runs: Runs, engine: EngineName) -> None:
    one, two = (runs.finish(f"{engine}{count}", spec(runs, count, engine)) for count in (1, 2))
    np.testing.assert_allclose(losses(two), losses(one), rtol=2e-5)
    plain = runs.finish(f"{engine} plain", spec(runs, 1, engine, random_order=False))
    assert abs(losses(plain)[-1] - losses(one)[-1]) > 1e-4


@pytest.mark.long
def test_a_stop_changes_nothing(runs: Runs) -> None:
    whole = runs.finish("whole", spec(runs))
    stopped = runs.start("stopped", spec(runs))
    until(stopped, Step)
    stopped.run.send(control.command("stop"))
    wait(stopped)
    resumed = runs.finish("stopped", msgspec.structs.replace(spec(runs), resume=True))
    assert losses(resumed)[-1] == pytest.approx(losses(whole)[-1], rel=1e-5)
    for name, value in weights(whole).items():
        np.testing.assert_allclose(weights(resumed)[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.long
def test_subwords_are_generated_and_bundled_without_the_data(runs: Runs, tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    run = runs.finish("subwords", spec(runs, epochs=1, tokens="bpe", max_symbols=36))
    assert losses(run)
    bundle, first, second = tmp_path / "b.zip", tmp_path / "first.csv", tmp_path / "second.csv"
    how = ("-n", "6", "--temperature", "1", "--seed", "1", "--prefix", "CC", "-o")
    command("generate", str(run.run.path), *how, str(first))
    for more in (("-n", "40", "--unique", "--temperature", "1"), ("-n", "40", "--beam", "40")):  # a text, not its pieces
        command("generate", str(run.run.path), *more, "-o", str(second))
        texts = [line.split(",")[2] for line in second.read_text("utf-8").splitlines()[1:]]
        assert len(texts) == len(set(texts)) > 1
    command("export", str(run.run.path), "--format", "bundle", "-o", str(bundle))
    (runs.folder / "smiles.csv").unlink()
    command("generate", str(bundle), *how, str(second))
    assert first.read_text("utf-8") == second.read_text("utf-8")
    assert all(line.split(",")[2].startswith("CC") for line in first.read_text("utf-8").splitlines()[1:])


def command(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "seqdec_gui", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
