"""Computes the metrics that a run reports from the sums that an engine returns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from seqdec_gui.domain.quality import measure_of
from seqdec_gui.domain.training import Training
from seqdec_gui.runner.engines.base import Sum
from seqdec_gui.runner.program import LossTerm, Program
from seqdec_gui.runs.events import Metrics

LARGEST_EXPONENT = 700.0
"""Cross-entropy beyond which the perplexity is no longer computed: its exponential would overflow."""


def reported(
    program: Program, sums: Mapping[str, Sum], kl_weights: Sequence[float], loss: float | None = None, prefix: str = ""
) -> Metrics:
    """Return `loss` and the metrics of the loss blocks by the names of docs/run_folder.md.

    With one loss block these are `loss token_accuracy exact_accuracy perplexity mean_absolute_error`; with several
    `<block>_loss`, `<block>_token_accuracy`, ...; a variational bottleneck adds `<block>_kl`.

    Args:
        program: The losses and KL terms.
        sums: The sums of an engine, by the names of `Objective.names`.
        kl_weights: The weight of each KL term in the loss.
        loss: The loss, if it is known; otherwise it is computed from `sums` and `kl_weights`.
        prefix: Put before every name, `val_` for validation.
    """
    several = len(program.losses) > 1
    metrics: Metrics = {"loss": _total(program, sums, kl_weights) if loss is None else loss}
    for loss_term in program.losses:
        if several or program.kl_terms:
            metrics[f"{loss_term.name}_loss"] = sums[f"{loss_term.name}/loss"].mean
        for metric in loss_term.metrics:
            metrics[metric_name(program, loss_term, metric)] = _value(sums, loss_term, metric)
    for term in program.kl_terms:
        metrics[f"{term.block}_kl"] = sums[f"{term.block}/kl"].mean
    return {prefix + name: value for name, value in metrics.items()}


def metric_name(program: Program, loss_term: LossTerm, metric: str) -> str:
    """Return the name in events of a metric of a loss block."""
    return f"{loss_term.name}_{metric}" if len(program.losses) > 1 else metric


def monitored(program: Program, training: Training, validates: bool) -> str:
    """Return the name of the metric that picks the best checkpoint, of the training rows unless the run validates.

    A measure of what is generated has its own name.

    An accuracy is that of the first loss block that has it; where none has it, the loss is monitored instead.
    """
    if measure_of(training.monitor) and validates:
        return training.monitor
    prefix = "val_" if training.monitor.startswith("val_") and validates else ""
    metric = "loss" if measure_of(training.monitor) else training.monitor.removeprefix("val_")
    if metric != "loss":
        owner = next((loss_term for loss_term in program.losses if metric in loss_term.metrics), None)
        metric = "loss" if owner is None else metric_name(program, owner, metric)
    return prefix + metric


def _value(sums: Mapping[str, Sum], loss_term: LossTerm, metric: str) -> float:
    if metric != "perplexity":
        return sums[f"{loss_term.name}/{metric}"].mean
    crossentropy = sums[f"{loss_term.name}/loss"].mean
    return math.exp(min(crossentropy, LARGEST_EXPONENT)) if math.isfinite(crossentropy) else crossentropy


def _total(program: Program, sums: Mapping[str, Sum], kl_weights: Sequence[float]) -> float:
    losses = sum(loss_term.weight * _mean(sums[f"{loss_term.name}/loss"]) for loss_term in program.losses)
    terms = zip(program.kl_terms, kl_weights, strict=True)
    return losses + sum(weight * _mean(sums[f"{term.block}/kl"]) for term, weight in terms)


def _mean(fraction: Sum) -> float:
    """Return the mean as the loss uses it: 0 where nothing counts."""
    return fraction.mean if fraction.count else 0.0
