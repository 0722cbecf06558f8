"""Writes files of weights that blocks of a design begin with, and loads them from such files and checkpoints of other runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seqdec_gui.domain.design import Block, BlockWeights, Design
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import listed
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.script_files import sha256
from seqdec_gui.runs.files import write_atomically

if TYPE_CHECKING:
    import keras


def write_weights(
    parts: Mapping[str, Mapping[str, keras.Layer]], stem: str, folder: Path, texts: Mapping[str, str] | None = None
) -> BlockWeights:
    """Write the weights of parts, layers by name, into one file in the folder, which is named after its content.

    `texts` are what the file keeps besides. Returned is what refers to the file, without the part that is a block's own. Raises
    OSError.
    """
    data = checkpoints.parts_as_bytes(parts, texts)
    check_sum = hashlib.sha256(data).hexdigest()
    target = folder / f"{stem}_{check_sum[:8]}.weights.h5"
    write_atomically(target, data)
    return BlockWeights(str(target), "", check_sum)


def load_block_weights(design: Design, models: Mapping[str, keras.Model], look_in: Iterable[Path]) -> list[Problem]:
    """Load the weights of every block that names some; returns what was done. Raises InvalidInput: missing, changed, unlike."""
    folders = tuple(look_in)
    loaded = []
    for block in design.blocks:
        if block.weights is not None and block.id in models:
            file = file_of(block, block.weights, folders)
            checkpoints.load_part(file, block.weights.part, block.id, models[block.id])
            loaded.append(block.id)
    if not loaded:
        return []
    return [Problem("info", "initial_weights", "", f"Begins with weights from files in {listed(loaded)}.")]


def file_of(block: Block, weights: BlockWeights, folders: Iterable[Path]) -> Path:
    """Return the file with the weights of a block, looked for in these folders. Raises InvalidInput: missing, or changed."""
    changed = False
    for folder in folders:
        path = folder / expanded(weights.file)
        if path.is_file():
            if not weights.sha256 or sha256(path) == weights.sha256:
                return path
            changed = True
    what = "has changed since it was chosen" if changed else "cannot be found"
    text = f"The file {weights.file} with the weights of this block {what}."
    hint = "Put it back, or choose weights for the block again, or begin with new ones."
    raise InvalidInput([Problem("error", "weights_mismatch", block.id, text, hint)])
