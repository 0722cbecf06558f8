"""Loads the weights that blocks of a design begin with, from files of weights and checkpoints of other runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seqdec_gui.domain.design import Block, BlockWeights, Design
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import listed
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.script_files import sha256

if TYPE_CHECKING:
    import keras


def load_block_weights(design: Design, models: Mapping[str, keras.Model], look_in: Iterable[Path]) -> list[Problem]:
    """Load the weights of every block that names some; returns what was done. Raises InvalidInput: missing, changed, unlike."""
    folders = tuple(look_in)
    loaded = []
    for block in design.blocks:
        if block.weights is not None and block.id in models:
            file = _found(block, block.weights, folders)
            checkpoints.load_part(file, block.weights.part, block.id, models[block.id])
            loaded.append(block.id)
    if not loaded:
        return []
    return [Problem("info", "initial_weights", "", f"Begins with weights from files in {listed(loaded)}.")]


def _found(block: Block, weights: BlockWeights, folders: tuple[Path, ...]) -> Path:
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
