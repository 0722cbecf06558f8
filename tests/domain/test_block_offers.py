"""What a wire may lead to, and what may be put into one: all that is offered is allowed by the verdict."""

from __future__ import annotations

import pytest

from seqdec_gui.domain.block_offers import insertions, offers, taken
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.kinds.dense_states import DenseStates
from seqdec_gui.domain.kinds.inputs import FloatSequence, TokenSequence, Vector
from seqdec_gui.domain.kinds.layer_stack import LayerStack
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
from seqdec_gui.domain.kinds.recurrent_encoder import RecurrentEncoder
from seqdec_gui.domain.link_judge import End, ends_of
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.validation import check
from tests.domain.designs import archetype

ENDS = [end for block in archetype().blocks for end in ends_of(block)]


def titles(design: Design, start: End) -> list[str]:
    return [offer.title for offer in offers(design, infer(design), start)]


@pytest.mark.parametrize("start", ENDS, ids=str)
def test_every_offer_can_be_taken_without_a_fault_at_its_wires(start: End) -> None:
    design = archetype()
    before = {problem.text for problem in check(design).problems}
    found = offers(design, infer(design), start)
    assert found

    for offer in found:
        grown, block_id = taken(design, start, offer, ((0.0, 0.0), (100.0, 0.0)))
        new = {block.id for block in grown.blocks} - {block.id for block in design.blocks}
        assert block_id in new
        assert len(new) == (1 if offer.adapter is None else 2)
        wires = set(grown.links) - set(design.links)
        assert len(wires) == len(new)
        faults = [p for p in check(grown).problems if p.severity == "error" and p.text not in before and p.code != "open_input"]
        at_wires = [fault for fault in faults if fault.where in {str(wire.target) for wire in wires}]
        assert at_wires == [], offer


def test_an_output_leads_to_what_takes_it() -> None:
    design = archetype()
    vector = titles(design, End(Port("latent", "output"), True))
    assert "Dense to states" in vector
    assert "Vector" not in vector
    states = titles(design, End(Port("model_1", "states"), True))
    assert "Recurrent decoder" in states
    assert "Loss" not in states
    assert titles(design, End(Port("model_2", "outputs"), True)).count("Loss") == 1


def test_an_input_is_led_back_to_what_gives_it() -> None:
    design = archetype()
    found = {o.title: o for o in offers(design, infer(design), End(Port("model_2", "initial_states"), False))}
    assert "Token sequence" not in found
    assert found["Dense to states"].kind == DenseStates()
    other = Design((Block("decoder", RecurrentDecoder(cell="GRU", units=(7,))),))
    fitting = {o.title: o for o in offers(other, infer(other), End(Port("decoder", "initial_states"), False))}
    assert fitting["Dense to states"].kind == DenseStates(cell="GRU", units=(7,))


def test_ids_reach_a_decoder_with_an_embedding() -> None:
    design = Design((Block("tokens", TokenSequence(encoding="ids", symbols=9)),))
    found = {o.title: o for o in offers(design, infer(design), End(Port("tokens", "output"), True))}
    assert found["Recurrent decoder"].kind == RecurrentDecoder(embedding=64)
    assert "Embed 9 symbols as vectors of 64" in found


def test_a_kind_that_does_not_fit_is_offered_through_an_adapter() -> None:
    design = Design((Block("latent", Vector()),))
    through = [o for o in offers(design, infer(design), End(Port("latent", "output"), True)) if o.adapter is not None]
    assert any(o.title == "Recurrent decoder" and o.port == "initial_states" for o in through)


def test_what_can_be_put_into_a_wire() -> None:
    design = archetype()
    wire = Link(Port("latent", "output"), Port("model_1", "inputs"))
    assert {"Dense to states", "Bottleneck"} <= {o.title for o in insertions(design, infer(design), wire)}
    open_design = Design((Block("decoder", RecurrentDecoder()), Block("loss", Loss())))
    unknown = Link(Port("decoder", "outputs"), Port("loss", "predictions"))
    linked = open_design.linked(unknown)
    assert insertions(linked, infer(linked), unknown) == ()


def alone(kind: Kind) -> Design:
    return Design((Block("one", kind),))


@pytest.mark.parametrize(
    ("design", "start", "is_output", "first"),
    [
        (archetype(), "model_2.outputs", True, "Recurrent decoder"),  # it has its loss
        (archetype().unlinked(archetype().links), "model_2.outputs", True, "Loss"),
        (alone(RecurrentDecoder()), "one.outputs", True, "Loss"),
        (archetype(), "model_1.states", True, "Recurrent decoder"),
        (archetype(), "latent.output", True, "Dense to states"),
        (archetype(), "decoder_inputs.output", True, "Recurrent decoder"),  # what is decoded has been encoded already
        (alone(TokenSequence()), "one.output", True, "Recurrent encoder"),
        (alone(FloatSequence()), "one.output", True, "Recurrent encoder"),
        (alone(Vector()), "one.output", True, "Dense to states"),
        (archetype(), "loss.predictions", False, "Recurrent decoder"),
        (archetype(), "model_2.initial_states", False, "Dense to states"),
        (archetype(), "model_2.inputs", False, "Token sequence"),
        (archetype(), "model_1.inputs", False, "Vector"),
        (alone(RecurrentEncoder()), "one.inputs", False, "Token sequence"),
        (alone(LayerStack()), "one.inputs", False, "Vector"),
    ],
)
def test_the_block_that_is_nearly_always_meant_comes_first(design: Design, start: str, is_output: bool, first: str) -> None:
    assert titles(design, End(Port.parse(start), is_output))[0] == first
