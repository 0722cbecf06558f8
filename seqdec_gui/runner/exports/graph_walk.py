"""Walks through the layer calls of a Keras model in their order, for writers that repeat the model with something else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    import keras

Value = TypeVar("Value")


class Call(NamedTuple, Generic[Value]):
    """A call of a layer, of a nested model, or of an operation of `keras.ops`.

    `inputs` are the values of the first argument, and whether it was a list. `keywords` are the other arguments, with values in
    place of tensors. `shapes` are those of the results, with the batch axis.
    """

    layer: Any
    inputs: list[Value]
    keywords: dict[str, Any]
    shapes: list[tuple[int | None, ...]]
    several: bool

    @property
    def initial_state(self) -> list[Value]:
        """The initial states of a recurrent layer; empty where it begins with zeros."""
        return list(self.keywords.get("initial_state") or ())


class GraphWalk(ABC, Generic[Value]):
    """Repeats models, call by call, on values of another kind."""

    @abstractmethod
    def call(self, call: Call[Value]) -> list[Value]:
        """Repeat one call, and return the values of its results."""

    def outputs(self, model: keras.Model, inputs: Sequence[Value]) -> list[Value]:
        """The values of the model's outputs for those of its inputs, in order."""
        values: dict[int, Value] = {id(tensor): value for tensor, value in zip(model.inputs, inputs, strict=True)}
        for node in nodes_in_order(model):
            if any(id(tensor) not in values for tensor in node.input_tensors):
                continue  # a call of the same layer in another model
            arguments = node.arguments
            positional = [_replaced(argument, values) for argument in arguments.args]
            keywords = {name: _replaced(argument, values) for name, argument in arguments.kwargs.items()}
            first = positional[0] if positional else keywords.pop("inputs", [])
            several = isinstance(first, list | tuple)
            given = list(first) if several else [first]
            given += [value for value in positional[1:] if value is not None]
            shapes = [tuple(tensor.shape) for tensor in node.output_tensors]
            results = self.call(Call(node.operation, given, keywords, shapes, several))
            values.update({id(tensor): value for tensor, value in zip(node.output_tensors, results, strict=True)})
        return [values[id(tensor)] for tensor in model.outputs]


def nodes_in_order(model: keras.Model) -> Iterator[Any]:
    """Yield the calls of a functional model in an order in which each has its inputs; a Sequential holds one."""
    import keras

    graph: Any = model._functional if isinstance(model, keras.Sequential) else model
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from (node for node in graph._nodes_by_depth[depth] if node.operation and not node.is_input)


def _replaced(argument: Any, values: Mapping[int, Value]) -> Any:
    """The argument with a value in place of every tensor."""
    if isinstance(argument, list | tuple):
        return [_replaced(each, values) for each in argument]
    if isinstance(argument, dict):
        return {name: _replaced(each, values) for name, each in argument.items()}
    return values.get(id(argument), argument)


def is_model(operation: Any) -> bool:
    """Whether a call is that of a model whose wiring is known."""
    import keras

    return isinstance(operation, keras.Model) and (isinstance(operation, keras.Sequential) or hasattr(operation, "operations"))
