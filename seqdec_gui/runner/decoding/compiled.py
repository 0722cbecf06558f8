"""Compiles functions of tensors that contain Keras models, with the framework in use."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from seqdec_gui.runner import engines
from seqdec_gui.runs.engines import of_backend

if TYPE_CHECKING:
    import keras

Function = Callable[..., Any]
MakeFunction = Callable[[Callable[[list[Any]], list[Any]]], Function]


def compiled(model: keras.Model | None, function: MakeFunction, wide: bool = False) -> Function:
    """Return `function(call)` compiled, where `call(inputs) -> outputs` runs the model at inference on lists of tensors.

    The number of rows may differ from call to call; JAX compiles each number separately, so use few different ones. With a
    framework without a compiler in `runs.engines`, the function is not compiled. Without a model, `call` must not be called.
    `wide` functions compute with 64-bit numbers where they ask for them; JAX has none otherwise.
    """
    import keras

    info = of_backend(keras.backend.backend())
    if info is not None and info.compiler:
        compiled_function: Function = engines.load(info.compiler)(model, function, wide)
        return compiled_function
    return function(inference_call(model))


def on_device(arrays: Any) -> Any:
    """Return a tree of arrays as tensors of the same types on the device that runs compiled functions."""
    return compiled_once(_unchanged)(arrays)


def on_host(*tensors: Any) -> list[Any]:
    """Return tensors as NumPy arrays, copied from the device at the same time."""
    import numpy as np

    for tensor in tensors:
        if begin := getattr(tensor, "copy_to_host_async", None):
            begin()
    return [np.asarray(tensor) for tensor in tensors]


def _unchanged(arrays: Any) -> Any:
    return arrays


@functools.cache
def compiled_once(function: Function) -> Function:
    """Return a function without a model compiled, with 64-bit numbers allowed; the same for each call."""
    return compiled(None, lambda call: function, wide=True)


def compiles_each_size() -> bool:
    """Return whether each number of rows costs a compilation of its own."""
    import keras

    info = of_backend(keras.backend.backend())
    return info is not None and not info.builds_without_compiling


def on_gpu() -> bool:
    """Return whether compiled functions run on a GPU."""
    from seqdec_gui.runner.model_device import sees_a_gpu

    return os.environ.get("CUDA_VISIBLE_DEVICES", "") != "-1" and sees_a_gpu()


def inference_call(model: keras.Model | None) -> Callable[[list[Any]], list[Any]]:
    """Return `call(inputs) -> outputs`, which runs the model at inference with its own weights."""

    def call(inputs: list[Any]) -> list[Any]:
        assert model is not None
        return as_list(model(as_arguments(inputs), training=False))

    return call


def as_arguments(inputs: list[Any]) -> Any:
    """Return what a Keras model takes: a single tensor alone, several in a list."""
    return inputs[0] if len(inputs) == 1 else inputs


def as_list(outputs: Any) -> list[Any]:
    """Return the outputs of a Keras model as a list."""
    return list(outputs) if isinstance(outputs, Sequence) else [outputs]
