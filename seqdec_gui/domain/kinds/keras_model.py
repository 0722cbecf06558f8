"""A submodel from a `.keras` or `.h5` file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from seqdec_gui.domain.graph import Submodel
from seqdec_gui.domain.kinds.base import (
    Category,
    InPort,
    InputTypes,
    Kind,
    LearningRateFactor,
    OutPort,
    PortError,
    Trainable,
    mismatch,
)
from seqdec_gui.domain.kinds.roles import ImportedFile
from seqdec_gui.domain.paths import path_fault
from seqdec_gui.domain.types import DType, PortType, Shape, TensorType

SUFFIXES = (".keras", ".h5", ".hdf5")
"""The endings of the files that can be imported as a block."""
LARGEST_SIZE = 2**31 - 1
"""The largest size of an axis; what claims more is damaged."""


class NamedTensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input or output of a Keras file. `name` is the name of the port; `shape` is without the batch axis."""

    name: str
    shape: Shape
    dtype: DType = "float32"

    @property
    def type(self) -> TensorType:
        return TensorType(self.shape, self.dtype)


class KerasModel(Kind, frozen=True, tag="keras_model"):
    """An imported model. All parameters except `file` and `trainable` come from the inspection of the file."""

    title: ClassVar[str] = "Keras model"
    summary: ClassVar[str] = "A trained or untrained model from a .keras or .h5 file, with its weights."
    category: ClassVar[Category] = "Layers"
    icon: ClassVar[str] = "alpha-k-box-outline"

    file: Annotated[str, Meta(description="The file; a relative path is relative to the design's folder.")] = ""
    sha256: Annotated[str, Meta(description="Check sum of the file when it was inspected.")] = ""
    model_inputs: Annotated[tuple[NamedTensor, ...], Meta(description="Inputs, in the model's order.")] = ()
    model_outputs: Annotated[tuple[NamedTensor, ...], Meta(description="Outputs, in the model's order.")] = ()
    parameter_count: Annotated[int, Meta(ge=0, le=2**53, description="All weights.")] = 0
    trainable_count: Annotated[int, Meta(ge=0, le=2**53, description="Weights that training changes.")] = 0
    layer_names: Annotated[tuple[str, ...], Meta(description="Names of the layers inside.")] = ()
    trainable: Trainable = True
    learning_rate_factor: LearningRateFactor = 1.0

    @property
    def imported(self) -> ImportedFile:
        return self

    @property
    def is_inspected(self) -> bool:
        """Whether its inputs and outputs are known; a design that was written by hand may only name the file."""
        return bool(self.model_outputs)

    def with_files(self, new_path: Callable[[str], str]) -> KerasModel:
        return msgspec.structs.replace(self, file=new_path(self.file))

    def expects(self, port: str) -> PortType | None:
        return next((tensor.type for tensor in self.model_inputs if tensor.name == port), None)

    def inputs(self) -> tuple[InPort, ...]:
        return tuple(InPort(tensor.name, str(tensor.type)) for tensor in self.model_inputs)

    def outputs(self) -> tuple[OutPort, ...]:
        return tuple(OutPort(tensor.name, str(tensor.type)) for tensor in self.model_outputs)

    def faults(self) -> Iterator[tuple[str, str]]:
        if why := path_fault(self.file):
            yield "file", f"expected the path of a file, and this one {why}."
        elif self.file and PurePath(self.file).suffix.lower() not in SUFFIXES:
            yield "file", f"expected a file that ends with {', '.join(SUFFIXES)}, got {PurePath(self.file).name!r}."
        for field, tensors in (("model_inputs", self.model_inputs), ("model_outputs", self.model_outputs)):
            for name, count in Counter(tensor.name for tensor in tensors).items():
                if not name or "." in name or not name.isprintable():
                    yield field, f"expected a name without a dot that can be printed, got {name!r}."
                if count > 1:
                    yield field, f"expected names that differ, and {count} tensors are called {name!r}."

        for field, tensors in (("model_inputs", self.model_inputs), ("model_outputs", self.model_outputs)):
            for tensor in tensors:
                wrong = next((size for size in tensor.shape if size is not None and not 1 <= size <= LARGEST_SIZE), None)
                if wrong is not None:
                    yield field, f"expected sizes from 1 to {LARGEST_SIZE:,} in the shape of {tensor.name}, got {wrong:,}."

    def check_port(self, port: str, received: PortType) -> None:
        wanted = next(tensor.type for tensor in self.model_inputs if tensor.name == port)
        if not isinstance(received, TensorType):
            raise PortError(f"expected {wanted}, got {received}", port, "Split the states into single ports first.")
        why = mismatch(received, wanted)
        if why:
            raise PortError(why, port)

    def in_step_with(self, port: str, input_types: InputTypes, submodel: Submodel | None) -> frozenset[str]:
        """Return every output with steps, for every input: what is inside is not known.

        An input without steps counts too: Keras takes ids as numbers `(None, steps)` where a file states no dtype.
        """
        return frozenset(tensor.name for tensor in self.model_outputs if tensor.type.has_steps)

    def output_types(self, input_types: InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        return {tensor.name: tensor.type for tensor in self.model_outputs}
