"""The base class of block kinds: ports, the types that ports take, and the layers of a block."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds.roles import ImportedFile, Judge, KullbackLeibler, Role
from seqdec_gui.domain.layers.layer import Layer, LayerError, layer
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import (
    CellName,
    CellState,
    MemoryType,
    PortType,
    StatesType,
    TensorType,
    format_shape,
    tensors_of,
)

Activation = Literal[
    "linear", "relu", "tanh", "sigmoid", "softmax", "elu", "selu", "gelu", "silu", "softplus", "softsign", "exponential",
    "hard_sigmoid", "leaky_relu",
]  # fmt: skip
Category = Literal["Inputs", "Encoders", "Decoders", "Layers", "Training"]
Units = Annotated[int, Meta(ge=1, le=65_536)]
Rate = Annotated[float, Meta(ge=0, lt=1)]
Momentum = Annotated[float, Meta(gt=0, lt=1, description="Momentum of the moving mean and variance.")]
Normalised = Annotated[bool, Meta(description="BatchNormalization after each layer.")]
Trainable = Annotated[bool, Meta(description="Off: the block keeps the weights it starts with (frozen).")]
LearningRateFactor = Annotated[
    float,
    Meta(ge=0, le=1000, description="Factor on the learning rate of the training for the weights of this block."),
]
InputTypes: TypeAlias = Mapping[str, PortType]
"""The types on the connected input ports of a block, by port."""

EXAMPLES = (TensorType((8,)), TensorType((12, 8)), TensorType((12,), "int32", 8))
"""A vector, a sequence and token ids: most input ports take one of these types."""

MOST_EXAMPLES = 81
"""The largest number of combinations of example types that are tried: enough for all combinations of four ports."""


class InPort(msgspec.Struct, frozen=True):
    """An input port of a block: a description of the types it takes, and whether it may stay open."""

    name: str
    takes: str
    optional: bool = False


class OutPort(msgspec.Struct, frozen=True):
    """An output port of a block, with a description of its type."""

    name: str
    gives: str


class LastActivation(msgspec.Struct, frozen=True):
    """The activation of a block's port `outputs`, and the parameter that sets it."""

    activation: str
    parameter: str


class PortError(ValueError):
    """The inputs of a block do not fit. `port` is the input port, or empty if several inputs contradict each other."""

    def __init__(self, text: str, port: str = "", hint: str = "") -> None:
        super().__init__(text)
        self.port = port
        self.hint = hint


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """The hyperparameters of a block; each subclass is one kind of block.

    A subclass defines `inputs`, `outputs`, `check_port` for a single wire, and `submodel` for all wires together. All other
    members have a default that suits an ordinary part of the model. The rest of the program uses these members and never
    tests for a class.
    """

    title: ClassVar[str] = ""
    """The name of the kind in the palette and in menus."""
    summary: ClassVar[str] = ""
    """A sentence that says what the kind does."""
    category: ClassVar[Category] = "Layers"
    """The heading in the palette, which also gives the colour on the canvas."""
    icon: ClassVar[str] = "cube-outline"
    """The name of a Material Design icon."""
    role: ClassVar[Role] = "model"
    """The purpose of the block: an "input" has one output port, `output`, and a "loss" one input port, `predictions`."""

    @property
    def is_trainable(self) -> bool:
        """Whether training changes the block's weights: its parameter `trainable`, if the kind has one."""
        return bool(getattr(self, "trainable", True))

    @property
    def rate_factor(self) -> float:
        """The factor on the learning rate for the weights of the block: its parameter, if the kind has one."""
        return float(getattr(self, "learning_rate_factor", 1.0))

    @property
    def judge(self) -> Judge | None:
        """The way in which a loss block judges predictions; None for other blocks."""
        return None

    @property
    def divergence(self) -> KullbackLeibler | None:
        """The KL term that the block adds to the loss; None if it adds none."""
        return None

    @property
    def imported(self) -> ImportedFile | None:
        """The Keras file that stands for the block; None for a block that is made of layers."""
        return None

    def with_files(self, new_path: Callable[[str], str]) -> Kind:
        """Return the kind with the path of every file in it replaced by `new_path(path)`."""
        return self

    @property
    def feeds_back(self) -> bool:
        """Whether `generate` can run the block one step at a time, and feed each prediction back as the next step.

        Such a kind has a port `inputs`, which is fed what `outputs` predicted, and gives `step_submodel`.
        """
        return False

    @property
    def gives_one_hot(self) -> bool:
        """Whether the rows that enter here are stored as ids and become one-hot rows on the device."""
        return False

    @property
    def width_parameter(self) -> str:
        """The parameter that sets how many numbers or symbols a step of the output has; empty if several parameters set it."""
        return ""

    @property
    def length_parameter(self) -> str:
        """The parameter that sets how many steps the output has; empty if the inputs or several parameters set it."""
        return ""

    @property
    def length_is_open(self) -> bool:
        """Whether the parameter of the length is empty, so that the data decides how many steps there are."""
        return bool(self.length_parameter) and getattr(self, self.length_parameter) is None

    @property
    def masked_by(self) -> str:
        """The parameter that makes the block skip padding of its input; empty if it uses every step."""
        return "mask_padding" if getattr(self, "mask_padding", False) else ""

    def with_width(self, width: int) -> Kind | None:
        """Return the kind with this many numbers or symbols per step of the output; None if several parameters set it."""
        if not self.width_parameter:
            return None
        return msgspec.structs.replace(self, **{self.width_parameter: width})

    def is_relevant(self, name: str) -> bool:
        """Return whether this parameter has an effect with the values of the others; forms hide it if not."""
        return True

    def advice(self, padded_left: bool) -> Iterator[Problem]:
        """Yield warnings and remarks on settings with a cost. `where` is a parameter, or empty for the whole block.

        `padded_left` says whether the sequences that are bound to the inputs of the block are padded on the left.
        """
        return iter(())

    @classmethod
    def kind(cls) -> str:
        """The name of the kind in design files: `dense_states`."""
        return str(cls.__struct_config__.tag)

    def inputs(self) -> tuple[InPort, ...]:
        return ()

    def outputs(self) -> tuple[OutPort, ...]:
        return ()

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield (parameter, sentence) for each hyperparameter that contradicts another."""
        return iter(())

    def check_port(self, port: str, received: PortType) -> None:
        """Raise PortError if the port can never take the type `received`, whatever else is connected."""

    def expects(self, port: str) -> PortType | None:
        """Return the only type that the port can take, if the hyperparameters determine it; else None."""
        return None

    def wanted_at(self, port: str, input_types: InputTypes) -> PortType | None:
        """Return the type that suits the port best with these other inputs, for adapters to produce; None if any would do."""
        return self.expects(port)

    def last_activation(self) -> LastActivation | None:
        """Return the activation of the predictions, to compare with the loss; None if it cannot be determined."""
        return None

    def submodel(self, input_types: InputTypes) -> Submodel | None:
        """Return the layers for these types, one for every required port; None for blocks without layers.

        Raises PortError, or `LayerError` from a layer that cannot take its input.
        """
        return None

    def step_submodel(self, input_types: InputTypes) -> Submodel | None:
        """Return the layers for one step of generating, with the weights of `submodel(input_types)`; None unless `feeds_back`.

        Its inputs are one step of `inputs`; then the tensors of the other connected ports, in the order of the ports; then
        further values that are carried from step to step, and are zero before the first step. Its outputs are `outputs`, one
        step of predictions, and `states`, the new value of every input but the first, in the same order and shape. (A value
        that does not change, such as a code, is returned unchanged.) It has the layers with weights of `submodel`, under the
        same names, and no further layers with weights.
        """
        return None

    def example_inputs(self) -> dict[str, PortType]:
        """Return an example type for every input, with which the block can be built; empty if no combination fits.

        A port gets the type that it expects, or else a vector, a sequence or token ids. The catalog shows the layers for these
        types. A kind with other inputs overrides this.
        """
        names = [port.name for port in self.inputs()]
        for types in itertools.islice(itertools.product(*map(self._examples, names)), MOST_EXAMPLES):
            input_types = dict(zip(names, types, strict=True))
            try:
                self.submodel(input_types)
            except (PortError, LayerError):
                continue
            return input_types
        return {}

    def _examples(self, port: str) -> list[PortType]:
        """Return the example types that the port takes, whatever else is connected."""
        expected = self.expects(port)
        accepted: list[PortType] = []
        for example in EXAMPLES if expected is None else (expected,):
            with contextlib.suppress(PortError, LayerError):
                self.check_port(port, example)
                accepted.append(example)
        return accepted

    def output_types(self, input_types: InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        """Return the type of every output port."""
        return {} if submodel is None else _types_from(submodel, self.states_ports())

    def in_step_with(self, port: str, input_types: InputTypes, submodel: Submodel | None) -> frozenset[str]:
        """Return the output ports with one step for each step of this input, each of which may copy that step.

        An output after a layer that reduces the steps to a vector or to states is not in step. `submodel` is the submodel for
        `input_types`.
        """
        if submodel is None:
            return frozenset()
        variables = iter(tensor.variable for tensor in submodel.inputs)  # in the order of the ports
        taken = {
            name: [variable for _, variable in zip(tensors_of(name, input_types[name]), variables, strict=False)]
            for name in (port.name for port in self.inputs())
            if name in input_types
        }
        return submodel.in_step_with(taken.get(port, ()))

    def states_ports(self) -> dict[str, StatesType]:
        """Return the type of each output port that carries a tuple of states."""
        return {}


def _types_from(submodel: Submodel, states: Mapping[str, StatesType]) -> dict[str, PortType]:
    types: dict[str, TensorType] = {tensor.variable: tensor.type for tensor in submodel.inputs}
    for call in submodel.calls:
        types.update((tensor.variable, tensor.type) for tensor in call.outputs)
    return {out.port: states.get(out.port) or types[out.variables[0]] for out in submodel.outputs}


def fail_unless_tensor(
    port: str, received: PortType, expected: str, rank: int | None = None, dtype: str = "float32"
) -> TensorType:
    """Return the received type if it is a tensor of this rank and dtype, else raises PortError."""
    fail_if_memory(port, received)
    if not isinstance(received, TensorType) or (rank is not None and len(received.shape) != rank) or received.dtype != dtype:
        raise PortError(f"expected {expected}, got {received}", port)
    return received


def fail_if_memory(port: str, received: PortType) -> None:
    """Raise PortError if a memory enters where its padding would be lost."""
    if isinstance(received, MemoryType):
        text = f"only a decoder attends to a memory, got {received}"
        raise PortError(text, port, "Take the sequence or the code of the encoder: add it to its output.")


def fail_unless_sequence(port: str, received: PortType, embedding: int) -> TensorType:
    """Return the received type if it is a float sequence, or with an embedding token ids; else raises PortError."""
    if isinstance(received, TensorType) and received.dtype == "int32" and len(received.shape) == 1:
        if not embedding:
            raise PortError(
                f"token ids need an embedding, got {received}", port, "Set embedding to the width of a token's vector."
            )
        return received
    sequence = fail_unless_tensor(port, received, "a sequence (None, steps, features) or token ids (None, steps)", 2)
    if embedding:
        raise PortError(
            f"an embedding takes token ids (int32), got {received}", port, "Set embedding to 0, or the input's encoding to ids."
        )
    return sequence


def embed(builder: SubmodelBuilder, x: Tensor, prefix: str, embedding: int, mask_padding: bool) -> Tensor:
    """Add an Embedding for token ids, or with `mask_padding` a Masking layer for steps of zeros."""
    if embedding:
        if x.type.symbols is None:
            raise PortError("token ids of unknown range", "inputs", "Set symbols at the input block.")
        arguments = {"input_dim": x.type.symbols, "output_dim": embedding} | ({"mask_zero": True} if mask_padding else {})
        return builder.call("x", layer("Embedding", f"{prefix}_Embedding", **arguments), x)
    if mask_padding:
        return builder.call("x", layer("Masking", f"{prefix}_Masking", mask_value=0.0), x)
    return x


def batch_normalization(name: str, momentum: float) -> Layer:
    return layer("BatchNormalization", name, momentum=momentum)


def dense(name: str, units: int, activation: str) -> Layer:
    return layer("Dense", name, units=units, **({} if activation == "linear" else {"activation": activation}))


def states_type(cell: CellName, units: tuple[int, ...]) -> StatesType:
    return StatesType(tuple(CellState(cell, width) for width in units))


def joined(builder: SubmodelBuilder, port_type: PortType, variable: str, name: str, prefix: str) -> Tensor:
    """Add a vector input; a tuple of states is concatenated to one vector."""
    if isinstance(port_type, TensorType):
        return builder.input(variable, name, port_type)
    # not `h_0`, which may be the name of an output of the block
    parts = tuple(builder.input(f"given_{label}", f"{prefix}_State_{label}", type) for label, type in tensors_of("", port_type))
    if len(parts) == 1:
        return parts[0]
    return builder.call(variable, layer("Concatenate", f"{prefix}_Concatenate", axis=-1), *parts)


def mismatch(received: TensorType, wanted: TensorType) -> str:
    """Return why the received type does not fit the wanted type; empty if it fits."""
    if received.dtype != wanted.dtype:
        return f"expected {wanted.dtype}, got {received.dtype}"
    if len(received.shape) != len(wanted.shape):
        return f"expected {format_shape(wanted.shape)}, got {format_shape(received.shape)}"
    for axis, (a, b) in enumerate(zip(received.shape, wanted.shape, strict=True), start=1):
        if a is not None and b is not None and a != b:
            return f"axis {axis} is {a}, expected {b}: {format_shape(received.shape)} does not fit {format_shape(wanted.shape)}"
    return ""
