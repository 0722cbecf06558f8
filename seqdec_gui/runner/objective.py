"""From stored rows to inputs, targets, losses and metrics, in `keras.ops`: the same for both engines.

Every loss and metric is a fraction: a numerator and a denominator, each a sum over rows. An engine sums denominators over the
replicas before it divides, and sums gradients (it does not average them); so N devices compute what one would, with masked
and ragged rows too. Keras's own masks of the outputs never come here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from keras import ops

from seqdec_gui.data.wires import Wire
from seqdec_gui.domain.losses import LOSSES
from seqdec_gui.runner.program import Divergence, Judged, Program

Tensor = Any
Fraction = tuple[Tensor, Tensor]
LEAST_PROBABILITY = 1e-30
"""Below it the gradient of log p ends. Keras clips at 1e-7, where a symbol that was ruled out is never learnt again."""
EPSILON = 1e-7


# -- inputs and targets
def expand(wires: Sequence[Wire], arrays: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Inputs by the full model's input names, targets by loss id, for rows of the stored arrays (see `data.wires`)."""
    found: dict[str, dict[str, Tensor]] = {"input": {}, "target": {}}
    for wire in wires:
        found[wire.role][wire.name] = expand_one(wire, arrays[wire.array])
    return found["input"], found["target"]


def expand_one(wire: Wire, array: Tensor) -> Tensor:
    cut = array[:, wire.first : wire.last] if len(array.shape) > 1 and (wire.first or wire.last is not None) else array
    if wire.encoding == "values":
        return ops.cast(cut, "float32")
    ids = ops.cast(cut, "int32")
    return ids if wire.encoding == "ids" else one_hot(ids, wire.depth, wire.pad_id)


def one_hot(ids: Tensor, depth: int, pad_id: int | None) -> Tensor:
    """float32 `(..., depth)`; zeros where the id is `pad_id` or not in [0, depth)."""
    shown = ids if pad_id is None else ops.where(ops.equal(ids, pad_id), -1, ids)
    return ops.one_hot(shown, depth, dtype="float32")


# -- names of the fractions
def term(block: str, metric: str) -> str:
    """How a fraction is called between engine and loop: `loss/token_accuracy`."""
    return f"{block}/{metric}"


class _Judge(msgspec.Struct, frozen=True):
    judged: Judged
    pad_id: int | None

    def names(self) -> list[str]:
        own = [metric for metric in self.judged.metrics if metric != "perplexity"]  # that one is exp(loss)
        return [term(self.judged.name, metric) for metric in ("loss", *own)]


class Objective:
    """All losses and metrics of a program, for targets that come through these wires."""

    def __init__(self, program: Program, wires: Sequence[Wire]) -> None:
        self.wires = tuple(wires)
        pads = {wire.name: wire.pad_id for wire in wires if wire.role == "target"}
        self._judges = [_Judge(judged, pads.get(judged.name) if judged.mask_padding else None) for judged in program.losses]
        self._divergences: tuple[Divergence, ...] = program.divergences
        divergences = [term(divergence.block, "kl") for divergence in self._divergences]
        self.names: tuple[str, ...] = (*(name for judge in self._judges for name in judge.names()), *divergences)
        """The fractions of `terms`, in order."""

    def terms(
        self, outputs: Tensor | Sequence[Tensor], targets: Mapping[str, Tensor], row_weights: Tensor
    ) -> dict[str, Fraction]:
        """Numerator and denominator of every loss and metric over the rows at hand, each a float32 scalar.

        `outputs` is what `program.training_model` returns (Keras gives a single output without its list); `row_weights` is
        `(rows,)`, 0 for a row that does not count. Denominators depend on targets and weights alone.
        """
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        found: dict[str, Fraction] = {}
        weights = ops.cast(row_weights, "float32")
        for judge in self._judges:
            predictions = ops.cast(outputs[judge.judged.output], "float32")
            found |= _judge(judge, predictions, targets[judge.judged.name], weights)
        first = len(self._judges)
        for i, divergence in enumerate(self._divergences):
            mean, log_variance = (ops.cast(outputs[first + 2 * i + k], "float32") for k in (0, 1))
            found[term(divergence.block, "kl")] = ops.sum(weights * kl_divergence(mean, log_variance)), ops.sum(weights)
        return found

    def loss(self, terms: Mapping[str, Fraction], denominators: Mapping[str, Tensor], kl_weights: Tensor) -> Tensor:
        """This replica's part of the loss of the global batch; the parts of all replicas add up to it.

        `denominators` are summed over all replicas; `kl_weights` is `(divergences,)`, the whole factor of each KL term.
        """
        total = ops.zeros((), "float32")
        for judge in self._judges:
            name = term(judge.judged.name, "loss")
            total = total + judge.judged.weight * divide(terms[name][0], denominators[name])
        for i, divergence in enumerate(self._divergences):
            name = term(divergence.block, "kl")
            total = total + kl_weights[i] * divide(terms[name][0], denominators[name])
        return total


def divide(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Their ratio, 0 where nothing counts."""
    counts = ops.greater(denominator, 0)
    return ops.where(counts, numerator / ops.where(counts, denominator, ops.ones_like(denominator)), 0.0)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """The KL divergence from N(mean, variance) to N(0, 1) of each row, `(rows,)`: summed, not averaged, over the code's units.

    0.5 * sum(mean^2 + exp(log_variance) - 1 - log_variance); Kingma and Welling 2014, arXiv:1312.6114, appendix B.
    """
    return 0.5 * ops.sum(ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance, axis=-1)


# -- one loss block
def _judge(judge: _Judge, predictions: Tensor, targets: Tensor, row_weights: Tensor) -> dict[str, Fraction]:
    """`predictions` (rows, ..., n); `targets` the same shape, or ids (rows, ...)."""
    sparse = len(targets.shape) < len(predictions.shape)
    if sparse and targets.shape[-1:] == (1,) and len(predictions.shape) == 2:
        targets = targets[..., 0]
    weights, valid = _token_weights(judge, predictions, targets, row_weights, sparse)
    found = {term(judge.judged.name, "loss"): _fraction(FORMULAS[judge.judged.loss](predictions, targets, sparse), weights)}
    for metric in judge.judged.metrics:
        name = term(judge.judged.name, metric)
        if metric == "mean_absolute_error":
            found[name] = _fraction(ops.mean(ops.abs(predictions - targets), axis=-1), weights)
        elif metric != "perplexity":
            right = _right(predictions, targets, sparse)
            found[name] = _fraction(right, weights) if metric == "token_accuracy" else _exact(right, valid, row_weights)
    return found


def _token_weights(
    judge: _Judge, predictions: Tensor, targets: Tensor, row_weights: Tensor, sparse: bool
) -> tuple[Tensor, Tensor]:
    """float32 weights and validity of every token, both `(rows, ...)`: the predictions' shape without the last axis."""
    tokens = targets if sparse else targets[..., 0]
    valid = ops.ones_like(tokens, dtype="float32")
    if sparse and judge.judged.mask_padding:
        shown = _in_range(targets, predictions.shape[-1])  # a one-hot row of zeros is stored as the id after the last class
        if judge.pad_id is not None:
            shown = ops.logical_and(shown, ops.not_equal(targets, judge.pad_id))
        valid = ops.cast(shown, "float32")
    elif judge.judged.mask_padding and LOSSES[judge.judged.loss].compares == "classes" and not sparse:
        valid = ops.cast(ops.any(ops.not_equal(targets, 0.0), axis=-1), "float32")
    return valid * ops.reshape(row_weights, (-1, *[1] * (len(tokens.shape) - 1))), valid


def _in_range(ids: Tensor, depth: int) -> Tensor:
    return ops.logical_and(ops.greater_equal(ids, 0), ops.less(ids, depth))


Formula = Callable[[Tensor, Tensor, bool], Tensor]
"""(predictions, targets, whether targets are ids) to the loss of every token, `(rows, ...)`."""


def categorical_crossentropy(predictions: Tensor, targets: Tensor, sparse: bool) -> Tensor:
    """-log of the probability of the target; predictions are divided by their sum, as Keras does."""
    total = ops.maximum(ops.sum(predictions, axis=-1, keepdims=True), LEAST_PROBABILITY)
    if not sparse:
        return -ops.sum(targets * ops.log(ops.maximum(predictions / total, LEAST_PROBABILITY)), axis=-1)
    expected = one_hot(targets, predictions.shape[-1], None)
    chosen = ops.maximum(ops.sum(expected * predictions, axis=-1), LEAST_PROBABILITY)
    return ops.sum(expected, axis=-1) * (ops.log(total[..., 0]) - ops.log(chosen))  # 0 for an id that is out of range


def binary_crossentropy(predictions: Tensor, targets: Tensor, sparse: bool) -> Tensor:
    """The mean over the values of a step of -log of the probability of the target."""
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
"""The formula of every row of `domain.losses.LOSSES`."""


def _right(predictions: Tensor, targets: Tensor, sparse: bool) -> Tensor:
    """1.0 where the likeliest class is the target."""
    expected = targets if sparse else ops.argmax(targets, axis=-1)
    return ops.cast(ops.equal(ops.cast(ops.argmax(predictions, axis=-1), "int32"), ops.cast(expected, "int32")), "float32")


def _fraction(values: Tensor, weights: Tensor) -> Fraction:
    """Sums over tokens. Where a weight is 0 the value is left out, even if it is not a number."""
    return ops.sum(ops.where(weights > 0, values, ops.zeros_like(values)) * weights), ops.sum(weights)


def _exact(right: Tensor, valid: Tensor, row_weights: Tensor) -> Fraction:
    """Rows of which every valid token is right; rows without any do not count."""
    rows = ops.reshape(1.0 - (1.0 - right) * valid, (ops.shape(right)[0], -1))
    some = ops.max(ops.reshape(valid, (ops.shape(valid)[0], -1)), axis=-1)
    weights = row_weights * some
    return ops.sum(ops.min(rows, axis=-1) * weights), ops.sum(weights)
