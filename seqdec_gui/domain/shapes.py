"""Infers the types of all ports, the layers of all blocks and the parameter counts, in microseconds and without Keras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from seqdec_gui.domain.design import Block, Design, Port
from seqdec_gui.domain.graph import Submodel
from seqdec_gui.domain.kinds.base import Kind, PortError
from seqdec_gui.domain.layers.layer import LayerError
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import PortType, TensorType


class BlockInference(msgspec.Struct, frozen=True):
    """The inferred types of one block's ports, its layers (None while an input is open or wrong), and its problems.

    `presumed` are the layers that a block without `submodel` will have once its open or wrong inputs have the only type that
    they can take. They count as parameters; nothing else is inferred from them.
    """

    block: Block
    inputs: Mapping[str, PortType] = {}
    outputs: Mapping[str, PortType] = {}
    submodel: Submodel | None = None
    problems: tuple[Problem, ...] = ()
    presumed: Submodel | None = None

    @property
    def parameters(self) -> int:
        """The number of weights of the block."""
        if (imported := self.block.parameters.imported) is not None:
            return imported.parameter_count
        layers = self.submodel or self.presumed
        return 0 if layers is None else layers.parameters

    @property
    def trainable(self) -> int:
        """The number of weights that training changes: 0 for a frozen block."""
        if not self.block.parameters.is_trainable:
            return 0
        if (imported := self.block.parameters.imported) is not None:
            return imported.trainable_count
        layers = self.submodel or self.presumed
        return 0 if layers is None else layers.trainable


class Inference(msgspec.Struct, frozen=True):
    """The inference of a whole design. `order` is topological; blocks that a cycle keeps from being computed come last.

    `cyclic` are the ids of those blocks.
    """

    blocks: Mapping[str, BlockInference]
    order: tuple[str, ...]
    cyclic: frozenset[str]

    @property
    def parameters(self) -> int:
        return sum(block.parameters for block in self.blocks.values())

    @property
    def trainable(self) -> int:
        return sum(block.trainable for block in self.blocks.values())

    def type_at(self, port: Port) -> PortType | None:
        """Return the type of an output or input port; None if it is not known."""
        block = self.blocks.get(port.block)
        return None if block is None else block.outputs.get(port.port) or block.inputs.get(port.port)


@lru_cache(maxsize=4096)
def _infer_block(
    kind: Kind, input_types: tuple[tuple[str, PortType], ...]
) -> tuple[Submodel | None, tuple[tuple[str, PortType], ...]]:
    types = dict(input_types)
    submodel = kind.submodel(types)
    return submodel, tuple(kind.output_types(types, submodel).items())


def topological(design: Design) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return block ids in topological order (ties in the design's order), and the ids that a cycle leaves unordered."""
    waits = Counter({block.id: 0 for block in design.blocks})
    feeds: dict[str, list[str]] = {block.id: [] for block in design.blocks}
    for link in design.links:
        if link.source.block in feeds and link.target.block in feeds:
            waits[link.target.block] += 1
            feeds[link.source.block].append(link.target.block)
    order = [block.id for block in design.blocks if not waits[block.id]]
    for block_id in order:  # grows while it is walked
        for fed in feeds[block_id]:
            waits[fed] -= 1
            if not waits[fed]:
                order.append(fed)
    stuck = [block.id for block in design.blocks if waits[block.id] > 0]
    return (*order, *stuck), frozenset(stuck)


def infer(design: Design, sources: Mapping[str, TensorType] | None = None) -> Inference:
    """Infer types, layers and parameter counts of the design. Raises nothing for a design that a user can draw.

    `sources` are the types of input blocks, by id, after the data has determined their open axes.
    """
    order, cyclic = topological(design)
    by_id = {block.id: block for block in design.blocks}
    incoming: dict[str, list[tuple[str, Port]]] = {block.id: [] for block in design.blocks}
    for link in design.links:
        if link.target.block in incoming:
            incoming[link.target.block].append((link.target.port, link.source))
    done: dict[str, BlockInference] = {}
    for block_id in order:
        block = by_id[block_id]
        input_types: dict[str, PortType] = {}
        for name, source in incoming[block_id]:
            upstream = done.get(source.block)
            port_type = None if upstream is None else upstream.outputs.get(source.port)
            if port_type is not None and block_id not in cyclic:
                input_types[name] = port_type
        done[block_id] = infer_block(block, input_types)
        if sources is not None and block_id in sources:
            done[block_id] = msgspec.structs.replace(done[block_id], outputs={"output": sources[block_id]})
    names = _clashing(design, done)
    for block_id in names:
        known = done[block_id]
        if known.submodel is not None:
            done[block_id] = msgspec.structs.replace(known, submodel=known.submodel.prefixed(f"{block_id}_"))
    return Inference({block.id: done[block.id] for block in design.blocks}, order, cyclic)


def infer_block(block: Block, input_types: Mapping[str, PortType]) -> BlockInference:
    """Infer one block with these types on its inputs; a type that does not fit becomes a problem at its port."""
    kind = block.parameters
    problems: list[Problem] = []
    for port in kind.inputs():
        if port.name in input_types:
            try:
                kind.check_port(port.name, input_types[port.name])
            except (PortError, LayerError) as error:
                problems.append(_problem(block, error, port.name))
    faults = tuple(kind.faults())
    problems += [Problem("error", "bad_parameter", f"{block.id}.{name}", text) for name, text in faults]
    known = BlockInference(block, input_types, {}, None, tuple(problems))
    waiting = any(port.name not in input_types and not port.optional for port in kind.inputs())
    if problems or (waiting and kind.imported is None):  # what an imported file gives does not depend on its inputs
        return known if faults else msgspec.structs.replace(known, presumed=_presumed(block, input_types, problems))
    ports = {port.name for port in kind.inputs()}
    try:
        submodel, outputs = _infer_block(
            kind, tuple((name, input_types[name]) for name in sorted(input_types) if name in ports)
        )
    except (PortError, LayerError) as error:
        return msgspec.structs.replace(known, problems=(_problem(block, error, ""),))
    return msgspec.structs.replace(known, submodel=submodel, outputs=dict(outputs))


def _presumed(block: Block, input_types: Mapping[str, PortType], problems: list[Problem]) -> Submodel | None:
    """Return the layers with the types that open and wrong inputs expect; None if one of them may take several types."""
    kind, types = block.parameters, dict(input_types)
    wrong = {problem.where.partition(".")[2] for problem in problems}
    for port in kind.inputs():
        if port.name in wrong or (port.name not in input_types and not port.optional):
            expected = kind.expects(port.name)
            if expected is None:
                return None
            types[port.name] = expected
    ports = {port.name for port in kind.inputs()}
    try:
        return _infer_block(kind, tuple((name, types[name]) for name in sorted(types) if name in ports))[0]
    except (PortError, LayerError):
        return None


def _problem(block: Block, error: PortError | LayerError, port: str) -> Problem:
    named = getattr(error, "port", "") or port
    text = str(error).rstrip(".") + "."
    return Problem("error", "wrong_shape", f"{block.id}.{named}" if named else block.id, text, getattr(error, "hint", ""))


def _clashing(design: Design, done: Mapping[str, BlockInference]) -> set[str]:
    """Return the blocks with layer names of an earlier block, since `.h5` files cannot hold two layers of the same name."""
    taken: set[str] = {"full", *(block.id for block in design.blocks)}
    clashing: set[str] = set()
    for block in design.blocks:
        known, imported = done[block.id], block.parameters.imported
        names = set(imported.layer_names) if imported is not None else set()
        names |= set(known.submodel.layer_names()) if known.submodel is not None else set()
        if names & taken:
            clashing.add(block.id)
            names = {f"{block.id}_{name}" for name in names}
        taken |= names
    return clashing
