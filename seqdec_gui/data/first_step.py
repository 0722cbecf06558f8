"""The first step of a generated sequence of numbers, where the rows to decode have to give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.fitted import Fitted


def with_first_step(fitted: Fitted, name: str) -> Fitted:
    """The same codecs, but a row needs a value for port `name` too: the numbers of one step, scaled as the steps were."""
    ports = []
    for port in fitted.ports:
        if port.name == name:
            assert isinstance(port.codec, FittedNumbers)
            codec = msgspec.structs.replace(port.codec, shape=port.codec.shape[1:])
            port = msgspec.structs.replace(port, codec=codec, generated=False)
        ports.append(port)
    return msgspec.structs.replace(fitted, ports=tuple(ports))


def first_of_sequences(values: Mapping[str, Any], fitted: Fitted, name: str) -> dict[str, Any]:
    """The values of all rows, with the first step alone where whole sequences are given for port `name`.

    `fitted` is what the run was trained with: its sequences are those that are taken for whole ones.
    """
    shape = fitted.port(name).codec.row_shape
    given = values.get(name)
    if isinstance(given, np.ndarray) and len(given) and given[0].size == np.prod(shape, dtype=np.int64):
        return {**values, name: given.reshape(len(given), *shape)[:, 0]}
    return dict(values)
