"""Proposes blocks that make a refused wire possible: chosen by shape, and kept only if both new wires pass `verdict`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.kinds.bottleneck import Bottleneck
from seqdec_gui.domain.kinds.dense_states import DenseStates
from seqdec_gui.domain.kinds.layer_stack import (
    AnyStackLayer,
    Crop,
    Dense,
    Embedding,
    Flatten,
    GlobalPooling1D,
    LayerStack,
    Pad,
    Recurrent,
    RepeatVector,
)
from seqdec_gui.domain.kinds.recurrent_encoder import RecurrentEncoder
from seqdec_gui.domain.shapes import Inference, infer, infer_block
from seqdec_gui.domain.types import MemoryType, PortType, StatesType, TensorType
from seqdec_gui.domain.validation import verdict

MOST = 4
"""The largest number of adapters that are proposed for a link."""

COMMON_STEPS = 33
"""The number of steps of a proposed sequence if the design has none of known length."""

EMBEDDING_WIDTH = 64
"""The width of a proposed embedding."""


class Adapter(msgspec.Struct, frozen=True):
    """A block to insert into a wire, between its ports `enters` and `leaves`.

    `title` says what the block does; `stem` is its id, unless that is taken.
    """

    title: str
    stem: str
    kind: Kind
    enters: str
    leaves: str


def propose(design: Design, link: Link, inference: Inference | None = None) -> tuple[Adapter, ...]:
    """Return at most `MOST` blocks that make this refused link possible when inserted between its ends, the simplest first.

    Each was inserted on trial, and `verdict` allows both of its wires. Empty if the link is allowed without an adapter, if the
    type at its source is not known yet, or if no adapter can help (a circle, a loss).
    """
    known = infer(design) if inference is None else inference
    if not design.has(link.target.block) or not design.has(link.source.block):
        return ()
    source_type = known.blocks[link.source.block].outputs.get(link.source.port)
    target = design.block(link.target.block).parameters
    if source_type is None or target.role == "loss" or link in design.links or verdict(design, link, known).ok:
        return ()
    adapters: list[Adapter] = []
    for adapter in _candidates(known, link, source_type, target):
        if all(adapter.kind != other.kind for other in adapters) and _fits(design, known, link, source_type, adapter):
            adapters.append(adapter)
            if len(adapters) == MOST:
                break
    return tuple(adapters)


def standalone(known: Inference, source_type: PortType) -> tuple[Adapter, ...]:
    """Return single steps that take this type, whatever follows: embeddings, layers that read or reduce a sequence."""
    found: list[Adapter] = []
    for adapter in _any(known, source_type):
        inside = infer_block(Block(adapter.stem, adapter.kind), {adapter.enters: source_type})
        if not inside.problems and adapter.leaves in inside.outputs:
            found.append(adapter)
    return tuple(found)


def insert(design: Design, link: Link, adapter: Adapter, position: tuple[float, float] = (0.0, 0.0)) -> tuple[Design, str]:
    """Return the design with the adapter inserted into the link, and the id of the new block.

    A wire that ends at the same target is removed.
    """
    block_id = design.free_id(adapter.stem)
    grown = design.with_block(Block(block_id, adapter.kind, position))
    first, second = Link(link.source, Port(block_id, adapter.enters)), Link(Port(block_id, adapter.leaves), link.target)
    return grown.linked(first).linked(second), block_id


def _fits(design: Design, known: Inference, link: Link, source_type: PortType, adapter: Adapter) -> bool:
    """Return whether the adapter takes the type of the source, and the target takes the type of the adapter."""
    block = Block(design.free_id(adapter.stem), adapter.kind)
    inside = infer_block(block, {adapter.enters: source_type})
    if inside.problems or adapter.leaves not in inside.outputs:
        return False
    grown = design.with_block(block)
    trial = msgspec.structs.replace(known, blocks={**known.blocks, block.id: inside})
    first, second = Link(link.source, Port(block.id, adapter.enters)), Link(Port(block.id, adapter.leaves), link.target)
    return verdict(grown, first, trial).ok and verdict(grown.linked(first), second, trial).ok


def _stack(title: str, stem: str, *rows: AnyStackLayer) -> Adapter:
    return Adapter(title, stem, LayerStack(layers=rows), "inputs", "outputs")


def _candidates(known: Inference, link: Link, source_type: PortType, target: Kind) -> Iterator[Adapter]:
    """Yield adapters by the type at the source and the type that the target wants, the simplest first."""
    wanted = target.wanted_at(link.target.port, known.blocks[link.target.block].inputs)
    if isinstance(wanted, StatesType):
        yield from _to_states(source_type, wanted)
    else:
        yield from _any(known, source_type, wanted)


def _any(known: Inference, source_type: PortType, wanted: PortType | None = None) -> Iterator[Adapter]:
    """Yield adapters to any type but states, by the type at the source."""
    if isinstance(source_type, MemoryType):  # an encoder gives its sequence and its code as well
        if (width := _last(wanted)) and width != source_type.width:
            yield _stack(f"Dense to {width} at every step", "per_step_dense", Dense(units=width, per_step=True))
        return
    if isinstance(source_type, StatesType):
        width = _last(wanted) or sum(state.units for state in source_type.cells)
        yield Adapter(f"Join the states to a code of {width}", "code", Bottleneck(units=width), "inputs", "code")
    elif source_type.dtype == "int32" and len(source_type.shape) == 1:
        yield from _from_ids(source_type)
    elif len(source_type.shape) == 1:
        yield from _from_vector(known, wanted)
    elif len(source_type.shape) == 2:
        yield from _from_sequence(source_type, wanted)
    elif source_type.shape and None not in source_type.shape:
        yield _stack("Flatten to a vector", "flatten", Flatten())


def _last(wanted: PortType | None) -> int | None:
    return wanted.shape[-1] if isinstance(wanted, TensorType) and wanted.shape else None


def _to_states(source_type: PortType, wanted: StatesType) -> Iterator[Adapter]:
    cell, units = wanted.cells[0].cell, tuple(state.units for state in wanted.cells)
    widths = ", ".join(map(str, units))
    if isinstance(source_type, StatesType) or (isinstance(source_type, TensorType) and len(source_type.shape) == 1):
        yield Adapter(
            f"Dense to {cell} states [{widths}]", "to_states", DenseStates(cell=cell, units=units), "inputs", "states"
        )
    if isinstance(source_type, TensorType):
        embedding = EMBEDDING_WIDTH if source_type.dtype == "int32" else 0
        encoder = RecurrentEncoder(cell=cell, units=units, embedding=embedding)
        yield Adapter(f"Encode the sequence to {cell} states [{widths}]", "encoder", encoder, "inputs", "states")


def _from_ids(source_type: TensorType) -> Iterator[Adapter]:
    if source_type.symbols:
        rows = Embedding(symbols=source_type.symbols, units=EMBEDDING_WIDTH)
        yield _stack(f"Embed {source_type.symbols:,} symbols as vectors of {EMBEDDING_WIDTH}", "embedding", rows)
        yield _stack("Embed the symbols, then read them with an LSTM", "reader", rows, Recurrent(return_sequences=False))


def _from_vector(known: Inference, wanted: PortType | None) -> Iterator[Adapter]:
    if isinstance(wanted, TensorType) and len(wanted.shape) == 2:
        steps, width = wanted.shape[0] or _usual_steps(known), wanted.shape[1]
        yield _stack(f"Repeat the vector {steps} times", "repeat", RepeatVector(times=steps))
        if width:
            yield _stack(f"Dense to {width}, repeated {steps} times", "repeat", Dense(units=width), RepeatVector(times=steps))
    elif width := _last(wanted):
        yield _stack(f"Dense to {width}", "dense", Dense(units=width))
    else:
        steps = _usual_steps(known)
        yield _stack(f"Repeat the vector {steps} times", "repeat", RepeatVector(times=steps))


def _usual_steps(known: Inference) -> int:
    """Return the most common length of the design's sequences, or `COMMON_STEPS` if none is known."""
    lengths = Counter(
        type.shape[0]
        for block in known.blocks.values()
        for type in block.outputs.values()
        if isinstance(type, TensorType) and len(type.shape) == 2 and type.shape[0]
    )
    return next((steps for steps, _ in lengths.most_common(1) if steps), COMMON_STEPS)


def _from_sequence(source_type: TensorType, wanted: PortType | None) -> Iterator[Adapter]:
    if isinstance(wanted, TensorType) and len(wanted.shape) == 2:
        yield from _to_sequence(source_type, wanted)
        return
    width = _last(wanted)
    rows: tuple[AnyStackLayer, ...] = (Dense(units=width),) if width else ()
    then = f", then Dense to {width}" if width else ""
    yield _stack(f"Last output of an LSTM{then}", "reader", Recurrent(units=128, return_sequences=False), *rows)
    yield _stack(f"Largest value over the steps{then}", "pooling", GlobalPooling1D(how="max"), *rows)
    yield _stack(f"Mean over the steps{then}", "pooling", GlobalPooling1D(how="average"), *rows)
    if None not in source_type.shape:
        yield _stack(f"Flatten to a vector{then}", "flatten", Flatten(), *rows)


def _to_sequence(source_type: TensorType, wanted: TensorType) -> Iterator[Adapter]:
    """Yield adapters that crop or pad the steps, change the width at every step, or do both."""
    steps, width = source_type.shape[0], wanted.shape[1]
    change: tuple[AnyStackLayer, ...] = ()
    title = ""
    if steps is not None and wanted.shape[0] is not None and steps != wanted.shape[0]:
        missing = wanted.shape[0] - steps
        change = (Pad(start=0, end=missing),) if missing > 0 else (Crop(start=0, end=-missing),)
        title = f"{'Pad' if missing > 0 else 'Crop'} {abs(missing)} steps at the end"
        yield _stack(title, "pad" if missing > 0 else "crop", *change)
    if width is not None and width != source_type.shape[1]:
        dense = Dense(units=width, per_step=True)
        title = f"{title}, then " if title else ""
        yield _stack(f"{title}Dense to {width} at every step", "per_step_dense", *change, dense)
