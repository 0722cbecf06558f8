"""Frames and notes: in the design file, in copies, and without any meaning for the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqdec_gui.domain.annotations import COLORS, Frame, Note, around
from seqdec_gui.domain.block_edits import copied, duplicated, pasted
from seqdec_gui.domain.codegen import generate
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import dumps, from_builtins, load, loads
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.validation import check
from tests.domain.designs import archetype

FIXTURE = Path(__file__).parent.parent / "fixtures" / "annotated" / "frames.seqdec"
FRAME = Frame("frame_1", "Encoder", "blue", (-40.0, -60.0), (260.0, 180.0))
NOTE = Note("note_1", 'try <b>12</b>, "quoted"\nsecond line', "yellow", (300.0, 200.0), (220.0, 120.0))


def annotated() -> Design:
    return archetype().with_annotations([FRAME, NOTE])


def test_a_file_of_today_keeps_its_frames_and_notes() -> None:
    design = load(FIXTURE)

    assert design.frames == (FRAME,)
    assert design.notes == (NOTE,)
    assert loads(dumps(design)) == design
    assert json.loads(dumps(design)) | {"data": {}, "training": {}, "blocks": []} == json.loads(
        FIXTURE.read_text(encoding="utf-8")
    ) | {"blocks": []}


def test_a_design_without_them_is_written_as_before_there_were_any() -> None:
    assert list(json.loads(dumps(archetype()))) == ["format", "blocks", "links", "data", "training"]
    assert loads(dumps(archetype())).annotations == ()


def test_they_mean_nothing_to_the_model() -> None:
    assert check(annotated()) == check(archetype())
    assert generate(annotated()) == generate(archetype())
    assert annotated() != archetype()  # or an edit of them would be none


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("frames", {}, "Expected a list"),
        ("frames", [3], "object"),
        ("frames", [{"title": "no id"}], "'id'"),
        ("frames", [{"id": "a", "color": "pink"}], "Expected one of blue, gray"),
        ("notes", [{"id": "a", "size": [1, 2]}], "received 1"),
        ("notes", [{"id": "a", "position": ["x", 0]}], "a number"),
        ("notes", [{"id": "a", "tittle": "x"}], "There is no 'tittle'"),
        ("notes", [{"id": "a", "text": "x" * 30_000}], "20"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(field: str, value: Any, said: str) -> None:
    plain = json.loads(dumps(archetype())) | {field: value}

    with pytest.raises(InvalidInput) as caught:
        from_builtins(plain)

    (problem,) = caught.value.problems
    assert problem.where.startswith(field)
    assert said in problem.text + problem.hint


def test_ids_that_occur_twice_are_made_different() -> None:
    plain = json.loads(dumps(Design().with_annotations([FRAME])))
    plain["notes"] = [{"id": "frame_1", "text": "same id"}]

    assert [one.id for one in from_builtins(plain).annotations] == ["frame_1", "note_1"]


def test_copies_get_ids_and_places_of_their_own() -> None:
    text = copied(annotated(), ["latent"], ["frame_1", "note_1"])
    result = pasted(annotated(), text, (10.0, 20.0))

    assert set(json.loads(text)) == {"format", "blocks", "links", "frames", "notes"}
    assert result.blocks == ("latent_2",)
    assert result.annotations == ("frame_2", "note_2")
    assert result.design.frames[1] == Frame("frame_2", "Encoder", "blue", (-30.0, -40.0), (260.0, 180.0))
    twice = duplicated(annotated(), [], (5.0, 5.0), ["note_1"])
    assert twice.design.notes[1].position == (305.0, 205.0)


def test_edits_of_one_leave_the_others() -> None:
    design = annotated().with_annotation(Note("note_1", "other"))
    assert [note.text for note in design.notes] == ["other"]
    assert design.moved({}, {"frame_1": (1.0, 2.0)}).frames[0].position == (1.0, 2.0)
    assert design.without_annotations(["frame_1"]).annotations == (Note("note_1", "other"),)
    assert design.free_annotation_id(Frame) == "frame_2"
    assert len(COLORS) == len(set(COLORS)) == 7


def test_a_frame_is_drawn_round_boxes() -> None:
    assert around([(0.0, 0.0, 10.0, 10.0), (50.0, 20.0, 10.0, 10.0)], 5.0, 20.0) == (-5.0, -25.0, 70.0, 60.0)
