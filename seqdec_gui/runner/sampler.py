"""Generates sequences with a trained stack, greedily or at random, for many rows at once; see docs/sampling.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.symbols import Symbols, symbols_of_decoder, symbols_of_predictions
from seqdec_gui.data.teaching import fail_if_taught
from seqdec_gui.data.tensor_feeds import expand
from seqdec_gui.domain.dataflow import inputs_behind
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import OnePass, Stepwise, plan_for
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runner.decoding import choice
from seqdec_gui.runner.decoding.numbers import Numbers, Scale, numbers_as_text, numbers_of, scale_of
from seqdec_gui.runner.decoding.recorded import Recorded, recorded_symbols, symbols_from
from seqdec_gui.runner.decoding.step import StepDecoder
from seqdec_gui.runner.wiring import model_of

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
Choose = Callable[[int, Array], Array]
MAX_SEQUENCES_AT_ONCE = 1024
"""Most sequences that are generated together."""
MAX_PROBABILITIES_AT_ONCE = 2**24
"""Most probabilities of one step, over all sequences that are generated together."""
MIN_PROBABILITY = float(np.finfo(np.float32).tiny)
"""Probability to which smaller ones are raised before the logarithm, so that the sum of a sequence stays finite."""


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
    learnt from these rows, it is not called. Raises InvalidInput, with the reason, where the design cannot generate.
    """

    first_step_from: str = ""
    """The input that gives the first step of each row, `(rows, features)`; empty if all training rows begin alike."""

    def __init__(
        self,
        design: Design,
        models: Mapping[str, keras.Model],
        fitted: Fitted,
        rows: Callable[[str], Array],
        recorded: Recorded | None = None,
    ) -> None:
        inference = infer(design)
        plan = plan_for(design, inference)
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
            self._of_decoder(plan, fitted, rows, recorded)
            self._decoder = StepDecoder(design, inference, models, plan.decoder, plan.encoding, plan.width)
            self.inputs = self._decoder.inputs
        self._width = plan.width

    def _of_decoder(
        self, plan: Stepwise, fitted: Fitted, rows: Callable[[str], Array], recorded: Recorded | None = None
    ) -> None:
        if recorded is not None and plan.numbers:
            begin = None if recorded.begin is None else np.array(recorded.begin)
            self._numbers = Numbers(begin, recorded.steps, scale_of(fitted, plan.fed), scale_of(fitted, plan.loss))
            self.first_step_from = plan.fed if begin is None else ""
        elif recorded is not None and recorded.symbols is not None:
            self._symbols = symbols_from(recorded.symbols, fitted, plan.loss, plan.width)
        elif plan.numbers:
            array = next(feed.array for feed in fitted.feeds if feed.name == plan.fed)
            self._numbers = numbers_of(fitted, plan.fed, plan.loss, rows(array))
            if self._numbers.begin is None:
                self.first_step_from = plan.fed
        else:
            self._symbols = symbols_of_decoder(fitted, plan.fed, plan.loss, plan.width, rows)

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

    # -- generating
    def generate(
        self, arrays: Mapping[str, Array], rows: int | Array, count: int = 1, temperature: float = 0.0, seed: int = 0
    ) -> Iterator[list[Sample]]:
        """Yield samples in lists, ordered by row and then by number.

        A sample depends on weights, row values, temperature, seed, row number and sample number, and on nothing else.

        Args:
            arrays: The stored arrays of `self.inputs` (`Fitted.encode_rows`).
            rows: The numbers of the rows to decode, ascending, or how many rows there are.
            count: Samples for each row.
            temperature: 0 takes the likeliest symbol.
            seed: Seed of the random numbers.
        """
        numbers = np.arange(rows) if isinstance(rows, int) else rows
        total = len(numbers) * count
        size = min(total, MAX_SEQUENCES_AT_ONCE, max(16, MAX_PROBABILITIES_AT_ONCE // max(1, self._width)))
        for start in range(0, total, size):
            index = np.minimum(np.arange(start, start + size), total - 1)  # fill the last part up: one shape to compile
            kept = min(size, total - start)
            results = self._part(arrays, numbers[index // count], index % count, temperature, seed)
            yield [Sample(int(numbers[i // count]), int(i % count), *results[k]) for k, i in enumerate(index[:kept])]

    def _part(
        self, arrays: Mapping[str, Array], rows: Array, samples: Array, temperature: float, seed: int
    ) -> list[tuple[str, float | None, bool]]:
        if self._numbers is not None:
            assert self._decoder is not None
            begin = arrays[self.first_step_from][rows] if self._numbers.begin is None else self._numbers.begin
            begin = np.broadcast_to(begin, (len(rows), begin.shape[-1]))
            values = self._numbers.roll_out(self._decoder, self._states(arrays, rows), begin)
            return [(numbers_as_text(row), None, True) for row in values]
        if self._scale is not None:
            predicted, places = self._predict(arrays, rows)
            return [(numbers_as_text(self._scale.undo(predicted[place].astype(np.float64))), None, True) for place in places]
        assert self._symbols is not None
        allowed = self._symbols.allowed

        def choose(step: int, probabilities: Array) -> Array:
            if temperature <= 0:
                return choice.greedy(probabilities, allowed)
            return choice.draw(probabilities, allowed, temperature, choice.uniform(seed, rows, samples, step))

        ids, sums = self._run(arrays, rows, choose)
        finished = (ids == self._symbols.end).any(axis=1) if self._symbols.ends else np.ones(len(ids), bool)
        return [
            (self._symbols.read(row.tolist()), float(total), bool(end))
            for row, total, end in zip(ids, sums, finished, strict=True)
        ]

    def log_probabilities(self, arrays: Mapping[str, Array], ids: Array) -> Array:
        """Return the log-probability of one sequence per row of `arrays`, computed step by step, float64 `(rows,)`.

        `ids` `(rows, steps)` are the sequences as predicted ids; they count up to the first end symbol, which is included.
        """
        if self._symbols is None:
            raise InvalidInput("A decoder of numbers gives no probabilities.", "no_symbols")
        return self._run(arrays, np.arange(len(ids)), lambda step, _: ids[:, step], ids.shape[1])[1]

    # -- steps
    def _inputs(self, arrays: Mapping[str, Array], rows: Array) -> dict[str, Array]:
        return {name: expand(self._feeds[name], arrays[name][rows]) for name in self.inputs}

    def _states(self, arrays: Mapping[str, Array], rows: Array) -> list[Array]:
        """Return the initial states of these rows, which ascend; every different row is encoded once."""
        assert self._decoder is not None
        different, places = np.unique(rows, return_inverse=True)
        states = self._decoder.initial_states(self._inputs(arrays, different), len(different))
        return states if len(different) == len(rows) else [state[places] for state in states]

    def _run(self, arrays: Mapping[str, Array], rows: Array, choose: Choose, steps: int | None = None) -> tuple[Array, Array]:
        """Return ids `(rows, steps)`, and the sums of log p of the chosen ids up to the end symbol, which is included."""
        assert self._symbols is not None
        symbols = self._symbols
        steps = symbols.steps if steps is None else steps
        predict = self._one_pass(arrays, rows) if self._decoder is None else self._step_by_step(arrays, rows)
        ids = np.full((len(rows), steps), 0 if symbols.end is None else symbols.end, np.int64)
        sums, going = np.zeros(len(rows)), np.ones(len(rows), bool)
        chosen = np.zeros(len(rows), np.int64)
        for step in range(steps):
            probabilities = predict(step, chosen)
            chosen = choose(step, probabilities)
            ids[going, step] = chosen[going]
            sums[going] += _log(probabilities[going], chosen[going])
            if symbols.end is not None:
                going &= chosen != symbols.end
                if not going.any():
                    break
        return ids, sums

    def _step_by_step(self, arrays: Mapping[str, Array], rows: Array) -> Choose:
        assert self._decoder is not None
        assert self._symbols is not None
        decoder, symbols = self._decoder, self._symbols
        states: list[Any] = list(self._states(arrays, rows))

        def predict(step: int, chosen: Array) -> Array:
            nonlocal states
            fed = symbols.fed_next[chosen] if step else np.full(len(rows), symbols.begin)
            probabilities, states = decoder.step(fed.astype(np.int32), states)
            return probabilities

        return predict

    def _one_pass(self, arrays: Mapping[str, Array], rows: Array) -> Choose:
        predicted, places = self._predict(arrays, rows)
        return lambda step, _: predicted[places, step]

    def _predict(self, arrays: Mapping[str, Array], rows: Array) -> tuple[Array, Array]:
        """Return the predictions `(different rows, steps, width)`, and for each of `rows` its index in them."""
        assert self._model is not None
        different, places = np.unique(rows, return_inverse=True)
        inputs = list(self._inputs(arrays, different).values())
        predicted = np.asarray(self._model.predict_on_batch(inputs[0] if len(inputs) == 1 else inputs))
        return predicted.reshape(len(different), -1, predicted.shape[-1]), places


def _log(probabilities: Array, chosen: Array) -> Array:
    """Return the logarithm of the chosen symbols' share of the sum (1 for a softmax), float64 `(rows,)`."""
    p = probabilities[np.arange(len(chosen)), chosen].astype(np.float64)
    total = probabilities.sum(axis=-1, dtype=np.float64)
    return np.log(np.maximum(p, MIN_PROBABILITY) / np.maximum(total, MIN_PROBABILITY))


def rows_in(arrays: Mapping[str, Array], names: Iterable[str]) -> int:
    """Return the number of rows of the inputs; 1 for a language model, which has no inputs."""
    return next((len(arrays[name]) for name in names), 1)
