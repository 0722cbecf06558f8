"""The types of ports: one tensor, the states of a stack of recurrent layers, or a sequence to attend to."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Shape: TypeAlias = tuple[int | None, ...]
DType = Literal["float32", "int32"]
CellName = Literal["LSTM", "GRU"]


def format_shape(shape: Shape) -> str:
    """Format a shape as Keras does, with the batch axis: `(None, 33, 44)`."""
    return "(" + ", ".join(["None", *map(str, shape)]) + ("" if shape else ",") + ")"


class TensorType(msgspec.Struct, frozen=True, tag="tensor"):
    """One tensor. `shape` is without the batch axis; an axis of any length is None.

    `symbols` is the number of distinct ids that an int32 tensor may hold.
    """

    shape: Shape
    dtype: DType = "float32"
    symbols: int | None = None

    def __str__(self) -> str:
        return f"{self.dtype} {format_shape(self.shape)}"

    @property
    def has_steps(self) -> bool:
        """Whether the tensor has an axis of steps, each with an id or a vector."""
        return len(self.shape) >= (1 if self.dtype == "int32" else 2)


class CellState(msgspec.Struct, frozen=True):
    """The state of one recurrent layer: h and c for an LSTM, h alone for a GRU, each `(None, units)`."""

    cell: CellName
    units: int

    def __str__(self) -> str:
        return f"{self.cell} {self.units}"

    @property
    def letters(self) -> str:
        return "hc" if self.cell == "LSTM" else "h"


class StatesType(msgspec.Struct, frozen=True, tag="states"):
    """The states of a stack of layers, first layer first: for LSTMs the tensors h_0, c_0, h_1, c_1, ..."""

    cells: tuple[CellState, ...]

    def __str__(self) -> str:
        return "states[" + ", ".join(map(str, self.cells)) + "]"

    @property
    def tensors(self) -> tuple[tuple[str, TensorType], ...]:
        """The name and the type of every tensor, in the order of the wire."""
        return tuple(
            (f"{letter}_{i}", TensorType((state.units,))) for i, state in enumerate(self.cells) for letter in state.letters
        )


class MemoryType(msgspec.Struct, frozen=True, tag="memory"):
    """A sequence that a decoder attends to, `(None, steps, width)`, and which of its steps count.

    With `padded`, a second tensor `(None, steps)` is 1 for a step of the sequence and 0 for padding.
    """

    steps: int | None
    width: int
    padded: bool = False

    def __str__(self) -> str:
        return f"memory {format_shape((self.steps, self.width))}" + (" with its padding" if self.padded else "")

    @property
    def tensors(self) -> tuple[tuple[str, TensorType], ...]:
        """The name and the type of every tensor, in the order of the wire."""
        sequence = ("sequence", TensorType((self.steps, self.width)))
        return (sequence, ("seen", TensorType((self.steps,)))) if self.padded else (sequence,)


PortType: TypeAlias = TensorType | StatesType | MemoryType


def tensors_of(name: str, port_type: PortType) -> tuple[tuple[str, TensorType], ...]:
    """Return the tensors of a port with their names: one tensor as `name`, h_0, c_0, ... for states, or those of a memory."""
    return ((name, port_type),) if isinstance(port_type, TensorType) else port_type.tensors
