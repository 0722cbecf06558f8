"""Faster subclasses of Keras's layers, which replace the class of a layer after Keras has built it.

The layer keeps its variables, name and configuration; only its class changes. Files are written from a fresh build, so none of
these classes ever appears in a file.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container
from typing import Any

import jax
import jax.numpy as jnp
import keras
from jax import lax
from keras import ops

from seqdec_gui.runner import randomness
from seqdec_gui.runner.engines.jax import recurrent, whole
from seqdec_gui.runner.normalization import (
    GlobalBatchNormalization,
    all_layers,
    combine,
    local_moments,
    use_global_moments,
)
from seqdec_gui.runner.standard_cells import has_standard_gates

Array = Any
REPLICAS = "replicas"
"""Name of the mesh axis along which a global batch is split."""


def accelerate_layers(
    model: keras.Model,
    *,
    global_statistics: bool,
    replicas: int,
    shards: int,
    cudnn: bool,
    unroll: int = 1,
    whole_layers: Container[whole.Layer] = (),
) -> None:
    """Replace the classes of recurrent layers by faster ones, and make BatchNormalization use the moments of the whole batch.

    Args:
        model: A built Keras model.
        global_statistics: Whether BatchNormalization takes its moments over the rows of all replicas.
        replicas: Devices that share a batch.
        shards: Parts in which the batch is computed: `replicas`, or several for a single CPU with several cores.
        cudnn: Whether LSTMs run in cuDNN's kernel.
        unroll: About how many steps of a sequence one iteration of a recurrent loop takes.
        whole_layers: What runs as one kernel for the whole sequence.
    """
    for layer in all_layers(model):
        as_whole = whole_layer(layer) in whole_layers
        if is_standard_lstm(layer):
            layer.__class__ = FastLSTM
            layer.on_cudnn, layer.loop_unroll, layer.as_whole = cudnn, unroll, as_whole
        elif type(layer) is keras.layers.GRU and _is_standard(layer):
            layer.__class__ = FastGRU
            layer.loop_unroll, layer.as_whole = unroll, as_whole
        elif type(layer) is keras.layers.Bidirectional and not cudnn:
            for inner in (layer.forward_layer, layer.backward_layer):
                inner.use_cudnn = False  # or Keras asks for its fused call first
    if shards > 1 and (global_statistics or replicas == 1):
        share_moments(model)


def share_moments(model: keras.Model) -> None:
    """Make every BatchNormalization take its moments over the rows of all replicas.

    The model then runs only inside a `shard_map` over `REPLICAS`.
    """
    use_global_moments(model, gather_replicas)
    for layer in all_layers(model):
        if type(layer) is GlobalBatchNormalization:
            layer.__class__ = FastBatchNormalization


def is_standard_lstm(layer: Any) -> bool:
    """Whether the layer is Keras's own LSTM and computes what `recurrent.lstm` does."""
    return type(layer) is keras.layers.LSTM and _is_standard(layer)


def whole_layer(layer: Any) -> whole.Layer | None:
    """Return what a layer is to the kernels for whole sequences; None if they do not compute what it does."""
    if is_standard_lstm(layer):
        return whole.Layer("LSTM", layer.units, layer.compute_dtype)
    if type(layer) is keras.layers.GRU and _is_standard(layer) and layer.cell.reset_after:
        return whole.Layer("GRU", layer.units, layer.compute_dtype)
    return None


def _is_standard(layer: Any) -> bool:
    """Whether the layer's options are those of cuDNN's kernels, which the functions of `recurrent` compute."""
    cell = layer.cell
    return bool(has_standard_gates(cell) and not cell.recurrent_dropout and not layer.unroll and not layer.stateful)


Loop = Callable[[Array, Array | None], recurrent.Outputs]


def _run(layer: Any, sequences: Array, mask: Any, training: bool, loop: Loop) -> tuple[Array, Array, list[Array]]:
    """Return what Keras's `inner_loop` does: last output, outputs and states.

    `loop` maps inputs (B, T, F) and a mask to outputs; this function adds the dropout of the inputs and the direction.
    """
    mask = mask[0] if isinstance(mask, list | tuple) else mask
    if training and layer.dropout:
        sequences = sequences * layer.cell.get_dropout_mask(sequences[:, 0, :])[:, None]
    if layer.go_backwards:
        sequences = jnp.flip(sequences, 1)
        mask = None if mask is None else jnp.flip(mask, 1)
    result = loop(sequences, mask)
    outputs, last = result.sequence, result.sequence[:, -1]
    if mask is not None and layer.zero_output_for_mask:
        outputs = jnp.where(mask.astype(bool)[..., None], outputs, 0)
        last = outputs[:, -1]
    return last, outputs if layer.return_sequences else last[:, None], list(result.states)


class FastLSTM(keras.layers.LSTM):
    """LSTM that runs `recurrent.lstm`, cuDNN's kernel (`on_cudnn`), or `whole.lstm` (`as_whole`)."""

    on_cudnn = False
    as_whole = False
    loop_unroll = 1

    def inner_loop(
        self, sequences: Array, initial_state: list[Array], mask: Any, training: bool = False
    ) -> tuple[Array, Array, list[Array]]:
        cell = self.cell
        h, c = initial_state
        weights = {
            "kernel": ops.convert_to_tensor(cell.kernel),
            "recurrent_kernel": ops.convert_to_tensor(cell.recurrent_kernel),
            "bias": ops.convert_to_tensor(cell.bias),
        }
        plan = whole.plan_for(self.units, len(sequences), sequences.dtype.name) if self.as_whole else None

        def loop(x: Array, mask: Array | None) -> recurrent.Outputs:
            if plan is not None:
                return whole.lstm(x, h, c, **weights, plan=plan, mask=mask)
            return recurrent.lstm(x, h, c, mask, **weights, cudnn=self.on_cudnn, unroll=self.loop_unroll)

        return _run(self, sequences, mask, training, loop)


class FastGRU(keras.layers.GRU):
    """GRU that runs `recurrent.gru`, or `whole.gru` (`as_whole`); JAX has no interface to cuDNN's GRU."""

    as_whole = False
    loop_unroll = 1

    def inner_loop(
        self, sequences: Array, initial_state: list[Array], mask: Any, training: bool = False
    ) -> tuple[Array, Array, list[Array]]:
        cell = self.cell
        (h,) = initial_state
        weights = {
            "kernel": ops.convert_to_tensor(cell.kernel),
            "recurrent_kernel": ops.convert_to_tensor(cell.recurrent_kernel),
            "bias": ops.convert_to_tensor(cell.bias),
        }
        dtype = sequences.dtype.name
        plan = whole.plan_for(self.units, len(sequences), dtype, "GRU") if self.as_whole else None

        def loop(x: Array, mask: Array | None) -> recurrent.Outputs:
            if plan is not None:
                return whole.gru(x, h, **weights, plan=plan, mask=mask)
            return recurrent.gru(x, h, mask, **weights, reset_after=cell.reset_after, unroll=self.loop_unroll)

        return _run(self, sequences, mask, training, loop)


class FastBatchNormalization(GlobalBatchNormalization):
    """BatchNormalization with hand-written derivatives, which need one reduction in each direction.

    On GPUs the many small kernels of derived code take more time than the rows themselves.
    """

    def _moments(self, inputs: Array, mask: Array | None) -> tuple[Array, Array]:
        return global_moments(tuple(self._reduction_axes), inputs, mask)


def gather_replicas(moments: Array) -> Array:
    """Return the arrays of all replicas, (replicas, ...), inside a `shard_map` over `REPLICAS`.

    They are summed, each with zeros in the places of the others: XLA joins the sums of independent layers into one message, but
    not their gathers.
    """
    slots = jnp.zeros((lax.axis_size(REPLICAS), *moments.shape), moments.dtype)
    return lax.psum(slots.at[lax.axis_index(REPLICAS)].set(moments), REPLICAS)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def global_moments(axes: tuple[int, ...], inputs: Array, mask: Array | None) -> tuple[Array, Array]:
    """Return mean and variance, each (channels,), over the valid steps of all replicas' rows."""
    return _moments_forward(axes, inputs, mask)[0]


def _moments_forward(axes: tuple[int, ...], inputs: Array, mask: Array | None) -> tuple[Any, Any]:
    local = local_moments(inputs, mask, list(axes)) if mask is not None else moments_in_one_pass(inputs, axes)
    moments = gather_replicas(local)
    mean, variance = combine(moments)
    return (mean, variance), (inputs, mask, mean, moments[:, 0].sum(0))


def moments_in_one_pass(inputs: Array, axes: tuple[int, ...]) -> Array:
    """Return what `normalization.local_moments` does without a mask, reading the inputs once.

    The sums are those of differences from the first row's values. These lie a few deviations from the mean, so that the
    difference of sums loses no digits.
    """
    first = inputs[tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(inputs.ndim))]
    shifted = inputs - first
    count = inputs.size // first.size
    sums, squares = shifted.sum(axes), jnp.square(shifted).sum(axes)
    difference = sums / count
    spread = jnp.maximum(squares - sums * difference, 0)
    return jnp.stack([jnp.full_like(sums, count), first.reshape(sums.shape) + difference, spread])


def _moments_backward(axes: tuple[int, ...], saved: Any, gradients: Any) -> tuple[Array, None]:
    inputs, mask, mean, count = saved
    of_mean, of_variance = lax.psum(jnp.stack(gradients), REPLICAS) / jnp.maximum(count, 1)
    place = [1 if axis in axes else -1 for axis in range(inputs.ndim)]
    slope = of_mean.reshape(place) + 2 * of_variance.reshape(place) * (inputs - mean.reshape(place))
    return slope if mask is None else jnp.where(mask.astype(bool)[..., None], slope, 0), None


global_moments.defvjp(_moments_forward, _moments_backward)


def are_seeds(model: keras.Model) -> list[bool]:
    """Return, for each non-trainable variable of the model, whether it is the state of a random generator."""
    states = {id(state) for state in randomness.seed_states(model)}
    return [id(variable) in states for variable in model.non_trainable_variables]


def own_seed(state: Array) -> Array:
    """Return a random generator's state (seed, count) for this replica: a stream of its own, that of replica 0 unchanged."""
    replica = lax.axis_index(REPLICAS).astype(state.dtype)
    return state.at[0].add(replica * jnp.asarray(0x9E3779B9, state.dtype))


def shared_seed(state: Array, before: Array) -> Array:
    """Return the state that all replicas share after they drew numbers: the seed from `before`, the count from `state`."""
    return jnp.stack([before[0], state[1]])


__all__ = ["REPLICAS", "FastGRU", "FastLSTM", "accelerate_layers", "are_seeds", "own_seed", "shared_seed"]
