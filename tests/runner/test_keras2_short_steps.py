"""Models of Keras 2 that enlarge rounding are compared over few steps; a wrong model is refused all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner.keras2 import reference, short_steps
from seqdec_gui.runner.keras2.convert import _over_few_steps, build, difference_of, random_inputs
from seqdec_gui.runner.keras2.models import migrate

pytestmark = pytest.mark.slow

GRU = {"name": "rnn", "units": 32, "recurrent_activation": "hard_sigmoid", "reset_after": False}
CONFIG: dict[str, Any] = {
    "class_name": "Sequential",
    "config": {
        "name": "reactions",
        "layers": [
            {
                "class_name": "Embedding",
                "config": {
                    "name": "ids",
                    "batch_input_shape": [None, 140],
                    "input_dim": 20,
                    "output_dim": 8,
                    "input_length": 140,
                },
            },
            {"class_name": "GRU", "config": GRU},
        ],
    },
}


def _model(scale: float) -> Any:
    model = build(migrate(CONFIG).config, "reactions", 10**6)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape) * scale for weight in model.get_weights()])
    return model


def _answers(model: Any) -> Callable[..., list[Any]]:
    """Return a stand-in for tf_keras that computes with the weights of the model, as the description says."""

    def predictions(path: Path, inputs: Sequence[Any], weights: Path | None = None) -> list[Any]:
        short = build(migrate(short_steps.shortened(CONFIG) or {}).config, "reactions", 10**6)
        short.set_weights(model.get_weights())
        return [short.predict_on_batch(inputs[0])]

    return predictions


def test_shortened_models_have_the_same_layers_and_few_steps() -> None:
    short = short_steps.shortened(CONFIG)
    assert short is not None
    first = short["config"]["layers"][0]["config"]
    assert (first["batch_input_shape"], first["input_length"]) == ([None, 9], 9)
    assert CONFIG["config"]["layers"][0]["config"]["input_length"] == 140, "the original is left as it was"
    assert short_steps.shortened(short) is None


def test_rounding_of_a_chaotic_model_is_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = _model(3.0)
    monkeypatch.setattr(reference, "predictions", _answers(model))
    found = _over_few_steps(model, CONFIG, tmp_path / "w.h5", random_inputs(model), 0.05)
    assert found is not None
    assert found < 1e-5


def test_other_weights_differ_over_few_steps_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, other = _model(3.0), _model(3.0)
    other.set_weights([weight[::-1] for weight in other.get_weights()])
    monkeypatch.setattr(reference, "predictions", _answers(other))
    found = _over_few_steps(model, CONFIG, tmp_path / "w.h5", random_inputs(model), 0.05)
    assert found is not None
    assert found > 1e-2


def test_the_difference_of_a_calm_model_is_not_explained_by_rounding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = _model(0.1)
    monkeypatch.setattr(reference, "predictions", _answers(model))
    assert _over_few_steps(model, CONFIG, tmp_path / "w.h5", random_inputs(model), 0.05) is None
    assert not short_steps.rounding_explains(model, random_inputs(model), 0.05, difference_of)


def test_a_model_that_keras_2_cannot_shorten_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> list[Any]:
        raise SeqdecError("it takes 140 steps")

    model = _model(3.0)
    monkeypatch.setattr(reference, "predictions", fails)
    assert _over_few_steps(model, CONFIG, tmp_path / "w.h5", random_inputs(model), 0.05) is None
