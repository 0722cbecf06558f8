"""Blocks that a wire could lead to, when it is dropped where no block is, and blocks that could be put into a wire.

Every offer was tried: `validation.verdict` allows each of its wires.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec

from seqdec_gui.domain.adapters import EMBEDDING_WIDTH, Adapter, propose, standalone
from seqdec_gui.domain.block_edits import spliced
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.kinds.base import EXAMPLES, Kind
from seqdec_gui.domain.likely_blocks import likeliest_first, likely_after, likely_before
from seqdec_gui.domain.link_judge import End, ends_of
from seqdec_gui.domain.shapes import Inference, infer_block
from seqdec_gui.domain.types import PortType, StatesType, TensorType
from seqdec_gui.domain.validation import verdict

TRIAL = "new_block"
"""The id of a block while it is tried, before a free id is chosen."""

MOST_TRIALS = 30
"""How many combinations of input types are tried for a block whose output type depends on its inputs."""


class BlockOffer(msgspec.Struct, frozen=True):
    """A block that fits at the end of a wire, or in it.

    `port` is where the wire ends at the new block; `adapter` is put between if the wire needs one. `stem` is the new block's
    id, unless that is taken; `detail` says which ports are connected.
    """

    title: str
    detail: str
    kind: Kind
    stem: str
    port: str = ""
    adapter: Adapter | None = None


def offers(design: Design, inference: Inference, start: End) -> tuple[BlockOffer, ...]:
    """Return the blocks that a wire from `start` could lead to: the likeliest, the others, then those through an adapter.

    Parameters of a block are set such that it fits: widths, cells and an embedding.
    """
    direct = list(_after(design, inference, start) if start.is_output else _before(design, inference, start))
    tests = (likely_after if start.is_output else likely_before)(design, inference, start)
    ordered = [direct[place] for place in likeliest_first([offer.kind for offer in direct], tests)]
    return (*ordered, *_through(design, inference, start, {offer.kind.kind() for offer in direct}))


def taken(design: Design, start: End, offer: BlockOffer, places: tuple[tuple[float, float], ...]) -> tuple[Design, str]:
    """Return the design with an offered block connected to `start`, and the block's id.

    `places` are the positions of the adapter, if there is one, and of the block.
    """
    block_id = design.free_id(offer.stem)
    grown = design.with_block(Block(block_id, offer.kind, places[-1]))
    there = Port(block_id, offer.port)
    if offer.adapter is None:
        return grown.linked(_link(start, there)), block_id
    between = grown.free_id(offer.adapter.stem)
    grown = grown.with_block(Block(between, offer.adapter.kind, places[0]))
    grown = grown.linked(Link(start.port, Port(between, offer.adapter.enters)))
    return grown.linked(Link(Port(between, offer.adapter.leaves), there)), block_id


def insertions(design: Design, inference: Inference, link: Link) -> tuple[BlockOffer, ...]:
    """Return the blocks that could be put into a wire."""
    source_type = inference.blocks[link.source.block].outputs.get(link.source.port)
    if source_type is None:
        return ()
    found: list[BlockOffer] = []
    tried = ((kind.title, name, one) for name, kind in KINDS.items() for one in _variants(kind(), source_type))
    layers = ((adapter.title, adapter.stem, adapter.kind) for adapter in standalone(inference, source_type))
    for title, stem, kind in itertools.chain(tried, layers):
        block = Block(design.free_id(TRIAL), kind)
        known = any(offer.kind == kind or (offer.title == title and offer.stem == stem) for offer in found)
        if not known and spliced(design, inference, block, link).design is not None:
            found.append(BlockOffer(title, f"between {link.source} and {link.target}", kind, stem))
    return tuple(found)


def _link(start: End, there: Port) -> Link:
    return Link(start.port, there) if start.is_output else Link(there, start.port)


def _tried(design: Design, inference: Inference, kind: Kind, types: dict[str, PortType]) -> tuple[Design, Inference, Block]:
    """Return the design with a block on trial, with what is known of it if its inputs have these types."""
    block = Block(design.free_id(TRIAL), kind)
    inside = infer_block(block, types)
    trial = msgspec.structs.replace(inference, blocks={**inference.blocks, block.id: inside})
    return design.with_block(block), trial, block


def _after(design: Design, inference: Inference, start: End) -> Iterator[BlockOffer]:
    """Yield blocks that take what leaves an output."""
    source_type = inference.blocks[start.port.block].outputs.get(start.port.port)
    for name, kind in KINDS.items():
        offer = _first_input(design, inference, start, name, kind(), source_type)
        if offer is not None:
            yield offer
    for adapter in standalone(inference, source_type) if source_type is not None else ():
        detail = f"{start.port} → {adapter.enters}"
        yield BlockOffer(adapter.title, detail, adapter.kind, adapter.stem, adapter.enters)


def _first_input(
    design: Design, inference: Inference, start: End, name: str, kind: Kind, source_type: PortType | None
) -> BlockOffer | None:
    for one in _variants(kind, source_type):
        grown, trial, block = _tried(design, inference, one, {})
        for end in ends_of(block):
            if not end.is_output and verdict(grown, Link(start.port, end.port), trial).ok:
                return BlockOffer(kind.title, f"{start.port} → {end.port.port}", one, name, end.port.port)
    return None


def _before(design: Design, inference: Inference, start: End) -> Iterator[BlockOffer]:
    """Yield blocks that give what an input takes."""
    target = inference.blocks[start.port.block]
    wanted = target.block.parameters.wanted_at(start.port.port, target.inputs)
    for name, kind in KINDS.items():
        offer = _first_output(design, inference, start, name, kind(), wanted)
        if offer is not None:
            yield offer


def _first_output(
    design: Design, inference: Inference, start: End, name: str, kind: Kind, wanted: PortType | None
) -> BlockOffer | None:
    for one in _variants(kind, wanted):
        for types in _input_types(one, wanted):
            grown, trial, block = _tried(design, inference, one, types)
            if one.inputs() and not trial.blocks[block.id].outputs:
                continue
            for end in ends_of(block):
                if end.is_output and verdict(grown, Link(end.port, start.port), trial).ok:
                    return BlockOffer(kind.title, f"{end.port.port} → {start.port}", one, name, end.port.port)
    return None


def _through(design: Design, inference: Inference, start: End, known: set[str]) -> Iterator[BlockOffer]:
    """Yield blocks that a wire from an output reaches through an adapter, the simplest for each port."""
    if not start.is_output or inference.blocks[start.port.block].outputs.get(start.port.port) is None:
        return
    for name, kind in KINDS.items():
        if name in known:
            continue
        grown, trial, block = _tried(design, inference, kind(), {})
        for end in ends_of(block):
            adapters = () if end.is_output else propose(grown, Link(start.port, end.port), trial)
            if adapters:
                detail = f"{end.port.port}, through a block: {adapters[0].title}"
                yield BlockOffer(kind.title, detail, block.parameters, name, end.port.port, adapters[0])


def _variants(kind: Kind, port_type: PortType | None) -> Iterator[Kind]:
    """Yield the kind as it is, then with parameters that suit what it takes or gives."""
    yield kind
    changes: dict[str, object] = {}
    fields = kind.__struct_fields__
    if isinstance(port_type, StatesType) and {"cell", "units"} <= set(fields):
        changes = {"cell": port_type.cells[0].cell, "units": tuple(state.units for state in port_type.cells)}
    elif isinstance(port_type, TensorType):
        if port_type.dtype == "int32" and "embedding" in fields:
            changes = {"embedding": EMBEDDING_WIDTH}
        if not kind.inputs() and port_type.shape:
            if kind.width_parameter and port_type.shape[-1]:
                changes[kind.width_parameter] = port_type.shape[-1]
            if kind.length_parameter and port_type.has_steps:
                changes[kind.length_parameter] = port_type.shape[0]
    if changes:
        yield msgspec.structs.replace(kind, **changes)


def _input_types(kind: Kind, wanted: PortType | None) -> Iterator[dict[str, PortType]]:
    """Yield types of the inputs with which the kind may give what is wanted; a source has no inputs."""
    names = [port.name for port in kind.inputs() if not port.optional]
    if not names:
        yield {}
        return
    choices: list[list[PortType]] = []
    for name in names:
        expected = kind.expects(name)
        choices.append([expected] if expected is not None else [*([wanted] if wanted is not None else []), *EXAMPLES])
    for types in itertools.islice(itertools.product(*choices), MOST_TRIALS):
        yield dict(zip(names, types, strict=True))
