"""Whether the rows of an input are the targets one step behind: a model that reads them has seen what it is to predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedIds, FittedNumbers, FittedText
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.formats.base import Array
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import OnePass, reads_the_truth
from seqdec_gui.domain.problems import InvalidInput

LEAST_SYMBOLS = 3
"""Rows with fewer different symbols follow each other by accident."""

ROWS_COMPARED = 256
"""Rows that are looked at."""


def fail_if_taught(design: Design, plan: OnePass, fitted: Fitted, rows: Callable[[str], Array]) -> None:
    """Raise InvalidInput where an input holds the sequence that is to be predicted, or looks so and no row tells.

    `rows(array)` gives stored training rows; it raises InvalidInput where the data cannot be read any more.
    """
    for name in plan.in_step:
        try:
            (inputs, targets), pads = _both(fitted, name, plan.loss, rows), (_pad(fitted, name), _pad(fitted, plan.loss))
            behind = one_step_behind(inputs, targets, pads)
        except (InvalidInput, OSError):
            behind = None
        if behind:
            raise _of_data(name, reads_the_truth(design, plan, name, "holds the targets one step behind"))
        if behind is None and name in plan.suspects:
            why = "looks like the targets one step behind, and the rows that were trained on do not tell"
            raise _of_data(name, reads_the_truth(design, plan, name, why))


def _of_data(name: str, error: InvalidInput) -> InvalidInput:
    """The same, said of the input whose column gives the reason."""
    return InvalidInput([msgspec.structs.replace(problem, where=name) for problem in error.problems])


def one_step_behind(inputs: Array, targets: Array, pads: tuple[int | None, int | None] = (None, None)) -> bool | None:
    """Whether inputs `(rows, steps, ...)` are the targets of these rows one step behind; None where the rows do not tell.

    Ids may be numbered in two ways: what counts is that each target settles the next input, and not the input beside it.
    `pads` are the ids of padding of the two, where nothing is compared.
    """
    steps = min(inputs.shape[1], targets.shape[1])
    later, earlier, beside = inputs[:, 1:steps], targets[:, : steps - 1], targets[:, 1:steps]
    if not later.size:
        return None
    if inputs.ndim == targets.ndim == 2 and not _fractions(inputs) and not _fractions(targets):
        shown = _shown(later, pads[0]) & _shown(earlier, pads[1]) & _shown(beside, pads[1])
        later, earlier, beside = later[shown], earlier[shown], beside[shown]
        if len(np.unique(later)) < LEAST_SYMBOLS or len(np.unique(earlier)) < LEAST_SYMBOLS:
            return None
        if _settles(beside, later):
            return None if _settles(earlier, later) else False
        return _settles(earlier, later)
    if later.shape[2:] != earlier.shape[2:]:
        return False
    if np.allclose(later, beside, rtol=1e-4, atol=1e-5):
        return None if np.allclose(later, earlier, rtol=1e-4, atol=1e-5) else False
    return bool(np.allclose(later, earlier, rtol=1e-4, atol=1e-5))


def samples_of(arrays: Mapping[str, Array], training: Array) -> Callable[[str], Array]:
    """The first training rows of every array, for `fail_if_taught` and the meaning of ids."""
    return lambda name: np.asarray(arrays[name][training[:ROWS_COMPARED]])


def _settles(first: Array, second: Array) -> bool:
    """Whether equal numbers in `first` always stand where equal numbers stand in `second`."""
    pairs = np.unique(np.stack([first.reshape(-1), second.reshape(-1)]), axis=1)
    return int(pairs.shape[1]) == len(np.unique(pairs[0]))


def _shown(ids: Array, pad_id: int | None) -> npt.NDArray[np.bool_]:
    return np.ones(ids.shape, bool) if pad_id is None else ids != pad_id


def _fractions(values: Array) -> bool:
    return values.dtype.kind == "f"


def _pad(fitted: Fitted, name: str) -> int | None:
    """The id of padding of a port's ids, None where there is none."""
    feed = next((feed for feed in fitted.feeds if feed.name == name), None)
    codec = None if feed is None else fitted.port(feed.array).codec
    return codec.pad_id if isinstance(codec, FittedText | FittedIds) else None


def _both(fitted: Fitted, name: str, loss: str, rows: Callable[[str], Array]) -> tuple[Array, Array]:
    """Some rows of an input and of the targets as their wires cut them: ids `(rows, steps)`, or numbers in the data's units."""
    found = []
    for wanted in (name, loss):
        feed = next((feed for feed in fitted.feeds if feed.name == wanted), None)
        if feed is None:
            raise InvalidInput(f"The run has no data for {wanted}.", "not_fitted", wanted)
        codec = fitted.port(feed.array).codec
        values = rows(feed.array)[:ROWS_COMPARED]
        if values.ndim > 1:
            values = values[:, feed.first : feed.last]
        if isinstance(codec, FittedNumbers):
            if codec.mean:
                values = values * np.array(codec.deviation) + np.array(codec.mean)
            elif values.ndim == 3 and bool(((values == 0) | (values == 1)).all()) and values.shape[-1] >= LEAST_SYMBOLS:
                values = np.where(values.any(axis=-1), values.argmax(axis=-1), values.shape[-1])  # one-hot, bound as numbers
        if values.ndim < 2:
            raise InvalidInput(f"{wanted} has no steps.", "no_steps", wanted)
        found.append(values)
    return found[0], found[1]
