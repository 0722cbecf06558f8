"""Computes losses and metrics of a trained model over rows of a dataset, at inference, in float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.dataset import Dataset
from seqdec_gui.runner.decoding.compiled import Function, compiled
from seqdec_gui.runner.engines.base import Sum
from seqdec_gui.runner.objective import Objective, expand
from seqdec_gui.runner.program import Program, training_model

if TYPE_CHECKING:
    import keras

BATCH = 256
"""Rows that are evaluated at a time."""


def evaluate(
    program: Program,
    models: Mapping[str, keras.Model],
    dataset: Dataset,
    rows: npt.NDArray[np.int64],
    report: Callable[[int], None] = lambda done: None,
) -> dict[str, Sum]:
    """Return the fractions of `Objective.names` over these rows, each counted once; `report(rows done)` follows every batch."""
    model = training_model(models, program)
    objective = Objective(program, dataset.feeds)
    names = sorted(dataset.arrays)
    run = compiled(model, lambda call: _fractions(call, [tensor.name for tensor in model.inputs], objective, dataset, names))
    totals = np.zeros((2, len(objective.names)))
    size = min(BATCH, len(rows))
    for start in range(0, len(rows), size):
        index = np.minimum(np.arange(start, start + size), len(rows) - 1)  # fill the last batch up: one shape to compile
        weights = (np.arange(start, start + size) < len(rows)).astype(np.float32)
        batch = dataset.batch(rows[index])
        totals += np.asarray(run(weights, *(batch[name] for name in names)), np.float64)
        report(min(start + size, len(rows)))
    return {name: Sum(float(totals[0, i]), float(totals[1, i])) for i, name in enumerate(objective.names)}


def _fractions(
    call: Callable[[list[Any]], list[Any]], inputs: Sequence[str], objective: Objective, dataset: Dataset, names: Sequence[str]
) -> Function:
    """Return a function `(weights, *arrays) -> (2, fractions)` of numerators and denominators of one batch."""

    def run(weights: Any, *arrays: Any) -> Any:
        from keras import ops

        batch_inputs, targets = expand(dataset.feeds, dict(zip(names, arrays, strict=True)))
        terms = objective.terms(call([batch_inputs[name] for name in inputs]), targets, weights)
        return ops.stack([ops.stack([terms[name][k] for name in objective.names]) for k in (0, 1)])

    return run
