"""Graphs of calls of layers, of a Keras model and of a block kind alike, and whether two of them compute the same.

Two calls are the same if their layers have the same class and settings (names, initial values and what only matters in plain
Keras aside), and their inputs are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from seqdec_gui.domain.graph import Submodel
from seqdec_gui.domain.layers.layer import Layer
from seqdec_gui.domain.layers.specs import LAYERS
from seqdec_gui.runner.splitting.masks import masks_of_padding
from seqdec_gui.runner.splitting.pieces import nodes_of

if TYPE_CHECKING:
    import keras


class Value(NamedTuple):
    """Output `output` of call `call`; an input of the graph if `call` is negative: -1 is the first, -2 the second."""

    call: int
    output: int = 0


class Call(NamedTuple):
    """One call of a layer, a Keras layer or the description of one, with its inputs and initial states."""

    layer: Any
    inputs: tuple[Value, ...]
    states: tuple[Value, ...] = ()


class Graph(NamedTuple):
    """Calls in an order in which each comes after those that it needs, and the values that leave the graph."""

    calls: tuple[Call, ...]
    inputs: int
    outputs: tuple[Value, ...]


class NotPlain(Exception):
    """A call has arguments besides inputs and initial states, or is none of a layer; its text is a sentence about the piece."""


def of_submodel(submodel: Submodel) -> Graph:
    """Return the graph of the layers of a block; its outputs are all variables of all ports in order."""
    held: dict[str, Value] = {tensor.variable: Value(-1 - i) for i, tensor in enumerate(submodel.inputs)}
    calls: list[Call] = []
    for number, call in enumerate(submodel.calls):
        states = tuple(held[name] for name in call.initial_state)
        calls.append(Call(call.layer, tuple(held[name] for name in call.inputs), states))
        held.update({tensor.variable: Value(number, i) for i, tensor in enumerate(call.outputs)})
    outputs = tuple(held[name] for port in submodel.outputs for name in port.variables)
    return Graph(tuple(calls), len(submodel.inputs), outputs)


def of_model(model: keras.Model) -> Graph:
    """Return the graph of a functional model, without masks of padding that its layers pass on anyway. Raises NotPlain."""
    import keras

    held: dict[int, Value] = {id(tensor): Value(-1 - i) for i, tensor in enumerate(model.inputs)}
    calls: list[Call] = []
    nodes = nodes_of(model)
    masks = masks_of_padding(nodes, model.outputs)
    for node in nodes:
        if all(id(tensor) in masks for tensor in node.output_tensors):
            continue
        given, keywords = list(node.arguments.args), dict(node.arguments.kwargs)
        states = keywords.pop("initial_state", None) or ()
        states = states if isinstance(states, list | tuple) else [states]
        keywords = {key: value for key, value in keywords.items() if value is not None and key != "training"}
        if id(keywords.get("mask")) in masks:
            del keywords["mask"]
        if not isinstance(node.operation, keras.layers.Layer):
            raise NotPlain(f"It computes {node.operation.name} without a layer, which no block kind does.")
        if len(given) != 1 or keywords:
            what = "a mask that is computed" if "mask" in keywords else "an argument that no block kind gives"
            raise NotPlain(f"Its layer {node.operation.name} is called with {what}.")
        inputs = given[0] if isinstance(given[0], list | tuple) else [given[0]]
        try:
            taken = tuple(held[id(tensor)] for tensor in inputs), tuple(held[id(tensor)] for tensor in states)
        except KeyError:
            raise NotPlain(f"Its layer {node.operation.name} takes what comes from outside the piece.") from None
        number = len(calls)
        calls.append(Call(node.operation, *taken))
        held.update({id(tensor): Value(number, i) for i, tensor in enumerate(node.output_tensors)})
    return Graph(tuple(calls), len(model.inputs), tuple(held[id(tensor)] for tensor in model.outputs))


def matched(own: Graph, foreign: Graph) -> dict[str, Any] | None:
    """Return the Keras layer of the foreign graph for each layer name of a block; None if the graphs differ.

    Every call of the foreign graph has to have its counterpart, so that nothing is lost.
    """
    if own.inputs != foreign.inputs or len(own.outputs) != len(foreign.outputs) or len(own.calls) != len(foreign.calls):
        return None
    paired: dict[int, int] = {}
    todo = list(zip(own.outputs, foreign.outputs, strict=True))
    while todo:
        mine, theirs = todo.pop()
        if mine.call < 0 or theirs.call < 0:
            if mine != theirs:
                return None
            continue
        if mine.output != theirs.output or paired.get(mine.call, theirs.call) != theirs.call:
            return None
        if mine.call in paired:
            continue
        paired[mine.call] = theirs.call
        a, b = own.calls[mine.call], foreign.calls[theirs.call]
        if len(a.inputs) != len(b.inputs) or len(a.states) != len(b.states) or not same_layer(a.layer, b.layer):
            return None
        todo += zip((*a.inputs, *a.states), (*b.inputs, *b.states), strict=True)
    if len(paired) != len(own.calls) or len(set(paired.values())) != len(foreign.calls):
        return None
    return {own.calls[mine].layer.name: foreign.calls[theirs].layer for mine, theirs in paired.items()}


_NOT_COMPARED = frozenset({"name", "dtype", "trainable", "seed", "build_config", "batch_input_shape", "input_length",
                           "use_cudnn", "lora_rank", "lora_alpha", "quantization_config", "implementation",
                           "zero_output_for_mask", "unroll", "return_state", "synchronized", "unit_forget_bias",
                           "output_dtype"})  # fmt: skip
"""Settings that do not change what a layer computes at inference, or how it trains here.

States that are returned and used are other values of the graph; unused ones change nothing."""


def same_layer(own: Layer, foreign: Any) -> bool:
    """Whether a layer that a block would make computes what a Keras layer computes."""
    import keras

    made = keras_layer(own)
    if isinstance(foreign, keras.layers.TimeDistributed) and type(made) is keras.layers.Dense:
        foreign = foreign.layer  # a Dense is applied at every step anyway
    if type(made) is not type(foreign) or (foreign.weights and not foreign.trainable):
        return False
    return _settings(made.get_config()) == _settings(foreign.get_config())


class Difference(NamedTuple):
    """A setting in which a layer differs from another one, and the value that the other has; `class` if it is another layer.

    `matters` is whether the outputs at inference are others, and not only what is handed on beside them, or the training.
    """

    setting: str
    value: str
    matters: bool = True

    def __str__(self) -> str:
        return f"{self.setting} {self.value}"


_WITHOUT_EFFECT = frozenset({"momentum", "dropout", "recurrent_dropout", "return_sequences", "stateful",
                             "kernel_constraint", "bias_constraint", "recurrent_constraint"})  # fmt: skip
"""Settings that do not change what a step of a layer is at inference with the same weights."""


def differences(own: Any, foreign: Any) -> list[Difference]:
    """Return the settings in which a Keras layer differs from another one."""
    import keras

    if isinstance(foreign, keras.layers.TimeDistributed) and type(own) is keras.layers.Dense:
        foreign = foreign.layer  # a Dense is applied at every step anyway
    if type(own) is not type(foreign):
        return [Difference("class", type(foreign).__name__)]
    return _differing("", _settings(own.get_config()), _settings(foreign.get_config()))


def _differing(before: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Difference]:
    """Return the settings that differ, those of layers inside likewise: `layer.recurrent_activation`."""
    found = []
    for name, value in mine.items():
        other = theirs.get(name)
        if value == other:
            continue
        if _is_layer(value) and _is_layer(other) and value["class_name"] == other["class_name"]:
            found += _differing(f"{before}{name}.", value["config"], other["config"])
        else:
            found.append(Difference(before + name, _short(other), name not in _WITHOUT_EFFECT))
    return found


def _is_layer(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and "class_name" in value and isinstance(value.get("config"), Mapping)


def differing_settings(own: Any, foreign: Any) -> str:
    """Return in what a Keras layer differs from another one, empty if it does not.

    This is said of the other layer: `is of the class Dense`, `has activation relu`.
    """
    found = differences(own, foreign)
    if found and found[0].setting == "class":
        return f"is of the class {found[0].value}"
    return f"has {', '.join(map(str, found))}" if found else ""


def _short(value: Any) -> str:
    return str(value.get("class_name", value)) if isinstance(value, Mapping) else str(value)


def keras_layer(own: Layer) -> Any:
    """Return the Keras layer of a description."""
    import keras

    arguments: dict[str, Any] = dict(own.arguments)
    inner = [keras_layer(own.inner)] if own.inner is not None else []
    return getattr(keras.layers, own.type)(*inner, **arguments, name=own.name)


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts of a configuration, with nested layers likewise and lists for tuples."""
    counted: dict[str, Any] = {}
    for key, value in config.items():
        if key in _NOT_COMPARED or key.endswith(("_initializer", "_regularizer")):
            continue
        if isinstance(value, Mapping) and "class_name" in value:
            value = {"class_name": value["class_name"], "config": _settings(value.get("config", {}))}
        counted[key] = _plain(value)
    if "strides" in counted and "pool_size" in counted and counted["strides"] is None:
        counted["strides"] = counted["pool_size"]
    return counted


def _plain(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def built(submodel: Submodel) -> keras.Model:
    """Return the Keras model of the layers of a block, with new weights."""
    import keras

    held: dict[str, Any] = {
        tensor.variable: keras.Input(tensor.type.shape, dtype=tensor.type.dtype, name=tensor.name) for tensor in submodel.inputs
    }
    inputs = list(held.values())
    layers: dict[str, Any] = {}
    for call in submodel.calls:
        given = [held[name] for name in call.inputs]
        states = {"initial_state": [held[name] for name in call.initial_state]} if call.initial_state else {}
        options = dict(call.options) | {name: held[variable] for name, variable in call.named}
        arguments = given if LAYERS[call.layer.type].separate_inputs else [given[0] if len(given) == 1 else given]
        if call.layer.name not in layers:
            layers[call.layer.name] = keras_layer(call.layer)
        made = layers[call.layer.name](*arguments, **states, **options)
        made = made if isinstance(made, list | tuple) else [made]
        held.update({tensor.variable: result for tensor, result in zip(call.outputs, made, strict=True)})
    return keras.Model(inputs, [held[name] for port in submodel.outputs for name in port.variables])
