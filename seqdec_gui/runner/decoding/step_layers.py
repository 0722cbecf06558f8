"""Recurrent layers that are only ever called for one step: fewer operations than Keras's loops over sequences of one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqdec_gui.runner.decoding.compiled import compiles_each_size
from seqdec_gui.runner.standard_cells import has_standard_gates

Tensor = Any
WIDE = 128
"""Units of a layer from which its inputs and its state are multiplied by its weights in one product."""


class StepLSTM(keras.layers.LSTM):
    """LSTM for sequences of one step, `(rows, 1, features)`, without dropout.

    With `symbols`, int32 `(rows,)`, its inputs are known to be their one-hot vectors, and rows of the kernel are taken in place
    of a product. With `one_product` inputs and state are one matrix, whose product with all weights takes less time where a
    compiler lays the weights together once, before the loop over steps.
    """

    symbols: Tensor = None
    one_product = False

    def inner_loop(
        self, sequences: Tensor, initial_state: list[Tensor], mask: Any, training: bool = False
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        if mask is not None:
            found: tuple[Tensor, Tensor, list[Tensor]] = super().inner_loop(sequences, initial_state, mask, training)
            return found
        h, c = initial_state
        kernel, recurrent = (ops.convert_to_tensor(w) for w in (self.cell.kernel, self.cell.recurrent_kernel))
        if self.one_product and self.symbols is None:
            both = ops.matmul(ops.concatenate([sequences[:, 0], h], axis=1), ops.concatenate([kernel, recurrent], axis=0))
        else:
            below = ops.matmul(sequences[:, 0], kernel) if self.symbols is None else ops.take(kernel, self.symbols, axis=0)
            both = below + ops.matmul(h, recurrent)
        i, f, g, o = ops.split(both + ops.convert_to_tensor(self.cell.bias), 4, axis=1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, ops.expand_dims(h, 1), [h, c]


def use_short_steps(model: keras.Model) -> None:
    """Make the standard LSTMs of a model for one step compute it directly; called before `unroll` is set."""
    for layer in model.layers:
        if type(layer) is keras.layers.LSTM and _is_standard(layer):
            layer.__class__ = StepLSTM
            layer.one_product = layer.units >= WIDE and compiles_each_size()


def first_lstm(model: keras.Model | None) -> StepLSTM | None:
    """Return the `StepLSTM` that reads the first input of the model, and whose inputs nothing else reads, or None."""
    if model is None:
        return None
    fed = model.inputs[0]
    readers = [
        (layer, node)
        for layer in model.layers
        for node in layer._inbound_nodes
        if any(tensor is fed for tensor in node.input_tensors) and not isinstance(layer, keras.layers.InputLayer)
    ]
    if len(readers) != 1 or not isinstance(readers[0][0], StepLSTM) or readers[0][1].input_tensors[0] is not fed:
        return None
    return readers[0][0]


def _is_standard(layer: Any) -> bool:
    return bool(has_standard_gates(layer.cell) and not layer.stateful and not layer.go_backwards and layer.return_sequences)
