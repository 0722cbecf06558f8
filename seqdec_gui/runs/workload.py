"""How much there is to compute: estimates from the design alone, to decide what is worth measuring."""

from __future__ import annotations

import math
from pathlib import Path

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import Shape, TensorType

STEPS_IF_OPEN = 100
BACKWARD = 2
"""A backward pass computes about twice as much as a forward pass: gradients of inputs and of weights."""
_SAMPLE_BYTES = 65536
_NO_PRODUCTS = ("Embedding", "BatchNormalization", "LayerNormalization")


def operations_per_row(inference: Inference) -> float:
    """Floating-point operations of a training step per row: forward and backward products, 2 per multiply and add.

    Every layer multiplies each of its weights once per position of its output (step of a sequence); layers without products
    count nothing. An imported model, whose inside is not known, counts as one layer.
    """
    forward = 0.0
    for block in inference.blocks.values():
        if block.submodel is None:
            shapes = [type.shape for type in block.outputs.values() if isinstance(type, TensorType)]
            forward += 2.0 * block.parameters * max(map(_positions, shapes), default=1)
            continue
        lengths = {tensor.variable: tensor.type.shape for tensor in block.submodel.inputs}
        for call in block.submodel.calls:
            if call.layer.type not in _NO_PRODUCTS:
                recurrent = call.layer.type in ("LSTM", "GRU", "Bidirectional")
                shape = lengths.get(call.inputs[0]) if recurrent else call.outputs[0].type.shape
                forward += 2.0 * call.parameters * _positions(shape or (None,))
            lengths |= {tensor.variable: tensor.type.shape for tensor in call.outputs}
    return forward * (1 + BACKWARD)


def operations_per_training(design: Design, rows: int, inference: Inference | None = None) -> float:
    """Floating-point operations of the whole training on so many rows of data; validation counts a forward pass an epoch."""
    row = operations_per_row(inference or infer(design))
    split = design.data.split
    validation = split.validation if split.kind == "random" else 0.1
    training = max(0.0, 1.0 - validation - (split.test if split.kind == "random" else 0.0))
    return rows * row * (training + validation / (1 + BACKWARD)) * design.training.epochs


def estimated_rows(design: Design, folder: Path) -> int | None:
    """Rows of the design's data file: counted where the format says them, estimated from the start of a text file.

    None where there is no file or it cannot be read. Takes milliseconds.
    """
    if not design.data.file:
        return None
    path = folder / Path(design.data.file).expanduser()
    try:
        if path.suffix.lower() in (".csv", ".tsv"):
            with path.open("rb") as file:
                start = file.read(_SAMPLE_BYTES)
            lines = max(1, start.count(b"\n"))
            return max(1, round(path.stat().st_size * lines / max(1, len(start))) - 1)
        from seqdec_gui.data.tables import inspect

        return max(column.rows for column in inspect(path).columns)
    except (OSError, SeqdecError, ValueError):
        return None


def _positions(shape: Shape) -> int:
    """How often a layer of this output is applied: every axis but the last."""
    return math.prod(STEPS_IF_OPEN if axis is None else axis for axis in shape[:-1])
