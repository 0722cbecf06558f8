"""Puts the blocks of a divided model in the place of the imported block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.document import from_builtins
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.tasks import Divided, SplitTask


def split_task(design: Design, block_id: str, design_folder: Path | None, folder: Path) -> SplitTask:
    """Return the task that divides an imported block; its files are written into `folder`. Raises InvalidInput."""
    imported = design.block(block_id).parameters.imported
    if imported is None or not imported.file:
        text = f"Only a block from a model file can be split, and {block_id} is a {design.block(block_id).kind}."
        raise InvalidInput(text, "cannot_split", block_id)
    path = expanded(imported.file)
    path = path if path.is_absolute() or design_folder is None else design_folder / path
    taken = tuple(block.id for block in design.blocks if block.id != block_id)
    return SplitTask(path=str(path.absolute()), folder=str(folder.absolute()), taken=taken)


def with_divided(design: Design, block_id: str, divided: Divided, design_folder: Path | None) -> tuple[Design, list[str]]:
    """Return the design with the blocks of a divided model in place of the imported one, and their ids.

    Wires at the imported block lead to the new blocks. Paths below `design_folder` are written relative to it.
    """
    old = design.block(block_id)
    made = from_builtins(divided.design)

    def relative(file: str) -> str:
        path = Path(file)
        inside = design_folder is not None and path.is_relative_to(design_folder)
        return path.relative_to(design_folder).as_posix() if inside and design_folder is not None else file

    x, y = old.position
    trainable = old.parameters.is_trainable
    blocks = [_placed(block, (x + block.position[0], y + block.position[1]), relative, trainable) for block in made.blocks]
    links = [link for link in design.links if block_id not in (link.source.block, link.target.block)]
    for link in design.links:
        sources = [link.source]
        targets = [link.target]
        if link.source.block == block_id:
            sources = [Port.parse(divided.outputs[link.source.port])] if link.source.port in divided.outputs else []
        if link.target.block == block_id:
            targets = [Port.parse(port) for port in divided.inputs.get(link.target.port, ())]
        if block_id in (link.source.block, link.target.block):
            links += [Link(source, target) for source in sources for target in targets]
    at = design.blocks.index(old)
    shift = max((block.position[0] for block in made.blocks), default=0.0)
    others = [
        msgspec.structs.replace(block, position=(block.position[0] + shift, block.position[1]))
        if block.position[0] > x else block
        for block in design.blocks
    ]  # fmt: skip
    all_blocks = (*others[:at], *blocks, *others[at + 1 :])
    replaced = msgspec.structs.replace(design, blocks=all_blocks, links=(*links, *made.links))
    return replaced, [block.id for block in blocks]


def _placed(block: Block, position: tuple[float, float], relative: Callable[[str], str], trainable: bool) -> Block:
    kind = block.parameters.with_files(relative)
    if not trainable and hasattr(kind, "trainable"):
        kind = msgspec.structs.replace(kind, trainable=False)
    weights = block.weights
    if weights is not None:
        weights = msgspec.structs.replace(weights, file=relative(weights.file))
    return Block(block.id, kind, position, weights)
