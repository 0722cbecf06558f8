"""Which steps a model attends to while it makes a sequence: weights as numbers with the symbols that they belong to.

Needs no framework: the window, the command line and scripts read what a child has computed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.files import write_atomically

MEAN = -1
"""What stands for the mean of all heads."""
DIGITS = 6
"""Decimals of a weight in a file."""
FORMATS = (".json", ".npz")
"""The endings of the files that weights are written to."""


class AttentionMap(msgspec.Struct, frozen=True):
    """The weights of one attention: `weights[head][target][source]`, of which those of a target sum to 1.

    `block` and `layer` name it in the design. `attends_to` is the input block that its sources come from, or the block
    itself for attention of a sequence on itself (`itself`). `targets` and `sources` are symbols, or numbers of steps.
    """

    block: str
    layer: str
    attends_to: str
    itself: bool
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    weights: tuple[tuple[tuple[float, ...], ...], ...]

    @property
    def title(self) -> str:
        """How the attention is called in a list: `decoder · Cross_Attention_0 → source`."""
        name = self.layer.removeprefix(f"{self.block}_").removeprefix("Decoder_").removeprefix("Encoder_")
        return f"{self.block} · {name} → {'itself' if self.itself else self.attends_to}"

    @property
    def heads(self) -> int:
        return len(self.weights)

    def of_head(self, head: int) -> list[list[float]]:
        """Return the weights of a head, or of `MEAN`, a list for each target."""
        if head != MEAN:
            return [list(row) for row in self.weights[head]]
        return [
            [sum(each) / self.heads for each in zip(*rows, strict=True)] for rows in zip(*self.weights, strict=True)
        ]  # fmt: skip

    def table(self, head: int) -> str:
        """Return the weights of a head as CSV: a line for each target, a column for each source."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["", *self.sources])
        for target, row in zip(self.targets, self.of_head(head), strict=True):
            writer.writerow([target, *(round(weight, DIGITS) for weight in row)])
        return text.getvalue()


class RowAttention(msgspec.Struct, frozen=True):
    """The attention of the sequence of one row, all layers in the order in which they compute."""

    row: int
    text: str
    maps: tuple[AttentionMap, ...]


class Attentions(msgspec.Struct, frozen=True):
    """What a file has."""

    rows: tuple[RowAttention, ...]


def fail_unless_written(path: Path) -> None:
    """Raise InvalidInput for a file whose ending is none of those that are written."""
    if path.suffix.lower() not in FORMATS:
        raise InvalidInput(f"Attention is written as .json or .npz; received {path.name}.", "bad_value", "output")


def read_attention(path: Path) -> tuple[RowAttention, ...]:
    """Read what `write_attention` wrote as JSON. Raises OSError, msgspec.DecodeError."""
    return msgspec.json.decode(path.read_bytes(), type=Attentions).rows


def write_attention(rows: Sequence[RowAttention], path: Path) -> None:
    """Write JSON, or .npz: an array `(heads, targets, sources)` for each row and map, and `about` with the rest as JSON.

    Whole or not at all. Raises InvalidInput for another ending, OSError.
    """
    fail_unless_written(path)
    if path.suffix.lower() == ".json":
        write_atomically(path, msgspec.json.encode(Attentions(tuple(rows))))
        return
    import numpy as np

    arrays: dict[str, Any] = {}
    about = list[dict[str, Any]]()
    for each in rows:
        for number, found in enumerate(each.maps):
            arrays[f"row_{each.row}_map_{number}"] = np.array(found.weights, np.float32)
        maps = [msgspec.to_builtins(msgspec.structs.replace(found, weights=())) for found in each.maps]
        about.append({"row": each.row, "text": each.text, "maps": maps})
    content = io.BytesIO()
    np.savez_compressed(content, about=np.array(msgspec.json.encode(about).decode()), **arrays)
    write_atomically(path, content.getvalue())
