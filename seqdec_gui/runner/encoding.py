"""Computes the codes of rows: the bottleneck of an autoencoder, the code of an encoder, or the initial states of a decoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.tensor_feeds import expand
from seqdec_gui.domain.dataflow import inputs_behind, sources_of
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.generation import stepped_decoder
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.runner.wiring import model_of

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
ROWS_AT_ONCE = 256
CODE_PORTS = ("mean", "code")
"""Outputs that hold a code, the first of these names before the second: a mean is a code without its noise."""


def code_ports(design: Design, inference: Inference, wanted: str = "") -> tuple[Port, ...]:
    """Return the outputs that hold the code of a row, or the output `block.port` that is wanted. Raises InvalidInput."""
    outputs = [Port(block, name) for block, found in inference.blocks.items() for name in found.outputs]
    if wanted:
        if wanted not in map(str, outputs):
            text = f"There is no output {wanted!r}; there are {', '.join(map(str, outputs))}."
            raise InvalidInput([Problem("error", "no_code", "port", text)])
        return (Port.parse(wanted),)
    for name in CODE_PORTS:
        if found := [port for port in outputs if port.port == name]:
            return (found[-1],)
    decoder = stepped_decoder(design, inference)
    ports = sources_of(design, decoder, leave_out=("inputs",)) if decoder else ()
    if not ports:
        text = f"The design has no code: no output called {' or '.join(CODE_PORTS)}, and no decoder that begins with states."
        raise InvalidInput([Problem("error", "no_code", "port", text, "Name an output, block.port, by --port.")])
    return ports


class Encoder:
    """Encodes rows with the trained `models` of a design. Raises InvalidInput where there is no code."""

    def __init__(self, design: Design, models: Mapping[str, keras.Model], fitted: Fitted, port: str = "") -> None:
        inference = infer(design)
        self.ports = code_ports(design, inference, port)
        self.inputs = inputs_behind(design, self.ports)
        if not self.inputs:
            raise InvalidInput(f"{self.ports[0]} follows from no input, so rows have no code.", "no_code", "port")
        self._model = model_of(design, inference, models, self.ports, "codes")
        self._feeds = {feed.name: feed for feed in fitted.feeds if feed.role == "input"}

    def wanted(self, fitted: Fitted) -> Fitted:
        """Return the fit with the inputs that a code follows from, and no others, to be read from rows."""
        arrays = {self._feeds[name].array for name in self.inputs}
        ports = tuple(
            msgspec.structs.replace(port, role="input", generated=False) for port in fitted.ports if port.name in arrays
        )
        return msgspec.structs.replace(fitted, ports=ports)

    def codes(self, arrays: Mapping[str, Array], rows: Array) -> Iterator[Array]:
        """Yield the codes of these rows in parts, float32 `(rows, numbers)`; several outputs stand one after the other."""
        size = min(len(rows), ROWS_AT_ONCE)
        for start in range(0, len(rows), max(1, size)):
            index = rows[np.minimum(np.arange(start, start + size), len(rows) - 1)]  # one shape to compile
            given = [expand(self._feeds[name], np.asarray(arrays[self._feeds[name].array][index])) for name in self.inputs]
            found = self._model.predict_on_batch(given[0] if len(given) == 1 else given)
            outputs = [np.asarray(output) for output in (found if isinstance(found, list | tuple) else [found])]
            flat = np.concatenate([output.reshape(len(index), -1) for output in outputs], axis=1)
            yield flat[: len(rows) - start].astype(np.float32, copy=False)
