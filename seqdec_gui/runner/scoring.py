"""Computes the log-likelihood of given sequences, all steps in one pass of the trained stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.tensor_feeds import expand
from seqdec_gui.domain.dataflow import inputs_behind
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.generation import Stepwise
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runner.decoding.batches import nan_predicted
from seqdec_gui.runner.decoding.choice import MIN_PROBABILITY
from seqdec_gui.runner.wiring import model_of

if TYPE_CHECKING:
    import keras

    from seqdec_gui.runner.sampler import Sampler

Array = npt.NDArray[Any]
ROWS_AT_ONCE = 256
MAX_PROBABILITIES_AT_ONCE = 2**24


GIVEN = "given sequences"
"""The name of stored sequences that take the place of those of the rows, which an input may be too."""


class Score(NamedTuple):
    """The log-likelihood of one row's sequence: `ids` up to the end symbol, which is included, and log p of each."""

    row: int
    ids: Array
    log_probabilities: Array

    @property
    def log_probability(self) -> float:
        return float(self.log_probabilities.sum())


class Scorer:
    """Scores sequences with the stack whose `sampler` generates them. Raises InvalidInput for a model of numbers."""

    def __init__(self, design: Design, models: Mapping[str, keras.Model], fitted: Fitted, sampler: Sampler) -> None:
        self._plan, self.symbols = sampler.plan, sampler.symbols
        self._feeds = {feed.name: feed for feed in fitted.feeds if feed.role == "input"}
        self._target = next(feed for feed in fitted.feeds if feed.name == self._plan.loss)
        self._codec = fitted.port(self._target.array).codec
        link = design.into(Port(self._plan.loss, "predictions"))
        assert link is not None
        self._model = model_of(design, infer(design), models, [link.source], "predictions")
        self._inputs = inputs_behind(design, [link.source])
        self._mapped = sampler.feed_map is not None
        self._fed = self._plan.fed if isinstance(self._plan, Stepwise) else ""
        self.inputs = tuple(name for name in self._inputs if name != self._fed)
        """The inputs that rows give, beside the sequence."""

    @property
    def array(self) -> str:
        """The name of the stored array of the sequences."""
        return self._target.array

    def wanted(self, fitted: Fitted, column: str = "") -> Fitted:
        """Return the fit with the sequence as an input to read, and with no port that scoring does not need.

        A sequence may be as long as those that are generated, without an end symbol too. `column` names its column and its
        port; otherwise the port is called `array`, and its column is found as in training, or by the name `text`. Raises
        InvalidInput.
        """
        arrays = {self._feeds[name].array for name in self.inputs}
        ports = self._input_ports(fitted, arrays)
        if column in {name for port in ports for name in (port.name, port.port)}:
            raise InvalidInput(f"{column} is the column of an input; expected the column with the sequences.", "bad_decoding")
        return msgspec.structs.replace(fitted, ports=(*ports, self._sequence(fitted.port(self.array), column, arrays)))

    def wanted_inputs(self, fitted: Fitted) -> Fitted:
        """Return the fit with what rows give beside a sequence that is given apart."""
        arrays = {self._feeds[name].array for name in self.inputs}
        ports = [port for port in fitted.ports if port.name in arrays]
        return msgspec.structs.replace(
            fitted, ports=tuple(msgspec.structs.replace(port, role="input", generated=False) for port in ports)
        )

    def encode_given(self, fitted: Fitted, texts: Sequence[str]) -> tuple[Array, dict[int, str]]:
        """Return stored sequences of these texts, and by place why one is no sequence of this model; it is zeros then."""
        from seqdec_gui.data.new_rows import encode_good_rows

        port = self._sequence(fitted.port(self.array), "", set())
        alone = msgspec.structs.replace(fitted, ports=(port,))
        values, empty = self.readable({self.array: list(texts)})
        try:
            encoded = encode_good_rows(alone, values, {})
        except InvalidInput as error:
            if len(texts) > 1 and error.problems[0].code != "no_rows":
                raise
            return np.zeros((len(texts), *port.codec.row_shape), port.codec.dtype), dict.fromkeys(range(len(texts)), str(error))
        return self.stored(encoded.arrays, "", empty)[self.array], dict(encoded.reasons)

    def _input_ports(self, fitted: Fitted, arrays: set[str]) -> list[FittedPort]:
        return [port for port in fitted.ports if port.name in arrays and port.name != self.array]

    def _sequence(self, port: FittedPort, column: str, arrays: set[str]) -> FittedPort:
        codec: Any = port.codec
        if isinstance(codec, FittedText):
            codec = msgspec.structs.replace(codec, longer="refuse")
            if codec.end and codec.padding == "right" and self.array not in arrays:
                codec = msgspec.structs.replace(codec, end=False, end_reserved=True)
        if column:
            return FittedPort(column, column, "input", (column,), codec)
        aliases = (*port.aliases, *port.columns, "text")
        return msgspec.structs.replace(port, role="input", generated=False, taught="", codec=codec, aliases=aliases)

    def readable(self, values: Mapping[str, Any], column: str = "") -> tuple[dict[str, Any], Array]:
        """Return values to encode, and which rows have no symbol, bool: such a sequence ends at once, which no codec reads."""
        texts = values.get(column or self.array)
        codec = self._codec
        if not isinstance(codec, FittedText) or not isinstance(texts, list) or not self._adds_ends:
            return dict(values), np.zeros(0, bool)
        empty = np.array([not text for text in texts], bool)
        return {**values, column or self.array: [text or codec.charset[0] for text in texts]}, empty

    @property
    def _adds_ends(self) -> bool:
        return isinstance(self._codec, FittedText) and self._codec.end and self._codec.padding == "right"

    def stored(self, encoded: Mapping[str, Array], column: str = "", empty: Array | None = None) -> dict[str, Array]:
        """Return arrays encoded by the fit of `wanted` as `scores` takes them, with end symbols where they have room."""
        arrays = {(self.array if column and name == column else name): array for name, array in encoded.items()}
        codec = self._codec
        if not isinstance(codec, FittedText) or not self._adds_ends:
            return arrays
        stored = arrays[self.array].copy()
        if empty is not None and empty.any():
            stored[empty, codec.begin :] = codec.pad_id
        lengths = (stored != codec.pad_id).sum(axis=1)
        open_ = np.flatnonzero((lengths < stored.shape[1]) & ~(stored == codec.end_id).any(axis=1))
        stored[open_, lengths[open_]] = codec.end_id
        return arrays | {self.array: stored}

    def scores(self, arrays: Mapping[str, Array], rows: Array) -> Iterator[list[Score]]:
        """Yield the scores of these rows in lists. `arrays` are stored arrays: those of `inputs`, and `array`.

        Raises InvalidInput where the model predicts NaN.
        """
        steps, width = self.symbols.steps, self._plan.width
        size = min(len(rows), ROWS_AT_ONCE, max(1, MAX_PROBABILITIES_AT_ONCE // max(1, steps * width)))
        for start in range(0, len(rows), max(1, size)):
            index = rows[np.minimum(np.arange(start, start + size), len(rows) - 1)]  # one shape to compile
            ids = self._ids(np.asarray(arrays[GIVEN if GIVEN in arrays else self.array][index]))
            logs = self._logs(arrays, index, ids)
            yield [self._score(int(index[k]), ids[k], logs[k]) for k in range(min(size, len(rows) - start))]

    def probabilities(self, arrays: Mapping[str, Array], rows: Array, sequences: Sequence[Array]) -> Iterator[Array]:
        """Yield for each row the probabilities of all symbols at each step of its sequence, float64 `(steps, symbols)`.

        Sequences are ids as they are predicted, at most as many as there are steps; each step follows those before it.
        """
        steps = self.symbols.steps
        size = min(len(rows), ROWS_AT_ONCE, max(1, MAX_PROBABILITIES_AT_ONCE // max(1, steps * self._plan.width)))
        filled = np.zeros((len(rows), steps), np.int64)
        for place, sequence in enumerate(sequences):
            filled[place, : len(sequence)] = sequence
        for start in range(0, len(rows), max(1, size)):
            index = np.minimum(np.arange(start, start + size), len(rows) - 1)  # one shape to compile
            predicted = self._predicted(arrays, rows[index], filled[index])
            shares = predicted / np.maximum(predicted.sum(axis=-1, keepdims=True), MIN_PROBABILITY)
            for k in range(min(size, len(rows) - start)):
                yield shares[k, : len(sequences[start + k])]

    def _ids(self, stored: Array) -> Array:
        """Return the sequences as predicted ids, int64 `(rows, steps)`."""
        if stored.ndim == 1:
            return stored[:, None].astype(np.int64)
        return stored[:, self._target.first : self._target.last].astype(np.int64)

    def _logs(self, arrays: Mapping[str, Array], rows: Array, ids: Array) -> Array:
        predicted = self._predicted(arrays, rows, ids)
        total = predicted.sum(axis=-1)
        p = np.take_along_axis(predicted, ids[..., None], axis=-1)[..., 0]
        logs: Array = np.log(np.maximum(p, MIN_PROBABILITY)) - np.log(np.maximum(total, MIN_PROBABILITY))
        return np.where(np.isnan(total), np.nan, logs)

    @property
    def loss(self) -> str:
        """The loss whose predictions give the probabilities."""
        return self._plan.loss

    @property
    def fed(self) -> str:
        """The input that is fed the sequence itself, one step behind; "" where all steps are predicted at once."""
        return self._fed

    def _predicted(self, arrays: Mapping[str, Array], rows: Array, ids: Array) -> Array:
        """Return the predictions at each step of these sequences, float64 `(rows, steps, symbols)`."""
        given = [array for _, array in self.given(arrays, rows, ids)]
        predicted = np.asarray(self._model.predict_on_batch(given[0] if len(given) == 1 else given))
        reshaped: Array = predicted.reshape(len(rows), -1, predicted.shape[-1])[:, : ids.shape[1]].astype(np.float64)
        return reshaped

    def given(self, arrays: Mapping[str, Array], rows: Array, ids: Array) -> list[tuple[str, Array]]:
        """Return what the stack is given for these sequences, by input block."""
        given = []
        for name in self._inputs:
            feed = self._feeds[name]
            if name == self._fed:
                self._check_fed(ids, rows)
                fed = np.concatenate([np.full((len(ids), 1), self.symbols.begin), self.symbols.fed_next[ids[:, :-1]]], axis=1)
                given.append((name, expand(msgspec.structs.replace(feed, first=0, last=None), fed)))
            else:
                given.append((name, expand(feed, np.asarray(arrays[feed.array][rows]))))
        return given

    def _check_fed(self, ids: Array, rows: Array) -> None:
        """Raise InvalidInput where the mapping does not say what is fed after a symbol of a sequence."""
        if not self._mapped:
            return
        end = -1 if self.symbols.end is None else self.symbols.end
        inside = np.cumsum(ids == end, axis=1) == 0
        wrong = np.argwhere(inside & ~self.symbols.allowed[ids])
        if len(wrong):
            row, step = wrong[0]
            text = (
                f"Row {int(rows[row]) + 1} has the id {int(ids[row, step])}, and the mapping does not say what is fed after it."
            )
            raise InvalidInput(text, "bad_feed_map", "feed_map")

    def _score(self, row: int, ids: Array, logs: Array) -> Score:
        ends = np.flatnonzero(ids == (-1 if self.symbols.end is None else self.symbols.end))
        length = int(ends[0]) + 1 if len(ends) else len(ids)
        if np.isnan(logs[:length]).any():
            raise nan_predicted()
        return Score(row, ids[:length], logs[:length])
