"""Inference with Keras models, compiled by JAX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax

from seqdec_gui.runner.decoding.compiled import Function, MakeFunction, as_arguments, as_list

if TYPE_CHECKING:
    import keras


def compiled(model: keras.Model | None, function: MakeFunction, wide: bool = False) -> Function:
    """Compile `function(call)` as `decoding.compiled.compiled` does; each number of rows is compiled separately.

    The weights are moved to the device that runs the function, again only where they were assigned meanwhile, and passed as
    arguments: as constants they would become part of the compiled program.
    """
    trainable = _OnDevice(model.trainable_variables if model else [])
    fixed = _OnDevice(model.non_trainable_variables if model else [])

    def run(trainable: list[Any], fixed: list[Any], *arguments: Any) -> Any:
        def call(inputs: list[Any]) -> list[Any]:
            assert model is not None
            outputs, _ = model.stateless_call(trainable, fixed, as_arguments(inputs), training=False)
            return as_list(outputs)

        return function(call)(*arguments)

    jitted = jax.jit(run)

    def compiled_run(*arguments: Any) -> Any:
        with jax.enable_x64(wide):
            return jitted(trainable.values(), fixed.values(), *arguments)

    return compiled_run


class _OnDevice:
    """The values of Keras variables on the device that runs functions, moved there again when one has been assigned."""

    def __init__(self, variables: Sequence[Any]) -> None:
        self._variables = list(variables)
        self._moved_from: list[Any] = []
        self._moved: list[Any] = []
        self.values()

    def values(self) -> list[Any]:
        now = [variable.value for variable in self._variables]
        if len(now) != len(self._moved_from) or any(one is not other for one, other in zip(now, self._moved_from, strict=True)):
            self._moved_from, self._moved = now, jax.device_put(now, jax.devices()[0])
        return self._moved
