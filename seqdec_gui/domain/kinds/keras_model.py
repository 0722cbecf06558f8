"""A submodel from a `.keras` or `.h5` file."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from seqdec_gui.domain.graph import Submodel
from seqdec_gui.domain.kinds.base import Category, Given, InPort, Kind, OutPort, PortError, Trainable, mismatch
from seqdec_gui.domain.types import DType, PortType, Shape, TensorType


class NamedTensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input or output of a Keras file. `name` is an identifier; `shape` is without the batch axis."""

    name: str
    shape: Shape
    dtype: DType = "float32"

    @property
    def type(self) -> TensorType:
        return TensorType(self.shape, self.dtype)


class KerasModel(Kind, frozen=True, tag="keras_model"):
    """An imported model. All but `file` and `trainable` is what an inspection of the file found."""

    title: ClassVar[str] = "Keras model"
    summary: ClassVar[str] = "A trained or untrained model from a .keras or .h5 file, with its weights."
    category: ClassVar[Category] = "Layers"

    file: Annotated[str, Meta(description="The file; a relative path is relative to the design's folder.")] = ""
    sha256: Annotated[str, Meta(description="Check sum of the file when it was inspected.")] = ""
    model_inputs: Annotated[tuple[NamedTensor, ...], Meta(description="Inputs, in the model's order.")] = ()
    model_outputs: Annotated[tuple[NamedTensor, ...], Meta(description="Outputs, in the model's order.")] = ()
    parameter_count: Annotated[int, Meta(ge=0, description="All weights.")] = 0
    trainable_count: Annotated[int, Meta(ge=0, description="Weights that training changes.")] = 0
    layer_names: Annotated[tuple[str, ...], Meta(description="Names of the layers inside.")] = ()
    trainable: Trainable = True

    def inputs(self) -> tuple[InPort, ...]:
        return tuple(InPort(tensor.name, str(tensor.type)) for tensor in self.model_inputs)

    def outputs(self) -> tuple[OutPort, ...]:
        return tuple(OutPort(tensor.name, str(tensor.type)) for tensor in self.model_outputs)

    def check_port(self, port: str, given: PortType) -> None:
        wanted = next(tensor.type for tensor in self.model_inputs if tensor.name == port)
        if not isinstance(given, TensorType):
            raise PortError(f"expected {wanted}, got {given}", port, "Split the states into single ports first.")
        why = mismatch(given, wanted)
        if why:
            raise PortError(why, port)

    def in_step_with(self, port: str, given: Given, submodel: Submodel | None) -> frozenset[str]:
        """What is inside is not known: every sequence that comes out may follow every sequence that goes in."""
        taken = next((tensor for tensor in self.model_inputs if tensor.name == port), None)
        if taken is None or not taken.type.has_steps:
            return frozenset()
        return frozenset(tensor.name for tensor in self.model_outputs if tensor.type.has_steps)

    def output_types(self, given: Given, submodel: Submodel | None) -> dict[str, PortType]:
        return {tensor.name: tensor.type for tensor in self.model_outputs}
