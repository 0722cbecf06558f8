"""Finds sequences of symbols for rows, with the compiled loops: by strategy, in batches, in order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.symbols import Symbols
from seqdec_gui.domain.decoding import GREEDY, Beam, Sampling, Strategy
from seqdec_gui.runner.decoding import batches, choice
from seqdec_gui.runner.decoding.batches import (
    COMPILATION_S,
    Answers,
    Batch,
    BeamBatch,
    Encoded,
    Found,
    Pace,
    SymbolBatch,
    Told,
    best_of,
    stream,
)
from seqdec_gui.runner.decoding.beam_loop import beam_loop
from seqdec_gui.runner.decoding.choice import Filters
from seqdec_gui.runner.decoding.compiled import Function, compiled, compiles_each_size, on_device, on_gpu
from seqdec_gui.runner.decoding.step import StepDecoder
from seqdec_gui.runner.decoding.symbol_loop import LONGEST_CHUNK, Rules, Step, symbol_loop

Array = npt.NDArray[Any]
STEPS_AT_ONCE = 8
"""About how many steps GPUs do before it is asked whether a sequence goes on: the answer waits for the host."""
StatesOf = Callable[[Array], list[Any]]
"""`states_of(rows)` returns what the loop starts from for these rows: states of the decoder, or predictions of one pass."""


class Items(NamedTuple):
    """What is to be found: a sequence for each (row, sample), rows ascending; for a beam search one item per row.

    `told` are the symbols that a row's sequences have to begin with, as `told_symbols` gives them for each of the different
    rows, or None.
    """

    rows: Array
    samples: Array
    told: Array | None = None


class Search:
    """The compiled loops of one decoder; with no decoder, sequences are read from predictions of one pass.

    A loop is compiled when it is first used, and kept.
    """

    def __init__(self, symbols: Symbols, width: int, decoder: StepDecoder | None) -> None:
        self._symbols, self._width, self._decoder = symbols, width, decoder
        self._loops: dict[Hashable, Function] = {}
        self._paces: dict[tuple[Function, int], Pace] = {}
        self._settings: tuple[bytes, Any] = (b"", None)

    def find(
        self,
        items: Items,
        states_of: StatesOf,
        strategy: Strategy,
        seed: int,
        allowed: Array,
        min_length: int,
        largest: int,
        steps: int | None = None,
    ) -> Iterator[Answers]:
        """Yield the sequences found for each item, in the order of the items; a beam search includes the greedy choice.

        Where there is one sequence for each item, the parts are `OneEach`, with arrays for all of their items.
        """
        symbols = self._symbols
        longest = symbols.steps if steps is None else steps
        rules = Rules.of(allowed, symbols.fed_next, symbols.end, longest, min_length, symbols.mark)
        if not isinstance(strategy, Beam):
            yield from self._one_each(items, states_of, strategy, seed, rules, largest)
            return
        beams = self._beams(items, states_of, strategy, rules, max(1, largest // strategy.width))
        if strategy.width == 1:
            yield from beams
            return
        greedy = (pair for ready in self._one_each(items, states_of, GREEDY, seed, rules, largest) for pair in ready)
        for ready in beams:
            yield [(item, _with(found, next(greedy)[1][0], strategy)) for item, found in ready]

    def _one_each(
        self, items: Items, states_of: StatesOf, strategy: Strategy, seed: int, rules: Rules, largest: int
    ) -> Iterator[Answers]:
        sampling = strategy if isinstance(strategy, Sampling) else None
        chunk, unroll = chunk_of(int(rules.steps), STEPS_AT_ONCE if on_gpu() and compiles_each_size() else 1)
        drawn = (False, False, False) if sampling is None else (True, sampling.filters, sampling.temperature != 1.0)
        loop = self._loop(("symbols", *drawn, items.told is not None, chunk, unroll))
        settings = self._moved((np.asarray(self._symbols.begin, np.int32), rules, Filters.of(sampling or Sampling())))
        different, places = _different(items.rows)

        def make(size: int) -> Batch:
            return SymbolBatch(
                size, partial(self._pace, loop), loop, rules, settings,
                lambda which: choice.keys(seed, items.rows[which], items.samples[which]), _told(items, places),
            )  # fmt: skip

        return stream(make, _encoder(different, states_of), places, largest, int(rules.steps), self._worth(loop, rules))

    def _beams(self, items: Items, states_of: StatesOf, beam: Beam, rules: Rules, largest: int) -> Iterator[Answers]:
        static = msgspec.structs.replace(beam, length_penalty=0.0, diversity=0.0)
        loop = self._loop(("beam", static, items.told is not None))
        different, places = _different(items.rows)
        told = _told(items, places)

        def make(size: int) -> Batch:
            paces = partial(self._pace, loop)
            return BeamBatch(size, paces, loop, self._symbols.begin, rules, beam, told, self._decoder is None)

        return stream(make, _encoder(different, states_of), places, largest, int(rules.steps), self._worth(loop, rules))

    def _pace(self, loop: Function, size: int) -> Pace:
        first = LONGEST_CHUNK if on_gpu() else batches.FIRST_CHUNK
        return self._paces.setdefault((loop, size), Pace(first))

    def _moved(self, settings: tuple[Any, Rules, Filters]) -> Any:
        """Return these arrays on the device; kept until others are asked for."""
        begin, rules, filters = settings
        key = b"".join(np.asarray(each).tobytes() for each in (begin, *rules, *filters))
        if self._settings[0] != key:
            self._settings = key, on_device(settings)
        return self._settings[1]

    def _worth(self, loop: Function, rules: Rules) -> Callable[[int, Batch], bool]:
        """Return whether a smaller batch saves more time than its compilation takes, where each size is compiled."""
        if not compiles_each_size():
            return lambda size, batch: True

        def worth(size: int, batch: Batch) -> bool:
            return (loop, size) in self._paces or batch.seconds_left(int(rules.steps)) >= COMPILATION_S

        return worth

    def _loop(self, key: tuple[Any, ...]) -> Function:
        if key not in self._loops:
            model = None if self._decoder is None else self._decoder.model
            make_step = of_predictions if self._decoder is None else self._decoder.of_symbols
            if key[0] == "beam":
                unchanged = 0 if self._decoder is None else self._decoder.unchanged
                function = beam_loop(make_step, key[1], key[2], self._decoder is None, unchanged)
            else:
                function = symbol_loop(make_step, *key[1:])
            self._loops[key] = compiled(model, function, wide=True)
        return self._loops[key]


def chunk_of(steps: int, at_once: int) -> tuple[int, int]:
    """Return the most steps of a call of the loop, and how many of them are done at once, which divides them.

    Of the numbers near `at_once` the one with the fewest steps beyond the greatest length.
    """
    longest = min(LONGEST_CHUNK, steps)
    near = range(min(longest, max(1, at_once * 3 // 4)), min(longest, at_once * 3 // 2) + 1)
    unroll = min(near, key=lambda each: (-longest % each, abs(each - at_once)))
    return -(-longest // unroll) * unroll, unroll


def of_predictions(call: Any) -> Step:
    """Return the step that reads predictions of one pass, `(rows, steps, symbols)`, in the place of states."""
    from keras import ops

    def step(fed: Any, at: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        (predicted,) = states
        last = ops.shape(predicted)[1] - 1
        here = ops.reshape(ops.minimum(at, last), (-1, 1, 1))
        return ops.take_along_axis(predicted, here, axis=1)[:, 0], states

    return step


def _encoder(different: Array, states_of: StatesOf) -> Callable[[int, int], Encoded]:
    def encode(first: int, block: int) -> Encoded:
        from keras import ops

        rows = different[first : first + block]
        filled = np.concatenate([rows, np.repeat(rows[-1:], block - len(rows))])  # one shape to compile
        return Encoded([ops.convert_to_tensor(state) for state in states_of(filled)], first, len(rows))

    return encode


def _different(rows: Array) -> tuple[Array, Array]:
    """Return the different ones of ascending rows, and the place of each row among them."""
    new = np.append(True, rows[1:] != rows[:-1])[: len(rows)]
    return rows[new], np.cumsum(new) - 1


def _told(items: Items, places: Array) -> Told | None:
    told = items.told
    return None if told is None else lambda which: told[places[which]]


def _with(found: list[Found], greedy: Found, beam: Beam) -> list[Found]:
    return best_of([(each.score(beam.length_penalty), each) for each in (*found, greedy)], beam.n_best)
