"""Reads the weights of a file layer by layer, whatever wrote it: a run, Keras 3, or Keras 2, with or without the model."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import h5py
import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.keras2.files import MALFORMED
from seqdec_gui.runner.keras2.stored import FlatFile, layers_of
from seqdec_gui.runner.keras2.transplant import from_cudnn
from seqdec_gui.runner.keras_bounds import fail_if_larger_than_held, held_by, model_of
from seqdec_gui.runner.keras_safety import fail_if_unsafe, fault_of_hdf5
from seqdec_gui.runs.checkpoint_file import head

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
_CHECKPOINT = head(0).partition(b"=")[0]
"""The first bytes of a checkpoint of a run, and of the weights of a split model."""


class SourceLayer(NamedTuple):
    """A layer with its weights. `made` is the Keras layer, if the file describes it; None for weights alone.

    `series` is the name under which Keras wrote it, `lstm`, `lstm_1`, ... in the order of the model; empty for other files.
    `presumed` are settings, with values, that the file does not name and that the version of Keras which wrote it had.
    """

    name: str
    arrays: tuple[Array, ...]
    made: Any = None
    series: str = ""
    presumed: tuple[tuple[str, str], ...] = ()

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(int(size) for size in array.shape) for array in self.arrays)

    @property
    def last_name(self) -> str:
        """The name without those of the models that the layer is in."""
        return self.name.rpartition("/")[2]


class Source(NamedTuple):
    """The layers of a file by part: a block of a run; "" for all of a model, and the path of each model inside: `encoder`.

    `in_order`: the layers come in the order of the model, so that layers of equal shapes can be told apart without their names.
    """

    parts: dict[str, tuple[SourceLayer, ...]]
    in_order: bool
    notes: tuple[str, ...] = ()


def read(path: Path) -> Source:
    """Return the weights of a file; nothing of it is run. Raises InvalidInput where it holds none, or is damaged."""
    if not path.is_file() and not path.is_dir():
        raise _unreadable(path, f"there is no such file in {path.parent}", "Correct the path, or put the file there.")
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(_CHECKPOINT)) == _CHECKPOINT:
                return _of_checkpoint(path)
        if _is_weights_alone(path):
            return _of_weights_alone(path)
    return _of_model(path)


# -- files of this program
def _of_checkpoint(path: Path) -> Source:
    parts: dict[str, tuple[SourceLayer, ...]] = {}
    for part, layers in checkpoints.parts_of(path).items():
        found = tuple(SourceLayer(name.removeprefix(f"{part}_"), tuple(arrays)) for name, arrays in layers.items() if arrays)
        if found:
            parts[part] = found
    return Source(parts, in_order=False)


# -- whole models
def _of_model(path: Path) -> Source:
    import keras

    from seqdec_gui.runner.model_files import opened

    with tempfile.TemporaryDirectory(prefix="seqdec-gui-weights-") as scratch:
        file = opened(path, Path(scratch))
        fail_if_unsafe(file.path)
        fail_if_larger_than_held(path.name, held_by(file.path), lambda: model_of(file.path))
        try:
            model = keras.models.load_model(file.path, compile=False, safe_mode=True)
        except Exception as error:  # a foreign file may make Keras raise anything
            reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
            raise _unreadable(path, f"Keras says {reason.rstrip('.')}", "Save its weights with model.save_weights.") from error
    layers = tuple(
        SourceLayer(name, tuple(np.asarray(variable) for variable in layer.weights), layer) for name, layer in leaves(model)
    )
    return Source(by_model(layers), in_order=True, notes=file.notes)


def by_model(layers: Sequence[SourceLayer]) -> dict[str, tuple[SourceLayer, ...]]:
    """Return the layers of a file, and those of every model inside it under the path of that model, named as they are in it."""
    parts: dict[str, tuple[SourceLayer, ...]] = {"": tuple(layers)}
    for layer in layers:
        path = layer.name.rpartition("/")[0]
        while path and path not in parts:
            inside = [other for other in layers if other.name.startswith(f"{path}/")]
            parts[path] = tuple(other._replace(name=other.name.removeprefix(f"{path}/")) for other in inside)
            path = path.rpartition("/")[0]
    return parts


def leaves(model: keras.Model, before: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield every layer with weights once, models inside opened, with its name: `encoder/lstm`."""
    import keras

    seen = set() if seen is None else seen
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer, f"{before}{layer.name}/", seen)
        elif id(layer) not in seen and layer.weights:
            seen.add(id(layer))
            yield f"{before}{layer.name}", layer


# -- weights alone
def _is_weights_alone(path: Path) -> bool:
    """Whether an HDF5 file holds no description of a model."""
    if zipfile.is_zipfile(path) or not h5py.is_hdf5(path):
        return False
    with h5py.File(path, "r", locking=False) as file:
        return "model_config" not in file.attrs


def _of_weights_alone(path: Path) -> Source:
    fail_if_unsafe(path)
    try:
        return _read_weights_alone(path)
    except MALFORMED as error:
        raise _unreadable(path, "its weights are damaged", "Save them again with model.save_weights.") from error


def _read_weights_alone(path: Path) -> Source:
    with h5py.File(path, "r", locking=False) as file:
        if why := fault_of_hdf5(file):
            raise _unreadable(path, why, "Save the weights again.")
        flat = layers_of(file)
        if flat is not None:
            layers = tuple(_of_flat_file(FlatFile(flat), _is_of_early_keras(file)))
        elif {"layers", "_layer_checkpoint_dependencies"} & set(file):
            layers = tuple(_of_nested_file(file, ""))
        else:
            raise _unreadable(path, "it holds no weights of Keras", "Save them with model.save_weights.")
    if not layers:
        raise _unreadable(path, "it holds no weights", "Save them with model.save_weights.")
    note = (
        "The file holds weights alone, and does not say with which activations they were trained: those of the block should be "
        "the same."
    )
    return Source(by_model(layers), in_order=flat is not None, notes=(note,))


_HARD_SIGMOID = (("recurrent_activation", "hard_sigmoid"),)


def _is_of_early_keras(file: h5py.File) -> bool:
    """Whether Keras before 2.3 wrote the weights, whose LSTM and GRU had hard sigmoids unless told otherwise.

    That of TensorFlow calls itself 2.2.4-tf in versions of both kinds, and is taken for one of those with hard sigmoids. A file
    without a version is of Keras 1 or of another program, and is likewise.
    """
    version = file.attrs.get("keras_version", b"")
    words = version.decode() if isinstance(version, bytes) else str(version)
    return not (match := re.match(r"(\d+)\.(\d+)", words)) or tuple(map(int, match.groups())) < (2, 3)


def _of_flat_file(stored: FlatFile, early: bool) -> Iterator[SourceLayer]:
    """Yield the layers of a file of Keras 2, in the order of the model; a model inside is one group, which is divided."""
    for layer in _of_groups(stored):
        made = layer._replace(arrays=_plain(layer.arrays))
        cells = [layer.arrays[first : first + 3] for first in range(0, len(layer.arrays), 3)]
        recurrent = len(layer.arrays) in (3, 6) and all(map(_is_recurrent, cells))
        yield made._replace(presumed=_HARD_SIGMOID) if early and recurrent else made


def _is_recurrent(arrays: Sequence[Array]) -> bool:
    """Whether these are the weights of an LSTM or GRU that is not cuDNN's, whose biases are twice as many."""
    kernel, recurrent, bias = arrays
    if recurrent.ndim != 2 or kernel.ndim != 2 or recurrent.shape[1] not in (3 * len(recurrent), 4 * len(recurrent)):
        return False
    return bool(kernel.shape[1] == recurrent.shape[1] and bias.shape == (recurrent.shape[1],))


def _of_groups(stored: FlatFile) -> Iterator[SourceLayer]:
    """Yield the layers of a file of Keras 2 with their weights as they are stored."""
    for group, arrays in stored.layers():
        owners: dict[str, list[Array]] = {}
        wrapped = any(re.search(r"(^|/)(forward|backward)_", named.name) for named in arrays)
        for named in arrays:
            owner = re.sub(r"/(lstm|gru|simple_rnn)_cell(_\d+)?$", "", named.name.rpartition("/")[0])
            owners.setdefault(group if wrapped or not owner else owner, []).append(named.array)
        if len(owners) == 1:
            yield SourceLayer(group, tuple(named.array for named in arrays))
        else:
            for owner, several in owners.items():
                yield SourceLayer(f"{group}/{owner.rpartition('/')[2]}", tuple(several))


def _of_nested_file(group: h5py.Group, before: str) -> Iterator[SourceLayer]:
    """Yield the layers of a file of Keras 3, or of tf_keras in its newer form, those of one class in their order."""
    inner = group.get("layers", group.get("_layer_checkpoint_dependencies"))
    for key in sorted(inner, key=_natural):
        layer = inner[key]
        stored_name = layer.attrs.get("name", key)
        name = stored_name.decode() if isinstance(stored_name, bytes) else str(stored_name)
        if "layers" in layer or "_layer_checkpoint_dependencies" in layer:
            yield from _of_nested_file(layer, f"{before}{name}/")
        elif arrays := list(_arrays_below(layer)):
            yield SourceLayer(f"{before}{name}", _plain(arrays), series=f"{before}{key}")


def _arrays_below(group: h5py.Group) -> Iterator[Array]:
    """Yield the weights of a layer and of the layers and cells in it; forward before backward, as Keras orders them."""
    if "vars" in group:
        for number in sorted(group["vars"], key=_natural):
            yield np.asarray(group["vars"][number])
    inner = [key for key in group if key not in ("vars", "seed_generator") and isinstance(group[key], h5py.Group)]
    for key in sorted(inner, key=lambda key: (not key.startswith("forward"), _natural(key))):
        yield from _arrays_below(group[key])


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts `dense_2` before `dense_10`, and `dense` before both."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _plain(arrays: Iterable[Array]) -> tuple[Array, ...]:
    """Return the weights of a layer in the layout of Keras 3: those of cuDNN have another one."""
    several = list(arrays)
    if len(several) == 3 and several[1].ndim == 2 and several[1].shape[1] in (3 * len(several[1]), 4 * len(several[1])):
        several = from_cudnn(several, several[1].shape[1] // len(several[1]))
    return tuple(several)


def _unreadable(path: Path, why: str, hint: str) -> InvalidInput:
    """Return the error that no weights can be taken from a file. `why` is a sentence without its full stop."""
    text = f"No weights can be taken from {path.name}: {why}."
    return InvalidInput([Problem("error", "weights_mismatch", "file", text, hint)])
