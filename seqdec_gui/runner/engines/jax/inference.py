"""Inference with Keras models, compiled by JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from seqdec_gui.runner.decoding.compiled import Function, MakeFunction, as_arguments, as_list

if TYPE_CHECKING:
    import keras


def compiled(model: keras.Model | None, function: MakeFunction, wide: bool = False) -> Function:
    """Compile `function(call)` as `decoding.compiled.compiled` does; each number of rows is compiled separately.

    The weights are moved once to the device that runs the function, and passed as arguments: as constants they would become
    part of the compiled program.
    """
    device = jax.devices()[0]
    trainable = jax.device_put([variable.value for variable in model.trainable_variables] if model else [], device)
    fixed = jax.device_put([variable.value for variable in model.non_trainable_variables] if model else [], device)

    def run(trainable: list[Any], fixed: list[Any], *arguments: Any) -> Any:
        def call(inputs: list[Any]) -> list[Any]:
            assert model is not None
            outputs, _ = model.stateless_call(trainable, fixed, as_arguments(inputs), training=False)
            return as_list(outputs)

        return function(call)(*arguments)

    jitted = jax.jit(run)

    def compiled_run(*arguments: Any) -> Any:
        with jax.enable_x64(wide):
            return jitted(trainable, fixed, *arguments)

    return compiled_run
