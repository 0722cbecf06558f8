"""What works but costs something that the user may not know of: warnings and hints, never errors."""

from __future__ import annotations

from collections.abc import Iterator

from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.bottleneck import Bottleneck
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
from seqdec_gui.domain.kinds.recurrent_encoder import RecurrentEncoder
from seqdec_gui.domain.layers.masks import gives_masks
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.shapes import Inference


def advice(design: Design, inference: Inference) -> Iterator[Problem]:
    """Formats that cannot carry a layer, layers without a fast kernel, settings that give up equality."""
    for block in design.blocks:
        submodel = inference.blocks[block.id].submodel
        if submodel is not None and gives_masks(submodel):
            text = "An .h5 file cannot carry the mask of padding of this block: plain Keras would refuse to load it."
            yield Problem("warning", "mask_not_in_h5", block.id, text, "Export as .keras, or do without the mask.")
        yield from _slow_kernels(design, block)
        kind = block.parameters
        if isinstance(kind, Bottleneck) and kind.variational and kind.kl_weight == 0:
            text = "A variational code with kl_weight 0 is not pulled to a normal distribution."
            yield Problem("warning", "no_kl", f"{block.id}.kl_weight", text)
    if design.training.batch_statistics == "local":
        text = "Local batch statistics: a run on N devices is not equal to a run on one."
        yield Problem("warning", "local_statistics", "training.batch_statistics", text)


def _slow_kernels(design: Design, block: Block) -> Iterator[Problem]:
    kind = block.parameters
    if not isinstance(kind, RecurrentEncoder | RecurrentDecoder):
        return
    if kind.mask_padding and any(
        getattr(binding.codec, "padding", "right") == "left" and _feeds(design, binding.port, block.id)
        for binding in design.data.bindings
    ):
        text = "With left padding and a mask TensorFlow leaves cuDNN; with that engine this layer is slower on GPUs."
        yield Problem("warning", "no_cudnn", block.id, text, "Train with JAX, pad on the right, or switch mask_padding off.")
    if kind.recurrent_dropout:
        text = "Recurrent dropout takes Keras's own loop; with either engine this layer is slower on GPUs."
        yield Problem("info", "slow_loop", f"{block.id}.recurrent_dropout", text)
    if kind.cell == "GRU" and not kind.reset_after:
        text = "reset_after=False makes TensorFlow leave cuDNN; with that engine this layer is slower on GPUs."
        yield Problem("info", "no_cudnn", f"{block.id}.reset_after", text)


def _feeds(design: Design, bound: str, block_id: str) -> bool:
    source = bound.partition(".")[0]
    return source == block_id or any(link.source.block == source and link.target.block == block_id for link in design.links)
