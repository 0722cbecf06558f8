"""A sequence to a code or to another sequence, by one-dimensional convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.layers.layer import Value, layer
from seqdec_gui.domain.types import PortType

Size = Annotated[int, Meta(ge=1, le=10_000)]


class ConvEncoder(base.Kind, frozen=True, tag="conv_encoder"):
    """Conv1D layers, pooling, Dense layers."""

    title: ClassVar[str] = "Convolutional encoder"
    summary: ClassVar[str] = "Conv1D layers over a sequence, then pooling and Dense layers to a code (or the sequence itself)."
    category: ClassVar[base.Category] = "Encoders"
    icon: ClassVar[str] = "blur-linear"

    filters: Annotated[
        tuple[base.Units, ...], Meta(min_length=1, max_length=64, description="Filters of each convolution.")
    ] = (
        32,
        64,
    )
    kernel_sizes: Annotated[
        tuple[Size, ...], Meta(min_length=1, max_length=64, description="Window of each convolution; one number serves all.")
    ] = (5,)
    strides: Annotated[
        tuple[Size, ...], Meta(min_length=1, max_length=64, description="Stride of each convolution; one number serves all.")
    ] = (1,)
    padding: Annotated[Literal["valid", "same", "causal"], Meta(description="What happens at the ends of the sequence.")] = (
        "same"
    )
    activation: Annotated[base.Activation, Meta(description="Activation of convolutions and Dense layers.")] = "relu"
    batch_normalization: Annotated[bool, Meta(description="BatchNormalization after each convolution.")] = False
    momentum: base.Momentum = 0.9
    embedding: Annotated[int, Meta(ge=0, le=65_536, description="Width of the vector of a token id; 0: no embedding.")] = 0
    pooling: Annotated[
        Literal["flatten", "max", "average", "none"], Meta(description="Sequence to vector; none keeps the sequence.")
    ] = "flatten"
    dense_units: Annotated[
        tuple[base.Units, ...], Meta(max_length=32, description="Dense layers after pooling; empty: none.")
    ] = ()
    dropout: Annotated[base.Rate, Meta(description="Dropout after each Dense layer.")] = 0.0
    trainable: base.Trainable = True
    learning_rate_factor: base.LearningRateFactor = 1.0

    def is_relevant(self, name: str) -> bool:
        match name:
            case "momentum":
                return self.batch_normalization
            case "dropout":
                return bool(self.dense_units)
        return True

    def inputs(self) -> tuple[base.InPort, ...]:
        return (base.InPort("inputs", "a sequence (None, steps, features), or token ids with an embedding"),)

    def outputs(self) -> tuple[base.OutPort, ...]:
        if self.pooling == "none":
            return (base.OutPort("sequence", "the convolved sequence (None, steps, filters)"),)
        return (base.OutPort("code", "the code (None, features)"),)

    def faults(self) -> Iterator[tuple[str, str]]:
        for name, sizes in (("kernel_sizes", self.kernel_sizes), ("strides", self.strides)):
            if len(sizes) not in (1, len(self.filters)):
                yield name, f"expected 1 or {len(self.filters)} numbers (one per convolution), got {len(sizes)}."
        if self.dropout and not self.dense_units:
            yield "dropout", "dropout follows the Dense layers, and there are none; set dense_units or dropout = 0."
        if self.dense_units and self.pooling == "none":
            yield "dense_units", "Dense layers follow the pooling, which is none; choose a pooling or remove them."

    def check_port(self, port: str, received: PortType) -> None:
        base.fail_unless_sequence(port, received, self.embedding)

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        builder = SubmodelBuilder("Sequence to code by convolutions.")
        inputs = base.fail_unless_sequence("inputs", input_types["inputs"], self.embedding)
        x = builder.input("encoder_inputs", "Encoder_Inputs", inputs)
        x = base.embed(builder, x, "Encoder", self.embedding, mask_padding=False)
        many = len(self.filters)
        sizes = self.kernel_sizes if len(self.kernel_sizes) == many else self.kernel_sizes[:1] * many
        strides = self.strides if len(self.strides) == many else self.strides[:1] * many
        for i, filters in enumerate(self.filters):
            arguments: dict[str, Value] = {"filters": filters, "kernel_size": sizes[i]}
            arguments |= {"strides": strides[i]} if strides[i] != 1 else {}
            arguments |= {"padding": self.padding} if self.padding != "valid" else {}
            arguments |= {"activation": self.activation} if self.activation != "linear" else {}
            x = builder.call("x", layer("Conv1D", f"Conv_{i}", **arguments), x)
            if self.batch_normalization:
                x = builder.call("x", base.batch_normalization(f"BN_Conv_{i}", self.momentum), x)
        if self.pooling == "none":
            return builder.build(sequence=x)
        pooling = {"flatten": "Flatten", "max": "GlobalMaxPooling1D", "average": "GlobalAveragePooling1D"}[self.pooling]
        x = builder.call("x", layer(pooling, "Conv_Pooling"), x)
        for i, units in enumerate(self.dense_units):
            x = builder.call("x", base.dense(f"Dense_Conv_{i}", units, self.activation), x)
            if self.dropout:
                x = builder.call("x", layer("Dropout", f"Dropout_Conv_{i}", rate=self.dropout), x)
        return builder.build(code=x)
