"""Computes what a prior predicts with NumPy alone, for comparing it with a block and with an exported file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.runner.reinvent.prior import Prior, RecurrentLayer

Array = npt.NDArray[Any]


def logits(prior: Prior, ids: Array) -> Array:
    """Return the scores of the next token for ids `(rows, steps)`: `(rows, steps, tokens)`, float32."""
    x = prior.embedding[np.clip(ids, 0, len(prior.tokens) - 1)]
    for layer in prior.layers:
        x = _lstm(layer, x) if prior.cell == "LSTM" else _gru(layer, x)
    result: Array = x @ prior.kernel.T + prior.bias
    return result


def probabilities(prior: Prior, ids: Array) -> Array:
    """Return the probabilities of the next token, of the same shape."""
    scores = logits(prior, ids)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result


def _lstm(layer: RecurrentLayer, x: Array) -> Array:
    given = x @ layer.kernel.T + (layer.bias + layer.recurrent_bias)
    state = np.zeros((len(x), layer.recurrent.shape[1]), np.float32)
    hidden, steps = state, np.empty((*x.shape[:2], state.shape[1]), np.float32)
    for step in range(x.shape[1]):
        i, f, g, o = np.split(given[:, step] + hidden @ layer.recurrent.T, 4, axis=1)
        state = _sigmoid(f) * state + _sigmoid(i) * np.tanh(g)
        hidden = steps[:, step] = _sigmoid(o) * np.tanh(state)
    return steps


def _gru(layer: RecurrentLayer, x: Array) -> Array:
    given = x @ layer.kernel.T + layer.bias
    hidden = np.zeros((len(x), layer.recurrent.shape[1]), np.float32)
    steps = np.empty((*x.shape[:2], hidden.shape[1]), np.float32)
    for step in range(x.shape[1]):
        r, z, n = np.split(given[:, step], 3, axis=1)
        r_before, z_before, n_before = np.split(hidden @ layer.recurrent.T + layer.recurrent_bias, 3, axis=1)
        r, z = _sigmoid(r + r_before), _sigmoid(z + z_before)
        hidden = steps[:, step] = (1 - z) * np.tanh(n + r * n_before) + z * hidden
    return steps


def _sigmoid(x: Array) -> Array:
    result: Array = 0.5 * (1 + np.tanh(0.5 * x))
    return result
