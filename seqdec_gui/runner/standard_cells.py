"""Recognises the gates that cuDNN's kernels compute, and the functions of this program with them."""

from __future__ import annotations

from typing import Any

import keras


def has_standard_gates(cell: Any) -> bool:
    """Return whether an LSTM or GRU cell has tanh, sigmoid gates and biases."""
    return bool(
        cell.activation is keras.activations.tanh and cell.recurrent_activation is keras.activations.sigmoid and cell.use_bias
    )
