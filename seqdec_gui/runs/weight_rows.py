"""What goes where when the weights of a file are put into a block."""

from __future__ import annotations

from typing import Literal

import msgspec


class WeightRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One layer of a block, the shapes of its weights, and the layer of the file that gives them.

    `how` is what joined the two: equal names, or equal shapes and the same place in the order; empty where nothing fits, and
    then `why` says the reason. Where something fits, `why` says in what the two layers differ, if they do, and `differs` is
    whether the layer of the block computes something else with these weights than the layer of the file did. `settings` are
    the settings that make the difference, with the values in the file.
    """

    layer: str
    shapes: tuple[tuple[int, ...], ...]
    source: str = ""
    how: Literal["name", "order", ""] = ""
    why: str = ""
    differs: bool = False
    settings: tuple[tuple[str, str], ...] = ()
