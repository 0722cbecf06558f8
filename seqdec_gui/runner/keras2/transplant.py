"""Puts the weights of Keras 2 into the model of Keras 3 that was built from the rewritten configuration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.runner.keras2.layers import HARD_SIGMOID_SLOPE, activation_name
from seqdec_gui.runner.keras2.parts import Leaf, Part
from seqdec_gui.runner.keras2.stored import Array, Named, Stored, unlike

if TYPE_CHECKING:
    import keras

_LSTM = ("LSTM", "LSTMCell", "CuDNNLSTM", "LSTMV1", "LSTMV2")
_GRU = ("GRU", "GRUCell", "CuDNNGRU", "GRUV1", "GRUV2")


def transplant(model: keras.Model, root: Part, stored: Stored) -> None:
    """Assign every weight of the model. Raises InvalidInput where one is missing, has another shape, or fits twice."""
    missing = {id(variable): variable for variable in model.weights}
    for leaves, arrays in stored.of(root):
        for variable, value in _fitted(model, leaves, arrays):
            variable.assign(value)
            missing.pop(id(variable), None)
    if missing:
        names = ", ".join(variable.path for variable in list(missing.values())[:5])
        raise unlike(f"the file holds nothing for {names}" + (f" and {len(missing) - 5} more" if len(missing) > 5 else ""))
    for layer in model._flatten_layers():  # a Normalization computes with a copy of its mean and variance
        if type(layer).__name__ == "Normalization" and layer.built:
            layer.finalize_state()


def layer_at(model: keras.Model, path: Sequence[str]) -> Any:
    """Return the layer to which a path leads: names of layers, and attributes of wrappers with a dot before them."""
    item: Any = model
    for step in path:
        if step.startswith("."):
            name, number = re.fullmatch(r"\.(\w+)(?:\[(\d+)\])?", step).groups()  # type: ignore[union-attr]
            item = getattr(item, name) if number is None else getattr(item, name)[int(number)]
        else:
            item = item.get_layer(step)
    return item


def _fitted(model: keras.Model, leaves: Sequence[Leaf], arrays: list[Named]) -> list[tuple[Any, Array]]:
    """Return the value of every variable of these layers.

    Keras 2 writes the weights of a nested model either layer by layer, or all trained ones before all others. Both orders are
    tried: shapes must fit, and names decide; where two orders fit equally well and differ, the file is refused.
    """
    variables = [(leaf, variable) for leaf in leaves for variable in layer_at(model, leaf.path).weights]
    trained = [(leaf, variable) for leaf, variable in variables if leaf.trainable and variable.trainable]
    others = [pair for pair in variables if not (pair[0].trainable and pair[1].trainable)]
    shown = ", ".join(dict.fromkeys(leaf.name for leaf in leaves))
    if len(variables) != len(arrays):
        raise unlike(f"{shown[:80]} has {len(variables)} weights, and the file {len(arrays)}")
    best: list[tuple[Any, Array]] | None = None
    best_score, certain = -1, True
    for order in (variables, [*trained, *others]):
        values = _in_order(order, arrays)
        score = sum(_is_named(leaf, variable, named) for (leaf, variable), named in zip(order, arrays, strict=True))
        if values is not None and score > best_score:
            best, best_score, certain = values, score, True
        elif values is not None and score == best_score and best is not None:
            certain = certain and {id(v): a.tobytes() for v, a in values} == {id(v): a.tobytes() for v, a in best}
    if best is None:
        expected = ", ".join(str(tuple(variable.shape)) for _, variable in variables[:6])
        found = ", ".join(str(named.array.shape) for named in arrays[:6])
        raise unlike(f"{shown[:80]} takes weights of the shapes {expected}, and the file has {found}")
    if not certain:
        raise unlike(f"those of {shown[:80]} fit in two orders, and their names do not say in which")
    return best


def _in_order(order: Sequence[tuple[Leaf, Any]], arrays: Sequence[Named]) -> list[tuple[Any, Array]] | None:
    """Return the converted value of every variable if the arrays come in this order; None if a shape does not fit."""
    per_leaf: dict[int, tuple[Leaf, list[tuple[Any, Array]]]] = {}
    for (leaf, variable), named in zip(order, arrays, strict=True):
        per_leaf.setdefault(id(leaf), (leaf, []))[1].append((variable, named.array))
    values: list[tuple[Any, Array]] = []
    for leaf, pairs in per_leaf.values():
        new = converted(leaf, [array for _, array in pairs])
        for (variable, _), value in zip(pairs, new, strict=True):
            if tuple(variable.shape) != value.shape or value.dtype.kind not in "biuf":
                return None
            values.append((variable, value))
    return values


def _is_named(leaf: Leaf, variable: Any, named: Named) -> int:
    """Return how well a stored name is that of a variable: 0, 1 or 2."""
    steps = named.name.partition(":")[0].split("/")
    role = re.sub(r"_\d+$", "", steps[-1])
    return int(role == variable.name) + int(leaf.name in steps or leaf.path[-1] in steps)


# -- layouts
def converted(leaf: Leaf, arrays: list[Array]) -> list[Array]:
    """Return the weights of a layer in the layout of Keras 3, as float32."""
    arrays = [np.asarray(array, np.float32) if array.dtype.kind == "f" else array for array in arrays]
    if leaf.class_name in _LSTM:
        arrays = _of_gates(leaf, from_cudnn(arrays, 4), (0, 1, 3), 4)
    elif leaf.class_name in _GRU:
        arrays = _of_gates(leaf, from_cudnn(arrays, 3), (0, 1), 3)
    elif activation_name(leaf.config.get("activation")) == "hard_sigmoid":
        arrays = [array * np.float32(HARD_SIGMOID_SLOPE) for array in arrays]
    return arrays


def from_cudnn(arrays: list[Array], gates: int) -> list[Array]:
    """Return the weights of a CuDNNLSTM or CuDNNGRU as those of an LSTM or GRU; others are returned unchanged.

    cuDNN keeps each gate's kernel transposed, and two biases: an LSTM has their sum, a GRU one row of each
    (`_convert_rnn_weights` in Keras 2's hdf5_format).
    """
    if len(arrays) != 3 or arrays[1].ndim != 2 or arrays[2].ndim != 1:
        return arrays
    kernel, recurrent, bias = arrays
    if bias.shape[0] != 2 * recurrent.shape[1] or kernel.ndim != 2:
        return arrays
    kernel = np.hstack([part.T.reshape(part.shape, order="F") for part in np.hsplit(kernel, gates)])
    recurrent = np.hstack([part.T for part in np.hsplit(recurrent, gates)])
    halves = bias.reshape(2, -1)
    return [kernel, recurrent, halves.sum(axis=0) if gates == 4 else halves]


def _of_gates(leaf: Leaf, arrays: list[Array], scaled: tuple[int, ...], gates: int) -> list[Array]:
    """Return the weights with the arguments of these gates scaled if their activation is a hard sigmoid.

    `hard_sigmoid(x)` of Keras 2 is that of Keras 3 of 1.2 x.
    """
    default = "sigmoid" if leaf.class_name.startswith("CuDNN") else "hard_sigmoid"
    if activation_name(leaf.config.get("recurrent_activation", default)) != "hard_sigmoid":
        return arrays
    new = []
    for array in arrays:
        parts = np.split(array, gates, axis=-1)
        new.append(np.concatenate([part * np.float32(HARD_SIGMOID_SLOPE) if gate in scaled else part
                                   for gate, part in enumerate(parts)], axis=-1))  # fmt: skip
    return new
