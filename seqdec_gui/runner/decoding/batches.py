"""Generates a stream of sequences in a batch of fixed size: where one has ended, the next takes its place."""

from __future__ import annotations

import abc
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.decoding import Beam
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.decoding.beam_loop import Beams, no_beams
from seqdec_gui.runner.decoding.compiled import Function, compiled_once, on_device, on_host
from seqdec_gui.runner.decoding.symbol_loop import LONGEST_CHUNK, Rules, Sequences, no_sequences, type_of_ids

Array = npt.NDArray[Any]
SIZES = (16, 64, 256, 1024, 4096, 16384)
"""How many sequences are generated together; each size is compiled once."""
FIRST_CHUNK = 8
"""Steps of the first call of the loop."""
WAITING = 4
"""The part of the greatest length after which places of ended sequences are given to those that wait: 1 / 4."""
COMPILATION_S = 3.0
"""Seconds that a smaller batch has to save where it is compiled for its size."""
QUICK_S, SLOW_S = 0.003, 0.05
"""Seconds of a call below which the next has more steps, and above which it has fewer."""


class Found(NamedTuple):
    """One generated sequence: its ids and the sum of their log-probabilities, the end symbol included where it was chosen.

    `ended` is false for a sequence that was cut at the greatest length.
    """

    ids: Array
    log_probability: float
    ended: bool

    def score(self, length_penalty: float) -> float:
        """Return the log-likelihood divided by a power of the length, the end symbol included."""
        return self.log_probability / float(max(1, len(self.ids)) ** length_penalty)


Columns = tuple[Array, ...]
"""What was found for several items: arrays `(items, ...)`."""
Ended = tuple[Array, Columns]
"""Items that have ended, in any order, and what was found for them."""
Answers = Sequence[tuple[int, list[Found]]]
"""Items, in order, and the sequences found for each."""


class OneEach(Sequence[tuple[int, list[Found]]]):
    """One sequence for each item from `first` on: arrays for all of them, and pairs of item and `Found` when asked for.

    `ids` int32 are `(items, steps)` and count up to `lengths`. `totals` float64 are the log-probabilities of the sequences.
    """

    def __init__(self, first: int, ids: Array, lengths: Array, totals: Array, ended: Array) -> None:
        self.first, self.ids, self.lengths, self.totals, self.ended = first, ids, lengths, totals, ended

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return list(self)[at]
        place = range(len(self))[at]
        length = int(self.lengths[place])
        found = Found(self.ids[place, :length], float(self.totals[place]), bool(self.ended[place]))
        return self.first + place, [found]

    def __iter__(self) -> Iterator[tuple[int, list[Found]]]:
        rows = zip(self.ids, self.lengths.tolist(), self.totals.tolist(), self.ended.tolist(), strict=True)
        for item, (ids, length, total, ended) in enumerate(rows, self.first):
            yield item, [Found(ids[:length], total, ended)]


class Encoded(NamedTuple):
    """Initial states on the device, each `(block, ...)`: the first `rows` are of the rows at `first`, `first` + 1, …"""

    states: list[Any]
    first: int
    rows: int


Encode = Callable[[int, int], Encoded]
"""`encode(first, block)` encodes up to `block` different rows from the row at place `first` on, filled up to `block`."""


class Pace:
    """How many steps a call of a loop does, as its calls take time; kept for the batches of one size that come after."""

    def __init__(self, first: int) -> None:
        self.limit, self.step_s, self._measured = first, 0.0, 0

    def measure(self, steps: int, seconds: float) -> None:
        """Take note of what a call of at most `steps` steps took."""
        self._measured += 1
        if self._measured > 1:  # the first call compiles
            self.step_s = seconds / steps
            if seconds < QUICK_S:
                self.limit = min(LONGEST_CHUNK, 2 * self.limit)
            elif seconds > SLOW_S:
                self.limit = max(4, self.limit // 2)


class Batch(abc.ABC):
    """The sequences that are generated together. `items` go in in order; `finished` are handed out as they end.

    `paces(size)` returns the pace of batches of a size.
    """

    def __init__(self, size: int, paces: Callable[[int], Pace]) -> None:
        self.pace, self._paces = paces(size), paces
        self.item = np.full(size, -1)
        """The item in each place, -1 where none is."""
        self.at = np.zeros(size, np.int32)
        self.going = np.zeros(size, bool)
        self.states: list[Any] | None = None

    @property
    def free(self) -> Array:
        return np.flatnonzero(self.item < 0)

    def put(self, places: Array, items: Array) -> None:
        """Let these items begin in these places."""
        self.item[places], self.at[places], self.going[places] = items, 0, True

    def run(self, fresh: list[Any], taken: Array, most: int) -> Ended:
        """Do up to `most` steps of all sequences, and return the items that have ended and what was found for them.

        Place i begins with `fresh[taken[i]]` unless it is -1.
        """
        if self.states is None:
            self.states = self._first_states(fresh)
        limit = min(most, self.pace.limit)
        start = time.perf_counter()
        self._steps(fresh, taken.astype(np.int32), np.asarray(limit, np.int32))
        self.pace.measure(limit, time.perf_counter() - start)
        ended = np.flatnonzero((self.item >= 0) & ~self.going)
        items, found = self.item[ended], self._collect(ended)
        self.item[ended] = -1
        return items, found

    def seconds_left(self, steps: int) -> float:
        """Return how long the sequences may still take, if one of them has `steps` steps."""
        going = self.at[self.item >= 0]
        return self.pace.step_s * (steps - int(going.min())) if len(going) else 0.0

    def shrink(self, size: int) -> None:
        """Keep the places with items, and fill them up to `size`, which is at least their number."""
        self.pace = self._paces(size)
        kept = np.flatnonzero(self.item >= 0)
        kept = np.concatenate([kept, self.free])[:size]
        self._keep(kept)
        self.item, self.at, self.going = self.item[kept], self.at[kept], self.going[kept]

    @abc.abstractmethod
    def _first_states(self, fresh: list[Any]) -> list[Any]: ...

    @abc.abstractmethod
    def _steps(self, fresh: list[Any], taken: Array, limit: Array) -> None: ...

    @abc.abstractmethod
    def _collect(self, places: Array) -> Columns: ...

    @staticmethod
    @abc.abstractmethod
    def answers(first: int, found: Columns) -> Answers:
        """Return what was found for the items from `first` on as pairs of item and sequences."""

    @abc.abstractmethod
    def _keep(self, places: Array) -> None: ...


Told = Callable[[Array], Array]
"""`told(items)` returns the symbols that these items have to have, int32 `(items, steps)`, -1 where they are free."""


class SymbolBatch(Batch):
    """One symbol is chosen per step and sequence. `keys(items)` gives the states of their random numbers."""

    def __init__(
        self, size: int, paces: Callable[[int], Pace], loop: Function, rules: Rules, settings: tuple[Any, ...],
        keys: Callable[[Array], Array], told: Told | None,
    ) -> None:  # fmt: skip
        super().__init__(size, paces)
        self._loop, self._end, steps = loop, int(rules.end), int(rules.steps)  # `settings`: begin, rules and filters
        self._settings = settings
        self._keys_of, self._told_of = keys, told
        self._keys = np.zeros(size, np.int64)
        self._told = np.full((size, steps if told else 0), -1, np.int32)
        self._sequences = _empty(len(rules.allowed), size, steps)
        self._on_host: list[Array] = []

    def put(self, places: Array, items: Array) -> None:
        super().put(places, items)
        self._keys[places] = self._keys_of(items)
        if self._told_of is not None:
            self._told[places] = self._told_of(items)

    def _first_states(self, fresh: list[Any]) -> list[Any]:
        return list(fresh)  # of the same number of rows, and all of them are replaced

    def _steps(self, fresh: list[Any], taken: Array, limit: Array) -> None:
        news = np.stack([taken, self._keys])
        told = self._told if self._told_of is not None else _nothing_told(len(taken))
        self.states, self._sequences, counts = self._loop(
            fresh, news, self.states, self._sequences, told, *self._settings, _number(int(limit))
        )
        counted, *self._on_host = on_host(counts, self._sequences.ids, self._sequences.sums)
        self.at, self.going = counted >> 1, (counted & 1).astype(bool)

    def _collect(self, places: Array) -> Columns:
        if not len(places):
            return ()
        lengths, all_of = self.at[places], len(places) == len(self.at)
        ids, totals = (each if all_of else each[places] for each in self._on_host)
        ids = ids.astype(np.int32)
        if np.isnan(totals).any():
            raise nan_predicted()
        return ids, lengths, totals, ids[np.arange(len(ids)), lengths - 1] == self._end

    @staticmethod
    def answers(first: int, found: Columns) -> Answers:
        return OneEach(first, *found)

    def _keep(self, places: Array) -> None:
        self.states = _rows_of(self.states or [], places)
        self._sequences = Sequences(*_rows_of(list(self._sequences), places))
        self._keys, self._told = self._keys[places], self._told[places]


@functools.cache
def _empty(symbols: int, size: int, steps: int) -> Any:
    """Return the sequences of an empty batch, on the device."""
    return compiled_once(no_sequences)(np.zeros(size, np.int32), np.zeros(steps, type_of_ids(symbols)))


@functools.cache
def _nothing_told(size: int) -> Any:
    return on_device(np.zeros((size, 0), np.int32))


@functools.cache
def _number(number: int) -> Any:
    """Return an int32 number on the device: each copy takes longer than a step of a small model."""
    return on_device(np.asarray(number, np.int32))


class BeamBatch(Batch):
    """Each item is a row, whose best sequences are kept. `shared` states are those of a row, else of each of its sequences."""

    def __init__(
        self, size: int, paces: Callable[[int], Pace], loop: Function, begin: int, rules: Rules, beam: Beam, told: Told | None,
        shared: bool,
    ) -> None:  # fmt: skip
        super().__init__(size, paces)
        self._loop, self._rules, self._beam, self._told_of, self._shared = loop, rules, beam, told, shared
        self._begin = np.asarray(begin, np.int32)
        self._told = np.full((size, int(rules.steps) if told else 0), -1, np.int32)
        self._beams: Any = no_beams(size, beam.width, int(rules.steps))

    def put(self, places: Array, items: Array) -> None:
        super().put(places, items)
        if self._told_of is not None:
            self._told[places] = self._told_of(items)

    def _first_states(self, fresh: list[Any]) -> list[Any]:
        from keras import ops

        return list(fresh) if self._shared else [ops.repeat(state, self._beam.width, axis=0) for state in fresh]

    def _steps(self, fresh: list[Any], taken: Array, limit: Array) -> None:
        numbers = [np.asarray(number, np.float64) for number in (self._beam.length_penalty, self._beam.diversity)]
        places = (self._begin, self.at, self.going, self._told)
        answer = self._loop(fresh, taken, self.states, self._beams, *places, self._rules, *numbers, limit)
        self.states, self._beams, at, going, broken = answer
        if np.asarray(broken).any():
            raise nan_predicted()
        self.at, self.going = np.array(at), np.array(going)

    def _collect(self, places: Array) -> Columns:
        found = np.empty(len(places), object)
        if len(places):
            beams = Beams(*(np.asarray(part)[places] for part in self._beams))
            for row, place in enumerate(places):
                found[row] = self._best(beams, row, int(self.at[place]))
        return (found,)

    @staticmethod
    def answers(first: int, found: Columns) -> Answers:
        return list(enumerate(found[0], first))

    def _best(self, beams: Beams, row: int, at: int) -> list[Found]:
        """Return the best sequences of a row, different ones: those that ended, and at the greatest length those that go on."""
        found, penalty = list[tuple[float, Found]](), self._beam.length_penalty
        for k, length in enumerate(beams.ended_lengths[row].tolist()):
            if beams.ended_scores[row, k] > -np.inf:
                one = Found(beams.ended_ids[row, k, :length], float(beams.ended_sums[row, k]), True)
                found.append((one.score(penalty), one))
        if at >= int(self._rules.steps):
            for k in range(self._beam.width):
                if beams.sums[row, k] > -np.inf:
                    one = Found(beams.ids[row, k, :at], float(beams.sums[row, k]), False)
                    found.append((one.score(penalty), one))
        return best_of(found, self._beam.n_best)

    def _keep(self, places: Array) -> None:
        width = 1 if self._shared else self._beam.width
        flat = (places[:, None] * width + np.arange(width)).reshape(-1)
        self.states = _rows_of(self.states or [], flat)
        self._beams = Beams(*_rows_of(list(self._beams), places))
        self._told = self._told[places]


def best_of(scored: Sequence[tuple[float, Found]], count: int) -> list[Found]:
    """Return the `count` best sequences, the best first; of several equal ones one."""
    kept: dict[tuple[int, ...], Found] = {}
    for _, found in sorted(scored, key=lambda pair: -pair[0]):
        kept.setdefault(tuple(found.ids.tolist()), found)
    return list(kept.values())[:count]


def stream(
    make: Callable[[int], Batch], encode: Encode, places: Array, largest: int, steps: int, worth: Callable[[int, Batch], bool]
) -> Iterator[Answers]:
    """Yield the answers of all items in parts, in the order of the items.

    Args:
        make: Returns an empty batch of a size.
        encode: Encodes rows, in blocks of the size of the batch.
        places: For each item the place of its row among the different rows, ascending.
        largest: Most items in a batch.
        steps: Most steps of an item.
        worth: Whether to go on with a smaller batch of this size once the last item has begun.
    """
    total = len(places)
    sizes = [size for size in SIZES if size <= largest] or [largest]
    size = next((each for each in sizes if each >= total), sizes[-1])
    batch, block, begun, handed = make(size), size, 0, 0
    encoded: Encoded | None = None
    done, waiting = np.zeros(total, bool), list[Ended]()
    while handed < total:
        taken = np.full(len(batch.item), -1)
        if begun < total and len(free := batch.free):
            if encoded is None or places[begun] >= encoded.first + encoded.rows:
                encoded = encode(int(places[begun]), block)
            last = int(np.searchsorted(places, encoded.first + encoded.rows))
            count = min(len(free), last - begun)
            items = np.arange(begun, begun + count)
            batch.put(free[:count], items)
            taken[free[:count]] = places[items] - encoded.first
            begun += count
        elif begun == total:
            left = int((batch.item >= 0).sum())
            smaller = next((each for each in sizes if each >= left), size)
            if smaller < size and worth(smaller, batch):
                size = smaller
                batch.shrink(size)
                taken = np.full(size, -1)
        assert encoded is not None
        most = LONGEST_CHUNK if begun == total else max(FIRST_CHUNK, steps // WAITING)  # where items wait, places are needed
        found = batch.run(encoded.states, taken, most)
        if len(found[0]):
            done[found[0]] = True
            waiting.append(found)
            if done[handed]:
                count, ready, waiting = _in_order(waiting, done, handed)
                yield batch.answers(handed, ready)
                handed += count


def _in_order(
    waiting: list[tuple[Array, Columns]], done: Array, handed: int
) -> tuple[int, Columns, list[tuple[Array, Columns]]]:
    """Return how many items from `handed` on are done without a gap, what was found for them in order, and what waits on."""
    if len(waiting) == 1 and (np.diff(waiting[0][0]) == 1).all():
        return len(waiting[0][0]), waiting[0][1], []
    items = np.concatenate([each for each, _ in waiting])
    columns = tuple(np.concatenate(parts) for parts in zip(*(found for _, found in waiting), strict=True))
    order = np.argsort(items)
    gaps = np.flatnonzero(~done[handed : handed + len(items)])
    count = int(gaps[0]) if len(gaps) else len(items)
    rest = order[count:]
    kept = [(items[rest], tuple(column[rest] for column in columns))] if len(rest) else []
    return count, tuple(column[order[:count]] for column in columns), kept


def _rows_of(arrays: list[Any], rows: Array) -> list[Any]:
    return [np.asarray(array)[rows] for array in arrays]  # a gather on the device is compiled for each shape


def nan_predicted() -> InvalidInput:
    """The error that a model predicts no numbers."""
    text = "The model predicts NaN in place of probabilities: its weights, or the values of a row, are no numbers."
    return InvalidInput(f"{text} Train it again with a smaller learning rate, or choose another checkpoint.", "nan_predicted")
