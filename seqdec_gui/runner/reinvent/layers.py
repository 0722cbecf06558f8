"""Takes the weights of a prior into the Keras layers of a recurrent decoder, and back.

PyTorch has a bias for the input and one for the state; Keras adds them up in an LSTM and keeps both in a GRU of the form
`reset_after`. The gates of an LSTM stand in one order in both, those of a GRU do not: r, z, n and z, r, h.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.types import CellName
from seqdec_gui.runner.reinvent.prior import Prior, RecurrentLayer

Array = npt.NDArray[Any]


def keras_weights(prior: Prior) -> list[list[Array]]:
    """Return the weights of the embedding, of each recurrent layer and of the Dense layer, in Keras's order."""
    return [
        [prior.embedding],
        *([_own_form(array, prior.cell) for array in _keras_layer(layer, prior.cell)] for layer in prior.layers),
        [prior.kernel.T, prior.bias],
    ]


def arrays_of(weights: Sequence[Sequence[Array]], cell: CellName) -> dict[str, Any]:
    """Return `embedding`, `layers`, `kernel` and `bias` of a prior with these weights of Keras layers."""
    (embedding,), *recurrent, (kernel, bias) = weights
    layers = tuple(_torch_layer([_own_form(array, cell) for array in layer], cell) for layer in recurrent)
    return {"embedding": embedding, "layers": layers, "kernel": np.ascontiguousarray(kernel.T), "bias": bias}


def _keras_layer(layer: RecurrentLayer, cell: CellName) -> tuple[Array, Array, Array]:
    if cell == "LSTM":
        return layer.kernel.T, layer.recurrent.T, layer.bias + layer.recurrent_bias
    return layer.kernel.T, layer.recurrent.T, np.stack([layer.bias, layer.recurrent_bias])


def _torch_layer(weights: Sequence[Array], cell: CellName) -> RecurrentLayer:
    kernel, recurrent, bias = weights
    biases = (bias, np.zeros_like(bias)) if cell == "LSTM" else (bias[0], bias[1])
    return RecurrentLayer(np.ascontiguousarray(kernel.T), np.ascontiguousarray(recurrent.T), *map(np.ascontiguousarray, biases))


def _own_form(array: Array, cell: CellName) -> Array:
    """Return an array with the gates of the other library's order in its last axis. Twice gives the array itself."""
    if cell == "LSTM":
        return array
    first, second, third = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)
