"""Learning rates of single blocks: factors on the rate of the training, in any engine's optimizer step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import keras
from keras import ops

from seqdec_gui.runner.program import Program, make_optimizer


def optimizer_for(program: Program, models: Mapping[str, keras.Model], training_model: keras.Model) -> keras.Optimizer:
    """Return the built optimizer of a training, in which the weights of some blocks may have other learning rates."""
    optimizer = make_optimizer(program.training)
    variables = training_model.trainable_variables
    return built(optimizer, variables, _factors(program, models, variables))


def built(optimizer: keras.Optimizer, variables: list[Any], factors: tuple[float, ...]) -> keras.Optimizer:
    """Return the optimizer, built on the variables, with a factor on the learning rate of each."""
    if any(factor != 1.0 for factor in factors):
        if optimizer.weight_decay:  # it would decay all at the one rate; `update_step` decays these at theirs
            scaled = [variable for variable, factor in zip(variables, factors, strict=True) if factor != 1.0]
            optimizer.exclude_from_weight_decay(var_list=scaled)
        base: Any = type(optimizer)
        optimizer.__class__ = _scaled(base)
        object.__setattr__(optimizer, "rate_factors", factors)  # past Keras's attribute tracking
    optimizer.build(variables)
    return optimizer


def _factors(program: Program, models: Mapping[str, keras.Model], variables: list[Any]) -> tuple[float, ...]:
    """Return the factor of every variable: that of the block to which it belongs."""
    of_block = {
        id(variable): block.parameters.rate_factor
        for block in program.design.blocks
        if block.id in models
        for variable in models[block.id].trainable_variables
    }
    return tuple(of_block.get(id(variable), 1.0) for variable in variables)


@cache
def _scaled(base: Any) -> Any:
    """Return a class of optimizers with factors on the learning rates of their variables, `rate_factors` in their order."""

    class Scaled(base):  # type: ignore[misc]
        rate_factors: tuple[float, ...] = ()

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            factor = self.rate_factors[self._get_variable_index(variable)]
            if factor != 1.0:
                learning_rate = ops.cast(learning_rate, "float32") * factor
                if self.weight_decay:
                    share = ops.cast(learning_rate * self.weight_decay, variable.dtype)
                    self.assign_sub(variable, ops.multiply(variable, share))
            super().update_step(gradient, variable, learning_rate)

    Scaled.__name__ = base.__name__
    return Scaled
