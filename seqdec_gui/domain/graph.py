"""Submodels as graphs: Keras layers applied to named tensors, with every shape and parameter count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

from seqdec_gui.domain.layers import specs
from seqdec_gui.domain.layers.layer import Layer, Value
from seqdec_gui.domain.types import TensorType, format_shape

REARRANGING = (
    "Activation",
    "BatchNormalization",
    "Concatenate",
    "Dropout",
    "Flatten",
    "GaussianNoise",
    "Masking",
    "Reshape",
    "SpatialDropout1D",
)
"""Types of layers that leave each number its own, so that a sequence written as a vector is still there behind them."""


class Tensor(msgspec.Struct, frozen=True):
    """A tensor inside a submodel: the Python variable that holds it, and its type."""

    variable: str
    type: TensorType


class InputTensor(msgspec.Struct, frozen=True):
    """A Keras `Input` of a submodel."""

    variable: str
    name: str
    type: TensorType


class Call(msgspec.Struct, frozen=True):
    """A call `outputs = layer(inputs)`, perhaps with `initial_state=[...]`. Variables may be reassigned, as in `x = layer(x)`.

    `options` are further arguments of the call with plain values, as in `attention(x, y, use_causal_mask=True)`, and `named`
    are those that are tensors: the argument and the variable, as in `attention(x, y, attention_mask=seen)`.
    `parameters` counts all weights of the layer, `trainable` those that the optimizer changes. A layer may be called again,
    with the same weights.
    """

    layer: Layer
    inputs: tuple[str, ...]
    outputs: tuple[Tensor, ...]
    initial_state: tuple[str, ...]
    parameters: int
    trainable: int
    options: tuple[tuple[str, Value], ...] = ()
    named: tuple[tuple[str, str], ...] = ()


class Output(msgspec.Struct, frozen=True):
    """The variables that leave a submodel through one port."""

    port: str
    variables: tuple[str, ...]


class Submodel(msgspec.Struct, frozen=True):
    """The layers of one block. `summary` becomes the docstring of its generated function.

    Calls with a layer of one name are calls of one layer, which has its weights once.

    `caches` are for one step of a decoder: the name of a MultiHeadAttention, and the input with the rows `(None, steps, width)`
    that it attended to in earlier steps. It attends to the rows of its query but the last, then to those rows, with the last of
    its query at the place of the step. So their keys and values may be kept in place of the rows. `attention_weights` names
    layers that give weights of attention, beside those that do so by their class. `segments` names layers at each of which a
    training may stop keeping what it computed: behind one, little is needed of what was computed before it.
    """

    summary: str
    inputs: tuple[InputTensor, ...]
    calls: tuple[Call, ...]
    outputs: tuple[Output, ...]
    caches: tuple[tuple[str, str], ...] = ()
    attention_weights: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        return sum({call.layer.name: call.parameters for call in self.calls}.values())

    @property
    def trainable(self) -> int:
        return sum({call.layer.name: call.trainable for call in self.calls}.values())

    def in_step_with(self, variables: Iterable[str]) -> frozenset[str]:
        """Return the output ports whose steps are those of one of these inputs, so that each step may copy the input's.

        Steps end where a layer computes a vector of them, or takes them as its initial state. Where a layer only writes them
        side by side (Flatten), they come back as soon as they are cut into steps again (Reshape).
        """
        carried = {tensor.variable for tensor in self.inputs if tensor.variable in set(variables)}
        without_steps = {tensor.variable for tensor in self.inputs if not tensor.type.has_steps}
        for call in self.calls:
            rearranges = call.layer.type in REARRANGING
            follows = any(variable in carried and (rearranges or variable not in without_steps) for variable in call.inputs)
            for tensor in call.outputs:
                (without_steps.discard if tensor.type.has_steps else without_steps.add)(tensor.variable)
                if follows and (rearranges or tensor.type.has_steps):
                    carried.add(tensor.variable)
                else:
                    carried.discard(tensor.variable)
        return frozenset(out.port for out in self.outputs if not carried.isdisjoint(out.variables))

    def layer_names(self) -> tuple[str, ...]:
        """Return the names of all layers of this submodel in a Keras file, inputs and wrapped layers included."""
        names = [tensor.name for tensor in self.inputs]
        for call in self.calls:
            names.append(call.layer.name)
            if call.layer.inner is not None:
                names.append(call.layer.inner.name)
        return tuple(dict.fromkeys(names))

    def prefixed(self, prefix: str) -> Submodel:
        """Return the submodel with `prefix` before every layer name."""

        def rename(layer: Layer) -> Layer:
            inner = None if layer.inner is None else rename(layer.inner)
            return msgspec.structs.replace(layer, name=prefix + layer.name, inner=inner)

        replace = msgspec.structs.replace
        return replace(
            self,
            inputs=tuple(replace(tensor, name=prefix + tensor.name) for tensor in self.inputs),
            calls=tuple(replace(call, layer=rename(call.layer)) for call in self.calls),
            caches=tuple((prefix + name, variable) for name, variable in self.caches),
            attention_weights=tuple(prefix + name for name in self.attention_weights),
            segments=tuple(prefix + name for name in self.segments),
        )


NO_LAYERS = Submodel("", (), (), ())
"""What stands for the layers of a block that has none of its own."""

Many: TypeAlias = tuple[Tensor, ...]


class SubmodelBuilder:
    """Collects the layer calls of a submodel and infers the type of each result. Raises LayerError if an input does not fit."""

    def __init__(self, summary: str) -> None:
        self.summary = summary
        self._inputs: list[InputTensor] = []
        self._calls: list[Call] = []
        self._caches: list[tuple[str, str]] = []
        self._weights: dict[str, None] = {}
        self._segments: list[str] = []

    def cached(self, layer: str, state: Tensor) -> None:
        """Say that a layer attends to the rows of this input (`Submodel.caches`)."""
        self._caches.append((layer, state.variable))

    def weighs(self, layer: str) -> None:
        """Say that a layer gives weights of attention (`Submodel.attention_weights`)."""
        self._weights[layer] = None

    def ends_segment(self) -> None:
        """Say that a segment ends with the last call (`Submodel.segments`)."""
        self._segments.append(self._calls[-1].layer.name)

    def input(self, variable: str, name: str, type: TensorType) -> Tensor:
        self._inputs.append(InputTensor(variable, name, type))
        return Tensor(variable, type)

    def call(self, variable: str, layer: Layer, *inputs: Tensor, **options: Value | Tensor) -> Tensor:
        """Apply a layer with one result; `options` are further arguments of the call, such as `use_causal_mask=True`."""
        return self.call_many((variable,), layer, *inputs, options=options)[0]

    def call_many(
        self,
        variables: tuple[str, ...],
        layer: Layer,
        *inputs: Tensor,
        initial_state: Many = (),
        options: Mapping[str, Value | Tensor] = {},
    ) -> Many:
        """Apply a layer with one result for each variable."""
        types = tuple(tensor.type for tensor in inputs)
        applied = specs.apply(layer, types)
        if len(applied.outputs) != len(variables):
            raise ValueError(f"{layer.name} gives {len(applied.outputs)} tensors, {len(variables)} are named")
        if taken := {tensor.variable for tensor in self._inputs} & set(variables):
            raise ValueError(f"{', '.join(sorted(taken))} holds an input of the submodel and cannot be assigned again")
        outputs = tuple(Tensor(variable, type) for variable, type in zip(variables, applied.outputs, strict=True))
        self._calls.append(
            Call(
                layer,
                tuple(tensor.variable for tensor in inputs),
                outputs,
                tuple(tensor.variable for tensor in initial_state),
                applied.parameters,
                applied.trainable,
                tuple((name, value) for name, value in options.items() if not isinstance(value, Tensor)),
                tuple((name, value.variable) for name, value in options.items() if isinstance(value, Tensor)),
            )
        )
        return outputs

    def build(self, **outputs: Tensor | Many) -> Submodel:
        """Return the submodel; there is one keyword argument per output port, in port order."""
        ports = tuple(
            Output(port, (tensors.variable,) if isinstance(tensors, Tensor) else tuple(tensor.variable for tensor in tensors))
            for port, tensors in outputs.items()
        )
        return Submodel(
            self.summary, tuple(self._inputs), tuple(self._calls), ports, tuple(self._caches), tuple(self._weights),
            tuple(self._segments),
        )  # fmt: skip


def describe(call: Call) -> str:
    """Return a line for a list of layers: `Dense_h_0  Dense  (None, 128)  1,536`."""
    return f"{call.layer.name}  {call.layer.type}  {format_shape(call.outputs[0].type.shape)}  {call.parameters:,}"
