"""Makes the rows for probes and certificates: the design's own, or random ones of its shapes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import id_dtype
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.cost import OPEN_LENGTH
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.data_check import length_problems

PAD = 0
"""The id of padding in random sequences."""

Array = npt.NDArray[Any]


def rows_for(design: Design, folder: Path, real: bool, count: int, seed: int = 0) -> tuple[Design, Dataset]:
    """Return the design to build, and its dataset.

    Random rows set open lengths of the design to `OPEN_LENGTH`, and all of them are training rows. Raises InvalidInput where
    real rows cannot be read, or their lengths do not fit the design.
    """
    if real:
        dataset = open_dataset(design.data, data_ports(design), folder)
        if wrong := length_problems(design, dataset.fitted):
            raise InvalidInput(wrong)
        return design, dataset
    fixed = with_lengths(design)
    return fixed, random_dataset(data_ports(fixed), count, seed)


def with_lengths(design: Design, steps: int = OPEN_LENGTH) -> Design:
    """Return the design with every open length of an input set to `steps`."""
    for block in design.blocks:
        kind = block.parameters
        if kind.length_is_open:
            design = design.with_parameters(block.id, msgspec.structs.replace(kind, **{kind.length_parameter: steps}))
    return design


def random_dataset(ports: Sequence[DataPort], rows: int, seed: int) -> Dataset:
    """Return a dataset of normal numbers and ragged sequences of ids, right-padded with 0; the same for the same seed.

    One array serves an input and the loss whose targets are the same sequence one step ahead, as one column of text does.
    """
    random = np.random.default_rng(seed)
    arrays: dict[str, Array] = {}
    feeds: list[TensorFeed] = []
    served: set[str] = set()
    for port in ports:
        taught = next((other for other in ports if other.name == port.taught), None)
        if port.name in served:
            continue
        symbols = symbols_of(port)
        if taught is not None and symbols == taught.classes and port.type.shape[0] == taught.type.shape[0]:
            arrays[port.name] = _ids(random, (rows, _length(port.type.shape[0]) + 1), symbols)
            feeds.append(_feed(port, port.name, 0, -1))
            feeds.append(_feed(taught, port.name, 1, None))
            served.add(taught.name)
            continue
        shape = tuple(_length(axis) for axis in port.type.shape)
        if symbols:
            arrays[port.name] = _ids(random, (rows, *_without_symbols(port, shape)), symbols)
        else:
            numbers = random.standard_normal((rows, *shape), np.float32)
            arrays[port.name] = numbers if port.role == "input" else np.abs(np.tanh(numbers))
        feeds.append(_feed(port, port.name, 0, None))
    none = np.zeros(0, np.int64)
    return Dataset(arrays, tuple(feeds), np.arange(rows), none, none, rows, Fitted((), tuple(feeds)))


def symbols_of(port: DataPort) -> int:
    """Return the number of symbols of the port's ids, 0 for a port that takes numbers."""
    if port.classes is not None:
        return port.classes
    if port.type.dtype == "int32":
        return port.type.symbols or 2
    return _length(port.type.shape[-1]) if port.one_hot else 0


def _without_symbols(port: DataPort, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if port.type.dtype == "int32" else shape[:-1]


def _length(axis: int | None) -> int:
    return OPEN_LENGTH if axis is None else axis


def _ids(random: np.random.Generator, shape: tuple[int, ...], symbols: int) -> Array:
    """Return ids in [1, symbols); at most half of a sequence is padding."""
    ids = random.integers(min(1, symbols - 1), symbols, shape).astype(id_dtype(symbols))
    if len(shape) > 1:
        steps = shape[-1]
        lengths = random.integers((steps + 1) // 2, steps + 1, (*shape[:-1], 1))
        ids[np.arange(steps) >= lengths] = PAD
    return ids


def _feed(port: DataPort, array: str, first: int, last: int | None) -> TensorFeed:
    symbols = symbols_of(port)
    if not symbols:
        return TensorFeed(port.name, port.role, array, first, last, "values", _length(port.type.shape[-1]))
    encoding: Literal["ids", "one_hot"] = "ids" if port.classes is not None or port.type.dtype == "int32" else "one_hot"
    sequence = port.mask_padding and len(port.type.shape) > 1
    return TensorFeed(
        port.name, port.role, array, first, last, encoding, symbols, PAD if sequence or encoding == "one_hot" else None
    )
