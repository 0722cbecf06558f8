"""Parameter counts that were published or follow from a published model's definition."""

from __future__ import annotations

import pytest

from seqdec_gui.domain.design import Block
from seqdec_gui.domain.shapes import infer
from tests.domain.designs import archetype, block, design


def lstm(inputs: int, units: int) -> int:
    """Kernel, recurrent kernel and bias of four gates."""
    return 4 * units * (inputs + units + 1)


def gru(inputs: int, units: int, reset_after: bool = True) -> int:
    """Three gates; with `reset_after` there are two biases."""
    return 3 * units * (inputs + units + (2 if reset_after else 1))


def dense(inputs: int, units: int) -> int:
    return (inputs + 1) * units


SOURCE, TARGET = (
    block("source", "token_sequence", length=10, symbols=11),
    block("target", "token_sequence", length=10, symbols=13),
)
SOURCE_IDS = block("source", "token_sequence", length=10, symbols=11, encoding="ids")
TARGET_IDS = block("target", "token_sequence", length=10, symbols=13, encoding="ids")
PLAIN = {"batch_normalization": False}
READ, FED = "source.output -> encoder.inputs", "target.output -> decoder.inputs"
BY_HAND: dict[str, tuple[list[Block], list[str], int]] = {
    "bidirectional GRUs with masked embeddings": (
        [
            SOURCE_IDS,
            TARGET_IDS,
            block("encoder", "recurrent_encoder", cell="GRU", units=[16, 12], bidirectional=True, embedding=8,
                  mask_padding=True),
            block("decoder", "recurrent_decoder", cell="GRU", units=[32, 24], embedding=8, mask_padding=True,
                  output_units=13, **PLAIN),
        ],
        [READ, FED, "encoder.states -> decoder.initial_states"],
        11 * 8 + 2 * gru(8, 16) + 2 * gru(32, 12) + 13 * 8 + gru(8, 32) + gru(32, 24) + dense(24, 13),
    ),
    "convolutions": (
        [
            SOURCE,
            TARGET,
            block("encoder", "conv_encoder", filters=[16, 24], kernel_sizes=[3], dense_units=[20]),
            block("states", "dense_states", units=[32, 16]),
            block("decoder", "recurrent_decoder", units=[32, 16], output_units=13),
        ],
        [READ, FED, "encoder.code -> states.inputs", "states.states -> decoder.initial_states"],
        (3 * 11 + 1) * 16 + (3 * 16 + 1) * 24 + dense(10 * 24, 20)
        + sum(2 * (dense(20, units) + 4 * units) for units in (32, 16))
        + lstm(13, 32) + lstm(32, 16) + 4 * (32 + 16) + dense(16, 13),
    ),
    "a variational autoencoder of text": (
        [
            SOURCE,
            TARGET,
            block("encoder", "recurrent_encoder", cell="GRU", units=[32], output=["code"]),
            block("code", "bottleneck", units=8, variational=True),
            block("states", "dense_states", cell="GRU", units=[32], **PLAIN),
            block("decoder", "recurrent_decoder", cell="GRU", units=[32], output_units=13, **PLAIN),
        ],
        [READ, FED, "encoder.code -> code.inputs", "code.code -> states.inputs", "states.states -> decoder.initial_states"],
        gru(11, 32) + 2 * dense(32, 8) + dense(8, 32) + gru(13, 32) + dense(32, 13),
    ),
    "a repeated code": (
        [
            block("source", "float_sequence", length=20, features=2),
            block("encoder", "recurrent_encoder", units=[24], output=["code"]),
            block("decoder", "recurrent_decoder", mode="repeat_vector", units=[24], length=20, output_units=2, **PLAIN),
        ],
        [READ, "encoder.code -> decoder.code"],
        lstm(2, 24) + lstm(24, 24) + dense(24, 2),
    ),
    "a language model": (
        [TARGET_IDS, block("decoder", "recurrent_decoder", mode="free_running", cell="GRU", units=[32, 32], embedding=16,
                           output_units=13, **PLAIN)],
        [FED],
        13 * 16 + gru(16, 32) + gru(32, 32) + dense(32, 13),
    ),
    "another width in each layer, squeezed, reset before": (
        [
            block("source", "vector", width=7),
            TARGET_IDS,
            block("encoder", "dense_states", cell="GRU", units=[40, 24, 16], trunk=[20]),
            block("decoder", "recurrent_decoder", cell="GRU", units=[40, 24, 16], reset_after=False, embedding=10,
                  squeeze_units=12, output_units=13),
        ],
        [READ, FED, "encoder.states -> decoder.initial_states"],
        dense(7, 20) + sum(dense(20, units) + 4 * units for units in (40, 24, 16)) + 13 * 10
        + sum(gru(inputs, units, False) + 4 * units + dense(units, 12) for inputs, units in ((10, 40), (12, 24), (12, 16)))
        + dense(12, 13),
    ),
    "dropout in all places, a head, and a code of normalised states": (
        [
            SOURCE,
            TARGET,
            block("encoder", "recurrent_encoder", units=[16, 8], dropout_per_layer=[0.1, 0.2]),
            block("code", "bottleneck", units=6, input_batch_normalization=True, batch_normalization=True),
            block("middle", "layer_stack", layers=[{"layer": "BatchNormalization"}, {"layer": "Dense", "units": 5}]),
            block("states", "dense_states", units=[24], **PLAIN),
            block("join", "concatenate"),
            block("decoder", "recurrent_decoder", units=[24], output_dropout=0.3, head=[20, 10], head_dropout=0.1,
                  output_units=13, **PLAIN),
        ],
        [READ, FED, "encoder.states -> code.inputs", "encoder.states -> middle.inputs", "code.code -> join.input_0",
         "middle.outputs -> join.input_1", "join.output -> states.inputs", "states.states -> decoder.initial_states"],
        lstm(11, 16) + lstm(16, 8) + 4 * 48 + dense(48, 6) + 4 * 6 + 4 * 48 + dense(48, 5) + 2 * dense(11, 24)
        + lstm(13, 24) + dense(24, 20) + dense(20, 10) + dense(10, 13),
    ),
    "attention in several heads on a sequence of another block": (
        [
            SOURCE,
            TARGET,
            block("encoder", "conv_encoder", filters=[16], kernel_sizes=[3], pooling="none"),
            block("decoder", "recurrent_decoder", mode="free_running", units=[24], attention="multi_head", attention_units=12,
                  attention_heads=3, context_units=10, output_units=13, **PLAIN),
        ],
        [READ, FED, "encoder.sequence -> decoder.memory"],
        (3 * 11 + 1) * 16 + lstm(13, 24) + dense(24, 12) + 2 * dense(16, 12) + dense(12, 24) + dense(24 + 24, 10)
        + dense(10, 13),
    ),
    "two encoders whose states are joined": (
        [
            SOURCE,
            TARGET,
            block("encoder", "recurrent_encoder", units=[16]),
            block("second", "recurrent_encoder", units=[8]),
            block("join", "concatenate"),
            block("decoder", "recurrent_decoder", units=[24], output_units=13, **PLAIN),
        ],
        [READ, FED, "source.output -> second.inputs", "encoder.states -> join.input_0", "second.states -> join.input_1",
         "join.output -> decoder.initial_states"],
        lstm(11, 16) + lstm(11, 8) + lstm(13, 24) + dense(24, 13),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_models_of_all_sorts_have_the_counts_that_their_definition_gives(name: str) -> None:
    blocks, links, expected = BY_HAND[name]
    known = infer(design(blocks, links))

    assert [problem.text for block in known.blocks.values() for problem in block.problems] == []
    assert known.parameters == expected


def test_archetype_has_the_counts_of_its_two_submodels() -> None:
    known = infer(archetype())

    assert known.blocks["model_1"].parameters == 8_192
    assert known.blocks["model_2"].parameters == 224_022
    assert known.parameters == 232_214
    assert known.trainable == 230_678


def test_archetype_has_the_layer_names_its_users_know() -> None:
    known = infer(archetype(squeeze_units=64))
    first, second = known.blocks["model_1"].submodel, known.blocks["model_2"].submodel

    assert first is not None
    assert first.layer_names()[:3] == ("Latent_Input", "Dense_h_0", "BN_h_0")
    assert second is not None
    assert {
        "Decoder_Inputs",
        "Decoder_State_h_0",
        "Decoder_LSTM_0",
        "BN_Decoder_0",
        "Time_Distributed_0",
        "Dense_Decoder",
    } <= set(second.layer_names())


@pytest.mark.parametrize("units", [10, 1024])
def test_bahdanau_translation_of_the_tensorflow_tutorial(units: int) -> None:
    """Spanish to English: each step attends with the state before it, and the context enters the GRU beside the word."""
    known = infer(
        design(
            [
                block("source", "token_sequence", length=16, symbols=9414, encoding="ids"),
                block("target", "token_sequence", length=11, symbols=4935, encoding="ids"),
                block("encoder", "recurrent_encoder", cell="GRU", units=[1024], embedding=256, output=["states", "memory"]),
                block("decoder", "recurrent_decoder", cell="GRU", units=[1024], embedding=256, attention="bahdanau",
                      attention_units=units, input_feeding="bahdanau", output_units=4935, **PLAIN),
            ],
            [READ, FED, "encoder.states -> decoder.initial_states", "encoder.memory -> decoder.memory"],
        )
    )  # fmt: skip

    assert [problem.text for each in known.blocks.values() for problem in each.problems] == []
    assert known.blocks["encoder"].parameters == 9414 * 256 + gru(256, 1024)
    attention = 2 * dense(1024, units) + dense(units, 1)
    assert known.blocks["decoder"].parameters == 4935 * 256 + gru(256 + 1024, 1024) + attention + dense(1024, 4935)


def test_a_layer_that_is_called_at_every_step_has_its_weights_once() -> None:
    counts = []
    for length in (1, 7, 20):
        blocks = [
            block("source", "float_sequence", length=5, features=6),
            block("target", "token_sequence", length=length, symbols=13),
            block("decoder", "recurrent_decoder", mode="free_running", units=[8], attention="luong_general", context_units=4,
                  input_feeding="luong", output_units=13, **PLAIN),
        ]  # fmt: skip
        known = infer(design(blocks, [FED, "source.output -> decoder.memory"]))
        submodel = known.blocks["decoder"].submodel
        assert submodel is not None
        names = submodel.layer_names()
        assert len(names) == len(set(names))
        counts.append(known.parameters)
    assert counts == [lstm(13 + 4, 8) + 6 * 8 + dense(6 + 8, 4) + dense(4, 13)] * 3


def test_caption_model_with_the_image_as_initial_state() -> None:
    known = infer(
        design(
            [
                block("image", "vector", width=4096),
                block("words", "token_sequence", length=34, symbols=2539, encoding="ids"),
                block("states", "dense_states", cell="GRU", units=[512], activation="linear", batch_normalization=False),
                block(
                    "decoder",
                    "recurrent_decoder",
                    cell="GRU",
                    units=[512],
                    reset_after=False,
                    embedding=512,
                    batch_normalization=False,
                    output_units=2539,
                ),
            ],
            ["image.output -> states.inputs", "words.output -> decoder.inputs", "states.states -> decoder.initial_states"],
        )
    )

    assert known.parameters == known.trainable == 6_274_539


def test_character_translation_model_of_the_keras_examples() -> None:
    known = infer(
        design(
            [
                block("source", "token_sequence", length=None, symbols=71),
                block("target", "token_sequence", length=None, symbols=93),
                block("encoder", "recurrent_encoder", units=[256]),
                block("decoder", "recurrent_decoder", units=[256], batch_normalization=False, output_units=93),
            ],
            ["source.output -> encoder.inputs", "target.output -> decoder.inputs", "encoder.states -> decoder.initial_states"],
        )
    )

    assert known.parameters == 718_173


def test_smiles_decoder_from_seven_descriptors() -> None:
    known = infer(
        design(
            [
                block("descriptors", "vector", width=7),
                block("smiles", "token_sequence", length=142, symbols=35),
                block("model_1", "dense_states", units=[256, 256, 256]),
                block("model_2", "recurrent_decoder", units=[256, 256, 256], output_units=35),
            ],
            [
                "descriptors.output -> model_1.inputs",
                "smiles.output -> model_2.inputs",
                "model_1.states -> model_2.initial_states",
            ],
        )
    )

    assert known.parameters == 1_380_131
