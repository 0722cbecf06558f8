"""Computes inputs, targets, losses and metrics from stored rows, in `keras.ops`, so that all engines share the code.

Every loss and metric is a fraction: a numerator and a denominator, each a sum over rows. An engine sums denominators over the
replicas before it divides, and sums gradients (it does not average them), so N devices compute what one would, with masked and
ragged rows too. Keras's own masks of the outputs are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from keras import ops

from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.losses import LOSSES
from seqdec_gui.runner.program import KLTerm, LossTerm, Program

Tensor = Any
Fraction = tuple[Tensor, Tensor]
MIN_PROBABILITY = 1e-30
"""Probability below which log p has no gradient. Keras clips at 1e-7, below which a symbol could never be learnt again."""
EPSILON = 1e-7
"""Distance from 0 and 1 to which the probabilities of a binary cross-entropy are clipped, as in Keras."""


# -- inputs and targets
def expand(feeds: Sequence[TensorFeed], arrays: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the inputs by the full model's input names and the targets by loss id, for rows of the stored arrays."""
    tensors: dict[str, dict[str, Tensor]] = {"input": {}, "target": {}}
    for feed in feeds:
        tensors[feed.role][feed.name] = expand_one(feed, arrays[feed.array])
    return tensors["input"], tensors["target"]


def expand_one(feed: TensorFeed, array: Tensor) -> Tensor:
    """Return the input or target of one feed for rows of its stored array; the reference is `data.tensor_feeds.expand`."""
    cut = array[:, feed.first : feed.last] if len(array.shape) > 1 and (feed.first or feed.last is not None) else array
    if feed.encoding == "values":
        return ops.cast(cut, "float32")
    ids = ops.cast(cut, "int32")
    return ids if feed.encoding == "ids" else one_hot(ids, feed.depth, feed.pad_id)


def one_hot(ids: Tensor, depth: int, pad_id: int | None) -> Tensor:
    """Return float32 `(..., depth)`, zeros where the id is `pad_id` or not in [0, depth)."""
    masked = ids if pad_id is None else ops.where(ops.equal(ids, pad_id), -1, ids)
    return ops.one_hot(masked, depth, dtype="float32")


# -- names of the fractions
def fraction_name(block: str, metric: str) -> str:
    """Return the name of a fraction between engine and loop, for example `loss/token_accuracy`."""
    return f"{block}/{metric}"


class _MaskedLoss(msgspec.Struct, frozen=True):
    """A loss term, and the id of padding in its targets that does not count (None: no id is left out)."""

    term: LossTerm
    pad_id: int | None

    def names(self) -> list[str]:
        """Return the names of the fractions of the loss and its metrics."""
        metrics = [metric for metric in self.term.metrics if metric != "perplexity"]  # that one is exp(loss)
        smoothed = ["smoothed_loss"] if self.term.smoothing else []
        return [fraction_name(self.term.name, metric) for metric in ("loss", *smoothed, *metrics)]

    @property
    def trained(self) -> str:
        """The name of the fraction that is trained."""
        return fraction_name(self.term.name, "smoothed_loss" if self.term.smoothing else "loss")


class Objective:
    """All losses and metrics of a program."""

    def __init__(self, program: Program, feeds: Sequence[TensorFeed]) -> None:
        """Prepare the objective for targets that are made by `feeds` from the stored arrays."""
        self.feeds = tuple(feeds)
        pads = {feed.name: feed.pad_id for feed in feeds if feed.role == "target"}
        self._losses = [_MaskedLoss(term, pads.get(term.name) if term.mask_padding else None) for term in program.losses]
        self._kl_terms: tuple[KLTerm, ...] = program.kl_terms
        kl_names = [fraction_name(kl_term.block, "kl") for kl_term in self._kl_terms]
        self.names: tuple[str, ...] = (*(name for loss in self._losses for name in loss.names()), *kl_names)
        """The names of the fractions of `terms`, in order."""

    def terms(
        self, outputs: Tensor | Sequence[Tensor], targets: Mapping[str, Tensor], row_weights: Tensor
    ) -> dict[str, Fraction]:
        """Return the numerator and denominator of every loss and metric over a batch of rows, each a float32 scalar.

        Denominators depend on targets and weights alone.

        Args:
            outputs: What `program.training_model` returns (Keras returns a single output without its list).
            targets: The targets by loss id.
            row_weights: (rows,), 0 for a row that does not count.
        """
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        fractions: dict[str, Fraction] = {}
        weights = ops.cast(row_weights, "float32")
        for loss in self._losses:
            predictions = ops.cast(outputs[loss.term.output], "float32")
            fractions |= _fractions_of_loss(loss, predictions, targets[loss.term.name], weights)
        first = len(self._losses)
        for i, kl_term in enumerate(self._kl_terms):
            mean, log_variance = (ops.cast(outputs[first + 2 * i + k], "float32") for k in (0, 1))
            numerator = ops.sum(weights * kl_divergence(mean, log_variance))
            fractions[fraction_name(kl_term.block, "kl")] = numerator, ops.sum(weights)
        return fractions

    def denominators(self, outputs: Sequence[Tensor], targets: Mapping[str, Tensor], row_weights: Tensor) -> list[Tensor]:
        """Return the denominators of `terms`, in the order of `names`, without predictions.

        Of `outputs` only the number of axes and the size of the last one are used: the symbolic outputs of the model will do.
        """
        weights = ops.cast(row_weights, "float32")
        found: list[Tensor] = []
        for loss in self._losses:
            output = outputs[loss.term.output]
            own, sparse = _own_form(targets[loss.term.name], len(output.shape))
            tokens, valid = _token_weights(loss, int(output.shape[-1]), own, weights, sparse)
            of_tokens, of_rows = ops.sum(tokens), _exact(valid, valid, weights)[1]
            found += [of_rows if name.endswith("/exact_accuracy") else of_tokens for name in loss.names()]
        return found + [ops.sum(weights)] * len(self._kl_terms)

    def loss(self, terms: Mapping[str, Fraction], denominators: Mapping[str, Tensor], kl_weights: Tensor) -> Tensor:
        """Return this replica's part of the loss of the global batch; the parts of all replicas add up to it.

        This is what is trained, with smoothed labels if the training has them. `denominators` are summed over all replicas;
        `kl_weights` `(kl_terms,)` is the whole factor of each KL term.
        """
        return self._total([loss.trained for loss in self._losses], terms, denominators, kl_weights)

    def plain_loss(self, terms: Mapping[str, Fraction], denominators: Mapping[str, Tensor], kl_weights: Tensor) -> Tensor:
        """Return `loss` without the smoothing of labels, which is what reports and curves show, as for validation rows."""
        names = [fraction_name(loss.term.name, "loss") for loss in self._losses]
        return self._total(names, terms, denominators, kl_weights)

    def _total(
        self, names: Sequence[str], terms: Mapping[str, Fraction], denominators: Mapping[str, Tensor], kl_weights: Tensor
    ) -> Tensor:
        total = ops.zeros((), "float32")
        for loss, name in zip(self._losses, names, strict=True):
            total = total + loss.term.weight * divide(terms[name][0], denominators[name])
        for i, kl_term in enumerate(self._kl_terms):
            name = fraction_name(kl_term.block, "kl")
            total = total + kl_weights[i] * divide(terms[name][0], denominators[name])
        return total


def divide(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Return the ratio, 0 where the denominator is 0."""
    counts = ops.greater(denominator, 0)
    return ops.where(counts, numerator / ops.where(counts, denominator, ops.ones_like(denominator)), 0.0)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the KL divergence from N(mean, variance) to N(0, 1) of each row, `(rows,)`, summed over the units of the code.

    0.5 * sum(mean^2 + exp(log_variance) - 1 - log_variance); Kingma and Welling 2014, arXiv:1312.6114, appendix B.
    """
    return 0.5 * ops.sum(ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance, axis=-1)


# -- one loss block
def _fractions_of_loss(loss: _MaskedLoss, predictions: Tensor, targets: Tensor, row_weights: Tensor) -> dict[str, Fraction]:
    """Return the fractions of a loss and its metrics.

    `predictions` are (rows, ..., n), `targets` of the same shape or ids (rows, ...).
    """
    targets, sparse = _own_form(targets, len(predictions.shape))
    weights, valid = _token_weights(loss, predictions.shape[-1], targets, row_weights, sparse)
    values = FORMULAS[loss.term.loss](predictions, targets, sparse)
    fractions = {fraction_name(loss.term.name, "loss"): _fraction(values, weights)}
    if loss.term.smoothing:
        fractions[loss.trained] = _fraction(smoothed(values, predictions, targets, sparse, loss.term.smoothing), weights)
    for metric in loss.term.metrics:
        name = fraction_name(loss.term.name, metric)
        if metric == "mean_absolute_error":
            fractions[name] = _fraction(ops.mean(ops.abs(predictions - targets), axis=-1), weights)
        elif metric != "perplexity":
            correct = _correct(predictions, targets, sparse)
            fractions[name] = _fraction(correct, weights) if metric == "token_accuracy" else _exact(correct, valid, row_weights)
    return fractions


def _own_form(targets: Tensor, axes: int) -> tuple[Tensor, bool]:
    """Return the targets of predictions with so many axes, and whether they are ids: those of one step lose their axis."""
    sparse = len(targets.shape) < axes
    if sparse and targets.shape[-1:] == (1,) and axes == 2:
        targets = targets[..., 0]
    return targets, sparse


def _token_weights(
    loss: _MaskedLoss, classes: int, targets: Tensor, row_weights: Tensor, sparse: bool
) -> tuple[Tensor, Tensor]:
    """Return the weight and the validity of every token, both float32 `(rows, ...)`, without the last axis of predictions.

    `classes` is the size of that axis.
    """
    tokens = targets if sparse else targets[..., 0]
    valid = ops.ones_like(tokens, dtype="float32")
    if sparse and loss.term.mask_padding:
        mask = _in_range(targets, classes)  # a one-hot row of zeros is stored as the id after the last class
        if loss.pad_id is not None:
            mask = ops.logical_and(mask, ops.not_equal(targets, loss.pad_id))
        valid = ops.cast(mask, "float32")
    elif loss.term.mask_padding and LOSSES[loss.term.loss].compares == "classes" and not sparse:
        valid = ops.cast(ops.any(ops.not_equal(targets, 0.0), axis=-1), "float32")
    return valid * ops.reshape(row_weights, (-1, *[1] * (len(tokens.shape) - 1))), valid


def _in_range(ids: Tensor, depth: int) -> Tensor:
    return ops.logical_and(ops.greater_equal(ids, 0), ops.less(ids, depth))


Formula = Callable[[Tensor, Tensor, bool], Tensor]
"""A function of predictions, targets, and whether targets are ids, that returns the loss of every token, `(rows, ...)`."""


def categorical_crossentropy(predictions: Tensor, targets: Tensor, sparse: bool) -> Tensor:
    """Return -log of the probability of the target; predictions are divided by their sum, as Keras does."""
    total = ops.maximum(ops.sum(predictions, axis=-1, keepdims=True), MIN_PROBABILITY)
    if not sparse:
        return -ops.sum(targets * ops.log(ops.maximum(predictions / total, MIN_PROBABILITY)), axis=-1)
    expected = one_hot(targets, predictions.shape[-1], None)
    chosen = ops.maximum(ops.sum(expected * predictions, axis=-1), MIN_PROBABILITY)
    return ops.sum(expected, axis=-1) * (ops.log(total[..., 0]) - ops.log(chosen))  # 0 for an id that is out of range


def smoothed(values: Tensor, predictions: Tensor, targets: Tensor, sparse: bool, share: float) -> Tensor:
    """Return the cross-entropies `values` of targets of which `share` is spread evenly over all classes, `(rows, ...)`.

    (1 - share) * values + share * mean over the classes of -log p; Szegedy et al. 2016, arXiv:1512.00567, section 7. A token
    without a class has none after smoothing either.
    """
    total = ops.maximum(ops.sum(predictions, axis=-1, keepdims=True), MIN_PROBABILITY)
    spread = -ops.mean(ops.log(ops.maximum(predictions / total, MIN_PROBABILITY)), axis=-1)
    given = ops.cast(_in_range(targets, predictions.shape[-1]), "float32") if sparse else ops.sum(targets, axis=-1)
    return (1.0 - share) * values + share * given * spread


def binary_crossentropy(predictions: Tensor, targets: Tensor, sparse: bool) -> Tensor:
    """Return the mean over the values of a step of -log of the probability of the target."""
    p = ops.clip(predictions, EPSILON, 1.0 - EPSILON)
    return -ops.mean(targets * ops.log(p) + (1.0 - targets) * ops.log(1.0 - p), axis=-1)


def mean_squared_error(predictions: Tensor, targets: Tensor, sparse: bool) -> Tensor:
    return ops.mean(ops.square(predictions - targets), axis=-1)


def mean_absolute_error(predictions: Tensor, targets: Tensor, sparse: bool) -> Tensor:
    return ops.mean(ops.abs(predictions - targets), axis=-1)


FORMULAS: dict[str, Formula] = {
    "categorical_crossentropy": categorical_crossentropy,
    "binary_crossentropy": binary_crossentropy,
    "mean_squared_error": mean_squared_error,
    "mean_absolute_error": mean_absolute_error,
}
"""The formula of each loss in `domain.losses.LOSSES`."""


def _correct(predictions: Tensor, targets: Tensor, sparse: bool) -> Tensor:
    """Return 1.0 where the likeliest class is the target, otherwise 0.0."""
    expected = targets if sparse else ops.argmax(targets, axis=-1)
    return ops.cast(ops.equal(ops.cast(ops.argmax(predictions, axis=-1), "int32"), ops.cast(expected, "int32")), "float32")


def _fraction(values: Tensor, weights: Tensor) -> Fraction:
    """Return the weighted sum of the values and the sum of weights. A value of weight 0 does not count, even if it is NaN."""
    return ops.sum(ops.where(weights > 0, values, ops.zeros_like(values)) * weights), ops.sum(weights)


def _exact(correct: Tensor, valid: Tensor, row_weights: Tensor) -> Fraction:
    """Return the weight of rows whose valid tokens are all correct, and that of all rows that have a valid token."""
    rows = ops.reshape(1.0 - (1.0 - correct) * valid, (ops.shape(correct)[0], -1))
    any_valid = ops.max(ops.reshape(valid, (ops.shape(valid)[0], -1)), axis=-1)
    weights = row_weights * any_valid
    return ops.sum(ops.min(rows, axis=-1) * weights), ops.sum(weights)
