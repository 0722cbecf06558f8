"""Our loops on TensorFlow give what Keras's do: outputs, states and every gradient, wherever the padding stands."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
ROWS, STEPS, FEATURES, UNITS = 5, 7, 3, 4


def mask(kind: str, random: np.random.Generator) -> npt.NDArray[np.bool_] | None:
    right = np.arange(STEPS)[None] < np.array([7, 5, 3, 1, 0])[:, None]
    holes = random.random((ROWS, STEPS)) > 0.4
    return {"none": None, "right": right, "left": right[:, ::-1].copy(), "holes": holes}[kind]


def results(layer: Any, inputs: Any, states: list[Any], given: Any, training: bool = False) -> list[npt.NDArray[Any]]:
    """Outputs, final states, and gradients by inputs, initial states and weights."""
    import tensorflow as tf

    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch([inputs, *states])
            outputs = layer(inputs, initial_state=states, mask=given, training=training)
            loss = tf.add_n([tf.reduce_sum(tf.sin(output * (k + 1.3))) for k, output in enumerate(outputs)])
        return outputs, tape.gradient(loss, [inputs, *states, *[weight.value for weight in layer.trainable_weights]])

    return [part.numpy() for part in tf.nest.flatten(tf.function(run, autograph=False)())]


@pytest.mark.parametrize("padding", ["none", "right", "left", "holes"])
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
@pytest.mark.parametrize(("backwards", "sequences"), [(False, True), (True, False)])
def test_a_loop_of_ours_equals_keras(cell: str, padding: str, backwards: bool, sequences: bool) -> None:
    import keras
    import tensorflow as tf

    from seqdec_gui.runner.engines.recurrent import use_fast_loops

    random = np.random.default_rng(3)
    layer = getattr(keras.layers, cell)(UNITS, return_sequences=sequences, return_state=True, go_backwards=backwards)
    inputs = tf.constant(random.normal(size=(ROWS, STEPS, FEATURES)).astype(np.float32))
    states = [tf.constant(random.normal(size=(ROWS, UNITS)).astype(np.float32)) for _ in range(2 if cell == "LSTM" else 1)]
    layer(inputs, initial_state=states)
    for weight in layer.weights:
        weight.assign(0.5 * random.normal(size=weight.shape))
    shown = mask(padding, random)
    given = None if shown is None else tf.constant(shown)
    expected = results(layer, inputs, states, given)

    assert use_fast_loops([layer]) == 1
    for one, other in zip(expected, results(layer, inputs, states, given), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


def test_dropout_on_the_inputs_is_keras_s() -> None:
    import keras
    import tensorflow as tf

    from seqdec_gui.runner.engines.recurrent import use_fast_loops

    layer = keras.layers.LSTM(UNITS, dropout=0.5, seed=4, return_state=True, return_sequences=True)
    inputs, states = tf.ones((ROWS, STEPS, FEATURES)), [tf.zeros((ROWS, UNITS))] * 2
    layer(inputs, initial_state=states)
    (state,) = [generator.state for generator in layer.cell._seed_generators]
    begin = state.numpy()
    expected = results(layer, inputs, states, None, training=True)
    state.assign(begin)
    use_fast_loops([layer])
    for one, other in zip(expected, results(layer, inputs, states, None, training=True), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


def test_what_has_no_loop_of_ours_is_left_to_keras() -> None:
    import keras

    from seqdec_gui.runner.engines.recurrent import use_fast_loops

    layers = [
        keras.layers.LSTM(UNITS, recurrent_dropout=0.1),
        keras.layers.LSTM(UNITS, activation="relu"),
        keras.layers.GRU(UNITS, reset_after=False),
        keras.layers.SimpleRNN(UNITS),
    ]
    assert use_fast_loops(layers) == 0
