"""Recurrent layers that are called for one step give what Keras's layers give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize(("units", "compiles", "together"), [(128, True, True), (128, False, False), (127, True, False)])
def test_one_product_of_inputs_and_state_gives_what_keras_gives(
    units: int, compiles: bool, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from seqdec_gui.runner.decoding import step_layers

    monkeypatch.setattr(step_layers, "compiles_each_size", lambda: compiles)
    random = np.random.default_rng(0)
    inputs: list[Any] = [keras.Input((1, 19)), keras.Input((units,)), keras.Input((units,))]
    layer = keras.layers.LSTM(units, return_sequences=True, return_state=True)
    model = keras.Model(inputs, layer(inputs[0], initial_state=inputs[1:]))
    layer.set_weights([random.normal(size=weight.shape) / np.sqrt(weight.shape[0]) for weight in layer.weights])
    given = [random.normal(size=(7, *tensor.shape[1:])).astype(np.float32) for tensor in inputs]
    expected = [np.asarray(each) for each in model(given)]
    step_layers.use_short_steps(model)
    assert isinstance(layer, step_layers.StepLSTM)
    assert layer.one_product is together
    layer.unroll = True
    found = [np.asarray(each) for each in model(given)]
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert one == pytest.approx(other, abs=1e-6)
