"""A function of tensors that contains Keras models, compiled by the backend in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

Function = Callable[..., Any]


def compiled(model: keras.Model, function: Callable[[Callable[[list[Any]], list[Any]]], Function]) -> Function:
    """`function(call)` compiled, where `call(inputs) -> outputs` runs the model at inference on lists of tensors.

    The number of rows may differ from call to call; JAX compiles again for each, so feed it few different ones.
    """
    import keras

    if keras.backend.backend() == "jax":
        return _with_jax(model, function)

    def call(inputs: list[Any]) -> list[Any]:
        return _as_list(model(_as_arguments(inputs), training=False))

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function(call), reduce_retracing=True)
    return function(call)


def _with_jax(model: keras.Model, function: Callable[[Callable[[list[Any]], list[Any]]], Function]) -> Function:
    import jax

    # as arguments, or the weights would become constants of the compiled program
    trainable = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]

    def run(trainable: list[Any], fixed: list[Any], *arguments: Any) -> Any:
        def call(inputs: list[Any]) -> list[Any]:
            outputs, _ = model.stateless_call(trainable, fixed, _as_arguments(inputs), training=False)
            return _as_list(outputs)

        return function(call)(*arguments)

    jitted = jax.jit(run)
    return lambda *arguments: jitted(trainable, fixed, *arguments)


def _as_arguments(inputs: list[Any]) -> Any:
    return inputs[0] if len(inputs) == 1 else inputs


def _as_list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, Sequence) else [outputs]
