"""From sums that an engine returns to the metrics that a run reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from seqdec_gui.domain.training import Training
from seqdec_gui.runner.engines.base import Sum
from seqdec_gui.runner.program import Judged, Program
from seqdec_gui.runs.events import Metrics

LARGEST_EXPONENT = 700.0


def reported(
    program: Program, sums: Mapping[str, Sum], kl_weights: Sequence[float], loss: float | None = None, prefix: str = ""
) -> Metrics:
    """`loss` and the metrics of the loss blocks by the names that users see.

    With one loss block they are plain: `loss token_accuracy exact_accuracy perplexity mean_absolute_error`. Several blocks
    have theirs as `<block>_loss`, `<block>_token_accuracy`, ...; a variational bottleneck adds `<block>_kl`. `loss` is computed
    from the sums and the weights of the KL terms unless it is given.
    """
    several = len(program.losses) > 1
    found: Metrics = {"loss": _total(program, sums, kl_weights) if loss is None else loss}
    for judged in program.losses:
        if several or program.divergences:
            found[f"{judged.name}_loss"] = sums[f"{judged.name}/loss"].mean
        for metric in judged.metrics:
            found[metric_name(program, judged, metric)] = _value(sums, judged, metric)
    for term in program.divergences:
        found[f"{term.block}_kl"] = sums[f"{term.block}/kl"].mean
    return {prefix + name: value for name, value in found.items()}


def metric_name(program: Program, judged: Judged, metric: str) -> str:
    """What a metric of a loss block is called in events."""
    return f"{judged.name}_{metric}" if len(program.losses) > 1 else metric


def monitored(program: Program, training: Training, validates: bool) -> str:
    """The metric that picks the best checkpoint. Without validation rows it is that of the training.

    An accuracy is that of the first loss block that has it; where none has, the loss takes its place.
    """
    part, wanted = ("val_", training.monitor.removeprefix("val_"))
    if not training.monitor.startswith("val_") or not validates:
        part = ""
    if wanted != "loss":
        owner = next((judged for judged in program.losses if wanted in judged.metrics), None)
        wanted = "loss" if owner is None else metric_name(program, owner, wanted)
    return part + wanted


def _value(sums: Mapping[str, Sum], judged: Judged, metric: str) -> float:
    if metric != "perplexity":
        return sums[f"{judged.name}/{metric}"].mean
    crossentropy = sums[f"{judged.name}/loss"].mean
    return math.exp(min(crossentropy, LARGEST_EXPONENT)) if math.isfinite(crossentropy) else crossentropy


def _total(program: Program, sums: Mapping[str, Sum], kl_weights: Sequence[float]) -> float:
    losses = sum(judged.weight * _mean(sums[f"{judged.name}/loss"]) for judged in program.losses)
    terms = zip(program.divergences, kl_weights, strict=True)
    return losses + sum(weight * _mean(sums[f"{term.block}/kl"]) for term, weight in terms)


def _mean(part: Sum) -> float:
    """As the loss itself has it: 0 where nothing counts."""
    return part.mean if part.count else 0.0
