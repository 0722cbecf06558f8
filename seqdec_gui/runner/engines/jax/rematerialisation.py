"""Blocks that keep few activations for the backward pass, and compute the others again there (`training.rematerialise`).

The layers of a Transformer are its segments (`Submodel.segments`): `jax.checkpoint` keeps what enters a segment, and lets the
backward pass run it once more. What comes behind the last segment is run as it is, since the backward pass begins with it.
The class of a model is replaced after Keras has built it, as in `layers`: no file knows of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import keras
from keras import tree
from keras.src import backend
from keras.src.models.functional import Functional

from seqdec_gui.domain.shapes import Inference
from seqdec_gui.runner.exports.graph_walk import nodes_in_order

Array = Any


class Segment(NamedTuple):
    """Calls of layers, the tensors that they take from before, and those of their results that are needed behind them."""

    nodes: list[Any]
    inputs: list[Any]
    outputs: list[Any]

    @property
    def variables(self) -> list[Any]:
        """The variables of the layers, each once; those of random generators are among them."""
        return list({id(each): each for node in self.nodes for each in node.operation.variables}.values())


def rematerialise(models: Mapping[str, keras.Model], inference: Inference) -> None:
    """Make the blocks that have segments compute them again in a backward pass. `models` are built, by block."""
    for name, block in inference.blocks.items():
        ends = () if block.submodel is None else block.submodel.segments
        if ends and type(models[name]) is Functional:
            model: Any = models[name]
            model.__class__ = Rematerialised
            object.__setattr__(model, "plan", segments_of(model, ends))  # past Keras's attribute tracking


def segments_of(model: Any, ends: Sequence[str]) -> list[Segment]:
    """Return the calls of a functional model, cut behind the layers of these names."""
    groups: list[list[Any]] = [[]]
    for node in nodes_in_order(model):
        groups[-1].append(node)
        if node.operation.name in ends:
            groups.append([])
    segments = []
    for i, group in enumerate(groups):
        made = {id(tensor): tensor for node in group for tensor in node.outputs}
        taken = {id(tensor): tensor for node in group for tensor in node.input_tensors if id(tensor) not in made}
        later = {id(tensor) for others in groups[i + 1 :] for node in others for tensor in node.input_tensors}
        later |= {id(tensor) for tensor in model.outputs}
        outputs = [tensor for key, tensor in made.items() if key in later]
        segments.append(Segment(group, list(taken.values()), outputs))
    return segments


class Rematerialised(Functional):  # type: ignore[misc]
    """A functional model whose segments, but the last, are computed again in a backward pass."""

    plan: list[Segment]

    def _run_through_graph(self, inputs: Any, operation_fn: Any = lambda op: op, call_fn: Any = None) -> Any:
        given = tree.flatten(inputs)
        scope = backend.get_stateless_scope() if backend.in_stateless_scope() else None
        if call_fn is not None or scope is None or any(isinstance(value, backend.KerasTensor) for value in given):
            return super()._run_through_graph(inputs, operation_fn=operation_fn, call_fn=call_fn)
        values = dict(zip(map(id, self.inputs), given, strict=True))
        *again, last = self.plan
        for segment in again:
            _compute_again(segment, values, operation_fn, scope)
        _run(last.nodes, values, operation_fn)
        return tree.pack_sequence_as(self._outputs_struct, [values[id(tensor)] for tensor in self.outputs])


def _compute_again(segment: Segment, values: dict[int, Array], operation_fn: Any, scope: Any) -> None:
    """Add the results of a segment to `values`, and the new values of its variables to the scope.

    Masks that Keras hands on with tensors enter and leave the segment as arrays of their own, or they would be lost.
    """
    variables = segment.variables
    now = [scope.get_current_value(variable) for variable in variables]  # in their own type, whatever layers compute in
    given = [values[id(tensor)] for tensor in segment.inputs]

    def run(given: list[Array], masks: list[Array], weights: list[Array]) -> tuple[list[Array], list[Array], list[Array]]:
        inside = {id(tensor): value for tensor, value in zip(segment.inputs, given, strict=True)}
        for value, mask in zip(given, masks, strict=True):
            if mask is not None:
                backend.set_keras_mask(value, mask)
        with backend.StatelessScope(state_mapping=list(zip(variables, weights, strict=True))) as own:
            _run(segment.nodes, inside, operation_fn)
        results = [inside[id(tensor)] for tensor in segment.outputs]
        after = [own.get_current_value(variable) for variable in variables]
        return results, list(map(backend.get_keras_mask, results)), after

    results, masks, after = jax.checkpoint(run)(given, list(map(backend.get_keras_mask, given)), now)
    for tensor, value, mask in zip(segment.outputs, results, masks, strict=True):
        if mask is not None:
            backend.set_keras_mask(value, mask)
        values[id(tensor)] = value
    for variable, value in zip(variables, after, strict=True):
        if not variable.trainable:
            scope.add_update((variable, value))


def _run(nodes: Sequence[Any], values: dict[int, Array], operation_fn: Any) -> None:
    """Call the layers in their order, as Keras does, and add their results to `values`."""
    for node in nodes:
        positional, named = node.arguments.fill_in(values)
        outputs = operation_fn(node.operation)(*positional, **named)
        values.update(zip(map(id, node.outputs), tree.flatten(outputs), strict=True))
