"""Estimates of operations and memory from the design alone, before anything is measured."""

from __future__ import annotations

import math

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.layers.specs import LAYERS
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import Shape, TensorType

OPEN_LENGTH = 100
"""The number of steps that is assumed for a sequence whose length the design leaves open."""

BACKWARD = 2
"""The operations of a backward pass, in forward passes: gradients of inputs and of weights."""

BYTES_PER_FLOAT = 4
"""The bytes of a float32 number."""

COPIES_OF_WEIGHTS = 4
"""The numbers that a training keeps per weight: the weight, its gradient and two optimizer slots."""


def operations_per_row(inference: Inference) -> float:
    """Estimate the floating-point operations of a training step per row: forward and backward, 2 per multiply and add.

    Every layer multiplies each of its weights once per position of its output, a recurrent one once per step of its input;
    layers without products count nothing. An imported model, whose layers are unknown, counts as one layer.
    """
    forward = 0.0
    for block in inference.blocks.values():
        if block.submodel is None:
            shapes = [type.shape for type in block.outputs.values() if isinstance(type, TensorType)]
            forward += 2.0 * block.parameters * max(map(_positions, shapes), default=1)
            continue
        types = {tensor.variable: tensor.type for tensor in block.submodel.inputs}
        for call in block.submodel.calls:
            products = LAYERS[call.layer.type].products
            given = types[call.inputs[0]]
            if products != "none" and given.dtype == "float32":  # ids only choose rows of a table
                shape = given.shape if products == "per_input_step" else call.outputs[0].type.shape
                forward += 2.0 * call.parameters * _positions(shape)
            types |= {tensor.variable: tensor.type for tensor in call.outputs}
    return forward * (1 + BACKWARD)


def operations_per_training(design: Design, rows: int, inference: Inference | None = None) -> float:
    """Estimate the operations of the whole training on `rows` rows of data; validation is a forward pass per epoch."""
    row = operations_per_row(inference or infer(design))
    split = design.data.split
    validation = split.validation if split.kind == "random" else 0.1
    training = max(0.0, 1.0 - validation - (split.test if split.kind == "random" else 0.0))
    return rows * row * (training + validation / (1 + BACKWARD)) * design.training.epochs


def activation_bytes(inference: Inference, batch: int) -> int:
    """Estimate the training memory in bytes for one global batch: weights, gradients, optimizer slots, and activations.

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
    """Return at how many positions a layer with this output multiplies its weights: the product of all axes but the last."""
    return math.prod(map(_steps, shape[:-1]))
