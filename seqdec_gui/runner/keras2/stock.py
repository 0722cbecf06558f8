"""Puts Keras's own layers in the place of operations, where a layer computes the same for the shapes at hand.

A model with operations can be stored as `.keras` alone; layers can be exported in every format. What no layer computes stays an
operation. Shapes and masks are those of the model that was built with the operations.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from seqdec_gui.runner.keras2.layers import Config, refused
from seqdec_gui.runner.keras2.operations import MODULES

if TYPE_CHECKING:
    import keras

Shape = tuple[int | None, ...]


class _Call(NamedTuple):
    """The call of an operation: its settings, its arguments, and the shapes of the tensors among them with the batch axis."""

    config: Config
    arguments: Sequence[Any]
    shapes: list[Shape]
    result: Shape

    @property
    def numbers(self) -> list[Any]:
        """The arguments that are numbers or lists of numbers."""
        return [argument for argument in self.arguments if isinstance(argument, int | float) or _is_numbers(argument)]


Step = tuple[str, Config]
"""A class of layer and its settings."""


def with_layers(config: Config, model: keras.Model) -> Config:
    """Return the configuration of a model with layers for operations, as far as they compute the same.

    `model` was built from it. Raises InvalidInput, with its name, for an operation that mixes the rows of a batch.
    """
    config = copy.deepcopy(config)
    _replace(config, model)
    return config


def has_operations(config: Config) -> bool:
    """Return whether a model, or one in it, has operations, or layers that were put in their place when they were read."""
    rows = config["config"].get("layers", []) if isinstance(config.get("config"), dict) else []
    return any(row.get("module") in MODULES or _was_operation(row) or has_operations(row) for row in rows)


def _was_operation(row: Config) -> bool:
    return row["class_name"] == "Rescaling" and str(row.get("name", "")).startswith("tf.")


def _replace(config: Config, model: Any) -> None:
    rows: list[Config] = []
    for row in config["config"].get("layers", []):
        if row.get("module") in MODULES:
            rows += _rows_for(row, _operation(model, row["name"]))
            continue
        if _was_operation(row):
            _fail_if_masked(row, model)
        if "layers" in (row.get("config") or {}):
            _replace(row, model.get_layer(row["config"]["name"]))
        rows.append(row)
    config["config"]["layers"] = rows


def _fail_if_masked(row: Config, model: Any) -> None:
    """Raise InvalidInput where a Rescaling for an operation would pass a mask on, which the operation did not."""
    from keras.src.backend import get_keras_mask

    if any(
        get_keras_mask(tensor) is not None
        for node in model.get_layer(row["name"])._inbound_nodes
        for tensor in node.input_tensors
    ):
        hint = "Put the operation before the masked layer, copy the weights with set_weights, and save it again."
        raise refused(str(row["name"]), "is an operation of TensorFlow on the features of a masked sequence", hint)


def _operation(model: Any, name: str) -> Any:
    return next(each for each in model.operations if each.name == name)


def _rows_for(row: Config, operation: Any) -> list[Config]:
    """Return the layers for an operation, the last with its name; the row itself where there are none."""
    from keras.src.backend import get_keras_mask

    (node,) = operation._inbound_nodes
    tensors = node.input_tensors
    (arguments,) = [call["args"] for call in row["inbound_nodes"]]
    call = _Call(row["config"], arguments, [tuple(tensor.shape) for tensor in tensors], tuple(node.output_tensors[0].shape))
    _fail_if_rows_are_mixed(row, call)
    make = _LAYERS.get(row["class_name"])
    if make is None or any(get_keras_mask(tensor) is not None for tensor in tensors):
        return [row]
    steps = make(call)
    if not steps:
        return [row]
    given: Any = arguments[0] if isinstance(arguments[0], list) else [each for each in arguments if isinstance(each, dict)]
    given = given if len(given) > 1 else given[0]
    made: list[Config] = []
    for number, (class_name, config) in enumerate(steps):
        last = number == len(steps) - 1
        name = row["name"] if last else f"{row['name']}_step_{number + 1}"
        made.append({
            "module": "keras.layers", "class_name": class_name, "registered_name": None, "name": name,
            "config": config | {"name": name, "dtype": "float32"}, "inbound_nodes": [{"args": [given], "kwargs": {}}],
        })  # fmt: skip
        given = {"class_name": "__keras_tensor__",
                 "config": {"shape": [], "dtype": "float32", "keras_history": [name, 0, 0]}}  # fmt: skip
    return made


def _fail_if_rows_are_mixed(row: Config, call: _Call) -> None:
    """Raise InvalidInput where an axis, counted from the end, is that of the rows, or rows are no axis of the result."""
    rank = max((len(shape) for shape in call.shapes), default=0) + (row["class_name"] in ("ExpandDims", "Stack"))
    axis = call.config.get("axis")
    axes = [axis] if isinstance(axis, int) else (axis or [])
    ranks = {len(shape) for shape in call.shapes}
    missing = row["class_name"] in ("Matmul", "Einsum") and min(ranks, default=0) < 3
    missing = missing or (row["class_name"] == "Einsum" and len(ranks) > 1)
    if any(one % rank == 0 for one in axes if rank) or not call.result or call.result[0] is not None or missing:
        hint = (
            "Rebuild the model so that every row is computed by itself, copy the weights with set_weights, and save it again."
        )
        raise refused(str(row["name"]), "is an operation of TensorFlow that mixes the rows of a batch", hint)
    if len(ranks) > 1 and row["class_name"] in _OF_TWO:
        hint = (
            "Give both tensors equally many axes, with a Reshape layer, copy the weights with set_weights, and save it again."
        )
        raise refused(str(row["name"]), "combines tensors with different numbers of axes", hint)


# -- which layers
def _reshaped(call: _Call) -> list[Step]:
    """A Reshape, where at most one size of a row is open."""
    sizes = call.result[1:]
    if sum(size is None for size in sizes) > 1 or (not sizes and call.shapes[0][1:] != (1,)):
        return []
    if None in sizes and sum(size is None for size in call.shapes[0][1:]) != 1:
        return []
    return [("Reshape", {"target_shape": [-1 if size is None else size for size in sizes]})]


def _merged(class_name: str) -> Callable[[_Call], list[Step]]:
    def make(call: _Call) -> list[Step]:
        if len(call.shapes) == 2 and len(call.shapes[0]) == len(call.shapes[1]) and call.shapes[0] == call.shapes[1]:
            return [(class_name, {})]
        return _rescaled(class_name, call)

    return make


def _rescaled(class_name: str, call: _Call) -> list[Step]:
    """A Rescaling for an operation of a tensor and a number, or a number for each feature."""
    if len(call.numbers) != 1 or len(call.shapes) != 1:
        return []
    (number,) = call.numbers
    first = call.arguments[0] is number or _is_numbers(call.arguments[0])
    if isinstance(number, list) and (len(number) != call.shapes[0][-1] or call.result != call.shapes[0]):
        return []

    def each(f: Callable[[float], float]) -> Any:
        return [f(float(one)) for one in number] if isinstance(number, list) else f(float(number))

    if class_name == "Add":
        return [("Rescaling", {"scale": 1.0, "offset": each(float)})]
    if class_name == "Multiply":
        return [("Rescaling", {"scale": each(float), "offset": 0.0})]
    if class_name == "Subtract":
        return [("Rescaling", {"scale": -1.0 if first else 1.0, "offset": each(lambda x: x if first else -x)})]
    return []


def _divided(call: _Call) -> list[Step]:
    if len(call.numbers) == 1 and isinstance(call.arguments[0], dict) and isinstance(call.numbers[0], int | float):
        return [("Rescaling", {"scale": 1.0 / call.numbers[0], "offset": 0.0})] if call.numbers[0] else []
    return []


def _concatenated(call: _Call) -> list[Step]:
    return [("Concatenate", {"axis": call.config["axis"]})] if len(call.shapes) > 1 else []


def _pooled(class_name: str) -> Callable[[_Call], list[Step]]:
    def make(call: _Call) -> list[Step]:
        if len(call.shapes[0]) == 3 and call.config["axis"] in (1, -2, [1], [-2]):
            return [(class_name, {"keepdims": bool(call.config["keepdims"])})]
        return []

    return make


def _activation(name: str) -> Callable[[_Call], list[Step]]:
    return lambda call: [("Activation", {"activation": name})]


def _permuted(call: _Call) -> list[Step]:
    return [("Permute", {"dims": list(call.config["axes"][1:])})]


def _repeated(call: _Call) -> list[Step]:
    """A RepeatVector for one step that is repeated along the steps."""
    (shape,) = call.shapes
    if len(shape) != 3 or shape[1] != 1 or shape[2] is None:
        return []
    counts = call.config["repeats"]
    if isinstance(counts, list):
        if len(counts) != 3 or counts[0] != 1 or counts[2] != 1:
            return []
        count = counts[1]
    elif call.config["axis"] in (1, -2):
        count = counts
    else:
        return []
    return [("Reshape", {"target_shape": [shape[2]]}), ("RepeatVector", {"n": int(count)})]


def _item(call: _Call) -> list[Step]:
    """Cropping1D for steps from one to another, and a Reshape for what leaves or adds an axis."""
    (shape,), parts = call.shapes, list(call.arguments[1])
    own = [part for part in parts if part is not None]
    if len(own) > len(shape):
        return []
    rest = [slice(None)] * (len(shape) - len(own))
    cut = [part if isinstance(part, int) else slice(*part["config"].values()) for part in own] + rest
    whole = [axis for axis, part in enumerate(cut) if part not in (slice(None), slice(None, None, 1), slice(0, None, None))]
    if not whole:
        return _reshaped(call)
    if whole != [1] or len(shape) != 3 or shape[1] is None:
        return []
    first, last, step = slice(*_ends(cut[1], shape[1])).indices(shape[1])
    if step != 1 or last <= first:
        return []
    steps: list[Step] = [("Cropping1D", {"cropping": [first, shape[1] - last]})]
    if call.result != (None, last - first, shape[2]):
        steps += _reshaped(call._replace(shapes=[(None, last - first, shape[2])]))
    return steps


def _ends(part: Any, size: int) -> tuple[int | None, int | None, int | None]:
    if isinstance(part, int):
        place = part % size
        return place, place + 1, 1
    return part.start, part.stop, part.step


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, int | float) and math.isfinite(x) for x in value)


_OF_TWO = frozenset({"Add", "Subtract", "Multiply", "TrueDivide", "Maximum", "Minimum", "Power"})
_LAYERS: dict[str, Callable[[_Call], list[Step]]] = {
    "Add": _merged("Add"),
    "Concatenate": _concatenated,
    "Elu": _activation("elu"),
    "Exp": _activation("exponential"),
    "ExpandDims": _reshaped,
    "GetItem": _item,
    "Max": _pooled("GlobalMaxPooling1D"),
    "Maximum": _merged("Maximum"),
    "Mean": _pooled("GlobalAveragePooling1D"),
    "Minimum": _merged("Minimum"),
    "Multiply": _merged("Multiply"),
    "Negative": lambda call: [("Rescaling", {"scale": -1.0, "offset": 0.0})],
    "Relu": _activation("relu"),
    "Repeat": _repeated,
    "Reshape": _reshaped,
    "Selu": _activation("selu"),
    "Sigmoid": _activation("sigmoid"),
    "Softmax": lambda call: [("Softmax", {"axis": call.config["axis"]})],
    "Softplus": _activation("softplus"),
    "Squeeze": _reshaped,
    "Subtract": _merged("Subtract"),
    "Tanh": _activation("tanh"),
    "Tile": _repeated,
    "Transpose": _permuted,
    "TrueDivide": _divided,
}
"""The layers for each class of operation."""
