"""Rewrites the configuration of one layer of Keras 2 as the configuration that Keras 3 reads.

Functions of plain JSON data: no Keras is imported, and nothing of a file is run. What would compute something else in Keras 3
is rewritten so that it computes the same, and what cannot be said in Keras 3 is refused with the name of the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from seqdec_gui.domain.problems import InvalidInput, Problem

Config = dict[str, Any]

CODE_CLASSES = ("Lambda", "ClassMethod", "InstanceMethod", "InstanceProperty", "TensorFlowOpLayer", "TFSMLayer")
"""Classes of Keras 2 that hold code, or operations of TensorFlow outside of layers."""
HARD_SIGMOID_SLOPE = 1.2
"""Factor on the argument with which the hard sigmoid of Keras 3 (slope 1/6) is that of Keras 2 (slope 1/5)."""

_RECURRENT = (
    "units", "activation", "recurrent_activation", "use_bias", "unit_forget_bias", "dropout", "recurrent_dropout",
    "return_sequences", "return_state", "go_backwards", "unroll", "reset_after", "zero_output_for_mask",
)  # fmt: skip
_CONV_WITHOUT_GROUPS = (
    "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation", "use_bias",
)  # fmt: skip
_CONV = (*_CONV_WITHOUT_GROUPS, "groups")
_POOL = ("pool_size", "strides", "padding", "data_format")
_GLOBAL_POOL = ("data_format", "keepdims")

_KEPT: dict[str, tuple[str, ...]] = {
    "Activation": ("activation",),
    "ActivityRegularization": ("l1", "l2"),
    "Add": (),
    "AdditiveAttention": ("use_scale", "dropout"),
    "AlphaDropout": ("rate", "noise_shape", "seed"),
    "Attention": ("use_scale", "score_mode", "dropout"),
    "Average": (),
    "AveragePooling1D": _POOL,
    "AveragePooling2D": _POOL,
    "BatchNormalization": ("axis", "momentum", "epsilon", "center", "scale"),
    "Bidirectional": ("merge_mode",),
    "Concatenate": ("axis",),
    "Conv1D": _CONV,
    "Conv1DTranspose": (*_CONV_WITHOUT_GROUPS, "output_padding"),
    "Conv2D": _CONV,
    "Conv2DTranspose": (*_CONV_WITHOUT_GROUPS, "output_padding"),
    "Cropping1D": ("cropping",),
    "Cropping2D": ("cropping", "data_format"),
    "Dense": ("units", "activation", "use_bias"),
    "DepthwiseConv1D": (*_CONV_WITHOUT_GROUPS[1:], "depth_multiplier"),
    "DepthwiseConv2D": (*_CONV_WITHOUT_GROUPS[1:], "depth_multiplier"),
    "Dot": ("axes", "normalize"),
    "Dropout": ("rate", "noise_shape", "seed"),
    "ELU": ("alpha",),
    "Embedding": ("input_dim", "output_dim", "mask_zero"),
    "Flatten": ("data_format",),
    "GRU": _RECURRENT,
    "GRUCell": _RECURRENT,
    "GaussianDropout": ("rate", "seed"),
    "GaussianNoise": ("stddev", "seed"),
    "GlobalAveragePooling1D": _GLOBAL_POOL,
    "GlobalAveragePooling2D": _GLOBAL_POOL,
    "GlobalMaxPooling1D": _GLOBAL_POOL,
    "GlobalMaxPooling2D": _GLOBAL_POOL,
    "GroupNormalization": ("groups", "axis", "epsilon", "center", "scale"),
    "InputLayer": ("dtype",),
    "LSTM": _RECURRENT,
    "LSTMCell": _RECURRENT,
    "LayerNormalization": ("axis", "epsilon", "center", "scale"),
    "LeakyReLU": ("negative_slope",),
    "Masking": ("mask_value",),
    "MaxPooling1D": _POOL,
    "MaxPooling2D": _POOL,
    "Maximum": (),
    "Minimum": (),
    "MultiHeadAttention": ("num_heads", "key_dim", "value_dim", "dropout", "use_bias", "output_shape", "attention_axes"),
    "Multiply": (),
    "PReLU": ("shared_axes",),
    "Normalization": ("axis", "mean", "variance", "invert"),
    "Permute": ("dims",),
    "RNN": ("return_sequences", "return_state", "go_backwards", "unroll", "zero_output_for_mask"),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "RepeatVector": ("n",),
    "Rescaling": ("scale", "offset"),
    "Reshape": ("target_shape",),
    "SeparableConv1D": (*_CONV_WITHOUT_GROUPS, "depth_multiplier"),
    "SeparableConv2D": (*_CONV_WITHOUT_GROUPS, "depth_multiplier"),
    "SimpleRNN": _RECURRENT,
    "SimpleRNNCell": _RECURRENT,
    "Softmax": ("axis",),
    "SpatialDropout1D": ("rate", "seed"),
    "SpatialDropout2D": ("rate", "data_format", "seed"),
    "StackedRNNCells": (),
    "Subtract": (),
    "TimeDistributed": (),
    "UnitNormalization": ("axis",),
    "UpSampling1D": ("size",),
    "UpSampling2D": ("size", "data_format", "interpolation"),
    "ZeroPadding1D": ("padding",),
    "ZeroPadding2D": ("padding", "data_format"),
}
"""The layers of Keras 2 that Keras 3 has too, with the arguments that mean the same."""

_RENAMED = {"CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU", "Convolution1D": "Conv1D", "Convolution2D": "Conv2D",
            "BatchNormalizationV1": "BatchNormalization",
            "LSTMV1": "LSTM", "GRUV1": "GRU", "LSTMV2": "LSTM", "GRUV2": "GRU"}  # fmt: skip
_IGNORED = frozenset({
    "batch_input_shape", "batch_shape", "input_shape", "input_length", "input_dtype", "implementation", "fused", "optional",
    "sparse", "ragged", "autocast", "build_config", "num_constants", "query_shape", "key_shape", "value_shape",
    "experimental_run_tf_function", "force_generator", "synchronized",
})  # fmt: skip
"""Arguments that say nothing about what a layer computes, or that are looked at elsewhere."""
_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "virtual_batch_size": (None,), "data_format": ("channels_last",), "groups": (1,), "output_padding": (None,),
}  # fmt: skip
"""Further values of arguments without an effect; None and False have none anywhere."""
REGULARIZERS = ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer",
                "embeddings_regularizer", "beta_regularizer", "gamma_regularizer", "depthwise_regularizer",
                "pointwise_regularizer", "alpha_regularizer")  # fmt: skip
_KNOWN_OBJECTS = {"regularizer": {"L1", "L2", "L1L2"}, "constraint": {"MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"}}


class Migrated(NamedTuple):
    """A layer for Keras 3, with remarks, and the activations whose argument has to be scaled (`HARD_SIGMOID_SLOPE`)."""

    class_name: str
    config: Config
    notes: tuple[str, ...] = ()


def refused(name: str, why: str, hint: str) -> InvalidInput:
    """Return the error that a layer has no equal in Keras 3. `why` is the rest of a sentence that begins with its name."""
    return InvalidInput([Problem("error", "unusable_keras_file", "file", f"The layer {name} {why}.", hint)])


def migrated(class_name: str, config: Config) -> Migrated:
    """Return the layer in the form of Keras 3, without the layers that it wraps. Raises InvalidInput with its name."""
    name = str(config.get("name", class_name))
    target = _RENAMED.get(class_name, class_name)
    _fail_if_foreign(class_name, target, name)
    notes: list[str] = []
    config = _renamed_arguments(class_name, target, {key: value for key, value in config.items() if key != "name"})
    _fail_if_different(target, name, config)
    kept: Config = {"name": name, "dtype": "float32"}
    if not config.pop("trainable", True) and not target.startswith("SpatialDropout"):
        kept["trainable"] = False
    notes += _of_precision(name, config.pop("dtype", None)) if target != "InputLayer" else []
    if config.pop("stateful", False):
        notes.append(f"{name} was stateful: here every batch begins with states of zero, as after reset_states().")
    for key, value in config.items():
        if key in _KEPT[target]:
            kept[key] = _plain(value)
        elif key.endswith(("_regularizer", "_constraint")):
            if value is not None:
                kept[key] = _object(name, key, value, notes)
        elif not _has_no_effect(target, key, value):
            raise refused(name, f"({class_name}) has {key}={value!r}, which Keras 3 does not have", "Rebuild it without.")
    if target in ("GRU", "GRUCell"):
        kept.setdefault("reset_after", class_name == "CuDNNGRU")  # as Keras 2 has it where the file says nothing
    if target == "BatchNormalization":
        kept["axis"] = _one_axis(name, kept.get("axis", -1))
    return Migrated(target, kept, tuple(notes))


def _fail_if_foreign(class_name: str, target: str, name: str) -> None:
    if class_name in CODE_CLASSES:
        what = "a Lambda layer, which would run code from the file" if class_name == "Lambda" else (
            f"an operation of TensorFlow outside of Keras's layers ({class_name})")  # fmt: skip
        hint = (
            "Rebuild the model with a layer of Keras in its place (for example Activation, Rescaling, Reshape, Permute, Add or "
            "Concatenate), copy the weights with set_weights, and save it again."
        )
        raise refused(name, f"is {what}", hint)
    if target not in _KEPT:
        hint = (
            "Save the part of the model before or after it as a file of its own, keras.Model(model.inputs, "
            "model.get_layer(...).output), or rebuild the layer from Keras's own."
        )
        raise refused(name, f"is a {class_name}, which is not one of Keras's own that can be read here", hint)


def _renamed_arguments(class_name: str, target: str, config: Config) -> Config:
    """Return the arguments under the names of Keras 3, with the defaults of Keras 2 where they differ."""
    if class_name in ("CuDNNLSTM", "CuDNNGRU"):
        config |= {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True}
    if target == "LeakyReLU" and "alpha" in config:
        config["negative_slope"] = config.pop("alpha")
    for key in ("activation", "recurrent_activation"):
        if key in config:
            config[key] = activation_name(config[key])
    if target in ("LSTM", "GRU", "LSTMCell", "GRUCell"):  # Keras 2 before 2.3 leaves nothing out; others have these defaults
        config.setdefault("recurrent_activation", "hard_sigmoid")
        config.setdefault("activation", "tanh")
    return config


def activation_name(value: Any) -> str:
    """Return the name of an activation, which some versions write as an object; `<lambda>` for a function without a name."""
    if isinstance(value, dict):
        value = value.get("config") if value.get("class_name") == "function" else value.get("class_name", "<lambda>")
        value = value if isinstance(value, str) else "<lambda>"
    return "linear" if value is None else str(value)


_ACTIVATIONS = frozenset({
    "linear", "relu", "relu6", "tanh", "sigmoid", "softmax", "elu", "selu", "gelu", "silu", "swish", "softplus", "softsign",
    "exponential", "hard_sigmoid", "leaky_relu", "mish",
})  # fmt: skip


def _fail_if_different(target: str, name: str, config: Config) -> None:
    """Raise InvalidInput for what Keras 3 would read and compute differently."""
    if config.pop("time_major", False):
        hint = (
            "Build it with time_major=False for inputs of (rows, steps, features), copy the weights with set_weights, "
            "and save it again."
        )
        raise refused(name, "has time_major=True: steps come before rows, and a block takes rows first", hint)
    if config.get("ragged") or config.get("sparse"):
        raise refused(name, "takes ragged or sparse tensors", "Pad the sequences, and build the model with a plain Input.")
    if config.pop("renorm", False) or config.get("virtual_batch_size"):
        hint = "Build it with renorm=False, without virtual_batch_size, copy the weights and save it again."
        raise refused(name, "uses batch renormalization, which Keras 3 does not have", hint)
    for key in [key for key in config if key.startswith("renorm")]:
        del config[key]
    if config.get("num_constants"):
        raise refused(name, "takes constants beside its states", "Concatenate them to its inputs instead.")
    for key in ("activation", "recurrent_activation"):
        value = config.get(key, "linear")
        if value not in _ACTIVATIONS:
            hint = (
                "Rebuild the model where it was made with one of Keras's activations, or with a layer such as LeakyReLU after "
                "this one, copy the weights with set_weights, and save it again."
            )
            raise refused(name, f"has the activation {value!r}, a function that is not one of Keras's own", hint)
    if config.get("activation") == "hard_sigmoid" and target not in ("Dense", "Conv1D", "Conv2D"):
        hint = "Use sigmoid, or a Dense layer with hard_sigmoid."
        raise refused(name, "has activation='hard_sigmoid', whose slope is another one in Keras 3", hint)


def _has_no_effect(target: str, key: str, value: Any) -> bool:
    if key in _IGNORED or key.endswith("_initializer") or (target == "InputLayer" and key == "type_spec"):
        return True
    if target in ("Bidirectional", "TimeDistributed", "RNN", "StackedRNNCells") and key in (
        "layer", "backward_layer", "cell", "cells", "reverse_state_order"
    ):  # fmt: skip
        return True
    return value is None or value is False or value == [] or value in _NEUTRAL.get(key, ())


def _of_precision(name: str, dtype: Any) -> list[str]:
    """Return a remark if the layer computed in another precision than float32."""
    if isinstance(dtype, dict):
        dtype = dtype.get("config", {}).get("name")
    if dtype in (None, "float32", "int32", "int64", "uint8"):
        return []
    return [f"{name} computed in {dtype}; here it computes in float32."]


def _object(name: str, key: str, value: Any, notes: list[str]) -> Config | None:
    """Return a regularizer or a constraint for Keras 3; None, with a remark, for one that it does not have."""
    kind = key.rpartition("_")[2]
    if isinstance(value, dict) and value.get("class_name") in _KNOWN_OBJECTS[kind]:
        settings = {k: v for k, v in value.get("config", {}).items() if k != "name"}
        return {"module": f"keras.{kind}s", "class_name": value["class_name"], "config": settings, "registered_name": None}
    notes.append(f"The {key.replace('_', ' ')} of {name} is left out.")
    return None


def _one_axis(name: str, axis: Any) -> int:
    if isinstance(axis, list | tuple):
        if len(axis) != 1:
            raise refused(name, f"normalises over the axes {axis} together", "Use one axis, of a Flatten layer before it.")
        (axis,) = axis
    return int(axis)


def _plain(value: Any) -> Any:
    """Return a value without the wrapping with which some versions write tuples."""
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        return list(value.get("items", ()))
    return value
