"""A prior of REINVENT becomes a design that says the same of every string, is trained on two devices, and is handed back."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.tensor_feeds import TensorFeed, expand
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.decoding import Sampling
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import to_builtins
from seqdec_gui.domain.problems import InvalidInput, errors
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.validation import check
from seqdec_gui.runner.exports.base import Source
from seqdec_gui.runner.exports.reinvent import PriorFile
from seqdec_gui.runner.reinvent import network
from seqdec_gui.runner.reinvent.opening import DECODER, LOSS, design_of
from seqdec_gui.runner.reinvent.prior import read
from seqdec_gui.runs import process
from seqdec_gui.runs.export_formats import EXPORT_FORMATS
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice, RunSpec
from seqdec_gui.runs.task_results import Exported
from seqdec_gui.runs.tasks import ExportTask, GenerateTask, run_task
from tests.runner.real_runs import wait
from tests.runner.reinvent_fixtures import FOLDER, NAMES, encoded, likelihoods, recorded

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def smiles_file(folder: Path, texts: list[str]) -> Path:
    path = folder / "molecules.csv"
    path.write_text("\n".join(["SMILES", *texts]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_the_design_of_a_prior_says_of_every_string_what_pytorch_says(name: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.block_weights import load_block_weights
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.script_files import write_script

    design, prior = design_of(FOLDER / f"{name}.prior", tmp_path)
    assert errors(check(design).problems) == ()
    texts = recorded(name)
    data = msgspec.structs.replace(design.data, file=str(smiles_file(tmp_path, list(texts))), split=Split(validation=0.0))
    dataset = open_dataset(data, data_ports(design, infer(design)), tmp_path)
    batch = dataset.batch(np.sort(dataset.training))
    inputs, targets = (expand(feed, batch[feed.array]) for feed in dataset.feeds)
    ids = encoded(list(texts), prior.tokens)
    assert np.array_equal(inputs, ids[:, :-1])
    assert np.array_equal(targets, ids[:, 1:])
    script = tmp_path / "out" / "model.py"
    script.parent.mkdir()
    write_script(design, script, (tmp_path,))
    models = load_build(script)()
    load_block_weights(design, models, (tmp_path,))
    predicted = np.asarray(models["full"].predict(inputs, batch_size=256, verbose=0))
    assert np.abs(likelihoods(predicted, ids) - list(texts.values())).max() < 1e-4


def test_dropout_does_not_keep_weights_from_their_layers(tmp_path: Path) -> None:
    from seqdec_gui.runner.reinvent.prior import write

    pytest.importorskip("xxhash", reason="writing a prior needs the extra reinvent")
    prior = read(FOLDER / "lstm.prior")
    write(type(prior)(**{**vars(prior), "dropout": 0.25}), tmp_path / "dropped.prior")
    design, _ = design_of(tmp_path / "dropped.prior", tmp_path)
    assert design.block(DECODER).parameters.dropout == 0.25  # type: ignore[attr-defined]
    from seqdec_gui.runner.block_weights import load_block_weights
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.script_files import write_script

    (tmp_path / "out").mkdir()
    write_script(design, tmp_path / "out" / "model.py", (tmp_path,))
    models = load_build(tmp_path / "out" / "model.py")()
    load_block_weights(design, models, (tmp_path,))
    ids = encoded(list(recorded("lstm"))[:20], prior.tokens)
    predicted = models["full"].predict(ids, verbose=0)
    assert np.abs(predicted - network.probabilities(prior, ids)).max() < 1e-5


@dataclass(frozen=True)
class HandedBack:
    run: RunFolder
    exported: Exported
    path: Path


@pytest.fixture(scope="module")
def handed_back(tmp_path_factory: pytest.TempPathFactory) -> HandedBack:
    """A prior that was trained further on two devices, and exported as a prior."""
    pytest.importorskip("xxhash", reason="handing back a prior needs the extra reinvent")
    folder = tmp_path_factory.mktemp("handed_back")
    design, _ = design_of(FOLDER / "lstm.prior", folder)
    training = msgspec.structs.replace(design.training, epochs=2, batch_size=24, learning_rate=3e-3)
    data = smiles_file(folder, list(recorded("lstm"))[:120])
    spec = RunSpec(
        design=to_builtins(design.with_training(training)), data_file=str(data), devices=DeviceChoice("cpu", 2), engine="jax"
    )
    run = wait(process.start(RunFolder(folder / "run"), spec)).run
    target = folder / "trained.prior"
    exported = run_task(ExportTask(run=str(run.path), format="reinvent", output=str(target)))
    assert isinstance(exported, Exported)
    return HandedBack(run, exported, target)


def test_a_trained_prior_is_handed_back_with_its_history(handed_back: HandedBack) -> None:
    before, after = read(FOLDER / "lstm.prior"), read(handed_back.path)
    assert handed_back.exported.difference is not None
    assert handed_back.exported.difference < 1e-5
    assert (after.tokens, after.cell, after.units, after.longest) == (before.tokens, "LSTM", 24, 128)
    assert np.abs(after.kernel - before.kernel).max() > 1e-3
    assert after.metadata.model_id == before.metadata.model_id
    assert after.metadata.comments[:1] == ("fixture",)
    assert "seqdec-gui" in after.metadata.comments[1]
    assert len(after.metadata.updates) == 1


def test_what_is_generated_has_the_likelihood_that_the_handed_back_prior_gives(handed_back: HandedBack) -> None:
    output = handed_back.path.with_name("generated.csv")
    run_task(
        GenerateTask(run=str(handed_back.run.path), output=str(output), count=20, strategy=Sampling(1.0), mark_unfinished=True)
    )
    with output.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["finished"] == "1" and row["text"]]
    prior = read(handed_back.path)
    assert len(rows) > 3
    for row in rows:
        ids = encoded([row["text"]], prior.tokens)
        found = likelihoods(network.probabilities(prior, ids[:, :-1]), ids)[0]
        assert found == pytest.approx(-float(row["log_probability"]), abs=1e-3)


# -- what is no prior
def source_of(design: Design, **changed: Any) -> Source:
    codec = FittedText(("C", "N"), 9, begin=True, tokens="smiles")
    codec = msgspec.structs.replace(codec, **changed)
    feeds = (TensorFeed("smiles", "input", "smiles", 0, -1, "ids", 4, 0),)
    fitted = Fitted(ports=(FittedPort("smiles", "smiles.output", "input", ("SMILES",), codec),), feeds=feeds)
    trained = SimpleNamespace(fitted=lambda: fitted)
    models: Any = {DECODER: SimpleNamespace(layers=[]), "full": None}
    return Source(models, "full", (), design, trained=trained)


@pytest.mark.parametrize(
    ("block", "settings", "codec", "words"),
    [
        (DECODER, {"batch_normalization": True}, {}, "batch_normalization has to be off"),
        (DECODER, {"units": (3, 4)}, {}, "same units"),
        (DECODER, {"mode": "teacher_forced"}, {}, "free_running"),
        (LOSS, {"mask_padding": True}, {}, "never learnt"),
        (DECODER, {}, {"end": True}, "marks = begin"),
        (DECODER, {}, {"tokens": "characters"}, "tokens = smiles"),
        (DECODER, {}, {}, "predicts 40 symbols, and 4 have a meaning"),
    ],
)
def test_what_reinvent_could_not_use_is_refused_with_what_to_change(
    block: str, settings: dict[str, Any], codec: dict[str, Any], words: str, tmp_path: Path
) -> None:
    design, _ = design_of(FOLDER / "lstm.prior", tmp_path)
    kind = msgspec.structs.replace(design.block(block).parameters, **settings)
    design = msgspec.structs.replace(
        design, blocks=tuple(msgspec.structs.replace(b, parameters=kind) if b.id == block else b for b in design.blocks)
    )
    with pytest.raises(InvalidInput, match="cannot carry") as caught:
        PriorFile(EXPORT_FORMATS["reinvent"]).write(source_of(design, **codec), tmp_path / "a.prior", tmp_path / "a.prior")
    assert words in str(caught.value)
    assert [problem.code for problem in caught.value.problems] == ["not_in_reinvent"]
    assert not (tmp_path / "a.prior").exists()
