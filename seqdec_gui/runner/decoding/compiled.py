"""A function of tensors that contains Keras models, compiled by the framework in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from seqdec_gui.runner import engines
from seqdec_gui.runs.engines import of_backend

if TYPE_CHECKING:
    import keras

Function = Callable[..., Any]
MakeFunction = Callable[[Callable[[list[Any]], list[Any]]], Function]


def compiled(model: keras.Model, function: MakeFunction) -> Function:
    """`function(call)` compiled, where `call(inputs) -> outputs` runs the model at inference on lists of tensors.

    The number of rows may differ from call to call; JAX compiles again for each, so feed it few different ones. On a framework
    without a compiler in `runs.engines` the function runs as it is.
    """
    import keras

    info = of_backend(keras.backend.backend())
    if info is not None and info.compiler:
        found: Function = engines.load(info.compiler)(model, function)
        return found
    return function(inference_call(model))


def inference_call(model: keras.Model) -> Callable[[list[Any]], list[Any]]:
    """`call(inputs) -> outputs` of a model that keeps its own weights."""

    def call(inputs: list[Any]) -> list[Any]:
        return as_list(model(as_arguments(inputs), training=False))

    return call


def as_arguments(inputs: list[Any]) -> Any:
    """What a Keras model takes: a single tensor alone, several in a list."""
    return inputs[0] if len(inputs) == 1 else inputs


def as_list(outputs: Any) -> list[Any]:
    """A list of what a Keras model gives."""
    return list(outputs) if isinstance(outputs, Sequence) else [outputs]
