"""Principal components of a vector: the axes along which its training rows vary most."""

from __future__ import annotations

import numpy as np

from seqdec_gui.data.codecs import FittedNumbers, FittedProjection
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.sources import Source, finite_rows
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import counted

MOST_NUMBERS = 8192
"""The largest number of numbers in a vector whose principal components are computed: their covariances take 0.5 GB."""


def fit_projection(scaled: FittedNumbers, source: Source, training: Array, components: float) -> FittedProjection:
    """Fit principal components to the training rows, scaled as `scaled` says.

    `components` is their number, or below 1 the share of the variance that they have together at least. Raises InvalidInput if
    there are more components than numbers or rows. The sign of an axis is that with which its largest entry is positive.
    """
    width, count = scaled.shape[-1], int(np.count_nonzero(training))
    where = f"{source.label} has {counted(width, 'number')} and {counted(count, 'training row')}"
    if width > MOST_NUMBERS:
        raise InvalidInput(f"{where}; principal components are computed of at most {MOST_NUMBERS:,} numbers.", "bad_components")
    wanted = 0 if components < 1 else int(components)
    if components >= 1 and (wanted != components or wanted > min(width, count)):
        text = f"{where}, so {components:g} principal components cannot be computed; expected a whole number up to "
        raise InvalidInput(f"{text}{min(width, count)}, or a share of the variance below 1.", "bad_components")
    total, products, row, write = np.zeros(width), np.zeros((width, width)), 0, scaled.encoder()
    count = 0
    for chunk in source.numbers():
        chosen = training[row : row + len(chunk)] & finite_rows(chunk, bool(scaled.fill))  # others may be left out
        values = write(chunk[chosen]).astype(np.float64)
        row, count = row + len(chunk), count + len(values)
        total += values.sum(axis=0)
        products += values.T @ values
    center = total / max(count, 1)
    covariance = products / max(count, 1) - np.outer(center, center)
    variances, vectors = np.linalg.eigh(covariance)
    variances, vectors = np.maximum(variances[::-1], 0.0), vectors[:, ::-1].T
    shares = np.cumsum(variances) / max(float(variances.sum()), 1e-300)
    kept = wanted or min(width, int(np.searchsorted(shares, components - 1e-12)) + 1)
    axes = vectors[:kept]
    largest = axes[np.arange(kept), np.abs(axes).argmax(axis=1)]
    axes = axes * np.where(largest < 0, -1.0, 1.0)[:, None]
    return FittedProjection(
        scaled.shape,
        scaled.mean,
        scaled.deviation,
        scaled.fill,
        scaled.low,
        scaled.high,
        center=tuple(center.tolist()),
        axes=tuple(tuple(axis) for axis in axes.tolist()),
        explained=float(shares[kept - 1]),
    )
