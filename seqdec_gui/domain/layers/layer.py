"""Keras layers as data: class, name, arguments, and the result of applying a layer."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from seqdec_gui.domain.types import TensorType


class Sinusoid(msgspec.Struct, frozen=True):
    """A table `(steps, width)` of sines and cosines of the places of steps (Vaswani et al., 2017, section 3.5).

    A script computes it with its function `sinusoid`.
    """

    steps: int
    width: int


Value: TypeAlias = int | float | bool | str | tuple[int, ...] | Sinusoid | None
Types: TypeAlias = tuple[TensorType, ...]


class LayerError(ValueError):
    """A layer cannot take its input. The text says what was expected and what was received."""


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
    """The result of applying a layer: the output types, the number of weights, and the number of trained weights."""

    outputs: Types
    parameters: int = 0
    trainable: int = 0


def layer(type: str, name: str, inner: Layer | None = None, /, **arguments: Value) -> Layer:
    """Make a layer; scripts write its arguments in this order."""
    return Layer(type, name, tuple(arguments.items()), inner)
