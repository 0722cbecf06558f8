"""Looking into a Keras file that somebody made elsewhere, so that it can become a block of a design."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from seqdec_gui.domain.kinds.keras_model import SUFFIXES, NamedTensor
from seqdec_gui.domain.paths import path_fault
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.types import DType
from seqdec_gui.runner.keras_safety import fail_if_unsafe
from seqdec_gui.runner.script_files import sha256

if TYPE_CHECKING:
    import keras


class FoundLayer(msgspec.Struct, frozen=True):
    """A layer of a file: name, class, number of weights."""

    name: str
    kind: str
    parameters: int


class KerasFile(msgspec.Struct, frozen=True):
    """What a `keras_model` block needs to know. Tensor names are identifiers; shapes are without the batch axis."""

    name: str
    sha256: str
    inputs: tuple[NamedTensor, ...]
    outputs: tuple[NamedTensor, ...]
    layers: tuple[FoundLayer, ...]
    parameters: int
    trainable: int
    regularised: tuple[str, ...] = ()
    """Layers with regularizers, which a training here leaves out of the loss."""


def inspect(path: Path) -> KerasFile:
    """Open the file in safe mode, run nothing of it, and say what it holds. Raises InvalidInput with the reason."""
    model = _load(path)
    inputs = _named(path, "input", list(model.inputs), [tensor.name for tensor in model.inputs])
    outputs = _named(path, "output", list(model.outputs), [_origin(tensor) for tensor in model.outputs])
    layers = tuple(FoundLayer(layer.name, type(layer).__name__, layer.count_params()) for layer in _layers(model))
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    count = model.count_params()
    return KerasFile(model.name, sha256(path), inputs, outputs, layers, count, trainable, regularised(model))


_REGULARIZERS = tuple(
    f"{what}_regularizer"
    for what in ("kernel", "bias", "recurrent", "embeddings", "gamma", "beta", "depthwise", "pointwise", "activity")
)


def regularised(model: keras.Model) -> tuple[str, ...]:
    """The names of layers that add to the loss of a plain `model.fit`: by regularizers of weights or outputs."""
    found = [layer for layer in _layers(model) if any(getattr(layer, name, None) is not None for name in _REGULARIZERS)]
    outer = [layer for layer in found if not type(layer).__name__.endswith("Cell")]  # an LSTM shows those of its cell
    return tuple(dict.fromkeys(layer.name for layer in outer or found))


def regularizers_left_out(name: str, layers: tuple[str, ...]) -> Problem:
    """The warning that what an imported file adds to the loss is not trained with."""
    shown = ", ".join(layers[:8]) + (f" and {len(layers) - 8} more" if len(layers) > 8 else "")
    text = f"The imported layers {shown} have regularizers, which do not count in the loss here."
    hint = "Use optimizer=adamw with weight_decay, or freeze the block."
    return Problem("warning", "regularizers_left_out", name, text, hint)


def _load(path: Path) -> keras.Model:
    if path.suffix.lower() not in SUFFIXES:
        raise _unusable(path, f"expected a file that ends with {', '.join(SUFFIXES)}")
    if path_fault(str(path)) or not path.is_file():
        raise _unusable(path, f"there is no such file in {path.parent}", "Correct the path, or put the file there.")
    fail_if_unsafe(path)

    import keras

    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a foreign file may make Keras raise anything
        raise _refusal(path, f"{type(error).__name__}: {error}") from error
    if not isinstance(model, keras.Model):
        raise _unusable(path, f"it holds a {type(model).__name__}, and a model was expected")
    foreign = sorted({type(layer).__name__ for layer in _layers(model) if not type(layer).__module__.startswith("keras.")})
    if foreign:
        raise _unusable(path, f"it has layers that are not Keras's own: {', '.join(foreign)}")
    if not isinstance(model, keras.Sequential) and not hasattr(model, "operations"):
        raise _unusable(path, "it is a subclass of Model, whose wiring cannot be read", "Save it as a functional model.")
    if not getattr(model, "inputs", None):
        raise _unusable(path, "its inputs are not known: it was saved before it was built", "Build it, and save it again.")
    for side in ("input", "output"):
        if not isinstance(model, keras.Sequential) and not _is_flat(getattr(model, side)):
            why = f"its {side}s are in a dictionary or in lists within a list, and their order would not be certain"
            raise _unusable(path, why, f"Give the {side}s as one list.")
    fixed = next((tensor.shape[0] for tensor in [*model.inputs, *model.outputs] if tensor.shape[0] is not None), None)
    if fixed is not None:
        raise _unusable(path, f"it takes batches of {fixed} rows and no others", "Build it without a batch size.")
    return model


def _is_flat(tensors: Any) -> bool:
    """One tensor, or a list of single ones."""
    if isinstance(tensors, list | tuple):
        return not any(isinstance(tensor, list | tuple | dict) for tensor in tensors)
    return not isinstance(tensors, dict)


def _layers(model: keras.Model) -> list[Any]:
    """Every layer, those of nested models and wrapped layers included."""
    from seqdec_gui.runner.normalization import all_layers

    return all_layers(model)


def _origin(tensor: Any) -> str:
    """The name of the layer that gives this tensor; the tensor's own is another one each time."""
    return str(tensor._keras_history.operation.name)


def _named(path: Path, side: str, tensors: list[Any], names: list[str]) -> tuple[NamedTensor, ...]:
    found: list[NamedTensor] = []
    for tensor, name in zip(tensors, _distinct(names), strict=True):
        dtype = str(tensor.dtype)
        kind: DType
        if dtype.startswith(("int", "uint")):
            kind = "int32"
        elif dtype.startswith(("float", "bfloat")):
            kind = "float32"
        else:
            raise _unusable(path, f"its {side} {name} holds {dtype}, and a block takes float32 numbers or int32 ids")
        found.append(NamedTensor(name, tuple(tensor.shape[1:]), kind))
    return tuple(found)


def _distinct(names: Iterable[str]) -> list[str]:
    """Identifiers, made different by a number where needed: port names of a block."""
    found: list[str] = []
    for name in names:
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "tensor"
        stem = f"_{stem}" if stem[0].isdigit() else stem
        candidate, number = stem, 2
        while candidate in found:
            candidate, number = f"{stem}_{number}", number + 1
        found.append(candidate)
    return found


def _refusal(path: Path, reason: str) -> InvalidInput:
    """Why Keras does not open the file, in words where it is known."""
    if "lambda" in reason.lower():
        return _unusable(path, "it has a Lambda layer, which would run code from the file", "Replace the Lambda by layers.")
    if "time_major" in reason or ("batch_shape" in reason and "Unrecognized keyword" in reason):
        return _unusable(path, "it was written by Keras 2", "Open it with tf_keras, and save it as .keras with Keras 3.")
    if "NotEqual" in reason:
        return _unusable(path, "it is an .h5 file with a mask, which Keras cannot read back", "Save it as .keras.")
    if "No model config" in reason or "config.json" in reason:
        return _unusable(path, "it holds no model, weights alone perhaps", "Save the whole model with model.save.")
    if "file signature" in reason or "accessible `.keras` zip" in reason or "BadZipFile" in reason or "truncated" in reason:
        return _unusable(path, "it is damaged, or no Keras file", "Save it again.")
    named = re.search(r"Could not locate class '([^']+)'|Unknown layer: '([^']+)'", reason)
    if named:
        which = (named.group(1) or named.group(2)).rpartition(">")[2]
        return _unusable(path, f"its layer {which} is not one of Keras's own", "Rebuild it from Keras's layers.")
    return _unusable(path, f"Keras says {reason.splitlines()[0][:300].rstrip('.')}")


def _unusable(path: Path, why: str, hint: str = "") -> InvalidInput:
    return InvalidInput([Problem("error", "unusable_keras_file", "file", f"{path.name} cannot become a block: {why}.", hint)])
