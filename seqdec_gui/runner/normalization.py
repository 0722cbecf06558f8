"""BatchNormalization over the rows of all devices, with masks too.

Keras's own synchronised layer divides masked sums per replica, and takes the variance as a difference of squares. Here every
device sends its count, mean and sum of squared differences, and each combines them (Chan, Golub, LeVeque 1979, eq. 2.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

Tensor = Any
Gather = Callable[[Tensor], Tensor]
"""A differentiable function from this device's moments (3, channels) to those of all devices, (devices, 3, channels)."""


class GlobalBatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer with the moments of the global batch. `use_global_moments` turns existing layers into it."""

    _gather: Gather | None = None

    def _moments(self, inputs: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        if self._gather is None:
            return super()._moments(inputs, mask)
        return combine(self._gather(local_moments(inputs, mask, self._reduction_axes)))


def use_global_moments(model: keras.Model, gather: Gather) -> int:
    """Make every BatchNormalization of the model, wrapped ones too, take its moments through `gather`; returns their number.

    The layers keep name, weights and graph; `use_local_moments` undoes this.
    """
    layers = [layer for layer in all_layers(model) if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in layers:
        layer.__class__ = GlobalBatchNormalization
        object.__setattr__(layer, "_gather", gather)  # past Keras's attribute tracking
    return len(layers)


def use_local_moments(model: keras.Model) -> None:
    """Turn the layers of `use_global_moments` into plain Keras layers again."""
    for layer in all_layers(model):
        if isinstance(layer, GlobalBatchNormalization):
            object.__delattr__(layer, "_gather")
            layer.__class__ = keras.layers.BatchNormalization


def all_layers(model: keras.Model) -> list[keras.Layer]:
    """Return every layer of the model once, including those in submodels and wrappers."""
    layers: dict[int, keras.Layer] = {id(layer): layer for layer in model._flatten_layers(include_self=False)}
    return list(layers.values())


def local_moments(inputs: Tensor, mask: Tensor | None, axes: list[int]) -> Tensor:
    """Return count, mean and sum of squared differences of this device's rows, (3, channels), without masked steps."""
    if mask is None:
        weights = ops.ones_like(inputs)
    else:
        weights = ops.cast(ops.broadcast_to(ops.expand_dims(mask, -1), ops.shape(inputs)), inputs.dtype)
        inputs = ops.where(weights > 0, inputs, ops.zeros_like(inputs))
    count = ops.sum(weights, axis=axes)
    mean = ops.sum(inputs * weights, axis=axes, keepdims=True) / ops.maximum(ops.sum(weights, axis=axes, keepdims=True), 1.0)
    squares = ops.sum(weights * ops.square(inputs - mean), axis=axes)
    return ops.stack([count, ops.reshape(mean, ops.shape(count)), squares])


def combine(moments: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance of all rows, from the moments (devices, 3, channels)."""
    counts, means, squares = moments[:, 0], moments[:, 1], moments[:, 2]
    total = ops.maximum(ops.sum(counts, axis=0), 1.0)
    mean = ops.sum(counts * means, axis=0) / total
    variance = (ops.sum(squares, axis=0) + ops.sum(counts * ops.square(means - mean), axis=0)) / total
    return mean, variance
