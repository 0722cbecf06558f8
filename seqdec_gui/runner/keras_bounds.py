"""Refuses files whose models claim to be far larger than what they hold, before anything of that size is made.

A few bytes can describe a layer of 10^9 units. What a model would need is counted by building it without values.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from seqdec_gui.domain.problems import InvalidInput, Problem

FREE_WEIGHTS = 16 << 20
"""Weights that any file may describe, whatever it holds; 64 MiB as float32."""
NO_NUMBERS = "values that are no numbers (NaN or infinite)"
"""What is said of weights of a training that failed."""
BEFORE_IT_FAILED = "Take the weights of an earlier epoch, before the training failed."
LARGEST_ROW = 1 << 28
"""Most numbers that a layer may make of one row; 1 GiB as float32."""


def fail_if_larger_than_held(name: str, held: int, make: Callable[[], Any]) -> None:
    """Raise InvalidInput where what `make` builds has more weights than the file holds, or makes too much of a row.

    Keras builds it without values; what it cannot build is left to the caller, who builds it again. `held` are the numbers that
    the file holds.
    """
    import keras
    from keras.src.backend.common import global_state

    kept = global_state.get_global_attribute("uninitialized_variables")
    global_state.set_global_attribute("uninitialized_variables", [])
    model = None
    try:
        with keras.StatelessScope(initialize_variables=False):
            model = make()
    except Exception:
        pass
    described = sum(math.prod(each.shape) for each in global_state.get_global_attribute("uninitialized_variables") or ())
    global_state.set_global_attribute("uninitialized_variables", kept or [])
    if described > max(FREE_WEIGHTS, held):
        raise _refused(name, f"it describes {described:,} weights, and holds {held:,} numbers")
    if isinstance(model, keras.Model):
        _fail_if_rows_are_large(name, model)


def _fail_if_rows_are_large(name: str, model: Any) -> None:
    for layer in getattr(model, "operations", None) or model.layers:
        for node in getattr(layer, "_inbound_nodes", ()):
            for tensor in node.output_tensors:
                size = math.prod(axis or 1 for axis in tensor.shape[1:])
                if size > LARGEST_ROW:
                    raise _refused(name, f"its layer {layer.name} makes {size:,} numbers of one row")


def weight_that_is_no_number(model: Any) -> str:
    """Return the path of the first weight of a model with NaN or an infinite value; empty if there is none."""
    for weight in model.weights:
        values = np.asarray(weight)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            return str(weight.path)
    return ""


def held_by(path: Path) -> int:
    """Return how many numbers a `.keras` or HDF5 file holds; 0 where it cannot be read."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                total = 0
                for entry in archive.infolist():
                    if entry.filename.endswith(".h5"):
                        with archive.open(entry) as member, h5py.File(member, "r") as file:
                            total += _held(file)
                return total
        with h5py.File(path, "r", locking=False) as file:
            return _held(file)
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile):
        return 0


def _held(file: h5py.File) -> int:
    total = 0

    def add(name: str, item: Any) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            total += math.prod(item.shape)

    file.visititems(add)
    return total


def model_of(path: Path) -> Any:
    """Return the model of the description in a file of Keras 3, without its weights. Keras may raise anything."""
    import keras

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return keras.saving.deserialize_keras_object(json.loads(archive.read("config.json")), safe_mode=True)
    from keras.src.legacy.saving import saving_utils

    with h5py.File(path, "r", locking=False) as file:
        return saving_utils.model_from_config(json.loads(file.attrs["model_config"]), custom_objects={})


def _refused(name: str, why: str) -> InvalidInput:
    hint = "Save the model again from Keras's own layers."
    return InvalidInput([Problem("error", "unsafe_keras_file", "file", f"{name} is not opened: {why}.", hint)])
