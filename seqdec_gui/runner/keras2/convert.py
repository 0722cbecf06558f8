"""Makes a `.keras` file of Keras 3 from a model of Keras 2, and compares the two where tf_keras is installed."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import h5py
import numpy as np

from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.runner.keras2 import reference
from seqdec_gui.runner.keras2.files import checkpoint_prefix, describe, opened_weights, unusable
from seqdec_gui.runner.keras2.layers import Config
from seqdec_gui.runner.keras2.models import layer_rows, migrate
from seqdec_gui.runner.keras2.transplant import transplant
from seqdec_gui.runs.files import write_atomically

if TYPE_CHECKING:
    import keras

ROWS = 4
"""Rows of random inputs on which the two models are compared."""
STEPS = 9
"""Steps of a sequence whose length the model leaves open."""
LARGEST_DIFFERENCE = 1e-4
"""Largest difference of a prediction from tf_keras's, of max(1, |p|), with which a file is accepted."""


_WEIGHTS = "model.weights.h5"


class Converted(NamedTuple):
    """The file of Keras 3. `difference` is the largest to tf_keras; None where they were not compared, as a note then says."""

    path: Path
    notes: tuple[str, ...]
    difference: float | None


def convert(source: Path, folder: Path, weights: Path | None = None) -> Converted:
    """Write the model of Keras 2 as `.keras` into a folder.

    `source` is a `.keras` or `.h5` file, a `.json` file with `weights` in another file, or the folder of a SavedModel. Raises
    InvalidInput where it cannot be said in Keras 3, where weights do not fit, or where predictions differ.
    """
    found = describe(source)
    if found.config is None:
        hint = "Give the architecture too: import model.json --weights FILE, or put them into a block that is built alike."
        raise unusable(source, "it holds weights alone, and no model", hint)
    if source.suffix.lower() == ".json" and weights is None:
        hint = "Name the file with the weights as well: --weights FILE."
        raise unusable(source, "it describes a model and holds no weights", hint)
    migration = migrate(found.config)
    model = build(migration.config)
    with opened_weights(weights or source) as stored:
        transplant(model, migration.part, stored)
    notes = list(migration.notes)
    difference = _compared(model, source, weights, notes, found.config)
    return Converted(save_beside(model, source, folder), tuple(notes), difference)


def build(config: Config) -> keras.Model:
    """Return the model of a configuration of Keras 3 in safe mode. Raises InvalidInput with what Keras says."""
    import keras

    try:
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    except Exception as error:  # a foreign configuration may make Keras raise anything
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        text = f"The model cannot become a block: Keras says {reason.rstrip('.')}."
        hint = "Please report the file; until then, rebuild the model with Keras 3 and copy the weights with set_weights."
        raise InvalidInput([Problem("error", "unusable_keras_file", "file", text, hint)]) from error
    return model


def random_inputs(model: keras.Model, count: int = ROWS) -> list[Any]:
    """Return `count` random rows for every input; ids are below the smallest size of an Embedding, so that all are known."""
    import keras

    from seqdec_gui.runner.normalization import all_layers

    random = np.random.default_rng(0)
    sizes = [layer.input_dim for layer in all_layers(model) if isinstance(layer, keras.layers.Embedding)]
    inputs: list[Any] = []
    for tensor in model.inputs:
        shape = (count, *(STEPS if axis is None else axis for axis in tensor.shape[1:]))
        if str(tensor.dtype).startswith(("int", "uint")):
            ids = random.integers(1, max(min(sizes, default=2), 2), shape)
            if len(shape) == 2 and shape[1] > 2:
                ids[0, -(shape[1] // 3) :] = 0  # padding, which masks
            inputs.append(ids.astype("int32"))
        else:
            rows = random.normal(size=shape).astype("float32")
            if len(shape) == 3 and shape[1] > 2:
                rows[0, -(shape[1] // 3) :] = 0.0
            inputs.append(rows)
    return inputs


def difference_of(first: Sequence[Any], second: Sequence[Any]) -> float:
    """Return the largest difference of two lists of arrays, of max(1, |p|); infinite where shapes differ or one is NaN."""
    if len(first) != len(second) or any(a.shape != b.shape for a, b in zip(first, second, strict=True)):
        return float("inf")
    largest = 0.0
    for a, b in zip(first, second, strict=True):
        apart = np.abs(a.astype("float64") - b) / np.maximum(1.0, np.abs(b))
        largest = max(largest, float(np.max(apart, initial=0.0))) if np.isfinite(apart).all() else float("inf")
    return largest


def _compared(model: keras.Model, source: Path, weights: Path | None, notes: list[str], config: Config) -> float | None:
    """Return the difference from tf_keras. Raises InvalidInput where it is too large."""
    from seqdec_gui.runner.reopen import predictions

    if not reference.is_installed("tf_keras"):
        notes.append("Not compared with Keras 2, which is not installed: pip install 'seqdec-gui[keras2]'.")
        return None
    inputs = random_inputs(model, batch_size(config) or ROWS)
    stored = weights and (checkpoint_prefix(weights) or weights)
    try:
        expected = reference.predictions(source, inputs, stored)
    except SeqdecError as error:
        notes.append(f"Not compared with Keras 2, which cannot run it here: {error}")
        return None
    difference = difference_of(predictions(model, inputs), expected)
    if difference > LARGEST_DIFFERENCE:
        hint = "Please report the file; until then, rebuild the model with Keras 3 and copy the weights with set_weights."
        raise unusable(source, f"its predictions would differ by {difference:.2g} from those of Keras 2", hint)
    return difference


def batch_size(config: Config) -> int | None:
    """Return the number of rows of a batch that the model of Keras 2 was fixed to; None if it took any."""
    for row in layer_rows(config):
        inner = row["config"]
        shape = isinstance(inner, dict) and (inner.get("batch_input_shape") or inner.get("batch_shape"))
        if isinstance(shape, list) and shape and isinstance(shape[0], int):
            return int(shape[0])
    return None


def save_beside(model: keras.Model, source: Path, folder: Path) -> Path:
    """Save the model under a name that is free, or that holds the same model already."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = source.stem.removesuffix(".weights") or "model"
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as name:
        made = Path(name) / "model.keras"
        model.save(made)
        number = 1
        while True:
            target = folder / (f"{stem}.keras" if number == 1 else f"{stem}_{number}.keras")
            if not target.exists():
                write_atomically(target, made.read_bytes())
                return target
            if _same(made, target):
                return target
            number += 1


def _same(first: Path, second: Path) -> bool:
    """Whether two `.keras` files hold the same model with the same weights; seeds and the bytes of HDF5 may differ."""
    try:
        with zipfile.ZipFile(first) as a, zipfile.ZipFile(second) as b:
            if _described(a) != _described(b):
                return False
            with a.open(_WEIGHTS) as c, b.open(_WEIGHTS) as d, h5py.File(c, "r") as e, h5py.File(d, "r") as f:
                arrays, others = _arrays(e), _arrays(f)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return False
    return arrays.keys() == others.keys() and all(np.array_equal(array, others[name]) for name, array in arrays.items())


def _described(archive: zipfile.ZipFile) -> Any:
    """Return the configuration of a `.keras` file without the numbers that are addresses in memory."""

    def without(item: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in item.items() if key != "shared_object_id"}

    return json.loads(archive.read("config.json"), object_hook=without)


def _arrays(file: h5py.File) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and "seed_generator" not in name:
            found[name] = item[()]

    file.visititems(add)
    return found
