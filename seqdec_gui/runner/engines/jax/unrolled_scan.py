"""Loops over the steps of a sequence that take several steps a turn: a GPU starts a turn as one graph.

`lax.scan(..., unroll=n)` does that too, but copies: every sequence whose length is no multiple of `n` (it is cut in two), and
an initial value for every output. Together that was a tenth of the time of a training step on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Array = Any
Step = Callable[[Any, tuple[Any, ...]], tuple[Any, tuple[Array, ...]]]


def over_steps(
    step: Step,
    states: Any,
    sequences: tuple[Array | None, ...],
    turn: int,
    *,
    reverse: bool = False,
    memory: Array | None = None,
) -> tuple[Any, tuple[Array, ...]]:
    """As `lax.scan(step, states, sequences, reverse=reverse)`, `turn` steps of the sequences (T, ...) a turn.

    `memory` (T, ...) is one more sequence, the last that `step` sees; the first output, which must be like it, takes its place.
    """
    if turn == 1:
        given = sequences if memory is None else (*sequences, memory)
        return lax.scan(step, states, given, reverse=reverse)
    reads = 0 if memory is None else 1
    lines = jax.tree.map(lambda array: array[0], (*sequences, *[memory] * reads))
    length = jax.tree.leaves(sequences)[0].shape[0]
    outputs = tuple(lax.empty((length, *line.shape), line.dtype) for line in jax.eval_shape(step, states, lines)[1][reads:])
    turns, left = divmod(length, turn)

    def take(first: Array | int, count: int, carried: Any) -> Any:
        states, outputs = carried
        now = jax.tree.map(lambda whole: _part(whole, first, count), (*sequences, *outputs[:reads]))
        found: list[Any] = [None] * count
        for k in reversed(range(count)) if reverse else range(count):
            states, found[k] = step(states, jax.tree.map(lambda part: part[k], now))  # noqa: B023
        new = (jnp.stack(parts) for parts in zip(*found, strict=True))
        return states, tuple(_with_part(whole, part, first) for whole, part in zip(outputs, new, strict=True))

    def nth(k: Array, carried: Any) -> Any:
        return take(length - (k + 1) * turn if reverse else k * turn, turn, carried)

    carried = lax.fori_loop(0, turns, nth, (states, (*[memory] * reads, *outputs)))
    return take(0 if reverse else turns * turn, left, carried) if left else carried


def steps_of_a_turn(steps: int, about: int) -> int:
    """Of the numbers around `about` the one that leaves fewest steps over; all steps if they are not many more."""
    if steps <= about + about // 2:
        return steps
    near = range(about - about // 4, about + about // 2 + 1)
    return min(near, key=lambda turn: (steps % turn, abs(turn - about)))


def _part(whole: Array, first: Array | int, count: int) -> Array:
    return lax.dynamic_slice_in_dim(whole, first, count, allow_negative_indices=False)


def _with_part(whole: Array, part: Array, first: Array | int) -> Array:
    return lax.dynamic_update_slice_in_dim(whole, part, first, 0, allow_negative_indices=False)
