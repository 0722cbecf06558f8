"""Makes designs of priors of REINVENT, which a child has opened."""

from __future__ import annotations

import zipfile
from pathlib import Path

import msgspec

from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.document import from_builtins
from seqdec_gui.domain.names import usable_id
from seqdec_gui.runs.imports import BLOCK_SPACING
from seqdec_gui.runs.task_results import PriorOpened

SUFFIXES = (".prior", ".model", ".chkpt")
"""The usual endings of the files that REINVENT 4 reads and writes."""


def is_prior(path: Path) -> bool:
    """Whether a file is to be opened as a prior: it ends as one, or PyTorch has written it."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def design_of_prior(opened: PriorOpened, folder: Path | None) -> Design:
    """Return the whole design; paths below `folder`, that of the design, are written relative to it."""
    design = from_builtins(opened.design)
    block = _relative(design.block(opened.block), folder)
    blocks = tuple(block if each.id == block.id else each for each in design.blocks)
    return msgspec.structs.replace(design, blocks=blocks)


def with_prior(design: Design, opened: PriorOpened, path: Path, folder: Path | None) -> tuple[Design, str]:
    """Return the design with the decoder of the prior to the right of all blocks, without wires, and the decoder's id."""
    block = _relative(from_builtins(opened.design).block(opened.block), folder)
    name = design.free_id(usable_id(path.stem.lower(), "prior"))
    across = max((each.position[0] for each in design.blocks), default=-BLOCK_SPACING) + BLOCK_SPACING
    down = min((each.position[1] for each in design.blocks), default=0.0)
    return design.with_block(Block(name, block.parameters, (across, down), block.weights)), name


def _relative(block: Block, folder: Path | None) -> Block:
    weights = block.weights
    if weights is None or folder is None or not Path(weights.file).is_relative_to(folder):
        return block
    file = Path(weights.file).relative_to(folder).as_posix()
    return msgspec.structs.replace(block, weights=msgspec.structs.replace(weights, file=file))
