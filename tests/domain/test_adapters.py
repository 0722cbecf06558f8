"""Adapters: what is offered makes the wire possible, and nothing is offered where nothing helps."""

from __future__ import annotations

import itertools

import pytest

from seqdec_gui.domain.adapters import insert, propose
from seqdec_gui.domain.design import Design, Link, Port
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.types import StatesType, TensorType
from seqdec_gui.domain.validation import check, verdict
from tests.domain.designs import archetype, block, design, link

SOURCES = [
    block("vector", "vector", width=11),
    block("numbers", "float_sequence", length=20, features=5),
    block("unbounded", "float_sequence", length=None, features=5),
    block("one_hot", "token_sequence", length=33, symbols=44),
    block("ids", "token_sequence", length=33, symbols=44, encoding="ids"),
    block("states", "dense_states", units=[16]),
    block("keras_out", "keras_model", file="a.keras", model_outputs=[{"name": "image", "shape": [4, 4, 3]}]),
]
TARGETS = [
    block("decoder", "recurrent_decoder", units=[32, 64]),
    block("gru", "recurrent_decoder", cell="GRU", units=[8]),
    block("split", "recurrent_decoder", units=[8], split_states=True),
    block("repeat", "recurrent_decoder", mode="repeat_vector", units=[8]),
    block("embedded", "recurrent_decoder", units=[8], embedding=16),
    block("to_states", "dense_states"),
    block("encoder", "recurrent_encoder"),
    block("conv", "conv_encoder"),
    block("code", "bottleneck"),
    block("add", "add"),
    block("concatenate", "concatenate"),
    block("file", "keras_model", file="b.keras", model_inputs=[
        {"name": "wide", "shape": [64]}, {"name": "long", "shape": [28, 7]}, {"name": "short", "shape": [9, 5]},
    ]),
    block("loss", "loss"),
]  # fmt: skip


def everything() -> Design:
    return design(
        [*SOURCES, *TARGETS],
        ["vector.output -> states.inputs", "one_hot.output -> add.input_1", "numbers.output -> concatenate.input_1"],
    )


def links(of: Design) -> list[Link]:
    outputs = [Port(block.id, port.name) for block in SOURCES for port in block.parameters.outputs()]
    inputs = [Port(block.id, port.name) for block in TARGETS for port in block.parameters.inputs()]
    return [Link(source, target) for source, target in itertools.product(outputs, inputs) if of.into(target) is None]


def test_whatever_is_offered_works() -> None:
    base, offered = everything(), 0
    known = infer(base)
    for wire in links(base):
        proposals = propose(base, wire, known)
        offered += len(proposals)
        assert not (proposals and verdict(base, wire, known).ok)
        assert len({adapter.kind for adapter in proposals}) == len(proposals)
        for adapter in proposals:
            grown, block_id = insert(base, wire, adapter)
            after = infer(grown)
            assert not after.blocks[block_id].problems, (wire, adapter)
            assert not [p for p in after.blocks[wire.target.block].problems if p.where == str(wire.target)], (wire, adapter)
            assert after.blocks[wire.target.block].inputs[wire.target.port] == after.blocks[block_id].outputs[adapter.leaves]
    assert offered > 60


@pytest.mark.parametrize(
    ("wire", "first"),
    [
        ("vector.output -> decoder.initial_states", "Dense to LSTM states [32, 64]"),
        ("states.states -> decoder.initial_states", "Dense to LSTM states [32, 64]"),
        ("one_hot.output -> gru.initial_states", "Encode the sequence to GRU states [8]"),
        ("vector.output -> split.h_0", "Dense to 8"),
        ("vector.output -> encoder.inputs", "Repeat the vector 20 times"),
        ("vector.output -> add.input_0", "Dense to 44, repeated 33 times"),
        ("numbers.output -> repeat.code", "Last output of an LSTM"),
        ("states.states -> repeat.code", "Join the states to a code of 16"),
        ("ids.output -> encoder.inputs", "Embed 44 symbols as vectors of 64"),
        ("vector.output -> file.wide", "Dense to 64"),
        ("numbers.output -> file.long", "Pad 8 steps at the end, then Dense to 7 at every step"),
        ("numbers.output -> file.short", "Crop 11 steps at the end"),
        ("keras_out.image -> to_states.inputs", "Flatten to a vector"),
    ],
)
def test_the_first_offer_is_the_natural_one(wire: str, first: str) -> None:
    assert [adapter.title for adapter in propose(everything(), link(wire))][:1] == [first]


@pytest.mark.parametrize(
    "wire",
    [
        "latent.output -> model_1.inputs",  # it is there already
        "decoder_inputs.output -> model_2.inputs",
        "model_2.outputs -> model_1.inputs",  # a circle
        "model_2.outputs -> model_2.inputs",
        "model_1.states -> loss.predictions",  # a loss judges what the model gives, not what an adapter makes of it
        "nobody.output -> model_1.inputs",
        "latent.output -> nobody.inputs",
    ],
)
def test_nothing_is_offered_where_nothing_helps(wire: str) -> None:
    assert propose(archetype(), link(wire)) == ()


def test_nothing_is_offered_before_the_type_is_known() -> None:
    unknown = design([block("a", "layer_stack"), block("b", "dense_states")], [])
    assert propose(unknown, link("a.outputs -> b.inputs")) == ()


def test_an_inserted_adapter_makes_the_design_trainable() -> None:
    base = archetype().without_blocks(["model_1"])
    wire = link("latent.output -> model_2.initial_states")
    assert not verdict(base, wire).ok
    adapter = propose(base, wire)[0]
    grown, block_id = insert(base, wire, adapter, (100.0, 50.0))
    report = check(grown)
    assert report.ok
    assert grown.block(block_id).position == (100.0, 50.0)
    assert isinstance(report.inference.blocks[block_id].outputs["states"], StatesType)
    assert isinstance(report.inference.blocks["model_2"].outputs["outputs"], TensorType)
    assert report.inference.parameters == 232_214
