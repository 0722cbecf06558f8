"""A `lax.scan` whose iterations take several steps of a sequence: a GPU starts an iteration as one graph.

`lax.scan(..., unroll=n)` does the same, but copies every sequence whose length is no multiple of `n`, because it is cut in two,
and an initial value for every output. These copies took a tenth of the time of a training step on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Array = Any
Step = Callable[[Any, tuple[Any, ...]], tuple[Any, tuple[Array, ...]]]


def unrolled_scan(
    step: Step,
    states: Any,
    sequences: tuple[Array | None, ...],
    unroll: int,
    *,
    reverse: bool = False,
    memory: Array | None = None,
) -> tuple[Any, tuple[Array, ...]]:
    """Return what `lax.scan(step, states, sequences, reverse=reverse)` does, with `unroll` steps in each iteration.

    Args:
        step: Maps the states and one line of every sequence to new states and one line of every output.
        states: The initial states.
        sequences: Arrays (T, ...) with the steps first.
        unroll: Steps of an iteration; the steps left over at the end are one shorter iteration.
        reverse: Whether to begin with the last step.
        memory: One more sequence (T, ...), the last argument of `step`, whose memory the first output overwrites. That output
            must have its shape and dtype.
    """
    if unroll == 1:
        return lax.scan(step, states, sequences if memory is None else (*sequences, memory), reverse=reverse)
    reads = 0 if memory is None else 1
    lines = jax.tree.map(lambda array: array[0], (*sequences, *[memory] * reads))
    length = jax.tree.leaves(sequences)[0].shape[0]
    outputs = tuple(lax.empty((length, *line.shape), line.dtype) for line in jax.eval_shape(step, states, lines)[1][reads:])
    iterations, left = divmod(length, unroll)

    def take_steps(first: Array | int, count: int, carried: Any) -> Any:
        states, outputs = carried
        now = jax.tree.map(lambda whole: _part(whole, first, count), (*sequences, *outputs[:reads]))
        step_outputs: list[Any] = [None] * count
        for k in reversed(range(count)) if reverse else range(count):
            states, step_outputs[k] = step(states, jax.tree.map(lambda part: part[k], now))  # noqa: B023
        new = (jnp.stack(parts) for parts in zip(*step_outputs, strict=True))
        return states, tuple(_with_part(whole, part, first) for whole, part in zip(outputs, new, strict=True))

    def iterate(k: Array, carried: Any) -> Any:
        return take_steps(length - (k + 1) * unroll if reverse else k * unroll, unroll, carried)

    carried = lax.fori_loop(0, iterations, iterate, (states, (*[memory] * reads, *outputs)))
    return take_steps(0 if reverse else iterations * unroll, left, carried) if left else carried


def unroll_for(steps: int, about: int) -> int:
    """Return the number around `about` that leaves fewest of `steps` steps over; `steps` if that is not much larger."""
    if steps <= about + about // 2:
        return steps
    near = range(about - about // 4, about + about // 2 + 1)
    return min(near, key=lambda unroll: (steps % unroll, abs(unroll - about)))


def _part(whole: Array, first: Array | int, count: int) -> Array:
    return lax.dynamic_slice_in_dim(whole, first, count, allow_negative_indices=False)


def _with_part(whole: Array, part: Array, first: Array | int) -> Array:
    return lax.dynamic_update_slice_in_dim(whole, part, first, 0, allow_negative_indices=False)
