"""A layer class is one row of the registry: shapes, script, cost and masks follow from it."""

from __future__ import annotations

from typing import ClassVar

import pytest

from seqdec_gui.domain import codegen
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.cost import activation_bytes, operations_per_row
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.graph import Submodel, SubmodelBuilder
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.layers.layer import Applied, Layer, Types, layer
from seqdec_gui.domain.layers.specs import LAYERS, LayerSpec
from seqdec_gui.domain.shapes import infer

FEATURES, STEPS, HEADS, KEY = 8, 12, 2, 4


def attention_shapes(layer: Layer, inputs: Types) -> Applied:
    """As `keras.layers.MultiHeadAttention`: four projections with biases; the output is as wide as the query."""
    query, value = inputs
    width, source = query.shape[-1] or 0, value.shape[-1] or 0
    inner = layer.integer("num_heads") * layer.integer("key_dim")
    count = (width + 1) * inner + 2 * (source + 1) * inner + (inner + 1) * width
    return Applied((query,), count, count)


class SelfAttention(base.Kind, frozen=True, tag="toy_attention"):
    title: ClassVar[str] = "Toy attention"
    summary: ClassVar[str] = "A sequence that attends to itself."
    category: ClassVar[base.Category] = "Encoders"

    def inputs(self) -> tuple[base.InPort, ...]:
        return (base.InPort("inputs", "a sequence (None, steps, features)"),)

    def outputs(self) -> tuple[base.OutPort, ...]:
        return (base.OutPort("outputs", "a sequence"),)

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        builder = SubmodelBuilder("Attention of a sequence to its own past.")
        sequence = base.fail_unless_tensor("inputs", input_types["inputs"], "a sequence (None, steps, features)", 2)
        x = builder.input("tokens", "Toy_Inputs", sequence)
        attention = layer("MultiHeadAttention", "Toy_Attention", num_heads=HEADS, key_dim=KEY)
        return builder.build(outputs=builder.call("y", attention, x, x, use_causal_mask=True))


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Design:
    row = LayerSpec(rule=attention_shapes, positional=("num_heads", "key_dim"), separate_inputs=True, kept_floats=4)
    monkeypatch.setitem(LAYERS, "MultiHeadAttention", row)
    monkeypatch.setitem(KINDS, "toy_attention", SelfAttention)
    blocks = (
        Block("source", KINDS["float_sequence"](length=STEPS, features=FEATURES)),  # type: ignore[call-arg]
        Block("attend", SelfAttention()),
        Block("loss", KINDS["loss"](loss="mean_squared_error", metrics=())),  # type: ignore[call-arg]
    )
    ends = (("source.output", "attend.inputs"), ("attend.outputs", "loss.predictions"))
    return Design(blocks=blocks, links=tuple(Link(Port.parse(one), Port.parse(other)) for one, other in ends))


def test_a_layer_added_by_a_row_is_written_with_its_inputs_and_options(stack: Design) -> None:
    call = 'layers.MultiHeadAttention(2, 4, name="Toy_Attention")(tokens, tokens, use_causal_mask=True)'
    assert f"    y = {call}" in codegen.generate(stack).splitlines()


def test_shapes_weights_work_and_memory_follow_from_the_row(stack: Design) -> None:
    inference = infer(stack)
    weights = 3 * (FEATURES + 1) * HEADS * KEY + (HEADS * KEY + 1) * FEATURES
    assert inference.parameters == weights
    assert operations_per_row(inference) == 3 * 2 * weights * STEPS
    assert activation_bytes(inference, 5) == 4 * (4 * weights + 5 * 4 * STEPS * FEATURES)


@pytest.mark.parametrize(("name", "argument", "gives"), [
    ("Masking", None, True), ("Embedding", None, False), ("Embedding", "mask_zero", True), ("Dense", None, False),
])  # fmt: skip
def test_a_mask_is_made_where_the_row_says_so(name: str, argument: str | None, gives: bool) -> None:
    made = layer(name, "it", **({argument: True} if argument else {}))
    assert LAYERS[name].gives_mask(made) is gives


@pytest.mark.slow
def test_the_toy_row_agrees_with_keras(stack: Design) -> None:
    import keras

    space: dict[str, object] = {}
    exec(compile(codegen.generate(stack), "model.py", "exec"), space)
    models = space["build"]()  # type: ignore[operator]
    assert models["attend"].count_params() == infer(stack).parameters
    assert models["full"].output_shape == (None, STEPS, FEATURES)
    assert isinstance(models["attend"], keras.Model)
