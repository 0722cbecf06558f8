"""First weights for measuring, drawn by numpy: Keras on JAX compiles a function for every shape that it draws, for seconds."""

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
def quick_weights() -> Iterator[None]:
    """Within it Keras's initializers draw other weights, of the usual shape and size; a step of training takes as long."""
    random = np.random.default_rng(0)

    def drawn(shape: Sequence[int]) -> npt.NDArray[Any]:
        return random.normal(0.0, 1.0 / math.sqrt(max(1, math.prod(shape[:-1]))), tuple(shape))  # LeCun et al., 1998

    kinds: dict[Any, Draw] = {
        initializers.Zeros: lambda shape: np.zeros(tuple(shape)),
        initializers.Ones: lambda shape: np.ones(tuple(shape)),
        initializers.VarianceScaling: drawn,
        initializers.Orthogonal: drawn,
        initializers.RandomNormal: drawn,
        initializers.TruncatedNormal: drawn,
        initializers.RandomUniform: drawn,
    }
    before = {kind: kind.__call__ for kind in kinds}
    for kind, draw in kinds.items():
        kind.__call__ = _call(draw)
    try:
        yield
    finally:
        for kind, call in before.items():
            kind.__call__ = call


def _call(draw: Draw) -> Callable[..., Any]:
    def call(_: Any, shape: Sequence[int], dtype: Any = None, **__: Any) -> Any:
        return keras.ops.convert_to_tensor(draw(shape).astype("float32"), dtype)

    return call
