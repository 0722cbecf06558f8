"""The compiled loop over steps that chooses one symbol per sequence: greedily, at random, or as it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.runner.decoding import choice
from seqdec_gui.runner.decoding.choice import Filters
from seqdec_gui.runner.decoding.compiled import Function, MakeFunction

Array = npt.NDArray[Any]
Tensor = Any
Step = Callable[[Tensor, Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]
"""`step(fed, at, states) -> (predictions, states)` for int32 ids `(rows,)`, the number of each row's step, and states."""
MakeStep = Callable[[Any], Step]
"""Makes a step from `call`, which runs the model of one step at inference."""
LONGEST_CHUNK = 32
"""Most steps of one call of the loop; between calls finished sequences make room for others."""


class Rules(NamedTuple):
    """What may be chosen and when a sequence ends; arrays of the compiled function, so that others need no compilation.

    `allowed` bool and `fed_next` int32 have a number for each predicted id; `end` is -1 where no id ends a sequence.
    """

    allowed: Array
    fed_next: Array
    end: Array
    steps: Array
    min_length: Array

    @classmethod
    def of(cls, allowed: Array, fed_next: Array, end: int | None, steps: int, min_length: int = 0) -> Rules:
        scalars = [np.asarray(number, np.int32) for number in (-1 if end is None else end, steps, min_length)]
        return cls(allowed.astype(bool), fed_next.astype(np.int32), *scalars)

    def may(self, steps: Tensor) -> Tensor:
        """Return which ids each row may choose at its step, `(rows, ids)`: the end symbol not before `min_length`."""
        from keras import ops

        early = ops.logical_and(
            ops.equal(ops.arange(self.allowed.shape[0]), self.end), ops.expand_dims(steps < self.min_length, 1)
        )
        return ops.logical_and(ops.expand_dims(ops.convert_to_tensor(self.allowed), 0), ops.logical_not(early))


class Sequences(NamedTuple):
    """The sequences that are generated together, one per row.

    `fed` int32 is fed next, `at` int32 the number of symbols so far, `going` whether the sequence goes on, `keys` int64 the
    state of its random numbers, and `told` int32 `(rows, steps)` the symbols that it has to have, -1 for none, or `(rows, 0)`.
    """

    fed: Tensor
    at: Tensor
    going: Tensor
    keys: Tensor
    told: Tensor


def symbol_loop(make_step: MakeStep, random: bool, filtered: bool, tempered: bool, chunk: int) -> MakeFunction:
    """Return what `compiled` compiles: up to `limit` steps of all rows, after new sequences have taken their places.

    The function takes `fresh` and `places`: row i begins with the states `fresh[places[i]]` unless that is -1. It returns the
    states, chosen ids and log-probabilities `(chunk, rows)` of which the first `at` are new, and `fed`, `at`, `going`.
    No sequence has more than `chunk` steps, or `limit` is at most `chunk`.
    """

    def function(call: Any) -> Function:
        from keras import ops

        step = make_step(call)

        def run(
            fresh: list[Tensor], places: Tensor, states: list[Tensor], sequences: Sequences, rules: Rules, filters: Filters,
            limit: Tensor,
        ) -> tuple[Any, ...]:  # fmt: skip
            states = begun(states, fresh, places)

            def body(k: Tensor, fed: Tensor, at: Tensor, going: Tensor, ids: Tensor, logs: Tensor, *states: Tensor) -> Any:
                probabilities, following = step(fed, at, list(states))
                may = rules.may(at)
                if random:
                    uniforms = choice.uniforms(sequences.keys, at)
                    chosen = choice.draw(probabilities, may, filters, filtered, uniforms, tempered)
                else:
                    chosen = choice.greedy(probabilities, may)
                if sequences.told.shape[1]:
                    told = symbols_told(sequences.told, at)
                    chosen = ops.where(told >= 0, told, chosen)
                chosen = ops.cast(chosen, "int32")
                log = choice.log_share_of(probabilities, chosen)
                here = ops.reshape(k, (1, 1))
                ids = ops.scatter_update(ids, here, ops.expand_dims(chosen, 0))
                logs = ops.scatter_update(logs, here, ops.expand_dims(log, 0))
                at = ops.where(going, at + 1, at)
                going = ops.logical_and(going, ops.logical_and(ops.not_equal(chosen, rules.end), at < rules.steps))
                fed = ops.take(rules.fed_next, chosen, axis=0)
                return (k + 1, fed, at, going, ids, logs, *_as_before(following, states))

            empty = ops.zeros((chunk, 1), "int32") + ops.zeros_like(sequences.at)
            start = (
                ops.zeros_like(limit),
                sequences.fed,
                sequences.at,
                sequences.going,
                empty,
                ops.cast(empty, "float64"),
                *states,
            )
            _, fed, at, going, ids, logs, *states = ops.while_loop(
                lambda k, fed, at, going, *_: ops.logical_and(k < limit, ops.any(going)), body, start
            )
            return states, ids, logs, fed, at, going

        return run

    return function


def begun(states: list[Tensor], fresh: list[Tensor], places: Tensor, times: int = 1) -> list[Tensor]:
    """Return the states with those of new rows in their places, each repeated `times` times in consecutive rows."""
    from keras import ops

    places = ops.repeat(places, times, axis=0) if times > 1 else places
    result = []
    for old, new in zip(states, fresh, strict=True):
        begins = ops.reshape(places >= 0, (-1, *[1] * (len(old.shape) - 1)))
        result.append(ops.where(begins, ops.take(new, ops.maximum(places, 0), axis=0), old))
    return result


def symbols_told(told: Tensor, at: Tensor) -> Tensor:
    """Return the symbol that each row has to have at its step, -1 for none, int32 `(rows,)`."""
    from keras import ops

    last = told.shape[1] - 1
    found = ops.take_along_axis(told, ops.expand_dims(ops.minimum(at, last), 1), axis=1)[:, 0]
    return ops.where(at <= last, found, -1)


def _as_before(states: list[Tensor], before: Any) -> list[Tensor]:
    from keras import ops

    return [ops.cast(state, old.dtype) for state, old in zip(states, before, strict=True)]
