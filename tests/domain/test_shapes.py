"""Inference: types on ports, layers, names, and what is wrong where."""

from __future__ import annotations

import time

import pytest

from seqdec_gui.domain.cost import activation_bytes
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.types import CellState, StatesType, TensorType
from tests.domain.designs import archetype, block, design, link


def test_states_travel_as_one_wire_in_keras_order() -> None:
    states = StatesType((CellState("LSTM", 128), CellState("LSTM", 64)))

    assert str(states) == "states[LSTM 128, LSTM 64]"
    assert [name for name, _ in states.tensors] == ["h_0", "c_0", "h_1", "c_1"]


def test_a_layer_stack_names_the_row_that_cannot_take_its_input() -> None:
    rows = [{"layer": "Dense"}, {"layer": "Dropout"}, {"layer": "Conv1D"}]
    known = infer(
        design([block("x", "vector", width=3), block("stack", "layer_stack", layers=rows)], ["x.output -> stack.inputs"])
    )
    (problem,) = known.blocks["stack"].problems
    assert problem.where == "stack.inputs"
    assert problem.text == "Row 3: Conv1D takes a sequence (None, steps, features) and got (None, 64)."


def test_gru_states_have_no_cell() -> None:
    assert [name for name, _ in StatesType((CellState("GRU", 8), CellState("GRU", 4))).tensors] == ["h_0", "h_1"]


def test_bidirectional_encoder_gives_states_of_double_width() -> None:
    known = infer(
        design(
            [
                block("x", "token_sequence", length=9, symbols=20),
                block("encoder", "recurrent_encoder", units=[32, 16], bidirectional=True),
            ],
            ["x.output -> encoder.inputs"],
        )
    )

    assert known.type_at(Port("encoder", "states")) == StatesType((CellState("LSTM", 64), CellState("LSTM", 32)))


def test_bidirectional_states_join_forward_and_backward_of_the_same_letter() -> None:
    known = infer(
        design(
            [
                block("x", "token_sequence", length=9, symbols=20),
                block("encoder", "recurrent_encoder", units=[32], bidirectional=True),
            ],
            ["x.output -> encoder.inputs"],
        )
    )
    submodel = known.blocks["encoder"].submodel
    assert submodel is not None
    recurrent, joint_h, joint_c = submodel.calls

    assert [tensor.variable for tensor in recurrent.outputs][1:] == [
        "forward_h_0",
        "forward_c_0",
        "backward_h_0",
        "backward_c_0",
    ]
    assert joint_h.inputs == ("forward_h_0", "backward_h_0")
    assert joint_c.inputs == ("forward_c_0", "backward_c_0")


def test_sequence_of_any_length_stays_open() -> None:
    known = infer(
        design(
            [
                block("x", "float_sequence", length=None, features=3),
                block("encoder", "recurrent_encoder", output=["sequence"]),
                block("half", "layer_stack", layers=[{"layer": "Pooling1D"}]),
            ],
            ["x.output -> encoder.inputs", "encoder.sequence -> half.inputs"],
        )
    )

    assert known.type_at(Port("half", "outputs")) == TensorType((None, 128))


def test_flatten_of_an_open_length_is_a_problem_at_the_block() -> None:
    known = infer(
        design(
            [block("x", "float_sequence", length=None, features=3), block("encoder", "conv_encoder")],
            ["x.output -> encoder.inputs"],
        )
    )
    (problem,) = known.blocks["encoder"].problems

    assert problem.code == "wrong_shape"
    assert "known length" in problem.text


def test_downstream_of_a_problem_is_unknown_not_wrong() -> None:
    broken = archetype(units=[128, 64])
    known = infer(broken)

    assert [problem.where for problem in known.blocks["model_2"].problems] == ["model_2.initial_states"]
    assert known.blocks["loss"].problems == ()
    assert known.type_at(Port("model_2", "outputs")) is None


@pytest.mark.parametrize("change", ["another width", "no states", "a vector instead"])
def test_a_decoder_whose_states_do_not_fit_still_counts_its_own_weights(change: str) -> None:
    whole = archetype()
    links = [str(each) for each in whole.links if "states" not in str(each)]
    blocks = list(whole.blocks)
    if change == "another width":
        blocks[2] = block("model_1", "dense_states", units=[128, 64])
        links.append("model_1.states -> model_2.initial_states")
    elif change == "a vector instead":
        links.append("latent.output -> model_2.initial_states")
    known = infer(design(blocks, links)).blocks["model_2"]

    assert (known.parameters, known.submodel, dict(known.outputs)) == (224_022, None, {})
    assert bool(known.problems) == (change != "no states")


def test_a_decoder_without_inputs_counts_nothing() -> None:
    whole = archetype()
    known = infer(design(list(whole.blocks), [str(each) for each in whole.links if "decoder_inputs" not in str(each)]))

    assert known.blocks["model_2"].parameters == 0


def test_clashing_layer_names_get_the_later_blocks_name_as_prefix() -> None:
    twice = archetype()
    twice = twice.with_block(block("third", "dense_states", units=[16])).linked(link("latent.output -> third.inputs"))
    known = infer(twice)
    first, third = known.blocks["model_1"].submodel, known.blocks["third"].submodel
    assert first is not None
    assert third is not None

    assert "Dense_h_0" in first.layer_names()
    assert "third_Dense_h_0" in third.layer_names()
    assert not set(first.layer_names()) & set(third.layer_names())


def test_frozen_block_has_no_trainable_parameters() -> None:
    frozen = archetype(trainable=False)
    known = infer(frozen)

    assert known.blocks["model_2"].trainable == 0
    assert known.parameters == 232_214


def test_variational_bottleneck_offers_mean_and_variance() -> None:
    known = infer(
        design([block("x", "vector", width=9), block("z", "bottleneck", units=4, variational=True)], ["x.output -> z.inputs"])
    )

    assert {name: str(type) for name, type in known.blocks["z"].outputs.items()} == {
        "code": "float32 (None, 4)",
        "mean": "float32 (None, 4)",
        "log_variance": "float32 (None, 4)",
    }


def test_split_states_are_single_ports() -> None:
    known = infer(
        design(
            [block("x", "vector", width=9), block("s", "dense_states", units=[4], split_states=True)], ["x.output -> s.inputs"]
        )
    )

    assert list(known.blocks["s"].outputs) == ["h_0", "c_0"]


def two_encoders(kind: str, first: dict[str, object], second: dict[str, object]) -> Design:
    return design(
        [
            block("x", "token_sequence", length=9, symbols=20),
            block("one", "recurrent_encoder", **first),
            block("two", "recurrent_encoder", **second),
            block("join", kind),
        ],
        ["x.output -> one.inputs", "x.output -> two.inputs", "one.states -> join.input_0", "two.states -> join.input_1"],
    )


def test_states_of_two_encoders_are_joined_layer_by_layer() -> None:
    known = infer(two_encoders("concatenate", {"units": [32, 8]}, {"units": [16, 4]}))
    submodel = known.blocks["join"].submodel
    assert submodel is not None

    assert str(known.type_at(Port("join", "output"))) == "states[LSTM 48, LSTM 12]"
    assert [call.layer.name for call in submodel.calls] == [
        "Concatenate_h_0",
        "Concatenate_c_0",
        "Concatenate_h_1",
        "Concatenate_c_1",
    ]
    assert submodel.calls[1].inputs == ("input_0_c_0", "input_1_c_0")


@pytest.mark.parametrize(
    ("kind", "second", "words"),
    [
        ("add", {"units": [32]}, "states of widths 16, 32 cannot be added"),
        ("concatenate", {"units": [16], "cell": "GRU"}, "got states[GRU 16] at input_1"),
        ("concatenate", {"units": [16, 16]}, "expected states of the same layers (LSTM) at every input"),
        ("add", {"units": [16], "output": ["code"]}, "got float32 (None, 16) at input_1"),
    ],
)
def test_states_that_do_not_fit_each_other_are_not_merged(kind: str, second: dict[str, object], words: str) -> None:
    wrong = two_encoders(kind, {"units": [16]}, second)
    if "output" in second:
        wrong = design(list(wrong.blocks), [str(each) for each in wrong.links[:-1]] + ["two.code -> join.input_1"])
    (problem,) = infer(wrong).blocks["join"].problems

    assert problem.where.startswith("join")
    assert words in problem.text


def test_states_have_one_axis_to_be_joined_along() -> None:
    twice = two_encoders("concatenate", {"units": [16]}, {"units": [16]})
    wrong = design([*twice.blocks[:-1], block("join", "concatenate", axis=-2)], [str(each) for each in twice.links])

    assert infer(wrong).blocks["join"].problems


def test_cycle_does_not_hang() -> None:
    looped = design([block("a", "layer_stack"), block("b", "layer_stack")], ["a.outputs -> b.inputs", "b.outputs -> a.inputs"])

    assert infer(looped).cyclic == {"a", "b"}


def test_memory_grows_with_the_batch() -> None:
    known = infer(archetype())

    assert activation_bytes(known, 512) > 4 * activation_bytes(known, 64) / 2 > 0


@pytest.mark.timing
def test_two_hundred_blocks_are_inferred_within_a_frame() -> None:
    chain: Design = design([block("x", "vector", width=8)], [])
    before = "x.output"
    for i in range(200):
        chain = chain.with_block(block(f"b{i}", "layer_stack")).linked(link(f"{before} -> b{i}.inputs"))
        before = f"b{i}.outputs"
    infer(chain)
    start = time.perf_counter()
    infer(chain)

    assert time.perf_counter() - start < 0.5  # 16 ms wanted, bounded for a noisy machine
