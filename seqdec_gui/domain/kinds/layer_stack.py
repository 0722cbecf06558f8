"""A table of ordinary Keras layers, applied in order; adapters are made of it too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.layers import rules
from seqdec_gui.domain.layers.layer import Layer, LayerError, Value, layer
from seqdec_gui.domain.types import CellName, MemoryType, PortType, TensorType

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Size = Annotated[int, Meta(ge=1, le=1_000_000)]


class StackLayer(msgspec.Struct, frozen=True, tag_field="layer", forbid_unknown_fields=True):
    """One row of the table."""

    def keras_layer(self, name: str) -> Layer:
        """Return the Keras layer of this row with this name."""
        raise NotImplementedError

    @classmethod
    def type_name(cls) -> str:
        return str(cls.__struct_config__.tag)


class Dense(StackLayer, frozen=True, tag="Dense"):
    units: base.Units = 64
    activation: base.Activation = "linear"
    per_step: bool = False  # TimeDistributed: the same Dense at every step

    def keras_layer(self, name: str) -> Layer:
        if self.per_step:
            return layer("TimeDistributed", name, base.dense(f"{name}_Inner", self.units, self.activation))
        return base.dense(name, self.units, self.activation)


class Conv1D(StackLayer, frozen=True, tag="Conv1D"):
    filters: base.Units = 64
    kernel_size: Size = 3
    strides: Size = 1
    padding: Literal["valid", "same", "causal"] = "same"
    activation: base.Activation = "relu"

    def keras_layer(self, name: str) -> Layer:
        return layer(
            "Conv1D", name, filters=self.filters, kernel_size=self.kernel_size, strides=self.strides, padding=self.padding,
            activation=self.activation,
        )  # fmt: skip


class Recurrent(StackLayer, frozen=True, tag="Recurrent"):
    cell: CellName = "LSTM"
    units: base.Units = 64
    return_sequences: bool = True
    bidirectional: bool = False

    def keras_layer(self, name: str) -> Layer:
        inner_name = f"{name}_Inner" if self.bidirectional else name
        inner = layer(self.cell, inner_name, units=self.units, return_sequences=self.return_sequences)
        return layer("Bidirectional", name, inner) if self.bidirectional else inner


class BatchNormalization(StackLayer, frozen=True, tag="BatchNormalization"):
    momentum: Annotated[float, Meta(gt=0, lt=1)] = 0.99

    def keras_layer(self, name: str) -> Layer:
        return layer("BatchNormalization", name, momentum=self.momentum)


class LayerNormalization(StackLayer, frozen=True, tag="LayerNormalization"):
    def keras_layer(self, name: str) -> Layer:
        return layer("LayerNormalization", name)


class RMSNormalization(StackLayer, frozen=True, tag="RMSNormalization"):
    def keras_layer(self, name: str) -> Layer:
        return layer("RMSNormalization", name)


class MultiHeadAttention(StackLayer, frozen=True, tag="MultiHeadAttention"):
    """Attention of a sequence on itself."""

    heads: Annotated[int, Meta(ge=1, le=256)] = 4
    head_width: base.Units = 32
    dropout: base.Rate = 0.0
    causal: bool = False

    def keras_layer(self, name: str) -> Layer:
        dropout: dict[str, Value] = {"dropout": self.dropout} if self.dropout else {}
        return layer("MultiHeadAttention", name, num_heads=self.heads, key_dim=self.head_width, **dropout)


class Residual(StackLayer, frozen=True, tag="Residual"):
    """Adds what entered the rows before: 2 rows back, what the second row above took."""

    rows: Size = 1

    def keras_layer(self, name: str) -> Layer:
        return layer("Add", name)


class ActivationLayer(StackLayer, frozen=True, tag="Activation"):
    activation: base.Activation = "relu"

    def keras_layer(self, name: str) -> Layer:
        return layer("Activation", name, activation=self.activation)


class Dropout(StackLayer, frozen=True, tag="Dropout"):
    rate: base.Rate = 0.2

    def keras_layer(self, name: str) -> Layer:
        return layer("Dropout", name, rate=self.rate)


class SpatialDropout1D(StackLayer, frozen=True, tag="SpatialDropout1D"):
    rate: base.Rate = 0.2

    def keras_layer(self, name: str) -> Layer:
        return layer("SpatialDropout1D", name, rate=self.rate)


class GaussianNoise(StackLayer, frozen=True, tag="GaussianNoise"):
    stddev: Annotated[float, Meta(ge=0, le=100)] = 0.1

    def keras_layer(self, name: str) -> Layer:
        return layer("GaussianNoise", name, stddev=self.stddev)


class Pooling1D(StackLayer, frozen=True, tag="Pooling1D"):
    how: Literal["max", "average"] = "max"
    size: Size = 2

    def keras_layer(self, name: str) -> Layer:
        return layer("MaxPooling1D" if self.how == "max" else "AveragePooling1D", name, pool_size=self.size)


class GlobalPooling1D(StackLayer, frozen=True, tag="GlobalPooling1D"):
    how: Literal["max", "average"] = "max"

    def keras_layer(self, name: str) -> Layer:
        return layer("GlobalMaxPooling1D" if self.how == "max" else "GlobalAveragePooling1D", name)


class UpSampling1D(StackLayer, frozen=True, tag="UpSampling1D"):
    size: Size = 2

    def keras_layer(self, name: str) -> Layer:
        return layer("UpSampling1D", name, size=self.size)


class Flatten(StackLayer, frozen=True, tag="Flatten"):
    def keras_layer(self, name: str) -> Layer:
        return layer("Flatten", name)


class Reshape(StackLayer, frozen=True, tag="Reshape"):
    shape: Annotated[tuple[Size, ...], Meta(min_length=1, max_length=4)] = (1, 1)

    def keras_layer(self, name: str) -> Layer:
        return layer("Reshape", name, target_shape=self.shape)


class SwapAxes(StackLayer, frozen=True, tag="SwapAxes"):
    def keras_layer(self, name: str) -> Layer:
        return layer("Permute", name, dims=(2, 1))


class RepeatVector(StackLayer, frozen=True, tag="RepeatVector"):
    times: Size = 10

    def keras_layer(self, name: str) -> Layer:
        return layer("RepeatVector", name, n=self.times)


class Crop(StackLayer, frozen=True, tag="Crop"):
    start: Count = 0
    end: Count = 1

    def keras_layer(self, name: str) -> Layer:
        return layer("Cropping1D", name, cropping=(self.start, self.end))


class Pad(StackLayer, frozen=True, tag="Pad"):
    start: Count = 0
    end: Count = 1

    def keras_layer(self, name: str) -> Layer:
        return layer("ZeroPadding1D", name, padding=(self.start, self.end))


class Masking(StackLayer, frozen=True, tag="Masking"):
    def keras_layer(self, name: str) -> Layer:
        return layer("Masking", name, mask_value=0.0)


class Embedding(StackLayer, frozen=True, tag="Embedding"):
    symbols: Size = 100
    units: base.Units = 64
    mask_padding: bool = False

    def keras_layer(self, name: str) -> Layer:
        mask: dict[str, Value] = {"mask_zero": True} if self.mask_padding else {}
        return layer("Embedding", name, input_dim=self.symbols, output_dim=self.units, **mask)


AnyStackLayer: TypeAlias = (
    Dense
    | Conv1D
    | Recurrent
    | BatchNormalization
    | LayerNormalization
    | RMSNormalization
    | MultiHeadAttention
    | Residual
    | ActivationLayer
    | Dropout
    | SpatialDropout1D
    | GaussianNoise
    | Pooling1D
    | GlobalPooling1D
    | UpSampling1D
    | Flatten
    | Reshape
    | SwapAxes
    | RepeatVector
    | Crop
    | Pad
    | Masking
    | Embedding
)


PER_STEP = (
    Dense, LayerNormalization, RMSNormalization, Residual, ActivationLayer, Dropout, SpatialDropout1D, GaussianNoise,
)  # fmt: skip
"""The rows that treat each step alone, so that padding stays padding."""


class LayerStack(base.Kind, frozen=True, tag="layer_stack"):
    """Ordinary Keras layers, applied in the order of the rows."""

    title: ClassVar[str] = "Layer stack"
    summary: ClassVar[str] = "A table of ordinary Keras layers: Dense, Conv1D, pooling, dropout, reshaping and more."
    category: ClassVar[base.Category] = "Layers"
    icon: ClassVar[str] = "layers-outline"

    layers: Annotated[
        tuple[AnyStackLayer, ...], Meta(min_length=1, max_length=256, description="The layers, first to last.")
    ] = (Dense(),)
    trainable: base.Trainable = True
    learning_rate_factor: base.LearningRateFactor = 1.0

    @property
    def masked_by(self) -> str:
        first = self.layers[0] if self.layers else None
        masks = isinstance(first, Masking) or (isinstance(first, Embedding) and first.mask_padding)
        return "layers" if masks else ""

    def with_width(self, width: int) -> LayerStack | None:
        """The stack with another width of its last Dense or Conv1D; None where it has neither."""
        replace = msgspec.structs.replace
        for i, row in reversed(tuple(enumerate(self.layers))):
            if isinstance(row, Dense | Conv1D):
                sized = replace(row, units=width) if isinstance(row, Dense) else replace(row, filters=width)
                return replace(self, layers=(*self.layers[:i], sized, *self.layers[i + 1 :]))
        return None

    def faults(self) -> Iterator[tuple[str, str]]:
        for i, row in enumerate(self.layers):
            if isinstance(row, Residual) and row.rows > i:
                yield (
                    "layers",
                    f"row {i + 1} adds what entered {row.rows} rows above it, and there are {i}; set rows to at most {i}.",
                )

    def inputs(self) -> tuple[base.InPort, ...]:
        return (base.InPort("inputs", "whatever the first layer takes; states enter side by side, a memory stays one"),)

    def outputs(self) -> tuple[base.OutPort, ...]:
        return (base.OutPort("outputs", "what the last layer gives"),)

    def check_port(self, port: str, received: PortType) -> None:
        self.submodel({port: received})

    def last_activation(self) -> base.LastActivation | None:
        """Return the activation of the last row that has one, if the rows after it do not change the values of a step."""
        for i, row in reversed(tuple(enumerate(self.layers))):
            if isinstance(row, Dense | Conv1D | ActivationLayer):
                return base.LastActivation(row.activation, f"layers[{i}].activation")
            if not isinstance(row, Dropout | SpatialDropout1D | Crop | RepeatVector | UpSampling1D):
                return None
        return None

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        builder = SubmodelBuilder("A stack of " + ", ".join(dict.fromkeys(row.type_name() for row in self.layers)) + ".")
        entering = input_types["inputs"]
        seen: Tensor | None = None
        if isinstance(entering, MemoryType):
            x, *rest = (builder.input(f"stack_{name}", f"Stack_{name.capitalize()}", type) for name, type in entering.tensors)
            seen = rest[0] if rest else None
        else:
            x = base.joined(builder, entering, "stack_inputs", "Stack_Inputs", "Stack")
        counts: dict[str, int] = {}
        entered = [x]
        kept = {i - row.rows for i, row in enumerate(self.layers) if isinstance(row, Residual)}
        for i, row in enumerate(self.layers, start=1):
            number = counts.get(row.type_name(), 0)
            counts[row.type_name()] = number + 1
            others: tuple[Tensor, ...] = ()
            options: dict[str, Value | Tensor] = {}
            if isinstance(row, Residual):
                others = (entered[i - 1 - row.rows],)
            elif isinstance(row, MultiHeadAttention):
                others = (x,)
                options = {"use_causal_mask": True} if row.causal else {}
            variable = f"x_{i}" if i in kept else "x"  # a Residual below adds it
            try:
                if others and isinstance(row, Residual):
                    rules.merge(row.keras_layer("Add"), (x.type, others[0].type))  # Keras repeats an axis of one
                x = builder.call(variable, row.keras_layer(f"{row.type_name()}_{number}"), x, *others, **options)
            except LayerError as error:
                raise LayerError(f"Row {i}: {error}") from None
            entered.append(x)
        if not isinstance(entering, MemoryType):
            return builder.build(outputs=x)
        self._fail_unless_memory(entering, x.type)
        return builder.build(outputs=(x,) if seen is None else (x, seen))

    def _fail_unless_memory(self, entering: MemoryType, leaving: TensorType) -> None:
        """Raise PortError unless every step of a memory stays a step, and padding stays apart."""
        mixing = next((i for i, row in enumerate(self.layers, 1) if not isinstance(row, PER_STEP)), 0)
        if entering.padded and mixing:
            row = self.layers[mixing - 1].type_name()
            text = f"row {mixing} ({row}) would mix the padding of the memory with its steps, got {entering}"
            raise base.PortError(text, "inputs", "Use rows that treat each step alone, or the sequence of the encoder.")
        if len(leaving.shape) != 2 or leaving.shape[0] != entering.steps:
            text = f"a memory keeps its steps, and the rows make {leaving} of {entering}"
            raise base.PortError(text, "inputs", "Use rows that treat each step alone, or the sequence of the encoder.")

    def output_types(self, input_types: base.InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        types = super().output_types(input_types, submodel)
        entering, leaving = input_types.get("inputs"), types.get("outputs")
        if isinstance(entering, MemoryType) and isinstance(leaving, TensorType):
            types["outputs"] = MemoryType(entering.steps, leaving.shape[-1] or 0, entering.padded)
        return types
