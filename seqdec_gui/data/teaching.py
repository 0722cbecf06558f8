"""Detects inputs that are the targets one step behind: a model that reads them has seen what it is to predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedIds, FittedNumbers, FittedProjection, FittedText
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.formats.base import Array
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import OnePass, reads_the_truth
from seqdec_gui.domain.problems import InvalidInput

LEAST_SYMBOLS = 3
"""The least number of different symbols with which a match is not an accident."""

ROWS_COMPARED = 256
"""The largest number of rows that are compared."""

MOST_STEPS = 6
"""The largest number of steps between targets and inputs that is recognised, as with several begin marks."""

PAIRS_PER_SYMBOL = 8
"""The number of compared steps per symbol from which a match at a distance of several steps is not an accident."""


def fail_if_taught(design: Design, plan: OnePass, fitted: Fitted, rows: Callable[[str], Array]) -> None:
    """Raise InvalidInput if an input holds the sequence to predict, or looks so and the rows do not settle it.

    `rows(array)` returns stored training rows; it raises InvalidInput if the data cannot be read any more.
    """
    for name in plan.in_step:
        try:
            inputs, targets = _both(fitted, name, plan.loss, rows)
            pads = _pad(fitted, name), _pad(fitted, plan.loss)
            behind = steps_behind(inputs, targets, pads)
            ahead = behind == 0 and not plan.numbers and one_step_behind(targets, inputs, pads[::-1])
            codecs = [_codec(fitted, each) for each in (name, plan.loss)]
            same = not plan.numbers and _same_rows(inputs, targets, codecs)
        except (InvalidInput, OSError):
            behind, ahead, same = None, False, False
        if behind:
            how = "one step" if behind == 1 else f"{behind} steps"
            raise _of_data(name, reads_the_truth(design, plan, name, f"holds the targets {how} behind"))
        if ahead:
            raise _of_data(name, reads_the_truth(design, plan, name, "holds the targets one step ahead"))
        if same:
            raise _of_data(name, reads_the_truth(design, plan, name, "holds the same rows as the targets"))
        if behind is None and name in plan.suspects:
            why = "looks like the targets one step behind, and the rows that were trained on do not tell"
            raise _of_data(name, reads_the_truth(design, plan, name, why))


def _of_data(name: str, error: InvalidInput) -> InvalidInput:
    """Return the error with `name`, the input whose column is the reason, as the place of its problems."""
    return InvalidInput([msgspec.structs.replace(problem, where=name) for problem in error.problems])


def steps_behind(inputs: Array, targets: Array, pads: tuple[int | None, int | None] = (None, None)) -> int | None:
    """Return by how many steps the inputs follow the targets, up to `MOST_STEPS`; 0 if they do not, None if undecided.

    More than one step is only tried for ids, since observed numbers may rightly be forecast several steps ahead.
    """
    first = one_step_behind(inputs, targets, pads)
    if first is not False:
        return 1 if first else None
    if inputs.ndim != 2 or targets.ndim != 2 or _fractions(inputs) or _fractions(targets):
        return 0
    steps = min(inputs.shape[1], targets.shape[1])
    fed, wanted = inputs[:, :steps], targets[:, :steps]
    shown = _shown(fed, pads[0]) & _shown(wanted, pads[1])
    if _settles(fed[shown], wanted[shown]) or _settles(wanted[shown], fed[shown]):
        return 0
    for distance in range(2, min(MOST_STEPS, steps - 1) + 1):
        later, earlier = fed[:, distance - 1 :], wanted[:, : steps - distance + 1]
        symbols = max(len(np.unique(later)), len(np.unique(earlier)))
        if int(shown[:, distance:].sum()) >= PAIRS_PER_SYMBOL * symbols and one_step_behind(later, earlier, pads):
            return distance
    return 0


def one_step_behind(inputs: Array, targets: Array, pads: tuple[int | None, int | None] = (None, None)) -> bool | None:
    """Return whether inputs `(rows, steps, ...)` are the targets of these rows one step behind; None if undecided.

    Inputs and targets may have different ids for the same symbol, and one of them may have fewer symbols (lower case). So it
    counts that a target determines the next input, or the next input the target, while neither holds for the input of the
    same step. `pads` are the padding ids of inputs and targets; padding is not compared.
    """
    steps = min(inputs.shape[1], targets.shape[1])
    later, earlier, beside = inputs[:, 1:steps], targets[:, : steps - 1], targets[:, 1:steps]
    if not later.size:
        return None
    if inputs.ndim == targets.ndim == 2 and not _fractions(inputs) and not _fractions(targets):
        shown = _shown(later, pads[0]) & _shown(earlier, pads[1]) & _shown(beside, pads[1])
        later, earlier, beside = later[shown], earlier[shown], beside[shown]
        counts = len(np.unique(later)), len(np.unique(earlier))
        if max(counts) < LEAST_SYMBOLS:
            return None
        follows = _settles(earlier, later) or _settles(later, earlier)
        if follows and (min(counts) < LEAST_SYMBOLS or _settles(beside, later) or _settles(later, beside)):
            return None
        return follows
    if later.shape[2:] != earlier.shape[2:]:
        return False
    if np.allclose(later, beside, rtol=1e-4, atol=1e-5):
        return None if np.allclose(later, earlier, rtol=1e-4, atol=1e-5) else False
    return bool(np.allclose(later, earlier, rtol=1e-4, atol=1e-5))


def samples_of(arrays: Mapping[str, Array], training: Array) -> Callable[[str], Array]:
    """Return a function that gives the first training rows of an array, for `fail_if_taught` and the meaning of ids."""
    return lambda name: np.asarray(arrays[name][training[:ROWS_COMPARED]])


def _settles(first: Array, second: Array) -> bool:
    """Return whether each number in `first` always stands at the places of one number in `second`."""
    pairs = np.unique(np.stack([first.reshape(-1), second.reshape(-1)]), axis=1)
    return int(pairs.shape[1]) == len(np.unique(pairs[0]))


def _same_rows(inputs: Array, targets: Array, codecs: Sequence[object]) -> bool:
    """Return whether inputs and targets have the same text in every row, apart from padding and marks, or the same ids."""
    first, second = codecs
    if isinstance(first, FittedText) and isinstance(second, FittedText):
        fold = str.lower if first.lowercase or second.lowercase else str
        texts = [fold(first.decode(row)) for row in inputs]
        return len(set(texts)) > 1 and texts == [fold(second.decode(row)) for row in targets]
    if not isinstance(first, FittedNumbers):
        return np.array_equal(inputs, targets) and len(np.unique(inputs)) >= LEAST_SYMBOLS
    numbers, symbols = (np.unique(rows, return_inverse=True) for rows in (inputs, targets))
    return len(symbols[0]) >= LEAST_SYMBOLS and np.array_equal(numbers[1].reshape(-1), symbols[1].reshape(-1))


def _shown(ids: Array, pad_id: int | None) -> npt.NDArray[np.bool_]:
    return np.ones(ids.shape, bool) if pad_id is None else ids != pad_id


def _fractions(values: Array) -> bool:
    return values.dtype.kind == "f"


def _pad(fitted: Fitted, name: str) -> int | None:
    """Return the id of padding of a port; None if it has none."""
    codec = _codec(fitted, name)
    return codec.pad_id if isinstance(codec, FittedText | FittedIds) else None


def _codec(fitted: Fitted, name: str) -> object:
    feed = next((feed for feed in fitted.feeds if feed.name == name), None)
    return None if feed is None else fitted.port(feed.array).codec


def _both(fitted: Fitted, name: str, loss: str, rows: Callable[[str], Array]) -> tuple[Array, Array]:
    """Return some rows of an input and of the targets, cut by their feeds: ids `(rows, steps)`, or numbers in data units."""
    arrays = []
    for wanted in (name, loss):
        feed = next((feed for feed in fitted.feeds if feed.name == wanted), None)
        if feed is None:
            raise InvalidInput(f"The run has no data for {wanted}.", "not_fitted", wanted)
        codec = fitted.port(feed.array).codec
        values = rows(feed.array)[:ROWS_COMPARED]
        if values.ndim > 1:
            values = values[:, feed.first : feed.last]
        if isinstance(codec, FittedNumbers):
            if codec.mean or isinstance(codec, FittedProjection):
                values = codec.unscaled(values)
            elif values.ndim == 3 and bool(((values == 0) | (values == 1)).all()) and values.shape[-1] >= LEAST_SYMBOLS:
                values = np.where(values.any(axis=-1), values.argmax(axis=-1), values.shape[-1])  # one-hot, bound as numbers
        if values.ndim < 2:
            raise InvalidInput(f"{wanted} has no steps.", "no_steps", wanted)
        arrays.append(values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else values)  # one number per step
    inputs, targets = arrays
    return (inputs if _fractions(targets) else _as_ids(inputs, targets.shape[1])), targets


def _as_ids(values: Array, steps: int) -> Array:
    """Return numbers `(rows, numbers)` that stand for symbols as ids `(rows, steps)`; others as they are.

    Ids are often given as numbers, as they are or divided by the count of symbols, and one-hot rows as one flat vector.
    """
    if values.ndim != 2 or not _fractions(values):
        return values
    ids: Array
    width = values.shape[1]
    for symbols in (width // each for each in (steps, steps + 1, steps - 1) if each > 0 and width % each == 0):
        if symbols >= LEAST_SYMBOLS and bool(((values == 0) | (values == 1)).all()):
            one_hot = values.reshape(len(values), -1, symbols)
            if bool((one_hot.sum(axis=-1) <= 1).all()):
                ids = np.where(one_hot.any(axis=-1), one_hot.argmax(axis=-1), symbols)
                return ids
    different, flat = np.unique(np.round(values, 5), return_inverse=True)
    ids = flat.reshape(values.shape)
    return ids if len(different) * PAIRS_PER_SYMBOL <= values.size else values
