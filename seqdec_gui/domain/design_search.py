"""Finds blocks, frames and notes by what is written on and in them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.shapes import Inference


class Hit(NamedTuple):
    """Something found: a block, or a frame or note, by its id, and where the words occur, for example `layer Dense_h_0`."""

    what: Literal["block", "annotation"]
    id: str
    reason: str


def found(design: Design, inference: Inference, text: str) -> tuple[Hit, ...]:
    """Return what contains all words of a text, in the order of the data's flow, then frames and notes. No words find nothing.

    Blocks are found by id, title and name of their kind, and by the names of the layers inside.
    """
    words = text.lower().split()
    if not words:
        return ()
    order = {block_id: number for number, block_id in enumerate(inference.order)}
    blocks = sorted(design.blocks, key=lambda block: order.get(block.id, len(order)))
    hits: list[Hit] = []
    for block in blocks:
        kind = block.parameters
        if _contains(f"{block.id} {kind.title} {kind.kind()}", words):
            hits.append(Hit("block", block.id, kind.title))
            continue
        submodel = inference.blocks[block.id].submodel
        names = submodel.layer_names() if submodel is not None else ()
        inside = next((name for name in names if _contains(f"{block.id} {name}", words)), None)
        if inside is not None:
            hits.append(Hit("block", block.id, f"layer {inside}"))
    hits += [Hit("annotation", frame.id, "frame") for frame in design.frames if _contains(frame.title, words)]
    hits += [Hit("annotation", note.id, "note") for note in design.notes if _contains(note.text, words)]
    return tuple(hits)


def _contains(text: str, words: list[str]) -> bool:
    lower = text.lower()
    return all(word in lower for word in words)
