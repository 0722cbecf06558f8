"""Compares the arrays of the two trainings of a certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.graph import Call, Submodel
from seqdec_gui.domain.layers.specs import LAYERS
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runs.task_results import Trained, WeightName

STATISTICS_TOLERANCE = 1e-5
"""Largest relative difference of moving statistics after the first step that counts as equal."""
GRADIENT_TOLERANCE = 1e-3
"""Largest difference of gradients that counts as equal, relative to the largest gradient of the weight.

The rounding errors of summing a batch in another order are much smaller.
"""
WEIGHT_PRECISION = 1e-6
"""Relative rounding error of a float32 weight, from whose change in one step the gradient is computed."""

Arrays = Mapping[str, npt.NDArray[Any]]


class Differences(NamedTuple):
    """The trainings on one and on many devices, with methods for the differences between them.

    Attributes:
        one: The result on one device.
        many: The result on many devices.
        a: The arrays of `one` (see `runs.tasks.Trained`).
        b: The arrays of `many`.
        order: The design's blocks in topological order.
        neutral: `block/path` of weights that change no prediction.
    """

    one: Trained
    many: Trained
    a: Arrays
    b: Arrays
    order: tuple[str, ...]
    neutral: tuple[str, ...] = ()

    @classmethod
    def read(cls, design: Design, one: Trained, many: Trained, file_one: Path, file_many: Path) -> Differences:
        """Read both files completely; they can be deleted afterwards."""
        arrays = []
        for file in (file_one, file_many):
            with np.load(file, allow_pickle=False) as stored:
                arrays.append({name: stored[name] for name in stored.files})
        return cls(one, many, arrays[0], arrays[1], infer(design).order, neutral_biases(design, one.weights))

    def predictions(self) -> float | None:
        """Return the largest |p - q| / max(1, |p|) of all predictions; None if one is not a finite number."""
        names = [name for name in self.a if name[:1] == "p" and name[1:].isdigit()]
        return finite(max((largest(relative(self.a[name], self.b[name])) for name in names), default=0.0))

    def weights(self) -> tuple[float | None, str]:
        """Return the largest |v - w| of the weights that matter (None: not a finite number), and the path of that weight."""
        by_block = [
            (np.inf if difference is None else difference, f"{block}/{path}") for block, difference, path in self.blocks()
        ]
        difference, where = max(by_block, key=lambda each: each[0], default=(0.0, ""))
        return finite(difference), where

    def blocks(self) -> list[tuple[str, float | None, str]]:
        """Return the largest difference that matters in every block with weights, in topological order.

        Each entry is the block, the difference (None: not a finite number) and the path of the weight.
        """
        largest_differences: dict[str, tuple[float, str]] = {}
        for i, weight in enumerate(self.one.weights):
            if f"{weight.block}/{weight.path}" not in self.neutral:
                difference = largest(self.a[f"w{i}"] - self.b[f"w{i}"])
                if weight.block not in largest_differences or difference > largest_differences[weight.block][0]:
                    largest_differences[weight.block] = (difference, weight.path)
        return [
            (block, finite(largest_differences[block][0]), largest_differences[block][1])
            for block in self.order
            if block in largest_differences
        ]

    def neutral_difference(self) -> float | None:
        """Return the largest difference of the weights that change no prediction."""
        values = [
            largest(self.a[f"w{i}"] - self.b[f"w{i}"])
            for i, weight in enumerate(self.one.weights)
            if f"{weight.block}/{weight.path}" in self.neutral
        ]
        return finite(max(values, default=0.0))

    def metrics(self) -> dict[str, float | None]:
        """Return the largest absolute difference of a step's loss, and that of every metric over all steps."""
        metric_differences: dict[str, float | None] = {"loss": finite(largest(self.a["losses"] - self.b["losses"]))}
        for name, value in self.one.metrics.items():
            other = self.many.metrics.get(name)
            metric_differences[name] = None if value is None or other is None else abs(value - other)
        return metric_differences

    def statistics(self) -> frozenset[str]:
        """Return the blocks whose moving statistics differ after the first step, and therefore their forward pass."""
        return frozenset(
            weight.block
            for i, weight in enumerate(self.one.weights)
            if not weight.trainable and largest(relative(self.a[f"s{i}"], self.b[f"s{i}"])) > STATISTICS_TOLERANCE
        )

    def gradients(self) -> frozenset[str]:
        """Return the blocks whose gradients differ by more than rounding, after one step of SGD with learning rate 1."""
        blocks = set()
        for i, weight in enumerate(self.one.weights):
            if weight.trainable and f"{weight.block}/{weight.path}" not in self.neutral:
                before = self.a[f"i{i}"]
                gradient = before - self.a[f"s{i}"]
                other_gradient = before - self.b[f"s{i}"]
                allowed = GRADIENT_TOLERANCE * largest(gradient) + WEIGHT_PRECISION * max(1.0, largest(before))
                if not largest(gradient - other_gradient) <= allowed or not np.isfinite(allowed):
                    blocks.add(weight.block)
        return frozenset(blocks)


def relative(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return |a - b| / max(1, |a|)."""
    return np.asarray(np.abs(a - b) / np.maximum(1.0, np.abs(a)))


def largest(values: npt.NDArray[Any]) -> float:
    """Return the largest absolute value; 0 for an empty array, infinity if a value is NaN."""
    maximum = float(np.max(np.abs(values), initial=0.0))
    return np.inf if np.isnan(maximum) else maximum


def finite(value: float) -> float | None:
    """Return the value, or None if it is not finite."""
    return value if np.isfinite(value) else None


def neutral_biases(design: Design, weights: Sequence[WeightName]) -> tuple[str, ...]:
    """Return `block/path` of biases that change no prediction: their gradient is rounding error, which Adam enlarges.

    These are what the next layer, a BatchNormalization, cancels, and the bias of the keys of an attention, which adds the same
    to the scores of all keys of a query.
    """
    submodels = {block_id: block.submodel for block_id, block in infer(design).blocks.items() if block.submodel is not None}
    before = {block_id: layers_before_normalization(submodel) for block_id, submodel in submodels.items()}
    attending = {
        block_id: {call.layer.name for call in submodel.calls if call.layer.type == "MultiHeadAttention"}
        for block_id, submodel in submodels.items()
    }

    def cancels(weight: WeightName) -> bool:
        layer, _, rest = weight.path.partition("/")
        if rest == "key/bias":
            return layer in attending.get(weight.block, ())
        return rest.rpartition("/")[2] == "bias" and layer in before.get(weight.block, ())

    return tuple(f"{weight.block}/{weight.path}" for weight in weights if cancels(weight))


def layers_before_normalization(submodel: Submodel) -> set[str]:
    """Return the names of linear layers whose output goes only to a BatchNormalization."""
    made_by: dict[str, Call] = {}
    followers: dict[str, list[str]] = {}
    leaving = {variable for output in submodel.outputs for variable in output.variables}
    for call in submodel.calls:
        for variable in (*call.inputs, *call.initial_state):
            if variable in made_by:
                followers.setdefault(made_by[variable].layer.name, []).append(call.layer.type)
        made_by |= {tensor.variable: call for tensor in call.outputs}
    open_ends = {made_by[variable].layer.name for variable in leaving if variable in made_by}
    linear = {call.layer.name for call in submodel.calls if _is_linear(call)}
    return {name for name in linear - open_ends if followers.get(name) == ["BatchNormalization"]}


def _is_linear(call: Call) -> bool:
    inner = call.layer.inner or call.layer
    arguments = dict(inner.arguments)
    plain = arguments.get("activation") in (None, "linear") and arguments.get("use_bias", True)
    return LAYERS[inner.type].linear and bool(plain)
