"""Recurrent decoders that attend to a memory: what they refuse and offer, and what the script says."""

from __future__ import annotations

from typing import Any

import pytest

from seqdec_gui.domain import adapters
from seqdec_gui.domain.catalog import fields
from seqdec_gui.domain.codegen import generate, generate_step
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import parse_text
from seqdec_gui.domain.field_text import read_numbers
from seqdec_gui.domain.generation import Stepwise, plan_for
from seqdec_gui.domain.kinds.recurrent_decoder import MOST_STEPS, RecurrentDecoder
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.types import MemoryType, TensorType
from seqdec_gui.domain.validation import check, verdict
from tests.domain.designs import block, design, link

READ, FED = "source.output -> encoder.inputs", "target.output -> decoder.inputs"
MEMORY = "encoder.memory -> decoder.memory"


def stack(encoder: dict[str, Any], links: tuple[str, ...] = (MEMORY,), length: int | None = 7, **decoder: Any) -> Design:
    given = {"units": [8], "batch_normalization": False, "attention": "bahdanau", "embedding": 3, "output_units": 9} | decoder
    return design(
        [
            block("source", "token_sequence", length=5, symbols=6, encoding="ids"),
            block("target", "token_sequence", length=length, symbols=9, encoding="ids"),
            block("encoder", "recurrent_encoder", **({"units": [8], "embedding": 3, "output": ["states", "memory"]} | encoder)),
            block("decoder", "recurrent_decoder", **given),
            block("loss", "loss"),
        ],
        [READ, FED, "encoder.states -> decoder.initial_states", *links, "decoder.outputs -> loss.predictions"],
    )


def errors(wanted: Design) -> list[tuple[str, str]]:
    return [(problem.where, problem.text) for problem in check(wanted).problems if problem.severity == "error"]


def test_one_encoder_gives_states_and_memory_to_one_decoder() -> None:
    wanted = stack({"mask_padding": True})
    assert errors(wanted) == []
    known = infer(wanted)
    assert known.blocks["encoder"].outputs["memory"] == MemoryType(5, 8, padded=True)
    assert isinstance(plan_for(wanted, known), Stepwise)


def test_the_layers_of_one_step_have_the_memory_among_what_they_carry() -> None:
    script = generate_step(stack({"mask_padding": True}), "decoder")
    carried = "h_0, c_0, memory_sequence, memory_seen"
    assert f"[decoder_inputs, {carried}]" in script
    assert "[outputs, next_h_0, next_c_0, memory_sequence, memory_seen]" in script


def test_a_product_of_state_and_memory_names_both_widths_and_what_helps() -> None:
    narrow = stack({"units": [6], "output": ["states", "memory"]}, links=(), attention="luong_dot")
    answer = verdict(narrow, link(MEMORY))
    assert not answer.ok
    assert "expected a width of 8" in answer.reason
    assert "(None, 5, 6)" in answer.reason
    assert "luong_general" in answer.reason


def test_a_memory_that_is_too_narrow_can_be_made_wider_by_a_click() -> None:
    for output in ("memory", "sequence"):
        wanted = stack({"units": [6], "output": [output], "mask_padding": True}, links=(), attention="luong_dot")
        wanted = wanted.unlinked([link("encoder.states -> decoder.initial_states")])
        wire = link(f"encoder.{output} -> decoder.memory")
        offered = adapters.propose(wanted, wire)
        assert "Dense to 8 at every step" in [adapter.title for adapter in offered]
        grown, name = adapters.insert(wanted, wire, offered[0])
        made = infer(grown).blocks[name].outputs["outputs"]
        assert made == (MemoryType(5, 8, padded=True) if output == "memory" else TensorType((5, 8)))


def test_padding_of_a_memory_is_not_mixed_with_its_steps() -> None:
    for rows, good in ((["LayerNormalization", "Dense"], True), (["Conv1D"], False), (["BatchNormalization"], False)):
        wanted = stack({"mask_padding": True}, links=("encoder.memory -> middle.inputs", "middle.outputs -> decoder.memory"))
        wanted = wanted.with_block(block("middle", "layer_stack", layers=[{"layer": row} for row in rows]))
        assert (errors(wanted) == []) == good, rows
        if not good:
            assert f"ow 1 ({rows[0]}) would mix the padding" in errors(wanted)[0][1]
    cut = stack({}, links=("encoder.memory -> middle.inputs",), attention="none")
    cut = cut.with_block(block("middle", "layer_stack", layers=[{"layer": "Crop"}]))
    assert any("keeps its steps" in text for _, text in errors(cut))


def test_no_memory_is_a_missing_wire() -> None:
    assert [where for where, _ in errors(stack({}, links=()))] == ["decoder.memory"]


def test_heads_have_to_share_the_units() -> None:
    assert [where for where, _ in errors(stack({}, attention="multi_head", attention_units=10, attention_heads=4))] == [
        "decoder.attention_heads"
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch_normalization", True), ("mask_padding", True), ("dropout", 0.1), ("dropout_per_layer", [0.1]),
     ("recurrent_dropout", 0.1)],
)  # fmt: skip
def test_input_feeding_refuses_by_name_what_needs_all_steps_at_once(name: str, value: Any) -> None:
    assert [where for where, _ in errors(stack({}, input_feeding="luong", **{name: value}))] == [f"decoder.{name}"]


def test_input_feeding_without_attention_is_refused() -> None:
    assert [where for where, _ in errors(stack({}, links=(), attention="none", input_feeding="luong"))] == [
        "decoder.input_feeding"
    ]


@pytest.mark.parametrize("length", [None, MOST_STEPS + 1])
def test_input_feeding_needs_a_length_that_a_script_can_write_out(length: int | None) -> None:
    ((where, text),) = errors(stack({}, length=length, input_feeding="bahdanau"))
    assert where == "decoder.inputs"
    assert f"at most {MOST_STEPS} steps" in text


def test_a_layer_that_is_called_twice_is_made_once() -> None:
    script = generate(stack({}, length=2, input_feeding="luong"))
    assert script.count("layers.LSTM(8, return_sequences=True, return_state=True") == 1 + 1  # the encoder's, and the decoder's
    assert script.count("= decoder_lstm_0(") == 2


def test_what_keras_2_cannot_carry_is_said_of_bahdanaus_score_alone() -> None:
    for form, said in (("bahdanau", True), ("luong_general", False), ("multi_head", False)):
        codes = [problem.code for problem in check(stack({}, attention=form)).problems]
        assert ("layer_not_in_keras2" in codes) == said, form


def test_rates_of_dropout_have_to_be_as_many_as_layers() -> None:
    assert [where for where, _ in errors(stack({}, dropout_per_layer=[0.1, 0.2]))] == ["decoder.dropout_per_layer"]
    assert [where for where, _ in errors(stack({}, dropout=0.1, dropout_per_layer=[0.2]))] == ["decoder.dropout_per_layer"]
    states = stack({"output": ["states"], "output_dropout": 0.2}, links=(), attention="none")
    assert [where for where, _ in errors(states)] == ["encoder.output_dropout"]
    assert [where for where, _ in errors(stack({}, head_dropout=0.2))] == ["decoder.head_dropout"]


def test_lists_of_numbers_are_read_from_forms_and_from_the_command_line() -> None:
    (field,) = (field for field in fields(RecurrentDecoder) if field.name == "dropout_per_layer")
    assert field.type == "numbers"
    assert read_numbers(field, "0.1, 0.25").value == (0.1, 0.25)
    assert read_numbers(field, "").value == ()
    assert "below 1" in read_numbers(field, "0.1, 1.5").fault
    assert "one is missing" in read_numbers(field, "0.1,, 0.2").fault
    assert parse_text(field, "0.1,0.25") == [0.1, 0.25]
    with pytest.raises(ValueError, match="finite numbers separated by commas"):
        parse_text(field, "0.1,nan")


def test_the_steps_of_predictions_are_not_those_of_the_memory() -> None:
    """Each step sees the whole memory, so an input behind it is no sequence to predict, one step behind."""
    known = infer(stack({})).blocks["decoder"]
    kind = known.block.parameters
    assert kind.in_step_with("memory", known.inputs, known.submodel) == frozenset()
    assert kind.in_step_with("inputs", known.inputs, known.submodel) == {"outputs"}
