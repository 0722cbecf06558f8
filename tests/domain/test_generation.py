"""Whether a design can generate is known from its wires and its columns: a model that reads the truth never can."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.domain.bindings import Binding, DataSource
from seqdec_gui.domain.dataflow import inputs_in_step
from seqdec_gui.domain.design import Block, Design, Port
from seqdec_gui.domain.generation import OnePass, Stepwise, plan_for
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.validation import check
from tests.domain.designs import archetype, block, design

SOFTMAX = {"layer": "Dense", "units": 10, "activation": "softmax"}


def bound(wanted: Design, **columns: str) -> Design:
    bindings = tuple(Binding(port.replace("__", "."), column) for port, column in columns.items())
    return wanted.with_data(DataSource("rows.csv", bindings=bindings))


def chain(kind: str, given: str, made: str, **parameters: object) -> Design:
    """A sequence, one block, a loss."""
    return design(
        [block("text", "token_sequence", length=9, symbols=10), block("model", kind, **parameters), block("loss", "loss")],
        [f"text.output -> model.{given}", f"model.{made} -> loss.predictions"],
    )


def stacked(*rows: dict[str, object]) -> Design:
    return chain("layer_stack", "inputs", "outputs", layers=[*rows, SOFTMAX])


def imported(*further: Block) -> Design:
    """An imported language model, or with a further input block an imported decoder."""
    tensors = [{"name": "tokens", "shape": [9, 10]}, *({"name": other.id, "shape": [3]} for other in further)]
    wanted = chain(
        "keras_model", "tokens", "probabilities", file="lm.keras", model_inputs=tensors,
        model_outputs=[{"name": "probabilities", "shape": [9, 10]}],
    )  # fmt: skip
    for other in further:
        wanted = msgspec.structs.replace(wanted, blocks=(other, *wanted.blocks))
        links = design([], [f"{other.id}.output -> model.{other.id}"]).links
        wanted = msgspec.structs.replace(wanted, links=(*wanted.links, *links))
    return wanted


def codes(wanted: Design) -> list[str]:
    return [problem.code for problem in check(wanted).problems]


@pytest.mark.parametrize(
    "wanted",
    [
        stacked({"layer": "Recurrent", "units": 6}),
        stacked({"layer": "Conv1D", "padding": "causal"}),
        chain("recurrent_encoder", "inputs", "sequence", units=[10], output=["sequence"]),
        imported(),
        imported(block("latent", "vector", width=3)),
    ],
    ids=["layer stack", "convolutions", "encoder of all outputs", "imported model", "imported decoder"],
)
def test_a_model_that_reads_the_column_that_it_predicts_does_not_generate(wanted: Design) -> None:
    same = bound(wanted, text__output="word", loss__targets="word")
    with pytest.raises(InvalidInput, match="model cannot generate: text is bound to the same column") as caught:
        plan_for(same, infer(same))
    assert [problem.code for problem in caught.value.problems] == ["cannot_generate"]
    report = check(same)
    assert report.ok
    assert [problem.severity for problem in report.problems if problem.code == "cannot_generate"] == ["warning"]


def test_what_looks_like_a_language_model_is_pointed_out_until_its_columns_tell() -> None:
    for wanted in (imported(), imported(block("latent", "vector", width=3)), stacked({"layer": "Recurrent", "units": 6})):
        assert codes(wanted) == ["may_not_generate"]
        assert codes(bound(wanted, text__output="word", loss__targets="other")) == []


def test_an_imported_decoder_is_pointed_out_whatever_its_widths_are() -> None:
    wanted = imported(block("latent", "vector", width=3))
    blocks = tuple(block("loss", "loss") if each.id == "loss" else each for each in wanted.blocks)
    model = msgspec.structs.replace(
        wanted.block("model").parameters,
        model_outputs=(msgspec.structs.replace(wanted.block("model").parameters.model_outputs[0], shape=(9, 4)),),
    )
    narrow = msgspec.structs.replace(wanted, blocks=blocks).with_parameters("model", model)
    assert codes(narrow) == ["may_not_generate"]
    assert codes(imported().with_parameters("model", msgspec.structs.replace(model, model_inputs=model.model_inputs[:1]))) == []


def test_an_autoencoder_generates_from_the_column_that_it_predicts() -> None:
    wanted = design(
        [
            block("text", "token_sequence", length=9, symbols=10),
            block("encoder", "recurrent_encoder", units=[6], output=["code"]),
            block("decoder", "recurrent_decoder", mode="repeat_vector", units=[6], length=9, output_units=10),
            block("loss", "loss"),
        ],
        ["text.output -> encoder.inputs", "encoder.code -> decoder.code", "decoder.outputs -> loss.predictions"],
    )
    wanted = bound(wanted, text__output="word", loss__targets="word")
    assert plan_for(wanted, infer(wanted)) == OnePass("loss", Port("decoder", "outputs"), 10)
    assert codes(wanted) == []


def test_a_translation_by_layers_generates_in_one_pass() -> None:
    wanted = bound(stacked({"layer": "Recurrent", "units": 6}), text__output="roman", loss__targets="arabic")
    plan = plan_for(wanted, infer(wanted))
    assert isinstance(plan, OnePass)
    assert plan.in_step == ("text",)
    assert codes(wanted) == []


def test_a_filter_of_numbers_may_read_the_column_that_it_predicts() -> None:
    wanted = design(
        [
            block("series", "float_sequence", length=9, features=2),
            block("model", "layer_stack", layers=[{"layer": "GaussianNoise"}, {"layer": "Dense", "units": 2}]),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        ["series.output -> model.inputs", "model.outputs -> loss.predictions"],
    )
    wanted = bound(wanted, series__output="x", loss__targets="x")
    assert isinstance(plan_for(wanted, infer(wanted)), OnePass)
    assert codes(wanted) == []


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "binary_crossentropy"])
def test_a_classifier_is_not_warned(loss: str) -> None:
    activation = "softmax" if loss == "categorical_crossentropy" else "sigmoid"
    wanted = design(
        [
            block("text", "token_sequence", length=9, symbols=10),
            block("encoder", "recurrent_encoder", units=[6], output=["code"]),
            block("head", "layer_stack", layers=[{"layer": "Dense", "units": 3, "activation": activation}]),
            block("loss", "loss", loss=loss, metrics=[]),
        ],
        ["text.output -> encoder.inputs", "encoder.code -> head.inputs", "head.outputs -> loss.predictions"],
    )
    assert codes(wanted) == []


def test_widths_that_cannot_be_fed_back_are_a_warning_before_the_training() -> None:
    (warning,) = check(archetype()).problems
    assert (warning.severity, warning.code, warning.where) == ("warning", "cannot_generate", "model_2")
    assert "44" in warning.text
    assert "22" in warning.text
    assert codes(archetype(output_units=44)) == []
    assert isinstance(plan_for(archetype(output_units=44), infer(archetype(output_units=44))), Stepwise)


STEPS = st.sampled_from(
    [{"layer": "Dense", "units": 4}, {"layer": "Recurrent", "units": 4}, {"layer": "Conv1D"}, {"layer": "Dropout"},
     {"layer": "SwapAxes"}, {"layer": "Pad"}, {"layer": "UpSampling1D"}]
)  # fmt: skip
VECTORS = st.sampled_from(
    [{"layer": "Flatten"}, {"layer": "GlobalPooling1D"}, {"layer": "Recurrent", "return_sequences": False}]
)


@given(st.lists(STEPS, max_size=4), st.none() | VECTORS, st.lists(STEPS, max_size=3))
def test_steps_are_followed_until_a_vector_is_made_of_them(
    before: list[dict[str, object]], vector: dict[str, object] | None, after: list[dict[str, object]]
) -> None:
    middle = [] if vector is None else [vector, {"layer": "RepeatVector", "times": 7}]
    wanted = stacked(*before, *middle, *after)
    known = infer(wanted)
    assert inputs_in_step(wanted, known, Port("model", "outputs")) == (() if vector else ("text",))


def test_steps_that_only_stand_side_by_side_are_followed_across_blocks() -> None:
    def reaching(source: Block, before: list[dict[str, object]], after: list[dict[str, object]]) -> tuple[str, ...]:
        wanted = design(
            [source, block("flat", "layer_stack", layers=before), block("model", "layer_stack", layers=after)],
            ["text.output -> flat.inputs", "flat.outputs -> model.inputs"],
        )
        return inputs_in_step(wanted, infer(wanted), Port("model", "outputs"))

    text = block("text", "token_sequence", length=9, symbols=10)
    cut = [{"layer": "Reshape", "shape": [9, 10]}, {"layer": "Recurrent", "units": 4}]
    assert reaching(text, [{"layer": "Flatten"}, {"layer": "Dropout"}], cut) == ("text",)
    assert reaching(block("text", "vector", width=90), [{"layer": "Dropout"}], cut) == ("text",)
    assert reaching(text, [{"layer": "Flatten"}, {"layer": "Dense", "units": 90}], cut) == ()
    assert reaching(block("text", "vector", width=9), [{"layer": "Dropout"}], [{"layer": "RepeatVector", "times": 9}]) == ()
