"""The table of Keras layer classes that a block may contain, with every property that the program needs.

To add a layer, add a row (and a shape rule in `rules`, where none fits). Shape inference, the generated script, the advice
about masks, the estimates of work and memory and the certificates all read it here.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from seqdec_gui.domain.layers import rules
from seqdec_gui.domain.layers.layer import Applied, Layer, LayerError, Types
from seqdec_gui.domain.layers.rules import Rule
from seqdec_gui.domain.types import TensorType, format_shape

Products = Literal["none", "per_output_step", "per_input_step"]
"""How often a layer multiplies its weights: never, once per position of its output, or once per step of its input."""


class LayerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of one class of `keras.layers`.

    `rule` gives output types and parameter counts. `positional` are the leading arguments that scripts write without a name.
    `separate_inputs`: several inputs are arguments of their own, as in `attention(query, value)`, instead of one list.

    Masks, as `Layer.__call__` of Keras 3.15 handles them: `takes_mask` where `call` has a parameter `mask`; `keeps_mask` where
    the first output has the mask of the input. A layer that returns the last step alone has taken the mask by then.
    `makes_mask` is "always", "never", or the argument that switches it on. `tests/runner/test_masks.py` compares with Keras.

    `kept_floats` is how many numbers a training step keeps for the backward pass, per number of the output: a recurrent layer
    keeps its gates. `linear` layers have a bias that a BatchNormalization right after them cancels. `random_arguments` are the
    arguments that make a training step random unless they are 0.
    """

    rule: Rule
    positional: tuple[str, ...] = ()
    separate_inputs: bool = False
    takes_mask: bool = False
    keeps_mask: bool = False
    makes_mask: str = "never"
    products: Products = "per_output_step"
    kept_floats: int = 1
    linear: bool = False
    random_arguments: tuple[str, ...] = ()

    def gives_mask(self, layer: Layer) -> bool:
        """Return whether this layer makes a mask for its output."""
        return self.makes_mask == "always" or (self.makes_mask != "never" and layer.flag(self.makes_mask, False))


def apply(layer: Layer, inputs: Types) -> Applied:
    """Return the outputs and parameter counts of `layer` on these inputs (without the batch axis). Raises LayerError."""
    return LAYERS[layer.type].rule(layer, inputs)


def random_arguments() -> frozenset[str]:
    """The names of all arguments that make some layer random in training."""
    return frozenset(name for spec in LAYERS.values() for name in spec.random_arguments)


def _time_distributed(layer: Layer, inputs: Types) -> Applied:
    """Apply the rule of the wrapped layer to one step."""
    (tensor,) = inputs
    if tensor.dtype != "float32" or len(tensor.shape) < 2:
        raise LayerError(f"TimeDistributed takes {rules.SEQUENCE} and got {format_shape(tensor.shape)}")
    assert layer.inner is not None
    inner = apply(layer.inner, (TensorType(tensor.shape[1:]),))
    outputs = tuple(TensorType((tensor.shape[0], *out.shape)) for out in inner.outputs)
    return Applied(outputs, inner.parameters, inner.trainable)


_RECURRENT_DROPOUT = ("dropout", "recurrent_dropout")

LAYERS: dict[str, LayerSpec] = {
    "Activation": LayerSpec(rule=rules.same_shape, positional=("activation",), keeps_mask=True),
    "Add": LayerSpec(rule=rules.scaled_steps, keeps_mask=True),
    "AveragePooling1D": LayerSpec(rule=rules.pooling1d),
    "BatchNormalization": LayerSpec(rule=rules.batch_normalization, takes_mask=True, keeps_mask=True, products="none"),
    "Bidirectional": LayerSpec(
        rule=rules.bidirectional, takes_mask=True, keeps_mask=True, products="per_input_step", kept_floats=6
    ),
    "Concatenate": LayerSpec(rule=rules.concatenate, keeps_mask=True),
    "Conv1D": LayerSpec(rule=rules.conv1d, positional=("filters", "kernel_size"), linear=True),
    "Cropping1D": LayerSpec(rule=rules.resized(-1, "cropping")),
    "Dense": LayerSpec(rule=rules.dense, positional=("units",), keeps_mask=True, linear=True),
    "Dot": LayerSpec(rule=rules.dot, positional=("axes",), products="none"),
    "Dropout": LayerSpec(rule=rules.same_shape, positional=("rate",), keeps_mask=True, random_arguments=("rate",)),
    "EinsumDense": LayerSpec(rule=rules.einsum_dense, positional=("equation", "output_shape"), products="none"),
    "Embedding": LayerSpec(
        rule=rules.embedding, positional=("input_dim", "output_dim"), makes_mask="mask_zero", products="none"
    ),
    "Flatten": LayerSpec(rule=rules.flatten),
    "GRU": LayerSpec(
        rule=rules.recurrent, positional=("units",), takes_mask=True, keeps_mask=True, products="per_input_step",
        kept_floats=5, random_arguments=_RECURRENT_DROPOUT,
    ),
    "GaussianNoise": LayerSpec(
        rule=rules.same_shape, positional=("stddev",), keeps_mask=True, random_arguments=("stddev",)
    ),
    "GlobalAveragePooling1D": LayerSpec(rule=rules.global_pooling1d, takes_mask=True),
    "GlobalMaxPooling1D": LayerSpec(rule=rules.global_pooling1d),
    "LSTM": LayerSpec(
        rule=rules.recurrent, positional=("units",), takes_mask=True, keeps_mask=True, products="per_input_step",
        kept_floats=6, random_arguments=_RECURRENT_DROPOUT,
    ),
    "LayerNormalization": LayerSpec(rule=rules.layer_normalization, keeps_mask=True, products="none"),
    "Masking": LayerSpec(rule=rules.same_shape, makes_mask="always"),
    "Maximum": LayerSpec(rule=rules.merge, keeps_mask=True),
    "MaxPooling1D": LayerSpec(rule=rules.pooling1d),
    "MultiHeadAttention": LayerSpec(
        rule=rules.multi_head_attention, positional=("num_heads", "key_dim"), separate_inputs=True, takes_mask=True,
        keeps_mask=True, kept_floats=6, random_arguments=("dropout",),
    ),
    "Multiply": LayerSpec(rule=rules.scaled_steps, keeps_mask=True),
    "Permute": LayerSpec(rule=rules.permute),
    "RMSNormalization": LayerSpec(rule=rules.rms_normalization, products="none"),
    "ReLU": LayerSpec(rule=rules.same_shape, keeps_mask=True),
    "RepeatVector": LayerSpec(rule=rules.repeat_vector, positional=("n",)),
    "Rescaling": LayerSpec(rule=rules.rescaling, positional=("scale",), keeps_mask=True),
    "ReversibleEmbedding": LayerSpec(rule=rules.reversible_embedding, positional=("input_dim", "output_dim")),
    "Reshape": LayerSpec(rule=rules.reshape, positional=("target_shape",)),
    "Softmax": LayerSpec(rule=rules.same_shape, takes_mask=True, keeps_mask=True),
    "SpatialDropout1D": LayerSpec(
        rule=rules.same_shape, positional=("rate",), keeps_mask=True, random_arguments=("rate",)
    ),
    "Subtract": LayerSpec(rule=rules.merge, keeps_mask=True),
    "TimeDistributed": LayerSpec(rule=_time_distributed, takes_mask=True, keeps_mask=True),
    "UpSampling1D": LayerSpec(rule=rules.up_sampling1d, positional=("size",)),
    "ZeroPadding1D": LayerSpec(rule=rules.resized(1, "padding")),
}  # fmt: skip
"""The properties of every layer class, by the name of the class."""
