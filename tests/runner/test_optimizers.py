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
