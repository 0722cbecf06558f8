"""Encodes a few rows with the codecs of the training, to show them as the model will see them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedCategory, FittedCodec, FittedIds, FittedText, ReadsText
from seqdec_gui.data.dataset import Bound, Trial
from seqdec_gui.data.demands import Fit
from seqdec_gui.data.fitted import encode, faults
from seqdec_gui.data.tensor_feeds import TensorFeed, expand
from seqdec_gui.domain.data_edits import shown_name
from seqdec_gui.domain.problems import InvalidInput

ROWS = 16
"""The number of rows of a sample unless another number is asked for."""

PADDING = "·"
"""The sign for padding in the window."""

BEGIN = "▸"
"""The sign for the begin mark in the window."""

END = "■"
"""The sign for the end mark in the window."""


class PortSample(NamedTuple):
    """The sample of one port: `values` `(rows, ...)` as the model takes them, and `ids` before one-hot, None for numbers.

    `symbols[i]` is the sign for id i; `symbols` is empty if ids have no names. `names` are the columns of a vector. `texts` are
    the rows as text. `problem` is the reason why the column could not be encoded; the values are empty then.
    """

    name: str
    role: str
    feed: TensorFeed
    values: np.ndarray
    ids: np.ndarray | None
    symbols: tuple[str, ...]
    names: tuple[str, ...]
    texts: tuple[str, ...]
    problem: str = ""


class Sample(NamedTuple):
    """The samples of all ports for rows [first, first + rows) of the data."""

    first: int
    rows: int
    ports: tuple[PortSample, ...]


def take_sample(trial: Trial, first: int, count: int = ROWS) -> Sample:
    """Encode these rows; a port whose column cannot be encoded has a problem instead of values. Raises InvalidInput."""
    rows = max(0, min(count, trial.rows - first))
    samples: list[PortSample] = []
    for at, fit in zip(trial.bound, trial.fits, strict=False):
        if fit.codec is not None:
            samples += _samples_of(at, fit, fit.codec, first, rows)
    return Sample(first, rows, tuple(samples))


def _samples_of(at: Bound, fit: Fit, codec: FittedCodec, first: int, rows: int) -> list[PortSample]:
    page = at.source.page(first, rows, as_text=isinstance(codec, ReadsText))
    wrong = faults(codec, page, at.port.port)
    if wrong:
        return [_refused(at, feed, wrong[0].text) for feed in fit.feeds]
    try:
        array = encode(codec, page, at.port.name, None)
    except (InvalidInput, ValueError) as error:
        return [_refused(at, feed, str(error)) for feed in fit.feeds]
    return [_sample(at, feed, array, codec) for feed in fit.feeds]


def _refused(at: Bound, feed: TensorFeed, problem: str) -> PortSample:
    return PortSample(_port_name(at, feed), feed.role, feed, np.empty(0), None, (), (), (), problem)


def _port_name(at: Bound, feed: TensorFeed) -> str:
    """Return the name of the feed's port: the bound port, or the taught loss that takes the same column."""
    return shown_name(at.port) if feed.name == at.port.name else f"{feed.name}.targets"


def _sample(at: Bound, feed: TensorFeed, array: np.ndarray, codec: FittedCodec) -> PortSample:
    ids = None
    if isinstance(codec, FittedText | FittedIds | FittedCategory):
        ids = array[:, feed.first : feed.last] if array.ndim > 1 else array
    texts = _texts(codec, array)
    names = at.binding.columns if len(at.binding.columns) > 1 else ()
    return PortSample(_port_name(at, feed), feed.role, feed, expand(feed, array), ids, symbols_of(codec), names, texts)


def symbols_of(codec: FittedCodec) -> tuple[str, ...]:
    """Return the signs for the ids of a codec: padding, begin, end, then the charset; the labels for a category."""
    if isinstance(codec, FittedText):
        marks = [BEGIN] * codec.numbering.begin + [END] * codec.numbering.end
        return (PADDING, *marks, *(symbol if symbol.strip() else "␣" for symbol in codec.charset))
    return codec.labels if isinstance(codec, FittedCategory) else ()


def _texts(codec: FittedCodec, array: np.ndarray) -> tuple[str, ...]:
    if isinstance(codec, FittedText):
        return tuple(codec.decode(row) for row in array)
    return tuple(codec.decode(row) for row in array) if isinstance(codec, FittedCategory) else ()
