"""The table of measures of what a model generates: what each compares, in which direction it is better, what it needs.

To add a measure, add a row here and its formula in `runs.quality.measures`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

Compares = Literal["tokens", "text", "molecules", "numbers"]
"""What a measure compares: pairs of token sequences, pairs of texts, the generated molecules as a set, or pairs of numbers."""
PREFIX = "val_free_"
"""What the names of measures begin with among the metrics of a run: of validation rows, generated freely."""


class MeasureSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of a measure.

    `title` is its name in forms and messages, `larger` whether larger values are better, and `extra` the extra of the package
    that computes it, empty where nothing else is needed. `help` says what the number is.
    """

    title: str
    compares: Compares
    larger: bool
    help: str
    extra: str = ""


MEASURES: dict[str, MeasureSpec] = {
    "exact_match": MeasureSpec(
        title="exact match", compares="tokens", larger=True, help="Share of rows whose generated sequence is the target."
    ),
    "token_error_rate": MeasureSpec(
        title="token error rate", compares="tokens", larger=False,
        help="Substitutions, insertions and deletions divided by the tokens of the targets.",
    ),
    "bleu": MeasureSpec(
        title="BLEU", compares="text", larger=True, extra="bleu", help="BLEU of the corpus from 0 to 100 (sacrebleu)."
    ),
    "chrf": MeasureSpec(
        title="chrF", compares="text", larger=True, extra="bleu", help="chrF of the corpus from 0 to 100 (sacrebleu)."
    ),
    "valid": MeasureSpec(
        title="valid", compares="molecules", larger=True, extra="rdkit", help="Share of samples that are valid SMILES."
    ),
    "unique": MeasureSpec(
        title="unique", compares="molecules", larger=True, extra="rdkit",
        help="Share of different molecules among the valid samples.",
    ),
    "novel": MeasureSpec(
        title="novel", compares="molecules", larger=True, extra="rdkit",
        help="Share of the different valid molecules that no training row has.",
    ),
    "diversity": MeasureSpec(
        title="internal diversity", compares="molecules", larger=True, extra="rdkit",
        help="1 less the mean Tanimoto similarity of all pairs of valid samples.",
    ),
    "mean_squared_error": MeasureSpec(
        title="mean squared error", compares="numbers", larger=False,
        help="Mean squared difference from the targets, in the units of the data.",
    ),
}  # fmt: skip
"""The properties of every measure, by its name in designs; `PREFIX` and that name are its name among the metrics of a run."""

SHARES = tuple(name for name in MEASURES if name not in ("bleu", "chrf", "mean_squared_error"))
"""The measures whose values are shares, from 0 to 1; an error rate may exceed 1."""
MONITORS = tuple(PREFIX + name for name in MEASURES)
"""The names of the measures among the metrics of a run."""
if TYPE_CHECKING:
    MeasureName: TypeAlias = str
    MonitorName: TypeAlias = str
else:
    MeasureName = Literal[tuple(MEASURES)]
    MonitorName = Literal[("val_loss", "loss", "val_token_accuracy", "val_exact_accuracy", *MONITORS)]


def measure_of(metric: str) -> str:
    """Return the measure whose values this metric of a run has, empty for any other metric."""
    name = metric.removeprefix(PREFIX)
    return name if name in MEASURES and name != metric else ""


def larger_is_better(metric: str) -> bool:
    """Return whether larger values of a metric of a run are better: of accuracies and of many measures."""
    name = measure_of(metric)
    return MEASURES[name].larger if name else metric.endswith("_accuracy")
