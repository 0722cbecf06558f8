"""Warnings and remarks about settings that work but have a hidden cost. There are no errors among them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.graph import Call
from seqdec_gui.domain.layers.layer import Layer
from seqdec_gui.domain.layers.masks import gives_masks, lost_mask
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.shapes import Inference


def advice(design: Design, inference: Inference) -> Iterator[Problem]:
    """Yield warnings of masks that are lost or not in `.h5`, the advice of each kind, and warnings of local statistics."""
    padded_left = _padded_left(design)
    for block in design.blocks:
        submodel = inference.blocks[block.id].submodel
        if submodel is not None and gives_masks(submodel):
            text = "An .h5 file cannot carry the mask of padding of this block: plain Keras would refuse to load it."
            yield Problem("warning", "mask_not_in_h5", block.id, text, "Export as .keras, or do without the mask.")
        lost = None if submodel is None else lost_mask(submodel)
        if lost:
            text = f"{lost[0]} drops the mask of padding, so that padding counts in {lost[1]} as any other step does."
            yield Problem("warning", "mask_lost", block.id, text, "Put another layer in its place, or mask after it.")
        if submodel is not None and any(_hard_sigmoid(call.layer) for call in submodel.calls):
            text = "Keras 2 computes hard_sigmoid otherwise, so that the export format keras2-h5 cannot carry this block."
            hint = "Choose another activation if a file for Keras 2 is wanted."
            yield Problem("info", "activation_not_in_keras2", block.id, text, hint)
        without = "" if submodel is None else next(filter(None, map(_not_in_keras2, submodel.calls)), "")
        if without:
            text = f"The export format keras2-h5 cannot carry this block: {without}."
            yield Problem("info", "layer_not_in_keras2", block.id, text, "Choose otherwise if a file for Keras 2 is wanted.")
        for problem in block.parameters.advice(block.id in padded_left):
            where = f"{block.id}.{problem.where}" if problem.where else block.id
            yield msgspec.structs.replace(problem, where=where)
    if design.training.batch_statistics == "local":
        text = "Local batch statistics: a run on N devices is not equal to a run on one."
        yield Problem("warning", "local_statistics", "training.batch_statistics", text)


def _not_in_keras2(call: Call) -> str:
    """Return what Keras 2 does not have for this call; empty if it has everything."""
    if call.layer.type in ("RMSNormalization", "ReversibleEmbedding"):
        return f"{call.layer.name} is a layer that Keras 2 does not have"
    if call.layer.type == "Dot" and len(call.outputs[0].type.shape) > 2:
        return f"{call.layer.name} multiplies tensors of four axes, which Keras 2 takes for others"
    if ("use_causal_mask", True) in call.options and call.named:
        return f"{call.layer.name} is causal and has a mask of padding, which Keras 2 does not put together"
    return ""


def _hard_sigmoid(layer: Layer) -> bool:
    named = dict(layer.arguments).get("activation") == "hard_sigmoid"
    return named or (layer.inner is not None and _hard_sigmoid(layer.inner))


def _padded_left(design: Design) -> frozenset[str]:
    """Return the inputs that are bound to sequences with padding on the left, and the blocks that they feed."""
    sources = {
        binding.port.partition(".")[0]
        for binding in design.data.bindings
        if getattr(binding.codec, "padding", "right") == "left"
    }
    return frozenset(sources).union(link.target.block for link in design.links if link.source.block in sources)
