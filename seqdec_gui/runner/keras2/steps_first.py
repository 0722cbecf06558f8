"""Rewrites models of Keras 2 in which steps come before rows (`time_major=True`) as models of rows, in the form of Keras 2.

Which tensors have steps first follows from the graph: a recurrent layer with `time_major` is given them and gives them on, a
transposition `[1, 0, ...]` exchanges the two orders, and a layer that computes every step by itself keeps the order of what it
is given. Transpositions then become those that exchange nothing, so that a mask ends where it ended, and an input of steps
first becomes one of rows first. Functions of plain JSON data, like all of this package.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from seqdec_gui.runner.keras2.layers import Config, refused
from seqdec_gui.runner.keras2.wires import Reference, Wire, references_of, wire_of

_EACH_STEP = frozenset({
    "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "BatchNormalizationV1", "Dense", "Dropout",
    "ELU", "Embedding", "GaussianDropout", "GaussianNoise", "LayerNormalization", "LeakyReLU", "Masking", "ReLU", "Rescaling",
    "Softmax", "Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract",
})  # fmt: skip
"""Layers that compute every step of every row by itself, as long as `_is_along_features`."""
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "CuDNNLSTM", "CuDNNGRU", "LSTMV1", "LSTMV2", "GRUV1", "GRUV2")
_MODELS = ("Model", "Functional", "Network", "Container", "Graph", "Sequential")
_OPERATIONS_OF_EACH_STEP = frozenset({
    "abs", "add", "cast", "clip_by_value", "divide", "elu", "exp", "gelu", "log", "maximum", "minimum", "multiply", "negative",
    "ones_like", "pow", "relu", "relu6", "selu", "sigmoid", "softplus", "sqrt", "square", "subtract", "tanh", "truediv",
    "zeros_like",
})  # fmt: skip
_HINT = "Transpose the sequence to (rows, steps, features) before that layer, tf.transpose(x, [1, 0, 2]), and save it again."

Place = tuple[str, int, int]
"""A tensor: output of a call of a layer; the output -1 stands for what the call is given."""


class RowsFirst(NamedTuple):
    """The rewritten model, whether its inputs and outputs had steps first, in their order, and remarks."""

    config: Config
    inputs: tuple[bool, ...]
    outputs: tuple[bool, ...]
    notes: tuple[str, ...] = ()


def rows_first(model: Config) -> RowsFirst:
    """Return a model of Keras 2 (`{"class_name", "config"}`) with rows before steps; unchanged if it has them so already.

    Raises InvalidInput, with the name of the layer, where a layer of rows is given steps, or where the order cannot be said.
    """
    if not _has_steps_first(model) or model.get("class_name") not in _MODELS:
        return RowsFirst(model, (), ())
    model = copy.deepcopy(model)
    notes: list[str] = []
    inputs, outputs = _turned(model, notes)
    return RowsFirst(model, inputs, outputs, tuple(notes))


def _has_steps_first(item: Any) -> bool:
    if isinstance(item, dict):
        return item.get("time_major") is True or any(map(_has_steps_first, item.values()))
    return isinstance(item, list) and any(map(_has_steps_first, item))


def _turned(model: Config, notes: list[str]) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """Turn a model and those within it; returns for its inputs and outputs whether they had steps first."""
    config = model["config"]
    if model["class_name"] == "Sequential":
        return _turned_chain(config if isinstance(config, list) else config["layers"], config, notes)
    orders, rows = _Orders(), config["layers"]
    wires = {_name_of(row): [wire_of(node, _name_of(row)) for node in row.get("inbound_nodes") or []] for row in rows}
    calls = _calls_of_models(rows, wires, config)
    for row in rows:
        if row["class_name"] == "InputLayer":
            continue
        given_to = _turned(row, notes) if row["class_name"] in _MODELS else None
        for number, wire in enumerate(wires[_name_of(row)]):
            number += calls.get(_name_of(row), 0)
            if given_to is None:
                _constrain(orders, row, number, wire)
            else:
                _constrain_model(orders, _name_of(row), number, wire, *given_to)
    for row in rows:
        if row["class_name"] == "InputLayer":
            if orders.is_steps_first((_name_of(row), 0, 0)):
                _turn_shape(row["config"], _name_of(row), notes)
        else:
            _turn_layer(row)
    ends = [[Reference.of(item) for item in references_of(config[side])] for side in ("input_layers", "output_layers")]
    first, last = (tuple(orders.is_steps_first(_place(reference)) for reference in side) for side in ends)
    notes += [_said_of_output(reference.layer) for reference, turned in zip(ends[1], last, strict=True) if turned]
    return first, last


def _turned_chain(rows: list[Config], config: Any, notes: list[str]) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """Turn a chain of layers, whose orders follow from one another."""
    orders = _Orders()
    given: Place = ("", 0, 0)
    for number, row in enumerate(rows):
        if row["class_name"] == "InputLayer":
            continue
        place, wire = (f"{number}", 0, 0), Wire((Reference(*given),), {})
        if row["class_name"] in _MODELS:
            _constrain_model(orders, _name_of(row), 0, wire, *_turned(row, notes), place=place[0])
        else:
            _constrain(orders, row, 0, wire, place=place[0])
        given = place
    for row in rows:
        if row["class_name"] != "InputLayer":
            _turn_layer(row)
    is_turned = orders.is_steps_first(("", 0, 0))
    if is_turned:
        owner = next((inner for inner in _first_configs(rows) if _shape_key(inner)), None)
        if owner is None and isinstance(config, dict) and config.get("build_input_shape"):
            owner = config
        if owner is not None:
            _turn_shape(owner, _name_of(rows[0]), notes)
    ends_turned = orders.is_steps_first(given)
    notes += [_said_of_output(_name_of(rows[-1]))] if ends_turned else []
    return (is_turned,), (ends_turned,)


class _Orders:
    """Which tensors have equal orders, which have opposite ones, and which have steps first: sets with a parity."""

    def __init__(self) -> None:
        self._over: dict[Place, tuple[Place, bool]] = {}
        self._known: dict[Place, bool] = {}

    def _root(self, place: Place) -> tuple[Place, bool]:
        turned = False
        while place in self._over:
            place, other = self._over[place]
            turned ^= other
        return place, turned

    def tie(self, one: Place, other: Place, layer: str, *, turned: bool = False) -> None:
        """Say that two tensors have the same order, or the opposite. Raises InvalidInput if it cannot be."""
        (root, flips), (second, others) = self._root(one), self._root(other)
        apart = flips ^ others ^ turned
        if root == second:
            if apart:
                raise _refused(layer)
            return
        known = self._known.pop(root, None)
        self._over[root] = (second, apart)
        if known is not None and self._known.setdefault(second, known ^ apart) != known ^ apart:
            raise _refused(layer)

    def fix(self, place: Place, layer: str, *, steps_first: bool) -> None:
        """Say that a tensor has steps first, or rows. Raises InvalidInput if it has the other."""
        root, flips = self._root(place)
        if self._known.setdefault(root, steps_first ^ flips) != steps_first ^ flips:
            raise _refused(layer)

    def is_steps_first(self, place: Place) -> bool:
        """Whether a tensor has steps first; rows are first where nothing says otherwise."""
        root, flips = self._root(place)
        return root in self._known and self._known[root] ^ flips


def _constrain(orders: _Orders, row: Config, number: int, wire: Wire, place: str = "") -> None:
    """Say what a call of a layer means for the orders of its tensors."""
    name, class_name, config = _name_of(row), row["class_name"], row["config"]
    made: Place = (place or name, number, 0)
    given: list[Place] = [_place(reference) for reference in wire.inputs]
    others: list[Place] = [_place(reference) for reference in _in_keywords(wire)]
    layer = _recurrent_of(row)
    if layer is not None:
        turned = bool(layer["config"].get("time_major"))
        for sequence in given[:1]:
            orders.fix(sequence, name, steps_first=turned)
        for state in [*given[1:], *others]:  # of (rows, units), whatever the order of the sequence
            orders.fix(state, name, steps_first=False)
        orders.fix(made, name, steps_first=turned and bool(layer["config"].get("return_sequences")))
    elif (exchanged := _is_transposition(row, wire)) is not None:
        orders.tie(given[0], made, name, turned=exchanged)
    elif _computes_each_step(class_name, config):
        for tensor in [*given, *others]:
            orders.tie(tensor, made, name)
    else:
        for tensor in [*given, *others, made]:
            orders.fix(tensor, name, steps_first=False)


def _constrain_model(
    orders: _Orders, name: str, number: int, wire: Wire, inputs: tuple[bool, ...], outputs: tuple[bool, ...], place: str = ""
) -> None:
    for reference, turned in zip(wire.inputs, inputs, strict=False):
        orders.fix(_place(reference), name, steps_first=turned)
    for output, turned in enumerate(outputs):
        orders.fix((place or name, number, output), name, steps_first=turned)


def _place(reference: Reference) -> Place:
    return reference.layer, reference.node, reference.tensor


def _recurrent_of(row: Config) -> Config | None:
    """Return the recurrent layer of a row, that of a Bidirectional included. Raises InvalidInput for one deeper within."""
    class_name, config = row["class_name"], row["config"]
    if class_name in _RECURRENT:
        return row
    if class_name == "Bidirectional" and config["layer"]["class_name"] in _RECURRENT:
        layers = [config["layer"], *([config["backward_layer"]] if config.get("backward_layer") else [])]
        if len({bool(layer["config"].get("time_major")) for layer in layers}) > 1:
            raise refused(_name_of(row), "has a layer with time_major=True and one without", _HINT)
        first: Config = layers[0]
        return first
    if _has_steps_first(config) and class_name not in _MODELS:
        raise refused(_name_of(row), f"({class_name}) wraps a layer with time_major=True", "Use time_major=False within it.")
    return None


def _is_transposition(row: Config, wire: Wire) -> bool | None:
    """Whether an operation exchanges rows and steps (True), leaves both in place (False), or is no transposition (None)."""
    function = str(row["config"].get("function", "")).rpartition(".")[2]
    axes = wire.keywords.get("perm")
    if row["class_name"] != "TFOpLambda" or function != "transpose" or not isinstance(axes, list):
        return None
    if axes[:2] == [1, 0] and axes[2:] == list(range(2, len(axes))):
        return True
    return False if axes == list(range(len(axes))) else None


def _computes_each_step(class_name: str, config: Config) -> bool:
    if class_name == "TFOpLambda":
        return str(config.get("function", "")).rpartition(".")[2] in _OPERATIONS_OF_EACH_STEP
    if class_name == "TimeDistributed":
        return _computes_each_step(config["layer"]["class_name"], config["layer"]["config"])
    return class_name in _EACH_STEP and _is_along_features(config)


def _is_along_features(config: Config) -> bool:
    axis = config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    return axis in (-1, 2) and config.get("noise_shape") is None


def _turn_layer(row: Config) -> None:
    """Make a layer one of rows first: its own argument, and the axes of a transposition."""
    config = row["config"]
    if (layer := _recurrent_of(row)) is not None:
        layer["config"]["time_major"] = False
        if row["class_name"] == "Bidirectional" and config.get("backward_layer"):
            config["backward_layer"]["config"]["time_major"] = False
    if row["class_name"] != "TFOpLambda":
        return
    for node in row.get("inbound_nodes") or []:
        wire = wire_of(node, _name_of(row))
        if _is_transposition(row, wire):
            axes = wire.keywords["perm"]
            axes[:2] = [0, 1]


def _turn_shape(config: Config, name: str, notes: list[str]) -> None:
    key = _shape_key(config)
    if key is not None:
        shape = list(config[key])
        shape[:2] = shape[1::-1]
        config[key] = shape
    notes.append(f"{name} took steps before rows (time_major); here it takes rows first: (rows, steps, features).")


def _shape_key(config: Config) -> str | None:
    return next((key for key in ("batch_input_shape", "batch_shape", "build_input_shape") if config.get(key)), None)


def _first_configs(rows: list[Config]) -> list[Config]:
    """Return the configurations in which the shape of the input of a chain may stand, from the outside in."""
    found: list[Config] = []
    row: Config | None = rows[0] if rows else None
    while row is not None:
        inner = row["config"]
        if isinstance(inner, list):
            inner = {"layers": inner}
        found.append(inner)
        row = inner.get("layer") or next(iter(inner.get("layers") or ()), None)
    return found


def _calls_of_models(rows: list[Config], wires: dict[str, list[Wire]], config: Config) -> dict[str, int]:
    """Return for each model in a graph the number that its first call has in references: 1, or 0 in some versions."""
    names = {_name_of(row) for row in rows}
    used: dict[str, set[int]] = {}
    ends = [Reference.of(item) for side in ("input_layers", "output_layers") for item in references_of(config[side])]
    for reference in [*ends, *(each for calls in wires.values() for wire in calls for each in wire.references(names))]:
        used.setdefault(reference.layer, set()).add(reference.node)
    return {
        name: int(0 not in used.get(name, ()))
        for row in rows
        if row["class_name"] in _MODELS and (name := _name_of(row))
    }  # fmt: skip


def _in_keywords(wire: Wire) -> list[Reference]:
    """Return the tensors that a call is given by name."""
    found: list[Reference] = []
    todo: list[Any] = [value for key, value in wire.keywords.items() if key not in ("mask", "name", "perm")]
    while todo:
        value = todo.pop()
        if isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int):
            found.append(Reference.of(value))
        elif isinstance(value, list):
            todo += value
    return found


def _name_of(row: Config) -> str:
    config = row["config"]
    return str(row.get("name") or (config.get("name") if isinstance(config, dict) else "") or row.get("class_name", "layer"))


def _said_of_output(name: str) -> str:
    return f"{name} gave steps before rows (time_major); here it gives rows first: (rows, steps, features)."


def _refused(layer: str) -> Exception:
    why = "is given a sequence whose steps come before its rows (time_major=True), or computes along that axis"
    return refused(layer, why, _HINT)
