"""A plain kind and a kind that generates, entered in the registry alone, go wherever the bundled kinds go.

The same two kinds in the window: tests/gui/test_new_kind_in_window.py; trained, exported and generated with:
tests/runner/test_new_kind_runs.py.
"""

from __future__ import annotations

import msgspec
import pytest

from seqdec_gui.domain import adapters, document
from seqdec_gui.domain.catalog import KINDS, describe
from seqdec_gui.domain.codegen import generate, generate_step
from seqdec_gui.domain.dataflow import data_ports, with_room
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.form_words import matters
from seqdec_gui.domain.generation import Stepwise, generation_problems, obstacle, plan_for
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.validation import check
from tests.domain.designs import link
from tests.domain.toy_kinds import TOYS, NormalisedDense, WindowDecoder, stack_of_toys


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in TOYS.items():
        monkeypatch.setitem(KINDS, name, kind)


def with_decoder(design: Design, **changes: object) -> Design:
    return design.with_parameters("decoder", msgspec.structs.replace(design.block("decoder").parameters, **changes))


def test_the_catalog_describes_them_with_layers_of_made_up_inputs() -> None:
    described = describe()
    assert described["toy_normalised_dense"]["layer_names"] == ["Toy_Inputs", "Toy_Dense", "Toy_Normalization"]
    assert described["toy_window_decoder"]["layer_names"][:2] == ["Toy_Symbols", "Toy_Code"]
    assert [field["name"] for field in described["toy_window_decoder"]["parameters"]] == [
        "window", "units", "symbols", "trainable"
    ]  # fmt: skip


def test_a_design_of_them_is_sound_and_its_file_opens_again() -> None:
    design = stack_of_toys()
    report = check(design)
    assert report.problems == ()
    dense, decoder = (3 + 1) * 6 + 2 * 6, (3 * 10 + 1) * 12 + 4 * 12 + (12 + 6 + 1) * 12 + (12 + 1) * 10
    assert report.inference.parameters == dense + decoder
    assert document.loads(document.dumps(design)) == design


def test_the_script_builds_them_and_freezes_the_one_that_is_frozen() -> None:
    assert 'layers.LayerNormalization(name="Toy_Normalization")' in generate(stack_of_toys())
    assert "decoder.trainable = False" not in generate(stack_of_toys())
    frozen = with_decoder(stack_of_toys(), trainable=False)
    assert "decoder.trainable = False" in generate(frozen)
    assert infer(frozen).trainable == infer(frozen).blocks["encoder"].parameters


def test_forms_hide_the_field_that_has_no_meaning() -> None:
    assert matters("block", "noise", NormalisedDense())
    assert not matters("block", "noise", NormalisedDense(normalised=False))
    assert all(matters("block", name, WindowDecoder()) for name in WindowDecoder.__struct_fields__)


def test_data_teaches_the_decoder_and_sizes_it_by_its_own_parameter() -> None:
    latent, fed, targets = data_ports(stack_of_toys())
    assert (fed.name, fed.taught, fed.generated) == ("decoder_inputs", "loss", True)
    assert not latent.generated
    assert (targets.classes, targets.width_at, targets.length_at) == (10, "decoder.symbols", "")
    wider = with_room(stack_of_toys(), targets, 14)
    assert wider is not None
    assert wider.block("decoder").parameters == WindowDecoder(symbols=14)


def test_it_generates_step_by_step_by_layers_with_the_names_of_the_trained_ones() -> None:
    design = stack_of_toys()
    assert plan_for(design, infer(design)) == Stepwise("loss", "decoder", "decoder_inputs", "one_hot", 10)
    text = generate_step(design, "decoder")
    assert "keras.Model([symbols, code, past], [outputs, code, next_past]" in text.replace("\n        ", " ")
    for name in ("Toy_Conv", "Toy_BN", "Toy_Hidden", "Toy_Outputs"):
        assert name in generate(design)
        assert name in text


def test_a_decoder_of_another_width_is_told_which_parameters_to_set_alike() -> None:
    (problem,) = generation_problems(other := with_decoder(stack_of_toys(), symbols=7), infer(other))
    assert problem.hint.startswith("Set decoder_inputs.symbols and decoder.symbols alike to generate, or give a file that says")
    assert "predicts 7" in obstacle(other)


def test_an_adapter_is_offered_for_a_wire_that_it_refuses() -> None:
    wire = link("decoder_inputs.output -> encoder.inputs")
    assert [adapter.title for adapter in adapters.propose(stack_of_toys(), wire)][:1] == ["Last output of an LSTM"]


def test_a_kind_that_feeds_back_is_one_that_has_a_step() -> None:
    """Whatever the parameters: `feeds_back` without a step would fail when the trained model is asked to generate."""
    for kind in (kind() for kind in KINDS.values()):
        for mode in ("teacher_forced", "repeat_vector", "free_running") if "mode" in kind.__struct_fields__ else ("",):
            one = msgspec.structs.replace(kind, mode=mode) if mode else kind
            step = one.step_submodel(one.example_inputs())
            assert (step is not None) == one.feeds_back, one
            if step is not None:
                assert one.inputs()[0].name == "inputs"
                before = [tensor.type for tensor in step.inputs[1:]]
                types = {tensor.variable: tensor.type for call in step.calls for tensor in call.outputs}
                types = {tensor.variable: tensor.type for tensor in step.inputs} | types
                (outputs, states) = step.outputs
                assert (outputs.port, states.port) == ("outputs", "states")
                assert [types[variable] for variable in states.variables] == before


def test_the_role_of_a_kind_and_what_it_gives_agree() -> None:
    for kind in (kind() for kind in KINDS.values()):
        assert (kind.judge is not None) == (kind.role == "loss"), kind
        if kind.role == "input":
            assert [port.name for port in kind.outputs()] == ["output"]
            assert kind.inputs() == ()
        if kind.role == "loss":
            assert [port.name for port in kind.inputs()] == ["predictions"]
        for name in (kind.width_parameter, kind.length_parameter, kind.masked_by):
            assert not name or name in kind.__struct_fields__, (kind, name)
