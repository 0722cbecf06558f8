"""The table of losses: what each compares, the activations that suit it, and its metrics.

To add a loss, add a row here and its formula in `runner.objective.FORMULAS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

Compares = Literal["classes", "yes_no", "numbers"]
"""The form of the targets: one of several classes per step, several yes/no values, or numbers."""

MetricName = Literal["token_accuracy", "exact_accuracy", "perplexity", "mean_absolute_error"]


class LossSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of a loss.

    `title` is its name in forms. `activations` are those that the predictions may have, the usual one first; empty if any
    activation suits. `metrics` are those that make sense with the loss.
    """

    title: str
    compares: Compares
    activations: tuple[str, ...] = ()
    metrics: tuple[MetricName, ...] = ()


LOSSES: dict[str, LossSpec] = {
    "categorical_crossentropy": LossSpec(
        title="categorical cross-entropy",
        compares="classes",
        activations=("softmax",),
        metrics=("token_accuracy", "exact_accuracy", "perplexity"),
    ),
    "binary_crossentropy": LossSpec(
        title="binary cross-entropy",
        compares="yes_no",
        activations=("sigmoid", "hard_sigmoid"),
        metrics=("mean_absolute_error",),
    ),
    "mean_squared_error": LossSpec(title="mean squared error", compares="numbers", metrics=("mean_absolute_error",)),
    "mean_absolute_error": LossSpec(title="mean absolute error", compares="numbers", metrics=("mean_absolute_error",)),
}
"""The properties of every loss, by its name in Keras."""

if TYPE_CHECKING:
    LossName: TypeAlias = str
else:
    LossName = Literal[tuple(LOSSES)]
