"""A few rows as the model will see them, through the codecs of the training itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedCategory, FittedCodec, FittedIds, FittedText
from seqdec_gui.data.dataset import Bound, Trial
from seqdec_gui.data.fitted import encode, faults
from seqdec_gui.data.fitting import Fit
from seqdec_gui.data.tensor_feeds import TensorFeed, expand
from seqdec_gui.domain.data_edits import shown_name
from seqdec_gui.domain.problems import InvalidInput

ROWS = 16
PADDING, BEGIN, END = "·", "▸", "■"


class PortSample(NamedTuple):
    """What one port gets: `values` `(rows, ...)` as the model takes them, `ids` before one-hot, None for numbers.

    `symbols[i]` is how id i is shown; empty where ids have no names. `names` are those of a vector's columns. `texts` are the
    rows as a reader knows them.
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
    """Rows [first, first + rows) of the data, port by port."""

    first: int
    rows: int
    ports: tuple[PortSample, ...]


def take_sample(trial: Trial, first: int, count: int = ROWS) -> Sample:
    """Encode these rows; a port whose column cannot be encoded has a sentence instead of values. Raises InvalidInput."""
    rows = max(0, min(count, trial.rows - first))
    found: list[PortSample] = []
    for at, fit in zip(trial.bound, trial.fits, strict=False):
        if fit.codec is not None:
            found += _samples_of(at, fit, fit.codec, first, rows)
    return Sample(first, rows, tuple(found))


def _samples_of(at: Bound, fit: Fit, codec: FittedCodec, first: int, rows: int) -> list[PortSample]:
    page = at.source.page(first, rows, as_text=isinstance(codec, FittedText | FittedCategory))
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
    """The port of this wire, which is the taught loss where one column gives both."""
    return shown_name(at.port) if feed.name == at.port.name else f"{feed.name}.targets"


def _sample(at: Bound, feed: TensorFeed, array: np.ndarray, codec: FittedCodec) -> PortSample:
    ids = None
    if isinstance(codec, FittedText | FittedIds | FittedCategory):
        ids = array[:, feed.first : feed.last] if array.ndim > 1 else array
    texts = _texts(codec, array)
    names = at.binding.columns if len(at.binding.columns) > 1 else ()
    return PortSample(_port_name(at, feed), feed.role, feed, expand(feed, array), ids, symbols_of(codec), names, texts)


def symbols_of(codec: FittedCodec) -> tuple[str, ...]:
    """How the ids of a codec are shown: padding, begin, end, then the charset."""
    if isinstance(codec, FittedText):
        marks = [BEGIN] * codec.numbering.begin + [END] * codec.numbering.end
        return (PADDING, *marks, *(symbol if symbol.strip() else "␣" for symbol in codec.charset))
    return codec.labels if isinstance(codec, FittedCategory) else ()


def _texts(codec: FittedCodec, array: np.ndarray) -> tuple[str, ...]:
    if isinstance(codec, FittedText):
        return tuple(codec.decode(row) for row in array)
    return tuple(codec.decode(row) for row in array) if isinstance(codec, FittedCategory) else ()
