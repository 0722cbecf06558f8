"""The stored rows of a dataset as texts and numbers: what the inputs were, and what was to be generated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedText
from seqdec_gui.data.dataset import Dataset
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.runner.decoding.numbers import scale_of

Array = npt.NDArray[Any]
NUMBERS_SHOWN = 8
"""Numbers of an input that are written; the others are left out."""


def texts_of_targets(fitted: Fitted, loss: str, dataset: Dataset, rows: Array) -> list[str]:
    """Return the targets of a loss as a sampler writes what it generates; numbers are written as in `texts_of_inputs`."""
    feed = next(feed for feed in fitted.feeds if feed.name == loss)
    codec, stored = fitted.port(feed.array).codec, np.asarray(dataset.arrays[feed.array][rows])
    if stored.ndim > 1 and isinstance(codec, FittedText | FittedIds):
        stored = stored[:, feed.first : feed.last]
    return [written(codec, row) for row in stored]


def texts_of_inputs(fitted: Fitted, names: Iterable[str], dataset: Dataset, rows: Array) -> list[str]:
    """Return the inputs of rows as texts, those of several inputs with ` | ` between them."""
    columns = []
    for name in names:
        feed = next(feed for feed in fitted.feeds if feed.name == name)
        stored = np.asarray(dataset.arrays[feed.array][rows])
        columns.append([written(fitted.port(feed.array).codec, row) for row in stored])
    return [" | ".join(texts) for texts in zip(*columns, strict=True)] if columns else [""] * len(rows)


def written(codec: Any, stored: Any) -> str:
    """Return one stored row as text: decoded symbols, ids, or the first numbers in the units of the data."""
    if isinstance(codec, FittedText):
        return codec.decode(stored.tolist())
    if isinstance(codec, FittedCategory):
        return codec.decode(np.atleast_1d(stored).tolist())
    if isinstance(codec, FittedIds):
        ids = np.atleast_1d(stored).reshape(-1)
        last = len(ids) if codec.pad_id is None else int(np.flatnonzero(ids != codec.pad_id)[-1:].sum()) + 1
        return " ".join(str(number) for number in ids[:last].tolist())
    values = codec.unscaled(np.asarray(stored, np.float64)) if hasattr(codec, "unscaled") else np.asarray(stored)
    flat = np.asarray(values).reshape(-1)
    more = " …" if len(flat) > NUMBERS_SHOWN else ""
    return " ".join(f"{number:.4g}" for number in flat[:NUMBERS_SHOWN]) + more


def numbers_of_targets(fitted: Fitted, loss: str, dataset: Dataset, rows: Array) -> list[Array]:
    """Return the targets of a loss of numbers in the units of the data, float64 `(steps, features)` for each row."""
    feed = next(feed for feed in fitted.feeds if feed.name == loss)
    stored = np.asarray(dataset.arrays[feed.array][rows], np.float64)
    stored = stored.reshape(len(rows), -1, stored.shape[-1])[:, feed.first : feed.last]
    scale = scale_of(fitted, loss)
    return [scale.undo(row) for row in stored]


def numbers_of_text(text: str, shape: tuple[int, ...]) -> Array:
    """Return numbers as `numbers_as_text` writes them, float64 `shape`, which is `(steps, features)`."""
    return np.array([float(number) for number in text.replace(";", " ").split()]).reshape(shape)
