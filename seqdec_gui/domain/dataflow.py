"""Which arrays a design needs: one per input block, one per loss, and which of them one text column can serve together."""

from __future__ import annotations

from typing import Literal

import msgspec

from seqdec_gui.domain.types import TensorType


class DataPort(msgspec.Struct, frozen=True):
    """One array that training needs.

    `name` is the block's id, which is also the name of the full model's input (or of the loss); `port` is `latent.output`
    or `loss.targets`. `aliases` are further port names that a binding may use: binding `model_2.inputs` feeds the input
    block linked to it, and, where `taught` names a loss, its targets as well, one step ahead (teacher forcing).
    `classes` is the number of classes that a target chooses among, None for a regression target.
    `generated` says that `generate` makes this input itself, symbol by symbol.
    """

    name: str
    port: str
    role: Literal["input", "target"]
    type: TensorType
    aliases: tuple[str, ...] = ()
    taught: str = ""
    classes: int | None = None
    one_hot: bool = False
    mask_padding: bool = False
    generated: bool = False
