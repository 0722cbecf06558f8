"""The compiled loop over steps of a beam search: the best sequences of each row are continued, ended ones are set aside."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seqdec_gui.domain.decoding import Beam
from seqdec_gui.runner.decoding import choice
from seqdec_gui.runner.decoding.compiled import Function, MakeFunction
from seqdec_gui.runner.decoding.symbol_loop import MakeStep, Rules, Tensor, begun, symbols_told


class Beams(NamedTuple):
    """The sequences of a batch of rows; `width` go on, and `width` ended ones are kept, the best of each group first.

    Sums are log-likelihoods, float64, -inf where there is no sequence; scores are sums with the length penalty. `lengths` count
    symbols, the end symbol included. Group g has the
    sequences from g * width / groups on; with several, `ended_scores` count what was lost by choosing what others chose.
    """

    fed: Tensor
    """int32 `(rows, width)`."""
    ids: Tensor
    """int32 `(rows, width, steps)`."""
    sums: Tensor
    """`(rows, width)`."""
    ended_ids: Tensor
    """int32 `(rows, width, steps)`."""
    ended_sums: Tensor
    ended_scores: Tensor
    ended_lengths: Tensor
    """int32 `(rows, width)`."""


def no_beams(rows: int, width: int, steps: int) -> Beams:
    """Return the beams of rows that have none."""
    ids, numbers = np.zeros((rows, width, steps), np.int32), np.full((rows, width), -np.inf)
    counts = np.zeros((rows, width), np.int32)
    return Beams(counts, ids, numbers, ids, numbers, numbers, counts)


def beam_loop(make_step: MakeStep, beam: Beam, tells: bool, shared: bool, unchanged: int = 0) -> MakeFunction:
    """Return what `compiled` compiles: up to `limit` steps of the beams of all rows, after new rows have taken their places.

    A row is over when nothing that goes on can become better than the `n_best` sequences that have ended (of groups: than all
    that their group keeps), or at the greatest length. `shared` says that the states are those of rows, the same for all
    sequences of a row: predictions of one pass. The first `unchanged` states are a row's, and stay as they are. The function
    returns states, beams, `at`, `going` and `broken`, whether a prediction of the row was NaN. Only a loop that `tells`
    sequences what they have to have reads `told`.
    """
    width, each = beam.width, beam.width // beam.groups
    wanted = min(beam.n_best, each) if beam.groups == 1 else each

    def function(call: Any) -> Function:
        from keras import ops

        step = make_step(call)
        groups = [slice(g * each, (g + 1) * each) for g in range(beam.groups)]

        def scores(sums: Tensor, lengths: Tensor, penalty: Tensor) -> Tensor:
            return sums * ops.power(ops.cast(ops.maximum(lengths, 1), "float64"), -penalty)

        def kept_of(values: Tensor, width_of_group: int, count: int) -> tuple[list[Tensor], list[Tensor]]:
            """For each group the `count` greatest of its values and their places in all of `values`."""
            best, places = [], []
            for g in range(beam.groups):
                found, at = ops.top_k(values[:, g * width_of_group : (g + 1) * width_of_group], count)
                best.append(found)
                places.append(ops.cast(at, "int32") + g * width_of_group)
            return best, places

        def run(
            fresh: list[Tensor], places: Tensor, states: list[Tensor], beams: Beams, begin: Tensor, at: Tensor, going: Tensor,
            told: Tensor, rules: Rules, penalty: Tensor, diversity: Tensor, limit: Tensor,
        ) -> tuple[Any, ...]:  # fmt: skip
            states = begun(states, fresh, places, 1 if shared else width)
            new = ops.expand_dims(places >= 0, 1)
            first = ops.expand_dims(ops.where(ops.equal(ops.arange(width) % each, 0), 0.0, -np.inf), 0)
            nothing = ops.cast(-np.inf, "float64")
            beams = Beams(
                ops.where(new, begin, beams.fed), beams.ids, ops.where(new, ops.cast(first, "float64"), beams.sums),
                beams.ended_ids, ops.where(new, nothing, beams.ended_sums), ops.where(new, nothing, beams.ended_scores),
                beams.ended_lengths,
            )  # fmt: skip
            symbols, longest = rules.allowed.shape[0], ops.shape(beams.ids)[2]
            is_end = ops.equal(ops.arange(symbols), rules.end)
            along = ops.reshape(ops.arange(longest), (1, 1, longest))

            def body(k: Tensor, at: Tensor, going: Tensor, broken: Tensor, *carried: Tensor) -> Any:
                beams, states = Beams(*carried[: len(Beams._fields)]), list(carried[len(Beams._fields) :])
                if shared:
                    predicted, following = step(beams.fed[:, 0], at, states)
                    logs = ops.expand_dims(choice.log_share(predicted), 1)
                else:
                    predicted, following = step(ops.reshape(beams.fed, (-1,)), ops.repeat(at, width, axis=0), states)
                    logs = ops.reshape(choice.log_share(predicted), (-1, width, symbols))
                broken = ops.logical_or(broken, ops.logical_and(going, ops.any(ops.isnan(logs), axis=(1, 2))))
                may = rules.may(at)
                if tells:
                    must = ops.expand_dims(symbols_told(told, at), 1)
                    may = ops.where(must >= 0, ops.equal(ops.expand_dims(ops.arange(symbols), 0), must), may)
                scored = ops.where(ops.expand_dims(may, 1), ops.expand_dims(beams.sums, 2) + logs, nothing)
                ending = ops.max(ops.where(is_end, scored, nothing), axis=2)
                ahead = ops.where(is_end, nothing, scored)

                parents, chosen, sums, wished_ends = [], [], [], []
                taken = ops.zeros_like(ahead[:, 0, :])
                for group in groups:
                    true = ops.reshape(ahead[:, group, :], (-1, each * symbols))
                    wished = ops.reshape(ahead[:, group, :] - diversity * ops.expand_dims(taken, 1), (-1, each * symbols))
                    best_wished, index = ops.top_k(wished if beam.groups > 1 else true, each)
                    index = ops.cast(index, "int32")
                    found = ops.take_along_axis(true, index, axis=1)
                    parents.append(index // symbols + group.start)
                    chosen.append(index % symbols)
                    sums.append(found)
                    ends = ending[:, group]
                    if beam.groups > 1:  # an end that would not have been chosen is none, and one that was counts as such
                        ends = ends - diversity * ops.sum(ops.where(is_end, taken, 0.0), axis=1, keepdims=True)
                        ends = ops.where(ends >= best_wished[:, -1:], ends, nothing)
                        ended = ops.sum(ops.cast(ends > nothing, "float64"), axis=1, keepdims=True)
                        taken = taken + ended * ops.cast(is_end, "float64")
                        alive = ops.expand_dims(ops.cast(found > nothing, "float64"), 2)
                        taken = taken + ops.sum(alive * ops.one_hot(index % symbols, symbols, dtype="float64"), axis=1)
                    wished_ends.append(ends)
                parent, symbol, sum_ = (ops.concatenate(parts, axis=1) for parts in (parents, chosen, sums))
                here = ops.equal(along, ops.reshape(at, (-1, 1, 1)))

                lengths = ops.expand_dims(at + 1, 1) + ops.zeros_like(beams.fed)
                both = {
                    "scores": (beams.ended_scores, scores(ops.concatenate(wished_ends, axis=1), lengths, penalty)),
                    "sums": (beams.ended_sums, ending),
                    "lengths": (beams.ended_lengths, lengths),
                    "ids": (beams.ended_ids, ops.where(here, rules.end, beams.ids)),
                }
                joined = {
                    name: ops.concatenate([part[:, group] for group in groups for part in (old, now)], axis=1)
                    for name, (old, now) in both.items()
                }
                best, index_of = kept_of(joined["scores"], 2 * each, each)
                best, kept = ops.concatenate(best, axis=1), ops.concatenate(index_of, axis=1)

                after = Beams(
                    ops.take(rules.fed_next, symbol, axis=0),
                    ops.where(
                        here, ops.expand_dims(symbol, 2), ops.take_along_axis(beams.ids, ops.expand_dims(parent, 2), axis=1)
                    ),
                    sum_,
                    ops.take_along_axis(joined["ids"], ops.expand_dims(kept, 2), axis=1),
                    ops.take_along_axis(joined["sums"], kept, axis=1),
                    best,
                    ops.take_along_axis(joined["lengths"], kept, axis=1),
                )
                if not shared:
                    flat = ops.reshape(parent + ops.expand_dims(ops.arange(ops.shape(parent)[0]) * width, 1), (-1,))
                    following = [*following[:unchanged], *(ops.take(state, flat, axis=0) for state in following[unchanged:])]
                frozen = [ops.where(ops.reshape(going, (-1, *[1] * (len(old.shape) - 1))), now, old) for now, old in zip(after, beams, strict=True)]  # fmt: skip  # noqa: E501
                after = Beams(*[ops.cast(now, old.dtype) for now, old in zip(frozen, beams, strict=True)])
                at = ops.where(going, at + 1, at)
                reach = ops.where(penalty >= 0, rules.steps, at + 1)  # the length at which a sum, which only falls, counts most
                hope = scores(after.sums, ops.expand_dims(reach, 1), penalty)
                over = ops.ones_like(going)
                for group in groups:
                    worst = after.ended_scores[:, group][:, wanted - 1]
                    over = ops.logical_and(over, ops.max(hope[:, group], axis=1) <= worst)
                going = ops.logical_and(going, ops.logical_and(at < rules.steps, ops.logical_not(over)))
                following = [ops.cast(now, old.dtype) for now, old in zip(following, states, strict=True)]
                return (k + 1, at, going, broken, *after, *following)

            start = (ops.zeros_like(limit), at, going, ops.zeros_like(going), *beams, *states)
            _, at, going, broken, *carried = ops.while_loop(
                lambda k, at, going, *_: ops.logical_and(k < limit, ops.any(going)), body, start
            )
            return carried[len(Beams._fields) :], Beams(*carried[: len(Beams._fields)]), at, going, broken

        return run

    return function
