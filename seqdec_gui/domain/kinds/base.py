"""What every block kind has: ports, a rule for what each port takes, and the layers it stands for."""

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
from seqdec_gui.domain.types import CellName, CellState, PortType, StatesType, TensorType, format_shape, tensors_of

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
Given: TypeAlias = Mapping[str, PortType]
EXAMPLES = (TensorType((8,)), TensorType((12, 8)), TensorType((12,), "int32", 8))
"""A vector, a sequence and token ids, one of which most input ports take."""
MOST_EXAMPLES = 81
"""How many combinations of made-up inputs are tried at most: all of those of four ports."""


class InPort(msgspec.Struct, frozen=True):
    """An input of a block: what it takes, in words, and whether it may stay open."""

    name: str
    takes: str
    optional: bool = False


class OutPort(msgspec.Struct, frozen=True):
    """An output of a block, in words."""

    name: str
    gives: str


class LastActivation(msgspec.Struct, frozen=True):
    """The activation of what leaves a block's `outputs`, and the parameter where it stands."""

    activation: str
    parameter: str


class PortError(ValueError):
    """What a block is given does not fit; `port` is empty where the inputs contradict each other."""

    def __init__(self, text: str, port: str = "", hint: str = "") -> None:
        super().__init__(text)
        self.port, self.hint = port, hint


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """The hyperparameters of a block, which also say what the block is.

    A subclass gives `inputs`, `outputs`, `check_port` for one wire alone, and `submodel` for all wires together. All else has a
    default that suits a plain part of the model; the rest of the program asks these members, and never for a class.
    """

    title: ClassVar[str] = ""
    """The name of the kind in the palette and in menus."""
    summary: ClassVar[str] = ""
    """What the kind does, in a sentence."""
    category: ClassVar[Category] = "Layers"
    """The heading in the palette, which also gives the colour on the canvas."""
    icon: ClassVar[str] = "cube-outline"
    """The name of a Material Design icon."""
    role: ClassVar[Role] = "model"
    """What the block is for: an "input" has one output port, `output`, and a "loss" one input port, `predictions`."""

    @property
    def is_trainable(self) -> bool:
        """Whether training changes the block's weights: its parameter `trainable`, if the kind has one."""
        return bool(getattr(self, "trainable", True))

    @property
    def judge(self) -> Judge | None:
        """How the block judges predictions; None for what is no loss."""
        return None

    @property
    def divergence(self) -> KullbackLeibler | None:
        """The KL term that the block adds to the loss; None where it adds none."""
        return None

    @property
    def imported(self) -> ImportedFile | None:
        """The Keras file that stands for the block; None for a block that is made of layers."""
        return None

    def with_files(self, new_path: Callable[[str], str]) -> Kind:
        """The same kind with the path of every file that it names replaced by `new_path` of it."""
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
        """The parameter that decides how many numbers or symbols a step of the output has; empty where several decide."""
        return ""

    @property
    def length_parameter(self) -> str:
        """The parameter that decides how many steps the output has; empty where the inputs or several parameters decide."""
        return ""

    @property
    def length_is_open(self) -> bool:
        """Whether the parameter of the length is empty, so that the data decides how many steps there are."""
        return bool(self.length_parameter) and getattr(self, self.length_parameter) is None

    @property
    def masked_by(self) -> str:
        """The parameter by which the block skips padding of its input; empty where it looks at every step."""
        return "mask_padding" if getattr(self, "mask_padding", False) else ""

    def with_width(self, width: int) -> Kind | None:
        """The same kind with this many numbers or symbols per step of the output; None where several parameters decide."""
        if not self.width_parameter:
            return None
        return msgspec.structs.replace(self, **{self.width_parameter: width})

    def is_relevant(self, name: str) -> bool:
        """Whether this parameter has a meaning beside the others; forms hide one that has none."""
        return True

    def advice(self, padded_left: bool) -> Iterator[Problem]:
        """Warnings and hints about what works but costs something; `where` is a parameter, or empty for the whole block.

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
        """(parameter, what is wrong with it) for hyperparameters that contradict each other."""
        return iter(())

    def check_port(self, port: str, given: PortType) -> None:
        """Raise PortError if this port can never take this, whatever else is connected."""

    def expects(self, port: str) -> PortType | None:
        """The one type that this port can take, where the hyperparameters alone say it."""
        return None

    def wanted_at(self, port: str, given: Given) -> PortType | None:
        """The type that suits this port best, so that adapters can be offered; `given` is what the wires bring so far."""
        return self.expects(port)

    def last_activation(self) -> LastActivation | None:
        """What losses are compared with; None where the hyperparameters alone do not say it."""
        return None

    def submodel(self, given: Given) -> Submodel | None:
        """The layers, given the type on every required port; None for blocks without layers.

        Raises PortError, or `LayerError` from a layer that cannot take its input.
        """
        return None

    def step_submodel(self, given: Given) -> Submodel | None:
        """The layers for one step of generating, with the weights of `submodel(given)`; None where `feeds_back` is false.

        Its inputs are one step of `inputs`; then the tensors of the other connected ports, in the order of the ports; then what
        else has to be carried from step to step, which is zero before the first step. Its outputs are the port `outputs`, one
        step of predictions, and `states`, the new value of every input but the first, in the same order and shape. (A value
        that does not change, such as a code, is given back as it came.) A layer with weights has the name that it has in
        `submodel`, and there is none besides.
        """
        return None

    def example_inputs(self) -> dict[str, PortType]:
        """A made-up type for every input, with which the block can be built; empty if none of those that are tried fits.

        Tried are what a port expects, or else a vector, a sequence and token ids. The catalog shows the layers that they give.
        A kind with other inputs overrides this.
        """
        names = [port.name for port in self.inputs()]
        for types in itertools.islice(itertools.product(*map(self._examples, names)), MOST_EXAMPLES):
            given = dict(zip(names, types, strict=True))
            try:
                self.submodel(given)
            except (PortError, LayerError):
                continue
            return given
        return {}

    def _examples(self, port: str) -> list[PortType]:
        """Types that this port takes, whatever else is connected."""
        expected = self.expects(port)
        taken: list[PortType] = []
        for one in EXAMPLES if expected is None else (expected,):
            with contextlib.suppress(PortError, LayerError):
                self.check_port(port, one)
                taken.append(one)
        return taken

    def output_types(self, given: Given, submodel: Submodel | None) -> dict[str, PortType]:
        """The type of every output port."""
        return {} if submodel is None else _types_from(submodel, self.states_ports())

    def in_step_with(self, port: str, given: Given, submodel: Submodel | None) -> frozenset[str]:
        """The output ports with one step for each step of this input, so that a step of theirs may copy the input's.

        What collapses the steps to a vector or to states is not in step any more. `submodel` is that of `given`.
        """
        if submodel is None:
            return frozenset()
        variables = iter(tensor.variable for tensor in submodel.inputs)  # in the order of the ports
        taken = {
            name: [variable for _, variable in zip(tensors_of(name, given[name]), variables, strict=False)]
            for name in (port.name for port in self.inputs())
            if name in given
        }
        return submodel.in_step_with(taken.get(port, ()))

    def states_ports(self) -> dict[str, StatesType]:
        """The outputs that are states tuples, with their cells."""
        return {}


def _types_from(submodel: Submodel, states: Mapping[str, StatesType]) -> dict[str, PortType]:
    types: dict[str, TensorType] = {tensor.variable: tensor.type for tensor in submodel.inputs}
    for call in submodel.calls:
        types.update((tensor.variable, tensor.type) for tensor in call.outputs)
    return {out.port: states.get(out.port) or types[out.variables[0]] for out in submodel.outputs}


def fail_unless_tensor(
    port: str, given: PortType, expected: str, rank: int | None = None, dtype: str = "float32"
) -> TensorType:
    """The given tensor if it has this rank and dtype, else PortError with what was expected and received."""
    if not isinstance(given, TensorType) or (rank is not None and len(given.shape) != rank) or given.dtype != dtype:
        raise PortError(f"expected {expected}, got {given}", port)
    return given


def fail_unless_sequence(port: str, given: PortType, embedding: int) -> TensorType:
    """A float sequence, or token ids where the block has an embedding (and only there)."""
    if isinstance(given, TensorType) and given.dtype == "int32" and len(given.shape) == 1:
        if not embedding:
            raise PortError(
                f"token ids need an embedding, got {given}", port, "Set embedding to the width of a token's vector."
            )
        return given
    sequence = fail_unless_tensor(port, given, "a sequence (None, steps, features) or token ids (None, steps)", 2)
    if embedding:
        raise PortError(
            f"an embedding takes token ids (int32), got {given}", port, "Set embedding to 0, or the input's encoding to ids."
        )
    return sequence


def embed(builder: SubmodelBuilder, x: Tensor, prefix: str, embedding: int, mask_padding: bool) -> Tensor:
    """Token ids to vectors, or a mask over the all-zero steps of a sequence that already is vectors."""
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


def joined(builder: SubmodelBuilder, given: PortType, variable: str, name: str, prefix: str) -> Tensor:
    """A vector input; the tensors of a states tuple are joined to one vector."""
    if isinstance(given, TensorType):
        return builder.input(variable, name, given)
    # not `h_0`: that may be what a block makes of it
    parts = tuple(builder.input(f"given_{label}", f"{prefix}_State_{label}", type) for label, type in tensors_of("", given))
    if len(parts) == 1:
        return parts[0]
    return builder.call(variable, layer("Concatenate", f"{prefix}_Concatenate", axis=-1), *parts)


def mismatch(given: TensorType, wanted: TensorType) -> str:
    """Why one tensor may not stand for the other; empty if it may."""
    if given.dtype != wanted.dtype:
        return f"expected {wanted.dtype}, got {given.dtype}"
    if len(given.shape) != len(wanted.shape):
        return f"expected {format_shape(wanted.shape)}, got {format_shape(given.shape)}"
    for axis, (a, b) in enumerate(zip(given.shape, wanted.shape, strict=True), start=1):
        if a is not None and b is not None and a != b:
            return f"axis {axis} is {a}, expected {b}: {format_shape(given.shape)} does not fit {format_shape(wanted.shape)}"
    return ""
