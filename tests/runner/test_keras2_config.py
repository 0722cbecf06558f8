"""Configurations of Keras 2 become those of Keras 3 by rewriting alone: no Keras, no file, nothing run."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.keras2.layers import migrated
from seqdec_gui.runner.keras2.models import migrate

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "keras2"


def stack() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "stack.json").read_text()))


def layer_of(config: Any, name: str) -> dict[str, Any]:
    rows = {row["config"]["name"]: row for row in config["config"]["layers"]}
    return dict(rows[name])


def test_no_keras_is_needed_to_rewrite() -> None:
    code = (
        "import json, sys; from seqdec_gui.runner.keras2.models import migrate; "
        f"migrate(json.load(open({str(FOLDER / 'stack.json')!r}))); "
        "assert not {'keras', 'tensorflow', 'jax', 'tf_keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_configuration_that_is_given_stays_as_it_is() -> None:
    given = stack()
    before = copy.deepcopy(given)
    migrate(given)
    assert given == before


def test_states_become_the_argument_initial_state() -> None:
    decoder = layer_of(migrate(stack()).config, "decoder")
    (call,) = layer_of(decoder, "lstm")["inbound_nodes"]
    assert [tensor["config"]["keras_history"] for tensor in call["args"]] == [["x", 0, 0]]
    assert [tensor["config"]["keras_history"] for tensor in call["kwargs"]["initial_state"]] == [["h0", 0, 0], ["c0", 0, 0]]
    assert "time_major" not in layer_of(decoder, "lstm")["config"]


def test_calls_of_nested_models_are_counted_as_keras_3_counts_them() -> None:
    config = migrate(stack()).config
    (call,) = layer_of(config, "decoder")["inbound_nodes"]
    assert [tensor["config"]["keras_history"] for tensor in call["args"][0]] == [
        ["b", 0, 0],
        ["encoder", 0, 0],
        ["encoder", 0, 1],
    ]
    assert config["config"]["output_layers"] == ["decoder", 1, 0]


@pytest.mark.parametrize(
    ("class_name", "config", "expected"),
    [
        ("CuDNNGRU", {"units": 3}, {"reset_after": True, "recurrent_activation": "sigmoid", "activation": "tanh"}),
        ("CuDNNLSTM", {"units": 3, "stateful": False}, {"recurrent_activation": "sigmoid", "activation": "tanh"}),
        ("GRU", {"units": 3}, {"reset_after": False, "recurrent_activation": "hard_sigmoid"}),
        ("GRU", {"units": 3, "reset_after": True, "recurrent_activation": "sigmoid"}, {"reset_after": True}),
        ("LeakyReLU", {"alpha": 0.2}, {"negative_slope": 0.2}),
        ("BatchNormalization", {"axis": [2], "momentum": 0.9}, {"axis": 2, "momentum": 0.9}),
    ],
)
def test_layers_keep_their_meaning(class_name: str, config: dict[str, Any], expected: dict[str, Any]) -> None:
    made = migrated(class_name, {"name": "a", **config}).config
    assert made | expected == made


@pytest.mark.parametrize(
    ("class_name", "config", "why"),
    [
        ("Lambda", {"function": ["4wEAAAA", None, None]}, "would run code"),
        ("LSTM", {"units": 3, "time_major": True}, "time_major=True"),
        ("LSTM", {"units": 3, "activation": "hard_sigmoid"}, "slope"),
        ("BatchNormalization", {"axis": 1, "renorm": True}, "batch renormalization"),
        ("Dense", {"units": 3, "activation": "my_function"}, "'my_function', a function that is not"),
        ("Dense", {"units": 3, "activation": {"value": ["4wEAAA", None, None]}}, "'<lambda>'"),
        ("Dense", {"units": 3, "activation": {"class_name": "__lambda__", "config": {"value": "4w"}}}, "'__lambda__'"),
        ("Dense", {"units": 3, "rank": 2}, "rank=2, which Keras 3 does not have"),
        ("AttentionWithContext", {"bias": True}, "is a AttentionWithContext"),
        ("InputLayer", {"ragged": True}, "ragged"),
    ],
)
def test_what_keras_3_cannot_say_is_refused_by_the_layers_name(class_name: str, config: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        migrated(class_name, {"name": "this_one", **config})
    (problem,) = caught.value.problems
    assert "this_one" in problem.text
    assert problem.hint


def test_names_with_slashes_become_names_that_keras_3_allows() -> None:
    rows = [
        {
            "class_name": "InputLayer",
            "name": "a/in",
            "config": {"name": "a/in", "batch_input_shape": [None, 3]},
            "inbound_nodes": [],
        },
        {"class_name": "Dense", "name": "a/b", "config": {"name": "a/b", "units": 2}, "inbound_nodes": [[["a/in", 0, 0, {}]]]},
        {"class_name": "Dense", "name": "a_b", "config": {"name": "a_b", "units": 2}, "inbound_nodes": [[["a/b", 0, 0, {}]]]},
    ]
    ends = {"input_layers": [["a/in", 0, 0]], "output_layers": [["a_b", 0, 0]]}
    config = migrate({"class_name": "Model", "config": {"name": "m", "layers": rows, **ends}}).config["config"]
    assert [row["name"] for row in config["layers"]] == ["a_in", "a_b", "a_b_2"]
    assert config["output_layers"] == ["a_b_2", 0, 0]
