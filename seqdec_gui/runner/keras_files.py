"""Looking into a Keras file that somebody made elsewhere, so that it can become a block of a design."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from seqdec_gui.domain.kinds.keras_model import NamedTensor
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.script_files import sha256

if TYPE_CHECKING:
    import keras

SUFFIXES = (".keras", ".h5", ".hdf5")


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


def inspect(path: Path) -> KerasFile:
    """Open the file in safe mode, run nothing of it, and say what it holds. Raises InvalidInput with the reason."""
    model = _load(path)
    inputs = _named(model, "inputs", _own_names(model.inputs))
    outputs = _named(model, "outputs", _output_names(model))
    layers = tuple(
        FoundLayer(layer.name, type(layer).__name__, layer.count_params()) for layer in _layers(model) if layer is not model
    )
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return KerasFile(model.name, sha256(path), inputs, outputs, layers, model.count_params(), trainable)


def _load(path: Path) -> keras.Model:
    if path.suffix.lower() not in SUFFIXES:
        raise _unusable(path, f"expected a file that ends with {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise _unusable(path, "there is no such file")

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
    if not isinstance(model, keras.Sequential) and not hasattr(model, "_operations"):
        raise _unusable(path, "it is a subclass of Model, whose wiring cannot be read", "Save it as a functional model.")
    if not getattr(model, "inputs", None):
        raise _unusable(path, "its inputs are not known: it was saved before it was built", "Build it, and save it again.")
    return model


def _layers(model: keras.Model) -> Iterator[Any]:
    """Every layer, those of nested models and wrapped layers included."""
    yield from model._flatten_layers(include_self=False, recursive=True)


def _named(model: keras.Model, side: str, names: list[str]) -> tuple[NamedTensor, ...]:
    tensors = getattr(model, side)
    if isinstance(tensors, dict):
        tensors = list(tensors.values())
    found: list[NamedTensor] = []
    for tensor, name in zip(tensors, _distinct(names), strict=True):
        dtype = str(tensor.dtype)
        kind = "int32" if dtype.startswith(("int", "uint")) else "float32" if dtype.startswith(("float", "bfloat")) else ""
        if not kind:
            text = f"{side[:-1]} {name} of {model.name} holds {dtype}; a block takes float32 numbers or int32 ids."
            raise InvalidInput([Problem("error", "unusable_keras_file", "file", text, "Use a model of numbers.")])
        found.append(NamedTensor(name, tuple(tensor.shape[1:]), kind))  # type: ignore[arg-type]
    return tuple(found)


def _own_names(tensors: Any) -> list[str]:
    if isinstance(tensors, dict):
        return [str(name) for name in tensors]
    return [str(tensor.name) for tensor in tensors]


def _output_names(model: keras.Model) -> list[str]:
    if isinstance(model.outputs, dict):
        return [str(name) for name in model.outputs]
    return [str(name) for name in model.output_names] if hasattr(model, "output_names") else _own_names(model.outputs)


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
    if "custom_object" in reason or "Unknown layer" in reason or "could not be found" in reason or "Could not locate" in reason:
        named = re.search(r"class '?(\w+)'?|[Uu]nknown layer: '?(\w+)'?", reason)
        which = f" ({named.group(1) or named.group(2)})" if named else ""
        return _unusable(path, f"it has a layer that is not Keras's own{which}", "Rebuild it from Keras's layers.")
    return _unusable(path, f"Keras says {reason.splitlines()[0][:300].rstrip('.')}")


def _unusable(path: Path, why: str, hint: str = "") -> InvalidInput:
    return InvalidInput([Problem("error", "unusable_keras_file", "file", f"{path.name} cannot become a block: {why}.", hint)])
