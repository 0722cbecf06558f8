"""What a child found in the file of a model: its inputs and outputs, and its layers."""

from __future__ import annotations

import msgspec


class ArrayDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input or output of an imported model. `shape` is without the batch axis.

    `symbols` is the number of ids that the Embedding of an input knows; `activation` that of an output. None: unknown.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    symbols: int | None = None
    activation: str | None = None


class LayerDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    kind: str
    parameters: int
