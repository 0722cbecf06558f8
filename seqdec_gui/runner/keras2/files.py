"""Finds out what a file or folder of a model is, and reads configuration and weights from those of Keras 2."""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.keras2 import reference
from seqdec_gui.runner.keras2.layers import Config
from seqdec_gui.runner.keras2.saved_model import keras_metadata
from seqdec_gui.runner.keras2.stored import FlatFile, NestedFile, ObjectGraph, Stored, layers_of
from seqdec_gui.runner.keras_safety import LARGEST_CONFIG, fail_if_unsafe, fault_of_hdf5

SAVED_MODEL = "saved_model.pb"
"""The file in the folder of a SavedModel."""
_HDF5 = (".h5", ".hdf5", ".hdf", ".weights")
_OTHERS = {
    ".onnx": "ONNX", ".tflite": "TensorFlow Lite", ".pt": "PyTorch", ".pth": "PyTorch", ".pkl": "a pickle",
    ".joblib": "a pickle", ".pb": "a frozen graph of TensorFlow", ".mlmodel": "Core ML", ".safetensors": "safetensors",
    ".yaml": "a configuration in YAML", ".yml": "a configuration in YAML",
}  # fmt: skip
"""What files with other endings hold."""


class Description(NamedTuple):
    """What was found: the configuration (None: weights alone), the version of Keras (empty if it is not said)."""

    config: Config | None
    keras_version: str

    @property
    def is_keras2(self) -> bool:
        """Whether Keras 2 wrote it; where the version is not said, the form of the configuration says it."""
        if self.keras_version:
            return self.keras_version.startswith(("1.", "2."))
        return self.config is not None and "keras.src.models" not in json.dumps(self.config)[:2000]


def describe(path: Path) -> Description:
    """Read the configuration of a model. Raises InvalidInput where there is none to read."""
    if path.is_dir():
        return _of_saved_model(path)
    if path.suffix.lower() == ".json":
        return _of_json(path)
    if path.suffix.lower() in _OTHERS:
        raise unusable(path, f"it is {_OTHERS[path.suffix.lower()]}, and a model of Keras was expected", _convert_hint(path))
    fail_if_unsafe(path)
    if zipfile.is_zipfile(path):
        return _of_archive(path)
    with h5py.File(path, "r", locking=False) as file:
        config = file.attrs.get("model_config")
        version = _text(file.attrs.get("keras_version", "")) or _version_of_weights(file)
        return Description(None if config is None else _decoded(path, config), version)


MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, OSError, RecursionError)
"""What reading raises where the parts of a file are not what Keras 2 writes there."""


@contextlib.contextmanager
def opened_weights(path: Path) -> Iterator[Stored]:
    """Yield the weights of a file or folder of Keras 2. Raises InvalidInput where it holds none, or they are damaged."""
    try:
        with _opened_weights(path) as stored:
            yield stored
    except MALFORMED as error:
        raise unusable(path, "its weights are damaged, or not those of Keras", "Save them again.") from error


@contextlib.contextmanager
def _opened_weights(path: Path) -> Iterator[Stored]:
    if checkpoint := checkpoint_prefix(path):
        yield ObjectGraph(reference.checkpoint_arrays(checkpoint))
        return
    if not path.is_file():
        raise unusable(path, "there is no such file", "Correct the path, or put the file there.")
    fail_if_unsafe(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            name = next((name for name in archive.namelist() if name.endswith("model.weights.h5")), "")
            if not name:
                raise unusable(path, "it holds no weights", "Save the whole model with model.save.")
            with archive.open(name) as member, h5py.File(member, "r") as file:
                yield NestedFile(file)
        return
    with h5py.File(path, "r", locking=False) as file:
        if why := fault_of_hdf5(file):
            raise unusable(path, why, "Save the weights again.")
        flat = layers_of(file)
        if flat is None and not {"layers", "_layer_checkpoint_dependencies"} & set(file):
            raise unusable(path, "it holds no weights of Keras", "Save them with model.save_weights.")
        yield NestedFile(file) if flat is None else FlatFile(flat)


def checkpoint_prefix(path: Path) -> Path | None:
    """Return the common beginning of the files of a TensorFlow checkpoint; None for anything else."""
    if path.is_dir() and (path / "variables" / "variables.index").is_file():
        return path / "variables" / "variables"
    if path.name.endswith(".index") and path.is_file():
        return path.with_suffix("")
    if not path.exists() and path.with_name(f"{path.name}.index").is_file():
        return path
    return None


def _of_json(path: Path) -> Description:
    if path.stat().st_size > LARGEST_CONFIG:
        raise unusable(path, "it is too large for the description of a model", "Save it with model.to_json.")
    config = _decoded(path, path.read_bytes())
    if "class_name" not in config:
        raise unusable(path, "it does not describe a model", "Write it with model.to_json().")
    return Description(config, str(config.get("keras_version", "")))


def _of_archive(path: Path) -> Description:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "config.json" not in names:
            return Description(None, "")
        metadata = _decoded(path, archive.read("metadata.json")) if "metadata.json" in names else {}
        return Description(_decoded(path, archive.read("config.json")), str(metadata.get("keras_version", "")))


def _of_saved_model(path: Path) -> Description:
    if not (path / SAVED_MODEL).is_file():
        raise unusable(path, f"a folder without {SAVED_MODEL}", "Choose the folder of a SavedModel, or a .keras or .h5 file.")
    config = keras_metadata(path)
    if config is None:
        hint = (
            "Save the model itself with model.save('model.keras'); what model.export and tf.saved_model.save write can only be "
            "run, not trained."
        )
        raise unusable(path, "this SavedModel holds functions, and no description of layers", hint)
    return Description(config, "2.")


def _version_of_weights(file: h5py.File) -> str:
    """Return the version of a file of weights alone, as far as its layout tells."""
    return "2." if layers_of(file) is not None else ""


def _decoded(path: Path, text: Any) -> Config:
    try:
        config = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise unusable(path, "the description of its model is damaged", "Save it again.") from None
    if isinstance(config, str):  # some tools encode it twice
        config = _decoded(path, config)
    if isinstance(config, list) and all(isinstance(row, dict) for row in config):
        config = {"class_name": "Sequential", "config": config}
    if not isinstance(config, dict):
        raise unusable(path, "the description of its model is damaged", "Save it again.")
    return config


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(np.asarray(value))


def _convert_hint(path: Path) -> str:
    if path.suffix.lower() in (".yaml", ".yml"):
        return "Open it with Keras 2, write model.to_json() to a .json file, and import that with its weights."
    return "Build the model with Keras and save it with model.save('model.keras')."


def unusable(path: Path, why: str, hint: str = "") -> InvalidInput:
    """Return the error that this file cannot become a block. `why` is a sentence without its full stop."""
    return InvalidInput([Problem("error", "unusable_keras_file", "file", f"{path.name} cannot become a block: {why}.", hint)])
