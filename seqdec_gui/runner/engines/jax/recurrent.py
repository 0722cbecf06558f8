"""LSTM and GRU over whole sequences, with Keras's results but faster: functions of arrays, without layers.

Three things make them fast. The inputs of all steps are multiplied in one product before the loop. The gradients of the
recurrent kernel are one product after the loop, not a sum inside it: that is why the loops have derivatives written by hand.
And an iteration of the loop may take several steps, which a GPU starts as one graph. That is faster than cuDNN's LSTM, which is
here for comparison (a masked sequence is compacted for it, so that padding may stand anywhere).

Shapes: B rows, T steps, H units; gates are stored side by side in Keras's order (LSTM: i, f, c, o; GRU: z, r, h).
The loops run with time first; masks are bool (T, B, 1).
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from seqdec_gui.runner.engines.jax.unrolled_scan import unroll_for, unrolled_scan

Array = Any


class Outputs(NamedTuple):
    """The outputs of all steps (B, T, H), in the order in which they were computed, and the final states (B, H)."""

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
    unroll: int = 1,
) -> Outputs:
    """Run an LSTM over a batch of sequences.

    Args:
        inputs: (B, T, F).
        h: Initial output (B, H).
        c: Initial cell state (B, H).
        mask: bool (B, T), or None; where it is False, states and output are those of the step before.
        kernel: (F, 4H).
        recurrent_kernel: (H, 4H).
        bias: (4H,).
        cudnn: Whether to run in cuDNN's kernel instead of the own loop.
        unroll: About how many steps one iteration of the loop takes.
    """
    if cudnn:
        return _lstm_on_cudnn(inputs, h, c, mask, kernel, recurrent_kernel, bias)
    unroll_length = unroll_for(inputs.shape[1], unroll)
    sequence, h, c = lstm_loop(project(inputs, kernel, bias), h, c, recurrent_kernel, time_first(mask), unroll_length)
    return Outputs(sequence.swapaxes(0, 1), (h, c))


def gru(
    inputs: Array,
    h: Array,
    mask: Array | None,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array,
    reset_after: bool,
    unroll: int = 1,
) -> Outputs:
    """Run a GRU over a batch of sequences; arguments as for `lstm`, with 3H in place of 4H.

    `reset_after`: whether the reset gate is applied after the product with the state; `bias` is then (2, 3H), otherwise (3H,).
    """
    step_mask, unroll_length = time_first(mask), unroll_for(inputs.shape[1], unroll)
    if reset_after:
        sequence, h = gru_loop(project(inputs, kernel, bias[0]), h, recurrent_kernel, bias[1], step_mask, unroll_length)
    else:
        sequence, h = _gru_loop_reset_before(project(inputs, kernel, bias), h, recurrent_kernel, step_mask, unroll_length)
    return Outputs(sequence.swapaxes(0, 1), (h,))


def project(inputs: Array, kernel: Array, bias: Array) -> Array:
    """Return the part of the gates that depends on the inputs, (T, B, gates * H), in one product for all steps."""
    rows = inputs.swapaxes(0, 1)
    flat = _product(rows.reshape(-1, rows.shape[-1]), kernel) + bias.astype("float32")
    return flat.astype(inputs.dtype).reshape(*rows.shape[:2], -1)


def time_first(mask: Array | None) -> Array | None:
    """Return a mask (B, T) as bool (T, B, 1); None stays None."""
    return None if mask is None else mask.astype(bool).swapaxes(0, 1)[..., None]


@jax.custom_vjp
def _product(a: Array, b: Array) -> Array:
    """Return a @ b accumulated in float32, whatever the dtype of the operands.

    The gradients are products of operands of that dtype too, where JAX would first convert both to float32.
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
def lstm_loop(z: Array, h: Array, c: Array, kernel: Array, mask: Array | None, unroll: int = 1) -> tuple[Array, Array, Array]:
    """Return all outputs (T, B, H) and the final states (B, H).

    Args:
        z: The part of the gates that depends on the inputs (T, B, 4H), from `project`.
        h: Initial output (B, H).
        c: Initial cell state (B, H).
        kernel: The recurrent kernel (H, 4H).
        mask: bool (T, B, 1) or None.
        unroll: Steps of one iteration.
    """
    return _lstm_forward(z, h, c, kernel, mask, unroll)[0]


def _lstm_forward(z: Array, h0: Array, c0: Array, kernel: Array, mask: Array | None, unroll: int) -> tuple[Any, Any]:
    """Compute the results of `lstm_loop` and what the backward pass needs.

    Without unrolling, on a CPU, that is all factors of the gradients, which cost little while the gates are in the cache. A GPU
    saves only the states: it recomputes the gates faster than it writes and reads the factors.
    """
    dtype, saves_factors = z.dtype, unroll == 1

    def step(states: tuple[Array, Array], now: tuple[Array, Array | None]) -> Any:
        h, c = states
        from_inputs, valid = now
        new_h, new_c, factors = _lstm_cell(from_inputs + _product(h.astype(dtype), kernel), c)
        if valid is not None:
            new_h, new_c = jnp.where(valid, new_h, h), jnp.where(valid, new_c, c)
        saved = factors if saves_factors else (c,)
        return (new_h, new_c), (new_h.astype(dtype), *(value.astype(dtype) for value in saved))

    first = (h0.astype("float32"), c0.astype("float32"))
    (h, c), (hs, *saved) = unrolled_scan(step, first, (z, mask), unroll)
    return (hs, h.astype(dtype), c.astype(dtype)), (h0, c0, kernel, mask, hs, saved, None if saves_factors else z)


def _lstm_cell(z: Array, c: Array) -> tuple[Array, Array, tuple[Array, Array, Array]]:
    """Return the new h and c, and the factors of the backward pass, for gates before activation (..., 4H) and the previous c.

    The factors are `slopes`, d(c or h) / d(gate before activation) (..., 4H); `through`, dh / dc of the output; and the forget
    gate.
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


def _lstm_backward(unroll: int, saved: Any, gradients: Any) -> tuple[Array, Array, Array, Array, None]:
    h0, c0, kernel, mask, hs, factors, z = saved
    d_hs, d_h, d_c = gradients
    dtype, back = hs.dtype, kernel.T
    # the part of the gates that depends on the states, in one product for all steps; d_z overwrites its memory
    from_states = None if z is None else _product(_flat(_before(h0, hs)), kernel).reshape(z.shape).astype(dtype)

    def step(carried: tuple[Array, Array], now: tuple[Array, ...]) -> Any:
        d_h, d_c_next = carried
        d_y, valid, *rest = now
        slopes, through, f = rest if z is None else _lstm_factors(*rest)
        d_h = d_h + d_y
        d_c = d_c_next + d_h * through
        d_z = (jnp.concatenate([d_c, d_c, d_c, d_h], -1) * slopes).astype(dtype)
        if valid is None:
            return (_product(d_z, back), d_c * f), (d_z,)
        d_z = jnp.where(valid, d_z, 0)
        return (jnp.where(valid, _product(d_z, back), d_h), jnp.where(valid, d_c * f, d_c_next)), (d_z,)

    last = (d_h.astype("float32"), d_c.astype("float32"))
    sequences = (d_hs, mask, *factors) if z is None else (d_hs, mask, *factors, z)
    (d_h0, d_c0), (d_z,) = unrolled_scan(step, last, sequences, unroll, reverse=True, memory=from_states)
    d_kernel = outer(h0, hs, d_z).astype(kernel.dtype)
    return d_z, d_h0.astype(h0.dtype), d_c0.astype(c0.dtype), d_kernel, None


def _lstm_factors(c: Array, from_inputs: Array, from_states: Array) -> tuple[Array, Array, Array]:
    """Return the factors of `_lstm_cell` for the previous c and both parts of the gates."""
    return _lstm_cell(from_inputs.astype("float32") + from_states, c.astype("float32"))[2]


def _before(first: Array, states: Array) -> Array:
    """Return the state before each step (T, B, H), from the initial state and those after each step."""
    return jnp.concatenate([first.astype(states.dtype)[None], states[:-1]])


def outer(h0: Array, hs: Array, d_z: Array) -> Array:
    """Return the gradient of the recurrent kernel: the states before each step times `d_z`, summed over rows and steps."""
    # without the barrier XLA joins this product with that of the inputs, after copying the operands of both side by side
    d_z = lax.optimization_barrier(d_z)
    return _product(_flat(_before(h0, hs)).T, _flat(d_z))


def _flat(lines: Array) -> Array:
    """Return an array (T, B, n) as (T * B, n)."""
    return lines.reshape(-1, lines.shape[-1])


lstm_loop.defvjp(_lstm_forward, _lstm_backward)


# -- GRU: Cho et al. 2014, with the reset gate after the product, as in cuDNN
@functools.partial(jax.custom_vjp, nondiff_argnums=(5,))
def gru_loop(x: Array, h: Array, kernel: Array, bias: Array, mask: Array | None, unroll: int = 1) -> tuple[Array, Array]:
    """Return all outputs (T, B, H) and the final state (B, H).

    `x` (T, B, 3H) is the part of the gates that depends on the inputs, `kernel` (H, 3H) and `bias` (3H,) are those of the
    state; `mask` and `unroll` as for `lstm_loop`.
    """
    return _gru_forward(x, h, kernel, bias, mask, unroll)[0]


def _gru_forward(x: Array, h0: Array, kernel: Array, bias: Array, mask: Array | None, unroll: int) -> tuple[Any, Any]:
    """Compute the results of `gru_loop`, and what the backward pass needs, chosen as in `_lstm_forward`."""
    dtype, saves_factors = x.dtype, unroll == 1
    bias32 = bias.astype("float32")

    def step(h: Array, now: tuple[Array, Array | None]) -> Any:
        from_inputs, valid = now
        new_h, factors = _gru_cell(from_inputs, _product(h.astype(dtype), kernel) + bias32, h)
        if valid is not None:
            new_h = jnp.where(valid, new_h, h)
        return new_h, (new_h.astype(dtype), *(value.astype(dtype) for value in factors if saves_factors))

    h, (hs, *factors) = unrolled_scan(step, h0.astype("float32"), (x, mask), unroll)
    return (hs, h.astype(dtype)), (h0, kernel, bias, mask, hs, factors, None if saves_factors else x)


def _gru_cell(x: Array, inner: Array, h: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    """Return the new h and the factors of the backward pass.

    Args:
        x: The part of the gates before activation that depends on the inputs (..., 3H).
        inner: The part that depends on the state (..., 3H).
        h: The previous output (..., H).

    The factors are `slopes`, dh / d(inner) (..., 3H); `direct`, dh / d(candidate of x); and the update gate.
    """
    units = h.shape[-1]
    z, r = _gates(0.5 * jnp.tanh(0.5 * (x[..., : 2 * units] + inner[..., : 2 * units])) + 0.5, 2)
    q = inner[..., 2 * units :]
    g = jnp.tanh(x[..., 2 * units :] + r * q)
    direct = (1 - z) * (1 - g * g)
    slopes = jnp.concatenate([(h - g) * z * (1 - z), direct * q * r * (1 - r), direct * r], -1)
    return z * h + (1 - z) * g, (slopes, direct, z)


def _gru_backward(unroll: int, saved: Any, gradients: Any) -> tuple[Array, Array, Array, Array, None]:
    h0, kernel, bias, mask, hs, factors, x = saved
    d_hs, d_h = gradients
    dtype, back, units, bias32 = hs.dtype, kernel.T, hs.shape[-1], bias.astype("float32")
    before = _before(h0, hs)
    from_states = None if x is None else _product(_flat(before), kernel).reshape(x.shape).astype(dtype)

    def factors_of(h: Array, from_inputs: Array, inner: Array) -> tuple[Array, Array, Array]:
        return _gru_cell(from_inputs, inner + bias32, h.astype("float32"))[1]

    def step(d_h: Array, now: tuple[Array, ...]) -> Any:
        d_y, valid, *rest = now
        slopes, direct, z = rest if x is None else factors_of(*rest)
        d_h = d_h + d_y
        d_inner = (jnp.concatenate([d_h, d_h, d_h], -1) * slopes).astype(dtype)
        d_candidate = (d_h * direct).astype(dtype)
        if valid is None:
            return d_h * z + _product(d_inner, back), (d_inner, d_candidate)
        d_inner, d_candidate = jnp.where(valid, d_inner, 0), jnp.where(valid, d_candidate, 0)
        return jnp.where(valid, d_h * z + _product(d_inner, back), d_h), (d_inner, d_candidate)

    sequences = (d_hs, mask, *factors) if x is None else (d_hs, mask, before, x)
    d_h0, (d_inner, d_candidate) = unrolled_scan(
        step, d_h.astype("float32"), sequences, unroll, reverse=True, memory=from_states
    )
    d_x = jnp.concatenate([d_inner[..., : 2 * units], d_candidate], -1)
    d_kernel = outer(h0, hs, d_inner).astype(kernel.dtype)
    d_bias = d_inner.astype("float32").sum((0, 1)).astype(bias.dtype)
    return d_x, d_h0.astype(h0.dtype), d_kernel, d_bias, None


gru_loop.defvjp(_gru_forward, _gru_backward)


def _gru_loop_reset_before(x: Array, h0: Array, kernel: Array, mask: Array | None, unroll: int) -> tuple[Array, Array]:
    """Run the GRU of Cho et al. 2014 as published: reset gate before the product. Rare, so JAX derives the gradient."""
    dtype, units = x.dtype, h0.shape[-1]

    def step(h: Array, now: tuple[Array, Array | None]) -> Any:
        from_inputs, valid = now
        both = jax.nn.sigmoid(from_inputs[:, : 2 * units] + _product(h.astype(dtype), kernel[:, : 2 * units]))
        z, r = _gates(both, 2)
        g = jnp.tanh(from_inputs[:, 2 * units :] + _product((r * h).astype(dtype), kernel[:, 2 * units :]))
        new_h = z * h + (1 - z) * g
        if valid is not None:
            new_h = jnp.where(valid, new_h, h)
        return new_h, new_h.astype(dtype)

    h, hs = lax.scan(step, h0.astype("float32"), (x, mask), unroll=unroll)
    return hs, h.astype(dtype)


# -- cuDNN
def _lstm_on_cudnn(
    inputs: Array, h: Array, c: Array, mask: Array | None, kernel: Array, recurrent_kernel: Array, bias: Array
) -> Outputs:
    """Run `lstm` in cuDNN's kernel.

    cuDNN skips padding only at the end of a sequence, so the valid steps are moved to the front and their outputs back.
    """
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
    # a masked step has the output of the valid step before it, or the initial state where there is none
    seen = jnp.cumsum(mask, axis=1, dtype="int32")
    placed = jnp.take_along_axis(sequence, jnp.maximum(seen - 1, 0)[..., None], axis=1)
    return Outputs(jnp.where((seen == 0)[..., None], h[:, None], placed), (last_h, last_c))


def cudnn_lstm(
    inputs: Array, h: Array, c: Array, kernel: Array, recurrent_kernel: Array, bias: Array, lengths: Array
) -> tuple[Array, Array, Array]:
    """Run cuDNN's LSTM in float32 on sequences padded at the end, of `lengths` (B,) steps; its order of gates is Keras's."""
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
