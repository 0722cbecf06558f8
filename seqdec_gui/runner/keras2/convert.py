"""Makes a `.keras` file of Keras 3 from a model of Keras 2, and compares the two where tf_keras is installed."""

from __future__ import annotations

import copy
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import h5py
import numpy as np

from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.runner.keras2 import reference, short_steps
from seqdec_gui.runner.keras2.files import MALFORMED, checkpoint_prefix, describe, opened_weights, unusable
from seqdec_gui.runner.keras2.layers import Config
from seqdec_gui.runner.keras2.models import layer_rows, migrate
from seqdec_gui.runner.keras2.steps_first import RowsFirst, rows_first
from seqdec_gui.runner.keras2.stock import has_operations, with_layers
from seqdec_gui.runner.keras2.transplant import transplant
from seqdec_gui.runner.keras_bounds import (
    BEFORE_IT_FAILED,
    NO_NUMBERS,
    fail_if_larger_than_held,
    held_by,
    weight_that_is_no_number,
)
from seqdec_gui.runs.files import write_atomically

if TYPE_CHECKING:
    import keras

ROWS = 4
"""Rows of random inputs on which the two models are compared."""
LARGEST_DIFFERENCE = 1e-4
"""Largest difference of a prediction from tf_keras's, of max(1, |p|), with which a file is accepted."""


LOW_PRECISION = {"mixed_float16": 5e-3, "float16": 5e-3, "mixed_bfloat16": 4e-2, "bfloat16": 4e-2}
"""The largest difference for a model that Keras 2 computes in half precision, and that computes in float32 here."""
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
    try:
        turned = rows_first(found.config)
        migration = migrate(turned.config)
    except MALFORMED:
        why = "the description of its model has a form that no version of Keras 2 writes"
        raise unusable(source, why, "Save the model again, with model.save or model.to_json.") from None
    held = _held(weights or source)
    model = build(migration.config, source.name, held)
    if has_operations(migration.config):
        model = build(with_layers(migration.config, model), source.name, held)
    with opened_weights(weights or source) as stored:
        transplant(model, migration.part, stored)
    if unfit := weight_that_is_no_number(model):
        raise unusable(source, f"its weights {unfit} have {NO_NUMBERS}", BEFORE_IT_FAILED)
    notes = [*turned.notes, *migration.notes]
    difference = _compared(model, source, weights, notes, turned)
    return Converted(save_beside(model, source, folder), tuple(notes), difference)


def _held(path: Path) -> int:
    """Return how many numbers the weights of a file or of a checkpoint can be at most."""
    if prefix := checkpoint_prefix(path):
        return sum(part.stat().st_size for part in prefix.parent.glob(f"{prefix.name}.data-*"))
    return held_by(path)


def build(config: Config, name: str = "The model", held: int = 0) -> keras.Model:
    """Return the model of a configuration of Keras 3 in safe mode.

    Keras changes what it is given, so it gets copies. Raises InvalidInput with what Keras says, or where it has far more
    weights than the `held` numbers of its file.
    """
    import keras

    fail_if_larger_than_held(name, held, lambda: keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True))
    try:
        model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
    except Exception as error:  # a foreign configuration may make Keras raise anything
        reason = reason_of(error)
        text = f"The model cannot become a block: Keras says {reason.rstrip('.')}."
        hint = "Please report the file; until then, rebuild the model with Keras 3 and copy the weights with set_weights."
        raise InvalidInput([Problem("error", "unusable_keras_file", "file", text, hint)]) from error
    return model


def reason_of(error: Exception) -> str:
    """Return what Keras says, in one line: the innermost of several messages that are nested."""
    text = str(error).rpartition("Exception encountered: ")[2].strip() or type(error).__name__
    return text.splitlines()[0][:300]


def random_inputs(model: keras.Model, count: int = ROWS) -> list[Any]:
    """Return `count` random rows for every input; ids are below the smallest size of an Embedding, so that all are known."""
    import keras

    from seqdec_gui.runner.keras_facts import known_ids
    from seqdec_gui.runner.normalization import all_layers

    random = np.random.default_rng(0)
    sizes = [layer.input_dim for layer in all_layers(model) if isinstance(layer, keras.layers.Embedding)]
    inputs: list[Any] = []
    rooms = known_ids(model)
    for place, tensor in enumerate(model.inputs):
        shape = (count, *(short_steps.STEPS if axis is None else axis for axis in tensor.shape[1:]))
        if str(tensor.dtype).startswith(("int", "uint")) or rooms[place] is not None:
            ids = random.integers(1, max(min(sizes, default=2), 2), shape)
            if len(shape) == 2 and shape[1] > 2:
                ids[place % count, -(shape[1] // 3) :] = 0  # padding, which masks; in other rows of the next input
            inputs.append(ids.astype("int32"))
        else:
            rows = random.normal(size=shape).astype("float32")
            if len(shape) == 3 and shape[1] > 2:
                rows[place % count, -(shape[1] // 3) :] = 0.0
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


def _compared(model: keras.Model, source: Path, weights: Path | None, notes: list[str], turned: RowsFirst) -> float | None:
    """Return the difference from tf_keras. Raises InvalidInput where it is too large."""
    from seqdec_gui.runner.reopen import predictions

    if not reference.is_installed("tf_keras"):
        notes.append("Not compared with Keras 2, which is not installed: pip install 'seqdec-gui[keras2]'.")
        return None
    config = turned.config
    inputs = random_inputs(model, batch_size(config) or ROWS)
    stored = weights and (checkpoint_prefix(weights) or weights)
    try:
        expected = _exchanged(reference.predictions(source, _exchanged(inputs, turned.inputs), stored), turned.outputs)
    except SeqdecError as error:
        notes.append(f"Not compared with Keras 2, which cannot run it here: {error}")
        return None
    difference = difference_of(predictions(model, inputs), expected)
    allowed = max([LARGEST_DIFFERENCE, *(LOW_PRECISION.get(precision, 0.0) for precision in precisions(config))])
    if difference > allowed and (short := _over_few_steps(model, config, stored or source, inputs, difference)) is not None:
        notes.append(
            f"The model enlarges rounding: on random rows of its full length it differs by {difference:.2g}, and weights that "
            f"differ in the last bit alone change it as much. It was compared over {short_steps.STEPS} steps instead."
        )
        difference = short
    if difference > allowed:
        hint = "Please report the file; until then, rebuild the model with Keras 3 and copy the weights with set_weights."
        raise unusable(source, f"its predictions would differ by {difference:.2g} from those of Keras 2", hint)
    return difference


def _exchanged(arrays: Sequence[Any], turned: Sequence[bool]) -> list[Any]:
    """Return the arrays, those that are named with rows and steps exchanged."""
    if not any(turned):
        return list(arrays)
    return [np.swapaxes(array, 0, 1) if is_turned else array for array, is_turned in zip(arrays, turned, strict=True)]


def _over_few_steps(
    model: keras.Model, config: Config, weights: Path, inputs: Sequence[Any], difference: float
) -> float | None:
    """Return the difference over few steps, where rounding explains that over all of them; None otherwise."""
    few = short_steps.shortened(config)
    if few is None or not short_steps.rounding_explains(model, inputs, difference, difference_of):
        return None
    try:
        short = build(migrate(few).config, "The model", model.count_params())
        short.set_weights(model.get_weights())
    except (InvalidInput, ValueError):  # a layer whose weights depend on the length
        return None
    rows = random_inputs(short, batch_size(config) or ROWS)
    return short_steps.difference_over_few_steps(short, few, weights, rows, difference_of)


def precisions(config: Config) -> Iterator[str]:
    """Yield the types in which the layers of a model of Keras 2 compute."""
    for row in layer_rows(config):
        dtype = row["config"].get("dtype") if isinstance(row["config"], dict) else None
        if isinstance(dtype, dict):
            dtype = (dtype.get("config") or {}).get("name")
        if isinstance(dtype, str):
            yield dtype


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
