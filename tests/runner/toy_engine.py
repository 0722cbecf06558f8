"""An engine of somebody else's: one row, one module. Run as a script it is the child of a run that knows this engine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.runner.engines.base import Engine, Floats, Interval, Rows, Sum
from seqdec_gui.runner.objective import Objective, expand
from seqdec_gui.runner.optimizers import make_optimizer
from seqdec_gui.runner.program import training_model
from seqdec_gui.runs.engines import ENGINES, EngineInfo

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Dataset

TOY = EngineInfo(
    name="toy",
    title="Toy",
    backend="tensorflow",
    engine="tests.runner.toy_engine:ToyEngine",
    packages=("tensorflow",),
    install="tensorflow",
    distributions=("tensorflow",),
)


class ToyEngine(Engine):
    """Plain Keras on one device, step by step."""

    name = "toy"

    def build(self) -> None:
        self.models = self.program.build_models()
        self.training_model = training_model(self.models, self.program)
        self.optimizer = make_optimizer(self.program.training)
        self.optimizer.build(self.training_model.trainable_variables)

    def start(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._objective = Objective(self.program, dataset.feeds)

    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        import tensorflow as tf

        weights = self.training_model.trainable_variables
        losses, steps = [], []
        for line, rate, factors in zip(rows, learning_rates, kl_weights, strict=True):
            self.optimizer.learning_rate.assign(rate)
            with tf.GradientTape() as tape:
                terms = self._terms(line, np.ones(len(line), np.float32), training=True)
                loss = self._objective.loss(terms, {name: count for name, (_, count) in terms.items()}, factors)
            gradients = tape.gradient(loss, [weight.value for weight in weights])
            self.optimizer.apply(gradients, weights)
            losses.append(float(loss))
            steps.append(terms)
        return Interval(np.array(losses, np.float32), self._sums(steps))

    def evaluate(self, rows: Rows, weights: Floats) -> Mapping[str, Sum]:
        return self._sums([self._terms(line, given, training=False) for line, given in zip(rows, weights, strict=True)])

    def predict(self, rows: Rows) -> list[npt.NDArray[np.float32]]:
        return [np.asarray(output) for output in self._outputs(rows, training=False)[0][: len(self.program.losses)]]

    def sync(self) -> None:
        """The Keras variables are the ones that are trained."""

    def load(self) -> None:
        """The Keras variables are the ones that are trained."""

    def _outputs(self, rows: Rows, training: bool) -> tuple[list[Any], Any]:
        inputs, targets = expand(self._objective.feeds, self._dataset.batch(rows))
        outputs = self.training_model([inputs[tensor.name] for tensor in self.training_model.inputs], training=training)
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs], targets

    def _terms(self, rows: Rows, weights: Floats, training: bool) -> Any:
        outputs, targets = self._outputs(rows, training)
        return self._objective.terms(outputs, targets, weights)

    def _sums(self, steps: list[Any]) -> dict[str, Sum]:
        names = self._objective.names
        return {name: Sum(*(sum(float(terms[name][part]) for terms in steps) for part in (0, 1))) for name in names}


if __name__ == "__main__":
    from seqdec_gui.runner.__main__ import main

    ENGINES[TOY.name] = TOY
    sys.exit(main(sys.argv[1:]))
