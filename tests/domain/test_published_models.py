"""Parameter counts that were published or follow from a published model's definition."""

from __future__ import annotations

from seqdec_gui.domain.shapes import infer
from tests.domain.designs import archetype, block, design


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
