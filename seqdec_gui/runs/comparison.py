"""Two trainings side by side: the arrays of a certificate, and how far apart they are."""

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
from seqdec_gui.runs.tasks import Trained, WeightName

STATISTICS_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-3
"""Of the largest gradient of a weight: rounding, summed in another order over a batch, stays far below."""
WEIGHT_DIGITS = 1e-6
"""A gradient is read off the step of a weight, which has seven digits."""

Arrays = Mapping[str, npt.NDArray[Any]]


class Differences(NamedTuple):
    """`one` and `many` are what the two trainings said, `a` and `b` their arrays (see `runs.tasks.Trained`).

    `order` is the design's blocks in topological order; `neutral` are paths of weights that change no prediction.
    """

    one: Trained
    many: Trained
    a: Arrays
    b: Arrays
    order: tuple[str, ...]
    neutral: tuple[str, ...] = ()

    @classmethod
    def read(cls, design: Design, one: Trained, many: Trained, file_one: Path, file_many: Path) -> Differences:
        """Read both files whole; they may go afterwards."""
        arrays = []
        for file in (file_one, file_many):
            with np.load(file, allow_pickle=False) as stored:
                arrays.append({name: stored[name] for name in stored.files})
        return cls(one, many, arrays[0], arrays[1], infer(design).order, neutral_biases(design, one.weights))

    def predictions(self) -> float | None:
        """Largest |p - q| / max(1, |p|) of all predictions; None where one is not a finite number."""
        names = [name for name in self.a if name[:1] == "p" and name[1:].isdigit()]
        return finite(max((largest(relative(self.a[name], self.b[name])) for name in names), default=0.0))

    def weights(self) -> tuple[float | None, str]:
        """Largest |v - w| of the weights that matter, and where; None where one is not a finite number."""
        found = [(np.inf if difference is None else difference, f"{b}/{path}") for b, difference, path in self.blocks()]
        difference, where = max(found, key=lambda each: each[0], default=(0.0, ""))
        return finite(difference), where

    def blocks(self) -> list[tuple[str, float | None, str]]:
        """For every block with weights its largest difference that matters, and the weight's path; in topological order."""
        found: dict[str, tuple[float, str]] = {}
        for i, weight in enumerate(self.one.weights):
            if f"{weight.block}/{weight.path}" not in self.neutral:
                difference = largest(self.a[f"w{i}"] - self.b[f"w{i}"])
                if weight.block not in found or difference > found[weight.block][0]:
                    found[weight.block] = (difference, weight.path)
        return [(block, finite(found[block][0]), found[block][1]) for block in self.order if block in found]

    def neutral_difference(self) -> float | None:
        """Largest difference of the weights that change no prediction."""
        values = [
            largest(self.a[f"w{i}"] - self.b[f"w{i}"])
            for i, weight in enumerate(self.one.weights)
            if f"{weight.block}/{weight.path}" in self.neutral
        ]
        return finite(max(values, default=0.0))

    def metrics(self) -> dict[str, float | None]:
        """|difference| of the loss of any step, and of every metric over the steps."""
        found: dict[str, float | None] = {"loss": finite(largest(self.a["losses"] - self.b["losses"]))}
        for name, value in self.one.metrics.items():
            other = self.many.metrics.get(name)
            found[name] = None if value is None or other is None else abs(value - other)
        return found

    def statistics(self) -> frozenset[str]:
        """Blocks whose weights that no optimizer changes differ after the first step: their forward pass does."""
        return frozenset(
            weight.block
            for i, weight in enumerate(self.one.weights)
            if not weight.trainable and largest(relative(self.a[f"s{i}"], self.b[f"s{i}"])) > STATISTICS_TOLERANCE
        )

    def gradients(self) -> frozenset[str]:
        """Blocks whose gradients differ by more than rounding, after one step of descent with a learning rate of 1."""
        found = set()
        for i, weight in enumerate(self.one.weights):
            if weight.trainable and f"{weight.block}/{weight.path}" not in self.neutral:
                before = self.a[f"i{i}"]
                one, many = before - self.a[f"s{i}"], before - self.b[f"s{i}"]
                allowed = GRADIENT_TOLERANCE * largest(one) + WEIGHT_DIGITS * max(1.0, largest(before))
                if not largest(one - many) <= allowed or not np.isfinite(allowed):
                    found.add(weight.block)
        return frozenset(found)


def relative(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """|a - b| / max(1, |a|)."""
    return np.asarray(np.abs(a - b) / np.maximum(1.0, np.abs(a)))


def largest(values: npt.NDArray[Any]) -> float:
    """The largest absolute value, 0 of nothing, infinite where one is not a number."""
    found = float(np.max(np.abs(values), initial=0.0))
    return np.inf if np.isnan(found) else found


def finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def neutral_biases(design: Design, weights: Sequence[WeightName]) -> tuple[str, ...]:
    """`block/path` of biases that a BatchNormalization right after takes away again: their gradient is rounding alone."""
    layers = {
        block_id: biases_taken_away(known.submodel)
        for block_id, known in infer(design).blocks.items()
        if known.submodel is not None
    }
    return tuple(
        f"{weight.block}/{weight.path}"
        for weight in weights
        if weight.path.endswith("/bias") and weight.path.partition("/")[0] in layers.get(weight.block, ())
    )


def biases_taken_away(submodel: Submodel) -> set[str]:
    """Names of linear layers whose only follower is a BatchNormalization."""
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
