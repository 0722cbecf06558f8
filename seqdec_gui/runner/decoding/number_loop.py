"""The compiled loop over steps of a decoder of numbers: each prediction is fed as the next input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seqdec_gui.runner.decoding.compiled import Function, MakeFunction

Tensor = Any
FedNext = Callable[[Tensor, Tensor], Tensor]
"""`fed_next(predictions, kept)` returns what is fed after predictions `(rows, width)`, both float64; `kept` is of the rows."""
LONGEST_CHUNK = 256
"""Most steps of one call of the loop."""
NUMBERS_AT_ONCE = 2**24
"""Most predicted numbers of one call of the loop."""


def chunk_of(steps: int, rows: int, width: int) -> int:
    """Return the most steps of a call of the loop for so many rows, each with steps of `width` numbers."""
    return max(1, min(steps, LONGEST_CHUNK, NUMBERS_AT_ONCE // max(1, rows * width)))


def number_loop(make_step: Callable[[Any], Function], fed_next: FedNext, chunk: int, width: int) -> MakeFunction:
    """Return what `compiled` compiles: up to `limit` steps of all rows, at most `chunk`.

    `make_step(call)` gives the step of `StepDecoder.of_values`. The function takes what is fed first, float32
    `(rows, features)`, `kept`, the states, and int32 `limit`. It returns predictions float32 `(chunk, rows, width)`, of which
    the first `limit` count, what is fed next, and the states.
    """

    def function(call: Any) -> Function:
        from keras import ops

        step = make_step(call)

        def run(fed: Tensor, kept: Tensor, states: list[Tensor], limit: Tensor) -> tuple[Any, ...]:
            def body(k: Tensor, fed: Tensor, predictions: Tensor, *states: Tensor) -> Any:
                predicted, *after = step(fed, *states)
                again = ops.cast(fed_next(ops.cast(predicted, "float64"), kept), "float32")
                predictions = ops.scatter_update(predictions, ops.reshape(k, (1, 1)), ops.expand_dims(predicted, 0))
                after = [ops.cast(now, old.dtype) for now, old in zip(after, states, strict=True)]
                return (k + 1, again, predictions, *after)

            rows = ops.expand_dims(ops.expand_dims(ops.zeros_like(fed[:, 0]), 0), 2)
            predictions = ops.zeros((chunk, 1, width), "float32") + rows
            start = (ops.zeros_like(limit), fed, predictions, *states)
            _, fed, predictions, *states = ops.while_loop(lambda k, *_: k < limit, body, start)
            return predictions, fed, states

        return run

    return function
