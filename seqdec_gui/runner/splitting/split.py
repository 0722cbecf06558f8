"""Splits an imported model into blocks: own kinds with its weights where they match exactly, closed models elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import msgspec

from seqdec_gui.domain.design import Block, BlockWeights, Link, Port
from seqdec_gui.domain.graph import Submodel
from seqdec_gui.domain.kinds.base import Kind, PortError
from seqdec_gui.domain.layers.layer import LayerError
from seqdec_gui.domain.names import usable_id
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.types import PortType, StatesType, TensorType, tensors_of
from seqdec_gui.runner.block_weights import write_weights
from seqdec_gui.runner.keras2.convert import difference_of, random_inputs, save_beside
from seqdec_gui.runner.keras_facts import known_ids
from seqdec_gui.runner.keras_files import inspect
from seqdec_gui.runner.splitting import graphs
from seqdec_gui.runner.splitting.guesses import guesses
from seqdec_gui.runner.splitting.pieces import Piece, chains, cut, flat, joined, with_outputs_in

LARGEST_DIFFERENCE = 1e-5
"""Largest difference of a prediction, of max(1, |p|), with which a block stands for a part of the model."""
SPACING = 300.0
"""The horizontal distance of two blocks, in scene units."""


class Match(NamedTuple):
    """A kind that makes the layers of a piece: its submodel, and the Keras layer for each of its layers."""

    kind: Kind
    submodel: Submodel
    layers: dict[str, Any]


class Fragment(NamedTuple):
    """Blocks and links in place of one block: where its inputs go, and where its outputs come from."""

    blocks: tuple[Block, ...]
    links: tuple[Link, ...]
    inputs: dict[str, tuple[Port, ...]]
    outputs: dict[str, Port]
    closed: dict[str, str]
    """Why each block that is a closed model is one, by its id."""


def split(path: Path, folder: Path, taken: Sequence[str] = ()) -> Fragment:
    """Return the blocks of the model in a `.keras` or `.h5` file; weights and closed models are written into the folder.

    `taken` are ids that no block may have. Paths of the blocks are those of the files that are written. Raises InvalidInput
    where it cannot be divided, or stays one closed model.
    """
    described = inspect(path)
    whole = keras.models.load_model(path, compile=False, safe_mode=True)
    model = flat(whole)
    pieces, matches = _matched(cut(model))
    if len(pieces) == 1 and matches[0] is None:
        text = f"{path.name} has no places to divide it at, and no block kind makes exactly its layers. "
        text += _why_closed(pieces[0])
        hint = "Keep it as one block: it trains, generates in one pass and exports as it is."
        raise InvalidInput([Problem("error", "cannot_split", "", text, hint)])
    ids = _ids(pieces, matches, taken)
    weights = _write_weights(dict(zip(ids, matches, strict=True)), path, folder)
    blocks = [
        Block(name, _closed(piece, name, path, folder) if match is None else match.kind, (number * SPACING, 0.0),
              None if match is None or weights is None else
              msgspec.structs.replace(weights, part=name, parameters=match.submodel.parameters))
        for number, (name, piece, match) in enumerate(zip(ids, pieces, matches, strict=True))
    ]  # fmt: skip
    links, entering, leaving = _wired(blocks, pieces)
    inputs = {
        port.name: tuple(entering.get(id(tensor), ())) for port, tensor in zip(described.inputs, model.inputs, strict=True)
    }
    outputs = {}
    for port, tensor in zip(described.outputs, model.outputs, strict=True):
        if id(tensor) not in leaving:
            text = f"{path.name} cannot be split: its output {port.name} is an input, or states that travel on one wire."
            raise InvalidInput([Problem("error", "cannot_split", "", text, "Keep it as one block.")])
        outputs[port.name] = leaving[id(tensor)]
    closed = {name: _why_closed(piece) for name, piece, match in zip(ids, pieces, matches, strict=True) if match is None}
    return Fragment(tuple(blocks), links, inputs, outputs, closed)


# -- which kinds
def _matched(pieces: list[Piece]) -> tuple[list[Piece], list[Match | None]]:
    """Return the pieces with the kinds that match; states are on one wire only where both of its ends can take one."""
    for receiver in pieces:
        if receiver.states:
            wanted = receiver.inputs[-receiver.states :]
            pieces = [with_outputs_in(piece, wanted) for piece in pieces]
    matches: list[Match | None] = []
    found: list[Piece] = []
    states = {id(tensor) for piece in pieces if piece.states for tensor in piece.inputs[-piece.states :]}
    for piece in pieces:
        gives_states = any(id(tensor) in states for tensor in piece.outputs)
        match = _match(piece, gives_states)
        parts = [piece] if match is not None else chains(piece)
        if len(parts) == 1:
            found.append(piece)
            matches.append(match)
            continue
        chain = _of_chain(parts, gives_states)  # its tensors may be copies, so its ends are those of the piece
        chain[0] = (msgspec.structs.replace(chain[0][0], inputs=piece.inputs), chain[0][1])
        chain[-1] = (msgspec.structs.replace(chain[-1][0], outputs=piece.outputs), chain[-1][1])
        for part, part_match in chain:
            found.append(part)
            matches.append(part_match)
    return found, _with_single_states(found, matches)


def _of_chain(parts: list[Piece], gives_states: bool) -> list[tuple[Piece, Match | None]]:
    """Return the fewest blocks for a chain of layers: the longest beginning that matches, and so on."""
    found: list[tuple[Piece, Match | None]] = []
    closed: list[Piece] = []
    first = 0
    while first < len(parts):
        for last in range(len(parts), first, -1):
            piece = joined(parts[first:last])
            if (match := _match(piece, gives_states and last == len(parts))) is not None:
                if closed:
                    found.append((joined(closed), None))
                    closed = []
                found.append((piece, match))
                first = last
                break
        else:
            closed.append(parts[first])
            first += 1
    return found + ([(joined(closed), None)] if closed else [])


def _match(piece: Piece, gives_states: bool) -> Match | None:
    """Return the first kind that makes exactly the layers of a piece and predicts the same."""
    try:
        foreign = graphs.of_model(piece.model)
    except graphs.NotPlain:
        return None
    for kind in guesses(foreign, gives_states):
        types = _types(kind, piece)
        if types is None or any(True for _ in kind.faults()):
            continue
        try:
            submodel = kind.submodel(types)
        except (PortError, LayerError):
            continue
        if submodel is None:
            continue
        layers = graphs.matched(graphs.of_submodel(submodel), foreign)
        if layers is not None and _predicts_the_same(piece, submodel, layers):
            return Match(kind, submodel, layers)
    return None


def _why_closed(piece: Piece) -> str:
    """Return why no block kind makes the layers of a piece, in a sentence."""
    names = ", ".join(dict.fromkeys(type(layer).__name__ for layer in piece.model.layers if layer.name != "InputLayer"
                                    and type(layer).__name__ != "InputLayer"))  # fmt: skip
    try:
        foreign = graphs.of_model(piece.model)
    except graphs.NotPlain as error:
        return str(error)
    for kind in guesses(foreign):
        types = _types(kind, piece)
        try:
            submodel = None if types is None or any(True for _ in kind.faults()) else kind.submodel(types)
        except (PortError, LayerError):
            continue
        if submodel is None:
            continue
        own = graphs.of_submodel(submodel)
        if len(own.calls) != len(foreign.calls):
            continue
        for mine, theirs in zip(own.calls, foreign.calls, strict=True):
            if differing := graphs.differing_settings(graphs.keras_layer(mine.layer), theirs.layer):
                return f"A {kind.title.lower()} is nearest to it, and its layer {theirs.layer.name} {differing}."
    text = f"No block kind makes its layers ({names or 'none'}) in this order"
    if masking := next((layer for layer in piece.model.layers if _makes_mask(layer)), None):
        return f"{text}; layers that take the mask of {masking.name} ({type(masking).__name__}) cannot be parted from it."
    return f"{text}."


def _makes_mask(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.Masking) or bool(getattr(layer, "mask_zero", False))


def _types(kind: Kind, piece: Piece) -> dict[str, PortType] | None:
    """Return the types at the ports of a kind for the inputs of a piece; None where they are not as many."""
    types: dict[str, PortType] = {}
    given = [_type_of(tensor, room) for tensor, room in zip(piece.model.inputs, known_ids(piece.model), strict=True)]
    for port in kind.inputs():
        expected = kind.expects(port.name)
        if isinstance(expected, StatesType):
            count = len(expected.tensors)
            if len(given) < count and port.optional:
                continue
            if given[:count] != [type for _, type in expected.tensors]:
                return None
            types[port.name], given = expected, given[count:]
        elif given:
            types[port.name] = given.pop(0)
    return types if not given else None


def _type_of(tensor: Any, symbols: int | None) -> TensorType:
    if symbols is not None or str(tensor.dtype).startswith(("int", "uint")):
        return TensorType(tuple(tensor.shape[1:]), "int32", symbols)
    return TensorType(tuple(tensor.shape[1:]))


def _predicts_the_same(piece: Piece, submodel: Submodel, layers: dict[str, Any]) -> bool:
    from seqdec_gui.runner.reopen import predictions

    own = graphs.built(submodel)
    for layer in own.layers:
        if layer.name in layers:
            layer.set_weights(layers[layer.name].get_weights())
    inputs = random_inputs(piece.model)
    return difference_of(predictions(own, inputs), predictions(piece.model, inputs)) <= LARGEST_DIFFERENCE


def _with_single_states(pieces: list[Piece], matches: list[Match | None]) -> list[Match | None]:
    """Return the matches with `split_states` on where the block at the other end of a wire of states cannot take one wire."""
    makers = {id(tensor): number for number, piece in enumerate(pieces) for tensor in piece.outputs}
    whole: set[int] = set()
    for number, piece in enumerate(pieces):
        match = matches[number]
        if not piece.states or match is None:
            continue
        states = piece.inputs[-piece.states :]
        sources = {makers.get(id(tensor)) for tensor in states}
        source = sources.pop() if len(sources) == 1 else None
        giver = matches[source] if source is not None else None
        if source is None or giver is None or not giver.kind.states_ports():
            continue
        wire = [tensor for port, tensor in _tensors(giver.kind, pieces[source]) if port in giver.kind.states_ports()]
        if [id(tensor) for tensor in wire] == [id(tensor) for tensor in states] and _only_here(wire, number, pieces):
            whole |= {number, source}
    return [
        match if match is None or number in whole else _split_states(match) for number, match in enumerate(matches)
    ]  # fmt: skip


def _only_here(wire: list[Any], number: int, pieces: list[Piece]) -> bool:
    ids = {id(tensor) for tensor in wire}
    return not any(id(tensor) in ids for other, piece in enumerate(pieces) if other != number for tensor in piece.inputs)


def _split_states(match: Match) -> Match:
    if not hasattr(match.kind, "split_states"):
        return match
    return match._replace(kind=msgspec.structs.replace(match.kind, split_states=True))


# -- wires
def _tensors(kind: Kind, piece: Piece) -> list[tuple[str, Any]]:
    """Return the port of every tensor that leaves a block."""
    names: list[str] = []
    states = kind.states_ports()
    for port in kind.outputs():
        names += [port.name] * (len(states[port.name].tensors) if port.name in states else 1)
    return list(zip(names, piece.outputs, strict=True))


def _entering(kind: Kind, piece: Piece) -> list[tuple[str, Any]]:
    """Return the port of every tensor that enters a block."""
    names: list[str] = []
    for port in kind.inputs():
        expected = kind.expects(port.name)
        if isinstance(expected, StatesType):
            names += [port.name] * (len(tensors_of(port.name, expected)) if piece.states else 0)
        else:
            names.append(port.name)
    return list(zip(names[: len(piece.inputs)], piece.inputs, strict=True))


def _wired(blocks: list[Block], pieces: list[Piece]) -> tuple[tuple[Link, ...], dict[int, list[Port]], dict[int, Port]]:
    """Return the links between the blocks, and for every tensor where it enters and where it leaves."""
    leaving = {
        id(tensor): Port(block.id, port)
        for block, piece in zip(blocks, pieces, strict=True)
        for port, tensor in _tensors(block.parameters, piece)
    }
    links: dict[Port, Link] = {}
    entering: dict[int, list[Port]] = {}
    for block, piece in zip(blocks, pieces, strict=True):
        for name, tensor in _entering(block.parameters, piece):
            target = Port(block.id, name)
            if id(tensor) in leaving:
                links[target] = Link(leaving[id(tensor)], target)
            else:
                entering.setdefault(id(tensor), []).append(target)
    return tuple(links.values()), entering, leaving


# -- names and files
def _ids(pieces: list[Piece], matches: list[Match | None], taken: Sequence[str]) -> list[str]:
    ids: list[str] = []
    for piece, match in zip(pieces, matches, strict=True):
        stem = usable_id(piece.name.lower(), "part" if match is None else match.kind.kind())
        candidate, number = stem, 2
        while candidate in ids or candidate in taken:
            candidate, number = f"{stem}_{number}", number + 1
        ids.append(candidate)
    return ids


def _write_weights(matches: dict[str, Match | None], path: Path, folder: Path) -> BlockWeights | None:
    """Write the weights of all matched blocks into one file that is named after its content."""
    layers = {name: match.layers for name, match in matches.items() if match is not None and match.submodel.parameters}
    if not layers:
        return None
    return write_weights(layers, path.stem, folder)


def _closed(piece: Piece, name: str, path: Path, folder: Path) -> Kind:
    """Return an imported block for a piece, whose model is written into the folder."""
    from seqdec_gui.domain.kinds.keras_model import KerasModel

    inputs, outputs = list(piece.model.inputs), list(piece.model.outputs)
    model = keras.Model(
        inputs[0] if len(inputs) == 1 else inputs, outputs[0] if len(outputs) == 1 else outputs, name=name
    )  # a list of one tensor would be passed on as a list
    file = save_beside(model, path.with_name(f"{path.stem}_{name}.keras"), folder)
    found = inspect(file)
    return KerasModel(
        file=str(file), sha256=found.sha256, model_inputs=found.inputs, model_outputs=found.outputs,
        parameter_count=found.parameters, trainable_count=found.trainable,
        layer_names=tuple(layer.name for layer in found.layers),
    )  # fmt: skip
