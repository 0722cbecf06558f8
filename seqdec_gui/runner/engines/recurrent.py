"""LSTM and GRU on TensorFlow where cuDNN does not run: equal to Keras's own, with fewer and larger products.

The inputs of all steps are multiplied in one product before the loop, and the gradient of the recurrent kernel is one product
after the backward loop; Keras does both inside. Shapes: B rows, T steps, H units; loops run with time first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

Tensor = Any


def use_fast_loops(layers: list[keras.Layer]) -> int:
    """Switch the class of every LSTM and GRU for which a loop of ours exists; returns their number.

    Left to Keras: recurrent dropout, activations other than Keras's defaults, GRUs that reset before the product.
    """
    count = 0
    for layer in layers:
        fast = {keras.layers.LSTM: FastLSTM, keras.layers.GRU: FastGRU}.get(type(layer))
        if fast is not None and _is_plain(layer.cell):
            layer.__class__ = fast
            count += 1
    return count


def _is_plain(cell: Any) -> bool:
    return (
        not cell.recurrent_dropout
        and cell.use_bias
        and cell.activation is keras.activations.tanh
        and cell.recurrent_activation is keras.activations.sigmoid
        and getattr(cell, "reset_after", True)
    )


class FastLSTM(keras.layers.LSTM):
    """Keras's layer with a loop of ours."""

    def inner_loop(self, sequences: Tensor, initial_state: Any, mask: Any, training: bool = False) -> Any:
        return _run(self, lstm, sequences, initial_state, mask, training)


class FastGRU(keras.layers.GRU):
    """Keras's layer with a loop of ours."""

    def inner_loop(self, sequences: Tensor, initial_state: Any, mask: Any, training: bool = False) -> Any:
        return _run(self, gru, sequences, initial_state, mask, training)


def _run(layer: Any, loop: Callable[..., Any], sequences: Tensor, initial_state: Any, mask: Any, training: bool) -> Any:
    """(last output, outputs (B, T, H), states), as `inner_loop` returns them."""
    mask = mask[0] if isinstance(mask, list | tuple) else mask
    cell = layer.cell
    if training and cell.dropout:  # one mask for all steps, as Keras has it
        sequences = sequences * ops.expand_dims(cell.get_dropout_mask(sequences[:, 0, :]), 1)
    rows = tf.transpose(sequences, (1, 0, 2))
    shown = None if mask is None else tf.transpose(tf.cast(mask, tf.bool))[..., None]
    if layer.go_backwards:
        rows, shown = tf.reverse(rows, [0]), None if shown is None else tf.reverse(shown, [0])
    kernel, recurrent, bias = (ops.convert_to_tensor(weight) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias))
    input_bias = bias if len(bias.shape) == 1 else bias[0]
    projected = tf.matmul(rows, kernel) + input_bias
    states = tuple(initial_state) if isinstance(initial_state, list | tuple) else (initial_state,)
    outputs, final = loop(projected, states, recurrent, bias, shown)
    if shown is not None:  # before the first step that counts Keras gives zeros
        seen = tf.cumsum(tf.cast(shown, tf.int32), axis=0) > 0
        outputs = tf.where(seen, outputs, tf.zeros_like(outputs))
    return outputs[-1], tf.transpose(outputs, (1, 0, 2)), list(final)


def lstm(projected: Tensor, states: tuple[Tensor, ...], recurrent: Tensor, _bias: Tensor, shown: Tensor | None) -> Any:
    """Gates in Keras's order i, f, c, o. Returns h of every step, (T, B, H), and the final (h, c)."""

    @tf.custom_gradient
    def run(projected: Tensor, h: Tensor, c: Tensor, recurrent: Tensor) -> Any:
        def step(t: Tensor, h: Tensor, c: Tensor) -> Any:
            i, f, g, o = tf.split(projected[t] + tf.matmul(h, recurrent), 4, axis=1)
            i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
            after = f * c + i * g
            new = (o * tf.tanh(after), after)
            return _kept(shown, t, new, (h, c)), (tf.concat([i, f, g, o], 1), after)

        (hs, cs), (gates, afters) = _loop(step, tf.shape(projected)[0], (h, c), (projected.shape[-1], c.shape[-1]))

        def gradient(d_hs: Tensor, d_h_last: Tensor, d_c_last: Tensor) -> Any:
            before_h, before_c = _before(h, hs), _before(c, cs)

            def back(t: Tensor, d_h: Tensor, d_c: Tensor) -> Any:
                d_h = d_h + d_hs[t]
                i, f, g, o = tf.split(gates[t], 4, axis=1)
                squashed = tf.tanh(afters[t])
                d_after = d_c + d_h * o * (1 - squashed * squashed)
                d_gates = tf.concat(
                    [
                        d_after * g * i * (1 - i),
                        d_after * before_c[t] * f * (1 - f),
                        d_after * i * (1 - g * g),
                        d_h * squashed * o * (1 - o),
                    ],
                    1,
                )
                if shown is not None:
                    d_gates = tf.where(shown[t], d_gates, tf.zeros_like(d_gates))
                through = (tf.matmul(d_gates, recurrent, transpose_b=True), d_after * f)
                return _kept(shown, t, through, (d_h, d_c)), (d_gates,)

            (d_h, d_c), (d_projected,) = _back(back, tf.shape(projected)[0], (d_h_last, d_c_last), (projected.shape[-1],))
            return d_projected, d_h, d_c, _product_over_steps(before_h, d_projected)

        return (hs, hs[-1], cs[-1]), gradient

    outputs, h, c = run(projected, *states, recurrent)
    return outputs, (h, c)


def gru(projected: Tensor, states: tuple[Tensor, ...], recurrent: Tensor, bias: Tensor, shown: Tensor | None) -> Any:
    """Gates in Keras's order z, r, h, the reset gate after the product. Returns h of every step and the final (h,)."""

    @tf.custom_gradient
    def run(projected: Tensor, h: Tensor, recurrent: Tensor, bias: Tensor) -> Any:
        def step(t: Tensor, h: Tensor) -> Any:
            x, inner = projected[t], tf.matmul(h, recurrent) + bias
            units = h.shape[-1]
            z, r = tf.split(tf.sigmoid(x[:, : 2 * units] + inner[:, : 2 * units]), 2, axis=1)
            candidate = tf.tanh(x[:, 2 * units :] + r * inner[:, 2 * units :])
            new = (z * h + (1 - z) * candidate,)
            return _kept(shown, t, new, (h,)), (tf.concat([z, r, candidate, inner[:, 2 * units :]], 1),)

        width = h.shape[-1]
        (hs,), (saved,) = _loop(step, tf.shape(projected)[0], (h,), (4 * width,))

        def gradient(d_hs: Tensor, d_h_last: Tensor) -> Any:
            before = _before(h, hs)

            def back(t: Tensor, d_h: Tensor) -> Any:
                d_h = d_h + d_hs[t]
                z, r, candidate, inner = tf.split(saved[t], 4, axis=1)
                d_candidate = d_h * (1 - z) * (1 - candidate * candidate)
                d_z = d_h * (before[t] - candidate) * z * (1 - z)
                d_r = d_candidate * inner * r * (1 - r)
                d_x = tf.concat([d_z, d_r, d_candidate], 1)
                d_inner = tf.concat([d_z, d_r, d_candidate * r], 1)
                if shown is not None:
                    d_x = tf.where(shown[t], d_x, tf.zeros_like(d_x))
                    d_inner = tf.where(shown[t], d_inner, tf.zeros_like(d_inner))
                through = (tf.matmul(d_inner, recurrent, transpose_b=True) + d_h * z,)
                return _kept(shown, t, through, (d_h,)), (d_x, d_inner)

            (d_h,), (d_projected, d_inner) = _back(back, tf.shape(projected)[0], (d_h_last,), (3 * width, 3 * width))
            return d_projected, d_h, _product_over_steps(before, d_inner), tf.reduce_sum(d_inner, (0, 1))

        return (hs, hs[-1]), gradient

    outputs, h = run(projected, *states, recurrent, bias[1])
    return outputs, (h,)


# -- loops
def _loop(step: Callable[..., Any], steps: Tensor, states: tuple[Tensor, ...], widths: tuple[int, ...]) -> Any:
    """`step(t, *states) -> (states, saved)` for t = 0, 1, ...; returns all states and all saved, each (T, B, width)."""
    return _collected(step, tf.range(steps), states, widths, keep_states=True)


def _back(step: Callable[..., Any], steps: Tensor, states: tuple[Tensor, ...], widths: tuple[int, ...]) -> Any:
    """The same from the last step to the first; returns the final states."""
    return _collected(step, tf.range(steps - 1, -1, -1), states, widths, keep_states=False)


def _collected(
    step: Callable[..., Any], order: Tensor, states: tuple[Tensor, ...], widths: tuple[int, ...], keep_states: bool
) -> Any:
    steps, rows, dtype = tf.size(order), states[0].shape[0], states[0].dtype
    kept = tuple(state.shape[-1] for state in states) if keep_states else ()
    arrays = tuple(tf.TensorArray(dtype, steps, element_shape=(rows, width)) for width in (*kept, *widths))

    def body(k: Tensor, states: Any, arrays: Any) -> Any:
        new, saved = step(order[k], *states)
        values = (*new, *saved) if keep_states else saved
        return k + 1, new, tuple(array.write(order[k], value) for array, value in zip(arrays, values, strict=True))

    _, states, arrays = tf.while_loop(lambda k, *_: k < steps, body, (0, states, arrays), parallel_iterations=1)
    stacked = tuple(array.stack() for array in arrays)
    return (stacked[: len(kept)] if keep_states else states), stacked[len(kept) :]


def _kept(shown: Tensor | None, t: Tensor, new: tuple[Tensor, ...], old: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The new values where the step counts, else the old ones."""
    if shown is None:
        return new
    return tuple(tf.where(shown[t], a, b) for a, b in zip(new, old, strict=True))


def _before(first: Tensor, states: Tensor) -> Tensor:
    """The state that each step started from, (T, B, H)."""
    return tf.concat([first[None], states[:-1]], 0)


def _product_over_steps(states: Tensor, gradients: Tensor) -> Tensor:
    """The gradient of the recurrent kernel: one product over all steps and rows."""
    flat = (tf.reshape(values, (-1, values.shape[-1])) for values in (states, gradients))
    return tf.matmul(*flat, transpose_a=True)
