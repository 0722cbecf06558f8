"""LSTM and GRU over whole sequences, equal to Keras's own but faster: the arithmetic, without layers.

Three things make it fast. The inputs of all steps are multiplied in one product before the loop. The gradients of the
recurrent kernel are one product after the loop, not a sum inside it: that is why the loops have derivatives written by hand.
And a turn of the loop may take several steps, which a GPU then starts as one graph: faster than cuDNN's LSTM, which is here
for comparison (a masked sequence is compacted for it, so that padding may stand anywhere).

Shapes: B rows, T steps, H units; gates are stored side by side in Keras's order (LSTM: i, f, c, o; GRU: z, r, h).
The loops run with time first; masks are bool (T, B, 1).
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from seqdec_gui.runner.engines.jax.unrolled_scan import over_steps, steps_of_a_turn

Array = Any


class Outputs(NamedTuple):
    """All outputs (B, T, H), in the order in which they were computed, and the final states (B, H)."""

    sequence: Array
    states: tuple[Array, ...]


def lstm(
    inputs: Array,
    h: Array,
    c: Array,
    mask: Array | None,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array,
    cudnn: bool = False,
    per_turn: int = 1,
) -> Outputs:
    """inputs (B, T, F), states (B, H), mask bool (B, T) or None. Where it is False, state and output stay as they were.

    `per_turn` is about how many steps a turn of the loop takes.
    """
    if cudnn:
        return _lstm_on_cudnn(inputs, h, c, mask, kernel, recurrent_kernel, bias)
    turn = steps_of_a_turn(inputs.shape[1], per_turn)
    sequence, h, c = lstm_loop(project(inputs, kernel, bias), h, c, recurrent_kernel, time_first(mask), turn)
    return Outputs(sequence.swapaxes(0, 1), (h, c))


def gru(
    inputs: Array,
    h: Array,
    mask: Array | None,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array,
    reset_after: bool,
    per_turn: int = 1,
) -> Outputs:
    """As `lstm`; bias (2, 3H) where the reset gate is applied after the product, otherwise (3H)."""
    shown, turn = time_first(mask), steps_of_a_turn(inputs.shape[1], per_turn)
    if reset_after:
        sequence, h = gru_loop(project(inputs, kernel, bias[0]), h, recurrent_kernel, bias[1], shown, turn)
    else:
        sequence, h = _gru_loop_reset_before(project(inputs, kernel, bias), h, recurrent_kernel, shown, turn)
    return Outputs(sequence.swapaxes(0, 1), (h,))


def project(inputs: Array, kernel: Array, bias: Array) -> Array:
    """The part of all gates that comes from the inputs: (T, B, gates * H), one product for all steps."""
    rows = inputs.swapaxes(0, 1)
    flat = _product(rows.reshape(-1, rows.shape[-1]), kernel) + bias.astype("float32")
    return flat.astype(inputs.dtype).reshape(*rows.shape[:2], -1)


def time_first(mask: Array | None) -> Array | None:
    return None if mask is None else mask.astype(bool).swapaxes(0, 1)[..., None]


@jax.custom_vjp
def _product(a: Array, b: Array) -> Array:
    """a @ b, added up in float32 whatever the operands are. Its gradients are products of such operands too, where JAX would
    make float32 of both.
    """
    return lax.dot(a, b, preferred_element_type=jnp.float32)


def _product_backward(operands: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    a, b = operands
    gradient = gradient.astype(a.dtype)
    return _product(gradient, b.T).astype(a.dtype), _product(a.T, gradient).astype(b.dtype)


_product.defvjp(lambda a, b: (_product(a, b), (a, b)), _product_backward)


def _gates(z: Array, count: int) -> list[Array]:
    units = z.shape[-1] // count
    return [z[..., k * units : (k + 1) * units] for k in range(count)]


# -- LSTM: Hochreiter and Schmidhuber 1997, with forget gates
@functools.partial(jax.custom_vjp, nondiff_argnums=(5,))
def lstm_loop(z: Array, h: Array, c: Array, kernel: Array, mask: Array | None, turn: int = 1) -> tuple[Array, Array, Array]:
    """z (T, B, 4H) from the inputs, states (B, H), recurrent kernel (H, 4H): all outputs (T, B, H) and the final states."""
    return _lstm_forward(z, h, c, kernel, mask, turn)[0]


def _lstm_forward(z: Array, h0: Array, c0: Array, kernel: Array, mask: Array | None, turn: int) -> tuple[Any, Any]:
    """Saves what the way back needs. Step by step, on a CPU: all its factors, which cost little where the gates are at hand.
    A GPU saves the states alone: it computes the gates anew faster than it writes and reads their factors.
    """
    dtype, saves_factors = z.dtype, turn == 1

    def step(states: tuple[Array, Array], now: tuple[Array, Array | None]) -> Any:
        h, c = states
        given, shown = now
        new_h, new_c, factors = _lstm_cell(given + _product(h.astype(dtype), kernel), c)
        if shown is not None:
            new_h, new_c = jnp.where(shown, new_h, h), jnp.where(shown, new_c, c)
        saved = factors if saves_factors else (c,)
        return (new_h, new_c), (new_h.astype(dtype), *(value.astype(dtype) for value in saved))

    first = (h0.astype("float32"), c0.astype("float32"))
    (h, c), (hs, *saved) = over_steps(step, first, (z, mask), turn)
    return (hs, h.astype(dtype), c.astype(dtype)), (h0, c0, kernel, mask, hs, saved, None if saves_factors else z)


def _lstm_cell(z: Array, c: Array) -> tuple[Array, Array, tuple[Array, Array, Array]]:
    """Gates before activation (..., 4H) and c before: h, c, and the factors of the way back: `slopes` d(c or h) / d(gate before
    activation) (..., 4H), `through` dc / d(tanh c) of the output, and the forget gate.
    """
    units = c.shape[-1]
    # sigmoid(x) = tanh(x / 2) / 2 + 1/2, so that one tanh serves all gates
    half, one, zero = jnp.full(units, 0.5), jnp.ones(units), jnp.zeros(units)
    scale, shift = jnp.concatenate([half, half, one, half]), jnp.concatenate([half, half, zero, half])
    i, f, g, o = _gates(jnp.tanh(z * scale) * scale + shift, 4)
    new_c = f * c + i * g
    tanh_c = jnp.tanh(new_c)
    slopes = jnp.concatenate([g * i * (1 - i), c * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)], -1)
    return o * tanh_c, new_c, (slopes, o * (1 - tanh_c * tanh_c), f)


def _lstm_backward(turn: int, saved: Any, gradients: Any) -> tuple[Array, Array, Array, Array, None]:
    h0, c0, kernel, mask, hs, factors, z = saved
    d_hs, d_h, d_c = gradients
    dtype, back = hs.dtype, kernel.T
    # what the gates have from the states, of all steps in one product; d_z takes its place
    from_states = None if z is None else _product(_flat(_before(h0, hs)), kernel).reshape(z.shape).astype(dtype)

    def step(carried: tuple[Array, Array], now: tuple[Array, ...]) -> Any:
        d_h, d_c_given = carried
        d_y, shown, *rest = now
        slopes, through, f = rest if z is None else _lstm_factors(*rest)
        d_h = d_h + d_y
        d_c = d_c_given + d_h * through
        d_z = (jnp.concatenate([d_c, d_c, d_c, d_h], -1) * slopes).astype(dtype)
        if shown is None:
            return (_product(d_z, back), d_c * f), (d_z,)
        d_z = jnp.where(shown, d_z, 0)
        return (jnp.where(shown, _product(d_z, back), d_h), jnp.where(shown, d_c * f, d_c_given)), (d_z,)

    last = (d_h.astype("float32"), d_c.astype("float32"))
    given = (d_hs, mask, *factors) if z is None else (d_hs, mask, *factors, z)
    (d_h0, d_c0), (d_z,) = over_steps(step, last, given, turn, reverse=True, memory=from_states)
    d_kernel = outer(h0, hs, d_z).astype(kernel.dtype)
    return d_z, d_h0.astype(h0.dtype), d_c0.astype(c0.dtype), d_kernel, None


def _lstm_factors(c: Array, from_inputs: Array, from_states: Array) -> tuple[Array, Array, Array]:
    """Those of `_lstm_cell`, for c before the step."""
    return _lstm_cell(from_inputs.astype("float32") + from_states, c.astype("float32"))[2]


def _before(first: Array, states: Array) -> Array:
    """The states (T, B, H) that the steps began with."""
    return jnp.concatenate([first.astype(states.dtype)[None], states[:-1]])


def outer(h0: Array, hs: Array, d_z: Array) -> Array:
    """The gradient of the recurrent kernel: states before each step, times gradients, summed over rows and steps."""
    # XLA would make one product of this and that with the inputs, first copying both side by side
    d_z = lax.optimization_barrier(d_z)
    return _product(_flat(_before(h0, hs)).T, _flat(d_z))


def _flat(lines: Array) -> Array:
    """(T, B, n) to (T * B, n)."""
    return lines.reshape(-1, lines.shape[-1])


lstm_loop.defvjp(_lstm_forward, _lstm_backward)


# -- GRU: Cho et al. 2014, with the reset gate after the product, as in cuDNN
@functools.partial(jax.custom_vjp, nondiff_argnums=(5,))
def gru_loop(x: Array, h: Array, kernel: Array, bias: Array, mask: Array | None, turn: int = 1) -> tuple[Array, Array]:
    """x (T, B, 3H) from the inputs, state (B, H), recurrent kernel (H, 3H) and bias (3H): outputs (T, B, H), final state."""
    return _gru_forward(x, h, kernel, bias, mask, turn)[0]


def _gru_forward(x: Array, h0: Array, kernel: Array, bias: Array, mask: Array | None, turn: int) -> tuple[Any, Any]:
    """Saves what `_lstm_forward` does, for the same reasons: the factors of the way back, or the states alone."""
    dtype, saves_factors = x.dtype, turn == 1
    bias32 = bias.astype("float32")

    def step(h: Array, now: tuple[Array, Array | None]) -> Any:
        given, shown = now
        new_h, factors = _gru_cell(given, _product(h.astype(dtype), kernel) + bias32, h)
        if shown is not None:
            new_h = jnp.where(shown, new_h, h)
        return new_h, (new_h.astype(dtype), *(value.astype(dtype) for value in factors if saves_factors))

    h, (hs, *factors) = over_steps(step, h0.astype("float32"), (x, mask), turn)
    return (hs, h.astype(dtype)), (h0, kernel, bias, mask, hs, factors, None if saves_factors else x)


def _gru_cell(x: Array, inner: Array, h: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    """Gates before activation from the inputs and from the state, each (..., 3H), and h before: h, and the factors of the way
    back: `slopes` dh / d(gates from the state) (..., 3H), `direct` dh / d(candidate from the inputs), and the update gate.
    """
    units = h.shape[-1]
    z, r = _gates(0.5 * jnp.tanh(0.5 * (x[..., : 2 * units] + inner[..., : 2 * units])) + 0.5, 2)
    q = inner[..., 2 * units :]
    g = jnp.tanh(x[..., 2 * units :] + r * q)
    direct = (1 - z) * (1 - g * g)
    slopes = jnp.concatenate([(h - g) * z * (1 - z), direct * q * r * (1 - r), direct * r], -1)
    return z * h + (1 - z) * g, (slopes, direct, z)


def _gru_backward(turn: int, saved: Any, gradients: Any) -> tuple[Array, Array, Array, Array, None]:
    h0, kernel, bias, mask, hs, factors, x = saved
    d_hs, d_h = gradients
    dtype, back, units, bias32 = hs.dtype, kernel.T, hs.shape[-1], bias.astype("float32")
    before = _before(h0, hs)
    from_states = None if x is None else _product(_flat(before), kernel).reshape(x.shape).astype(dtype)

    def factors_of(h: Array, given: Array, inner: Array) -> tuple[Array, Array, Array]:
        return _gru_cell(given, inner + bias32, h.astype("float32"))[1]

    def step(d_h: Array, now: tuple[Array, ...]) -> Any:
        d_y, shown, *rest = now
        slopes, direct, z = rest if x is None else factors_of(*rest)
        d_h = d_h + d_y
        d_inner = (jnp.concatenate([d_h, d_h, d_h], -1) * slopes).astype(dtype)
        d_candidate = (d_h * direct).astype(dtype)
        if shown is None:
            return d_h * z + _product(d_inner, back), (d_inner, d_candidate)
        d_inner, d_candidate = jnp.where(shown, d_inner, 0), jnp.where(shown, d_candidate, 0)
        return jnp.where(shown, d_h * z + _product(d_inner, back), d_h), (d_inner, d_candidate)

    sequences = (d_hs, mask, *factors) if x is None else (d_hs, mask, before, x)
    d_h0, (d_inner, d_candidate) = over_steps(step, d_h.astype("float32"), sequences, turn, reverse=True, memory=from_states)
    d_x = jnp.concatenate([d_inner[..., : 2 * units], d_candidate], -1)
    d_kernel = outer(h0, hs, d_inner).astype(kernel.dtype)
    d_bias = d_inner.astype("float32").sum((0, 1)).astype(bias.dtype)
    return d_x, d_h0.astype(h0.dtype), d_kernel, d_bias, None


gru_loop.defvjp(_gru_forward, _gru_backward)


def _gru_loop_reset_before(x: Array, h0: Array, kernel: Array, mask: Array | None, turn: int) -> tuple[Array, Array]:
    """Cho et al. 2014 as published: the reset gate is applied before the product. Rare, so JAX derives it."""
    dtype, units = x.dtype, h0.shape[-1]

    def step(h: Array, now: tuple[Array, Array | None]) -> Any:
        given, shown = now
        both = jax.nn.sigmoid(given[:, : 2 * units] + _product(h.astype(dtype), kernel[:, : 2 * units]))
        z, r = _gates(both, 2)
        g = jnp.tanh(given[:, 2 * units :] + _product((r * h).astype(dtype), kernel[:, 2 * units :]))
        new_h = z * h + (1 - z) * g
        if shown is not None:
            new_h = jnp.where(shown, new_h, h)
        return new_h, new_h.astype(dtype)

    h, hs = lax.scan(step, h0.astype("float32"), (x, mask), unroll=turn)
    return hs, h.astype(dtype)


# -- cuDNN
def _lstm_on_cudnn(
    inputs: Array, h: Array, c: Array, mask: Array | None, kernel: Array, recurrent_kernel: Array, bias: Array
) -> Outputs:
    """cuDNN skips padding at the end only: the valid steps are moved to the front, and the outputs back."""
    steps = inputs.shape[1]
    if mask is None:
        lengths = jnp.full(inputs.shape[0], steps, "int32")
        sequence, last_h, last_c = cudnn_lstm(inputs, h, c, kernel, recurrent_kernel, bias, lengths)
        return Outputs(sequence, (last_h, last_c))
    mask = mask.astype(bool)
    count = mask.sum(1, dtype="int32")
    front = jnp.argsort(~mask, axis=1, stable=True)  # places of the valid steps, in order
    packed = jnp.take_along_axis(inputs, front[..., None], axis=1)
    sequence, last_h, last_c = cudnn_lstm(packed, h, c, kernel, recurrent_kernel, bias, jnp.maximum(count, 1))
    none = (count == 0)[:, None]
    last_h, last_c = jnp.where(none, h, last_h), jnp.where(none, c, last_c)
    # a masked step shows the output of the valid step before it, and the initial state where there is none
    seen = jnp.cumsum(mask, axis=1, dtype="int32")
    placed = jnp.take_along_axis(sequence, jnp.maximum(seen - 1, 0)[..., None], axis=1)
    return Outputs(jnp.where((seen == 0)[..., None], h[:, None], placed), (last_h, last_c))


def cudnn_lstm(
    inputs: Array, h: Array, c: Array, kernel: Array, recurrent_kernel: Array, bias: Array, lengths: Array
) -> tuple[Array, Array, Array]:
    """cuDNN's LSTM in float32 for sequences padded at the end; gates in its order, which is Keras's."""
    from jax.experimental.rnn import lstm as on_cudnn

    dtype, width, units = inputs.dtype, inputs.shape[-1], recurrent_kernel.shape[0]
    inputs, h, c, kernel, recurrent_kernel, bias = (
        value.astype("float32") for value in (inputs, h, c, kernel, recurrent_kernel, bias)
    )
    weights = jnp.concatenate([kernel.T.ravel(), recurrent_kernel.T.ravel(), bias, jnp.zeros_like(bias)])
    sequence, last_h, last_c = on_cudnn(
        inputs, h[None], c[None], weights, lengths,
        input_size=width, hidden_size=units, num_layers=1, dropout=0.0, bidirectional=False,
    )  # fmt: skip
    return sequence.astype(dtype), last_h[0].astype(dtype), last_c[0].astype(dtype)
