"""The layer calls of a submodel as a graph of numbered values, to run them one by one with the layers of a Keras model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from seqdec_gui.domain.graph import Call, Submodel
from seqdec_gui.domain.layers.specs import LAYERS
from seqdec_gui.domain.types import TensorType

if TYPE_CHECKING:
    import keras

ATTENTION = "MultiHeadAttention"


class Node(NamedTuple):
    """A call whose tensors have numbers: each result is a value of its own, though variables are assigned again."""

    call: Call
    inputs: tuple[int, ...]
    initial: tuple[int, ...]
    named: tuple[tuple[str, int], ...]
    outputs: tuple[int, ...]

    @property
    def used(self) -> tuple[int, ...]:
        """All values that the call takes."""
        return (*self.inputs, *self.initial, *(value for _, value in self.named))

    @property
    def name(self) -> str:
        return self.call.layer.name

    @property
    def attends(self) -> bool:
        """Whether it is a MultiHeadAttention, which projects what it attends to."""
        return self.call.layer.type == ATTENTION

    def run(self, model: keras.Model, values: dict[int, Any], **further: Any) -> Any:
        """Call the layer of this name on its values; `further` are more arguments."""
        tensors = [values[number] for number in self.inputs]
        options: dict[str, Any] = dict(self.call.options)
        options |= {name: values[number] for name, number in self.named}
        if self.initial:
            options["initial_state"] = [values[number] for number in self.initial]
        layer = model.get_layer(self.call.layer.name)
        if not LAYERS[self.call.layer.type].separate_inputs:
            tensors = [tensors if len(tensors) > 1 else tensors[0]]
        return layer(*tensors, **options, **further)

    def keep(self, result: Any, values: dict[int, Any]) -> None:
        """Note the results of `run`."""
        results = list(result) if isinstance(result, list | tuple) else [result]
        values.update(zip(self.outputs, results, strict=True))


class Calls:
    """The calls of a submodel in order. `inputs` are numbered from 0; `outputs` are the values of all ports together."""

    def __init__(self, submodel: Submodel) -> None:
        self.submodel = submodel
        now = {tensor.variable: number for number, tensor in enumerate(submodel.inputs)}
        self.inputs = tuple(now.values())
        self.nodes: list[Node] = []
        self.types: dict[int, TensorType] = {number: tensor.type for number, tensor in enumerate(submodel.inputs)}
        count = len(now)
        for call in submodel.calls:
            outputs = tuple(range(count, count + len(call.outputs)))
            count += len(outputs)
            self.types |= {number: tensor.type for number, tensor in zip(outputs, call.outputs, strict=True)}
            self.nodes.append(
                Node(
                    call,
                    tuple(now[name] for name in call.inputs),
                    tuple(now[name] for name in call.initial_state),
                    tuple((argument, now[name]) for argument, name in call.named),
                    outputs,
                )
            )
            now |= {tensor.variable: number for tensor, number in zip(call.outputs, outputs, strict=True)}
        self.outputs = tuple(now[name] for output in submodel.outputs for name in output.variables)

    def input(self, variable: str) -> int:
        """Return the value of an input."""
        return next(number for number, tensor in enumerate(self.submodel.inputs) if tensor.variable == variable)

    def following(self, given: Iterable[int]) -> set[int]:
        """Return the values that depend on these alone, these included."""
        found = set(given)
        for node in self.nodes:
            if all(value in found for value in node.used):
                found |= set(node.outputs)
        return found


def needed_for(
    nodes: Sequence[Node], wanted: Iterable[int], uses: Callable[[Node], Iterable[int]]
) -> tuple[list[Node], set[int]]:
    """Return the nodes of which the wanted values are made, in order, and all values that they use.

    `uses(node)` returns the values that a node needs.
    """
    needed, kept = set(wanted), list[Node]()
    for node in reversed(nodes):
        if not needed.isdisjoint(node.outputs):
            needed |= set(uses(node))
            kept.append(node)
    return kept[::-1], needed
