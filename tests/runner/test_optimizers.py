"""A factor on the learning rate of a block is what a training at that rate would do to its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.training import Training

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def trained(training: Training, factors: tuple[float, ...], steps: int = 3) -> list[Any]:
    """Two variables after some steps with the same gradients each time."""
    import keras

    from seqdec_gui.runner.optimizers import built, make_optimizer

    variables = [keras.Variable(np.linspace(1, 2, 4), dtype="float32", name=name) for name in ("a", "b")]
    optimizer = built(make_optimizer(training), variables, factors)
    random = np.random.default_rng(0)
    for _ in range(steps):
        gradient = keras.ops.convert_to_tensor(random.normal(size=4).astype("float32"))
        optimizer.apply([gradient, gradient], variables)
    return [np.asarray(variable) for variable in variables]


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam"},
        {"optimizer": "adamw", "weight_decay": 0.5},
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "rmsprop", "momentum": 0.5},
    ],
    ids=lambda settings: settings["optimizer"],
)
def test_a_factor_is_another_learning_rate_for_these_weights_alone(settings: dict[str, Any]) -> None:
    plain, scaled = trained(Training(learning_rate=0.1, **settings), (1.0, 0.1))
    expected = trained(Training(learning_rate=0.1, **settings), (1.0, 1.0))[0]
    slower = trained(Training(learning_rate=0.01, **settings), (1.0, 1.0))[1]
    np.testing.assert_allclose(plain, expected, rtol=1e-6)
    np.testing.assert_allclose(scaled, slower, rtol=1e-6)
    assert np.max(np.abs(scaled - plain)) > 1e-3


def test_a_factor_of_0_leaves_the_weights_as_they_are() -> None:
    moved, kept = trained(Training(optimizer="adamw", learning_rate=0.1), (1.0, 0.0))
    np.testing.assert_array_equal(kept, np.linspace(1, 2, 4, dtype="float32"))
    assert np.any(moved != kept)


def test_values_are_limited_before_the_norm() -> None:
    import keras

    from seqdec_gui.runner.optimizers import built, make_optimizer

    variable = keras.Variable(np.zeros(2, "float32"))
    training = Training(optimizer="sgd", learning_rate=1.0, clip_value=3.0, clip_norm=2.5)
    optimizer = built(make_optimizer(training), [variable], (1.0,))
    optimizer.apply([keras.ops.convert_to_tensor(np.array([1e6, 4.0], "float32"))], [variable])
    np.testing.assert_allclose(np.asarray(variable), -2.5 * np.array([1, 1]) / 2**0.5, rtol=1e-5)


def test_kernels_alone_decay() -> None:
    import keras

    from seqdec_gui.runner.optimizers import _is_kernel, built, make_optimizer

    layers = [keras.layers.Embedding(3, 2), keras.layers.GRU(2), keras.layers.LayerNormalization(), keras.layers.Dense(2)]
    keras.Sequential([keras.Input((4,), dtype="int32"), *layers])
    variables = [variable for layer in layers for variable in layer.trainable_variables]
    for variable in variables:
        variable.assign(np.ones(variable.shape, "float32"))
    decayed = tuple(map(_is_kernel, variables))
    assert [variable.name for variable, is_kernel in zip(variables, decayed, strict=True) if is_kernel] == [
        "kernel", "recurrent_kernel", "kernel",
    ]  # fmt: skip
    training = Training(optimizer="adamw", learning_rate=0.1, weight_decay=0.5)
    optimizer = built(make_optimizer(training), variables, (1.0,) * len(variables), decayed)
    optimizer.apply([keras.ops.zeros(variable.shape) for variable in variables], variables)
    for variable, is_kernel in zip(variables, decayed, strict=True):
        np.testing.assert_allclose(np.asarray(variable), 0.95 if is_kernel else 1.0, rtol=1e-6)


def test_the_average_forgets_the_first_weights_and_then_has_its_decay() -> None:
    import keras

    from seqdec_gui.runner.averages import averages
    from seqdec_gui.runner.optimizers import built, make_optimizer

    variable = keras.Variable(np.zeros(1, "float32"))
    training = Training(optimizer="sgd", learning_rate=1.0, average_decay=0.5)
    optimizer = built(make_optimizer(training), [variable], (1.0,))
    value = average = 0.0
    for step in range(20):
        optimizer.apply([keras.ops.convert_to_tensor(np.array([-1.0], "float32"))], [variable])
        value += 1.0
        decay = min(0.5, step / (step + 10))
        average = decay * average + (1 - decay) * value
    ((trained, kept),) = averages(optimizer)
    assert trained is variable
    np.testing.assert_allclose(np.asarray(variable), value)
    np.testing.assert_allclose(np.asarray(kept), average, rtol=1e-5)
