"""Edits of several blocks at once, as functions from design to design. No Qt."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.names import name_problem
from seqdec_gui.domain.shapes import Inference, infer_block
from seqdec_gui.domain.validation import verdict


def copied(design: Design, block_ids: Collection[str]) -> str:
    """Return the blocks and the links among them as the text of a design file, without data and training."""
    blocks = tuple(block for block in design.blocks if block.id in block_ids)
    links = tuple(link for link in design.links if link.source.block in block_ids and link.target.block in block_ids)
    return design_file.dumps(Design(blocks, links))


def pasted(design: Design, text: str, offset: tuple[float, float]) -> tuple[Design, tuple[str, ...]]:
    """The design with the blocks and links of a copied text, under new ids and moved by `offset`, and those ids.

    Raises InvalidInput where the text is not a design.
    """
    return merged(design, design_file.loads(text), offset)


def merged(design: Design, other: Design, offset: tuple[float, float]) -> tuple[Design, tuple[str, ...]]:
    """The design with all blocks of another, and the ids they got."""
    names: dict[str, str] = {}
    for block in other.blocks:
        name = _free_id(design, block.id)
        names.setdefault(block.id, name)
        x, y = block.position
        design = design.with_block(Block(name, block.parameters, (x + offset[0], y + offset[1]), block.weights))
    for link in other.links:
        if link.source.block in names and link.target.block in names:
            design = design.linked(
                Link(Port(names[link.source.block], link.source.port), Port(names[link.target.block], link.target.port))
            )
    return design, tuple(names.values())


def _free_id(design: Design, wanted: str) -> str:
    """Return a free id for a copy: `encoder_2` for a copy of `encoder`, `encoder_3` for a copy of `encoder_2`."""
    if name_problem(wanted):
        return design.free_id(wanted)
    if not design.has(wanted):
        return wanted
    stem, _, digits = wanted.rpartition("_")
    if not (stem and digits.isdecimal() and len(digits) < 6):
        return design.free_id(wanted)
    number = int(digits)
    while design.has(f"{stem}_{number}"):
        number += 1
    return f"{stem}_{number}"


def duplicated(design: Design, block_ids: Collection[str], offset: tuple[float, float]) -> tuple[Design, tuple[str, ...]]:
    """The design with a copy of these blocks; wires that come from elsewhere are drawn to the copies as well."""
    grown, names = pasted(design, copied(design, block_ids), offset)
    originals = [block.id for block in design.blocks if block.id in block_ids]
    copies = dict(zip(originals, names, strict=True))
    for link in design.links:
        if link.target.block in copies and link.source.block not in copies and design.has(link.source.block):
            grown = grown.linked(Link(link.source, Port(copies[link.target.block], link.target.port)))
    return grown, names


def without(design: Design, block_ids: Collection[str], links: Collection[Link]) -> Design:
    """The design without these blocks and wires."""
    return design.unlinked(links).without_blocks(block_ids)


def room_for(
    boxes: dict[str, tuple[float, float, float, float]], block_id: str, width: float, height: float, gap: float = 30.0
) -> dict[str, tuple[float, float]]:
    """Return how far each other block must move (dx, dy) when a block grows to this size; empty if there is room already.

    `boxes` are (x, y, width, height) by id. What lies right of the block moves right, what lies below moves down.
    """
    x, y, w, h = boxes[block_id]
    others = {key: box for key, box in boxes.items() if key != block_id}
    if not any(x - gap < bx + bw and bx < x + width + gap and y < by + bh and by < y + height + gap
               for bx, by, bw, bh in others.values()):  # fmt: skip
        return {}
    shifts: dict[str, tuple[float, float]] = {}
    for key, (bx, by, bw, _) in others.items():
        if bx >= x + w:
            shifts[key] = (width - w, 0.0)
        elif by >= y + h and bx + bw > x:
            shifts[key] = (0.0, height - h)
    return {key: shift for key, shift in shifts.items() if shift != (0.0, 0.0)}


def extents(design: Design, block_ids: Collection[str]) -> tuple[float, float]:
    """Return the least x and the least y of these blocks' positions."""
    positions = [block.position for block in design.blocks if block.id in block_ids]
    return min(x for x, _ in positions), min(y for _, y in positions)


def with_position(block: Block, x: float, y: float) -> Block:
    return msgspec.structs.replace(block, position=(x, y))


def spliced(design: Design, inference: Inference, block: Block, link: Link) -> Design | None:
    """Return the design with a new block inserted into a wire, at its first ports that fit; None if none fit."""
    source_type = inference.blocks[link.source.block].outputs.get(link.source.port)
    if source_type is None:
        return None
    grown = design.with_block(block)
    for entry in block.parameters.inputs():
        first = Link(link.source, Port(block.id, entry.name))
        known = infer_block(block, {entry.name: source_type})
        if known.problems or not known.outputs:
            continue
        trial = msgspec.structs.replace(inference, blocks={**inference.blocks, block.id: known})
        half = grown.unlinked([link]).linked(first)
        for leave in block.parameters.outputs():
            second = Link(Port(block.id, leave.name), link.target)
            if verdict(half, second, trial).ok:
                return half.linked(second)
    return None
