"""Keras layers as this engine computes them: built by Keras, with its weights, switched to other arithmetic afterwards.

An instance keeps its variables, names and configuration; only its class changes. Files are written from a fresh build, so none
of these classes ever stands in a file.
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

Array = Any
REPLICAS = "replicas"
"""The mesh axis along which a global batch is split."""


def switch(
    model: keras.Model,
    *,
    global_statistics: bool,
    replicas: int,
    parts: int,
    cudnn: bool,
    per_turn: int = 1,
    whole_layers: Container[tuple[int, str]] = (),
) -> None:
    """Give the recurrent layers of `model` fast loops, and BatchNormalization the moments of the whole batch.

    `parts` is in how many the batch is computed; a single replica has several where it is a CPU with several cores.
    `whole_layers` are the units and data types of the LSTMs that run as one kernel for the whole sequence.
    """
    for layer in all_layers(model):
        if is_standard_lstm(layer):
            layer.__class__ = FastLSTM
            layer.on_cudnn, layer.steps_per_turn = cudnn, per_turn
            layer.as_whole = (layer.units, layer.compute_dtype) in whole_layers
        elif type(layer) is keras.layers.GRU and _is_standard(layer):
            layer.__class__ = FastGRU
            layer.steps_per_turn = per_turn
        elif type(layer) is keras.layers.Bidirectional and not cudnn:
            for inner in (layer.forward_layer, layer.backward_layer):
                inner.use_cudnn = False  # or Keras asks for its fused call first
    if parts > 1 and (global_statistics or replicas == 1):
        share_moments(model)


def share_moments(model: keras.Model) -> None:
    """Let every BatchNormalization take its moments over the rows of all replicas; only inside `shard_map` over `REPLICAS`."""
    use_global_moments(model, everyones)
    for layer in all_layers(model):
        if type(layer) is GlobalBatchNormalization:
            layer.__class__ = FastBatchNormalization


def is_standard_lstm(layer: Any) -> bool:
    """Whether it is Keras's own LSTM, computing what the loops do."""
    return type(layer) is keras.layers.LSTM and _is_standard(layer)


def _is_standard(layer: Any) -> bool:
    """Whether the layer computes what cuDNN's would: the arithmetic of `recurrent`."""
    cell = layer.cell
    return bool(
        cell.activation is keras.activations.tanh
        and cell.recurrent_activation is keras.activations.sigmoid
        and cell.use_bias
        and not cell.recurrent_dropout
        and not layer.unroll
        and not layer.stateful
    )


Loop = Callable[[Array, Array | None], recurrent.Outputs]


def _run(layer: Any, sequences: Array, mask: Any, training: bool, loop: Loop) -> tuple[Array, Array, list[Array]]:
    """What Keras's `inner_loop` gives (last output, outputs, states), dropout on the inputs and direction taken care of."""
    mask = mask[0] if isinstance(mask, list | tuple) else mask
    if training and layer.dropout:
        sequences = sequences * layer.cell.get_dropout_mask(sequences[:, 0, :])[:, None]
    if layer.go_backwards:
        sequences = jnp.flip(sequences, 1)
        mask = None if mask is None else jnp.flip(mask, 1)
    found = loop(sequences, mask)
    outputs, last = found.sequence, found.sequence[:, -1]
    if mask is not None and layer.zero_output_for_mask:
        outputs = jnp.where(mask.astype(bool)[..., None], outputs, 0)
        last = outputs[:, -1]
    return last, outputs if layer.return_sequences else last[:, None], list(found.states)


class FastLSTM(keras.layers.LSTM):
    """LSTM with the loops of `recurrent`, one kernel for the whole sequence where there is no mask, or cuDNN."""

    on_cudnn = False
    as_whole = False
    steps_per_turn = 1

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

        def loop(x: Array, shown: Array | None) -> recurrent.Outputs:
            if plan is not None and shown is None:
                return whole.lstm(x, h, c, **weights, plan=plan)
            return recurrent.lstm(x, h, c, shown, **weights, cudnn=self.on_cudnn, per_turn=self.steps_per_turn)

        return _run(self, sequences, mask, training, loop)


class FastGRU(keras.layers.GRU):
    """GRU with the loops of `recurrent`; JAX offers no GRU of cuDNN's."""

    steps_per_turn = 1

    def inner_loop(
        self, sequences: Array, initial_state: list[Array], mask: Any, training: bool = False
    ) -> tuple[Array, Array, list[Array]]:
        cell = self.cell
        (h,) = initial_state
        loop = functools.partial(
            recurrent.gru,
            kernel=ops.convert_to_tensor(cell.kernel),
            recurrent_kernel=ops.convert_to_tensor(cell.recurrent_kernel),
            bias=ops.convert_to_tensor(cell.bias),
            reset_after=cell.reset_after,
            per_turn=self.steps_per_turn,
        )
        return _run(self, sequences, mask, training, lambda x, shown: loop(x, h, shown))


class FastBatchNormalization(GlobalBatchNormalization):
    """One message forth and one back: on GPUs the many small kernels of derived code cost more than the rows do."""

    def _moments(self, inputs: Array, mask: Array | None) -> tuple[Array, Array]:
        return global_moments(tuple(self._reduction_axes), inputs, mask)


def everyones(moments: Array) -> Array:
    """(replicas, ...) from every replica's own, as a sum of what is zero elsewhere: XLA joins the sums of layers that do not
    wait for each other into one message, but not their gathers. Only inside `shard_map` over `REPLICAS`.
    """
    slots = jnp.zeros((lax.axis_size(REPLICAS), *moments.shape), moments.dtype)
    return lax.psum(slots.at[lax.axis_index(REPLICAS)].set(moments), REPLICAS)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def global_moments(axes: tuple[int, ...], inputs: Array, mask: Array | None) -> tuple[Array, Array]:
    """Mean and variance, each (channels,), over the valid steps of all replicas' rows."""
    return _moments_forward(axes, inputs, mask)[0]


def _moments_forward(axes: tuple[int, ...], inputs: Array, mask: Array | None) -> tuple[Any, Any]:
    local = local_moments(inputs, mask, list(axes)) if mask is not None else moments_in_one_pass(inputs, axes)
    everyone = everyones(local)
    mean, variance = combine(everyone)
    return (mean, variance), (inputs, mask, mean, everyone[:, 0].sum(0))


def moments_in_one_pass(inputs: Array, axes: tuple[int, ...]) -> Array:
    """As `normalization.local_moments` without a mask. The sums are taken of differences from the first row's values: these are
    a few deviations from the mean, so that the difference of sums below loses nothing.
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
    """For each of the non-trainable variables: whether it is the state of a random generator."""
    states = {id(state) for state in randomness.seed_states(model)}
    return [id(variable) in states for variable in model.non_trainable_variables]


def own_seed(state: Array) -> Array:
    """The generator's state (seed, count) as this replica uses it: another stream on every replica, replica 0's unchanged."""
    replica = lax.axis_index(REPLICAS).astype(state.dtype)
    return state.at[0].add(replica * jnp.asarray(0x9E3779B9, state.dtype))


def shared_seed(state: Array, before: Array) -> Array:
    """The state that all replicas share again, after they drew numbers: the seed as it was, the count as it is now."""
    return jnp.stack([before[0], state[1]])


__all__ = ["REPLICAS", "FastGRU", "FastLSTM", "are_seeds", "own_seed", "shared_seed", "switch"]
