"""Shape rules: the output shapes and parameter counts of Keras layers, as Keras 3 computes them.

One function per kind of layer; `specs.LAYERS` says which class follows which. Sources: the `compute_output_shape` and `build`
methods of the classes in `keras.layers`; `tests/runner/test_keras_contract.py` compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from seqdec_gui.domain.layers.layer import Applied, Layer, LayerError, Sinusoid, Types
from seqdec_gui.domain.types import TensorType, format_shape

Rule: TypeAlias = Callable[[Layer, Types], Applied]


def _float(shape: tuple[int | None, ...]) -> TensorType:
    return TensorType(shape)


def _only(layer: Layer, inputs: Types, rank: int | None = None, what: str = "") -> TensorType:
    """Return the only input; raises LayerError unless it is float32 and has this rank (None: any rank)."""
    (tensor,) = inputs
    if tensor.dtype != "float32":
        raise LayerError(f"{layer.type} takes float32 numbers and got {tensor}; token ids need an Embedding first")
    if rank is not None and len(tensor.shape) != rank:
        raise LayerError(f"{layer.type} takes {what} and got {format_shape(tensor.shape)}")
    return tensor


def _last(layer: Layer, tensor: TensorType) -> int:
    """Return the size of the last axis; raises LayerError if it is open."""
    if not tensor.shape or tensor.shape[-1] is None:
        raise LayerError(f"{layer.type} needs a last axis of known size and got {format_shape(tensor.shape)}")
    return tensor.shape[-1]


SEQUENCE = "a sequence (None, steps, features)"
"""The description of a sequence in error texts."""

VECTOR = "a vector (None, features)"
"""The description of a vector in error texts."""


def same_shape(layer: Layer, inputs: Types) -> Applied:
    return Applied((_only(layer, inputs),))


def rescaling(layer: Layer, inputs: Types) -> Applied:
    """Numbers of any type become floats; an offset that is a table has to have the last axes of the input."""
    (tensor,) = inputs
    offset = dict(layer.arguments).get("offset")
    if isinstance(offset, Sinusoid) and tensor.shape[-2:] != (offset.steps, offset.width):
        raise LayerError(f"{layer.name} adds a table of {offset.steps} x {offset.width} to {format_shape(tensor.shape)}")
    return Applied((_float(tensor.shape),))


def dense(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs)
    units, bias = layer.integer("units"), layer.flag("use_bias", True)
    count = _last(layer, tensor) * units + (units if bias else 0)
    return Applied((_float((*tensor.shape[:-1], units)),), count, count)


def batch_normalization(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs)
    width = _last(layer, tensor)  # gamma and beta are trained, the moving mean and variance are not
    return Applied((tensor,), 4 * width, 2 * width)


def layer_normalization(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs)
    width = _last(layer, tensor)
    return Applied((tensor,), 2 * width, 2 * width)


def rms_normalization(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs)
    width = _last(layer, tensor)
    return Applied((tensor,), width, width)


def multi_head_attention(layer: Layer, inputs: Types) -> Applied:
    """Queries, then values, which are the keys as well; the output has the shape of the queries."""
    query, value = (_only(layer, (tensor,), 2, SEQUENCE) for tensor in inputs)
    inner = layer.integer("num_heads") * layer.integer("key_dim")
    count = (_last(layer, query) + 1) * inner + 2 * (_last(layer, value) + 1) * inner + (inner + 1) * _last(layer, query)
    return Applied((query,), count, count)


def einsum_dense(layer: Layer, inputs: Types) -> Applied:
    """Multiply by a kernel whose axes are named in the equation: `bt,te->bte`. `output_shape` is without the batch axis."""
    tensor = _only(layer, inputs)
    equation, shape = layer["equation"], layer["output_shape"]
    assert isinstance(equation, str)
    assert isinstance(shape, tuple)
    entering, _, leaving = equation.partition("->")
    given, kernel = entering.split(",")
    if len(given) != len(tensor.shape) + 1:
        raise LayerError(f"{layer.name} takes {len(given) - 1} axes and got {format_shape(tensor.shape)}")
    sizes: dict[str, int | None] = dict(zip(given[1:], tensor.shape, strict=True)) | dict(zip(leaving[1:], shape, strict=True))
    count = 1
    for axis in kernel:
        size = sizes[axis]
        if size is None:
            raise LayerError(f"{layer.name} needs a known length and got {format_shape(tensor.shape)}; set the input's length")
        count *= size
    return Applied((_float(shape),), count, count)


def dot(layer: Layer, inputs: Types) -> Applied:
    """Sum the products over one axis of each tensor; the other axes of the first come before those of the second.

    Axes are counted with that of the rows: `(t)` and `(t, features)` give `(features)` along axis 1.
    """
    first, second = (list(tensor.shape) for tensor in inputs)
    axes = dict(layer.arguments)["axes"]
    one, other = axes if isinstance(axes, tuple) else (axes, axes)
    if not (isinstance(one, int) and isinstance(other, int) and 0 < one <= len(first) and 0 < other <= len(second)):
        raise LayerError(f"Dot has the axes {axes} and got {inputs[0]} and {inputs[1]}")
    sizes = {first.pop(one - 1), second.pop(other - 1)} - {None}
    if len(sizes) > 1:
        raise LayerError(f"Dot takes tensors of one size along its axes {axes} and got {inputs[0]} and {inputs[1]}")
    return Applied((_float((*first, *second)),))


def embedding(layer: Layer, inputs: Types) -> Applied:
    (tensor,) = inputs
    if tensor.dtype != "int32":
        raise LayerError(f"Embedding takes token ids (int32) and got {tensor}")
    units = layer.integer("output_dim")
    count = layer.integer("input_dim") * units
    return Applied((_float((*tensor.shape, units)),), count, count)


def reversible_embedding(layer: Layer, inputs: Types) -> Applied:
    """Embed token ids, or, for numbers, compare each step with every row of the table (`reverse=True`)."""
    (tensor,) = inputs
    if tensor.dtype == "int32":
        return embedding(layer, inputs)
    units, symbols = layer.integer("output_dim"), layer.integer("input_dim")
    if len(tensor.shape) < 2 or tensor.shape[-1] != units:
        raise LayerError(f"ReversibleEmbedding takes (None, steps, {units}) and got {format_shape(tensor.shape)}")
    return Applied((_float((*tensor.shape[:-1], symbols)),), symbols * units, symbols * units)


def _recurrent_parameters(layer: Layer, features: int) -> int:
    units = layer.integer("units")
    if layer.type == "LSTM":
        return 4 * units * (features + units + 1)
    biases = 2 if layer.flag("reset_after", True) else 1  # the cuDNN form has an input and a recurrent bias
    return 3 * units * (features + units + biases)


def _recurrent_outputs(layer: Layer, tensor: TensorType, width: int, copies: int = 1) -> Types:
    steps = tensor.shape[0]
    first = _float((steps, width)) if layer.flag("return_sequences", False) else _float((width,))
    if not layer.flag("return_state", False):
        return (first,)
    state = _float((layer.integer("units"),))
    return (first, *([state] * (2 if layer.type == "LSTM" else 1) * copies))


def recurrent(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs, 2, SEQUENCE)
    count = _recurrent_parameters(layer, _last(layer, tensor))
    return Applied(_recurrent_outputs(layer, tensor, layer.integer("units")), count, count)


def bidirectional(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs, 2, SEQUENCE)
    assert layer.inner is not None
    count = 2 * _recurrent_parameters(layer.inner, _last(layer, tensor))
    outputs = _recurrent_outputs(layer.inner, tensor, 2 * layer.inner.integer("units"), copies=2)
    return Applied(outputs, count, count)


def _convolved(layer: Layer, steps: int | None, size: int, stride: int) -> int | None:
    """Return the number of positions of a window of `size` that moves by `stride`; None if the length is open."""
    if steps is None:
        return None
    if dict(layer.arguments).get("padding", "valid") in ("same", "causal"):
        return -(-steps // stride)
    result = (steps - size) // stride + 1
    if steps < size:
        raise LayerError(f"{layer.name}: a window of {size} does not fit a sequence of {steps} steps")
    return result


def conv1d(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs, 2, SEQUENCE)
    filters, size = layer.integer("filters"), layer.integer("kernel_size")
    count = filters * (size * _last(layer, tensor) + 1)
    return Applied((_float((_convolved(layer, tensor.shape[0], size, layer.integer("strides", 1)), filters)),), count, count)


def pooling1d(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs, 2, SEQUENCE)
    size = layer.integer("pool_size", 2)
    return Applied((_float((_convolved(layer, tensor.shape[0], size, size), tensor.shape[1])),))


def global_pooling1d(layer: Layer, inputs: Types) -> Applied:
    steps, features = _only(layer, inputs, 2, SEQUENCE).shape
    return Applied((_float((steps if dict(layer.arguments).get("data_format") == "channels_first" else features,)),))


def _size(layer: Layer, tensor: TensorType) -> int:
    """Return the number of values without the batch axis; raises LayerError if an axis is open."""
    total = 1
    for axis in tensor.shape:
        if axis is None:
            raise LayerError(f"{layer.type} needs a known length and got {format_shape(tensor.shape)}; set the input's length")
        total *= axis
    return total


def flatten(layer: Layer, inputs: Types) -> Applied:
    return Applied((_float((_size(layer, _only(layer, inputs)),)),))


def reshape(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs)
    shape = layer["target_shape"]
    assert isinstance(shape, tuple)
    if shape.count(-1) == 1:  # one axis takes what the others leave
        rest = math.prod(axis for axis in shape if axis != -1)
        size = None if None in tensor.shape else _size(layer, tensor)
        if size is not None and size % rest:
            raise LayerError(f"Reshape cannot make {format_shape(shape)} of {format_shape(tensor.shape)}: the sizes differ")
        return Applied((_float(tuple((size // rest if size is not None else None) if n == -1 else n for n in shape)),))
    target = _float(shape)
    if _size(layer, tensor) != _size(layer, target):
        raise LayerError(f"Reshape cannot make {format_shape(target.shape)} of {format_shape(tensor.shape)}: the sizes differ")
    return Applied((target,))


def permute(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs, 2, SEQUENCE)
    return Applied((_float((tensor.shape[1], tensor.shape[0])),))


def repeat_vector(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs, 1, VECTOR)
    return Applied((_float((layer.integer("n"), tensor.shape[0])),))


def resized(sign: int, argument: str) -> Rule:
    """Return the rule of a layer that adds (`sign` 1) or removes (`sign` -1) steps, as many as `argument` says."""

    def rule(layer: Layer, inputs: Types) -> Applied:
        tensor = _only(layer, inputs, 2, SEQUENCE)
        ends = layer[argument]
        assert isinstance(ends, tuple)
        steps = tensor.shape[0]
        after = None if steps is None else steps + sign * sum(ends)
        if after is not None and after < 1:
            raise LayerError(f"{layer.type} {ends} leaves nothing of a sequence of {steps} steps")
        return Applied((_float((after, tensor.shape[1])),))

    return rule


def up_sampling1d(layer: Layer, inputs: Types) -> Applied:
    tensor = _only(layer, inputs, 2, SEQUENCE)
    steps = tensor.shape[0]
    return Applied((_float((None if steps is None else steps * layer.integer("size", 2), tensor.shape[1])),))


def concatenate(layer: Layer, inputs: Types) -> Applied:
    """Join tensors that agree in all axes except the joined one."""
    axis = layer.integer("axis", -1)
    first = inputs[0]
    rank = len(first.shape)
    at = axis - 1 if axis > 0 else rank + axis
    if not 0 <= at < rank:
        raise LayerError(f"axis {axis} is not an axis of {format_shape(first.shape)}")
    for other in inputs[1:]:
        rest = [len(other.shape) == rank, other.dtype == first.dtype]
        if not all(rest) or any(a != b for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True)) if i != at):
            raise LayerError(
                f"tensors joined along axis {axis} must agree in all other axes, got {format_shape(first.shape)} and "
                f"{format_shape(other.shape)}"
            )
    sizes = [tensor.shape[at] for tensor in inputs]
    joined = None if None in sizes else sum(size for size in sizes if size is not None)
    return Applied((TensorType((*first.shape[:at], joined, *first.shape[at + 1 :]), first.dtype),))


def scaled_steps(layer: Layer, inputs: Types) -> Applied:
    """The rule of Add and Multiply: tensors of one shape, or axes of one that go with each number of that axis."""
    first, *others = inputs
    axes = max(len(tensor.shape) for tensor in inputs)
    shape = _with_axes(first, axes)
    for other in others:
        if other.dtype != first.dtype:
            return merge(layer, inputs)
        for axis, size in enumerate(_with_axes(other, axes)):
            if size != shape[axis] and 1 not in (size, shape[axis]):
                return merge(layer, inputs)
            shape[axis] = size if shape[axis] == 1 else shape[axis]
    return Applied((TensorType(tuple(shape), first.dtype),))


def _with_axes(tensor: TensorType, axes: int) -> list[int | None]:
    """Return the shape with axes of one after that of the rows, as Keras gives a tensor that has fewer axes than another."""
    return [*[1] * (axes - len(tensor.shape)), *tensor.shape]


def merge(layer: Layer, inputs: Types) -> Applied:
    for other in inputs[1:]:
        if other.shape != inputs[0].shape or other.dtype != inputs[0].dtype:
            raise LayerError(f"{layer.type} takes tensors of one shape and got {inputs[0]} and {other}")
    return Applied((inputs[0],))
