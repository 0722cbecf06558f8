"""`.onnx`: the model for onnxruntime and other runtimes, written directly from the Keras layers.

LSTM and GRU become ONNX's own operators, and the axes of rows and steps stay open. docs/decisions/0058 says why Keras's and
tf2onnx's exporters are not used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui import __version__
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner.exports.base import Array, Predict, Source, Writer

MOST_BYTES = 2**31 - 2**20
"""Somewhat less than the 2 GB that one ONNX file can hold."""


class OnnxFile(Writer):
    """One file, opened by onnxruntime."""

    opener = "seqdec_gui.runner.exports.onnx_file:opened"

    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        from seqdec_gui.runner.exports.onnx_layers import NotInOnnx
        from seqdec_gui.runner.exports.onnx_model import onnx_model

        if source.model.count_params() * 4 > MOST_BYTES:
            raise self.cannot_carry(source.part, "an ONNX file holds 2 GB at most, and the weights alone need more.")
        about = {"part": source.part, "made by": f"seqdec-gui {__version__}"}
        try:
            made = onnx_model(source.model, source.input_names, source.output_names, about, __version__)
        except NotInOnnx as error:
            raise self.cannot_carry(source.part, f"its layer {error}.") from error
        path.write_bytes(made.SerializeToString())
        return (path,)

    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        return SeqdecError(f"onnxruntime cannot run {wanted.name}: {reason}")


def opened(path: Path, options: dict[str, str], weights: list[Array]) -> Predict:
    """A session on the CPU; the inputs go by the order in which the file declares them."""
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [declared.name for declared in session.get_inputs()]

    def predict(inputs: list[Array]) -> list[Array]:
        return [np.asarray(result, np.float32) for result in session.run(None, dict(zip(names, inputs, strict=True)))]

    return predict
