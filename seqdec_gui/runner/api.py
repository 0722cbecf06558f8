"""What a script can do with a trained run or a bundle: the functions of the package `seqdec_gui`."""

from __future__ import annotations

import tempfile
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.decoding import UNCONSTRAINED, Constraints, Strategy, at_temperature
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.bundle_rows import as_list
from seqdec_gui.runner.opened_bundle import choose_backend
from seqdec_gui.runner.sampler import Sample
from seqdec_gui.runs.attention import RowAttention
from seqdec_gui.runs.data_record import read_record
from seqdec_gui.runs.quality.errors import StepChoice
from seqdec_gui.runs.run_files import RunFiles
from seqdec_gui.runs.tasks import AttentionTask, CheckpointName, EncodeTask, GenerateTask, Notice, ScoreTask, SplitName

Array = npt.NDArray[Any]
Rows = Sequence[Any]
"""Rows: for each a mapping from input to value (text, number, list), or the value alone where there is one input."""


class SequenceScore(NamedTuple):
    """How likely the sequence of a row is; `log_probabilities` are those of its symbols, the end symbol included.

    `against` is its log-likelihood under the other model, None without one or where that cannot score it. `steps` are the
    likeliest symbols at each step, where they were asked for.
    """

    row: int
    text: str
    log_probability: float
    log_probabilities: Array
    against: float | None = None
    steps: tuple[StepChoice, ...] = ()


class TrainedModel:
    """A trained run, or a bundle, that is open in this process. `open_run` makes it."""

    def __init__(self, path: Path, checkpoint: CheckpointName, feed_map: Path | None) -> None:
        from seqdec_gui.runner.loaded import load

        choose_backend()
        folder = tempfile.TemporaryDirectory(prefix="seqdec-gui-api-")
        weakref.finalize(self, folder.cleanup)
        self.path, self.checkpoint = path.absolute(), checkpoint
        self.feed_map = "" if feed_map is None else str(feed_map)
        self.loaded = load(self.path, checkpoint, Path(folder.name))

    def __repr__(self) -> str:
        return f"<TrainedModel {str(self.path)!r}, checkpoint {self.checkpoint}>"

    @property
    def trained_on(self) -> int:
        """How many rows the run trained on, as it recorded; 0 if it did not. Other rows now are a reason to refuse a split."""
        record = read_record(RunFiles(self.path).dataset) if self.path.is_dir() else None
        return 0 if record is None else record.training

    @property
    def design(self) -> Design:
        found: Design = self.loaded.trained.design
        return found

    @property
    def models(self) -> dict[str, Any]:
        """The Keras models by block, and the stacked one as `full`."""
        found: dict[str, Any] = self.loaded.trained.models
        return found

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the values that a row has to give to `generate`; none for a language model."""
        sampler = self.loaded.sampler_with(self.feed_map)
        return (*sampler.inputs, *[name for name in [sampler.first_step_from] if name])


def open_run(path: Path | str, checkpoint: CheckpointName = "best", feed_map: Path | str | None = None) -> TrainedModel:
    """Open a run's folder, or a bundle. Raises InvalidInput."""
    return TrainedModel(Path(path), checkpoint, None if feed_map is None else Path(feed_map))


def generate(
    model: TrainedModel,
    rows: Rows = (),
    *,
    split: SplitName | None = None,
    n: int = 1,
    temperature: float | None = None,
    strategy: Strategy | None = None,
    seed: int = 0,
    constraints: Constraints = UNCONSTRAINED,
    unique: bool = False,
) -> list[Sample]:
    """Return what `seqdec-gui generate` writes for these rows, or for a split of the run's own. Raises InvalidInput."""
    from seqdec_gui.runner.generate_task import rows_of
    from seqdec_gui.runner.told import tell_cut_otherwise

    if strategy is not None and temperature is not None:
        raise InvalidInput("Expected a temperature or a strategy, received both.", "bad_decoding")
    if strategy is None:
        strategy = at_temperature((1.0 if n > 1 or unique else 0.0) if temperature is None else temperature)
    sampler = model.loaded.sampler_with(model.feed_map)
    task = GenerateTask(
        run=str(model.path), output="", rows=_mappings(rows, model.inputs, split), split=split, trained_on=model.trained_on,
        constraints=constraints,
    )  # fmt: skip
    found = rows_of(task, model.loaded, sampler, _warn)
    told = None
    if found.prefixes is not None:
        told, reasons = sampler.prefixes(found.prefixes)
        if reasons:
            raise InvalidInput(next(iter(reasons.values())), "bad_decoding", "decoding")
    parts = sampler.generate(found.arrays, found.chosen, n, strategy, seed, constraints, unique, told)
    before = sampler.cut_otherwise
    samples = [sample for part in parts for sample in part]
    tell_cut_otherwise(sampler.cut_otherwise - before, _warn)
    return samples


def score(
    model: TrainedModel,
    rows: Rows = (),
    *,
    split: SplitName | None = None,
    text: str = "",
    against: TrainedModel | None = None,
    candidates: int = 0,
) -> list[SequenceScore]:
    """Return how likely the sequences of rows are; `text` names the values that hold them. Raises InvalidInput.

    `against` is another model, a prior for example, that scores the same sequences. `candidates` is how many of the likeliest
    symbols of each step to return.
    """
    from seqdec_gui.runner.choices import choices
    from seqdec_gui.runner.score_rows import Against, rows_to_score, scores_against

    if candidates < 0:
        raise InvalidInput(f"Expected candidates from 0, received {candidates}.", "bad_value")
    scorer = model.loaded.scorer_with(model.feed_map)
    task = ScoreTask(
        run=str(model.path), output="", rows=_mappings(rows, (), split), split=split, trained_on=model.trained_on, text=text
    )
    found = rows_to_score(task, model.loaded, scorer, _warn)
    scores = [each for part in scorer.scores(found.arrays, found.chosen) for each in part]
    texts = [scorer.symbols.read(each.ids.tolist()) for each in scores]
    other = Against({}, {})
    if against is not None and scores:
        given = [(each.row, words) for each, words in zip(scores, texts, strict=True)]
        other = scores_against(task, model.loaded, against.loaded, given, _warn)
    steps: Iterator[tuple[StepChoice, ...]] = iter([()] * len(scores))
    if candidates:
        places, ids = np.array([each.row for each in scores], np.int64), [each.ids for each in scores]
        steps = choices(scorer, found.arrays, places, ids, candidates)
    return [
        SequenceScore(
            each.row, words, each.log_probability, each.log_probabilities,
            other.scores[place].log_probability if place in other.scores else None, chosen,
        )
        for place, (each, words, chosen) in enumerate(zip(scores, texts, steps, strict=True))
    ]  # fmt: skip


def attention(
    model: TrainedModel, rows: Rows = (), *, split: SplitName | None = None, text: str = "", most: int = 100
) -> list[RowAttention]:
    """Return which steps the model attends to while it makes the sequences of the first `most` rows.

    `text` names the values that hold the sequences; without it they are generated, the likeliest symbol at each step. Raises
    InvalidInput.
    """
    from seqdec_gui.runner.attention_task import attention_of

    task = AttentionTask(
        run=str(model.path), output="", rows=_mappings(rows, () if text else model.inputs, split), split=split,
        trained_on=model.trained_on, text=text, generated=not text, feed_map=model.feed_map, most=most,
    )  # fmt: skip
    return attention_of(task, model.loaded, _warn)[0]


def encode(model: TrainedModel, rows: Rows = (), *, split: SplitName | None = None, port: str = "") -> Array:
    """Return the codes of rows, float32 `(rows, numbers)`, as `seqdec-gui encode` writes them. Raises InvalidInput."""
    from seqdec_gui.runner.encode_task import rows_to_encode
    from seqdec_gui.runner.encoding import Encoder

    encoder = Encoder(model.design, model.models, model.loaded.fitted, port)
    task = EncodeTask(
        run=str(model.path), output="", rows=_mappings(rows, encoder.inputs, split), split=split, trained_on=model.trained_on
    )
    arrays, chosen, _ = rows_to_encode(task, model.loaded, encoder, _warn)
    return np.concatenate(list(encoder.codes(arrays, chosen)))


def evaluate(
    model: TrainedModel,
    data: Path | str | None = None,
    *,
    split: SplitName = "test",
    decimal: Literal["auto", ".", ","] = "auto",
) -> dict[str, float | None]:
    """Return the losses and metrics over a file with the columns of the training, or over a split. Raises InvalidInput.

    `decimal` is the decimal mark of the file; auto: as the file tells, or as that of the training.
    """
    from seqdec_gui.runner.opened_run import OpenedRun, metrics_of
    from seqdec_gui.runner.told import tell_changes, tell_notes

    _mappings((), (), split)
    trained = model.loaded.trained
    if not isinstance(trained, OpenedRun):
        raise InvalidInput("A bundle has no losses to evaluate; open the run.", "no_rows")
    if data is None:
        tell_changes(trained, _warn)
    path = None if data is None else Path(data).absolute()
    told = partial(tell_notes, tell=_warn)
    return metrics_of(trained, path, split, model.trained_on, decimal=decimal, tell=told)[0]


def _warn(notice: Notice) -> None:
    """Give a script a warning where a task has a notice."""
    if notice.severity == "warning":
        warnings.warn(notice.text, stacklevel=4)


def _mappings(rows: Rows, inputs: Sequence[str], split: SplitName | None) -> tuple[dict[str, Any], ...]:
    """Return rows as mappings, those of a data frame too.

    Raises InvalidInput for a value alone where there is not one input, for a text or one mapping in place of rows, for rows
    beside a split, and for a split that there is not.
    """
    found, listed = [], as_list(rows)
    if split is not None and split not in get_args(SplitName):
        raise InvalidInput(f"Expected a split of {', '.join(get_args(SplitName))}, received {split!r}.", "bad_value")
    if split is not None and listed:
        raise InvalidInput("Expected rows or a split, received both.", "bad_value")
    for number, row in enumerate(listed):
        if isinstance(row, Mapping):
            found.append(dict(row))
        elif len(inputs) == 1:
            found.append({inputs[0]: row})
        else:
            raise InvalidInput(f"Row {number + 1} is no mapping; expected a mapping from input to value.", "missing_input")
    return tuple(found)
