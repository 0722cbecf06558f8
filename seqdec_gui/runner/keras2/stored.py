"""Reads weights that Keras 2 has stored: files of HDF5 in two layouts, and the object graph of a TensorFlow checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import h5py
import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.keras2.parts import Leaf, Part, snake_case

Array = npt.NDArray[Any]
ORDER = ("kernel", "recurrent_kernel", "bias", "embeddings", "gamma", "beta", "moving_mean", "moving_variance",
         "depthwise_kernel", "pointwise_kernel", "alpha", "scale", "mean", "variance", "count")  # fmt: skip
"""The names of weights of layers, in an order in which every layer of Keras makes its own."""


class Named(NamedTuple):
    """A stored array with the name under which Keras 2 wrote it."""

    name: str
    array: Array


class Stored(Protocol):
    """The weights of a file."""

    def of(self, root: Part) -> Iterator[tuple[Sequence[Leaf], list[Named]]]:
        """Yield groups of layers with the arrays that they own together, in the order of the file."""


class FlatFile:
    """An HDF5 file of Keras 2's `save` or `save_weights`: a group per layer with a list of all weights in it."""

    def __init__(self, group: h5py.Group) -> None:
        self._group = group
        self._names = _names(group, "layer_names")

    def of(self, root: Part) -> Iterator[tuple[Sequence[Leaf], list[Named]]]:
        """Yield each layer of the model with its weights, by name, or in their order where no name is alike."""
        stored = {name: self._weights(name) for name in self._names}
        filled = [name for name in self._names if stored[name]]
        if all(part.name in stored for part in root.parts):
            for part in root.parts:
                if stored[part.name]:
                    yield tuple(part.leaves((part.step,), root.trainable)), stored[part.name]
            return
        owners = [part for part in root.parts if _may_have_weights(part)]
        if len(owners) != len(filled):
            what = f"the model has {len(owners)} layers with weights and the file {len(filled)}"
            raise unlike(f"{what}: {', '.join(filled[:8])}")
        for part, name in zip(owners, filled, strict=True):
            yield tuple(part.leaves((part.step,), root.trainable)), stored[name]

    def layers(self) -> Iterator[tuple[str, list[Named]]]:
        """Yield the name and the weights of every layer that has some, in the order of the model."""
        for name in self._names:
            if arrays := self._weights(name):
                yield name, arrays

    def _weights(self, layer: str) -> list[Named]:
        group = self._group[layer]
        return [Named(name, np.asarray(group[name])) for name in _names(group, "weight_names")]


class NestedFile:
    """An HDF5 file as tf_keras writes it inside `.keras` files and as `.weights.h5`: folders like the model.

    A layer that several models share has one folder, at the first place where it was met.
    """

    def __init__(self, group: h5py.Group) -> None:
        self._group = group

    def of(self, root: Part) -> Iterator[tuple[Sequence[Leaf], list[Named]]]:
        places: dict[tuple[str, str], h5py.Group] = {}
        found = list(self._inside(root, self._group, (), root.trainable, places))
        for leaf, arrays, owner in found:
            shared = places.get(owner)
            arrays = arrays or ([] if shared is None else _arrays_in(shared, leaf.class_name))
            if arrays:
                yield (leaf,), arrays

    def _inside(
        self, part: Part, group: h5py.Group | None, path: tuple[str, ...], trainable: bool, places: dict[tuple[str, str], Any],
        within: str = "",
    ) -> Iterator[tuple[Leaf, list[Named], tuple[str, str]]]:  # fmt: skip
        """Yield every layer with its arrays, and with its name inside the nearest model, for layers that are shared."""
        trainable = trainable and part.trainable
        if not part.parts:
            leaf = Leaf(path, part.name, part.class_name, part.config, trainable)
            owner = (within, "/".join(path[-1:]) + part.class_name)
            arrays = [] if group is None else _arrays_in(group, part.class_name)
            if arrays:
                places.setdefault(owner, group)
            yield leaf, arrays, owner
            return
        inner = group
        if part.is_model and group is not None:
            inner = group.get("layers", group.get("_layer_checkpoint_dependencies"))
        counts: dict[str, int] = {}
        for child in part.parts:
            stem = child.step.lstrip(".")
            if part.is_model or stem.startswith("cells["):
                stem = snake_case(child.class_name)
                counts[stem] = number = counts.get(stem, -1) + 1
                stem = stem if number == 0 else f"{stem}_{number}"
                stem = stem if part.is_model else f"cells/{stem}"
            place = inner[stem] if inner is not None and stem in inner else None
            name = f"{part.name}/{child.name}" if part.is_model else f"{within}/{child.step}"
            yield from self._inside(child, place, (*path, child.step), trainable, places, name)


class ObjectGraph:
    """The weights of a TensorFlow checkpoint, by the way to them: `layer_with_weights-0/cell/kernel`."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays

    def of(self, root: Part) -> Iterator[tuple[Sequence[Leaf], list[Named]]]:
        yield from self._inside(root, "", (), root.trainable)

    def _inside(
        self, part: Part, place: str, path: tuple[str, ...], trainable: bool
    ) -> Iterator[tuple[Sequence[Leaf], list[Named]]]:
        trainable = trainable and part.trainable
        if not part.parts:
            leaf = Leaf(path, part.name, part.class_name, part.config, trainable)
            found = {
                name.removeprefix(f"{place}/").removeprefix("cell/"): array
                for name, array in self._arrays.items()
                if name.startswith(f"{place}/")
            }
            ordered = sorted(found, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
            if found:
                yield (leaf,), [Named(name, found[name]) for name in ordered]
            return
        number = 0
        for child in part.parts:
            if part.is_model:
                inner = "/".join(filter(None, (place, f"layer_with_weights-{number}")))
                if not any(name.startswith(f"{inner}/") for name in self._arrays) or not _may_have_weights(child):
                    continue
                number += 1
            else:
                inner = f"{place}/{child.step.lstrip('.').replace('[', '/').replace(']', '')}"
            yield from self._inside(child, inner, (*path, child.step), trainable)


_WITHOUT_WEIGHTS = frozenset({
    "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling1D", "AveragePooling2D",
    "Concatenate", "Cropping1D", "Cropping2D", "Dot", "Dropout", "ELU", "Flatten", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "LeakyReLU", "Masking",
    "MaxPooling1D", "MaxPooling2D", "Maximum", "Minimum", "Multiply", "Permute", "ReLU", "RepeatVector", "Rescaling", "Reshape",
    "Softmax", "SpatialDropout1D", "SpatialDropout2D", "Subtract", "UnitNormalization", "UpSampling1D", "UpSampling2D",
    "ZeroPadding1D", "ZeroPadding2D",
})  # fmt: skip


def _may_have_weights(part: Part) -> bool:
    """Whether a layer has weights; one that only may have some (an attention with a scale) counts."""
    if part.parts:
        return any(map(_may_have_weights, part.parts))
    if part.class_name in ("Attention", "AdditiveAttention"):
        return bool(part.config.get("use_scale", part.class_name == "AdditiveAttention"))
    if part.class_name == "Normalization":
        return part.config.get("mean") is None
    if part.class_name == "LayerNormalization" or part.class_name.startswith("BatchNormalization"):
        return True
    return part.class_name not in _WITHOUT_WEIGHTS


def _arrays_in(group: h5py.Group, class_name: str) -> list[Named]:
    """Return the variables of a layer in a nested file, in their order."""
    if class_name == "MultiHeadAttention":
        names = ("_query_dense", "_key_dense", "_value_dense", "_output_dense")
        return [named for name in names if name in group for named in _arrays_in(group[name], "")]
    for place in ("vars", "cell/vars"):
        if place in group and len(group[place]):
            numbered = sorted(group[place], key=int)
            return [Named(number, np.asarray(group[place][number])) for number in numbered]
    return []


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """Return an attribute that is a list of names; Keras writes a long one in parts, `layer_names0`, `layer_names1`, ..."""
    if attribute in group.attrs:
        return [_text(name) for name in group.attrs[attribute]]
    names: list[str] = []
    number = 0
    while f"{attribute}{number}" in group.attrs:
        names += [_text(name) for name in group.attrs[f"{attribute}{number}"]]
        number += 1
    return names


def layers_of(file: h5py.Group) -> h5py.Group | None:
    """Return the group with `layer_names` of a file of Keras 2; None if it has none."""
    for group in (file, file.get("model_weights")):
        if group is not None and ("layer_names" in group.attrs or "layer_names0" in group.attrs):
            return group
    return None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def unlike(why: str) -> InvalidInput:
    """Return the error that weights are not those of the model. `why` is a sentence without its full stop."""
    hint = "Give the file of weights that was saved from this model, or save the whole model with model.save."
    return InvalidInput([Problem("error", "weights_mismatch", "file", f"The weights do not fit the model: {why}.", hint)])
