"""LSTM, GRU and SimpleRNN of Keras as the operators LSTM, GRU and RNN of ONNX.

Sources: `keras.layers.LSTMCell` and `GRUCell`, whose gates are i, f, c, o and z, r, h; the operators of the same names in the
ONNX standard, whose gates are i, o, f, c and z, r, h.

ONNX has no masks, only numbers of steps of sequences that are padded at their end. A masked layer of Keras gives what it gives
for the steps that count, one after the other: these are moved to the front, and the results back to their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.runner.exports.onnx_graph import Graph, Value

Array = npt.NDArray[Any]
STATES = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1}
"""The recurrent layers, and how many states each has."""
_ACTIVATIONS: dict[str, tuple[str, float, float]] = {
    "tanh": ("Tanh", 0, 0),
    "sigmoid": ("Sigmoid", 0, 0),
    "relu": ("Relu", 0, 0),
    "linear": ("Affine", 1, 0),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "softsign": ("Softsign", 0, 0),
    "softplus": ("Softplus", 0, 0),
    "elu": ("Elu", 1, 0),
    "leaky_relu": ("LeakyRelu", 0.2, 0),
}
"""Activations of Keras as those that ONNX's recurrent operators know, with their alpha and beta."""


class NoOperator(Exception):
    """ONNX's recurrent operator cannot do what the layer does; the text says what that is."""


class _Compacted(NamedTuple):
    """Sequences whose steps that count stand first: `x`, how many these are `(batch,)`, the place of each step's result."""

    x: str
    counts: str
    any: str
    places: str
    begun: str


def recurrent(graph: Graph, layer: Any, x: Value, initial: Sequence[Value], mask: str) -> list[str]:
    """Add the layer; returns the names of its results: output, then states where the layer gives them. Raises NoOperator."""
    kind = type(layer).__name__
    backwards = bool(layer.go_backwards)
    inputs = x.name
    if mask and backwards:  # the operator would go backwards through the steps that count alone; so does this
        inputs, mask, backwards = graph.reversed(inputs, 1), graph.reversed(mask, 1), False
    compacted = _compacted(graph, inputs, mask) if mask else None
    steps_first = graph.add("Transpose", compacted.x if compacted else inputs, perm=[1, 0, 2])
    states = [graph.add("Unsqueeze", state.name, graph.integers(0)) for state in initial]
    lengths = graph.add("Cast", compacted.counts, to=6) if compacted else ""  # 6 is int32
    operator, weights, attributes = _operator(graph, layer, kind)
    attributes["direction"] = "reverse" if backwards else "forward"
    results = graph.add_many(
        operator, [steps_first, *weights, lengths, *(states or [])], 1 + STATES[kind], hidden_size=layer.units, **attributes
    )
    final = [graph.add("Squeeze", state, graph.integers(0)) for state in results[1:]]
    if compacted is not None:
        final = [_unless_empty(graph, compacted, state, initial[i] if initial else None) for i, state in enumerate(final)]
    sequence = ""
    if layer.return_sequences or compacted is not None:
        sequence = graph.add("Transpose", graph.add("Squeeze", results[0], graph.integers(1)), perm=[1, 0, 2])
        if backwards:
            sequence = graph.reversed(sequence, 1)  # Keras gives the steps in the order in which it takes them
        if compacted is not None:
            sequence = _spread(graph, compacted, sequence, mask, bool(layer.zero_output_for_mask))
    if layer.return_sequences:
        output = sequence
    elif compacted is not None:
        output = graph.add("Gather", sequence, graph.constant(-1, np.int64), axis=1)
    else:
        output = final[0]
    return [output, *(final if layer.return_state else [])]


# -- weights
def _operator(graph: Graph, layer: Any, kind: str) -> tuple[str, list[str], dict[str, Any]]:
    """The operator's name, its weights W, R and B as names of constants, and its attributes."""
    kernel, recurrent_kernel, *bias = [np.asarray(weight, np.float32) for weight in layer.get_weights()]
    units = int(layer.units)
    order = {"LSTM": [0, 3, 1, 2], "GRU": [0, 1, 2], "SimpleRNN": [0]}[kind]

    def in_order(weight: Array) -> Array:
        gates = np.split(weight, len(order), axis=-1)
        return np.concatenate([gates[gate] for gate in order], axis=-1)

    attributes: dict[str, Any] = {}
    given = np.zeros(2 * len(order) * units, np.float32)
    if bias and bias[0].ndim == 2:  # GRU with reset_after: one bias of the inputs and one of the states
        given = np.concatenate([in_order(bias[0][0]), in_order(bias[0][1])])
    elif bias:
        given[: len(order) * units] = in_order(bias[0])
    if kind == "GRU":
        attributes["linear_before_reset"] = int(layer.reset_after)
    name = layer.name
    weights = [
        graph.constant(in_order(kernel).T[None], stem=f"{name}/W"),
        graph.constant(in_order(recurrent_kernel).T[None], stem=f"{name}/R"),
        graph.constant(given[None], stem=f"{name}/B"),
    ]
    return {"SimpleRNN": "RNN"}.get(kind, kind), weights, attributes | _activations(layer, kind)


def _activations(layer: Any, kind: str) -> dict[str, Any]:
    config = layer.get_config()
    used = [config["activation"]] if kind == "SimpleRNN" else [config["recurrent_activation"], config["activation"]]
    used += [config["activation"]] if kind == "LSTM" else []
    if used == ["sigmoid", "tanh", "tanh"][: len(used)] or (kind == "SimpleRNN" and used == ["tanh"]):
        return {}
    for name in used:
        if name not in _ACTIVATIONS:
            raise NoOperator(f"its activation {name!r} is none that ONNX's {kind} has")
    rows = [_ACTIVATIONS[name] for name in used]
    return {
        "activations": [row[0] for row in rows],
        "activation_alpha": [float(row[1]) for row in rows],
        "activation_beta": [float(row[2]) for row in rows],
    }


# -- masks
def _compacted(graph: Graph, x: str, mask: str) -> _Compacted:
    """Move the steps that count to the front of each sequence, in their order."""
    counts = graph.as_integers(mask)
    order = graph.add("CumSum", counts, graph.constant(1, np.int64))  # 1, 2, ... at the steps that count
    total = graph.add("ReduceSum", counts, graph.integers(1), keepdims=0)
    steps = graph.add("Gather", graph.add("Shape", mask), graph.constant([1], np.int64))
    numbers = graph.add("CumSum", graph.add("Expand", graph.integers(1), graph.add("Shape", mask)), graph.constant(1, np.int64))
    late = graph.add("Where", mask, numbers, graph.add("Add", numbers, steps))
    first = graph.add_many("TopK", [late, steps], 2, axis=1, largest=0, sorted=1)[1]
    moved = graph.add("GatherND", x, graph.add("Unsqueeze", first, graph.integers(2)), batch_dims=1)
    one = graph.constant(1, np.int64)
    places = graph.add("Sub", graph.add("Max", order, one), one)
    begun = graph.add("Unsqueeze", graph.as_booleans(order), graph.integers(2))
    any_step = graph.add("Unsqueeze", graph.as_booleans(total), graph.integers(1))
    return _Compacted(moved, graph.add("Max", total, one), any_step, places, begun)


def _spread(graph: Graph, compacted: _Compacted, sequence: str, mask: str, zeros: bool) -> str:
    """Each step's result at its place: a step that does not count repeats the result before it, or has zeros if `zeros`."""
    at = graph.add("Unsqueeze", compacted.places, graph.integers(2))
    spread = graph.add("GatherND", sequence, at, batch_dims=1)
    shown = graph.add("Unsqueeze", mask, graph.integers(2)) if zeros else compacted.begun
    return graph.add("Where", shown, spread, graph.constant(0.0))


def _unless_empty(graph: Graph, compacted: _Compacted, state: str, initial: Value | None) -> str:
    """The final state; of a sequence without a step that counts, the initial one."""
    return graph.add("Where", compacted.any, state, initial.name if initial else graph.constant(0.0))
