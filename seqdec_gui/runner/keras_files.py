"""Inspects a Keras file that was made elsewhere, so that it can become a block of a design."""

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
from seqdec_gui.runner.keras_bounds import (
    BEFORE_IT_FAILED,
    NO_NUMBERS,
    fail_if_larger_than_held,
    held_by,
    model_of,
    weight_that_is_no_number,
)
from seqdec_gui.runner.keras_facts import known_ids, output_activations
from seqdec_gui.runner.keras_safety import fail_if_unsafe
from seqdec_gui.runner.script_files import sha256

if TYPE_CHECKING:
    import keras


class LayerSummary(msgspec.Struct, frozen=True):
    """A layer of a file: name, class, number of weights."""

    name: str
    kind: str
    parameters: int


class KerasFile(msgspec.Struct, frozen=True):
    """The description of a file for a `keras_model` block. Tensor names are identifiers; shapes are without the batch axis."""

    name: str
    sha256: str
    inputs: tuple[NamedTensor, ...]
    outputs: tuple[NamedTensor, ...]
    layers: tuple[LayerSummary, ...]
    parameters: int
    trainable: int
    regularised: tuple[str, ...] = ()
    """Names of layers with regularizers, which do not count in the loss here."""
    symbols: tuple[int | None, ...] = ()
    """For each input how many ids its Embedding knows; None for one that is not embedded."""
    activations: tuple[str | None, ...] = ()
    """The activation of every output, as far as it can be said."""


def inspect(path: Path) -> KerasFile:
    """Open the file in safe mode, without running anything of it, and return its description.

    Raises InvalidInput, with the reason, where the file cannot become a block.
    """
    model = _load(path)
    symbols = tuple(known_ids(model))
    inputs = tuple(
        end if room is None else msgspec.structs.replace(end, dtype="int32")  # ids, though Keras may hold them as numbers
        for end, room in zip(
            _named(path, "input", list(model.inputs), [tensor.name for tensor in model.inputs]), symbols, strict=True
        )
    )
    outputs = _named(path, "output", list(model.outputs), [_origin(tensor) for tensor in model.outputs])
    layers = tuple(LayerSummary(layer.name, type(layer).__name__, layer.count_params()) for layer in _layers(model))
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    count = model.count_params()
    return KerasFile(
        model.name, sha256(path), inputs, outputs, layers, count, trainable, regularised(model), symbols, _activations(model)
    )


def _activations(model: keras.Model) -> tuple[str | None, ...]:
    """Return the activations of the outputs of the model; Nones where its configuration has another form."""
    import keras

    try:
        return tuple(output_activations(keras.saving.serialize_keras_object(model)))
    except (KeyError, IndexError, TypeError, ValueError):
        return (None,) * len(model.outputs)


_REGULARIZERS = tuple(
    f"{what}_regularizer"
    for what in ("kernel", "bias", "recurrent", "embeddings", "gamma", "beta", "depthwise", "pointwise", "activity")
)


def regularised(model: keras.Model) -> tuple[str, ...]:
    """Return the names of layers with regularizers of weights or outputs, which add to the loss of a plain `model.fit`."""
    layers = [layer for layer in _layers(model) if any(getattr(layer, name, None) is not None for name in _REGULARIZERS)]
    outer = [layer for layer in layers if not type(layer).__name__.endswith("Cell")]  # an LSTM has those of its cell
    return tuple(dict.fromkeys(layer.name for layer in outer or layers))


def regularizers_left_out(name: str, layers: tuple[str, ...]) -> Problem:
    """Return the warning that regularizers of an imported file do not count in the loss here."""
    names = ", ".join(layers[:8]) + (f" and {len(layers) - 8} more" if len(layers) > 8 else "")
    text = f"The imported layers {names} have regularizers, which do not count in the loss here."
    hint = "Use optimizer=adamw with weight_decay, or freeze the block."
    return Problem("warning", "regularizers_left_out", name, text, hint)


def _load(path: Path) -> keras.Model:
    if path.suffix.lower() not in SUFFIXES:
        raise _unusable(path, f"expected a file that ends with {', '.join(SUFFIXES)}")
    if path_fault(str(path)) or not path.is_file():
        raise _unusable(path, f"there is no such file in {path.parent}", "Correct the path, or put the file there.")
    fail_if_unsafe(path)

    import keras

    fail_if_larger_than_held(path.name, held_by(path), lambda: model_of(path))
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
    if unfit := weight_that_is_no_number(model):
        raise _unusable(path, f"its weights {unfit} have {NO_NUMBERS}", BEFORE_IT_FAILED)
    fixed = next((tensor.shape[0] for tensor in [*model.inputs, *model.outputs] if tensor.shape[0] is not None), None)
    if fixed is not None:
        raise _unusable(path, f"it takes batches of {fixed} rows and no others", "Build it without a batch size.")
    return model


def _is_flat(tensors: Any) -> bool:
    """Whether this is one tensor or a list of tensors."""
    if isinstance(tensors, list | tuple):
        return not any(isinstance(tensor, list | tuple | dict) for tensor in tensors)
    return not isinstance(tensors, dict)


def _layers(model: keras.Model) -> list[Any]:
    """Return every layer, including those of nested models and wrapped layers."""
    from seqdec_gui.runner.normalization import all_layers

    return all_layers(model)


def _origin(tensor: Any) -> str:
    """Return the name of the layer that computes this tensor; the tensor's own name differs each time."""
    return str(tensor._keras_history.operation.name)


def _named(path: Path, side: str, tensors: list[Any], names: list[str]) -> tuple[NamedTensor, ...]:
    named_tensors: list[NamedTensor] = []
    for tensor, name in zip(tensors, _distinct(names), strict=True):
        dtype = str(tensor.dtype)
        kind: DType
        if dtype.startswith(("int", "uint")):
            kind = "int32"
        elif dtype.startswith(("float", "bfloat")):
            kind = "float32"
        else:
            raise _unusable(path, f"its {side} {name} holds {dtype}, and a block takes float32 numbers or int32 ids")
        named_tensors.append(NamedTensor(name, tuple(tensor.shape[1:]), kind))
    return tuple(named_tensors)


def _distinct(names: Iterable[str]) -> list[str]:
    """Return the names as identifiers for ports, made unique by a number where necessary."""
    identifiers: list[str] = []
    for name in names:
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "tensor"
        stem = f"_{stem}" if stem[0].isdigit() else stem
        candidate, number = stem, 2
        while candidate in identifiers:
            candidate, number = f"{stem}_{number}", number + 1
        identifiers.append(candidate)
    return identifiers


def _refusal(path: Path, reason: str) -> InvalidInput:
    """Return the error that Keras cannot open the file, with a plain sentence for the known reasons."""
    if "lambda" in reason.lower():
        return _unusable(path, "it has a Lambda layer, which would run code from the file", "Replace the Lambda by layers.")
    if _is_of_keras2(path):
        return _unusable(path, "it was written by Keras 2", "Import it with seqdec-gui import, which writes it for Keras 3.")
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
    said = reason.rpartition("Exception encountered: ")[2].strip() or reason
    return _unusable(path, f"Keras says {said.splitlines()[0][:300].rstrip('.')}")


def _is_of_keras2(path: Path) -> bool:
    """Whether the description in a file has the version or the form of Keras 2."""
    from seqdec_gui.runner.keras2.files import describe

    try:
        return describe(path).is_keras2
    except (InvalidInput, OSError, ValueError):
        return False


def _unusable(path: Path, why: str, hint: str = "") -> InvalidInput:
    return InvalidInput([Problem("error", "unusable_keras_file", "file", f"{path.name} cannot become a block: {why}.", hint)])
