"""How each Keras layer is written with ONNX operators. Source of the formulas: `call` of the layers in Keras 3.15.

A function takes the graph, the layer and its input, and returns the name of the result; `LAYERS` has them by class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from seqdec_gui.runner.exports.onnx_graph import Graph, Value

OneInput: TypeAlias = Callable[[Graph, Any, Value], str]


class NotInOnnx(Exception):
    """A layer, or an option of it, that has no counterpart here; the text follows "its layer NAME"."""


# -- activations
def activated(graph: Graph, function: Any, x: str) -> str:
    """Apply an activation of Keras. Raises NotInOnnx."""
    name = getattr(function, "__name__", str(function))
    match name:
        case "linear":
            return x
        case "relu" | "tanh" | "sigmoid" | "softplus" | "softsign":
            return graph.add(name.capitalize(), x)
        case "exponential":
            return graph.add("Exp", x)
        case "softmax" | "log_softmax":
            return graph.add("Softmax" if name == "softmax" else "LogSoftmax", x, axis=-1)
        case "elu":
            return graph.add("Elu", x, alpha=1.0)
        case "selu":
            return graph.add("Selu", x)
        case "leaky_relu":
            return graph.add("LeakyRelu", x, alpha=0.2)
        case "hard_sigmoid":
            return graph.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)
        case "relu6":
            return graph.add("Clip", x, graph.constant(0.0), graph.constant(6.0))
        case "silu" | "swish":
            return graph.add("Mul", x, graph.add("Sigmoid", x))
        case "gelu":
            half = graph.add("Mul", x, graph.constant(0.5))
            root = graph.add("Erf", graph.add("Mul", x, graph.constant(1 / math.sqrt(2))))
            return graph.add("Mul", half, graph.add("Add", root, graph.constant(1.0)))
    raise NotInOnnx(f"has the activation {name}, which is not written here")


# -- layers with weights
def _weights(layer: Any) -> list[Any]:
    return [np.asarray(weight, np.float32) for weight in layer.get_weights()]


def _dense(graph: Graph, layer: Any, x: Value) -> str:
    kernel, *bias = _weights(layer)
    y = graph.add("MatMul", x.name, graph.constant(kernel, stem=f"{layer.name}/kernel"))
    if bias:
        y = graph.add("Add", y, graph.constant(bias[0], stem=f"{layer.name}/bias"))
    return activated(graph, layer.activation, y)


def _embedding(graph: Graph, layer: Any, x: Value) -> str:
    (table,) = _weights(layer)
    ids = x.name if x.ids else graph.as_integers(x.name)
    return graph.add("Gather", graph.constant(table, stem=f"{layer.name}/embeddings"), ids, axis=0)


def reversible_embedding(graph: Graph, layer: Any, x: Value, reverse: bool) -> str:
    """Add an embedding, or the products of numbers with the rows of its table, or of a table of their own."""
    tables = _weights(layer)
    if reverse and not layer.tie_weights:
        kernel = graph.constant(tables[1], stem=f"{layer.name}/reverse_embeddings")
    else:
        if id(layer) not in graph.tables:
            graph.tables[id(layer)] = graph.constant(tables[0], stem=f"{layer.name}/embeddings")
        table = graph.tables[id(layer)]
        if not reverse:
            return graph.add("Gather", table, x.name if x.ids else graph.as_integers(x.name), axis=0)
        kernel = graph.add("Transpose", table, perm=[1, 0])
    y = graph.add("MatMul", x.name, kernel)
    if layer.logit_soft_cap is None:
        return y
    cap = graph.constant(float(layer.logit_soft_cap))
    return graph.add("Mul", graph.add("Tanh", graph.add("Div", y, cap)), cap)


def _batch_normalization(graph: Graph, layer: Any, x: Value) -> str:
    axis = layer.axis if layer.axis >= 0 else len(x.shape) + layer.axis
    named = {variable.name: np.asarray(variable, np.float64) for variable in layer.weights}
    factor = named.get("gamma", 1.0) / np.sqrt(named["moving_variance"] + layer.epsilon)
    offset = named.get("beta", 0.0) - named["moving_mean"] * factor
    shape = [1] * (len(x.shape) - 1)
    shape[axis - 1] = -1
    scaled = graph.add("Mul", x.name, graph.constant(factor.reshape(shape), stem=f"{layer.name}/factor"))
    return graph.add("Add", scaled, graph.constant(offset.reshape(shape), stem=f"{layer.name}/offset"))


def _layer_normalization(graph: Graph, layer: Any, x: Value) -> str:
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    if axes not in ([-1], [len(x.shape) - 1]) or getattr(layer, "rms_scaling", False):
        raise NotInOnnx("normalises other axes than the last, or without a mean")
    named = {variable.name: np.asarray(variable, np.float32) for variable in layer.weights}
    width = int(x.shape[-1] or 0)
    scale = graph.constant(named.get("gamma", np.ones(width)), stem=f"{layer.name}/gamma")
    offset = graph.constant(named.get("beta", np.zeros(width)), stem=f"{layer.name}/beta")
    return graph.add("LayerNormalization", x.name, scale, offset, axis=-1, epsilon=float(layer.epsilon))


def _normalization(graph: Graph, layer: Any, x: Value) -> str:
    if layer.invert:
        raise NotInOnnx("is inverted")
    mean, variance = (np.asarray(value, np.float64) for value in (layer.mean, layer.variance))
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    centred = graph.add("Sub", x.name, graph.constant(mean, stem=f"{layer.name}/mean"))
    return graph.add("Div", centred, graph.constant(deviation, stem=f"{layer.name}/deviation"))


def _conv1d(graph: Graph, layer: Any, x: Value) -> str:
    if layer.data_format != "channels_last":
        raise NotInOnnx("has its channels first")
    kernel, *bias = _weights(layer)
    (size,), (stride,), (dilation,) = layer.kernel_size, layer.strides, layer.dilation_rate
    attributes: dict[str, Any] = {"strides": [stride], "dilations": [dilation], "group": layer.groups}
    reach = dilation * (size - 1)
    if layer.padding == "causal":
        attributes["pads"] = [reach, 0]
    elif layer.padding == "same" and stride == 1:
        attributes["pads"] = [reach // 2, reach - reach // 2]
    elif layer.padding == "same":
        attributes["auto_pad"] = "SAME_UPPER"
    weights = [graph.constant(kernel.transpose(2, 1, 0), stem=f"{layer.name}/kernel")]
    weights += [graph.constant(bias[0], stem=f"{layer.name}/bias")] if bias else []
    y = graph.add("Conv", graph.add("Transpose", x.name, perm=[0, 2, 1]), *weights, **attributes)
    return activated(graph, layer.activation, graph.add("Transpose", y, perm=[0, 2, 1]))


# -- layers without weights
def _same(graph: Graph, layer: Any, x: Value) -> str:
    return x.name


def _activation(graph: Graph, layer: Any, x: Value) -> str:
    return activated(graph, layer.activation, x.name)


def _softmax(graph: Graph, layer: Any, x: Value) -> str:
    if not isinstance(layer.axis, int):
        raise NotInOnnx("is over several axes")
    return graph.add("Softmax", x.name, axis=layer.axis)


def _relu(graph: Graph, layer: Any, x: Value) -> str:
    if layer.negative_slope or layer.threshold:
        raise NotInOnnx("has a slope or a threshold")
    if layer.max_value is None:
        return graph.add("Relu", x.name)
    return graph.add("Clip", x.name, graph.constant(0.0), graph.constant(float(layer.max_value)))


def _leaky_relu(graph: Graph, layer: Any, x: Value) -> str:
    return graph.add("LeakyRelu", x.name, alpha=float(layer.negative_slope))


def _elu(graph: Graph, layer: Any, x: Value) -> str:
    return graph.add("Elu", x.name, alpha=float(layer.alpha))


def _pooling(operator: str) -> OneInput:
    def pooling(graph: Graph, layer: Any, x: Value) -> str:
        if layer.data_format != "channels_last":
            raise NotInOnnx("has its channels first")
        size = layer.pool_size if isinstance(layer.pool_size, int) else layer.pool_size[0]
        stride = layer.strides if isinstance(layer.strides, int) else layer.strides[0]
        auto_pad = {"valid": "VALID", "same": "SAME_UPPER"}[layer.padding]
        channels_first = graph.add("Transpose", x.name, perm=[0, 2, 1])
        y = graph.add(operator, channels_first, kernel_shape=[size], strides=[stride], auto_pad=auto_pad)
        return graph.add("Transpose", y, perm=[0, 2, 1])

    return pooling


def _global_average(graph: Graph, layer: Any, x: Value) -> str:
    _fail_unless_last(layer)
    keep = int(layer.keepdims)
    if not x.mask:
        return graph.add("ReduceMean", x.name, axes=[1], keepdims=keep)
    weights = graph.add("Unsqueeze", graph.as_floats(x.mask), graph.integers(2))
    total = graph.add("ReduceSum", graph.add("Mul", x.name, weights), graph.integers(1), keepdims=keep)
    return graph.add("Div", total, graph.add("ReduceSum", weights, graph.integers(1), keepdims=keep))


def _global_max(graph: Graph, layer: Any, x: Value) -> str:
    _fail_unless_last(layer)
    return graph.add("ReduceMax", x.name, axes=[1], keepdims=int(layer.keepdims))


def _fail_unless_last(layer: Any) -> None:
    if layer.data_format != "channels_last":
        raise NotInOnnx("has its channels first")


def _flatten(graph: Graph, layer: Any, x: Value) -> str:
    if len(x.shape) == 1:
        return graph.add("Unsqueeze", x.name, graph.integers(1))
    return graph.add("Reshape", x.name, graph.integers(0, -1))


def _reshape(graph: Graph, layer: Any, x: Value) -> str:
    return graph.add("Reshape", x.name, graph.integers(0, *(int(axis) for axis in layer.target_shape)))


def _permute(graph: Graph, layer: Any, x: Value) -> str:
    return graph.add("Transpose", x.name, perm=[0, *(int(axis) for axis in layer.dims)])


def _repeat_vector(graph: Graph, layer: Any, x: Value) -> str:
    return graph.add("Tile", graph.add("Unsqueeze", x.name, graph.integers(1)), graph.integers(1, int(layer.n), 1))


def _rescaling(graph: Graph, layer: Any, x: Value) -> str:
    y = graph.add("Mul", x.name, graph.constant(layer.scale))
    return graph.add("Add", y, graph.constant(layer.offset))


def _up_sampling(graph: Graph, layer: Any, x: Value) -> str:
    repeated = graph.add("Tile", graph.add("Unsqueeze", x.name, graph.integers(2)), graph.integers(1, 1, int(layer.size), 1))
    return graph.add("Reshape", repeated, graph.integers(0, -1, int(x.shape[-1] or 0)))


def _zero_padding(graph: Graph, layer: Any, x: Value) -> str:
    _fail_unless_last(layer)
    before, after = layer.padding
    return graph.add("Pad", x.name, graph.integers(0, int(before), 0, 0, int(after), 0))


def _cropping(graph: Graph, layer: Any, x: Value) -> str:
    before, after = layer.cropping
    return graph.sliced(x.name, 1, int(before), -int(after) if after else int(np.iinfo(np.int64).max))


def _masking(graph: Graph, layer: Any, x: Value) -> str:
    shown = graph.add("Unsqueeze", made_mask(graph, layer, x), graph.integers(2))
    return graph.add("Mul", x.name, graph.as_floats(shown))


def made_mask(graph: Graph, layer: Any, x: Value) -> str:
    """The mask that an Embedding or a Masking layer makes of its input; empty where it makes none."""
    if type(layer).__name__ in ("Embedding", "ReversibleEmbedding"):
        return graph.differs(x.name, graph.constant(0, np.int32)) if layer.mask_zero else ""
    other = graph.as_floats(graph.differs(x.name, graph.constant(layer.mask_value)))
    return graph.as_booleans(graph.add("ReduceMax", other, axes=[-1], keepdims=0))


def item_of(graph: Graph, x: str, parts: Sequence[Any]) -> str:
    """`x[parts]` of slices, whole numbers, and None for a new axis. Raises NotInOnnx."""
    furthest = int(np.iinfo(np.int64).max)
    given = 0
    left: list[int] = []
    added: list[int] = []
    for part in parts:
        if part is None:
            added.append(given - len(left) + len(added))
            continue
        if isinstance(part, slice):
            step = 1 if part.step is None else int(part.step)
            if step < 1:
                raise NotInOnnx("takes steps backwards")
            start, end = part.start or 0, furthest if part.stop is None else part.stop
        elif isinstance(part, int):
            start, end, step = part, furthest if part == -1 else part + 1, 1
            left.append(given)
        else:
            raise NotInOnnx("takes places that are computed")
        if (start, end, step) != (0, furthest, 1):
            x = graph.add("Slice", x, *(graph.integers(int(number)) for number in (start, end, given, step)))
        given += 1
    x = graph.add("Squeeze", x, graph.integers(*left)) if left else x
    return graph.add("Unsqueeze", x, graph.integers(*added)) if added else x


LAYERS: dict[str, OneInput] = {
    "Activation": _activation,
    "ActivityRegularization": _same,
    "AveragePooling1D": _pooling("AveragePool"),
    "BatchNormalization": _batch_normalization,
    "Conv1D": _conv1d,
    "Cropping1D": _cropping,
    "Dense": _dense,
    "Dropout": _same,
    "ELU": _elu,
    "Embedding": _embedding,
    "Flatten": _flatten,
    "GaussianDropout": _same,
    "GaussianNoise": _same,
    "GlobalAveragePooling1D": _global_average,
    "GlobalMaxPooling1D": _global_max,
    "Identity": _same,
    "LayerNormalization": _layer_normalization,
    "LeakyReLU": _leaky_relu,
    "Masking": _masking,
    "MaxPooling1D": _pooling("MaxPool"),
    "Normalization": _normalization,
    "Permute": _permute,
    "ReLU": _relu,
    "RepeatVector": _repeat_vector,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "Softmax": _softmax,
    "SpatialDropout1D": _same,
    "UpSampling1D": _up_sampling,
    "ZeroPadding1D": _zero_padding,
}
"""The layers of one input and one result, by class."""
MERGES = {"Add": "Sum", "Average": "Mean", "Maximum": "Max", "Minimum": "Min", "Multiply": "Mul", "Subtract": "Sub"}
"""Layers that combine tensors number by number, and their operators; `Mul` and `Sub` take two."""
FIX_THE_STEPS = {"Flatten", "Permute", "Reshape"}
"""Layers after which the number of steps is no longer open."""


def merged(graph: Graph, layer: Any, values: Sequence[Value]) -> str:
    """Combine several tensors. Raises NotInOnnx."""
    names = [value.name for value in values]
    if type(layer).__name__ == "Concatenate":
        return graph.add("Concat", *names, axis=layer.axis)
    axes = max(len(value.shape) for value in values)
    for i, value in enumerate(values):
        if missing := list(range(1, 1 + axes - len(value.shape))):
            names[i] = graph.add("Unsqueeze", value.name, graph.integers(*missing))
    operator = MERGES[type(layer).__name__]
    if operator not in ("Mul", "Sub"):
        return graph.add(operator, *names)
    result = names[0]
    for name in names[1:]:
        result = graph.add(operator, result, name)
    return result


def merged_mask(graph: Graph, layer: Any, values: Sequence[Value]) -> str:
    """The mask of what `merged` gives (`compute_mask` of Keras's merging layers). Raises NotInOnnx."""
    masks = [value.mask for value in values if value.mask]
    if not masks or len(masks) < len(values):
        return ""  # Concatenate takes all steps of a sequence without a mask
    if type(layer).__name__ == "Concatenate" and layer.axis not in (-1, len(values[0].shape) - 1):
        raise NotInOnnx("puts masked sequences one after the other")
    result = masks[0]
    for mask in masks[1:]:
        result = graph.add("Or", result, mask)
    return result
