"""Encoder and decoder with attention: counts by hand, wires with reasons, masks, and how a script says what they are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_gui.domain import adapters, document
from seqdec_gui.domain.bindings import Binding, DataSource, TextCodec
from seqdec_gui.domain.block_offers import offers
from seqdec_gui.domain.codegen import generate, generate_step
from seqdec_gui.domain.cost import operations_per_row
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.generation import Stepwise, plan_for
from seqdec_gui.domain.kinds.transformer_decoder import TransformerDecoder
from seqdec_gui.domain.kinds.transformer_encoder import TransformerEncoder
from seqdec_gui.domain.link_judge import End
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.source import SINUSOID, SourceError, verified
from seqdec_gui.domain.types import MemoryType, TensorType
from seqdec_gui.domain.validation import check, verdict
from tests.domain.designs import block, design, link

SMALL: dict[str, Any] = {"layers": 1, "width": 8, "heads": 2, "feed_forward": 6}


def dense(inputs: int, units: int) -> int:
    return (inputs + 1) * units


def attention(query: int, value: int, inner: int) -> int:
    """Projections of queries, keys and values to all heads, and of all heads to the width of the queries."""
    return dense(query, inner) + 2 * dense(value, inner) + dense(inner, query)


def translator(encoder: dict[str, Any] | None = None, decoder: dict[str, Any] | None = None) -> Design:
    return design(
        [
            block("source", "token_sequence", length=7, symbols=11, encoding="ids"),
            block("target", "token_sequence", length=9, symbols=12, encoding="ids"),
            block("encoder", "transformer_encoder", **(SMALL | (encoder or {}))),
            block("decoder", "transformer_decoder", **(SMALL | {"output_units": 12} | (decoder or {}))),
            block("loss", "loss"),
        ],
        [
            "source.output -> encoder.inputs",
            "target.output -> decoder.inputs",
            "encoder.memory -> decoder.memory",
            "decoder.outputs -> loss.predictions",
        ],
    )


def parameters(kind: Any, types: dict[str, Any]) -> int:
    submodel = kind.submodel(types)
    assert submodel is not None
    assert submodel.parameters == submodel.trainable
    return int(submodel.parameters)


# -- counts
common = {
    "layers": st.integers(1, 5),
    "heads": st.integers(1, 5),
    "head_width": st.integers(1, 9),
    "width": st.integers(1, 40),
    "feed_forward": st.integers(1, 30),
    "normalization": st.sampled_from(["before", "after"]),
    "normalization_layer": st.sampled_from(["LayerNormalization", "RMSNormalization"]),
    "positions": st.sampled_from(["sinusoidal", "learned", "none"]),
    "mask_padding": st.booleans(),
    "scale_embedding": st.booleans(),
}
sources = st.one_of(
    st.builds(lambda steps, symbols: TensorType((steps,), "int32", symbols), st.integers(1, 20), st.integers(1, 50)),
    st.builds(lambda steps, features: TensorType((steps, features)), st.integers(1, 20), st.integers(1, 50)),
)


def by_hand(kind: Any, source: TensorType, memories: list[int], per_layer: int) -> int:
    """`per_layer` is how many normalisations a layer has, one for each of its parts."""
    norm = kind.width * (2 if kind.normalization_layer == "LayerNormalization" else 1)
    inner = kind.heads * kind.head_width
    layer = attention(kind.width, kind.width, inner) + sum(attention(kind.width, memory, inner) for memory in memories)
    layer += dense(kind.width, kind.feed_forward) + dense(kind.feed_forward, kind.width) + per_layer * norm
    embedding = source.symbols * kind.width if source.symbols else dense(source.shape[1] or 0, kind.width)
    places = (source.shape[0] or 0) * kind.width if kind.positions == "learned" else 0
    return embedding + places + kind.layers * layer + (norm if kind.normalization == "before" else 0)


@settings(max_examples=120, deadline=None)
@given(st.builds(TransformerEncoder, **common), sources)
def test_an_encoder_has_as_many_weights_as_by_hand(kind: TransformerEncoder, source: TensorType) -> None:
    assert parameters(kind, {"inputs": source}) == by_hand(kind, source, [], 2)


@settings(max_examples=120, deadline=None)
@given(
    st.builds(TransformerDecoder, prefix=st.booleans(), output_units=st.integers(1, 30), **common),
    sources,
    st.lists(
        st.one_of(
            st.builds(MemoryType, st.integers(1, 9), st.integers(1, 30), st.booleans()),
            st.builds(lambda steps, width: TensorType((steps, width)), st.integers(1, 9), st.integers(1, 30)),
            st.builds(lambda width: TensorType((width,)), st.integers(1, 30)),
        ),
        max_size=3,
    ),
)
def test_a_decoder_has_as_many_weights_as_by_hand_and_so_has_its_step(
    kind: TransformerDecoder, source: TensorType, memories: list[Any]
) -> None:
    kind = msgspec.structs.replace(kind, memories=len(memories))
    names = [port.name for port in kind.inputs() if port.name.startswith("memory")]
    types = {"inputs": source, "prefix": TensorType((4,))} | dict(zip(names, memories, strict=True))
    widths = [each.width if isinstance(each, MemoryType) else each.shape[-1] or 0 for each in memories]
    expected = by_hand(kind, source, widths, 2 + len(memories)) + dense(kind.width, kind.output_units)
    expected += dense(4, kind.width) if kind.prefix else 0
    assert parameters(kind, types) == expected
    step = kind.step_submodel(types)
    assert step is not None
    assert step.parameters == expected


VASWANI = {"layers": 6, "width": 512, "heads": 8, "feed_forward": 2048, "normalization": "after"}
SPANISH = {
    "layers": 1, "width": 256, "heads": 8, "head_width": 256, "feed_forward": 2048, "normalization": "after",
    "positions": "learned", "scale_embedding": False,
}  # fmt: skip


def test_transformer_base_has_its_published_layers() -> None:
    """Vaswani et al., 2017, table 3: 6 + 6 layers, width 512, 8 heads, 2048; 37,000 symbols, nothing tied."""
    encoder = dense(512, 512) * 4 + dense(512, 2048) + dense(2048, 512) + 2 * 1024
    decoder = 2 * dense(512, 512) * 4 + dense(512, 2048) + dense(2048, 512) + 3 * 1024
    assert (6 * encoder, 6 * decoder) == (18_914_304, 25_224_192)
    ids = TensorType((100,), "int32", 37_000)
    assert parameters(TransformerEncoder(**VASWANI), {"inputs": ids}) == 18_914_304 + 37_000 * 512
    counted = parameters(TransformerDecoder(**VASWANI, output_units=37_000), {"inputs": ids, "memory": MemoryType(100, 512)})
    assert counted == 25_224_192 + 37_000 * 512 + 513 * 37_000


def test_transformer_base_shares_one_table_for_symbols_in_and_out() -> None:
    """As in Vaswani et al., 2017, section 3.4; the table of the encoder is its own, and the output has no bias."""
    ids = TensorType((100,), "int32", 37_000)
    types = {"inputs": ids, "memory": MemoryType(100, 512)}
    tied = TransformerDecoder(**VASWANI, output_units=37_000, tie_embeddings=True)
    assert parameters(tied, types) == 25_224_192 + 37_000 * 512 == 44_168_192
    both = parameters(TransformerEncoder(**VASWANI), {"inputs": ids}) + parameters(tied, types)
    assert both == 82_026_496 == 63_082_496 + 37_000 * 512  # with one table for all three: the 65 million of table 3
    step = tied.step_submodel(types)
    assert step is not None
    assert step.parameters == 44_168_192


def test_the_english_to_spanish_example_of_keras_has_its_published_count() -> None:
    """keras.io, "English-to-Spanish translation with a sequence-to-sequence Transformer": 19,960,216 with 15,000 words."""
    ids = TensorType((20,), "int32", 15_000)
    encoder = parameters(TransformerEncoder(**SPANISH), {"inputs": ids})
    decoder = parameters(TransformerDecoder(**SPANISH, output_units=15_000), {"inputs": ids, "memory": MemoryType(20, 256)})
    assert encoder == 3_845_120 + 3_155_456
    assert encoder + decoder == 19_960_216


def test_gpt_2_small_has_its_published_count() -> None:
    """Radford et al., 2019, as Hugging Face counts "gpt2": 124,439,808 in 12 layers, the table tied, positions learned."""
    kind = TransformerDecoder(
        memories=0, layers=12, width=768, heads=12, feed_forward=3072, activation="gelu", positions="learned",
        scale_embedding=False, output_units=50_257, tie_embeddings=True,
    )  # fmt: skip
    assert parameters(kind, {"inputs": TensorType((1024,), "int32", 50_257)}) == 124_439_808


def test_the_text_classifier_with_a_transformer_block_of_keras_has_its_published_count() -> None:
    """keras.io, "Text classification with Transformer", without its two dense layers after the mean: 656,128 by hand.

    Its block: 20,000 words and 200 positions of width 32, 2 heads of width 32, a feed-forward part of 32.
    """
    kind = TransformerEncoder(
        layers=1, width=32, heads=2, head_width=32, feed_forward=32, normalization="after", positions="learned",
        scale_embedding=False, mask_padding=False, output=("code",),
    )  # fmt: skip
    embedding, block = 20_000 * 32 + 200 * 32, attention(32, 32, 64) + 2 * dense(32, 32) + 4 * 32
    assert (embedding, block) == (646_400, 10_656)
    assert parameters(kind, {"inputs": TensorType((200,), "int32", 20_000)}) == embedding + block


# -- tied embeddings
@pytest.mark.parametrize(
    ("encoding", "units", "text", "hint"),
    [
        ("one_hot", 12, "tied embeddings need token ids", "encoding = ids"),
        ("ids", 13, "got 12 symbols and output_units = 13", "Make output_units 12"),
    ],
)
def test_an_embedding_that_cannot_predict_is_not_tied(encoding: str, units: int, text: str, hint: str) -> None:
    made = translator(decoder={"tie_embeddings": True, "output_units": units})
    source = msgspec.structs.replace(made.block("target").parameters, encoding=encoding)
    problems = check(made.with_parameters("target", source)).problems
    (problem,) = [problem for problem in problems if text in problem.text]
    assert (problem.severity, problem.where) == ("error", "decoder.inputs")
    assert hint in problem.hint


def test_a_tied_embedding_is_one_layer_that_is_called_twice() -> None:
    made = translator(decoder={"tie_embeddings": True})
    assert [problem.code for problem in check(made).problems] == ["layer_not_in_keras2"]
    assert document.loads(document.dumps(made)) == made
    text = generate(made)
    assert text.count("layers.ReversibleEmbedding(12, 8, ") == 1
    assert "outputs = decoder_embedding(x, reverse=True)" in text
    assert "Dense_Decoder" not in text
    free, tied = (operations_per_row(infer(each)) for each in (translator(), made))
    assert tied == free - 3 * 2 * 9 * 12  # the products of the output are as many; the bias counted as one more


# -- designs
def test_a_translator_is_sound_saved_and_generates_step_by_step() -> None:
    made = translator()
    report = check(made)
    assert report.problems == ()
    assert report.inference.blocks["encoder"].outputs == {"memory": MemoryType(7, 8, padded=True)}
    assert document.loads(document.dumps(made)) == made
    assert plan_for(made, report.inference) == Stepwise("loss", "decoder", "target", "ids", 12)
    source, target, targets = data_ports(made)
    assert (source.masked_by, target.masked_by) == ("encoder.mask_padding", "")
    assert (target.taught, target.generated, targets.width_at) == ("loss", True, "decoder.output_units")


def test_a_script_has_the_table_of_sines_once_and_only_where_it_is_used() -> None:
    for text in (generate(translator()), generate_step(translator(), "decoder")):
        assert text.count(SINUSOID) == text.count("import math") == 1
        assert "offset=sinusoid(9, 8)" in text
    learned = {"positions": "learned"}
    assert "sinusoid" not in generate(translator(learned, learned))
    assert "attention_mask=memory_keys" in generate(translator())
    assert "attention_mask" not in generate(translator({"mask_padding": False}))


def test_a_block_may_have_the_name_of_what_the_script_uses_for_tables() -> None:
    renamed = translator().renamed("encoder", "sinusoid").renamed("source", "math")
    assert "sinusoid_memory = sinusoid(math)" in generate(renamed)


@pytest.mark.parametrize(
    "change", [("steps)", "steps + 1)"), ("return [", "open('x', 'w')\n    return ["), ("steps, width", "*a")]
)
def test_another_function_of_this_name_is_no_script_of_the_program(change: tuple[str, str]) -> None:
    text = generate(translator())
    with pytest.raises(SourceError):
        verified(text.replace(SINUSOID, SINUSOID.replace(*change)), frozenset({"Dense"}))


def test_the_table_that_a_script_computes_is_that_of_the_paper() -> None:
    import math

    space: dict[str, Any] = {"math": math}
    exec(SINUSOID, space)
    table = space["sinusoid"](5, 6)
    for place, row in enumerate(table):
        for i in range(3):
            angle = place / 10000 ** (2 * i / 6)
            assert row[2 * i : 2 * i + 2] == pytest.approx([math.sin(angle), math.cos(angle)])


# -- what does not fit
REFUSED = {
    "positions without a length": (
        {"source": block("source", "token_sequence", length=None, symbols=11, encoding="ids")},
        "encoder.inputs", "Positions need a known length",
    ),
    "a decoder without a length": (
        {"target": block("target", "token_sequence", length=None, symbols=12, encoding="ids")},
        "decoder.inputs", "needs a known length",
    ),
    "heads that do not divide": (
        {"encoder": block("encoder", "transformer_encoder", width=10, heads=4)}, "encoder.heads", "4 heads do not divide",
    ),
    "an output twice": (
        {"encoder": block("encoder", "transformer_encoder", output=["memory", "memory"])}, "encoder.output", "named once",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_with_a_place_and_a_reason(name: str) -> None:
    changes, where, text = REFUSED[name]
    made = translator()
    blocks = tuple(changes.get(each.id, each) for each in made.blocks)
    errors = [
        problem for problem in check(msgspec.structs.replace(made, blocks=blocks)).problems if problem.severity == "error"
    ]
    assert [(error.where, text.lower() in error.text.lower()) for error in errors] == [(where, True)]


def test_an_encoder_without_positions_takes_sequences_of_any_length() -> None:
    kind = TransformerEncoder(**SMALL, positions="none", output=("memory", "code"))
    submodel = kind.submodel({"inputs": TensorType((None,), "int32", 5)})
    assert kind.output_types({"inputs": TensorType((None,), "int32", 5)}, submodel) == {
        "memory": MemoryType(None, 8, padded=True),
        "code": TensorType((8,)),
    }


def test_padding_on_the_left_is_warned_of_unless_it_is_masked() -> None:
    data = DataSource("rows.csv", bindings=(Binding("target.output", "text", TextCodec(padding="left")),))
    for masked, codes in ((False, ["padding_attended"]), (True, [])):
        made = translator(decoder={"mask_padding": masked}).with_data(data)
        assert [problem.code for problem in check(made).problems if problem.code == "padding_attended"] == codes


def test_what_keras_2_cannot_carry_is_said_before_the_training() -> None:
    rms = {"normalization_layer": "RMSNormalization"}
    for encoder, decoder, blocks in ((rms, {}, ["encoder"]), ({}, {"mask_padding": True}, ["decoder"]), ({}, {}, [])):
        problems = check(translator(encoder, decoder)).problems
        assert [problem.where for problem in problems if problem.code == "layer_not_in_keras2"] == blocks


# -- wires
def test_a_memory_goes_to_decoders_and_layer_stacks_with_the_reason_and_what_to_take() -> None:
    others = [
        block("states", "dense_states"), block("code", "bottleneck"), block("sum", "add"),
        block("reader", "recurrent_encoder"), block("convolution", "conv_encoder"), block("again", "transformer_encoder"),
    ]  # fmt: skip
    made = translator()
    for other in others:
        grown = made.with_block(other)
        port = other.parameters.inputs()[0].name
        said = verdict(grown, link(f"encoder.memory -> {other.id}.{port}"), infer(grown))
        assert not said.ok, other.id
        assert "only a decoder attends to a memory" in said.reason.lower() or said.reason.startswith("Only a decoder")
        assert "add it to its output" in said.reason


def test_a_decoder_attends_to_sequences_and_vectors_too_and_offers_embeddings_for_ids() -> None:
    grown = translator().with_block(block("numbers", "float_sequence", length=4, features=3)).with_block(block("v", "vector"))
    grown = grown.with_block(block("other", "transformer_decoder"))
    known = infer(grown)
    for source in ("numbers", "v"):
        assert verdict(grown, link(f"{source}.output -> other.memory"), known).ok
    wire = link("source.output -> other.memory")
    said = verdict(grown, wire, known)
    assert (said.ok, "need an encoder or an embedding" in said.reason) == (False, True)
    assert [adapter.title for adapter in adapters.propose(grown, wire, known)][:1] == ["Embed 11 symbols as vectors of 64"]


def test_states_reach_a_decoder_through_a_code_and_a_sequence_reaches_a_prefix_through_pooling() -> None:
    grown = translator().with_block(block("reader", "recurrent_encoder", embedding=4))
    grown = grown.with_block(block("other", "transformer_decoder", prefix=True)).linked(link("source.output -> reader.inputs"))
    titles = [adapter.title for adapter in adapters.propose(grown, link("reader.states -> other.memory"))]
    assert titles[0].startswith("Join the states to a code")
    grown = grown.with_block(block("numbers", "float_sequence", length=4, features=3))
    titles = [adapter.title for adapter in adapters.propose(grown, link("numbers.output -> other.prefix"))]
    assert "Mean over the steps" in titles


def test_a_wire_from_a_memory_leads_to_a_decoder() -> None:
    made = translator()
    found = offers(made, infer(made), End(Port("encoder", "memory"), True))
    assert [(offer.title, offer.port) for offer in found] == [("Transformer decoder", "memory"), ("Layer stack", "inputs")]


def test_more_memories_keep_the_wire_of_the_first() -> None:
    more = translator(decoder={"memories": 3})
    assert [port.name for port in TransformerDecoder(memories=3).inputs()] == ["inputs", "memory", "memory_2", "memory_3"]
    problems = check(more).problems
    assert [problem.where for problem in problems if problem.code == "open_input"] == ["decoder.memory_2", "decoder.memory_3"]


# -- rows of a stack
def test_a_residual_adds_what_entered_the_rows_above() -> None:
    rows = [
        {"layer": "LayerNormalization"}, {"layer": "MultiHeadAttention", "heads": 2, "head_width": 3, "causal": True},
        {"layer": "Residual", "rows": 2}, {"layer": "Dense", "units": 4}, {"layer": "Residual"},
    ]  # fmt: skip
    made = design(
        [
            block("numbers", "float_sequence", length=5, features=4),
            block("stack", "layer_stack", layers=rows),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        ["numbers.output -> stack.inputs", "stack.outputs -> loss.predictions"],
    )
    text = generate(made)
    assert 'layers.MultiHeadAttention(2, 3, name="MultiHeadAttention_0")(x, x, use_causal_mask=True)' in text
    assert 'x_3 = layers.Add(name="Residual_0")([x, stack_inputs])' in text
    assert 'x = layers.Add(name="Residual_1")([x, x_3])' in text
    assert infer(made).parameters == 8 + attention(4, 4, 6) + dense(4, 4)


def test_a_residual_that_reaches_above_the_first_row_is_refused() -> None:
    rows = [{"layer": "Activation"}, {"layer": "Residual", "rows": 2}]
    made = design([block("v", "vector"), block("stack", "layer_stack", layers=rows)], ["v.output -> stack.inputs"])
    (problem,) = infer(made).blocks["stack"].problems
    assert (problem.where, "set rows to at most 1" in problem.text) == ("stack.layers", True)


def test_a_residual_over_a_change_of_width_is_refused_with_its_row() -> None:
    rows = [{"layer": "Dense", "units": 3}, {"layer": "Residual"}]
    made = design([block("v", "vector"), block("stack", "layer_stack", layers=rows)], ["v.output -> stack.inputs"])
    (problem,) = infer(made).blocks["stack"].problems
    assert problem.text.startswith("Row 2: Add takes tensors of one shape")
