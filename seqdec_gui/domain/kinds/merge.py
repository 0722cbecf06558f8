"""Several tensors to one."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder, Tensor
from seqdec_gui.domain.keras_layers import Layer, layer
from seqdec_gui.domain.kinds.base import Category, Given, InPort, Kind, OutPort, PortError
from seqdec_gui.domain.types import PortType, TensorType

InputCount = Annotated[int, Meta(ge=2, le=16, description="Number of inputs.")]


class _Merge(Kind, frozen=True):
    category: ClassVar[Category] = "Layers"

    def _count(self) -> int:
        raise NotImplementedError

    def _layer(self) -> Layer:
        raise NotImplementedError

    def inputs(self) -> tuple[InPort, ...]:
        return tuple(InPort(f"input_{i}", "a tensor") for i in range(self._count()))

    def outputs(self) -> tuple[OutPort, ...]:
        return (OutPort("output", "the merged tensor"),)

    def check_port(self, port: str, given: PortType) -> None:
        if not isinstance(given, TensorType):
            raise PortError(f"expected one tensor, got {given}", port, "Split the states into single ports first.")

    def submodel(self, given: Given) -> Submodel:
        builder = SubmodelBuilder(f"{self._layer().type} of {self._count()} tensors.")
        parts: list[Tensor] = []
        for i in range(self._count()):
            part = given[f"input_{i}"]
            assert isinstance(part, TensorType)
            parts.append(builder.input(f"input_{i}", f"Input_{i}", part))
        return builder.build(output=builder.call("output", self._layer(), *parts))


class Concatenate(_Merge, frozen=True, tag="concatenate"):
    """Tensors side by side along one axis."""

    title: ClassVar[str] = "Concatenate"
    summary: ClassVar[str] = "Tensors side by side along one axis; all other axes must agree."

    count: InputCount = 2
    axis: Annotated[int, Meta(ge=-3, le=3, description="Axis to join along: -1 the last, 1 the steps of sequences.")] = -1

    def _count(self) -> int:
        return self.count

    def _layer(self) -> Layer:
        return layer("Concatenate", "Concatenate", axis=self.axis)


class Add(_Merge, frozen=True, tag="add"):
    """The sum of tensors of one shape."""

    title: ClassVar[str] = "Add"
    summary: ClassVar[str] = "The sum of tensors of one shape."

    count: InputCount = 2

    def _count(self) -> int:
        return self.count

    def _layer(self) -> Layer:
        return layer("Add", "Add")
