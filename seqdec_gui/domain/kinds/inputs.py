"""The input blocks, where data enters: a vector, a sequence of numbers, a sequence of tokens."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from seqdec_gui.domain.graph import Submodel
from seqdec_gui.domain.kinds.base import Category, InputTypes, Kind, OutPort
from seqdec_gui.domain.kinds.roles import Role
from seqdec_gui.domain.types import PortType, TensorType

Length = Annotated[int, Meta(ge=1, le=1_000_000, description="Steps of the sequence; empty: as long as the data needs.")]


class Vector(Kind, frozen=True, tag="vector"):
    """A vector of numbers per row."""

    title: ClassVar[str] = "Vector"
    summary: ClassVar[str] = "A vector of numbers per row: descriptors, a latent code, image features, flattened pixels."
    category: ClassVar[Category] = "Inputs"
    icon: ClassVar[str] = "numeric"
    role: ClassVar[Role] = "input"

    width: Annotated[int, Meta(ge=1, le=10_000_000, description="Numbers per row.")] = 11

    @property
    def width_parameter(self) -> str:
        return "width"

    def outputs(self) -> tuple[OutPort, ...]:
        return (OutPort("output", "the vector (None, width)"),)

    def output_types(self, input_types: InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        return {"output": TensorType((self.width,))}


class FloatSequence(Kind, frozen=True, tag="float_sequence"):
    """A sequence of vectors per row."""

    title: ClassVar[str] = "Number sequence"
    summary: ClassVar[str] = "A sequence of vectors per row: a time series, spectra, sequences that are one-hot already."
    category: ClassVar[Category] = "Inputs"
    icon: ClassVar[str] = "chart-line-variant"
    role: ClassVar[Role] = "input"

    length: Length | None = 33
    features: Annotated[int, Meta(ge=1, le=10_000_000, description="Numbers per step.")] = 1

    @property
    def width_parameter(self) -> str:
        return "features"

    @property
    def length_parameter(self) -> str:
        return "length"

    def outputs(self) -> tuple[OutPort, ...]:
        return (OutPort("output", "the sequence (None, length, features)"),)

    def output_types(self, input_types: InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        return {"output": TensorType((self.length, self.features))}


class TokenSequence(Kind, frozen=True, tag="token_sequence"):
    """A sequence of symbols per row, as one-hot rows or as ids for an embedding."""

    title: ClassVar[str] = "Token sequence"
    summary: ClassVar[str] = (
        "A sequence of symbols per row: characters, words, phonemes. Stored as ids, one-hot made on the device."
    )
    category: ClassVar[Category] = "Inputs"
    icon: ClassVar[str] = "alphabetical-variant"
    role: ClassVar[Role] = "input"

    length: Length | None = 33
    symbols: Annotated[
        int, Meta(ge=1, le=10_000_000, description="Distinct symbols, padding and begin and end marks included.")
    ] = 44
    encoding: Annotated[
        Literal["one_hot", "ids"], Meta(description="One-hot rows (padding is a row of zeros), or ids for an embedding.")
    ] = "one_hot"

    @property
    def gives_one_hot(self) -> bool:
        return self.encoding == "one_hot"

    @property
    def width_parameter(self) -> str:
        return "symbols"

    @property
    def length_parameter(self) -> str:
        return "length"

    def outputs(self) -> tuple[OutPort, ...]:
        return (OutPort("output", "one-hot rows (None, length, symbols), or ids (None, length)"),)

    def output_types(self, input_types: InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        if self.encoding == "ids":
            return {"output": TensorType((self.length,), "int32", self.symbols)}
        return {"output": TensorType((self.length, self.symbols))}
