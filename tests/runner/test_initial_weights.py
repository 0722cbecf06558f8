"""A run that begins with the weights of another keeps what that run has fitted, and grows where the alphabet does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.data import fitted
from seqdec_gui.data.codecs import FittedCategory, FittedNumbers, FittedText
from seqdec_gui.data.earlier import Growth
from seqdec_gui.domain import codegen, document
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import bind, set_value
from seqdec_gui.runner.checkpoints import KnownPart
from seqdec_gui.runner.initial_weights import known_parts
from seqdec_gui.runner.program import load_build
from seqdec_gui.runs.events import Epoch, Failed, Message
from seqdec_gui.runs.process import RunProcess
from seqdec_gui.runs.spec import DeviceChoice, EngineName, RunSpec
from seqdec_gui.runs.task_results import Evaluated
from seqdec_gui.runs.tasks import EvaluateTask, run_task
from tests.domain.designs import block, design
from tests.runner.real_runs import Runs, events, runs_in, weights

pytestmark = pytest.mark.slow

LETTERS = "abcdefg"
ANIMALS = ("cat", "cow", "dog")
STILL = {"optimizer": "sgd", "learning_rate": 1e-12, "epochs": 1}
"""A training that leaves the weights as they are, so that its metrics are those of the weights that it begins with."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with runs_in(tmp_path_factory.mktemp("initial")) as made:
        yield made


@pytest.fixture(scope="module")
def first(runs: Runs) -> RunProcess:
    """A stack that has learned to spell the letter that a vector stands for three times, and to name its animal."""
    spec = make_spec(runs, spelling(), "first", rows(LETTERS), learning_rate=0.02, epochs=25)
    run = runs.finish("first", spec)
    assert events(run, Epoch)[-1].metrics["val_spelled_token_accuracy"] == 1, run.run.log.read_text()[-2000:]
    return run


def rows(letters: str, count: int = 160) -> dict[str, Any]:
    """`vector` has 7 numbers around 100, of which one stands out: that of the letter (of `h`: all)."""
    chosen = [letters[i % len(letters)] for i in range(count)]
    vector = np.full((count, len(LETTERS)), 100.0) + np.random.default_rng(0).normal(0, 0.1, (count, len(LETTERS)))
    for row, letter in enumerate(chosen):
        vector[row, [LETTERS.index(letter)] if letter in LETTERS else slice(None)] += 10
    animals = ["emu" if letter == "h" else ANIMALS[LETTERS.index(letter) % 3] for letter in chosen]
    return {"vector": vector, "word": np.array([3 * letter for letter in chosen]), "animal": np.array(animals)}


def spelling(symbols: int = 10, labels: int = 3, units: int = 12, embedding: int = 0, target: str = "spelled") -> Design:
    ways: dict[str, Any] = {"embedding": embedding} if embedding else {}
    made = design(
        [
            block("latent", "vector", width=7),
            block("fed", "token_sequence", length=4, symbols=symbols, encoding="ids" if embedding else "one_hot"),
            block("encoder", "dense_states", units=[units], batch_normalization=False),
            block(
                "decoder", "recurrent_decoder", units=[units], output_units=symbols, batch_normalization=False, **ways
            ),
            block("head", "layer_stack", layers=[{"layer": "Dense", "units": labels, "activation": "softmax"}]),
            block(target, "loss", metrics=["token_accuracy"]),
            block("named", "loss", metrics=["token_accuracy"]),
        ],
        [
            "latent.output -> encoder.inputs",
            "latent.output -> head.inputs",
            "fed.output -> decoder.inputs",
            "encoder.states -> decoder.initial_states",
            f"decoder.outputs -> {target}.predictions",
            "head.outputs -> named.predictions",
        ],
    )  # fmt: skip
    for port, column in (("latent.output", "vector"), ("decoder.inputs", "word"), ("named", "animal")):
        made = bind(made, port, [column])
    return made


def make_spec(
    runs: Runs, wanted: Design, name: str, data: dict[str, Any], engine: EngineName = "tensorflow", **training: Any
) -> RunSpec:
    file = runs.folder / f"{name}.npz"
    np.savez(file, **data)
    for field, value in ({"batch_size": 16, "epochs": 1} | training).items():
        wanted = set_value(wanted, f"training.{field}", str(value))
    wanted = set_value(set_value(wanted, "data.split.validation", "0.4"), "data.file", str(file))
    return RunSpec(design=document.to_builtins(wanted), data_file=str(file), devices=DeviceChoice("cpu", 1),
                   engine=engine, report_every_s=0.2)  # fmt: skip


def begun(spec: RunSpec, first: RunProcess, **options: Any) -> RunSpec:
    return msgspec.structs.replace(spec, initial_run=str(first.run.path), initial_checkpoint="last", **options)


def codes(run: RunProcess) -> set[str]:
    return {message.code for message in events(run, Message)}


def told(run: RunProcess, code: str) -> str:
    return " ".join(message.text for message in events(run, Message) if message.code == code)


def test_rows_without_two_letters_meet_the_ids_labels_and_scales_that_the_weights_know(runs: Runs, first: RunProcess) -> None:
    data = rows("cdefg")
    data["vector"] += 0.01  # the mean of these rows is another one
    spec = make_spec(runs, spelling(target="judged"), "fewer", data, **STILL)  # the loss has another name now
    second = runs.finish("fewer", begun(spec, first))

    metrics = events(second, Epoch)[-1].metrics
    measured = run_task(EvaluateTask(run=str(first.run.path), checkpoint="last", data=spec.data_file))
    assert isinstance(measured, Evaluated)
    assert measured.metrics["spelled_token_accuracy"] == metrics["val_judged_token_accuracy"] == 1
    assert measured.metrics["named_token_accuracy"] == metrics["val_named_token_accuracy"]
    assert measured.metrics["loss"] == pytest.approx(metrics["val_loss"], rel=0.1)
    before, after = fitted.load(first.run.data), fitted.load(second.run.data)
    for name in ("latent", "fed", "named"):
        found, known = (msgspec.to_builtins(each.port(name).codec) for each in (after, before))
        assert found | {"low": (), "high": ()} == known | {"low": (), "high": ()}  # the ranges of the rows of each run
    assert "alphabets, lengths and scalers are those of that run" in told(second, "initial_weights")


@pytest.mark.parametrize("engine", ["tensorflow", "jax"])
def test_a_larger_alphabet_keeps_what_is_known_and_begins_the_new_symbols_afresh(
    runs: Runs, first: RunProcess, engine: EngineName
) -> None:
    spec = make_spec(runs, spelling(symbols=12, labels=4), f"more_{engine}", rows(f"h{LETTERS}"), engine, **STILL)
    second = runs.finish(f"more_{engine}", begun(spec, first))

    before, after = weights(first), weights(second)
    grown = {name for name in before if before[name].shape != after[name].shape}
    assert grown == {
        "decoder/Decoder_LSTM_0/00 kernel", "decoder/Dense_Decoder/00 kernel", "decoder/Dense_Decoder/01 bias",
        "head/Dense_0/00 kernel", "head/Dense_0/01 bias",
    }, second.run.log.read_text()[-2000:]  # fmt: skip
    for name, old in before.items():
        known = after[name][tuple(slice(size) for size in old.shape)]
        np.testing.assert_allclose(known, old, atol=1e-6, err_msg=name)
    assert np.abs(after["decoder/Decoder_LSTM_0/00 kernel"][10:]).min() > 0
    assert "1 new symbol ('h') after the 7" in told(second, "new_symbols")
    assert "1 new label ('emu') after the 3" in told(second, "new_labels")
    assert all(name in told(second, "weights_extended") for name in grown)
    word, animal = fitted.load(second.run.data).port("fed").codec, fitted.load(second.run.data).port("named").codec
    assert isinstance(word, FittedText)
    assert isinstance(animal, FittedCategory)
    assert word.charset == tuple(f"{LETTERS}h")
    assert animal.labels == (*ANIMALS, "emu")
    assert events(second, Epoch)[-1].metrics["val_spelled_token_accuracy"] > 0.7  # 7 of 8 letters are known


def test_other_sizes_are_refused_and_so_is_an_alphabet_without_room(runs: Runs, first: RunProcess) -> None:
    wider = runs.finish("wider", begun(make_spec(runs, spelling(symbols=11, labels=4, units=13), "wider", rows("cdh")), first))
    (failed,) = events(wider, Failed)
    assert failed.kind == "invalid"
    assert "give the block the sizes of the earlier run" in failed.sentence
    narrow = runs.finish("narrow", begun(make_spec(runs, spelling(labels=4), "narrow", rows("cdh")), first))
    (failed,) = events(narrow, Failed)
    assert "Set fed.symbols=11" in failed.sentence


def test_a_fit_made_anew_is_warned_of(runs: Runs, first: RunProcess) -> None:
    spec = make_spec(runs, spelling(), "anew", rows("cdefg"), **STILL)
    second = runs.finish("anew", begun(spec, first, fit="anew"))

    (warning,) = (message for message in events(second, Message) if message.code == "fitted_anew")
    assert warning.severity == "warning"
    assert "fed: 8 symbols" in warning.text
    assert "latent: another mean and deviation" in warning.text
    assert events(second, Epoch)[-1].metrics["val_spelled_token_accuracy"] < 0.7
    numbers = fitted.load(second.run.data).port("latent").codec
    assert isinstance(numbers, FittedNumbers)
    assert numbers != fitted.load(first.run.data).port("latent").codec


def test_a_run_without_its_fit_cannot_be_begun_with(runs: Runs, first: RunProcess, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "spec.json").write_bytes(first.run.spec.read_bytes())
    spec = make_spec(runs, spelling(), "bare", rows("cdefg"))
    second = runs.finish("bare", msgspec.structs.replace(spec, initial_run=str(bare)))
    (failed,) = events(second, Failed)
    assert failed.kind == "invalid"
    assert "has no data.json" in failed.sentence
    assert "--fit anew" in failed.sentence


def test_a_run_that_has_lost_its_fit_is_not_resumed_with_another(runs: Runs, first: RunProcess) -> None:
    spec = make_spec(runs, spelling(), "lost", rows("cdefg"))
    folder = runs.folder / "lost"
    (folder / "checkpoints").mkdir(parents=True)
    shutil.copy(first.run.checkpoint("last"), folder / "checkpoints")
    again = runs.finish("lost", msgspec.structs.replace(spec, resume=True))
    (failed,) = events(again, Failed)
    assert "has weights and no data.json" in failed.sentence


# -- which weights count symbols
def shapes_when_larger(wanted: Design, port: str, folder: Path) -> dict[str, tuple[KnownPart, ...]]:
    """What is taken for weights that count the symbols of this port, after two new ones where there were 10."""
    (folder / "model.py").write_text(codegen.generate(wanted))
    models = load_build(folder / "model.py")()
    at = next(each for each in data_ports(wanted) if each.name == port)
    return known_parts(models, wanted, [Growth(at, 10, 10, 12)], ())


def test_an_embedding_grows_by_rows_and_a_softmax_by_columns(tmp_path: Path) -> None:
    wanted = spelling(symbols=12, embedding=5)
    assert shapes_when_larger(wanted, "fed", tmp_path) == {"decoder/Decoder_Embedding/00 embeddings": (KnownPart(0, 10, 10),)}
    assert shapes_when_larger(wanted, "spelled", tmp_path) == {
        "decoder/Dense_Decoder/00 kernel": (KnownPart(1, 10, 10),),
        "decoder/Dense_Decoder/01 bias": (KnownPart(0, 10, 10),),
    }


def test_an_axis_that_counts_more_than_symbols_is_never_taken_in_part(tmp_path: Path) -> None:
    flat = design(
        [
            block("text", "token_sequence", length=4, symbols=12),
            block("head", "layer_stack", layers=[{"layer": "Flatten"}, {"layer": "Dense", "units": 3}]),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        ["text.output -> head.inputs", "head.outputs -> loss.predictions"],
    )
    assert shapes_when_larger(flat, "text", tmp_path) == {}  # 48 inputs: four steps of 12 symbols
