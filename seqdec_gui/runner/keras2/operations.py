"""Operations of TensorFlow between the layers of a model of Keras 2 (`x[:, -1, :]`, `a + b`, `tf.concat`), for Keras 3.

Keras 2 writes each as a layer of the class `SlicingOpLambda` or `TFOpLambda` with the name of a function. Nothing is looked up
by that name: a table says which operation of Keras 3 computes the same, and what is not in it is refused with its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from seqdec_gui.runner.keras2.layers import Config, refused
from seqdec_gui.runner.keras2.wires import CONSTANT

CLASSES = ("SlicingOpLambda", "TFOpLambda")
"""The classes of Keras 2 that are read here."""
_NUMPY, _NN, _CORE = "keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.core"
MODULES = (_NUMPY, _NN, _CORE)
"""Where the operations of Keras 3 are."""


class Operation(NamedTuple):
    """An operation of Keras 3: its class, its settings, and the arguments of its call with references as Keras 2 has them."""

    module: str
    class_name: str
    config: Config
    arguments: tuple[Any, ...]


class _Given(NamedTuple):
    """What a call was given: the first argument (a list, if it was several tensors), and the others by name."""

    name: str
    function: str
    first: Any
    others: Mapping[str, Any]

    def get(self, *names: str, default: Any = None) -> Any:
        return next((self.others[name] for name in names if name in self.others), default)

    def refused(self, why: str) -> Exception:
        hint = (
            "Rebuild the model with a layer of Keras in its place (for example Activation, Rescaling, Reshape, Permute, Add or "
            "Concatenate), copy the weights with set_weights, and save it again."
        )
        return refused(self.name, f"is an operation of TensorFlow, {self.function}, {why}", hint)


def operation_of(row: Config) -> Operation:
    """Return the operation of a row of a model. Raises InvalidInput with its name where Keras 3 has none, or it mixes rows."""
    config = row["config"]
    name, function = str(row.get("name") or config.get("name")), str(config.get("function", row["class_name"]))
    given = _given(name, function, row)
    make = _FUNCTIONS.get(function.removeprefix("__operators__.").rpartition(".")[2])
    known = make is not None and function.rpartition(".")[0] in ("", "math", "nn", "linalg", "compat.v1", "__operators__")
    if not known or make is None:
        raise given.refused("that cannot be carried over")
    try:
        return make(given)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError):
        raise given.refused("that is called in a way which cannot be carried over") from None


def _given(name: str, function: str, row: Config) -> _Given:
    nodes = row.get("inbound_nodes") or []
    if len(nodes) != 1:
        raise _Given(name, function, None, {}).refused("that is called several times")
    (node,) = nodes
    several = bool(node) and isinstance(node[0], list)
    items = node if several else [node]
    others: Config = {}
    for item in items:
        others |= item[3] if len(item) > 3 else {}
    values = [item[2] if item[0] == CONSTANT else list(item[:3]) for item in items]
    return _Given(name, function, values if several else values[0], {k: v for k, v in others.items() if k != "name"})


# -- what the arguments mean
def _plain(module: str, class_name: str, **config: Any) -> Callable[[_Given], Operation]:
    """An operation of one tensor without settings."""

    def make(given: _Given) -> Operation:
        if any(value is not None for value in given.others.values()):
            raise ValueError
        return Operation(module, class_name, dict(config), (given.first,))

    return make


def _of_two(class_name: str) -> Callable[[_Given], Operation]:
    def make(given: _Given) -> Operation:
        second = given.get("y")
        if second is None:
            raise ValueError
        for number, tensor, first in ((second, given.first, False), (given.first, second, True)):
            if _is_vector(number):
                return _with_vector(class_name, [float(each) for each in number], tensor, first)
        return Operation(_NUMPY, class_name, {}, (given.first, second))

    return make


def _is_vector(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, int | float) for each in value)


def _with_vector(class_name: str, numbers: list[float], tensor: Any, first: bool) -> Operation:
    """Return a layer for an operation of a tensor and a number for each of its features; `first` if they come first."""
    scale: Any = 1.0
    offset: Any = 0.0
    if class_name == "Add":
        offset = numbers
    elif class_name == "Subtract":
        scale, offset = (-1.0, numbers) if first else (1.0, [-each for each in numbers])
    elif class_name == "Multiply":
        scale = numbers
    elif class_name == "TrueDivide" and not first and all(numbers):
        scale = [1.0 / each for each in numbers]
    else:
        raise ValueError
    return Operation("keras.layers", "Rescaling", {"scale": scale, "offset": offset, "dtype": "float32"}, (tensor,))


def _reduced(class_name: str) -> Callable[[_Given], Operation]:
    def make(given: _Given) -> Operation:
        axis = given.get("axis")
        axes = axis if isinstance(axis, list) else [axis]
        if any(one is None or int(one) == 0 for one in axes):
            raise given.refused("over all rows of a batch")
        keep = bool(given.get("keepdims", "keep_dims", default=False))
        axis = [int(one) for one in axes] if isinstance(axis, list) else int(axis)
        return Operation(_NUMPY, class_name, {"axis": axis, "keepdims": keep}, (given.first,))

    return make


def _axis(given: _Given, default: int | None = None) -> int:
    axis = given.get("axis", default=default)
    if axis is None or int(axis) == 0:
        raise given.refused("along the rows of a batch")
    return int(axis)


def _several(class_name: str) -> Callable[[_Given], Operation]:
    def make(given: _Given) -> Operation:
        if not isinstance(given.first, list) or not isinstance(given.first[0], list):
            raise ValueError
        return Operation(_NUMPY, class_name, {"axis": _axis(given, 0)}, (given.first,))

    return make


def _reshape(given: _Given) -> Operation:
    shape = [int(size) for size in given.others["shape"]]
    if shape[0] != -1:
        raise given.refused("with a fixed number of rows")
    return Operation(_NUMPY, "Reshape", {"newshape": shape}, (given.first,))


def _squeeze(given: _Given) -> Operation:
    axis = given.get("axis", "squeeze_dims")
    (axis,) = axis if isinstance(axis, list) else [axis]
    if axis is None or int(axis) == 0:
        raise given.refused("of every axis of length 1, rows included")
    return Operation(_NUMPY, "Squeeze", {"axis": int(axis)}, (given.first,))


def _expand(given: _Given) -> Operation:
    return Operation(_NUMPY, "ExpandDims", {"axis": _axis(given)}, (given.first,))


def _tile(given: _Given) -> Operation:
    repeats = [int(count) for count in given.others["multiples"]]
    if repeats[0] != 1:
        raise given.refused("along the rows of a batch")
    return Operation(_NUMPY, "Tile", {"repeats": repeats}, (given.first,))


def _repeat(given: _Given) -> Operation:
    return Operation(_NUMPY, "Repeat", {"repeats": int(given.others["repeats"]), "axis": _axis(given)}, (given.first,))


def _transpose(given: _Given) -> Operation:
    axes = [int(axis) for axis in given.others["perm"]]
    if axes[0] != 0 or given.get("conjugate"):
        raise given.refused("that exchanges rows and another axis")
    return Operation(_NUMPY, "Transpose", {"axes": axes}, (given.first,))


def _matmul(given: _Given) -> Operation:
    if given.get("a_is_sparse") or given.get("b_is_sparse") or given.get("output_type"):
        raise ValueError
    turned = [any(given.get(f"{what}_{side}") for what in ("transpose", "adjoint")) for side in "ab"]  # of real numbers
    tensors = (given.first, given.others["b"])
    if not any(turned):
        return Operation(_NUMPY, "Matmul", {}, tensors)
    left, right = "ji" if turned[0] else "ij", "kj" if turned[1] else "jk"
    return Operation(_NUMPY, "Einsum", {"subscripts": f"...{left},...{right}->...ik"}, tensors)


def _split(given: _Given) -> Operation:
    """Parts of equal size, or of sizes that are given, as Keras 3 has them: by the places where they begin."""
    parts = given.others["num_or_size_splits"]
    axis = _axis(given, 0)
    if isinstance(parts, list):
        sizes = [int(size) for size in parts]
        if min(sizes) < 0:
            raise given.refused("into a part of unknown size")
        parts = [sum(sizes[: number + 1]) for number in range(len(sizes) - 1)]
    else:
        parts = int(parts)
    return Operation(_NUMPY, "Split", {"indices_or_sections": parts, "axis": axis}, (given.first,))


def _l2_normalize(given: _Given) -> Operation:
    """Keras bounds the norm, TensorFlow its square: https://www.tensorflow.org/api_docs/python/tf/math/l2_normalize."""
    axis = given.get("axis", "dim")
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis is None or axis == 0:
        raise given.refused("over all rows of a batch")
    epsilon = float(given.get("epsilon", default=1e-12))
    return Operation(_NN, "Normalize", {"axis": int(axis), "order": 2, "epsilon": math.sqrt(epsilon)}, (given.first,))


def _clip(given: _Given) -> Operation:
    low, high = float(given.others["clip_value_min"]), float(given.others["clip_value_max"])
    return Operation(_NUMPY, "Clip", {"x_min": low, "x_max": high}, (given.first,))


def _cast(given: _Given) -> Operation:
    dtype = given.others["dtype"]
    if dtype not in ("float32", "int32", "int64"):
        raise given.refused(f"to {dtype}")
    return Operation(_CORE, "Cast", {"dtype": dtype}, (given.first,))


def _one_hot(given: _Given) -> Operation:
    if given.get("on_value", default=1) not in (1, None) or given.get("off_value", default=0) not in (0, None):
        raise ValueError
    axis = given.get("axis")
    config = {"num_classes": int(given.others["depth"]), "axis": -1 if axis is None else int(axis), "dtype": "float32"}
    return Operation(_NN, "OneHot", config, (given.first,))


def _softmax(given: _Given) -> Operation:
    axis = given.get("axis", default=-1)
    return Operation(_NN, "Softmax", {"axis": -1 if axis is None else _axis(given, -1)}, (given.first,))


def _gelu(given: _Given) -> Operation:
    return Operation(_NN, "Gelu", {"approximate": bool(given.get("approximate", default=False))}, (given.first,))


def _item(given: _Given) -> Operation:
    wanted = given.others["slice_spec"]
    if not isinstance(wanted, list):
        wanted = [wanted]
    first = wanted[0]
    if not isinstance(first, dict) or any(value not in (None, 0, 1) for value in first.values()) or first["stop"] is not None:
        raise given.refused("of some rows of a batch")
    parts: list[Any] = []
    for part in wanted:
        if isinstance(part, dict):
            ends = {key: None if part[key] is None else int(part[key]) for key in ("start", "stop", "step")}
            parts.append({"class_name": "__slice__", "config": ends})
        elif part is None or (isinstance(part, int) and not isinstance(part, bool)):
            parts.append(part)
        else:
            raise ValueError
    return Operation(_NUMPY, "GetItem", {}, (given.first, parts))


_FUNCTIONS: dict[str, Callable[[_Given], Operation]] = {
    "abs": _plain(_NUMPY, "Absolute"),
    "add": _of_two("Add"),
    "cast": _cast,
    "clip_by_value": _clip,
    "concat": _several("Concatenate"),
    "divide": _of_two("TrueDivide"),
    "elu": _plain(_NN, "Elu"),
    "exp": _plain(_NUMPY, "Exp"),
    "expand_dims": _expand,
    "gelu": _gelu,
    "getitem": _item,
    "l2_normalize": _l2_normalize,
    "log": _plain(_NUMPY, "Log"),
    "matmul": _matmul,
    "maximum": _of_two("Maximum"),
    "minimum": _of_two("Minimum"),
    "multiply": _of_two("Multiply"),
    "negative": _plain(_NUMPY, "Negative"),
    "one_hot": _one_hot,
    "ones_like": _plain(_NUMPY, "OnesLike"),
    "pow": _of_two("Power"),
    "reduce_max": _reduced("Max"),
    "reduce_mean": _reduced("Mean"),
    "reduce_min": _reduced("Min"),
    "reduce_sum": _reduced("Sum"),
    "relu": _plain(_NN, "Relu"),
    "relu6": _plain(_NN, "Relu6"),
    "repeat": _repeat,
    "reshape": _reshape,
    "selu": _plain(_NN, "Selu"),
    "sigmoid": _plain(_NN, "Sigmoid"),
    "softmax": _softmax,
    "softplus": _plain(_NN, "Softplus"),
    "split": _split,
    "sqrt": _plain(_NUMPY, "Sqrt"),
    "square": _plain(_NUMPY, "Square"),
    "squeeze": _squeeze,
    "stack": _several("Stack"),
    "subtract": _of_two("Subtract"),
    "tanh": _plain(_NUMPY, "Tanh"),
    "tile": _tile,
    "transpose": _transpose,
    "truediv": _of_two("TrueDivide"),
    "zeros_like": _plain(_NUMPY, "ZerosLike"),
}
"""What computes the same in Keras 3, by the last part of the name of TensorFlow's function."""
