"""What only Keras 2 and TensorFlow themselves can say, asked of a process of its own: predictions, and tensors of a checkpoint.

`python -m seqdec_gui.runner.keras2.reference predict MODEL INPUTS.npz ANSWER.npz [ARCHITECTURE]` opens a file with tf_keras in
safe mode; `... checkpoint PREFIX ANSWER.npz` reads a TensorFlow checkpoint.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError

Array = npt.NDArray[Any]
LONGEST_S = 300
"""Seconds after which the process is ended."""


def is_installed(package: str) -> bool:
    """Whether a package can be imported by a fresh process."""
    package = package.partition(".")[0]
    if package in sys.modules:
        return True
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # left out in this process (`runner.import_trimming`), but installed
        return any((Path(folder) / package).is_dir() for folder in sys.path)


def predictions(path: Path, inputs: Sequence[Array], weights: Path | None = None) -> list[Array]:
    """Return what tf_keras predicts with the model of this file. Raises SeqdecError with what it says."""
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as name:
        given, answer = Path(name) / "inputs.npz", Path(name) / "answer.npz"
        np.savez(given, allow_pickle=False, **{str(i): array for i, array in enumerate(inputs)})
        _run(["predict", str(path), str(given), str(answer), *([str(weights)] if weights else [])])
        with np.load(answer, allow_pickle=False) as arrays:
            return [arrays[str(i)] for i in range(len(arrays.files))]


def checkpoint_arrays(prefix: Path) -> dict[str, Array]:
    """Return the tensors of a TensorFlow checkpoint by the ways through its object graph. Raises InvalidInput."""
    if not is_installed("tensorflow.python"):
        text = f"Reading {prefix.name}, a checkpoint of TensorFlow, needs TensorFlow."
        raise InvalidInput([Problem("error", "unusable_keras_file", "file", text, "Install it: pip install tensorflow.")])
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as name:
        answer = Path(name) / "answer.npz"
        try:
            _run(["checkpoint", str(prefix), str(answer)])
        except SeqdecError as error:
            text = f"{prefix.parent.name}/{prefix.name} is damaged, or no checkpoint of TensorFlow: {error}"
            raise InvalidInput([Problem("error", "unusable_keras_file", "file", text, "Save the model again.")]) from error
        with np.load(answer, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def _run(arguments: list[str]) -> None:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}
    command = [sys.executable, "-m", "seqdec_gui.runner.keras2.reference", *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        raise SeqdecError(f"It took more than {LONGEST_S} seconds.") from None
    if done.returncode:
        lines = [line for line in done.stderr.strip().splitlines() if line]
        raise SeqdecError(lines[-1][:300] if lines else f"the process ended with exit status {done.returncode}.")


# -- in the process
def _predict(path: str, given: str, answer: str, weights: str = "") -> None:
    import tf_keras
    from tf_keras.src.layers import GRU, LSTM

    class CuDNNGRU(GRU):  # type: ignore[misc]
        """A GRU with the layout of cuDNN, which tf_keras converts when it loads."""

        def __init__(self, *args: Any, **keywords: Any) -> None:
            super().__init__(*args, **keywords | {"reset_after": True})

    CuDNNGRU.__name__ = "GRU"
    known = {"CuDNNLSTM": LSTM, "CuDNNGRU": CuDNNGRU}
    if weights:
        model = tf_keras.models.model_from_json(Path(path).read_text(encoding="utf-8"), custom_objects=known)
        model.load_weights(weights).expect_partial() if weights.endswith(("ckpt", "variables")) else model.load_weights(weights)
    else:
        try:
            model = tf_keras.models.load_model(path, compile=False, custom_objects=known, safe_mode=True)
        except TypeError:
            model = _old_model(path, known)
    with np.load(given, allow_pickle=False) as arrays:
        inputs = [arrays[str(i)] for i in range(len(arrays.files))]
    if len({len(array) for array in inputs}) > 1:  # steps first in some: `predict_on_batch` asks for as many rows in all
        outputs = model([tf_keras.backend.constant(array, dtype=array.dtype) for array in inputs], training=False)
    else:
        outputs = model.predict_on_batch(inputs[0] if len(inputs) == 1 else inputs)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    np.savez(answer, allow_pickle=False, **{str(i): np.asarray(output) for i, output in enumerate(outputs)})


def _old_model(path: str, known: dict[str, Any]) -> Any:
    """Open a file of Keras 2.0 or 2.1, which wrote the type of the ids as the type of an Embedding."""
    import json

    import h5py
    import tf_keras

    with h5py.File(path, "r") as file:
        config = json.loads(file.attrs["model_config"])
    todo: list[Any] = [config]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if item.get("class_name") == "Embedding":
                item["config"].pop("dtype", None)
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    model = tf_keras.models.model_from_json(json.dumps(config), custom_objects=known)
    model.load_weights(path)
    return model


def _checkpoint(prefix: str, answer: str) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    reader = tf.train.load_checkpoint(prefix)
    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    arrays: dict[str, Array] = {}

    def walk(number: int, place: tuple[str, ...], around: frozenset[int]) -> None:
        node = graph.nodes[number]
        for attribute in node.attributes:
            if attribute.name == "VARIABLE_VALUE":
                arrays["/".join(place)] = reader.get_tensor(attribute.checkpoint_key)
        for child in node.children:
            name = child.local_name
            inner = name.startswith("layer_with_weights-") or (place and not name.startswith(_SIDEWAYS))
            if inner and child.node_id not in around:
                walk(child.node_id, (*place, name), around | {child.node_id})

    walk(0, (), frozenset({0}))
    np.savez(answer, allow_pickle=False, **arrays)


_SIDEWAYS = ("layer-", "variables", "trainable_variables", "non_trainable_variables", "regularization_losses", "keras_api",
             "layers", "signatures", "_", "optimizer", "metrics")  # fmt: skip
"""Beginnings of names in the object graph that lead to what other names lead to as well."""


def main() -> None:
    command, *arguments = sys.argv[1:]
    if command == "predict":
        _predict(*arguments)
    else:
        _checkpoint(*arguments)


if __name__ == "__main__":
    main()
