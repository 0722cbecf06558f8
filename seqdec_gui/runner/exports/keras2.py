"""Repeats a Keras 3 model with the layers of Keras 2 (tf_keras), and gives these the same weights.

Each layer is made of its own configuration, without what Keras 2 does not know, and called as the Keras 3 layer is called.
Submodels stay submodels, and names stay names.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.runner.exports.graph_walk import Call, GraphWalk, is_model

if TYPE_CHECKING:
    import keras

OTHER_FUNCTIONS = {"hard_sigmoid": "Keras 2 computes it as max(0, min(1, 0.2 x + 0.5)), Keras 3 as relu6(x + 3) / 6"}
"""Activations whose name means another function in Keras 2."""
OTHER_NAMES = {"silu": "swish"}
"""Activations that Keras 2 knows by another name."""
_ACTIVATIONS = ("activation", "recurrent_activation")
_BY_NAME = ("initializer", "regularizer", "constraint")
"""What the names of arguments end with that hold an object described by class and configuration."""


class NotInKeras2(Exception):
    """A layer, or an option of it, that Keras 2 does not have; the text follows "its layer"."""


def keras2_model(model: keras.Model) -> Any:
    """The same model of tf_keras with the same weights. Raises NotInKeras2, and ValueError as tf_keras does."""
    return _Walk().model(model)


class _Walk(GraphWalk[Any]):
    """Calls the Keras 2 layers on the tensors of Keras 2."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def model(self, model: keras.Model) -> Any:
        """The Keras 2 model of a model, made once.

        Layers are frozen one by one: Keras 2 writes the weights of a frozen submodel in another order than it reads.
        """
        import tf_keras

        if id(model) not in self._made:
            inputs = [tf_keras.Input(tensor.shape[1:], dtype=str(tensor.dtype), name=tensor.name) for tensor in model.inputs]
            outputs = self.outputs(model, inputs)
            one_in, one_out = (not isinstance(side, list | tuple) for side in (model.input, model.output))
            made = tf_keras.Model(inputs[0] if one_in else inputs, outputs[0] if one_out else outputs, name=model.name)
            self._made[id(model)] = made
        return self._made[id(model)]

    def call(self, call: Call[Any]) -> list[Any]:
        layer = call.layer
        if type(layer).__name__ == "GetItem" and call.inputs[0] is not None:  # x[:, -1, :], as Keras 2 writes it too
            return [call.inputs[0][tuple(call.inputs[1])]]
        if not hasattr(layer, "get_weights"):
            return [None] * len(call.shapes)  # an operation that makes a mask: Keras 2 passes masks on by itself
        known = id(layer) in self._made
        made = self.model(layer) if is_model(layer) else self._layer(layer)
        inputs = [self._without_unused_mask(call, value) for value in call.inputs]
        keywords: dict[str, Any] = {"initial_state": call.initial_state} if call.initial_state else {}
        if type(layer).__name__ == "MultiHeadAttention":
            results = made(*inputs, **_of_attention(call))
        else:
            results = made(inputs if call.several or len(inputs) > 1 else inputs[0], **keywords)
        if not known and not is_model(layer):
            _copy_weights(layer, made)
        return list(results) if isinstance(results, list | tuple) else [results]

    def _layer(self, layer: Any) -> Any:
        if id(layer) not in self._made:
            self._made[id(layer)] = keras2_layer(layer)
        return self._made[id(layer)]

    def _without_unused_mask(self, call: Call[Any], value: Any) -> Any:
        """The tensor without its mask, for a recurrent layer with initial states: Keras 3 passes it none, Keras 2 would."""
        import tf_keras

        if not call.initial_state or "mask" in call.keywords or getattr(value, "_keras_mask", None) is None:
            return value
        axes = tuple(range(1, len(value.shape)))
        return tf_keras.layers.Permute(axes, name=f"{call.layer.name}_without_mask")(value)


def _of_attention(call: Call[Any]) -> dict[str, Any]:
    """The arguments of a call of MultiHeadAttention that limit what is attended to. Raises NotInKeras2."""
    mask, causal = call.keywords.get("attention_mask"), bool(call.keywords.get("use_causal_mask"))
    if mask is not None and causal:
        raise NotInKeras2(f"{call.layer.name} is causal and takes a mask of numbers, which Keras 2 does not put together")
    return ({} if mask is None else {"attention_mask": mask}) | ({"use_causal_mask": True} if causal else {})


def keras2_layer(layer: Any) -> Any:
    """The Keras 2 layer of a Keras 3 layer, without weights yet. Raises NotInKeras2."""
    import tf_keras

    kind = type(layer).__name__
    made: Any = getattr(tf_keras.layers, kind, None)
    if made is None or not type(layer).__module__.startswith("keras."):
        raise NotInKeras2(f"{layer.name} ({kind}) is none of Keras 2")
    if getattr(layer, "rms_scaling", False) or getattr(layer, "lora_enabled", False):
        raise NotInKeras2(f"{layer.name} ({kind}) has an option that Keras 2 does not have")
    config = layer.get_config()
    if kind == "Bidirectional":
        inner = keras2_layer(layer.forward_layer)
        config["layer"] = type(inner).from_config(inner.get_config() | {"name": inner.name.removeprefix("forward_")})
        config.pop("backward_layer", None)
    elif kind == "TimeDistributed":
        config["layer"] = keras2_layer(layer.layer)
    return made(**_arguments(layer, made, config))


def _arguments(layer: Any, made: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the configuration that the Keras 2 class takes, as it takes them."""
    known = set(inspect.signature(made.__init__).parameters) | {"name", "trainable"}
    arguments: dict[str, Any] = {}
    for key, value in config.items():
        if key not in known or key in ("dtype", "activity_regularizer"):
            continue
        if key in _ACTIVATIONS:
            if value in OTHER_FUNCTIONS:
                raise NotInKeras2(f"{layer.name} has the activation {value}: {OTHER_FUNCTIONS[value]}")
            value = OTHER_NAMES.get(value, value)
        elif key.endswith(_BY_NAME) and isinstance(value, dict):
            value = _described(f"{key.rpartition('_')[2]}s", value)
            if value is None:
                continue
        arguments[key] = value
    return arguments


def _described(module: str, value: Mapping[str, Any]) -> Any:
    """An initializer, a regularizer or a constraint of Keras 2; None where Keras 2 has none of this name.

    They count for further training alone.
    """
    import tf_keras

    made = getattr(getattr(tf_keras, module), str(value["class_name"]), None)
    if made is None:
        return None
    known = inspect.signature(made.__init__).parameters
    return made(**{key: each for key, each in value["config"].items() if key in known})


def _copy_weights(layer: Any, made: Any) -> None:
    """Give the Keras 2 layer the weights of the Keras 3 layer; both list them in the same order. Raises NotInKeras2."""
    values = [np.asarray(value, np.float32) for value in layer.get_weights()]
    shapes = [tuple(weight.shape) for weight in made.weights]
    if [value.shape for value in values] != shapes:
        raise NotInKeras2(f"{layer.name} has weights of {[value.shape for value in values]}, and Keras 2 expects {shapes}")
    made.set_weights(values)
