"""Generating: the decoder that runs step by step is the one that was trained, and what is chosen is what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.tensor_feeds import expand
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.decoding import Sampling, at_temperature
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from tests.domain.designs import archetype, block, design
from tests.domain.toy_kinds import stack_of_toys
from tests.runner import designs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
Array = npt.NDArray[Any]


def drawn(random: np.random.Generator, path: str, shape: tuple[int, ...]) -> Array:
    """A weight that no initialiser would give, and a variance that is one."""
    numbers = random.normal(size=shape)
    return 0.5 * np.abs(numbers) + 0.05 if "variance" in path else 0.7 * numbers


class Trained:
    """A design on its data, with weights that no initialiser would give: every bias and statistic matters."""

    def __init__(self, wanted: Design, folder: Path) -> None:
        from seqdec_gui.runner.program import load_build

        self.design = designs.bound(wanted, designs.write_rows(folder))
        self.dataset: Dataset = open_dataset(self.design.data, data_ports(self.design), folder)
        self.models = load_build(designs.write_script(self.design, folder))()
        random = np.random.default_rng(5)
        for name, model in self.models.items():
            if name != "full":
                model.set_weights([drawn(random, variable.path, variable.shape) for variable in model.weights])

    @cached_property
    def _sampler(self) -> Any:
        from seqdec_gui.runner.sampler import Sampler

        return Sampler(self.design, self.models, self.dataset.fitted, lambda port: self.dataset.arrays[port])

    def sampler(self) -> Any:
        return self._sampler

    def inputs(self, rows: Array, **other: Array) -> list[Array]:
        """What the full model takes; `other` are stored arrays in the place of the dataset's."""
        batch = self.dataset.batch(rows) | other
        feeds = {feed.name: feed for feed in self.dataset.feeds}
        return [expand(feeds[tensor.name], batch[feeds[tensor.name].array]) for tensor in self.models["full"].inputs]

    def predict(self, rows: Array, **other: Array) -> Array:
        """Predictions of the first loss by the full, teacher-forced model."""
        from seqdec_gui.runner.reopen import predictions

        return predictions(self.models["full"], self.inputs(rows, **other))[0]

    def target_feed(self) -> Any:
        return next(feed for feed in self.dataset.feeds if feed.role == "target")


def teacher_forced_sums(predictions: Array, targets: Array, end: int) -> Array:
    """Sum over each row of log p of its target, the first end symbol being the last that counts."""
    sums = []
    for p, row in zip(predictions.astype(np.float64), targets, strict=True):
        last = int(np.flatnonzero(row == end)[0])
        sums.append(sum(np.log(p[t, row[t]]) for t in range(last + 1)))
    return np.array(sums)


def split_states() -> Design:
    """Single wires for h_0, c_0, h_1, c_1, crossed on purpose: h of one layer feeds c of the other."""
    return design(
        [
            block("latent", "vector", width=3),
            block("decoder_inputs", "token_sequence", length=9, symbols=10),
            block("model_1", "dense_states", units=[7, 7], split_states=True),
            block("model_2", "recurrent_decoder", units=[7, 7], output_units=10, split_states=True),
            block("loss", "loss"),
        ],
        [
            "latent.output -> model_1.inputs", "decoder_inputs.output -> model_2.inputs",
            "model_1.h_0 -> model_2.c_1", "model_1.c_0 -> model_2.h_0",
            "model_1.h_1 -> model_2.c_0", "model_1.c_1 -> model_2.h_1",
            "model_2.outputs -> loss.predictions",
        ],
    )  # fmt: skip


def decoder(**parameters: Any) -> Design:
    return designs.stack(**parameters)


def clashing() -> Design:
    """Two decoders with the same layer names, so that the second's are prefixed; the second is of another cell."""
    shared = designs.stack(units=(5,))
    return design(
        [
            *shared.blocks,
            block("states", "dense_states", units=[4, 6], cell="GRU"),
            block("again", "recurrent_decoder", units=[4, 6], cell="GRU", output_units=10),
            block("loss_2", "loss"),
        ],
        [*(str(link) for link in shared.links), "latent.output -> states.inputs", "states.states -> again.initial_states",
         "decoder_inputs.output -> again.inputs", "again.outputs -> loss_2.predictions"],
    )  # fmt: skip


def reset_before() -> Design:
    return design(
        [
            block("latent", "vector", width=3),
            block("words", "token_sequence", length=9, symbols=10, encoding="ids"),
            block("states", "dense_states", units=[6, 4], cell="GRU", trunk=[5], batch_normalization=False),
            block(
                "decoder", "recurrent_decoder", units=[6, 4], cell="GRU", reset_after=False, embedding=3, squeeze_units=5,
                dropout=0.3, recurrent_dropout=0.3, output_units=10,
            ),
            block("loss", "loss"),
        ],
        ["latent.output -> states.inputs", "words.output -> decoder.inputs", "states.states -> decoder.initial_states",
         "decoder.outputs -> loss.predictions"],
    )  # fmt: skip


def with_head() -> Design:
    """Dropout of each layer and after the last, two Dense layers before the predictions; states through a stack and back."""
    return design(
        [
            block("source", "token_sequence", length=9, symbols=10),
            block("words", "token_sequence", length=9, symbols=10),
            block("encoder", "recurrent_encoder", units=[5], dropout_per_layer=[0.3]),
            block("middle", "layer_stack", layers=[{"layer": "BatchNormalization"}, {"layer": "Dense", "units": 4}]),
            block("states", "dense_states", units=[6, 4]),
            block(
                "decoder", "recurrent_decoder", units=[6, 4], dropout_per_layer=[0.2, 0.1], output_dropout=0.4, head=[7, 5],
                head_dropout=0.2, output_units=10,
            ),
            block("loss", "loss"),
        ],
        ["source.output -> encoder.inputs", "encoder.states -> middle.inputs", "middle.outputs -> states.inputs",
         "states.states -> decoder.initial_states", "words.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )  # fmt: skip


VARIANTS: dict[str, Callable[[], Design]] = {
    "LSTM, BN": designs.stack,
    "widths 6, 9, 4": lambda: designs.stack(units=(6, 9, 4)),
    "squeeze": lambda: designs.stack(squeeze=5),
    "GRU": lambda: designs.stack(cell="GRU", units=(6, 4)),
    "GRU, reset before, embedding, squeeze, dropouts": reset_before,
    "a head, and dropouts": with_head,
    "split and crossed states": split_states,
    "Bahdanau attention, LSTM, mask": designs.attentive,
    "Luong attention by a dot, GRU": lambda: designs.attentive("luong_dot", "GRU", context_units=0),
    "Luong's general attention, no states": lambda: designs.attentive("luong_general", "GRU", mode="free_running"),
    "Luong's input feeding": lambda: designs.attentive("luong_dot", mode="free_running", input_feeding="luong"),
    "Bahdanau's input feeding": lambda: designs.attentive(cell="GRU", input_feeding="bahdanau", head=[5]),
    "several heads, mask": lambda: designs.attentive("multi_head", output_dropout=0.3, head=[5]),
    "embedding, mask, encoder": designs.translation,
    "bidirectional LSTM encoder": lambda: designs.translation(bidirectional=True),
    "bidirectional GRU encoder": lambda: designs.translation(cell="GRU", bidirectional=True),
    "language model": designs.language,
    "clashing names": clashing,
    "a kind that the program does not know": stack_of_toys,
    "transformer": designs.transformer,
    "transformer with every option": designs.every_option_of_attention,
    "attention alone, masked, RMS": lambda: designs.attentive_language(
        mask_padding=True, normalization_layer="RMSNormalization", prefix=False
    ),
    "attention alone, no positions": lambda: designs.attentive_language(positions="none"),
    "transformer, tied embeddings": lambda: designs.transformer(decoder={"tie_embeddings": True, "normalization": "after"}),
}


@pytest.fixture(scope="module")
def variant(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trained]:
    """The trained variants, each built once."""
    built: dict[str, Trained] = {}

    def get(name: str) -> Trained:
        if name not in built:
            built[name] = Trained(VARIANTS[name](), tmp_path_factory.mktemp("variant"))
        return built[name]

    return get


@pytest.mark.parametrize("name", VARIANTS)
def test_sums_of_log_probabilities_step_by_step_equal_the_teacher_forced_model(
    name: str, variant: Callable[[str], Trained]
) -> None:
    trained = variant(name)
    sampler, feed = trained.sampler(), trained.target_feed()
    for rows in (np.array([3]), np.arange(7)):
        batch = trained.dataset.batch(rows)
        targets = batch[feed.array][:, feed.first : feed.last].astype(int)
        expected = teacher_forced_sums(trained.predict(rows), targets, end=2)

        assert sampler.log_probabilities(batch, targets) == pytest.approx(expected, abs=1e-4)
        assert np.abs(expected).min() > 1


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_sample_has_the_log_probability_that_the_full_model_gives_its_text(
    name: str, temperature: float, variant: Callable[[str], Trained]
) -> None:
    trained = variant(name)
    rows = 6 if trained.sampler().inputs else 1
    arrays = trained.dataset.batch(np.arange(rows))
    samples = [
        sample for part in trained.sampler().generate(arrays, rows, 2, at_temperature(temperature), seed=1) for sample in part
    ]
    assert [(sample.row, sample.sample) for sample in samples] == [(row, k) for row in range(rows) for k in range(2)]

    feed, codec = trained.target_feed(), trained.dataset.fitted.text()
    for sample in samples:
        ids = [codec.begin_id, *(codec.charset.index(letter) + codec.first_symbol for letter in sample.text)]
        stored = np.array([(ids + [codec.end_id] + [0] * 10)[:10]])
        predictions = trained.predict(np.array([sample.row]), **{feed.array: stored})[0].astype(np.float64)
        count = min(len(ids), 9)  # the end symbol counts where there was room for it
        expected = sum(np.log(predictions[t, stored[0, t + 1]]) for t in range(count))
        assert sample.log_probability == pytest.approx(expected, abs=1e-4)
        if not temperature:
            allowed = np.arange(2, 10)
            best = allowed[predictions[:count][:, allowed].argmax(axis=-1)]
            assert best.tolist() == stored[0, 1 : count + 1].tolist()


def test_a_sample_does_not_depend_on_its_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdec_gui.runner import sampler

    trained = Trained(designs.stack(), tmp_path)
    made = trained.sampler()

    def generate(rows: int, count: int, seed: int = 3) -> dict[tuple[int, int], str]:
        parts = made.generate(trained.dataset.batch(np.arange(rows)), rows, count, Sampling(1.3), seed)
        return {(sample.row, sample.sample): sample.text for part in parts for sample in part}

    many = generate(11, 5)
    monkeypatch.setattr(sampler, "MAX_SEQUENCES_AT_ONCE", 7)
    assert generate(11, 5) == many
    assert generate(4, 2) == {key: text for key, text in many.items() if key[0] < 4 and key[1] < 2}
    assert len(set(many.values())) > 30
    assert generate(11, 5, seed=4) != many


def test_samples_follow_the_probabilities_of_the_model(tmp_path: Path) -> None:
    trained = Trained(designs.language(), tmp_path)
    texts = [s.text for part in trained.sampler().generate({}, 1, 4000, Sampling(0.7), 0) for s in part]
    stored = np.zeros((1, 10), int)
    stored[0, 0] = 1
    p = trained.predict(np.array([0]), text=stored)[0, 0, 2:].astype(np.float64) ** (1 / 0.7)

    codec = trained.dataset.fitted.text()
    first = np.array([text[:1] for text in texts])
    counted = np.array([np.mean(first == letter) for letter in ("", *codec.charset)])
    assert np.abs(counted - p / p.sum()).max() < 0.03


def test_a_repeated_code_is_decoded_in_one_pass(tmp_path: Path) -> None:
    trained = Trained(designs.variational(), tmp_path)
    samples = next(trained.sampler().generate(trained.dataset.batch(np.arange(5)), 5))
    predictions = trained.predict(np.arange(5)).astype(np.float64)
    codec = trained.dataset.fitted.text()
    for sample, p in zip(samples, predictions, strict=True):
        # The begin mark first and only there, and never padding: these words have an end mark.
        best = np.concatenate([[1], 2 + p[1:, 2:].argmax(axis=-1)])
        length = int(np.flatnonzero(best == 2)[0]) + 1 if 2 in best else 9
        assert sample.text == codec.decode(best)
        assert sample.log_probability == pytest.approx(np.log(p[np.arange(length), best[:length]]).sum(), abs=1e-4)


def test_widths_that_differ_are_named(tmp_path: Path) -> None:
    from seqdec_gui.domain.generation import plan_for

    with pytest.raises(InvalidInput) as caught:
        plan_for(archetype(), infer(archetype()))
    assert "44" in str(caught.value)
    assert "22" in str(caught.value)
    assert "decoder_inputs.symbols" in str(caught.value)


def test_bound_ids_begin_and_end_as_the_training_rows_do(tmp_path: Path) -> None:
    from seqdec_gui.data.symbols import _first_id, _last_id

    rows = np.array([[8, 1, 2, 0, 0], [8, 3, 0, 0, 0], [8, 1, 1, 1, 0]])
    assert _first_id(rows, "inputs") == 8
    assert _last_id(rows, None) == 0
    assert _last_id(np.array([[8, 0, 2, 0], [8, 1, 1, 0]]), None) is None  # 0 stands in the middle too
    assert _last_id(np.array([[8, 5, 2, 1], [8, 1, 1, 0]]), 7) == 7
    assert _last_id(np.array([[8, 5, 2, 9], [8, 2, 9, 9]]), 9) == 2  # the mark before the padding, which is never predicted
    assert _last_id(np.array([[8, 2, 2, 9], [8, 2, 9, 9]]), 9) == 9
    with pytest.raises(InvalidInput, match="2 different ids"):
        _first_id(np.array([[8, 1], [7, 1]]), "inputs")


def test_a_decoder_of_numbers_feeds_its_predictions_back_on_the_scale_of_its_inputs(tmp_path: Path) -> None:
    from seqdec_gui.data.codecs import FittedNumbers
    from seqdec_gui.data.fitted import Fitted, FittedPort
    from seqdec_gui.data.tensor_feeds import TensorFeed
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.sampler import Sampler

    wanted = design(
        [
            block("before", "float_sequence", length=5, features=2),
            block("decoder", "recurrent_decoder", mode="free_running", units=[4], output_units=2, output_activation="linear"),
            block("loss", "loss", loss="mean_squared_error", metrics=["mean_absolute_error"]),
        ],
        ["before.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )
    models = load_build(designs.write_script(wanted, tmp_path))()
    mean, deviation = np.array([3.0, -1.0]), np.array([2.0, 0.5])
    standardised = FittedNumbers((5, 2), tuple(mean), tuple(deviation))
    fitted = Fitted(
        (
            FittedPort("before", "before.output", "input", ("x",), standardised, generated=True),
            FittedPort("loss", "loss.targets", "target", ("y",), FittedNumbers((5, 2))),
        ),
        (TensorFeed("before", "input", "before", depth=2), TensorFeed("loss", "target", "loss", depth=2)),
    )
    rows = np.zeros((6, 5, 2), np.float32)
    rows[:, 1:] = np.random.default_rng(0).normal(size=(6, 4, 2))
    (sample,) = next(Sampler(wanted, models, fitted, lambda port: rows).generate({}, 1))

    def values_of(text: str) -> Array:
        return np.array([[float(number) for number in step.split()] for step in text.split(";")])

    values = values_of(sample.text)
    fed = np.concatenate([np.zeros((1, 2)), (values[:-1] - mean) / deviation])
    expected = np.asarray(models["full"].predict_on_batch(fed[None].astype(np.float32)))[0]
    assert sample.log_probability is None
    assert values == pytest.approx(expected, abs=1e-5)

    differing = Sampler(wanted, models, fitted, lambda port: np.random.default_rng(0).normal(size=(6, 5, 2)))
    assert differing.first_step_from == "before"
    first = np.array([[1.0, -2.0], [0.0, 0.0]], np.float32)
    samples = next(differing.generate({"before": first}, 2))
    assert values_of(samples[1].text) == pytest.approx(values, abs=1e-5)
    values = values_of(samples[0].text)
    fed = np.concatenate([first[:1], (values[:-1] - mean) / deviation])
    assert values == pytest.approx(np.asarray(models["full"].predict_on_batch(fed[None].astype(np.float32)))[0], abs=1e-5)


@pytest.mark.parametrize("steps", [5, None], ids=["a repeated code", "a single vector"])
def test_numbers_of_one_pass_come_in_the_units_of_the_data(steps: int | None, tmp_path: Path) -> None:
    from seqdec_gui.data.codecs import FittedNumbers
    from seqdec_gui.data.fitted import Fitted, FittedPort
    from seqdec_gui.data.tensor_feeds import TensorFeed
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.sampler import Sampler

    repeat = {"mode": "repeat_vector", "units": [4], "length": steps, "output_units": 2, "output_activation": "linear"}
    wanted = design(
        [
            block("code", "vector", width=3),
            block("decoder", "recurrent_decoder", **repeat) if steps else block("decoder", "layer_stack"),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        [f"code.output -> decoder.{'code' if steps else 'inputs'}", "decoder.outputs -> loss.predictions"],
    )
    width = 2 if steps else 64
    models = load_build(designs.write_script(wanted, tmp_path))()
    mean, deviation = np.arange(width) + 3.0, np.linspace(0.5, 2, width)
    shape = (steps, width) if steps else (width,)
    fitted = Fitted(
        (
            FittedPort("code", "code.output", "input", ("x",), FittedNumbers((3,))),
            FittedPort("loss", "loss.targets", "target", ("y",), FittedNumbers(shape, tuple(mean), tuple(deviation))),
        ),
        (TensorFeed("code", "input", "code", depth=3), TensorFeed("loss", "target", "loss", depth=width)),
    )
    sampler = Sampler(wanted, models, fitted, lambda port: np.zeros((0,)))
    given = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
    samples = next(sampler.generate({"code": given}, np.array([0, 2]), 2))

    assert not sampler.at_random
    assert [sample[:2] for sample in samples] == [(0, 0), (0, 1), (2, 0), (2, 1)]
    expected = np.asarray(models["full"].predict_on_batch(given)) * deviation + mean
    for sample in samples:
        values = [[float(number) for number in step.split()] for step in sample.text.split(";")]
        assert np.reshape(values, shape) == pytest.approx(expected[sample.row], abs=1e-5)
        assert sample.log_probability is None


def test_a_sequence_without_an_end_at_the_greatest_length_is_unfinished(tmp_path: Path) -> None:
    trained = Trained(designs.language(), tmp_path)
    samples = next(trained.sampler().generate({}, 1, 200, Sampling()))
    ended = [sample.finished for sample in samples]
    assert set(ended) == {True, False}
    assert all(len(sample.text) == 9 for sample in samples if not sample.finished)
    assert all(len(sample.text) < 9 for sample in samples if sample.finished)


def test_a_decoder_trained_on_ids_gives_ids(tmp_path: Path) -> None:
    from seqdec_gui.data.codecs import FittedIds
    from seqdec_gui.data.fitted import Fitted, FittedPort
    from seqdec_gui.data.tensor_feeds import TensorFeed
    from seqdec_gui.runner.sampler import Sampler

    trained = Trained(designs.language(), tmp_path)
    ids = np.array([[9, 3, 4, 0, 0, 0, 0, 0, 0, 0], [9, 8, 8, 3, 1, 2, 5, 6, 7, 0]], np.uint8)
    fitted = Fitted(
        (FittedPort("text", "text.output", "input", ("x",), FittedIds((10,)), taught="loss", generated=True),),
        (TensorFeed("text", "input", "text", 0, -1, "one_hot", 10), TensorFeed("loss", "target", "text", 1, None, "ids", 10)),
    )
    sampler = Sampler(trained.design, trained.models, fitted, lambda port: ids)
    (sample,) = next(sampler.generate({}, 1))
    chosen = [int(number) for number in sample.text.split()]
    stored = np.array([([9, *chosen] + [0] * 10)[:10]])
    predictions = trained.predict(np.array([0]), text=stored)[0]
    best = predictions.argmax(axis=-1).tolist()
    length = best.index(0) if 0 in best else 9
    assert chosen == best[:length] + [0] * (9 - length)  # id 0 is a symbol here: nothing says that it is padding

    padded = msgspec.structs.replace(fitted.ports[0], codec=FittedIds((10,), pad_id=0))
    fitted = msgspec.structs.replace(fitted, ports=(padded,))
    (sample,) = next(Sampler(trained.design, trained.models, fitted, lambda port: ids).generate({}, 1))
    assert [int(number) for number in sample.text.split()] == best[:length]


@pytest.mark.parametrize(
    ("links", "why"),
    [
        (["stack.outputs -> decoder.inputs", "decoder.outputs -> loss.predictions"], "its inputs come from stack"),
        (
            ["text.output -> decoder.inputs", "decoder.outputs -> head.inputs", "head.outputs -> loss.predictions"],
            "further blocks",
        ),
    ],
)
def test_what_keeps_a_decoder_from_being_fed_is_named(links: list[str], why: str) -> None:
    from seqdec_gui.domain.generation import plan_for

    softmax = [{"layer": "Dense", "units": 10, "activation": "softmax"}]
    blocks = [
        block("text", "token_sequence", length=9, symbols=10),
        block("stack", "layer_stack", layers=[{"layer": "Dense", "units": 10}]),
        block("decoder", "recurrent_decoder", mode="free_running", units=[8], output_units=10),
        block("head", "layer_stack", layers=softmax),
        block("loss", "loss"),
    ]
    used = {"text", "decoder", "loss", *(end.split(".")[0] for link in links for end in link.split(" -> "))}
    feeds = ["text.output -> stack.inputs", *links] if "stack" in used else links
    wanted = design([each for each in blocks if each.id in used], feeds)
    with pytest.raises(InvalidInput, match=why):
        plan_for(wanted, infer(wanted))


def test_the_jax_backend_gives_the_same_decoder(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    chosen = "step_by_step and widths"  # compiling for JAX takes seconds per variant
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", chosen],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout[-3000:]
