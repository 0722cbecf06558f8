"""Edits of a design: pure, and reversible by keeping the old one."""

from __future__ import annotations

import msgspec
import pytest

from seqdec_gui.domain.bindings import Binding, DataSource
from seqdec_gui.domain.design import Port
from tests.domain.designs import archetype, link


def test_edit_leaves_the_old_design_alone() -> None:
    before = archetype()
    after = before.without_blocks(["model_1"])

    assert before == archetype()
    assert not after.has("model_1")


def test_deleting_a_block_takes_its_links_and_bindings() -> None:
    bound = archetype().with_data(DataSource("x.npz", bindings=(Binding("latent.output", "X"), Binding("model_2.inputs", "y"))))
    after = bound.without_blocks(["latent"])

    assert [wire for wire in after.links if "latent" in str(wire)] == []
    assert [binding.port for binding in after.data.bindings] == ["model_2.inputs"]


def test_renaming_follows_links_and_bindings() -> None:
    bound = archetype().with_data(DataSource("x.npz", bindings=(Binding("latent.output", "X"), Binding("latent", "X"))))
    after = bound.renamed("latent", "code")

    assert link("code.output -> model_1.inputs") in after.links
    assert [binding.port for binding in after.data.bindings] == ["code.output", "code"]


def test_an_input_takes_one_wire() -> None:
    after = archetype().linked(link("decoder_inputs.output -> model_1.inputs"))

    assert after.into(Port("model_1", "inputs")) == link("decoder_inputs.output -> model_1.inputs")
    assert len(after.links) == len(archetype().links)


def test_parameters_that_remove_a_port_remove_its_links() -> None:
    before = archetype()
    split = msgspec.structs.replace(before.block("model_1").parameters, split_states=True)
    after = before.with_parameters("model_1", split)

    assert link("model_1.states -> model_2.initial_states") not in after.links
    assert link("latent.output -> model_1.inputs") in after.links


def test_free_id_counts_on() -> None:
    assert archetype().free_id("decoder") == "decoder"
    assert archetype().free_id("loss") == "loss_2"


@pytest.mark.parametrize("text", ["a", "a.", ".b", "a.b.c", ""])
def test_port_needs_block_and_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"block\.port"):
        Port.parse(text)
