"""Which port of an earlier design a port was, and room for other numbers of symbols."""

from __future__ import annotations

from seqdec_gui.domain.dataflow import data_ports, port_for, ports_before, with_room
from seqdec_gui.domain.design import Design
from tests.domain.designs import archetype, block, design


def before(now: Design, earlier: Design) -> dict[str, str]:
    return ports_before(now, data_ports(now), earlier, data_ports(earlier))


def test_ports_are_recognised_by_name_and_renamed_ones_by_what_they_are_linked_to() -> None:
    earlier = archetype()
    same = {port.name: port.name for port in data_ports(earlier)}
    assert before(earlier, earlier) == same
    renamed = earlier.renamed("latent", "code").renamed("loss", "judge")
    assert before(renamed, earlier) == {"code": "latent", "decoder_inputs": "decoder_inputs", "judge": "loss"}


def test_a_port_of_a_block_whose_weights_are_not_taken_is_no_earlier_one() -> None:
    earlier = archetype()
    other = earlier.renamed("latent", "code").renamed("model_1", "encoder")
    assert "code" not in before(other, earlier)


def test_room_is_made_at_the_input_at_the_decoder_and_in_the_last_row_of_a_stack() -> None:
    labels = design(
        [
            block("latent", "vector", width=3),
            block("head", "layer_stack", layers=[{"layer": "Dense", "units": 4}, {"layer": "Dense", "units": 5},
                                                 {"layer": "Activation", "activation": "softmax"}]),
            block("loss", "loss"),
        ],
        ["latent.output -> head.inputs", "head.outputs -> loss.predictions"],
    )  # fmt: skip
    for wanted, name, size in ((archetype(), "decoder_inputs", 50), (archetype(), "loss", 50), (labels, "loss", 9)):
        port = port_for(data_ports(wanted), name)
        assert port is not None
        larger = with_room(wanted, port, size)
        assert larger is not None
        found = port_for(data_ports(larger), name)
        assert found is not None
        assert found.type.shape[-1] == size
    assert labels.block("head").parameters.layers[0].units == 4  # type: ignore[attr-defined]
