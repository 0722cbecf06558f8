"""Repeats a Keras model as an ONNX graph; needs no TensorFlow, and gives the same from every Keras backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.runner.exports import onnx_attention
from seqdec_gui.runner.exports.graph_walk import Call, GraphWalk, is_model
from seqdec_gui.runner.exports.onnx_graph import OPSET, Graph, Value
from seqdec_gui.runner.exports.onnx_layers import (
    FIX_THE_STEPS,
    LAYERS,
    MERGES,
    NotInOnnx,
    item_of,
    made_mask,
    merged,
    merged_mask,
    reversible_embedding,
)
from seqdec_gui.runner.exports.onnx_recurrent import STATES, NoOperator, recurrent

if TYPE_CHECKING:
    import keras
    from onnx import ModelProto

IR_VERSION = 8
"""The version of the file format that goes with `OPSET`."""
OF_ATTENTION = {"EinsumDense": onnx_attention.einsum, "RMSNormalization": onnx_attention.rms_normalization}
"""The layers of `onnx_attention` of one input and one result."""

MERGE_OF_BOTH = {"concat": "Concat", "sum": "Add", "mul": "Mul", "ave": "Add"}


def onnx_model(
    model: keras.Model, inputs: Sequence[str], outputs: Sequence[str], about: dict[str, str], version: str
) -> ModelProto:
    """The model as ONNX, with these names of inputs and outputs. The axes of rows and of steps are open.

    Raises NotInOnnx with the layer that cannot be written, ValueError where the file would be larger than ONNX allows.
    """
    from onnx import TensorProto, checker, helper

    graph = Graph()
    open_steps = not any(
        type(layer).__name__ in FIX_THE_STEPS or onnx_attention.has_fixed_steps(layer) for layer in _leaves(model)
    )
    declared, values = [], []
    for name, tensor in zip(inputs, model.inputs, strict=True):
        ids = "int" in str(tensor.dtype)
        dtype = helper.np_dtype_to_tensor_dtype(np.dtype(str(tensor.dtype)))
        declared.append(helper.make_tensor_value_info(graph.new_name(name), dtype, _axes(name, tensor, ids, open_steps)))
        values.append(Value(name, tuple(tensor.shape), ids=ids))
    results = OnnxWalk(graph).outputs(model, values)
    graph.scope = ""
    given = []
    for name, value, tensor in zip(outputs, results, model.outputs, strict=True):
        graph.nodes.append(helper.make_node("Identity", [value.name], [graph.new_name(name)], name=f"{name}/result"))
        given.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *_free_axes(name, tensor, open_steps)]))
    made = helper.make_graph(graph.nodes, model.name, declared, given, graph.constants)
    proto = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="seqdec-gui", producer_version=version
    )
    proto.ir_version = IR_VERSION
    helper.set_model_props(proto, about)
    checker.check_model(proto)
    return proto


def _axes(name: str, tensor: Any, ids: bool, open_steps: bool) -> list[str | int]:
    """The axes of an input; that of the steps has a name, so that it is open."""
    axes: list[str | int] = ["batch", *(f"{name}_axis_{i}" if n is None else n for i, n in enumerate(tensor.shape[1:], 1))]
    has_steps = len(axes) == (2 if ids else 3)
    if has_steps and (tensor.shape[1] is None or (open_steps and tensor.shape[1] != 1)):
        axes[1] = f"{name}_steps"
    return axes


def _free_axes(name: str, tensor: Any, open_steps: bool) -> list[str | int]:
    """The axes of an output after that of the rows."""
    axes: list[str | int] = [f"{name}_axis_{i}" if n is None else n for i, n in enumerate(tensor.shape[1:], 1)]
    if len(axes) == 2 and open_steps and axes[0] != 1:
        axes[0] = f"{name}_steps"
    return axes


def _leaves(model: Any) -> list[Any]:
    """Every layer of the model, those of nested models included."""
    found = []
    for layer in model.layers:
        found += _leaves(layer) if is_model(layer) else [layer]
    return found


class OnnxWalk(GraphWalk[Value]):
    """Adds every call of a model to a graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def call(self, call: Call[Value]) -> list[Value]:
        layer, graph = call.layer, self._graph
        if is_model(layer):
            return self.outputs(layer, call.inputs)
        kind = type(layer).__name__
        before, graph.scope = graph.scope, f"{layer.name}/"
        try:
            if kind == "NotEqual":  # the mask of an embedding, as Keras hands it on
                x, *other = call.inputs
                number: Any = other[0] if other else call.keywords.get("x2", 0)
                return [Value(graph.differs(x.name, graph.constant(number, np.int32 if x.ids else np.float32)), x.shape)]
            if kind == "GetItem" and call.inputs[0].name:
                return [Value(item_of(graph, call.inputs[0].name, list(call.inputs[1])), call.shapes[0])]  # type: ignore[call-overload]
            if kind == "Any":
                shown = graph.as_floats(call.inputs[0].name)
                return [Value(graph.as_booleans(graph.add("ReduceMax", shown, axes=[-1], keepdims=0)), call.shapes[0])]
            if not hasattr(layer, "get_weights"):  # an operation of `keras.ops`: Keras makes a mask with it, or it is refused
                return [Value("", shape) for shape in call.shapes]
            if not type(layer).__module__.startswith("keras."):
                raise NotInOnnx("is not one of Keras's own")
            if any(not value.name for value in call.inputs):
                raise NotInOnnx("takes the result of an operation that is no layer")
            names, mask = self._layer(kind, call)
        except (NotInOnnx, NoOperator) as error:
            raise NotInOnnx(f"{layer.name} ({kind}) {error}") from None
        finally:
            graph.scope = before
        ids = kind == "Identity" and call.inputs[0].ids
        return [
            Value(name, shape, mask if i == 0 else "", ids)
            for i, (name, shape) in enumerate(zip(names, call.shapes, strict=True))
        ]

    def _layer(self, kind: str, call: Call[Value]) -> tuple[list[str], str]:
        """Add a layer; returns the names of its results, and the mask of the first."""
        graph, layer = self._graph, call.layer
        x = call.inputs[0]
        if x.ids and kind not in ("Embedding", "Identity", "ReversibleEmbedding"):
            x = _float(graph, x)
        mask = self._mask(call)
        if kind in MERGES or kind == "Concatenate":
            return [merged(graph, layer, call.inputs)], merged_mask(graph, layer, call.inputs)
        if kind == "MultiHeadAttention":
            query_mask = call.keywords.get("query_mask")
            kept = (query_mask.name if isinstance(query_mask, Value) else "") or x.mask
            return [onnx_attention.attention(graph, layer, call.inputs, call.keywords)], kept
        if kind == "ReversibleEmbedding":
            reverse = bool(call.keywords.get("reverse"))
            return [reversible_embedding(graph, layer, x, reverse)], "" if reverse else made_mask(graph, layer, x)
        if kind == "Dot":
            return [onnx_attention.dot(graph, layer, call.inputs)], ""
        if len(call.inputs) > 1 and kind not in STATES and kind != "Bidirectional":
            raise NotInOnnx("takes several inputs, which is not written here")
        if kind in STATES:
            initial = [*call.inputs[1:], *call.initial_state]
            return recurrent(graph, layer, x, initial, mask), (mask or x.mask) if layer.return_sequences else ""
        if kind == "Bidirectional":
            return self._both_ways(call, x, mask), (mask or x.mask) if layer.return_sequences else ""
        if kind == "TimeDistributed":
            return [self._per_step(layer.layer, x)], mask or x.mask
        write = LAYERS.get(kind) or OF_ATTENTION.get(kind)
        if write is None:
            raise NotInOnnx("is a layer that is not written here")
        result = write(graph, layer, Value(x.name, x.shape, mask, x.ids))
        if kind in ("Embedding", "Masking"):
            return [result], made_mask(graph, layer, x)
        return [result], x.mask if layer.supports_masking else ""

    def _mask(self, call: Call[Value]) -> str:
        """The mask that Keras passes to the layer: the argument, or that of the only tensor."""
        given = call.keywords.get("mask")
        if isinstance(given, Value):
            if not given.name and not call.inputs[0].mask:
                raise NotInOnnx("takes a mask that no layer makes")
            return given.name or call.inputs[0].mask
        return "" if call.initial_state or len(call.inputs) > 1 else call.inputs[0].mask

    def _both_ways(self, call: Call[Value], x: Value, mask: str) -> list[str]:
        graph, layer = self._graph, call.layer
        states = [*call.inputs[1:], *call.initial_state]
        half = len(states) // 2
        forward = recurrent(graph, layer.forward_layer, x, states[:half], mask)
        backward = recurrent(graph, layer.backward_layer, x, states[half:], mask)
        last = graph.reversed(backward[0], 1) if layer.return_sequences else backward[0]
        if layer.merge_mode is None:
            raise NotInOnnx("gives both directions apart, which is not written here")
        if layer.merge_mode == "concat":
            merged_outputs = graph.add("Concat", forward[0], last, axis=-1)
        else:
            merged_outputs = graph.add(MERGE_OF_BOTH[layer.merge_mode], forward[0], last)
            if layer.merge_mode == "ave":
                merged_outputs = graph.add("Mul", merged_outputs, graph.constant(0.5))
        return [merged_outputs, *forward[1:], *backward[1:]]

    def _per_step(self, inner: Any, x: Value) -> str:
        """Apply a layer to every step: all steps of all rows are rows for it."""
        kind, graph = type(inner).__name__, self._graph
        if kind not in LAYERS or kind in ("Masking", "Embedding"):
            raise NotInOnnx(f"repeats {inner.name} ({kind}), which is not written here")
        if kind in ("Dense", "Activation", "Dropout"):
            return LAYERS[kind](graph, inner, x)
        rest = x.shape[2:]
        if None in rest:
            raise NotInOnnx("has steps of an open shape")
        rows = graph.add("Reshape", x.name, graph.integers(-1, *(int(axis or 0) for axis in rest)))
        result = LAYERS[kind](graph, inner, Value(rows, (None, *rest)))
        after = tuple(inner.compute_output_shape((None, *rest)))[1:]
        if None in after:
            raise NotInOnnx("gives steps of an open shape")
        places = graph.add("Slice", graph.add("Shape", x.name), graph.integers(0), graph.integers(2))
        shape = graph.add("Concat", places, graph.integers(*(int(axis or 0) for axis in after)), axis=0)
        return graph.add("Reshape", result, shape)


def _float(graph: Graph, x: Value) -> Value:
    """Whole numbers as floats, for a layer that computes with them."""
    return Value(graph.as_floats(x.name), x.shape, x.mask)
