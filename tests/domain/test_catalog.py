"""The catalog describes every parameter of every kind, from the types themselves."""

from __future__ import annotations

import json

import msgspec
import pytest

from seqdec_gui.domain.catalog import KINDS, describe, fields
from seqdec_gui.domain.graph import Submodel, SubmodelBuilder
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.training import Training

EXPECTED = {
    "vector", "float_sequence", "token_sequence", "dense_states", "recurrent_encoder", "conv_encoder", "bottleneck",
    "recurrent_decoder", "layer_stack", "concatenate", "add", "keras_model", "loss", "transformer_encoder",
    "transformer_decoder",
}  # fmt: skip


def test_all_kinds_are_there() -> None:
    assert set(KINDS) == EXPECTED


@pytest.mark.parametrize("kind", sorted(EXPECTED))
def test_every_parameter_has_help_and_a_default(kind: str) -> None:
    for field in fields(KINDS[kind]):
        assert field.help, f"{kind}.{field.name}"
        assert field.default is not None or field.optional, f"{kind}.{field.name}"


@pytest.mark.parametrize("kind", sorted(EXPECTED))
def test_every_kind_has_title_summary_and_ports(kind: str) -> None:
    default = KINDS[kind]()

    assert default.title
    assert default.summary
    assert default.inputs() or default.outputs() or kind == "keras_model"


@pytest.mark.parametrize("kind", sorted(EXPECTED))
def test_every_kind_accepts_its_example_inputs_with_any_hyperparameters(kind: str) -> None:
    default = KINDS[kind]()
    settings = [{}]
    for field in fields(type(default)):
        settings += [{field.name: choice} for choice in field.choices if field.type == "choice"]
        settings += [{field.name: True}] if field.type == "boolean" else []
    for setting in settings:
        changed = msgspec.structs.replace(default, **setting)
        given = changed.example_inputs()

        assert set(given) <= {port.name for port in changed.inputs()}
        if {port.name for port in changed.inputs() if not port.optional} <= set(given):
            changed.submodel(given)
        else:
            pytest.fail(f"{kind} with {setting} has no example for its inputs")


def test_a_new_kind_of_any_input_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    class Probe(base.Kind, frozen=True, tag="probe_kind"):
        def inputs(self) -> tuple[base.InPort, ...]:
            return (base.InPort("input", "a vector (None, n)"),)

        def outputs(self) -> tuple[base.OutPort, ...]:
            return (base.OutPort("outputs", "a vector"),)

        def submodel(self, input_types: base.InputTypes) -> Submodel:
            builder = SubmodelBuilder("")
            vector = base.fail_unless_tensor("input", input_types["input"], "a vector (None, n)", 1)
            x = builder.input("x", "Probe_Input", vector)
            return builder.build(outputs=builder.call("y", base.dense("Probe_Dense", 4, "linear"), x))

    monkeypatch.setitem(KINDS, "probe_kind", Probe)
    assert describe()["probe_kind"]["layer_names"] == ["Probe_Input", "Probe_Dense"]


def test_description_is_plain_json() -> None:
    plain = json.loads(json.dumps(describe()))
    units = next(p for p in plain["recurrent_decoder"]["parameters"] if p["name"] == "units")

    assert units == {
        "name": "units", "type": "integers", "default": [128, 128], "help": "Width of each layer.", "range": "1 to 65,536",
        "minimum": 1, "maximum": 65536, "min_items": 1, "max_items": 64,
    }  # fmt: skip
    assert "Decoder_LSTM_0" in plain["recurrent_decoder"]["layer_names"]
    assert plain["layer_stack"]["parameters"][0]["rows"]["Dense"][0]["name"] == "units"


def test_open_bounds_are_told() -> None:
    by_name = {field.name: field for field in fields(Training)}

    assert by_name["learning_rate"].open_minimum
    assert by_name["learning_rate"].range_text() == "above 0, at most 100"
    assert by_name["epochs"].range_text() == "1 to 1,000,000"
