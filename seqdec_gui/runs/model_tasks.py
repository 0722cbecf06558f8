"""Short jobs on the models of blocks: divide an imported one, and find the weights of a block in a file."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class _Tagged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    pass


class SplitTask(_Tagged, frozen=True, kw_only=True, tag="split"):
    """Divide the model of a `.keras` or `.h5` file (absolute path) into blocks; what they need is written into `folder`.

    `taken` are the ids that no new block may have.
    """

    path: str
    folder: str
    taken: tuple[str, ...] = ()


class Divided(_Tagged, frozen=True, kw_only=True, tag="divided"):
    """The blocks of a divided model, as in a design document, and their links.

    `inputs` says for every input of the model which ports take it (`block.port`), `outputs` which port gives an output.
    `closed` are the blocks that stay closed models, each with the reason as a sentence.
    """

    design: dict[str, Any]
    inputs: dict[str, tuple[str, ...]]
    outputs: dict[str, str]
    closed: dict[str, str] = {}


class WeightsTask(_Tagged, frozen=True, kw_only=True, tag="weights"):
    """Say which weights of a file (absolute path) go into which layer of a block of `design`, a document.

    The file is a checkpoint of a run, a model, or weights alone; `part` is the block of a checkpoint, empty for the one that
    fits. Without a `folder` they are only looked at; otherwise they are written into it. `sha256` is the check sum of the file
    when it was looked at, and empty for any.
    """

    design: dict[str, Any]
    design_folder: str
    block: str
    path: str
    part: str = ""
    folder: str = ""
    sha256: str = ""


class WeightRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One layer of a block, the shapes of its weights, and the layer of the file that gives them.

    `how` is what joined the two: equal names, or equal shapes and the same place in the order; empty where nothing fits, and
    then `why` says the reason. Where something fits, `why` says in what the two layers differ, if they do.
    """

    layer: str
    shapes: tuple[tuple[int, ...], ...]
    source: str = ""
    how: Literal["name", "order", ""] = ""
    why: str = ""


class WeightsFound(_Tagged, frozen=True, kw_only=True, tag="weights_found"):
    """What of a file goes into which layer of a block, and the layers of the file that are not used.

    `part` is the part of the file that was taken, `parts` all that it has ("" for a file of one model), `fitting` those that
    fit. `sha256` is the check sum of the file. If it was asked for, `file` is what was written, with its check sum, and
    `parameters` how many numbers the block has.
    """

    rows: tuple[WeightRow, ...]
    left_out: tuple[str, ...] = ()
    part: str = ""
    parts: tuple[str, ...] = ()
    fitting: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str = ""
    file: str = ""
    file_sha256: str = ""
    parameters: int = 0

    @property
    def fits(self) -> bool:
        """Whether every layer of the block gets weights."""
        return all(row.how for row in self.rows)
