"""The parts of a model of Keras 2 that own weights, in the order in which Keras 2 wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from seqdec_gui.runner.keras2.layers import Config


class Part(msgspec.Struct, frozen=True):
    """A layer or a model: `step` leads to it from the part around it, in the model of Keras 3.

    `step` is the name of a layer in a model, or an attribute of a wrapper (`.layer`, `.forward_layer`, `.cells`). `name` is
    that in the file of Keras 2, and `config` its arguments there. Inputs are no parts.
    """

    step: str
    name: str
    class_name: str
    config: Config
    trainable: bool = True
    is_model: bool = False
    parts: tuple[Part, ...] = ()

    def leaves(self, path: tuple[str, ...] = (), trainable: bool = True) -> Iterator[Leaf]:
        """Yield the layers with weights of their own, with the way to them from here."""
        trainable = trainable and self.trainable
        if not self.parts:
            yield Leaf(path, self.name, self.class_name, self.config, trainable)
        for part in self.parts:
            yield from part.leaves((*path, part.step), trainable)


class Leaf(msgspec.Struct, frozen=True):
    """A layer that wraps no other. `trainable` says whether it and all around it were trainable."""

    path: tuple[str, ...]
    name: str
    class_name: str
    config: Config
    trainable: bool


def snake_case(name: str) -> str:
    """Return a class name as Keras writes it in files of weights: `BatchNormalization` as `batch_normalization`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
