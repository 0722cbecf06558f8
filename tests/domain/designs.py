"""Designs that the tests of several packages build on; blocks are written `id: kind`, links `a.output -> b.inputs`."""

from __future__ import annotations

from typing import Any

import msgspec

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Design, Link, Port


def block(block_id: str, kind: str, **parameters: Any) -> Block:
    return Block(block_id, msgspec.convert({"kind": kind, **parameters}, KINDS[kind]))


def link(text: str) -> Link:
    source, target = text.split(" -> ")
    return Link(Port.parse(source), Port.parse(target))


def design(blocks: list[Block], links: list[str]) -> Design:
    return Design(tuple(blocks), tuple(map(link, links)))


def archetype(**decoder: Any) -> Design:
    """The stack with 232,214 parameters; keywords change its decoder."""
    return design(
        [
            block("latent", "vector", width=11),
            block("decoder_inputs", "token_sequence", length=33, symbols=44),
            block("model_1", "dense_states", units=[128, 128]),
            block("model_2", "recurrent_decoder", **({"units": [128, 128], "output_units": 22} | decoder)),
            block("loss", "loss"),
        ],
        [
            "latent.output -> model_1.inputs",
            "decoder_inputs.output -> model_2.inputs",
            "model_1.states -> model_2.initial_states",
            "model_2.outputs -> loss.predictions",
        ],
    )
