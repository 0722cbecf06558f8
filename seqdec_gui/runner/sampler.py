"""Generates sequences with a trained stack: greedily, at random or by beam search, for many rows; see docs/sampling.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.feed_map import FeedMap, of_pairs
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.symbols import Symbols, symbols_of_decoder, symbols_of_predictions
from seqdec_gui.data.teaching import fail_if_taught
from seqdec_gui.data.tensor_feeds import expand
from seqdec_gui.data.written_symbols import told_symbols
from seqdec_gui.domain.dataflow import inputs_behind
from seqdec_gui.domain.decoding import (
    GREEDY,
    TRIES_PER_SAMPLE,
    UNCONSTRAINED,
    Beam,
    Constraints,
    Greedy,
    Sampling,
    Strategy,
    check_decoding,
)
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import OnePass, Stepwise, plan_for
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runner.decoding.batches import Answers, Found
from seqdec_gui.runner.decoding.compiled import on_gpu
from seqdec_gui.runner.decoding.limits import allowed_symbols, codec_of, fail_without_beginning
from seqdec_gui.runner.decoding.numbers import Numbers, NumberSearch, Scale, mapping_of, numbers_as_text, numbers_of, scale_of
from seqdec_gui.runner.decoding.recorded import Recorded, recorded_symbols, symbols_from
from seqdec_gui.runner.decoding.search import Items, Search
from seqdec_gui.runner.decoding.step import StepDecoder
from seqdec_gui.runner.wiring import model_of

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
MAX_SEQUENCES_AT_ONCE = 1024
"""Most sequences that are generated together."""
MORE_ON_GPU, MAX_STATE_BYTES = 4, 2**28
"""How many times as many on a GPU, whose kernels take as long for few rows, if their states have no more bytes than this."""
MAX_STATES_AT_ONCE = 2**31
"""Most bytes of the states of all sequences that are generated together; a batch and its next states are held at once."""
MAX_PROBABILITIES_AT_ONCE = 2**24
"""Most probabilities that are held at once, over all sequences that are generated together."""


class Sample(NamedTuple):
    """One sequence for row `row`; `log_probability` is None where numbers were predicted.

    `finished` is false for a sequence that was cut at the greatest length, before the end symbol was chosen.
    """

    row: int
    sample: int
    text: str
    log_probability: float | None
    finished: bool = True


class Sampler:
    """Generates with the trained `models` of a design.

    `rows(port)` returns the stored training rows of a port. It is called only for data bound as ids or numbers, whose first and
    last symbol have to be determined, and for inputs that may contain the targets. With `recorded`, what another sampler has
    learnt from these rows, it is not called.
    `feed_map` says what is fed after each prediction. Raises InvalidInput, with the reason, where the design cannot generate.
    """

    first_step_from: str = ""
    """The input that gives the first step of each row, `(rows, features)`; empty if all training rows begin alike."""

    def __init__(
        self,
        design: Design,
        models: Mapping[str, keras.Model],
        fitted: Fitted,
        rows: Any,
        recorded: Recorded | None = None,
        feed_map: FeedMap | None = None,
    ) -> None:
        inference = infer(design)
        plan = plan_for(design, inference, feed_map is not None)
        if feed_map is None and design.data.feed_map:
            feed_map = of_pairs(design.data.feed_map)
        elif feed_map is not None and recorded is not None:
            text = "A bundle has what is fed after each prediction in itself."
            raise InvalidInput([Problem("error", "bad_feed_map", "feed_map", text, "Generate without a mapping.")])
        if feed_map is not None and isinstance(plan, OnePass):
            text = "A mapping is for a run whose decoder is fed what it predicts, and this is none."
            raise InvalidInput([Problem("error", "bad_feed_map", "feed_map", text, "Generate without a mapping.")])
        self.plan = plan
        self.feed_map = feed_map
        self._fitted = fitted
        self._feeds = {feed.name: feed for feed in fitted.feeds if feed.role == "input"}
        self._symbols: Symbols | None = None
        self._numbers: Numbers | None = None
        self._scale: Scale | None = None
        self._decoder: StepDecoder | None = None
        self._model: keras.Model | None = None
        if isinstance(plan, OnePass):
            if recorded is None:
                fail_if_taught(design, plan, fitted, rows)
            feed = next(feed for feed in fitted.feeds if feed.name == plan.loss)
            self._model = model_of(design, inference, models, [plan.port], "predictions")
            self.inputs = inputs_behind(design, [plan.port])
            steps = self._model.outputs[0].shape[1] if len(self._model.outputs[0].shape) == 3 else 1
            if plan.numbers:
                self._scale = scale_of(fitted, plan.loss)
            elif recorded is not None and recorded.symbols is not None:
                self._symbols = symbols_from(recorded.symbols, fitted, plan.loss, plan.width)
            else:
                self._symbols = symbols_of_predictions(fitted, plan.loss, plan.width, steps or 0, lambda: rows(feed.array))
        else:
            self._of_decoder(plan, fitted, rows, recorded, feed_map)
            self._decoder = StepDecoder(design, inference, models, plan.decoder, plan.encoding, plan.taken)
            self.inputs = self._decoder.inputs
        self._width = plan.width
        self._search = None if self._symbols is None else Search(self._symbols, self._width, self._decoder)
        codec = None if self._symbols is None else codec_of(fitted, plan.loss)
        self._subwords = isinstance(codec, FittedText) and codec.vocabulary is not None
        self.cut_otherwise = 0
        """How many sequences so far are made of other subwords than their text is cut into: it is scored as cut."""
        self._roll_out = self._number_search()

    def _number_search(self) -> NumberSearch | None:
        if self._numbers is None or self._decoder is None:
            return None
        return NumberSearch(self._numbers, self._width, self._decoder)

    def _of_decoder(
        self, plan: Stepwise, fitted: Fitted, rows: Any, recorded: Recorded | None, feed_map: FeedMap | None
    ) -> None:  # fmt: skip
        if recorded is not None and plan.numbers:
            begin = None if recorded.begin is None else np.array(recorded.begin)
            scales = scale_of(fitted, plan.fed), scale_of(fitted, plan.loss)
            mapping = None if feed_map is None else mapping_of(fitted, plan.fed, plan.loss, feed_map)
            self._numbers = Numbers(begin, recorded.steps, *scales, mapping)
            self.first_step_from = plan.fed if begin is None else ""
        elif recorded is not None and recorded.symbols is not None:
            self._symbols = symbols_from(recorded.symbols, fitted, plan.loss, plan.width, plan.taken or plan.width)
        elif plan.numbers:
            array = next(feed.array for feed in fitted.feeds if feed.name == plan.fed)
            self._numbers = numbers_of(fitted, plan.fed, plan.loss, rows(array), feed_map)
            if self._numbers.begin is None:
                self.first_step_from = plan.fed
        else:
            self._symbols = symbols_of_decoder(fitted, plan.fed, plan.loss, plan.width, rows, feed_map, plan.taken)

    def follow_weights(self) -> None:
        """Take over what has changed in the weights of the models since the sampler was made."""
        if self._decoder is not None:
            self._decoder.follow_weights()

    def record(self) -> Recorded:
        """Return what this sampler has learnt from the training rows."""
        if self._symbols is not None:
            return Recorded(symbols=recorded_symbols(self._symbols))
        if self._numbers is not None:
            begin = self._numbers.begin
            return Recorded(begin=None if begin is None else tuple(begin.tolist()), steps=self._numbers.steps)
        return Recorded()

    @property
    def at_random(self) -> bool:
        """Whether samples of one row can differ: numbers have no probabilities."""
        return self._symbols is not None

    @property
    def symbols(self) -> Symbols:
        """The symbols that are predicted. Raises InvalidInput for a decoder of numbers."""
        if self._symbols is None:
            raise InvalidInput("A decoder of numbers gives no probabilities.", "no_symbols")
        return self._symbols

    # -- generating
    def generate(
        self,
        arrays: Mapping[str, Array],
        rows: int | Array,
        count: int = 1,
        strategy: Strategy = GREEDY,
        seed: int = 0,
        constraints: Constraints = UNCONSTRAINED,
        unique: bool = False,
        told: Array | None = None,
    ) -> Iterator[list[Sample]]:
        """Yield samples in lists, ordered by row and then by number, as they are found.

        A sample depends on weights, row values, strategy, constraints, seed, row number and sample number, and on nothing else.

        Args:
            arrays: The stored arrays of `self.inputs` (`Fitted.encode_rows`).
            rows: The numbers of the rows to decode, ascending, or how many rows there are.
            count: Samples for each row; a beam search gives its `n_best` in their place.
            strategy: How symbols are chosen.
            seed: Seed of the random numbers.
            constraints: What sequences must be like; a column of prefixes is given by `told`.
            unique: Draw on until a row has `count` different samples, or `TRIES_PER_SAMPLE` times `count` were drawn. Samples
                keep the number of their draw.
            told: With what the sequences of each of the rows have to begin, as `prefixes` returns it.

        Raises InvalidInput for what does not go together, and where the model predicts NaN.
        """
        check_decoding(strategy, constraints, count, unique, seed)
        if constraints.prefix_column and told is None:
            text = f"The prefixes of the column {constraints.prefix_column!r} were not read; give one prefix, or rows with it."
            raise InvalidInput(text, "bad_decoding", "decoding")
        numbers = np.arange(rows) if isinstance(rows, int) else rows
        if self._symbols is None:
            self._check_numbers(strategy, constraints, unique or told is not None)
            return self._of_numbers(arrays, numbers, count)
        if constraints.min_length > self._symbols.room:
            most, received = self._symbols.room, constraints.min_length
            text = f"Expected min_length up to {most}, the most symbols of a sequence, received {received}."
            raise InvalidInput(text, "bad_decoding", "decoding")
        if constraints.prefix:
            told, reasons = self.prefixes([constraints.prefix])
            if reasons:
                raise InvalidInput(reasons[0], "bad_decoding", "decoding")
            told = np.repeat(told, len(numbers), axis=0)
        allowed = allowed_symbols(constraints, self._symbols, self._fitted, self.plan.loss, self._width)

        def find(items: Items) -> Iterator[Answers]:
            assert self._search is not None
            width = strategy.width if isinstance(strategy, Beam) else 1
            return self._search.find(
                items, self._states_of(arrays), strategy, seed, allowed, constraints.min_length, self._largest(width)
            )

        if unique:
            return self._unique(find, numbers, count, told)
        if isinstance(strategy, Beam):
            return self._all(find, Items(numbers, np.zeros_like(numbers), told))
        return self._all(find, Items(np.repeat(numbers, count), np.tile(np.arange(count), len(numbers)), told))

    def prefixes(self, texts: Any) -> tuple[Array, dict[int, str]]:
        """Return the symbols that sequences have to begin with for each text, int32 `(texts, steps)`, -1 where they are free.

        And by place why a text cannot be a prefix. Raises InvalidInput where no prefix works.
        """
        fail_without_beginning(self._fitted, self.plan.loss)
        codec = codec_of(self._fitted, self.plan.loss)
        return told_symbols(codec, texts, self._width, self.symbols.steps, self.symbols.mark)

    def _all(self, find: Any, items: Items) -> Iterator[list[Sample]]:
        for ready in find(items):
            part: list[Sample] = []
            for item, several in ready:
                best: dict[str, Found] = {}
                for found in several:  # a beam of subwords may hold a text more than once, in other pieces
                    best.setdefault(self.symbols.read(found.ids.tolist()), found)
                row, first = int(items.rows[item]), int(items.samples[item])
                part += [self._sample(row, first + rank, found) for rank, found in enumerate(best.values())]
            yield part

    def _unique(self, find: Any, numbers: Array, count: int, told: Array | None) -> Iterator[list[Sample]]:
        together = max(1, MAX_SEQUENCES_AT_ONCE // count)
        for start in range(0, len(numbers), together):
            part = numbers[start : start + together]
            kept: list[dict[str, Sample]] = [{} for _ in part]
            drawn = np.zeros(len(part), int)
            while True:
                lacking = np.array([count - len(texts) for texts in kept])
                more = np.minimum(lacking, TRIES_PER_SAMPLE * count - drawn)
                places = np.repeat(np.arange(len(part)), more)
                if not len(places):
                    break
                samples = np.concatenate([np.arange(first, first + n) for first, n in zip(drawn, more, strict=True)])
                of_part = None if told is None else told[start + np.flatnonzero(more)]
                for ready in find(Items(part[places], samples, of_part)):
                    for item, (found,) in ready:
                        sample = self._sample(int(part[places[item]]), int(samples[item]), found)
                        kept[places[item]].setdefault(sample.text, sample)
                drawn += more
            yield [sample for texts in kept for sample in texts.values()]

    def _sample(self, row: int, sample: int, found: Found) -> Sample:
        finished = found.ended or not self.symbols.ends
        text = self.symbols.read(found.ids.tolist())
        if self._subwords and not self._cut_so(text, found.ids):
            self.cut_otherwise += 1
        return Sample(row, sample, text, found.log_probability, finished)

    def _cut_so(self, text: str, ids: Array) -> bool:
        """Return whether a text is cut into these predicted ids, an end symbol left out; true where that cannot be told."""
        chosen = ids[: len(ids) - (len(ids) > 0 and ids[-1] == self.symbols.end)]
        try:
            told, reasons = self.prefixes([text])
        except InvalidInput:
            return True
        return not reasons and np.array_equal(told[0][told[0] >= 0], chosen)

    def greedy(self, arrays: Mapping[str, Array], rows: Array) -> Iterator[list[tuple[int, Found]]]:
        """Yield these rows, ascending, with their greedy sequences as ids and how likely they are."""
        assert self._search is not None
        items = Items(rows, np.zeros_like(rows))
        allowed = allowed_symbols(UNCONSTRAINED, self.symbols, self._fitted, self.plan.loss, self._width)
        for ready in self._search.find(items, self._states_of(arrays), GREEDY, 0, allowed, 0, self._largest(1)):
            yield [(int(rows[item]), found) for item, (found,) in ready]

    def log_probabilities(self, arrays: Mapping[str, Array], ids: Array) -> Array:
        """Return the log-probability of one sequence per row of `arrays`, computed step by step, float64 `(rows,)`.

        `ids` `(rows, steps)` are the sequences as predicted ids; they count up to the first end symbol, which is included.
        """
        symbols, rows = self.symbols, np.arange(len(ids))
        assert self._search is not None
        items = Items(rows, np.zeros_like(rows), ids.astype(np.int32))
        parts = self._search.find(
            items, self._states_of(arrays), GREEDY, 0, symbols.allowed, 0, self._largest(1), steps=ids.shape[1]
        )
        return np.array([found.log_probability for ready in parts for _, (found,) in ready])

    def _largest(self, width: int) -> int:
        """Return the most sequences to generate together: less memory for many symbols."""
        steps, most = self.symbols.steps if self._decoder is None else 1, MAX_SEQUENCES_AT_ONCE
        if self._decoder is not None and on_gpu():
            most *= max(1, min(MORE_ON_GPU, MAX_STATE_BYTES // (self._decoder.state_bytes * most)))
        if self._decoder is not None:  # caches of attention are large
            most = min(most, max(16 * width, MAX_STATES_AT_ONCE // self._decoder.state_bytes))
        return min(most, max(16 * width, MAX_PROBABILITIES_AT_ONCE // max(1, self._width * steps)))

    # -- numbers
    def _check_numbers(self, strategy: Strategy, constraints: Constraints, more: bool) -> None:
        """Raise InvalidInput for what needs probabilities."""
        plain = isinstance(strategy, Greedy) or (isinstance(strategy, Sampling) and not strategy.filters)
        if not plain or constraints != UNCONSTRAINED or more:
            what = "a beam search" if isinstance(strategy, Beam) else "filters, constraints and different samples"
            text = f"This model predicts numbers, which have no probabilities: {what} cannot be used."
            raise InvalidInput(f"{text} Generate at temperature 0.", "no_symbols", "decoding")

    def _of_numbers(self, arrays: Mapping[str, Array], numbers: Array, count: int) -> Iterator[list[Sample]]:
        steps = 1 if self._numbers is None else self._numbers.steps
        size = min(len(numbers), MAX_SEQUENCES_AT_ONCE, max(16, MAX_PROBABILITIES_AT_ONCE // max(1, self._width * steps)))
        for start in range(0, len(numbers), size or 1):
            index = np.minimum(np.arange(start, start + size), len(numbers) - 1)  # one shape to compile
            rows = numbers[index]
            texts = [numbers_as_text(row) for row in self._predicted_numbers(arrays, rows)]
            yield [
                Sample(int(rows[k]), n, texts[k], None) for k in range(min(size, len(numbers) - start)) for n in range(count)
            ]

    def _predicted_numbers(self, arrays: Mapping[str, Array], rows: Array) -> Iterable[Array]:
        """Return the predicted numbers of each of these rows, in the units of the data."""
        if self._numbers is None:
            assert self._scale is not None
            return [self._scale.undo(row.astype(np.float64)) for row in self._predict(arrays, rows)]
        assert self._decoder is not None
        assert self._roll_out is not None
        begin = arrays[self.first_step_from][rows] if self._numbers.begin is None else self._numbers.begin
        begin = np.broadcast_to(begin, (len(rows), begin.shape[-1]))
        return self._roll_out.find(self._decoder.initial_states(self._inputs(arrays, rows), len(rows)), begin)

    # -- the stack
    def _inputs(self, arrays: Mapping[str, Array], rows: Array) -> dict[str, Array]:
        return {name: expand(self._feeds[name], arrays[name][rows]) for name in self.inputs}

    def _states_of(self, arrays: Mapping[str, Array]) -> Any:
        """Return the function from rows to what the loop starts from."""
        decoder = self._decoder
        if decoder is None:
            return lambda rows: [self._predict(arrays, rows)]
        return lambda rows: decoder.initial_states(self._inputs(arrays, rows), len(rows))

    def _predict(self, arrays: Mapping[str, Array], rows: Array) -> Array:
        """Return the predictions of one pass, `(rows, steps, width)`."""
        assert self._model is not None
        inputs = list(self._inputs(arrays, rows).values())
        predicted = np.asarray(self._model.predict_on_batch(inputs[0] if len(inputs) == 1 else inputs))
        return predicted.reshape(len(rows), -1, predicted.shape[-1])


def rows_in(arrays: Mapping[str, Array], names: Iterable[str]) -> int:
    """Return the number of rows of the inputs; 1 for a language model, which has no inputs."""
    return next((len(arrays[name]) for name in names), 1)
