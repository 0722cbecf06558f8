"""Compares a model of fixed length with Keras 2 over few steps, where over many it enlarges rounding beyond any tolerance.

A recurrent network with large weights is chaotic: two correct computations in float32 part from each other step by step.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner.keras2 import reference
from seqdec_gui.runner.keras2.layers import Config

if TYPE_CHECKING:
    import keras

STEPS = 9
"""Steps of a sequence over which rounding stays small."""
ROUNDING = 2.0**-24
"""The relative size of a change of a weight that is lost when float32 rounds."""
MARGIN = 20.0
"""The most by which the difference of two programs may exceed that of a program and itself with other rounding."""

Difference = Callable[[Sequence[Any], Sequence[Any]], float]


def rounding_explains(model: keras.Model, inputs: Sequence[Any], difference: float, difference_of: Difference) -> bool:
    """Return whether weights that differ in their last bit alone change the predictions about as much."""
    from seqdec_gui.runner.reopen import predictions

    before = predictions(model, list(inputs))
    kept = model.get_weights()
    random = np.random.default_rng(0)
    try:
        model.set_weights([_nudged(weight, random) for weight in kept])
        return difference <= MARGIN * difference_of(predictions(model, list(inputs)), before)
    finally:
        model.set_weights(kept)


def _nudged(weight: Any, random: np.random.Generator) -> Any:
    if weight.dtype.kind != "f":
        return weight
    return (weight * (1.0 + ROUNDING * random.choice([-1.0, 1.0], weight.shape))).astype(weight.dtype)


def shortened(config: Config) -> Config | None:
    """Return the configuration of Keras 2 with inputs of few steps; None if no input has a fixed number of more."""
    config = copy.deepcopy(config)
    todo: list[Any] = [config]
    changed = False
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            for key in ("batch_input_shape", "batch_shape", "build_input_shape"):
                shape = item.get(key)
                if isinstance(shape, list) and len(shape) > 1 and isinstance(shape[1], int) and shape[1] > STEPS:
                    shape[1] = STEPS
                    changed = True
            if isinstance(item.get("input_length"), int):
                item["input_length"] = STEPS
            item.pop("build_config", None)
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return config if changed else None


def difference_over_few_steps(short: keras.Model, config: Config, weights: Path, inputs: Sequence[Any],
                              difference_of: Difference) -> float | None:  # fmt: skip
    """Return the difference from tf_keras of a model of few steps; None where tf_keras cannot build it.

    `config` is its configuration of Keras 2, and `weights` the file that holds the weights.
    """
    from seqdec_gui.runner.reopen import predictions

    with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as folder:
        described = Path(folder) / "model.json"
        described.write_text(json.dumps(config), encoding="utf-8")
        try:
            expected = reference.predictions(described, inputs, weights)
        except SeqdecError:
            return None
    return difference_of(predictions(short, list(inputs)), expected)
