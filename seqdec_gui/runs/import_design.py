"""Makes a whole design of an imported model: inputs before it, and a loss after every output."""

from __future__ import annotations

import math
from pathlib import Path

from seqdec_gui.domain.design import Block, Design, Link, Port, new_id
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.kinds.inputs import FloatSequence, TokenSequence, Vector
from seqdec_gui.domain.kinds.layer_stack import LayerStack, Reshape
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.losses import LOSSES
from seqdec_gui.domain.names import usable_id
from seqdec_gui.runs.imports import BLOCK_SPACING, with_keras_model
from seqdec_gui.runs.model_description import ArrayDescription
from seqdec_gui.runs.task_results import Inspected

ROW_SPACING = 160.0
"""The vertical distance between blocks that stand in one column, in scene units."""
UNKNOWN_STEPS = 32
"""Steps of an input whose features a model leaves open, which no block can."""


def design_of(inspected: Inspected, path: Path, folder: Path | None) -> tuple[Design, str]:
    """Return a design with the inspected model, and the id of its block.

    Every input gets the input block of its shape, and every output with an axis of numbers the loss that suits its activation.
    """
    design, block_id = with_keras_model(Design(id=new_id()), inspected, path, folder)
    design = design.moved({block_id: (BLOCK_SPACING, 0.0)})
    model = design.block(block_id).parameters
    for row, (port, described) in enumerate(zip(model.inputs(), inspected.inputs, strict=True)):
        kind, shape = input_kind(described, inspected.outputs)
        place = (-BLOCK_SPACING if shape else 0.0, row * ROW_SPACING)
        source = design.free_id(usable_id(port.name, "input"))
        design = design.with_block(Block(source, kind, place))
        end = Port(source, "output")
        if shape:
            stack = design.free_id(f"{source}_shape")
            design = design.with_block(Block(stack, LayerStack(layers=(Reshape(shape),)), (0.0, row * ROW_SPACING)))
            design = design.linked(Link(end, Port(stack, "inputs")))
            end = Port(stack, "outputs")
        design = design.linked(Link(end, Port(block_id, port.name)))
    for row, (out, described) in enumerate(zip(model.outputs(), inspected.outputs, strict=True)):
        if not described.shape or described.dtype != "float32":
            continue
        name = design.free_id("loss" if len(inspected.outputs) == 1 else usable_id(f"loss_{out.name}"))
        design = design.with_block(Block(name, loss_kind(described), (2 * BLOCK_SPACING, row * ROW_SPACING)))
        design = design.linked(Link(Port(block_id, out.name), Port(name, "predictions")))
    return design, block_id


def input_kind(described: ArrayDescription, outputs: tuple[ArrayDescription, ...]) -> tuple[Kind, tuple[int, ...]]:
    """Return the input block for an input, and the shape into which its vector has to be brought (empty: none).

    A sequence as wide as a softmax over steps predicts is taken for one-hot symbols.
    """
    shape = described.shape
    if described.dtype == "int32" and len(shape) == 1:
        return TokenSequence(length=shape[0], symbols=described.symbols or 2, encoding="ids"), ()
    if len(shape) == 2 and shape[1] is not None:
        predicted = {out.shape[-1] for out in outputs if len(out.shape) == 2 and out.activation == "softmax"}
        if shape[1] in predicted:
            return TokenSequence(length=shape[0], symbols=shape[1]), ()
        return FloatSequence(length=shape[0], features=shape[1]), ()
    sizes = tuple(UNKNOWN_STEPS if axis is None else axis for axis in shape)
    return Vector(width=math.prod(sizes)), (sizes if len(sizes) > 1 else ())


def loss_kind(described: ArrayDescription) -> Kind:
    """Return the loss that suits the activation of an output; the squared error where it is not known."""
    suited = [name for name, row in LOSSES.items() if described.activation in row.activations]
    name = suited[0] if suited else "mean_squared_error"
    metrics = LOSSES[name].metrics[:2] if len(described.shape) > 1 else LOSSES[name].metrics[:1]
    return Loss(loss=name, metrics=metrics)
