"""The optimizer of a training, for any engine: Keras's own, with what Keras does not have.

These are a factor on the learning rate of some weights, decay of kernels alone, a limit on single values of the gradients
beside one on their norm, and a moving average of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import keras
from keras import ops

from seqdec_gui.domain.training import Training
from seqdec_gui.runner.program import FULL, Program

AVERAGE_WARMUP = 10.0
"""How slowly the average leaves the first weights behind: after n steps its decay is at most n / (n + this).

So it is not for long that of the first weights, as in tf.train.ExponentialMovingAverage, which has (1 + n) / (10 + n).
"""


def make_optimizer(training: Training) -> keras.Optimizer:
    """Return the optimizer, not built yet. Apply it to the gradients of the global batch, because it clips by their norm."""
    common = {"learning_rate": training.learning_rate, "global_clipnorm": training.clip_norm or None}
    match training.optimizer:
        case "adam":
            optimizer = _extended(keras.optimizers.Adam)(**common)
        case "adamw":
            optimizer = _extended(keras.optimizers.AdamW)(weight_decay=training.weight_decay, **common)
        case "rmsprop":
            optimizer = _extended(keras.optimizers.RMSprop)(momentum=training.momentum, **common)
        case "sgd":
            optimizer = _extended(keras.optimizers.SGD)(momentum=training.momentum, **common)
    optimizer.value_limit, optimizer.average_decay = training.clip_value, training.average_decay
    return optimizer


def optimizer_for(program: Program, models: Mapping[str, keras.Model], training_model: keras.Model) -> keras.Optimizer:
    """Return the built optimizer of a training, in which the weights of some blocks may have other learning rates."""
    optimizer = make_optimizer(program.training)
    variables = training_model.trainable_variables
    decayed = tuple(_is_kernel(variable) or program.training.decayed == "all" for variable in variables)
    return built(optimizer, variables, _factors(program, models, variables), decayed)


def built(
    optimizer: keras.Optimizer, variables: Sequence[Any], factors: tuple[float, ...], decayed: tuple[bool, ...] | None = None
) -> keras.Optimizer:
    """Return the optimizer, built on the variables, with a factor on the learning rate of each.

    `decayed` says which of them decay, if the optimizer has a decay of weights (None: all of them).
    """
    decayed = decayed or (True,) * len(variables)
    if optimizer.weight_decay:  # Keras would decay all at the one rate; `update_step` decays at their own
        optimizer.exclude_from_weight_decay(
            var_list=[variable for variable, factor, decays in zip(variables, factors, decayed, strict=True)
                      if factor != 1.0 or not decays]
        )  # fmt: skip
    extended: Any = optimizer
    extended.rate_factors, extended.decayed = factors, decayed
    optimizer.build(list(variables))
    return optimizer


def _is_kernel(variable: Any) -> bool:
    """Return whether a weight multiplies what a layer is given: no bias, no scale of a normalisation, and no embedding.

    These alone decay, as is usual: Loshchilov and Hutter 2019 decay all, later trainings of transformers leave the others out.
    """
    return "kernel" in variable.name


def _factors(program: Program, models: Mapping[str, keras.Model], variables: list[Any]) -> tuple[float, ...]:
    """Return the factor of every variable: that of the block to which it belongs."""
    of_block = {
        id(variable): block.parameters.rate_factor
        for block in program.design.blocks
        if block.id in models and block.id != FULL
        for variable in models[block.id].trainable_variables
    }
    return tuple(of_block.get(id(variable), 1.0) for variable in variables)


@cache
def _extended(base: Any) -> Any:
    """Return a class of optimizers that have what this module adds; its attributes but the last two are set before `build`."""

    class Extended(base):  # type: ignore[misc]
        value_limit = 0.0
        average_decay = 0.0
        rate_factors: tuple[float, ...] = ()
        decayed: tuple[bool, ...] = ()
        averaged: tuple[Any, ...] = ()
        averages: tuple[Any, ...] = ()

        def __setattr__(self, name: str, value: Any) -> None:
            if name in _OWN:
                object.__setattr__(self, name, value)  # past Keras's attribute tracking
            else:
                super().__setattr__(name, value)

        def build(self, variables: list[Any]) -> None:
            if self.built:
                return
            super().build(variables)
            if self.average_decay:
                self.averaged = tuple(variables)
                self.averages = tuple(self.add_optimizer_variables(variables, "average"))

        def _clip_gradients(self, grads: list[Any]) -> list[Any]:
            if self.value_limit:
                limit = self.value_limit
                grads = [None if gradient is None else ops.clip(gradient, -limit, limit) for gradient in grads]
            clipped: list[Any] = super()._clip_gradients(grads)
            return clipped

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            index = self._get_variable_index(variable)
            factor = self.rate_factors[index] if self.rate_factors else 1.0
            if factor != 1.0:
                learning_rate = ops.cast(learning_rate, "float32") * factor
                if self.weight_decay and self.decayed[index]:
                    share = ops.cast(learning_rate * self.weight_decay, variable.dtype)
                    self.assign_sub(variable, ops.multiply(variable, share))
            super().update_step(gradient, variable, learning_rate)
            if self.averages:
                steps = ops.cast(self.iterations, variable.dtype)
                part = 1.0 - ops.minimum(self.average_decay, steps / (steps + AVERAGE_WARMUP))
                average = self.averages[index]
                self.assign_add(average, part * (ops.convert_to_tensor(variable) - ops.convert_to_tensor(average)))

    Extended.__name__ = base.__name__
    return Extended


_OWN = ("value_limit", "average_decay", "rate_factors", "decayed", "averaged", "averages")
"""The attributes that `_extended` adds."""
