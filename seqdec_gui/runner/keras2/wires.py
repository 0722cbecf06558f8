"""The wires between layers in the configuration of a functional model of Keras 2, and how Keras 3 writes them."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from seqdec_gui.runner.keras2.layers import Config, refused

_MODELS = ("Model", "Functional", "Network", "Container", "Sequential")
CONSTANT = "_CONSTANT_VALUE"
"""What stands in place of the name of a layer where the argument of a call is a number."""


class Reference(NamedTuple):
    """A tensor: output `tensor` of call `node` of a layer."""

    layer: str
    node: int
    tensor: int

    @classmethod
    def of(cls, item: Any) -> Reference:
        return cls(str(item[0]), int(item[1]), int(item[2]))

    @staticmethod
    def looks_like(value: Any, names: Container[str]) -> bool:
        """Whether a value in a call is a reference to a tensor of one of these layers."""
        return (
            isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str) and value[0] in names
            and isinstance(value[1], int) and isinstance(value[2], int)
        )  # fmt: skip

    def argument(self, names: dict[str, str]) -> Config:
        """Return the reference as Keras 3 writes an argument; it looks up the shape itself."""
        history = [names[self.layer], self.node, self.tensor]
        return {"class_name": "__keras_tensor__", "config": {"shape": [], "dtype": "float32", "keras_history": history}}

    def written(self, names: dict[str, str]) -> list[Any]:
        """Return the reference as Keras 3 writes inputs and outputs of a model."""
        return [names[self.layer], self.node, self.tensor]


class Wire(NamedTuple):
    """One call of a layer: its inputs, and further arguments by name."""

    inputs: tuple[Reference, ...]
    keywords: Config

    def references(self, names: Container[str]) -> Iterator[Reference]:
        """Yield all tensors of the call, those in further arguments included."""
        yield from self.inputs
        todo: list[Any] = list(self.keywords.values())
        while todo:
            value = todo.pop()
            if Reference.looks_like(value, names):
                yield Reference.of(value)
            elif isinstance(value, list):
                todo += value


def wire_of(node: Any, layer: str) -> Wire:
    """Read one item of `inbound_nodes`. Raises InvalidInput for inputs by name."""
    if isinstance(node, dict):
        hint = "Give the inputs as one list, in the order of the model's inputs, and save it again."
        raise refused(layer, "takes its inputs as a dictionary", hint)
    if node and isinstance(node[0], str):  # a single tensor without a list around it
        node = [node]
    keywords: Config = {}
    for item in node:
        if len(item) > 3 and isinstance(item[3], dict):
            keywords |= item[3]
    return Wire(tuple(Reference.of(item) for item in node if item[0] != CONSTANT), keywords)


def references_of(ends: Any) -> list[Any]:
    """Return the inputs or outputs of a model as a list of references. Raises InvalidInput where they have names."""
    if isinstance(ends, dict):
        hint = "Give inputs and outputs as lists, keras.Model([a, b], [c]), and save it again."
        raise refused("model", "has its inputs or outputs in a dictionary, and their order would not be certain", hint)
    if ends and isinstance(ends[0], str):
        return [ends]
    return list(ends)


class NestedIndex:
    """Translates the numbers of calls of nested models.

    Keras 2 counts the calls of a nested model from 1, since the model's own making is call 0. Keras 3 counts from 0 within a
    model; only for the outputs of the whole it counts the calls of a functional model (not of a Sequential) from 1.
    """

    def __init__(self, rows: list[Config], config: Config) -> None:
        self._functional: set[str] = set()
        self._shift: dict[str, int] = {}
        used: dict[str, set[int]] = {}
        names = {str(row.get("name") or row["config"]["name"]) for row in rows}
        ends = [Reference.of(item) for side in ("input_layers", "output_layers") for item in references_of(config[side])]
        for row in rows:
            for node in row.get("inbound_nodes") or []:
                ends += wire_of(node, str(row.get("name", ""))).references(names)
        for reference in ends:
            used.setdefault(reference.layer, set()).add(reference.node)
        for row in rows:
            if row["class_name"] in _MODELS:
                name = str(row.get("name") or row["config"]["name"])
                self._shift[name] = 0 if 0 in used.get(name, ()) else 1
                if row["class_name"] != "Sequential":
                    self._functional.add(name)

    def inside(self, reference: Reference) -> Reference:
        """Return the reference as an argument of a call."""
        return reference._replace(node=reference.node - self._shift.get(reference.layer, 0))

    def at_the_end(self, reference: Reference) -> Reference:
        """Return the reference as an input or output of the model."""
        inner = self.inside(reference)
        return inner._replace(node=inner.node + (1 if reference.layer in self._functional else 0))
