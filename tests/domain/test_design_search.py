"""Finding blocks by id, kind, and layer; and frames and notes by their texts."""

from __future__ import annotations

from seqdec_gui.domain.annotations import Frame, Note
from seqdec_gui.domain.design_search import Hit, found
from seqdec_gui.domain.shapes import infer
from tests.domain.designs import archetype


def search(text: str) -> list[Hit]:
    design = archetype().with_annotations([Frame("frame_1", "Decoder part"), Note("note_1", "why softmax")])
    return list(found(design, infer(design), text))


def test_blocks_are_found_by_what_is_on_and_in_them() -> None:
    assert [hit.id for hit in search("model_")] == ["model_1", "model_2"]
    assert [hit.id for hit in search("RECURRENT decoder")] == ["model_2"]
    assert [hit.id for hit in search("recurrent_decoder")] == ["model_2"]
    assert search("dense_h_0") == [Hit("block", "model_1", "layer Dense_h_0")]
    assert search("softmax") == [Hit("annotation", "note_1", "note")]
    assert [hit.what for hit in search("decoder")] == ["block", "block", "annotation"]


def test_no_words_and_unknown_words_find_nothing() -> None:
    assert search("") == search("   ") == search("transformer") == []
