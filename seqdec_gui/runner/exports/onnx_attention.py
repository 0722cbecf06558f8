"""How layers of attention, and those that positions and masks are computed with, are written with ONNX operators.

Source of the formulas: `call` of the layers in Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqdec_gui.runner.exports.onnx_graph import Graph, Value
from seqdec_gui.runner.exports.onnx_layers import NotInOnnx

LOWEST = -1e9
"""The score of what is not attended to; where nothing is, all steps weigh the same, as in Keras."""


def attention(graph: Graph, layer: Any, inputs: Sequence[Value], keywords: Mapping[str, Any]) -> str:
    """Add a MultiHeadAttention with its masks. Raises NotInOnnx."""
    query, value, *key = inputs
    if len(query.shape) != 3 or len(value.shape) != 3 or getattr(layer, "_use_gate", False):
        raise NotInOnnx("has a gate, or attends along several axes")
    if getattr(layer, "_sliding_window", None) is not None or keywords.get("return_attention_scores"):
        raise NotInOnnx("has a window, or gives its scores")
    queries = _heads(graph, layer, "query", query, (0, 2, 1, 3))
    keys = _heads(graph, layer, "key", key[0] if key else value, (0, 2, 3, 1))
    values = _heads(graph, layer, "value", value, (0, 2, 1, 3))
    scores = graph.add("Mul", graph.add("MatMul", queries, keys), graph.constant(float(layer._inverse_sqrt_key_dim)))
    mask = _mask(graph, scores, inputs, keywords)
    if mask:
        scores = graph.add("Where", mask, scores, graph.constant(LOWEST))
    weights = graph.add("Softmax", scores, axis=-1)
    if mask and layer._dropout:  # Keras leaves its fused kernel then, and a query that sees nothing gets zeros
        weights = graph.add("Mul", weights, graph.as_floats(mask))
    mixed = graph.add("Transpose", graph.add("MatMul", weights, values), perm=[0, 2, 1, 3])
    kernel, *bias = (np.asarray(weight, np.float32) for weight in layer.output_dense.get_weights())
    inner = kernel.shape[0] * kernel.shape[1]
    flat = graph.add("Reshape", mixed, graph.integers(0, 0, inner))
    y = graph.add("MatMul", flat, graph.constant(kernel.reshape(inner, -1), stem=f"{layer.name}/output"))
    return graph.add("Add", y, graph.constant(bias[0], stem=f"{layer.name}/output_bias")) if bias else y


def _heads(graph: Graph, layer: Any, name: str, x: Value, axes: tuple[int, ...]) -> str:
    """A projection to all heads, `(batch, steps, heads, width)` with its axes in this order."""
    kernel, *bias = (np.asarray(weight, np.float32) for weight in getattr(layer, f"{name}_dense").get_weights())
    features, heads, width = kernel.shape
    y = graph.add("MatMul", x.name, graph.constant(kernel.reshape(features, -1), stem=f"{layer.name}/{name}"))
    if bias:
        y = graph.add("Add", y, graph.constant(bias[0].reshape(-1), stem=f"{layer.name}/{name}_bias"))
    return graph.add("Transpose", graph.add("Reshape", y, graph.integers(0, 0, heads, width)), perm=list(axes))


def _mask(graph: Graph, scores: str, inputs: Sequence[Value], keywords: Mapping[str, Any]) -> str:
    """Everything that limits what is attended to, true where it is, for scores `(batch, heads, queries, keys)`; or empty."""
    masks: list[str] = []
    for argument, value, axes in (
        ("query_mask", inputs[0], (1, 3)),
        ("value_mask", inputs[1], (1, 2)),
        ("key_mask", inputs[2] if len(inputs) > 2 else None, (1, 2)),
    ):
        given = keywords.get(argument)
        name = (given.name if isinstance(given, Value) else "") or ("" if value is None else value.mask)
        if isinstance(given, Value) and not name:
            raise NotInOnnx("takes a mask that no layer makes")
        if name:
            masks.append(graph.add("Unsqueeze", name, graph.integers(*axes)))
    given = keywords.get("attention_mask")
    if isinstance(given, Value):
        if not given.name:
            raise NotInOnnx("takes a mask that no layer makes")
        masks.append(graph.add("Unsqueeze", graph.as_booleans(given.name), graph.integers(1)))
    if keywords.get("use_causal_mask"):
        sizes = graph.add("Slice", graph.add("Shape", scores), graph.integers(2), graph.integers(4))
        ones = graph.add("Expand", graph.constant(1.0), sizes)
        masks.append(graph.as_booleans(graph.add("Trilu", ones, upper=0)))
    result = masks[0] if masks else ""
    for mask in masks[1:]:
        result = graph.add("And", result, mask)
    return result


def einsum(graph: Graph, layer: Any, x: Value) -> str:
    """Add an EinsumDense of the equations that designs have. Raises NotInOnnx."""
    kernel, *bias = (np.asarray(weight, np.float32) for weight in layer.get_weights())
    if bias or getattr(layer.activation, "__name__", "") != "linear":
        raise NotInOnnx("has a bias or an activation")
    table = graph.constant(kernel, stem=f"{layer.name}/kernel")
    if layer.equation == "bt,te->bte":
        return graph.add("Mul", graph.add("Unsqueeze", x.name, graph.integers(2)), table)
    if layer.equation == "bt,te->be":
        return graph.add("MatMul", x.name, table)
    raise NotInOnnx(f"has the equation {layer.equation}, which is not written here")


def dot(graph: Graph, layer: Any, values: Sequence[Value]) -> str:
    """Sum the products over one axis of each of two tensors, the second `(batch, steps, features)`. Raises NotInOnnx."""
    first, second = values
    axes = (layer.axes, layer.axes) if isinstance(layer.axes, int) else tuple(layer.axes)
    one, other = (axis % len(value.shape) for axis, value in zip(axes, values, strict=True))
    if layer.normalize or len(second.shape) != 3:
        raise NotInOnnx("multiplies tensors in a way that is not written here")
    right = second.name if other == 1 else graph.add("Transpose", second.name, perm=[0, 2, 1])
    if len(first.shape) == 2:
        summed = graph.add("MatMul", graph.add("Unsqueeze", first.name, graph.integers(1)), right)
        return graph.add("Squeeze", summed, graph.integers(1))
    order = [axis for axis in range(len(first.shape)) if axis != one]
    left = first.name if one == len(first.shape) - 1 else graph.add("Transpose", first.name, perm=[*order, one])
    if len(first.shape) > 3:  # MatMul repeats the second for the axes that the first has more
        right = graph.add("Unsqueeze", right, graph.integers(*range(1, len(first.shape) - 2)))
    return graph.add("MatMul", left, right)


def rms_normalization(graph: Graph, layer: Any, x: Value) -> str:
    """Add an RMSNormalization of the last axis. Raises NotInOnnx."""
    if layer.axis not in (-1, len(x.shape) - 1):
        raise NotInOnnx("normalises other axes than the last")
    (scale,) = (np.asarray(weight, np.float32) for weight in layer.get_weights())
    squares = graph.add("ReduceMean", graph.add("Mul", x.name, x.name), axes=[-1], keepdims=1)
    root = graph.add("Sqrt", graph.add("Add", squares, graph.constant(float(layer.epsilon))))
    return graph.add("Mul", graph.add("Div", x.name, root), graph.constant(scale, stem=f"{layer.name}/scale"))


def has_fixed_steps(layer: Any) -> bool:
    """Whether the layer has a row for each step, so that the number of steps is no longer open."""
    return type(layer).__name__ == "EinsumDense" or np.ndim(getattr(layer, "offset", 0.0)) > 1
