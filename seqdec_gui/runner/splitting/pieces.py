"""Cuts a Keras model at its natural places: around nested models, and where initial states are handed to recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.splitting.masks import masks_of_padding

Tensor = Any
Node = Any


class Piece(msgspec.Struct):
    """A part of a model: the tensors that enter it, those that leave it, and a model of the part, with the same layers.

    Tensors are those of the model around it, in the order of the model of the part.
    """

    name: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    model: keras.Model
    states: int = 0
    """How many of the inputs, the last ones, are initial states of its recurrent layers, in their order."""


def flat(model: keras.Model) -> keras.Model:
    """Return the model as a graph; a Sequential becomes one."""
    return keras.Model(model.inputs, model.outputs, name=model.name) if isinstance(model, keras.Sequential) else model


def cut(model: keras.Model) -> list[Piece]:
    """Return the pieces of a model, each after those that feed it. Raises InvalidInput where a layer is used twice."""
    model = flat(model)
    nodes = nodes_of(model)
    _fail_if_shared(nodes)
    if any(isinstance(node.operation, keras.Model) for node in nodes):
        groups = _around_models(nodes)
    else:
        groups = _at_states(nodes)
    return [_ordered(piece) for piece in (_piece(group, nodes, model) for group in groups)]


def nodes_of(model: keras.Model) -> list[Node]:
    """Return the calls of a model's layers, each after those that it needs, without inputs."""
    by_depth = model._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth] if not node.is_input]


def _fail_if_shared(nodes: Sequence[Node]) -> None:
    seen: set[int] = set()
    for node in nodes:
        operation = node.operation
        if id(operation) in seen and getattr(operation, "weights", None):
            text = f"The model cannot be split: {operation.name} is used several times in it, and blocks share no weights."
            hint = "Keep it as one block; it trains and exports as it is."
            raise InvalidInput([Problem("error", "cannot_split", "", text, hint)])
        seen.add(id(operation))


def _around_models(nodes: list[Node]) -> list[list[Node]]:
    """Return every nested model by itself, and chains of the layers between them."""
    made = {id(tensor): number for number, node in enumerate(nodes) for tensor in node.output_tensors}
    users: dict[int, set[int]] = {}
    for number, node in enumerate(nodes):
        for tensor in node.input_tensors:
            if id(tensor) in made:
                users.setdefault(made[id(tensor)], set()).add(number)
    groups: list[list[Node]] = []
    place: dict[int, int] = {}
    for number, node in enumerate(nodes):
        before = {made[id(tensor)] for tensor in node.input_tensors if id(tensor) in made}
        only = before.pop() if len(before) == 1 and len(node.input_tensors) == 1 else None
        chained = (
            only is not None
            and users[only] == {number}
            and not isinstance(node.operation, keras.Model)
            and not isinstance(nodes[only].operation, keras.Model)
        )
        if chained and only is not None:
            place[number] = place[only]
            groups[place[only]].append(node)
        else:
            place[number] = len(groups)
            groups.append([node])
    return groups


def _at_states(nodes: list[Node]) -> list[list[Node]]:
    """Return what makes initial states, and all else; one group where there are no states from other layers."""
    made = {id(tensor): node for node in nodes for tensor in node.output_tensors}
    todo = [made[id(t)] for node in nodes for t in states_of(node) if id(t) in made]
    if not todo:
        return [nodes]
    before: dict[int, Node] = {}
    while todo:
        node = todo.pop()
        if id(node) not in before:
            before[id(node)] = node
            todo += [made[id(tensor)] for tensor in node.input_tensors if id(tensor) in made]
    encoder = [node for node in nodes if id(node) in before]
    decoder = [node for node in nodes if id(node) not in before]
    return [group for group in (encoder, decoder) if group]


def states_of(node: Node) -> list[Tensor]:
    """Return the initial states that a call hands to a recurrent layer."""
    states = node.arguments.kwargs.get("initial_state")
    if states is None:
        return []
    return list(states) if isinstance(states, list | tuple) else [states]


def _piece(group: list[Node], nodes: list[Node], model: keras.Model) -> Piece:
    inside = {id(tensor) for node in group for tensor in node.output_tensors}
    members = {id(node) for node in group}
    used = {id(tensor) for node in nodes if id(node) not in members for tensor in node.input_tensors}
    used |= {id(tensor) for tensor in model.outputs}
    inputs = {id(t): t for node in group for t in node.input_tensors if id(t) not in inside}
    outputs = {id(t): t for node in group for t in node.output_tensors if id(t) in used}
    whole = [tensor for tensor in model.outputs if id(tensor) in outputs]
    ordered = whole if len(whole) == len(outputs) else list(outputs.values())
    operation = group[0].operation
    if len(group) == 1 and isinstance(operation, keras.Model):
        inner = flat(operation)
        taken = list(group[0].input_tensors)
        made = list(group[0].output_tensors)
        return Piece(operation.name, taken, made, keras.Model(list(inner.inputs), list(inner.outputs)))
    part = keras.Model(list(inputs.values()), ordered)
    return Piece(group[-1].operation.name, list(inputs.values()), ordered, part)


def _ordered(piece: Piece) -> Piece:
    """Return the piece with the initial states of its recurrent layers last among its inputs, in the order of the layers."""
    model = piece.model
    places = {id(tensor): place for place, tensor in enumerate(model.inputs)}
    states = [tensor for node in nodes_of(model) for tensor in states_of(node)]
    if not states or any(id(tensor) not in places for tensor in states):
        return piece
    last = [places[id(tensor)] for tensor in states]
    order = [place for place in range(len(model.inputs)) if place not in last] + last
    inputs = [model.inputs[place] for place in order]
    ordered = keras.Model(inputs, list(model.outputs))
    return Piece(piece.name, [piece.inputs[place] for place in order], piece.outputs, ordered, len(last))


def with_outputs_in(piece: Piece, wanted: Sequence[Tensor]) -> Piece:
    """Return the piece with its outputs in the order of `wanted`, and those that are not wanted after them."""
    places = {id(tensor): place for place, tensor in enumerate(piece.outputs)}
    first = [places[id(tensor)] for tensor in wanted if id(tensor) in places]
    order = first + [place for place in range(len(piece.outputs)) if place not in first]
    if order == list(range(len(order))):
        return piece
    model = keras.Model(list(piece.model.inputs), [piece.model.outputs[place] for place in order])
    return Piece(piece.name, piece.inputs, [piece.outputs[place] for place in order], model, piece.states)


def chains(piece: Piece) -> list[Piece]:
    """Return the layers of a piece one by one if they are a chain; the piece itself otherwise.

    Layers that take a mask of padding stay with the layer that makes it, since no block hands on a mask.
    """
    whole = nodes_of(piece.model)
    masks = masks_of_padding(whole, piece.model.outputs)
    nodes = [node for node in whole if not all(id(tensor) in masks for tensor in node.output_tensors)]
    taken = [[tensor for tensor in node.input_tensors if id(tensor) not in masks] for node in nodes]
    links = all(len(given) == 1 and len(node.output_tensors) == 1 for node, given in zip(nodes, taken, strict=True))
    if not links or len(piece.inputs) != 1 or len(piece.outputs) != 1 or len(nodes) < 2:
        return [piece]
    starts = {id(given[0]): place for place, given in enumerate(taken)}
    sources: dict[int, int] = {}  # where a mask begins
    for node in whole:
        if id(node.output_tensors[0]) in masks:
            compared = id(node.input_tensors[0])
            sources[id(node.output_tensors[0])] = sources.get(compared, starts.get(compared, 0))
    needed = [min((sources[id(t)] for t in node.input_tensors if id(t) in sources), default=len(nodes)) for node in nodes]
    found: list[Piece] = []
    first = 0
    for place, node in enumerate(nodes):
        if all(start > place for start in needed[place + 1 :]):
            made = list(node.output_tensors)
            found.append(Piece(node.operation.name, taken[first], made, keras.Model(taken[first], made)))
            first = place + 1
    return found


def joined(pieces: Sequence[Piece]) -> Piece:
    """Return consecutive pieces of a chain as one."""
    inputs, outputs = pieces[0].inputs, pieces[-1].outputs
    return Piece(pieces[-1].name, inputs, outputs, keras.Model(list(inputs), list(outputs)))
