"""Losses and metrics are Keras's where Keras is right, and fractions that add up over any split of the rows."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.data.tensor_feeds import expand as expand_on_host
from seqdec_gui.domain.catalog import fields
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.kinds.bottleneck import Bottleneck
from seqdec_gui.domain.training import Training
from seqdec_gui.runner.program import KLTerm, LossTerm, Program

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
Array = npt.NDArray[Any]
ROWS, STEPS, SYMBOLS, PAD = 7, 5, 6, 0


class Objectives:
    """An `Objective` without a model behind it."""

    def __init__(self, *losses: LossTerm, kl_terms: tuple[KLTerm, ...] = (), pad_id: int | None = PAD) -> None:
        from seqdec_gui.runner.objective import Objective

        program: Any = type("Bare", (), {"losses": losses, "kl_terms": kl_terms})()
        feeds = [TensorFeed(loss.name, "target", loss.name, encoding="ids", depth=SYMBOLS, pad_id=pad_id) for loss in losses]
        self.objective = Objective(program, feeds)

    def fractions(self, outputs: list[Array], targets: dict[str, Array], weights: Array | None = None) -> dict[str, Array]:
        rows = np.ones(len(outputs[0]), np.float32) if weights is None else weights
        given = {name: as_tensor(target) for name, target in targets.items()}
        terms = self.objective.terms([as_tensor(output) for output in outputs], given, as_tensor(rows))
        return {name: np.array([float(part) for part in pair]) for name, pair in terms.items()}

    def losses(self, outputs: list[Array], targets: dict[str, Array]) -> tuple[float, float]:
        """What is trained, and what is reported."""
        given = {name: as_tensor(target) for name, target in targets.items()}
        terms = self.objective.terms([as_tensor(output) for output in outputs], given, as_tensor(np.ones(len(outputs[0]), "f")))
        counts = {name: pair[1] for name, pair in terms.items()}
        no_weights = as_tensor(np.zeros(0, np.float32))
        objective = self.objective
        return float(objective.loss(terms, counts, no_weights)), float(objective.plain_loss(terms, counts, no_weights))


def as_tensor(values: Array) -> Any:
    from keras import ops

    return ops.convert_to_tensor(values)


def loss_term(loss: str = "categorical_crossentropy", *metrics: str, **options: Any) -> LossTerm:
    return LossTerm("loss", 0, loss, metrics=metrics, **options)  # type: ignore[arg-type]


def mean(pair: Array) -> float:
    return float(pair[0] / pair[1])


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(1)


def softmaxed(random: np.random.Generator) -> Array:
    logits = random.normal(size=(ROWS, STEPS, SYMBOLS))
    return (np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)).astype(np.float32)


def ragged(random: np.random.Generator) -> Array:
    ids = random.integers(1, SYMBOLS, (ROWS, STEPS)).astype(np.int32)
    for row, length in enumerate([5, 4, 3, 2, 1, 5, 3]):
        ids[row, length:] = PAD
    return ids


def test_unmasked_crossentropy_is_that_of_keras(random: np.random.Generator) -> None:
    import keras

    predictions, ids = softmaxed(random), ragged(random)
    found = Objectives(loss_term(mask_padding=False)).fractions([predictions], {"loss": ids})["loss/loss"]
    expected = keras.losses.SparseCategoricalCrossentropy()(ids, predictions)

    assert mean(found) == pytest.approx(float(expected), rel=1e-5)
    assert found[1] == ROWS * STEPS


def test_masked_crossentropy_is_the_mean_over_tokens_that_are_no_padding(random: np.random.Generator) -> None:
    predictions, ids = softmaxed(random), ragged(random)
    found = Objectives(loss_term()).fractions([predictions], {"loss": ids})["loss/loss"]
    valid = ids != PAD
    logs = -np.log(np.take_along_axis(predictions, ids[..., None], -1)[..., 0])

    assert found[1] == valid.sum()
    assert mean(found) == pytest.approx(logs[valid].mean(), rel=1e-5)


def test_fractions_of_parts_of_a_batch_add_up_to_those_of_the_batch(random: np.random.Generator) -> None:
    predictions, ids = softmaxed(random), ragged(random)
    objectives = Objectives(loss_term("categorical_crossentropy", "token_accuracy", "exact_accuracy"))
    whole = objectives.fractions([predictions], {"loss": ids})
    parts = [objectives.fractions([predictions[a:b]], {"loss": ids[a:b]}) for a, b in ((0, 3), (3, 4), (4, 7))]

    for name, pair in whole.items():
        np.testing.assert_allclose(sum(part[name] for part in parts), pair, rtol=1e-5)


def test_soft_targets_judge_as_ids_do(random: np.random.Generator) -> None:
    predictions, ids = softmaxed(random), ragged(random)
    soft = np.eye(SYMBOLS, dtype=np.float32)[ids] * (ids != PAD)[..., None]
    objectives = Objectives(loss_term("categorical_crossentropy", "token_accuracy", "exact_accuracy"))
    hard, other = (objectives.fractions([predictions], {"loss": targets}) for targets in (ids, soft))

    for name, pair in hard.items():
        np.testing.assert_allclose(other[name], pair, rtol=1e-5, err_msg=name)


def test_rows_of_weight_zero_do_not_count(random: np.random.Generator) -> None:
    predictions, ids = softmaxed(random), ragged(random)
    objectives = Objectives(loss_term("categorical_crossentropy", "token_accuracy", "exact_accuracy"))
    weights = np.array([1, 1, 1, 1, 0, 0, 0], np.float32)
    predictions[5] = np.nan  # what stands in a row of padding is of no interest
    found = objectives.fractions([predictions], {"loss": ids}, weights)
    expected = objectives.fractions([predictions[:4]], {"loss": ids[:4]})

    for name, pair in expected.items():
        np.testing.assert_allclose(found[name], pair, rtol=1e-5, err_msg=name)


def test_a_sequence_is_exact_when_every_valid_token_is_right() -> None:
    ids = np.array([[1, 2, PAD, PAD], [1, 2, 3, PAD], [PAD, PAD, PAD, PAD], [3, 3, 3, 3]], np.int32)
    guessed = np.array([[1, 2, 4, 4], [1, 2, 2, 2], [1, 1, 1, 1], [3, 3, 3, 3]])
    predictions = np.eye(SYMBOLS, dtype=np.float32)[guessed]
    found = Objectives(loss_term("categorical_crossentropy", "token_accuracy", "exact_accuracy")).fractions(
        [predictions], {"loss": ids}
    )

    assert found["loss/exact_accuracy"].tolist() == [2, 3]  # the row of padding alone does not count
    assert found["loss/token_accuracy"].tolist() == [8, 9]


def test_a_symbol_that_was_ruled_out_can_still_be_learnt() -> None:
    import keras
    import tensorflow as tf

    logits = tf.Variable([[[40.0, 0.0, 0.0]]])
    with tf.GradientTape() as tape:
        terms = Objectives(loss_term(mask_padding=False)).objective.terms(
            keras.ops.softmax(logits), {"loss": tf.constant([[1]])}, tf.ones(1)
        )
        loss = terms["loss/loss"][0]
    np.testing.assert_allclose(tape.gradient(loss, logits).numpy()[0, 0], [1.0, -1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("name", ["mean_squared_error", "mean_absolute_error", "binary_crossentropy"])
def test_losses_of_numbers_are_those_of_keras(name: str, random: np.random.Generator) -> None:
    import keras

    predictions, targets = (random.random((ROWS, STEPS, 3)).astype(np.float32) for _ in range(2))
    metrics = ("mean_absolute_error",) if name != "binary_crossentropy" else ()
    found = Objectives(loss_term(name, *metrics), pad_id=None).fractions([predictions], {"loss": targets})
    expected = getattr(keras.losses, name)(targets, predictions)

    assert mean(found["loss/loss"]) == pytest.approx(float(np.mean(expected)), rel=1e-5)
    if metrics:
        assert mean(found["loss/mean_absolute_error"]) == pytest.approx(np.abs(predictions - targets).mean(), rel=1e-5)


def test_every_class_counts_where_no_id_is_padding(random: np.random.Generator) -> None:
    predictions, ids = softmaxed(random), ragged(random)
    given = loss_term("categorical_crossentropy", "token_accuracy")
    found = Objectives(given, pad_id=None).fractions([predictions], {"loss": ids})
    every = Objectives(loss_term("categorical_crossentropy", "token_accuracy", mask_padding=False)).fractions
    for name, pair in every([predictions], {"loss": ids}).items():
        np.testing.assert_allclose(found[name], pair, rtol=1e-6)
    ids[ids == PAD] = SYMBOLS  # one-hot rows of zeros are stored as the id after the last class: no class, so no step
    found = Objectives(given, pad_id=None).fractions([predictions], {"loss": ids})
    assert found["loss/token_accuracy"].tolist() == [float((predictions.argmax(-1) == ids).sum()), float((ids < SYMBOLS).sum())]


def test_classes_of_whole_rows_are_judged_too(random: np.random.Generator) -> None:
    predictions = softmaxed(random)[:, 0]
    ids = predictions.argmax(-1).astype(np.int32)
    ids[0] = (ids[0] + 1) % SYMBOLS
    given = loss_term("categorical_crossentropy", "token_accuracy", "exact_accuracy", mask_padding=False)
    found = Objectives(given).fractions([predictions], {"loss": ids})
    assert found["loss/token_accuracy"].tolist() == found["loss/exact_accuracy"].tolist() == [ROWS - 1, ROWS]


def test_the_parts_of_all_replicas_add_up_to_the_loss_of_the_batch(random: np.random.Generator) -> None:
    first = loss_term(weight=2.0)
    second = LossTerm("numbers", 1, "mean_squared_error", 0.5)
    objectives = Objectives(first, second, kl_terms=(KLTerm("code", 1.0, 0),))
    objective = objectives.objective
    outputs = [softmaxed(random), *(random.normal(size=(ROWS, 3)).astype(np.float32) for _ in range(3))]
    targets = {"loss": ragged(random), "numbers": random.normal(size=(ROWS, 3)).astype(np.float32)}
    whole = objectives.fractions(outputs, targets)
    parts = []
    for a, b in ((0, 2), (2, 7)):
        terms = objective.terms(
            [as_tensor(output[a:b]) for output in outputs],
            {name: as_tensor(target[a:b]) for name, target in targets.items()},
            as_tensor(np.ones(b - a, np.float32)),
        )
        denominators = {name: as_tensor(np.float32(pair[1])) for name, pair in whole.items()}
        parts.append(float(objective.loss(terms, denominators, as_tensor(np.array([0.3], np.float32)))))
    m, v = outputs[2].astype(np.float64), outputs[3].astype(np.float64)
    kl = (0.5 * (m**2 + np.exp(v) - 1 - v)).sum(-1).mean()

    assert mean(whole["code/kl"]) == pytest.approx(kl, rel=1e-5)
    expected = 2.0 * mean(whole["loss/loss"]) + 0.5 * mean(whole["numbers/loss"]) + 0.3 * kl
    assert sum(parts) == pytest.approx(expected, rel=1e-5)


def test_the_kl_term_is_what_the_help_of_its_weight_says(random: np.random.Generator) -> None:
    """A sum over the units, averaged over the rows: twice the units, of the same values, make twice the term."""
    (help_text,) = (field.help for field in fields(Bottleneck) if field.name == "kl_weight")
    formula = help_text.partition("mean_rows")
    assert "sum over the units of the code, averaged over the rows" in formula[0]
    mean_code, log_variance = (random.normal(size=(ROWS, 3)).astype(np.float32) for _ in range(2))
    names = {"mean_rows": np.mean, "sum_units": lambda values: values.sum(-1), "exp": np.exp, "__builtins__": {}}
    documented = eval((formula[1] + formula[2]).rstrip(".").replace("^", "**"), names | {"mean": mean_code.astype(np.float64),
                      "log_variance": log_variance.astype(np.float64)})  # fmt: skip
    objectives = Objectives(loss_term(), kl_terms=(KLTerm("code", 0.3, 0),))
    targets = {"loss": ragged(random)}

    def loss(weight: float, width: int) -> float:
        codes = [np.tile(code, (1, width)) for code in (mean_code, log_variance)]
        predictions = np.full((ROWS, STEPS, SYMBOLS), 1 / SYMBOLS, np.float32)
        terms = objectives.objective.terms(
            [as_tensor(each) for each in (predictions, *codes)],
            {name: as_tensor(target) for name, target in targets.items()},
            as_tensor(np.ones(ROWS, np.float32)),
        )
        denominators = {name: pair[1] for name, pair in terms.items()}
        return float(objectives.objective.loss(terms, denominators, as_tensor(np.array([weight], np.float32))))

    assert loss(0.3, 1) - loss(0.0, 1) == pytest.approx(0.3 * documented, rel=1e-4)
    assert loss(0.3, 2) - loss(0.0, 2) == pytest.approx(0.6 * documented, rel=1e-4)


def test_a_batch_of_padding_alone_has_no_loss() -> None:
    objective = Objectives(loss_term()).objective
    terms = objective.terms(
        [as_tensor(np.full((2, 3, SYMBOLS), 1 / SYMBOLS, np.float32))],
        {"loss": as_tensor(np.zeros((2, 3), np.int32))},
        as_tensor(np.ones(2, np.float32)),
    )
    loss = objective.loss(terms, {name: pair[1] for name, pair in terms.items()}, as_tensor(np.zeros(0, np.float32)))
    assert float(loss) == 0.0


@pytest.mark.parametrize(
    "feed",
    [
        TensorFeed("x", "input", "ids", 0, -1, "one_hot", SYMBOLS, PAD),
        TensorFeed("x", "input", "ids", 0, None, "one_hot", SYMBOLS - 2, None),
        TensorFeed("x", "target", "ids", 1, None, "ids", SYMBOLS, PAD),
        TensorFeed("x", "input", "numbers", encoding="values"),
        TensorFeed("x", "target", "labels", encoding="ids", depth=SYMBOLS),
        TensorFeed("x", "input", "labels", encoding="one_hot", depth=SYMBOLS),
    ],
)
def test_rows_expand_on_the_device_as_they_do_on_the_host(feed: TensorFeed, random: np.random.Generator) -> None:
    from seqdec_gui.runner.objective import expand

    arrays = {
        "ids": random.integers(0, SYMBOLS, (ROWS, STEPS)).astype(np.uint8),
        "numbers": random.normal(size=(ROWS, 3)).astype(np.float32),
        "labels": random.integers(0, SYMBOLS, ROWS).astype(np.uint16),
    }
    inputs, targets = expand([feed], {name: as_tensor(array) for name, array in arrays.items()})
    found = np.asarray((inputs | targets)["x"])
    expected = expand_on_host(feed, arrays[feed.array])

    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


def test_moments_of_parts_combine_to_those_of_all_rows_even_where_a_part_is_masked_out(random: np.random.Generator) -> None:
    from seqdec_gui.runner.normalization import combine, local_moments

    values = (random.normal(size=(ROWS, STEPS, 3)) + 100.0).astype(np.float32)
    mask = random.random((ROWS, STEPS)) > 0.4
    mask[2:4] = False
    parts = [local_moments(as_tensor(values[a:b]), as_tensor(mask[a:b]), [0, 1]) for a, b in ((0, 2), (2, 4), (4, 7))]
    found = combine(as_tensor(np.stack([np.asarray(part) for part in parts])))
    shown = values[mask].astype(np.float64)

    np.testing.assert_allclose(np.asarray(found[0]), shown.mean(0), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(found[1]), shown.var(0), rtol=1e-3)  # a difference of squares would be 10 % off


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "sgd"])
def test_every_optimizer_has_its_settings(name: str) -> None:
    from seqdec_gui.runner.optimizers import make_optimizer

    optimizer = make_optimizer(Training(optimizer=name, learning_rate=0.5, clip_norm=2.0, weight_decay=0.1, momentum=0.3))  # type: ignore[arg-type]
    settings = optimizer.get_config()

    assert type(optimizer).__name__.lower() == name
    assert settings["learning_rate"] == pytest.approx(0.5)
    assert settings["global_clipnorm"] == 2.0
    assert settings.get("momentum", 0.3) == 0.3
    assert settings["weight_decay"] == (0.1 if name == "adamw" else None)
    assert make_optimizer(Training()).global_clipnorm is None


def test_a_program_knows_losses_and_divergences_in_the_designs_order(tmp_path: Any) -> None:
    from tests.runner import designs

    wanted: Design = designs.variational()
    program = Program.of(wanted, tmp_path / "model.py")
    assert [(found.name, found.output, found.loss, found.weight) for found in program.losses] == [
        ("letters", 0, "categorical_crossentropy", 1.0),
        ("numbers", 1, "mean_squared_error", 0.5),
    ]
    assert program.kl_terms == (KLTerm("bottleneck", 0.1, 2),)


def test_every_loss_of_the_registry_has_a_formula() -> None:
    from seqdec_gui.domain.losses import LOSSES
    from seqdec_gui.runner.objective import FORMULAS

    assert set(FORMULAS) == set(LOSSES)


@pytest.mark.parametrize("one_hot", [False, True])
def test_smoothed_crossentropy_is_that_of_keras_and_reports_are_without_it(random: np.random.Generator, one_hot: bool) -> None:
    import keras

    probabilities, ids = softmaxed(random), random.integers(0, SYMBOLS, (ROWS, STEPS)).astype(np.int32)
    targets = np.eye(SYMBOLS, dtype=np.float32)[ids]
    metrics = ("token_accuracy", "exact_accuracy", "perplexity")
    options = {"mask_padding": False, "metrics": metrics}
    smoothed = Objectives(LossTerm("loss", 0, "categorical_crossentropy", smoothing=0.2, **options))  # type: ignore[arg-type]
    plain = Objectives(LossTerm("loss", 0, "categorical_crossentropy", **options))  # type: ignore[arg-type]
    given = {"loss": targets if one_hot else ids}
    found, without = smoothed.fractions([probabilities], given), plain.fractions([probabilities], given)
    expected = float(keras.losses.CategoricalCrossentropy(label_smoothing=0.2)(targets, probabilities))

    assert mean(found["loss/smoothed_loss"]) == pytest.approx(expected, rel=1e-5)
    assert {name: pair.tolist() for name, pair in found.items() if name in without} == {
        name: pair.tolist() for name, pair in without.items()
    }
    assert smoothed.losses([probabilities], given) == pytest.approx((expected, mean(without["loss/loss"])), rel=1e-5)


@pytest.mark.parametrize("masked", [False, True])
def test_denominators_need_no_predictions(random: np.random.Generator, masked: bool) -> None:
    from keras import ops

    metrics = ("token_accuracy", "exact_accuracy", "perplexity")
    term = LossTerm("loss", 0, "categorical_crossentropy", mask_padding=masked, metrics=metrics, smoothing=0.1)
    objectives, targets = Objectives(term), ragged(random)
    targets[2] = PAD
    weights = np.array([1, 0, 1, 1, 2, 1, 1], np.float32)
    terms = objectives.fractions([softmaxed(random)], {"loss": targets}, weights)
    found = objectives.objective.denominators(
        [np.zeros((1, 1, SYMBOLS))], {"loss": as_tensor(targets)}, ops.convert_to_tensor(weights)
    )
    assert [float(count) for count in found] == [terms[name][1] for name in objectives.objective.names]
