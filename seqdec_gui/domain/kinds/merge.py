"""Kinds that merge several tensors, or several tuples of states."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds.base import Category, InPort, InputTypes, Kind, OutPort, PortError, fail_if_memory
from seqdec_gui.domain.layers.layer import Layer, layer
from seqdec_gui.domain.layers.rules import merge
from seqdec_gui.domain.types import CellName, CellState, PortType, StatesType, TensorType, tensors_of

InputCount = Annotated[int, Meta(ge=2, le=16, description="Number of inputs.")]


class _Merge(Kind, frozen=True):
    category: ClassVar[Category] = "Layers"

    def _count(self) -> int:
        raise NotImplementedError

    def _layer(self, name: str) -> Layer:
        raise NotImplementedError

    def _cell(self, cells: tuple[CellState, ...]) -> CellState:
        """Merge the states of one layer, one from each input. Raises PortError."""
        raise NotImplementedError

    def _check(self, types: list[TensorType]) -> None:
        """Raise LayerError where tensors do not go together, though Keras would merge them."""

    def inputs(self) -> tuple[InPort, ...]:
        return tuple(InPort(f"input_{i}", "a tensor, or states") for i in range(self._count()))

    def wanted_at(self, port: str, input_types: InputTypes) -> PortType | None:
        """Return the type at another input, since all inputs must be alike."""
        return next((type for name, type in input_types.items() if name != port), None)

    def outputs(self) -> tuple[OutPort, ...]:
        return (OutPort("output", "the merged tensor, or states"),)

    def _in_port_order(self, input_types: InputTypes) -> list[PortType]:
        """Return the types in the order of the ports."""
        return [input_types[port.name] for port in self.inputs()]

    def check_port(self, port: str, received: PortType) -> None:
        fail_if_memory(port, received)

    def _states(self, input_types: InputTypes) -> StatesType | None:
        """Return the merged states; None if the inputs are tensors. Raises PortError if states and tensors are mixed."""
        parts = self._in_port_order(input_types)
        states = [part for part in parts if isinstance(part, StatesType)]
        if not states:
            return None
        for i, part in enumerate(parts):
            if not isinstance(part, StatesType) or _kinds(part) != _kinds(states[0]):
                expected = ", ".join(_kinds(states[0]))
                text = f"expected states of the same layers ({expected}) at every input, got {part} at input_{i}"
                raise PortError(text, f"input_{i}", "Set cell and number of layers of the encoders alike.")
        return StatesType(tuple(self._cell(cells) for cells in zip(*(part.cells for part in states), strict=True)))

    def submodel(self, input_types: InputTypes) -> Submodel:
        states = self._states(input_types)
        name = type(self).__name__
        builder = SubmodelBuilder(f"{name} of {self._count()} {'tensors' if states is None else 'tuples of states'}.")
        wires = [
            [
                builder.input(f"input_{i}{suffix}", f"Input_{i}{suffix}", type)
                for label, type in tensors_of("", part)
                for suffix in [f"_{label}" if label else ""]
            ]
            for i, part in enumerate(self._in_port_order(input_types))
        ]
        if states is None:
            self._check([tensor.type for (tensor,) in wires])
            return builder.build(output=builder.call("output", self._layer(name), *(tensor for (tensor,) in wires)))
        merged: list[Tensor] = []
        for (label, _), *parts in zip(states.tensors, *wires, strict=True):
            merged.append(builder.call(label, self._layer(f"{name}_{label}"), *parts))
        return builder.build(output=tuple(merged))

    def output_types(self, input_types: InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        states = self._states(input_types)
        return super().output_types(input_types, submodel) if states is None else {"output": states}


class Concatenate(_Merge, frozen=True, tag="concatenate"):
    """Tensors side by side along one axis, or states side by side, layer by layer."""

    title: ClassVar[str] = "Concatenate"
    icon: ClassVar[str] = "call-merge"
    summary: ClassVar[str] = "Tensors side by side along one axis; all other axes must agree. Joins states layer by layer."

    count: InputCount = 2
    axis: Annotated[int, Meta(ge=-3, le=3, description="Axis to join along: -1 the last, 1 the steps of sequences.")] = -1

    def _count(self) -> int:
        return self.count

    def _layer(self, name: str) -> Layer:
        return layer("Concatenate", name, axis=self.axis)

    def _cell(self, cells: tuple[CellState, ...]) -> CellState:
        return msgspec.structs.replace(cells[0], units=sum(cell.units for cell in cells))


class Add(_Merge, frozen=True, tag="add"):
    """The sum of tensors of one shape, or of states of the same widths."""

    title: ClassVar[str] = "Add"
    icon: ClassVar[str] = "plus-circle-outline"
    summary: ClassVar[str] = "The sum of tensors of one shape, or of states of the same widths."

    count: InputCount = 2

    def _count(self) -> int:
        return self.count

    def _layer(self, name: str) -> Layer:
        return layer("Add", name)

    def _check(self, types: list[TensorType]) -> None:
        merge(self._layer("Add"), tuple(types))  # Keras repeats an axis of one, which nobody has asked for

    def _cell(self, cells: tuple[CellState, ...]) -> CellState:
        widths = [cell.units for cell in cells]
        if len(set(widths)) > 1:
            listed = ", ".join(map(str, widths))
            raise PortError(
                f"states of widths {listed} cannot be added", "", "Set units of the encoders alike, or concatenate."
            )
        return cells[0]


def _kinds(states: StatesType) -> list[CellName]:
    return [state.cell for state in states.cells]
