"""Edits of several blocks at once, as functions from design to design. No Qt."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.names import name_problem
from seqdec_gui.domain.shapes import Inference, infer_block
from seqdec_gui.domain.validation import verdict


class Pasted(NamedTuple):
    """A design with what was pasted into it: the new ids of blocks, and of frames and notes."""

    design: Design
    blocks: tuple[str, ...]
    annotations: tuple[str, ...] = ()


def copied(design: Design, block_ids: Collection[str], annotation_ids: Collection[str] = ()) -> str:
    """Return the blocks, the links among them, and frames and notes as the text of a design file, without data and training."""
    blocks = tuple(block for block in design.blocks if block.id in block_ids)
    links = tuple(link for link in design.links if link.source.block in block_ids and link.target.block in block_ids)
    part = Design(blocks, links).with_annotations(one for one in design.annotations if one.id in annotation_ids)
    return design_file.dumps(part, whole=False)


def pasted(design: Design, text: str, offset: tuple[float, float]) -> Pasted:
    """The design with what a copied text holds, under new ids and moved by `offset`.

    Raises InvalidInput where the text is not a design.
    """
    return merged(design, design_file.loads(text), offset)


def merged(design: Design, other: Design, offset: tuple[float, float]) -> Pasted:
    """The design with all blocks, links, frames and notes of another."""
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
    drawn: list[str] = []
    for one in other.annotations:
        x, y = one.position
        drawn.append(design.free_annotation_id(type(one)))
        moved = msgspec.structs.replace(one, id=drawn[-1], position=(x + offset[0], y + offset[1]))
        design = design.with_annotation(moved)
    return Pasted(design, tuple(names.values()), tuple(drawn))


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


def duplicated(
    design: Design, block_ids: Collection[str], offset: tuple[float, float], annotation_ids: Collection[str] = ()
) -> Pasted:
    """The design with a copy of these; wires that come from elsewhere are drawn to the copies as well."""
    grown = pasted(design, copied(design, block_ids, annotation_ids), offset)
    originals = [block.id for block in design.blocks if block.id in block_ids]
    copies = dict(zip(originals, grown.blocks, strict=True))
    linked = grown.design
    for link in design.links:
        if link.target.block in copies and link.source.block not in copies and design.has(link.source.block):
            linked = linked.linked(Link(link.source, Port(copies[link.target.block], link.target.port)))
    return grown._replace(design=linked)


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


def corner(design: Design) -> tuple[float, float]:
    """Return the least x and the least y of all positions in a design that is not empty."""
    positions = [thing.position for thing in (*design.blocks, *design.annotations)]
    return min(x for x, _ in positions), min(y for _, y in positions)


def with_position(block: Block, x: float, y: float) -> Block:
    return msgspec.structs.replace(block, position=(x, y))


class Insertion(NamedTuple):
    """What putting a block into a wire gives: the design, or None with the reason why it is not possible."""

    design: Design | None
    reason: str


def spliced(design: Design, inference: Inference, block: Block, link: Link) -> Insertion:
    """Put a block into a wire, at its first ports that fit. The block is added to the design if it is not in it yet.

    Of several inputs that are alike the wire gets the first; the others stay open, and the problems of the design say so.
    """
    source_type = inference.blocks[link.source.block].outputs.get(link.source.port)
    entries, leaves = block.parameters.inputs(), block.parameters.outputs()
    if any(block.id in (other.source.block, other.target.block) for other in design.links):
        return Insertion(None, f"{block.id} has wires already.")
    if not entries or not leaves:
        return Insertion(None, f"{block.parameters.title} has no {'outputs' if entries else 'inputs'}.")
    if source_type is None:
        return Insertion(None, f"{link.source} has no shape yet.")
    grown = design if design.has(block.id) else design.with_block(block)
    reason = ""
    for entry in entries:
        first = Link(link.source, Port(block.id, entry.name))
        known, open_inputs = infer_block(block, {entry.name: source_type}), ""
        alike = len({other.name.rstrip("0123456789") for other in entries}) == 1 < len(entries)
        if alike and not known.problems and not known.outputs:  # as Concatenate: judged as if all of them got the same
            known = infer_block(block, {other.name: source_type for other in entries})
            open_inputs = f"; {block.id} needs another wire too"
        if known.problems or not known.outputs:
            why = known.problems[0].text if known.problems else f"more inputs than {entry.name} are needed."
            reason = reason or f"{block.id}.{entry.name}: {why}"
            continue
        trial = msgspec.structs.replace(inference, blocks={**inference.blocks, block.id: known})
        half = grown.unlinked([link]).linked(first)
        for leave in leaves:
            second = Link(Port(block.id, leave.name), link.target)
            fits = verdict(half, second, trial)
            if fits.ok:
                return Insertion(half.linked(second), f"{link.source} → {block.id} → {link.target}{open_inputs}")
            reason = f"{link.target}: {fits.reason}"
    return Insertion(None, reason)
