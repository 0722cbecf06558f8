"""How much there is to compute and to keep: estimates from the design alone, before anything is measured."""

from __future__ import annotations

import math

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.layers.specs import LAYERS
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import Shape, TensorType

OPEN_LENGTH = 100
"""Steps that are assumed of a sequence whose length the design leaves open."""
BACKWARD = 2
"""A backward pass computes about twice as much as a forward pass: gradients of inputs and of weights."""
BYTES_PER_FLOAT = 4
COPIES_OF_WEIGHTS = 4
"""A training keeps every weight, its gradient and two optimizer slots."""


def operations_per_row(inference: Inference) -> float:
    """Floating-point operations of a training step per row: forward and backward products, 2 per multiply and add.

    Every layer multiplies each of its weights once per position of its output, a recurrent one once per step of its input;
    layers without products count nothing. An imported model, whose inside is not known, counts as one layer.
    """
    forward = 0.0
    for block in inference.blocks.values():
        if block.submodel is None:
            shapes = [type.shape for type in block.outputs.values() if isinstance(type, TensorType)]
            forward += 2.0 * block.parameters * max(map(_positions, shapes), default=1)
            continue
        lengths = {tensor.variable: tensor.type.shape for tensor in block.submodel.inputs}
        for call in block.submodel.calls:
            products = LAYERS[call.layer.type].products
            if products != "none":
                shape = lengths.get(call.inputs[0]) if products == "per_input_step" else call.outputs[0].type.shape
                forward += 2.0 * call.parameters * _positions(shape or (None,))
            lengths |= {tensor.variable: tensor.type.shape for tensor in call.outputs}
    return forward * (1 + BACKWARD)


def operations_per_training(design: Design, rows: int, inference: Inference | None = None) -> float:
    """Floating-point operations of the whole training on `rows` rows of data; validation counts a forward pass an epoch."""
    row = operations_per_row(inference or infer(design))
    split = design.data.split
    validation = split.validation if split.kind == "random" else 0.1
    training = max(0.0, 1.0 - validation - (split.test if split.kind == "random" else 0.0))
    return rows * row * (training + validation / (1 + BACKWARD)) * design.training.epochs


def activation_bytes(inference: Inference, batch: int) -> int:
    """Estimate of training memory in bytes for one global batch: weights, gradients, optimizer slots, and activations.

    float32; every layer output is kept for the backward pass, `LayerSpec.kept_floats` times.
    """
    per_row = sum(
        LAYERS[call.layer.type].kept_floats * math.prod(map(_steps, call.outputs[0].type.shape))
        for block in inference.blocks.values()
        for call in (block.submodel.calls if block.submodel else ())
    )
    return BYTES_PER_FLOAT * (COPIES_OF_WEIGHTS * inference.parameters + per_row * batch)


def _steps(axis: int | None) -> int:
    return OPEN_LENGTH if axis is None else axis


def _positions(shape: Shape) -> int:
    """How often a layer of this output is applied: every axis but the last."""
    return math.prod(map(_steps, shape[:-1]))
