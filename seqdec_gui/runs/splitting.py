"""Puts the blocks of a divided model in the place of the imported block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.document import from_builtins
from seqdec_gui.domain.drawing.layout import Box, Edge, layered
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import listed
from seqdec_gui.runs.task_results import Divided
from seqdec_gui.runs.tasks import SplitTask

WIDTH, HEAD, ROW = 210.0, 74.0, 26.0
"""About the width of a block, and the heights of what is in it besides ports, and of a port, in scene units."""
LABEL, GAP = 96.0, 40.0
"""Room for the label of a wire, and between blocks that lie one below the other, in scene units."""


def split_task(design: Design, block_id: str, design_folder: Path | None, folder: Path) -> SplitTask:
    """Return the task that divides an imported block; its files are written into `folder`. Raises InvalidInput."""
    imported = design.block(block_id).parameters.imported
    if imported is None or not imported.file:
        text = f"Only a block from a model file can be split, and {block_id} is a {design.block(block_id).kind}."
        raise InvalidInput(text, "cannot_split", block_id)
    if design.block(block_id).weights is not None:
        text = f"{block_id} begins with other weights than those of its file, which its parts would not have."
        hint = "Let it begin with those of its file, split it, and choose weights for its parts."
        raise InvalidInput([Problem("error", "cannot_split", block_id, text, hint)])
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
    kept = {"trainable": old.parameters.is_trainable, "learning_rate_factor": old.parameters.rate_factor}
    places, extra = _places(made, old)
    blocks = [_placed(block, (x + places[block.id][0], y + places[block.id][1]), relative, kept) for block in made.blocks]
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
    others = [msgspec.structs.replace(block, position=_moved(block.position, old.position, extra)) for block in design.blocks]
    all_blocks = (*others[:at], *blocks, *others[at + 1 :])
    replaced = msgspec.structs.replace(design, blocks=all_blocks, links=(*links, *made.links))
    return replaced, [block.id for block in blocks]


def outcome(design: Design, blocks: list[str], divided: Divided) -> str:
    """Return in words what a model has become, and which parts stay closed and why."""
    editable = [name for name in blocks if name not in divided.closed]
    lines = []
    if editable:
        kinds = [f"{name} ({design.block(name).parameters.title.lower()})" for name in editable]
        lines.append(f"To edit, with the weights of the model: {listed(kinds)}.")
    lines += [f"{name} stays a closed model. {why}" for name, why in divided.closed.items()]
    return "\n".join(lines)


def _places(made: Design, old: Block) -> tuple[dict[str, tuple[float, float]], tuple[float, float]]:
    """Return where the new blocks lie, from the old one's corner, and how much wider and taller they are together."""
    boxes = {block.id: Box(WIDTH, _height(block)) for block in made.blocks}
    corners = layered(boxes, [Edge(link.source.block, link.target.block, label=LABEL) for link in made.links])
    if not made.links:  # nothing is connected: one below the other
        top = 0.0
        for block in made.blocks:
            corners[block.id] = (0.0, top)
            top += boxes[block.id].height + GAP
    right = max(corners[name][0] + boxes[name].width for name in boxes)
    bottom = max(corners[name][1] + boxes[name].height for name in boxes)
    return corners, (max(0.0, right - WIDTH), max(0.0, bottom - _height(old)))


def _height(block: Block) -> float:
    ports = max(len(block.parameters.inputs()), len(block.parameters.outputs()), 1)
    return HEAD + ROW * ports


def _moved(at: tuple[float, float], old: tuple[float, float], extra: tuple[float, float]) -> tuple[float, float]:
    """Return where a block of the design goes to make room: right of the old one, or below it in its column."""
    (x, y), (wider, taller) = at, extra
    if x > old[0] + WIDTH / 2:
        return (x + wider, y)
    below = y > old[1] and x > old[0] - WIDTH
    return (x, y + taller) if below else (x, y)


def _placed(block: Block, position: tuple[float, float], relative: Callable[[str], str], kept: dict[str, Any]) -> Block:
    kind = block.parameters.with_files(relative)
    kind = msgspec.structs.replace(kind, **{name: value for name, value in kept.items() if hasattr(kind, name)})
    weights = block.weights
    if weights is not None:
        weights = msgspec.structs.replace(weights, file=relative(weights.file))
    return Block(block.id, kind, position, weights)
