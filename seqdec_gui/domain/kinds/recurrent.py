"""Parameters, faults and advice that the recurrent encoder and the recurrent decoder share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Protocol

from msgspec import Meta

from seqdec_gui.domain.kinds.base import Rate
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import CellName

DropoutPerLayer = Annotated[
    tuple[Rate, ...],
    Meta(max_length=64, description="Dropout on the inputs of each layer, one rate a layer; empty: the same for all."),
]
OutputDropout = Annotated[Rate, Meta(description="Dropout after the last layer.")]


class Dropped(Protocol):
    """The parameters of the dropout of a stack of layers."""

    @property
    def units(self) -> tuple[int, ...]: ...
    @property
    def dropout(self) -> float: ...
    @property
    def dropout_per_layer(self) -> tuple[float, ...]: ...


def input_dropout(kind: Dropped, layer: int) -> float:
    """Return the rate of dropout on the inputs of a layer."""
    return kind.dropout_per_layer[layer] if layer < len(kind.dropout_per_layer) else kind.dropout


def dropout_faults(kind: Dropped) -> Iterator[tuple[str, str]]:
    """Yield (parameter, sentence) where the rates do not go with the layers, or with each other."""
    rates, layers = len(kind.dropout_per_layer), len(kind.units)
    if rates not in (0, layers):
        yield "dropout_per_layer", f"expected one rate for each of the {layers} layers, or none, received {rates}."
    if rates and kind.dropout:
        yield "dropout_per_layer", "each layer has a rate of its own; set dropout = 0, or empty dropout_per_layer."


class Recurrent(Protocol):
    """The parameters of LSTM or GRU layers that decide which loop they run in on a GPU."""

    @property
    def cell(self) -> CellName: ...
    @property
    def mask_padding(self) -> bool: ...
    @property
    def recurrent_dropout(self) -> float: ...
    @property
    def reset_after(self) -> bool: ...


def slow_kernels(kind: Recurrent, padded_left: bool) -> Iterator[Problem]:
    """Yield a problem for each setting that keeps these layers from cuDNN or from the fast loop on GPUs.

    `where` is the parameter, or empty for the whole block.
    """
    if kind.mask_padding and padded_left:
        text = "With left padding and a mask TensorFlow leaves cuDNN; with that engine this layer is slower on GPUs."
        yield Problem("warning", "no_cudnn", "", text, "Train with JAX, pad on the right, or switch mask_padding off.")
    if kind.recurrent_dropout:
        text = "Recurrent dropout takes Keras's own loop; with either engine this layer is slower on GPUs."
        yield Problem("info", "slow_loop", "recurrent_dropout", text)
    if kind.cell == "GRU" and not kind.reset_after:
        text = "reset_after=False makes TensorFlow leave cuDNN; with that engine this layer is slower on GPUs."
        yield Problem("info", "no_cudnn", "reset_after", text)
