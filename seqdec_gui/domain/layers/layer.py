"""A Keras layer as data: its class, its name and its arguments, and what it makes of its input."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from seqdec_gui.domain.types import TensorType

Value: TypeAlias = int | float | bool | str | tuple[int, ...] | None
Types: TypeAlias = tuple[TensorType, ...]


class LayerError(ValueError):
    """A layer cannot take this input; says what it expects and what it got."""


class Layer(msgspec.Struct, frozen=True):
    """A layer of class `keras.layers.<type>`: its name, its other arguments, and the layer it wraps, if any."""

    type: str
    name: str
    arguments: tuple[tuple[str, Value], ...] = ()
    inner: Layer | None = None

    def __getitem__(self, argument: str) -> Value:
        return dict(self.arguments)[argument]

    def integer(self, argument: str, default: int = 0) -> int:
        value = dict(self.arguments).get(argument, default)
        if not isinstance(value, int):
            raise TypeError(f"{self.name}: {argument} is {value!r}, not an integer")
        return value

    def flag(self, argument: str, default: bool) -> bool:
        return bool(dict(self.arguments).get(argument, default))


class Applied(msgspec.Struct, frozen=True):
    """What a layer gives: output types, all its weights, and those that are trained."""

    outputs: Types
    parameters: int = 0
    trainable: int = 0


def layer(type: str, name: str, inner: Layer | None = None, /, **arguments: Value) -> Layer:
    """A layer in the order in which its arguments are to be read."""
    return Layer(type, name, tuple(arguments.items()), inner)
