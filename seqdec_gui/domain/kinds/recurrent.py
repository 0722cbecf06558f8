"""Advice that the recurrent encoder and the recurrent decoder share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import CellName


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
