"""Takes the first step of a generated sequence of numbers from the rows to decode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.fitted import Fitted


def with_first_step(fitted: Fitted, name: str) -> Fitted:
    """Return the fit with port `name` as an input to fill in: the numbers of one step, scaled like the trained steps."""
    ports = []
    for port in fitted.ports:
        if port.name == name:
            assert isinstance(port.codec, FittedNumbers)
            codec = msgspec.structs.replace(port.codec, shape=port.codec.shape[1:])
            port = msgspec.structs.replace(port, codec=codec, generated=False)
        ports.append(port)
    return msgspec.structs.replace(fitted, ports=tuple(ports))


def first_of_sequences(values: Mapping[str, Any], fitted: Fitted, name: str) -> dict[str, Any]:
    """Return the values of all rows, with whole sequences for port `name` cut to their first step.

    `fitted` is the fit of the run: values in the shape of its sequences count as whole sequences.
    """
    shape = fitted.port(name).codec.row_shape
    sequences = values.get(name)
    if isinstance(sequences, np.ndarray) and len(sequences) and sequences[0].size == np.prod(shape, dtype=np.int64):
        return {**values, name: sequences.reshape(len(sequences), *shape)[:, 0]}
    return dict(values)
