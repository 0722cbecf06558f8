"""Initial weights drawn by NumPy, for measurements: Keras on JAX would compile a function for every shape, for seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import initializers

Draw = Callable[[Sequence[int]], npt.NDArray[Any]]


@contextmanager
def numpy_initializers() -> Iterator[None]:
    """Make Keras's initializers draw with NumPy for the context.

    The weights have the usual shapes and magnitudes, but not the values that Keras would draw; a training step takes as long.
    """
    random = np.random.default_rng(0)

    def draw_normal(shape: Sequence[int]) -> npt.NDArray[Any]:
        return random.normal(0.0, 1.0 / math.sqrt(max(1, math.prod(shape[:-1]))), tuple(shape))  # LeCun et al., 1998

    kinds: dict[Any, Draw] = {
        initializers.Zeros: lambda shape: np.zeros(tuple(shape)),
        initializers.Ones: lambda shape: np.ones(tuple(shape)),
        initializers.VarianceScaling: draw_normal,
        initializers.Orthogonal: draw_normal,
        initializers.RandomNormal: draw_normal,
        initializers.TruncatedNormal: draw_normal,
        initializers.RandomUniform: draw_normal,
    }
    original_calls = {kind: kind.__call__ for kind in kinds}
    for kind, draw in kinds.items():
        kind.__call__ = _call(draw)
    try:
        yield
    finally:
        for kind, call in original_calls.items():
            kind.__call__ = call


def _call(draw: Draw) -> Callable[..., Any]:
    def call(_: Any, shape: Sequence[int], dtype: Any = None, **__: Any) -> Any:
        return keras.ops.convert_to_tensor(draw(shape).astype("float32"), dtype)

    return call
