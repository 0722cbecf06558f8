"""Rewrites the configuration of a model of Keras 2 as that of Keras 3: nested models, wrappers, wires between layers.

`migrate` is a function of plain JSON data; nothing of a file is run, and no Keras is needed. Sources: `get_network_config` and
`reconstruct_from_config` of Keras 2, `Functional.get_config` and `functional_from_config` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.keras2.layers import REGULARIZERS, Config, Migrated, migrated, refused
from seqdec_gui.runner.keras2.masks import MaskTracer
from seqdec_gui.runner.keras2.operations import CLASSES as OPERATIONS
from seqdec_gui.runner.keras2.operations import operation_of
from seqdec_gui.runner.keras2.parts import Part
from seqdec_gui.runner.keras2.wires import NestedIndex, Reference, Wire, references_of, wire_of

MODEL_CLASSES = ("Model", "Functional", "Network", "Container", "Graph")
"""Classes of Keras 2 of models that are graphs of layers."""
_RNN = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")
"""Classes, in Keras 3, of layers that take initial states."""


class Migration(NamedTuple):
    """A model for Keras 3, the parts of it that have weights, and remarks on what is not as it was."""

    config: Config
    part: Part
    notes: tuple[str, ...]
    regularised: tuple[str, ...]


def migrate(model: Config) -> Migration:
    """Return the model of a configuration of Keras 2 (`{"class_name", "config"}`) in the form of Keras 3.

    Raises InvalidInput, with the name of the layer, where Keras 3 has nothing that computes the same.
    """
    migrator = _Migrator()
    class_name = str(model.get("class_name", ""))
    if class_name != "Sequential" and class_name not in MODEL_CLASSES:
        raise _unusable(
            f"it is a {class_name or 'model'} whose wiring the file does not hold: a subclass of Model",
            "Build the same layers as a functional model, keras.Model(inputs, outputs), copy the weights with set_weights, and "
            "save that.",
        )
    config, part = migrator.model(class_name, model["config"], "model")
    return Migration(config, part, tuple(dict.fromkeys(migrator.notes)), tuple(migrator.regularised))


class _Migrator:
    """Collects remarks while it rewrites models, which may hold others."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.regularised: list[str] = []

    def model(self, class_name: str, config: Any, name: str) -> tuple[Config, Part]:
        if class_name == "Sequential":
            return self._sequential(config, name)
        return self._functional(config, name)

    # -- chains
    def _sequential(self, config: Any, name: str) -> tuple[Config, Part]:
        if isinstance(config, list):  # before Keras 2.2.3
            config = {"name": name, "layers": config}
        name = clean(str(config.get("name", name)))
        rows = list(config["layers"])
        layers: list[Config] = []
        parts: list[Part] = []
        if not rows or rows[0]["class_name"] != "InputLayer":
            layers.append(self._first_input(config, rows, name))
        for row in rows:
            layer, part = self._layer(row)
            layers.append(layer)
            if part is not None:
                parts.append(part)
        if (own := _layers_of(rows)) and _only_embeds(own[0]):
            layers[0]["config"]["dtype"] = "int32"
        made = {"module": "keras", "class_name": "Sequential", "registered_name": None,
                "config": {"name": name, "trainable": True, "layers": layers}}  # fmt: skip
        return made, Part(name, name, "Sequential", {}, bool(config.get("trainable", True)), True, tuple(parts))

    def _first_input(self, config: Config, rows: list[Config], name: str) -> Config:
        """Return the input of a chain that has no layer for it; its first layer, however deep, knows the shape."""
        row = rows[0] if rows else {"config": {}}
        while True:
            inner = row["config"]
            if isinstance(inner, list):
                inner = {"layers": inner}
            shape = inner.get("batch_input_shape") or inner.get("batch_shape")
            if shape is None and "layer" in inner:
                row = inner["layer"]
            elif shape is None and inner.get("layers"):
                row = inner["layers"][0]
            else:
                break
        shape = shape or config.get("build_input_shape")
        if not shape:
            hint = "Open it with Keras 2, predict one batch or call model.build(input_shape), and save it again."
            raise _unusable(f"its inputs are not known: the model {name} was saved before it was built", hint)
        return self._input({"name": f"{name}_input", "batch_input_shape": shape, "dtype": "float32"})

    # -- graphs
    def _functional(self, config: Config, name: str) -> tuple[Config, Part]:
        name = clean(str(config.get("name", name)))
        rows = config["layers"]
        names = _clean_names([_name_of(row) for row in rows])
        index = NestedIndex(rows, config)
        fed_to = _consumers(rows)
        masks = MaskTracer()
        layers: list[Config] = []
        parts: list[Part] = []
        for row in rows:
            if row["class_name"] in OPERATIONS:
                layers.append(self._operation(row, index, names))
                continue
            layer, part = self._layer(row, names[_name_of(row)])
            layer["name"] = names[_name_of(row)]
            if row["class_name"] == "InputLayer":
                users = fed_to.get(_name_of(row), [])
                if users and all(map(_only_embeds, users)):
                    layer["config"]["dtype"] = "int32"
            layer["inbound_nodes"] = []
            layers.append(layer)
            if part is not None:
                parts.append(part)
        wires = {_name_of(row): [wire_of(node, _name_of(row)) for node in row.get("inbound_nodes") or []] for row in rows}
        for row, layer in zip(rows, layers, strict=True):
            if row["class_name"] in OPERATIONS:
                continue
            nodes = [self._node(layer, wire, index, names) for wire in wires[_name_of(row)]]
            layer["inbound_nodes"] = nodes
        layers += masks.completed(layers)
        ends = {
            side: [index.at_the_end(Reference.of(item)).written(names) for item in references_of(config[side])]
            for side in ("input_layers", "output_layers")
        }
        ends = {side: items[0] if len(items) == 1 else items for side, items in ends.items()}  # a tensor, not a list of one
        made = {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional",
                "config": {"name": name, "trainable": True, "layers": layers, **ends}}  # fmt: skip
        return made, Part(name, name, "Functional", {}, bool(config.get("trainable", True)), True, tuple(parts))

    def _operation(self, row: Config, index: NestedIndex, names: dict[str, str]) -> Config:
        """Return an operation of TensorFlow as one of Keras 3, with its one call."""
        made = operation_of(row)
        name = names[_name_of(row)]
        arguments = [_value(argument, index, names) for argument in made.arguments]
        return {
            "module": made.module, "class_name": made.class_name, "registered_name": made.class_name, "name": name,
            "config": made.config | {"name": name}, "inbound_nodes": [{"args": arguments, "kwargs": {}}],
        }  # fmt: skip

    def _node(self, layer: Config, wire: Wire, index: NestedIndex, names: dict[str, str]) -> Config:
        """Return one call of a layer: states of a recurrent layer become its argument `initial_state`."""
        tensors = [index.inside(reference).argument(names) for reference in wire.inputs]
        keywords = {key: _value(value, index, names) for key, value in wire.keywords.items()}
        if keywords.get("training", False) is None:
            del keywords["training"]
        for key in ("mask", "constants"):
            if keywords.get(key, False) is None:
                del keywords[key]
        if layer["class_name"] in _RNN and len(tensors) > 1:
            tensors, states = tensors[:1], tensors[1:]
            if keywords.get("initial_state") is None:
                keywords["initial_state"] = states
        if keywords.get("initial_state", False) is None:
            del keywords["initial_state"]
        if layer["class_name"] == "MultiHeadAttention" and len(tensors) > 1:
            return {"args": tensors, "kwargs": keywords}
        return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": keywords}

    # -- layers
    def _layer(self, row: Config, name: str = "") -> tuple[Config, Part | None]:
        """Return a layer of a model with all that it wraps, and its part; None for an input."""
        class_name, config = str(row["class_name"]), row["config"]
        shown = _name_of(row)
        name = name or clean(shown)
        if class_name in MODEL_CLASSES or class_name == "Sequential":
            made, part = self.model(class_name, config, shown)
            made["config"]["name"] = name
            made["config"]["trainable"] = part.trainable
            return made, Part(name, shown, part.class_name, part.config, part.trainable, True, part.parts)
        if class_name == "InputLayer":
            return self._input(config | {"name": name}), None
        package = str(row.get("registered_name") or "").rpartition(">")[0]
        if package not in ("", "keras", "Addons") and class_name not in ("Lambda",):
            raise refused(shown, f"is a {class_name} of another package ({package})", _FOREIGN_HINT)
        new = migrated(class_name, config | {"name": shown})
        self._note(new, shown)
        wrapped, parts = self._wrapped(class_name, config)
        made = {"module": "keras.layers", "class_name": new.class_name, "registered_name": None,
                "config": new.config | wrapped | {"name": name}}  # fmt: skip
        return made, Part(name, shown, class_name, config, bool(config.get("trainable", True)), False, tuple(parts))

    def _note(self, new: Migrated, shown: str) -> None:
        self.notes += new.notes
        if any(new.config.get(key) is not None for key in REGULARIZERS):
            self.regularised.append(shown)

    def _wrapped(self, class_name: str, config: Config) -> tuple[Config, list[Part]]:
        """Return the arguments of a wrapper that hold layers, and their parts."""
        if class_name == "TimeDistributed":
            inner, part = self._layer(config["layer"])
            return {"layer": inner}, [_at(".layer", part)]
        if class_name == "Bidirectional":
            inner, part = self._layer(config["layer"])
            backward = config.get("backward_layer")
            if backward is None:
                return {"layer": inner}, [_at(".forward_layer", part), _at(".backward_layer", part)]
            other, second = self._layer(backward)
            return {"layer": inner, "backward_layer": other}, [_at(".forward_layer", part), _at(".backward_layer", second)]
        if class_name == "RNN":
            inner, part = self._layer(config["cell"])
            return {"cell": inner}, [_at(".cell", part)]
        if class_name == "StackedRNNCells":
            if config.get("reverse_state_order"):
                raise refused(_name_of({"config": config}), "has its states in reverse order", "Build it without.")
            made = [self._layer(cell) for cell in config["cells"]]
            return {"cells": [inner for inner, _ in made]}, [_at(f".cells[{i}]", part) for i, (_, part) in enumerate(made)]
        return {}, []

    def _input(self, config: Config) -> Config:
        new = migrated("InputLayer", config)
        shape = list(config.get("batch_input_shape") or config.get("batch_shape") or config["config"]["batch_input_shape"])
        if shape[0] is not None:
            self.notes.append(f"{new.config['name']} took batches of {shape[0]} rows; here it takes any number.")
        dtype = config.get("dtype") or "float32"
        if isinstance(dtype, dict):
            dtype = dtype.get("config", {}).get("name", "float32")
        if str(dtype).startswith(("float", "bfloat", "mixed")):
            dtype = "float32"
        made = {"batch_shape": [None, *shape[1:]], "dtype": dtype, "sparse": False, "name": new.config["name"]}
        return {"module": "keras.layers", "class_name": "InputLayer", "registered_name": None, "config": made}


_FOREIGN_HINT = "Rebuild it from Keras's own layers, copy the weights with set_weights, and save it again."


def _value(value: Any, index: NestedIndex, names: dict[str, str]) -> Any:
    """Return an argument of a call with references to tensors in the form of Keras 3."""
    if Reference.looks_like(value, names):
        return index.inside(Reference.of(value)).argument(names)
    if isinstance(value, list):
        return [_value(item, index, names) for item in value]
    return value


def _at(step: str, part: Part | None) -> Part:
    if part is None:
        raise _unusable("a wrapper in it holds an input", "Save the model again.")
    return Part(step, part.name, part.class_name, part.config, part.trainable, part.is_model, part.parts)


def _name_of(row: Config) -> str:
    config = row["config"]
    return str(row.get("name") or (config.get("name") if isinstance(config, dict) else "") or row.get("class_name", "layer"))


def clean(name: str) -> str:
    """Return a name that Keras 3 allows: without slashes."""
    return name.replace("/", "_").lstrip("_") or "layer"


def _clean_names(names: list[str]) -> dict[str, str]:
    cleaned: dict[str, str] = {}
    for name in names:
        candidate, number = clean(name), 2
        while candidate in cleaned.values():
            candidate, number = f"{clean(name)}_{number}", number + 1
        cleaned[name] = candidate
    return cleaned


def _consumers(rows: list[Config]) -> dict[str, list[Config]]:
    """Return the layers that take the output of each layer."""
    users: dict[str, list[Config]] = {}
    names = {_name_of(row) for row in rows}
    for row in rows:
        for node in row.get("inbound_nodes") or []:
            for reference in wire_of(node, _name_of(row)).references(names):
                users.setdefault(reference.layer, []).append(row)
    return users


def _only_embeds(row: Config) -> bool:
    """Whether a layer takes ids: an Embedding, or a model that begins with one."""
    class_name, config = row["class_name"], row["config"]
    if class_name == "Embedding":
        return True
    if class_name == "Sequential":
        inner = _layers_of(config)
        return bool(inner) and _only_embeds(inner[0])
    return False


def _layers_of(config: Any) -> list[Config]:
    rows = config if isinstance(config, list) else config.get("layers", [])
    return [row for row in rows if row["class_name"] != "InputLayer"]


def layer_rows(model: Config) -> Iterator[Config]:
    """Yield the configuration of every layer of a model, nested and wrapped ones included."""
    todo: list[Any] = [model]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if "class_name" in item and isinstance(item.get("config"), dict | list):
                yield item
            todo += item.values()
        elif isinstance(item, list):
            todo += item


def _unusable(why: str, hint: str) -> InvalidInput:
    return InvalidInput([Problem("error", "unusable_keras_file", "file", f"The model cannot become a block: {why}.", hint)])
