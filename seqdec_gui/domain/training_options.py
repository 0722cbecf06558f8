"""Whether the options of a training suit its model: micro-batches, smoothed labels, a warm-up."""

from __future__ import annotations

from collections.abc import Iterator

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.layers.layer import Layer
from seqdec_gui.domain.losses import LOSSES
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.shapes import Inference

WHOLE_BATCH = ("BatchNormalization", "SpectralNormalization")
"""The Keras layers whose training depends on all rows of a batch together, or on how often they are called."""


def training_problems(design: Design, inference: Inference) -> Iterator[Problem]:
    """Yield problems of options that the model does not permit, or on which they have no effect."""
    training = design.training
    if training.schedule == "inverse_square_root" and not training.warmup_steps:
        text = "Without a warm-up the rate falls from the first step on: after 100 steps it is a tenth."
        hint = "Set warmup_steps, for example to 4,000 of 100,000 steps."
        yield Problem("warning", "no_warmup", "training.warmup_steps", text, hint)
    for block in design.blocks:
        if block.parameters.is_trainable and not block.parameters.rate_factor:
            text = "Its learning rate factor is 0: the learning rate that a training shows is not its own, its weights stay."
            hint = "Switch trainable off, which saves its gradients too, or set a factor above 0."
            yield Problem("warning", "rate_of_zero", block.id, text, hint)
    if training.micro_batches > 1:
        for block in design.blocks:
            submodel = inference.blocks[block.id].submodel if block.parameters.is_trainable else None
            if submodel is not None and any(_needs_whole_batch(call.layer) for call in submodel.calls):
                yield not_in_parts(block.id)
    if training.rematerialise and not any(block.submodel and block.submodel.segments for block in inference.blocks.values()):
        text = "Activations are to be computed again, and no block is a Transformer: it has no effect."
        yield Problem("warning", "nothing_to_rematerialise", "training.rematerialise", text, "Switch it off.")
    if training.label_smoothing:
        judges = [judge for block in design.blocks if (judge := block.parameters.judge) is not None]
        if judges and all(LOSSES[judge.loss].compares != "classes" for judge in judges):
            text = "Labels are to be smoothed, and no loss compares symbols: it has no effect."
            yield Problem("warning", "nothing_to_smooth", "training.label_smoothing", text, "Set it to 0.")


def not_in_parts(block: str) -> Problem:
    """Return the refusal of micro-batches for a block that normalises over the whole batch."""
    text = "It normalises over the rows of a whole batch, which micro-batches never see together: the result would be another."
    hint = "Set training.micro_batches to 1 (more devices save memory too), or do without BatchNormalization."
    return Problem("error", "normalises_in_parts", block, text, hint)


def _needs_whole_batch(layer: Layer) -> bool:
    frozen = dict(layer.arguments).get("trainable") is False
    return (layer.type in WHOLE_BATCH and not frozen) or (layer.inner is not None and _needs_whole_batch(layer.inner))
