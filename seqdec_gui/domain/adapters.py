"""Blocks that make a refused wire possible: proposed by shape, inserted on trial, and kept only if both new wires are good."""

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
from seqdec_gui.domain.types import PortType, StatesType, TensorType
from seqdec_gui.domain.validation import verdict

MOST = 4
COMMON_STEPS = 33
EMBEDDING_WIDTH = 64


class Adapter(msgspec.Struct, frozen=True):
    """A block to put into a wire. `title` says what it does; `stem` is the id it gets if that is free."""

    title: str
    stem: str
    kind: Kind
    enters: str
    leaves: str


def propose(design: Design, link: Link, inference: Inference | None = None) -> tuple[Adapter, ...]:
    """Blocks that, put between the ends of this refused link, make it possible; the simplest first, at most four.

    Every one was inserted and both of its wires were judged by `verdict`. Empty where the link is good as it is, where the
    type at its source is not known yet, and where no adapter can help (a circle, a loss).
    """
    known = infer(design) if inference is None else inference
    if not design.has(link.target.block) or not design.has(link.source.block):
        return ()
    given = known.blocks[link.source.block].outputs.get(link.source.port)
    target = design.block(link.target.block).parameters
    if given is None or target.role == "loss" or link in design.links or verdict(design, link, known).ok:
        return ()
    found: list[Adapter] = []
    for adapter in _candidates(known, link, given, target):
        if all(adapter.kind != other.kind for other in found) and _fits(design, known, link, given, adapter):
            found.append(adapter)
            if len(found) == MOST:
                break
    return tuple(found)


def insert(design: Design, link: Link, adapter: Adapter, position: tuple[float, float] = (0.0, 0.0)) -> tuple[Design, str]:
    """The design with the adapter between the ends of the link, and the new block's id. A wire at the target goes."""
    block_id = design.free_id(adapter.stem)
    grown = design.with_block(Block(block_id, adapter.kind, position))
    first, second = Link(link.source, Port(block_id, adapter.enters)), Link(Port(block_id, adapter.leaves), link.target)
    return grown.linked(first).linked(second), block_id


def _fits(design: Design, known: Inference, link: Link, given: PortType, adapter: Adapter) -> bool:
    """Whether the adapter takes what the source gives, and the target what the adapter gives."""
    block = Block(design.free_id(adapter.stem), adapter.kind)
    inside = infer_block(block, {adapter.enters: given})
    if inside.problems or adapter.leaves not in inside.outputs:
        return False
    grown = design.with_block(block)
    trial = msgspec.structs.replace(known, blocks={**known.blocks, block.id: inside})
    first, second = Link(link.source, Port(block.id, adapter.enters)), Link(Port(block.id, adapter.leaves), link.target)
    return verdict(grown, first, trial).ok and verdict(grown.linked(first), second, trial).ok


def _stack(title: str, stem: str, *rows: AnyStackLayer) -> Adapter:
    return Adapter(title, stem, LayerStack(layers=rows), "inputs", "outputs")


def _candidates(known: Inference, link: Link, given: PortType, target: Kind) -> Iterator[Adapter]:
    wanted = target.wanted_at(link.target.port, known.blocks[link.target.block].inputs)
    if isinstance(wanted, StatesType):
        yield from _to_states(given, wanted)
    elif isinstance(given, StatesType):
        width = _last(wanted) or sum(state.units for state in given.cells)
        yield Adapter(f"Join the states to a code of {width}", "code", Bottleneck(units=width), "inputs", "code")
    elif given.dtype == "int32" and len(given.shape) == 1:
        yield from _from_ids(given)
    elif len(given.shape) == 1:
        yield from _from_vector(known, wanted)
    elif len(given.shape) == 2:
        yield from _from_sequence(given, wanted)
    elif given.shape and None not in given.shape:
        yield _stack("Flatten to a vector", "flatten", Flatten())


def _last(wanted: PortType | None) -> int | None:
    return wanted.shape[-1] if isinstance(wanted, TensorType) and wanted.shape else None


def _to_states(given: PortType, wanted: StatesType) -> Iterator[Adapter]:
    cell, units = wanted.cells[0].cell, tuple(state.units for state in wanted.cells)
    widths = ", ".join(map(str, units))
    if isinstance(given, StatesType) or len(given.shape) == 1:
        yield Adapter(
            f"Dense to {cell} states [{widths}]", "to_states", DenseStates(cell=cell, units=units), "inputs", "states"
        )
    if isinstance(given, TensorType):
        embedding = EMBEDDING_WIDTH if given.dtype == "int32" else 0
        encoder = RecurrentEncoder(cell=cell, units=units, embedding=embedding)
        yield Adapter(f"Encode the sequence to {cell} states [{widths}]", "encoder", encoder, "inputs", "states")


def _from_ids(given: TensorType) -> Iterator[Adapter]:
    if given.symbols:
        rows = Embedding(symbols=given.symbols, units=EMBEDDING_WIDTH)
        yield _stack(f"Embed {given.symbols:,} symbols as vectors of {EMBEDDING_WIDTH}", "embedding", rows)
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
    """The commonest length among the design's sequences."""
    lengths = Counter(
        type.shape[0]
        for block in known.blocks.values()
        for type in block.outputs.values()
        if isinstance(type, TensorType) and len(type.shape) == 2 and type.shape[0]
    )
    return next((steps for steps, _ in lengths.most_common(1) if steps), COMMON_STEPS)


def _from_sequence(given: TensorType, wanted: PortType | None) -> Iterator[Adapter]:
    if isinstance(wanted, TensorType) and len(wanted.shape) == 2:
        yield from _to_sequence(given, wanted)
        return
    width = _last(wanted)
    rows: tuple[AnyStackLayer, ...] = (Dense(units=width),) if width else ()
    then = f", then Dense to {width}" if width else ""
    yield _stack(f"Last output of an LSTM{then}", "reader", Recurrent(units=128, return_sequences=False), *rows)
    yield _stack(f"Largest value over the steps{then}", "pooling", GlobalPooling1D(how="max"), *rows)
    yield _stack(f"Mean over the steps{then}", "pooling", GlobalPooling1D(how="average"), *rows)
    if None not in given.shape:
        yield _stack(f"Flatten to a vector{then}", "flatten", Flatten(), *rows)


def _to_sequence(given: TensorType, wanted: TensorType) -> Iterator[Adapter]:
    """Crop or pad the steps, change the width at every step, or both."""
    steps, width = given.shape[0], wanted.shape[1]
    change: tuple[AnyStackLayer, ...] = ()
    said = ""
    if steps is not None and wanted.shape[0] is not None and steps != wanted.shape[0]:
        missing = wanted.shape[0] - steps
        change = (Pad(start=0, end=missing),) if missing > 0 else (Crop(start=0, end=-missing),)
        said = f"{'Pad' if missing > 0 else 'Crop'} {abs(missing)} steps at the end"
        yield _stack(said, "pad" if missing > 0 else "crop", *change)
    if width is not None and width != given.shape[1]:
        dense = Dense(units=width, per_step=True)
        said = f"{said}, then " if said else ""
        yield _stack(f"{said}Dense to {width} at every step", "per_step_dense", *change, dense)
