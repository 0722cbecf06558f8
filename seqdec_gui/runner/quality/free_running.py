"""Decodes the same validation rows again and again while a run trains, and measures what the model generates for them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import Dataset
from seqdec_gui.data.written_tokens import error_rate, tokens_of
from seqdec_gui.domain.decoding import GREEDY, Sampling
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.quality import MEASURES, PREFIX
from seqdec_gui.domain.wording import counted, listed
from seqdec_gui.runner.engines.base import Engine
from seqdec_gui.runner.failures import log_exception, plain_sentence
from seqdec_gui.runner.quality.written import numbers_of_targets, numbers_of_text, texts_of_inputs, texts_of_targets
from seqdec_gui.runs.quality.applying import subject_of
from seqdec_gui.runs.quality.measures import Generated, measured
from seqdec_gui.runs.quality.molecules import LOOKS_LIKE_SMILES, canonical, look_like_smiles
from seqdec_gui.runs.quality.samples import SampledRow, shortened

if TYPE_CHECKING:
    import keras

    from seqdec_gui.runner.sampler import Sampler

Rows = npt.NDArray[np.int64]
SHOWN = 20
"""How many of the decoded rows are kept for the user to see."""
KNOWN_MOLECULES = 100_000
"""Most training rows whose molecules are remembered to tell novel ones."""
ROWS_LOOKED_AT = 200
"""Training rows that are looked at to tell whether they are SMILES."""


class Answer(NamedTuple):
    """What was measured, by the names of metrics, and the rows to show."""

    metrics: dict[str, float | None]
    rows: tuple[SampledRow, ...]


class FreeRunning:
    """Measures what the model of a training generates, with a copy of it in float32 on one device.

    The copy is built and compiled at the first measurement; later ones copy the weights alone. What is decoded does not depend
    on the devices: rows, seed and batch are the same on one and on many.
    """

    def __init__(self, engine: Engine, dataset: Dataset) -> None:
        """Choose the rows. Call it for a training that `quality_problems` finds nothing wrong with, and that has such rows."""
        self._engine, self._dataset = engine, dataset
        program, training = engine.program, engine.program.training
        assert dataset.fitted is not None
        self._fitted, self._seed = dataset.fitted, training.seed
        self._subject = subject_of(program.design, self._fitted)
        self.measures = training.measures
        count = min(training.quality_rows, len(dataset.validation))
        chosen = np.random.default_rng(training.seed).choice(dataset.validation, count, replace=False)
        self._rows: Rows = np.sort(chosen)
        self._copies: dict[str, keras.Model] | None = None
        self._sampler: Sampler | None = None
        self._known: frozenset[str] | None = None
        self._texts: tuple[list[str], list[str]] | None = None

    @property
    def draws(self) -> bool:
        """Whether molecules are drawn at random, beside what is decoded greedily."""
        return any(MEASURES[name].compares == "molecules" for name in self.measures)

    def words(self) -> str:
        """Return a sentence that says what is measured, and of which rows."""
        rate = error_rate(self._subject.codec)
        names = {name: MEASURES[name].title for name in self.measures} | {"token_error_rate": f"{rate.title} ({rate.short})"}
        rows = counted(len(self._rows), "validation row")
        return f"Quality is measured of {rows}, generated freely: {listed([names[name] for name in self.measures])}."

    def doubts(self) -> str:
        """Return a warning where molecules are measured and the training rows are none; empty otherwise."""
        if not self.draws or (isinstance(self._subject.codec, FittedText) and self._subject.codec.tokens == "smiles"):
            return ""
        rows = self._dataset.training[:ROWS_LOOKED_AT]
        texts = texts_of_targets(self._fitted, self._subject.plan.loss, self._dataset, rows)
        if look_like_smiles(texts):
            return ""
        return (
            f"Molecules are to be measured, and the targets do not look like SMILES: fewer than {LOOKS_LIKE_SMILES:.0%} of the "
            f"first {len(texts)} training rows are valid."
        )

    def measure(self) -> Answer:
        """Decode the rows with the weights of now. Raises InvalidInput, and what Keras and the framework raise."""
        sampler = self._ready()
        rows, greedy = self._rows, dict[int, str]()
        if self._subject.has_inputs:
            arrays = self._arrays(sampler)
            greedy = {each.row: each.text for part in sampler.generate(arrays, rows, strategy=GREEDY) for each in part}
        drawn = self._drawn(sampler) if self.draws or not greedy else []
        inputs, targets = self._shown_texts(sampler)
        found = [greedy[int(row)] for row in rows] if greedy else []
        generated = Generated(
            targets=targets if found else (), found=found, cut=lambda texts: tokens_of(self._subject.codec, texts),
            samples=drawn if self.draws else (), known=self._known_molecules(),
        )  # fmt: skip
        if self._subject.plan.numbers:
            wanted = numbers_of_targets(self._fitted, self._subject.plan.loss, self._dataset, rows)
            predicted = [numbers_of_text(text, row.shape) for text, row in zip(found, wanted, strict=True)]
            generated = Generated(wanted=wanted, predicted=predicted)
        values = measured(self.measures, generated)
        shown = range(min(SHOWN, len(found) or len(drawn)))
        return Answer(
            {PREFIX + name: None if np.isnan(value) else value for name, value in values.items()},
            tuple(
                SampledRow(int(rows[k]), shortened(inputs[k]), shortened(targets[k]), shortened(found[k])) if found
                else SampledRow(k, "", None, shortened(drawn[k]))
                for k in shown
            ),
        )  # fmt: skip

    # -- the copy
    def _ready(self) -> Sampler:
        """Return the sampler, with the weights of now."""
        from seqdec_gui.runner.export import fresh_copy
        from seqdec_gui.runner.model_device import on_placed_device
        from seqdec_gui.runner.program import load_build
        from seqdec_gui.runner.sampler import Sampler

        program = self._engine.program
        self._engine.sync()
        if self._sampler is None or self._copies is None:
            with on_placed_device():
                self._copies = fresh_copy(load_build(program.model_file))
                _copy_weights(self._engine.models, self._copies)
                self._sampler = Sampler(program.design, self._copies, self._fitted, self._training_rows)
            return self._sampler
        _copy_weights(self._engine.models, self._copies)
        self._sampler.follow_weights()
        return self._sampler

    def _training_rows(self, array: str) -> Any:
        return np.asarray(self._dataset.arrays[array][self._dataset.training])

    def _arrays(self, sampler: Sampler) -> dict[str, Any]:
        arrays = dict(self._dataset.arrays)
        if sampler.first_step_from:
            arrays[sampler.first_step_from] = arrays[sampler.first_step_from][:, 0]
        return arrays

    def _drawn(self, sampler: Sampler) -> list[str]:
        """Return samples at temperature 1: one of each row, or without inputs as many as there are rows."""
        if self._subject.has_inputs:
            parts = sampler.generate(self._arrays(sampler), self._rows, strategy=Sampling(), seed=self._seed)
        else:
            parts = sampler.generate({}, 1, count=len(self._rows), strategy=Sampling(), seed=self._seed)
        return [each.text for part in parts for each in part]

    def _known_molecules(self) -> frozenset[str]:
        if "novel" not in self.measures:
            return frozenset()
        if self._known is None:
            rows = self._dataset.training
            if len(rows) > KNOWN_MOLECULES:
                rows = np.sort(np.random.default_rng(self._seed).choice(rows, KNOWN_MOLECULES, replace=False))
            self._known = canonical(texts_of_targets(self._fitted, self._subject.plan.loss, self._dataset, rows))
        return self._known

    def _shown_texts(self, sampler: Sampler) -> tuple[list[str], list[str]]:
        if self._texts is None:
            inputs = texts_of_inputs(self._fitted, sampler.inputs, self._dataset, self._rows[:SHOWN])
            self._texts = inputs, texts_of_targets(self._fitted, self._subject.plan.loss, self._dataset, self._rows)
        return self._texts


def _copy_weights(models: Mapping[str, Any], copies: Mapping[str, Any]) -> None:
    """Give the weights of every block, moving statistics included, to its copy."""
    for name, copy in copies.items():
        if name != "full":
            copy.set_weights([np.asarray(weight, np.float32) for weight in models[name].get_weights()])


class Timed(NamedTuple):
    """An answer, or why there is none, and how long it took."""

    answer: Answer | None
    fault: str
    seconds: float


def timed(free: FreeRunning) -> Timed:
    """Measure; a fault becomes a sentence, because a training does not end for what is measured beside it."""
    began = time.monotonic()
    try:
        return Timed(free.measure(), "", time.monotonic() - began)
    except InvalidInput as error:
        return Timed(None, str(error), time.monotonic() - began)
    except Exception as error:
        log_exception()
        return Timed(None, plain_sentence(error, "Quality could not be measured"), time.monotonic() - began)
