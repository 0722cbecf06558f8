"""An ONNX graph while it is built: constants, operators, and the values that run between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
OPSET = 17
"""The version of ONNX's operators: the first with LayerNormalization, and old enough for runtimes of 2022."""


@dataclass(frozen=True)
class Value:
    """A tensor in the graph: its name, its shape with the batch axis (None: any), and its mask, a boolean `(batch, steps)`.

    `ids` marks whole numbers. `mask` is the name of the mask, or empty.
    """

    name: str
    shape: tuple[int | None, ...]
    mask: str = ""
    ids: bool = False


@dataclass
class Graph:
    """Nodes and constants in the order in which they were added; names are made of the layers' names."""

    scope: str = ""
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    tables: dict[int, str] = field(default_factory=dict)
    """Constants that several calls of one layer take, by the `id` of the layer."""
    _known: dict[tuple[str, tuple[int, ...], bytes], str] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def new_name(self, stem: str) -> str:
        """A name that the graph does not have yet, with the scope in front."""
        wanted = name = f"{self.scope}{stem}"
        number = 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name

    def constant(self, array: Any, dtype: Any = np.float32, stem: str = "constant") -> str:
        """The name of a constant; equal small ones are stored once."""
        from onnx import numpy_helper

        value = np.array(array, dtype, order="C")
        key = (str(value.dtype), value.shape, value.tobytes()) if value.size <= 64 else None
        if key is not None and key in self._known:
            return self._known[key]
        name = self.new_name(stem)
        self.constants.append(numpy_helper.from_array(value, name))
        if key is not None:
            self._known[key] = name
        return name

    def integers(self, *numbers: int) -> str:
        """A constant list of whole numbers: axes, shapes, starts and ends."""
        return self.constant(numbers, np.int64, "integers")

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator with one result; returns the name of the result."""
        return self.add_many(operator, inputs, 1, **attributes)[0]

    def add_many(self, operator: str, inputs: Sequence[str], results: int, **attributes: Any) -> list[str]:
        """Add an operator with several results; returns their names."""
        from onnx import helper

        names = [self.new_name(f"{operator}_{i}" if results > 1 else operator) for i in range(results)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=names[0], **attributes))
        return names

    # -- what several layers need
    def reversed(self, x: str, axis: int) -> str:
        """The tensor backwards along an axis."""
        least = int(np.iinfo(np.int64).min)
        return self.add("Slice", x, self.integers(-1), self.integers(least), self.integers(axis), self.integers(-1))

    def sliced(self, x: str, axis: int, start: int, end: int) -> str:
        """`x[start:end]` along an axis."""
        return self.add("Slice", x, self.integers(start), self.integers(end), self.integers(axis))

    def as_floats(self, x: str) -> str:
        """The tensor as float32."""
        return self.add("Cast", x, to=_float32())

    def as_integers(self, x: str) -> str:
        """The tensor as int64."""
        from onnx import TensorProto

        return self.add("Cast", x, to=TensorProto.INT64)

    def as_booleans(self, x: str) -> str:
        """The tensor as booleans: what is not 0."""
        from onnx import TensorProto

        return self.add("Cast", x, to=TensorProto.BOOL)

    def differs(self, x: str, number: str) -> str:
        """Where a tensor is not this number, as booleans."""
        return self.add("Not", self.add("Equal", x, number))


def _float32() -> int:
    from onnx import TensorProto

    return int(TensorProto.FLOAT)
