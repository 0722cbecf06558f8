"""Recurrent layers of our own beside those of Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from seqdec_gui.runner.engines.jax import layers, recurrent
from seqdec_gui.runner.engines.jax.unrolled_scan import unrolled_scan
from tests.runner.jax_checks.engines import Array


def recurrent_layers_equal_those_of_keras(folder: Path) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(5, 7, 3)).astype("float32")
    ragged = np.arange(7) < np.array([7, 3, 1, 0, 5])[:, None]
    masks = {"none": None, "right": ragged, "left": ragged[:, ::-1].copy(), "holes": random.uniform(size=(5, 7)) < 0.5}
    plain = {"return_sequences": True, "return_state": True}
    backwards, zeros = plain | {"go_backwards": True}, plain | {"zero_output_for_mask": True}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("none", plain),
        ("holes", plain),
        ("right", {}),
        ("left", backwards),
        ("holes", zeros),
    ]
    for kind, more, some in (
        (keras.layers.LSTM, {}, 5),
        (keras.layers.GRU, {}, 5),
        (keras.layers.GRU, {"reset_after": False}, 3),
    ):
        for name, option in cases[-some:]:
            check_layer(kind(4, **more, **option), x, masks[name], f"{kind.__name__} {more} {option} {name}")
    check_layer(keras.layers.Bidirectional(keras.layers.LSTM(4, **plain)), x, masks["left"], "bidirectional LSTM")
    check_layer(keras.layers.Bidirectional(keras.layers.GRU(4)), x, None, "bidirectional GRU")


def unrolled_scans_give_what_single_steps_give(folder: Path) -> None:
    random = np.random.default_rng(3)
    x, memory = (jnp.asarray(random.normal(size=size), "float32") for size in ((12, 4), (12, 4)))

    def step(state: Array, now: tuple[Array, ...]) -> Any:
        given, shown, held = now
        assert shown is None
        return jnp.tanh(state + given), (held * state, state - given)

    for unroll in (5, 6, 12):  # two steps left, none, a single turn
        for reverse in (False, True):
            one = unrolled_scan(step, jnp.zeros(4), (x, None), 1, reverse=reverse, memory=memory)
            other = unrolled_scan(step, jnp.zeros(4), (x, None), unroll, reverse=reverse, memory=memory)
            for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-6, err_msg=f"{unroll} steps a turn, reverse {reverse}")


def check_layer(layer: Any, x: Array, mask: Array | None, what: str) -> None:
    """Outputs and all gradients, before and after the switch; the weights are given something to do first."""
    wrapped = isinstance(layer, keras.layers.Bidirectional)
    layer.build(x.shape)
    random = np.random.default_rng(2)
    for variable in layer.trainable_variables:
        variable.assign(random.normal(size=variable.shape, scale=0.5).astype("float32"))
    inner = layer.forward_layer if wrapped else layer
    states = (
        [random.normal(size=(len(x), 4)).astype("float32") for _ in np.atleast_1d(inner.state_size)] if not wrapped else None
    )
    weights = [variable.value for variable in layer.trainable_variables]

    def result(weights: list[Array], x: Array, states: Any) -> Any:
        given = {} if states is None else {"initial_state": states}
        outputs, _ = layer.stateless_call(weights, [v.value for v in layer.non_trainable_variables], x, mask=mask, **given)
        flat = jax.tree.leaves(outputs)
        return sum(jnp.sum(jnp.sin(output * (k + 1))) for k, output in enumerate(flat)), flat

    def run(*given: Any) -> Any:  # traced anew, for the layer changes in between
        return jax.jit(jax.value_and_grad(lambda *all: result(*all), argnums=(0, 1, 2), has_aux=True))(*given)

    (_, before), slopes = run(weights, x, states)
    model = keras.Sequential([keras.Input(x.shape[1:]), layer]) if wrapped else None
    holder = keras.Model()
    holder.layer = layer
    layers.accelerate_layers(holder, global_statistics=True, replicas=1, shards=1, cudnn=False)
    assert type(inner) in (layers.FastLSTM, layers.FastGRU), what
    for turn in (1, 3):
        inner.loop_unroll = turn
        (_, after), new_slopes = run(weights, x, states)
        for one, other in zip(jax.tree.leaves((before, slopes)), jax.tree.leaves((after, new_slopes)), strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-4, atol=2e-5, err_msg=f"{what}, {turn} steps a turn")
    del model


def dropout_of_recurrent_layers_equals_that_of_keras(folder: Path) -> None:
    x = np.random.default_rng(0).normal(size=(4, 6, 3)).astype("float32")
    for kind in (keras.layers.LSTM, keras.layers.GRU):
        layer = kind(5, dropout=0.5, return_sequences=True, seed=7)
        layer.build(x.shape)
        state = [v.value for v in layer.non_trainable_variables]
        weights = [v.value for v in layer.trainable_variables]
        one, _ = layer.stateless_call(weights, state, x, training=True)
        holder = keras.Model()
        holder.layer = layer
        layers.accelerate_layers(holder, global_statistics=True, replicas=1, shards=1, cudnn=False)
        other, drawn = layer.stateless_call(weights, state, x, training=True)
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
        assert any(np.any(np.asarray(a) != np.asarray(b)) for a, b in zip(state, drawn, strict=True))


def masks_reach_cudnn_as_lengths(folder: Path) -> None:
    """cuDNN itself is stood for by a loop that, like it, knows lengths only, and gives zeros behind them."""

    def ends_padded(x: Array, h: Array, c: Array, kernel: Array, recurrent_kernel: Array, bias: Array, lengths: Array) -> Any:
        shown = jnp.arange(x.shape[1]) < lengths[:, None]
        found = recurrent.lstm(x, h, c, shown, kernel, recurrent_kernel, bias, False)
        return jnp.where(shown[..., None], found.sequence, 0), *found.states

    random = np.random.default_rng(3)
    x, h, c = (random.normal(size=size).astype("float32") for size in ((6, 7, 3), (6, 4), (6, 4)))
    weights = [random.normal(size=size, scale=0.5).astype("float32") for size in ((3, 16), (4, 16), (16,))]
    ragged = np.arange(7) < np.array([7, 3, 1, 0, 5, 6])[:, None]

    def result(x: Array, h: Array, c: Array, weights: Any, mask: Array, cudnn: bool) -> Any:
        found = recurrent.lstm(x, h, c, mask, *weights, cudnn)
        return sum(jnp.sum(jnp.sin(value)) for value in jax.tree.leaves(found)), found

    before = recurrent.cudnn_lstm
    recurrent.cudnn_lstm = ends_padded
    try:
        for mask in (ragged, ragged[:, ::-1], random.uniform(size=(6, 7)) < 0.5, None):
            run = jax.value_and_grad(result, argnums=(0, 1, 2, 3), has_aux=True)
            one, other = run(x, h, c, weights, mask, False), run(x, h, c, weights, mask, True)
            for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    finally:
        recurrent.cudnn_lstm = before
