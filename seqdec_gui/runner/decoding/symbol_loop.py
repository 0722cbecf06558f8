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
LONGEST_CHUNK = 256
"""Most steps of one call of the loop; between calls finished sequences make room for others."""


class Rules(NamedTuple):
    """What may be chosen and when a sequence ends; arrays of the compiled function, so that others need no compilation.

    `allowed` bool and `fed_next` int32 have a number for each predicted id; `end` is -1 where no id ends a sequence.
    `mark` is the id with which a sequence begins and which it has nowhere else, -1 where there is none; it is no part of the
    `min_length` symbols.
    """

    allowed: Array
    fed_next: Array
    end: Array
    steps: Array
    min_length: Array
    mark: Array

    @classmethod
    def of(
        cls, allowed: Array, fed_next: Array, end: int | None, steps: int, min_length: int = 0, mark: int | None = None
    ) -> Rules:  # fmt: skip
        least = min_length + (mark is not None)
        numbers = (-1 if end is None else end, steps, least, -1 if mark is None else mark)
        scalars = [np.asarray(number, np.int32) for number in numbers]
        return cls(allowed.astype(bool), fed_next.astype(np.int32), *scalars)

    def may(self, steps: Tensor) -> Tensor:
        """Return which ids each row may choose at its step, `(rows, ids)`.

        The mark at first and only then; the end symbol not before `min_length`.
        """
        from keras import ops

        ids, at = ops.expand_dims(ops.arange(self.allowed.shape[0]), 0), ops.expand_dims(steps, 1)
        early = ops.logical_and(ops.equal(ids, self.end), at < self.min_length)
        may = ops.logical_and(ops.expand_dims(ops.convert_to_tensor(self.allowed), 0), ops.logical_not(early))
        is_mark = ops.equal(ids, self.mark)
        begins = ops.logical_and(ops.equal(at, 0), ops.greater_equal(self.mark, 0))
        return ops.where(begins, is_mark, ops.logical_and(may, ops.logical_not(is_mark)))


class Sequences(NamedTuple):
    """The sequences that are generated together, one per row; they stay on the device between calls of the loop.

    `fed` int32 is fed next, `at` int32 the number of symbols so far, `going` whether the sequence goes on, `keys` int64 the
    state of its random numbers, `ids` (`type_of_ids`) `(rows, steps)` its symbols, of which the first `at` count; the others
    are 0. `sums` float64 are the log-probabilities of the symbols, added up one after the other.
    """

    fed: Tensor
    at: Tensor
    going: Tensor
    keys: Tensor
    ids: Tensor
    sums: Tensor


def no_sequences(rows: Tensor, row: Tensor) -> Sequences:
    """Return the sequences of rows that have none, for zeros `(rows,)` and `(steps,)`, the latter of the type of the ids.

    To be compiled, so that zeros are made on the device.
    """
    from keras import ops

    numbers, ids = ops.cast(rows, "int32"), ops.expand_dims(ops.cast(rows, row.dtype), 1) + row
    going, keys = ops.cast(numbers, "bool"), ops.cast(numbers, "int64")
    return Sequences(numbers, numbers, going, keys, ids, ops.cast(numbers, "float64"))


def type_of_ids(symbols: int) -> npt.DTypeLike:
    """Return the smallest type for ids below `symbols`: they are copied from the device."""
    return np.uint8 if symbols <= 2**8 else np.int32


def symbol_loop(
    make_step: MakeStep, random: bool, filtered: bool, tempered: bool, tells: bool, chunk: int, unroll: int = 1
) -> MakeFunction:  # fmt: skip
    """Return what `compiled` compiles: up to `limit` steps of all rows, after new sequences have taken their places.

    Steps are done `unroll` at a time, of which `chunk` is a multiple; only then is asked whether a sequence goes on. The
    function takes `news` int64 `(2, rows)`: row i begins with the states `fresh[news[0, i]]`, the symbol `begin` and the random
    state `news[1, i]`, unless `news[0, i]` is -1. `told` int32 `(rows, steps)` are symbols that sequences have to have, -1 for
    none; only a loop that `tells` them reads it, since a traced function may not know how many there are. It returns the
    states, the sequences, and `at` and `going` as one array for the host, 2 at + going. No sequence has more than `chunk`
    steps, or `limit` is at most `chunk`.
    """

    def function(call: Any) -> Function:
        from keras import ops

        step = make_step(call)

        def run(
            fresh: list[Tensor], news: Tensor, states: list[Tensor], sequences: Sequences, told: Tensor, begin: Tensor,
            rules: Rules, filters: Filters, limit: Tensor,
        ) -> tuple[Any, ...]:  # fmt: skip
            places = ops.cast(news[0], "int32")
            states, new = begun(states, fresh, places), places >= 0
            keys = ops.where(new, news[1], sequences.keys)
            first = ops.where(new, 0, sequences.at)
            steps = ops.expand_dims(first, 0) + _upwards(chunk)
            numbers = choice.uniforms(ops.expand_dims(keys, 0), steps) if random else None

            def body(k: Tensor, fed: Tensor, at: Tensor, going: Tensor, sums: Tensor, ids: Tensor, *states: Tensor) -> Any:
                after, symbols = list(states), list[Tensor]()
                for each in range(unroll):
                    predicted, after = step(fed, at, after)
                    may = rules.may(at)
                    if random:
                        uniforms = ops.take(numbers, k * unroll + each, axis=0)
                        chosen = choice.draw(predicted, may, filters, filtered, uniforms, tempered)
                    else:
                        chosen = choice.greedy(predicted, may)
                    if tells:
                        must = symbols_told(told, at)
                        chosen = ops.where(must >= 0, must, chosen)
                    symbols.append(chosen)
                    sums = ops.where(going, sums + ops.log(choice.share_of(predicted, chosen)), sums)
                    at = ops.where(going, at + 1, at)
                    going = ops.logical_and(going, ops.logical_and(ops.not_equal(chosen, rules.end), at < rules.steps))
                    fed = ops.take(rules.fed_next, chosen, axis=0)
                here = ops.reshape(k, (1, 1))
                ids = ops.scatter_update(ids, here, ops.expand_dims(ops.stack(symbols), 0))
                return (k + 1, fed, at, going, sums, ids, *_as_before(after, states))

            empty = ops.zeros((chunk // unroll, unroll, 1), "int32") + ops.zeros_like(first)
            start = (
                ops.zeros_like(limit),
                ops.where(new, begin, sequences.fed),
                first,
                ops.logical_or(new, sequences.going),
                ops.where(new, 0.0, sequences.sums),
                empty,
                *states,
            )
            _, fed, at, going, sums, ids, *states = ops.while_loop(
                lambda k, fed, at, going, *_: ops.logical_and(k * unroll < limit, ops.any(going)), body, start
            )
            ids = _continued(sequences.ids, ops.reshape(ids, (chunk, -1)), first, at)
            return states, Sequences(fed, at, going, keys, ids, sums), 2 * at + ops.cast(going, "int32")

        return run

    return function


def _upwards(count: Any, axis: int = 1) -> Tensor:
    """Return 0, 1, ... as a column (axis 1) or a row, int32."""
    from keras import ops

    return ops.expand_dims(ops.arange(count, dtype="int32"), axis)


def _continued(before: Tensor, now: Tensor, first: Tensor, at: Tensor) -> Tensor:
    """Return `before` `(rows, steps)` with what the steps from `first` to `at` of each row gave, `now` `(chunk, rows)`.

    From `at` on there are zeros. The result has the type of `before`.
    """
    from keras import ops

    place = _upwards(ops.shape(before)[1], axis=0)
    first = ops.expand_dims(first, 1)
    of_call = ops.clip(place - first, 0, now.shape[0] - 1)
    new = ops.cast(ops.take_along_axis(ops.transpose(now), of_call, axis=1), before.dtype)
    found = ops.where(place >= first, new, before)
    return ops.where(place < ops.expand_dims(at, 1), found, ops.zeros_like(found))


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

    last = ops.shape(told)[1] - 1
    found = ops.take_along_axis(told, ops.expand_dims(ops.minimum(at, last), 1), axis=1)[:, 0]
    return ops.where(at <= last, found, -1)


def _as_before(states: list[Tensor], before: Any) -> list[Tensor]:
    from keras import ops

    return [ops.cast(state, old.dtype) for state, old in zip(states, before, strict=True)]
