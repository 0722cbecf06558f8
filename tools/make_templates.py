"""Write the templates and the bundled example designs to resources/. Run it again after a change of the file format."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from seqdec_gui.domain.bindings import Binding, DataSource, Split, TextCodec, VectorCodec
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.document import save
from seqdec_gui.domain.kinds.inputs import TokenSequence
from seqdec_gui.domain.training import Training

FIRST_COLUMN, COLUMN, ROW = 280.0, 380.0, 180.0
"""An input is narrow, and the other gaps have room for what is written on their wires."""


def _across(column: int) -> float:
    return 0.0 if column == 0 else FIRST_COLUMN + (column - 1) * COLUMN


def block(block_id: str, kind: str, column: int, row: float, **parameters: object) -> Block:
    """A block at a place of the grid; parameters left out keep their defaults."""
    return Block(block_id, msgspec.convert({"kind": kind, **parameters}, KINDS[kind]), (_across(column), row * ROW))


def stack(
    blocks: list[Block], links: list[str], bindings: tuple[Binding, ...] = (), file: str = "", **training: object
) -> Design:
    """A design from blocks and links written `a.output -> b.inputs`."""
    ends = [link.split(" -> ") for link in links]
    wires = tuple(Link(Port.parse(source), Port.parse(target)) for source, target in ends)
    data = DataSource(file=file, bindings=bindings, split=Split(validation=0.1))
    return Design(tuple(blocks), wires, data, msgspec.convert(training, Training))


def latent_to_sequence() -> Design:
    """Latent vector -> states -> teacher-forced decoder: the stack that this program was made for."""
    return stack(
        [
            block("latent", "vector", 0, 0, width=11),
            block("decoder_inputs", "token_sequence", 0, 1, length=33, symbols=44),
            block("model_1", "dense_states", 1, 0, units=[128, 128]),
            block("model_2", "recurrent_decoder", 2, 0.5, units=[128, 128], output_units=22),
            block("loss", "loss", 3, 0.5),
        ],
        [
            "latent.output -> model_1.inputs",
            "decoder_inputs.output -> model_2.inputs",
            "model_1.states -> model_2.initial_states",
            "model_2.outputs -> loss.predictions",
        ],
    )


def sequence_to_sequence() -> Design:
    return stack(
        [
            block("source", "token_sequence", 0, 0, length=16, symbols=40),
            block("decoder_inputs", "token_sequence", 0, 1, length=16, symbols=40),
            block("encoder", "recurrent_encoder", 1, 0, units=[256]),
            block("decoder", "recurrent_decoder", 2, 0.5, units=[256], output_units=40, batch_normalization=False),
            block("loss", "loss", 3, 0.5),
        ],
        [
            "source.output -> encoder.inputs",
            "decoder_inputs.output -> decoder.inputs",
            "encoder.states -> decoder.initial_states",
            "decoder.outputs -> loss.predictions",
        ],
    )


def _attentive(source: Block, target: Block, units: int, embedding: int) -> tuple[list[Block], list[str]]:
    """The blocks and links of a stack whose decoder attends to what a bidirectional encoder has read.

    Both take ids with padding on the right; the states of the encoder begin the decoder.
    """
    assert isinstance(target.parameters, TokenSequence)
    blocks = [
        source,
        target,
        block(
            "encoder", "recurrent_encoder", 1, 0, units=[units // 2], bidirectional=True, embedding=embedding,
            mask_padding=True, output=["states", "memory"],
        ),
        block(
            "decoder", "recurrent_decoder", 2, 0.5, units=[units], embedding=embedding, batch_normalization=False,
            attention="luong_general", context_units=units, output_dropout=0.2, output_units=target.parameters.symbols,
        ),
        block("loss", "loss", 3, 0.5),
    ]  # fmt: skip
    links = [
        f"{source.id}.output -> encoder.inputs",
        f"{target.id}.output -> decoder.inputs",
        "encoder.states -> decoder.initial_states",
        "encoder.memory -> decoder.memory",
        "decoder.outputs -> loss.predictions",
    ]
    return blocks, links


def sequence_to_sequence_with_attention() -> Design:
    return stack(
        *_attentive(
            block("source", "token_sequence", 0, 0, length=16, symbols=40, encoding="ids"),
            block("decoder_inputs", "token_sequence", 0, 1, length=16, symbols=40, encoding="ids"),
            units=256,
            embedding=64,
        )
    )


def sequence_autoencoder() -> Design:
    return stack(
        [
            block("sequence", "token_sequence", 0, 0, length=33, symbols=30),
            block("decoder_inputs", "token_sequence", 0, 1, length=33, symbols=30),
            block("encoder", "recurrent_encoder", 1, 0, units=[128], bidirectional=True),
            block("bottleneck", "bottleneck", 2, 0, units=64, noise=0.1),
            block("states", "dense_states", 3, 0, units=[256], batch_normalization=False),
            block("decoder", "recurrent_decoder", 4, 0.5, units=[256], output_units=30),
            block("loss", "loss", 5, 0.5),
        ],
        [
            "sequence.output -> encoder.inputs",
            "encoder.states -> bottleneck.inputs",
            "bottleneck.code -> states.inputs",
            "states.states -> decoder.initial_states",
            "decoder_inputs.output -> decoder.inputs",
            "decoder.outputs -> loss.predictions",
        ],
    )


def image_to_sequence() -> Design:
    return stack(
        [
            block("image", "vector", 0, 0, width=4096),
            block("decoder_inputs", "token_sequence", 0, 1, length=34, symbols=2539, encoding="ids"),
            block(
                "image_states", "dense_states", 1, 0,
                cell="GRU", units=[512], activation="linear", batch_normalization=False,
            ),
            block(
                "decoder", "recurrent_decoder", 2, 0.5,
                cell="GRU", units=[512], embedding=512, batch_normalization=False, output_units=2539,
            ),
            block("loss", "loss", 3, 0.5),
        ],
        [
            "image.output -> image_states.inputs",
            "decoder_inputs.output -> decoder.inputs",
            "image_states.states -> decoder.initial_states",
            "decoder.outputs -> loss.predictions",
        ],
    )  # fmt: skip


def language_model() -> Design:
    return stack(
        [
            block("decoder_inputs", "token_sequence", 0, 0, length=64, symbols=64),
            block("decoder", "recurrent_decoder", 1, 0, mode="free_running", units=[256, 256], output_units=64),
            block("loss", "loss", 2, 0, metrics=["token_accuracy", "perplexity"]),
        ],
        ["decoder_inputs.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )


def conditional_language_model(
    conditions: int = 11,
    target: tuple[int, int] = (64, 64),
    size: dict[str, object] | None = None,
    bindings: tuple[Binding, ...] = (),
    file: str = "",
    **training: object,
) -> Design:
    """A vector of conditions as the first step of a sequence, by attention; `target` is its length and number of symbols."""
    size = size or {"layers": 4, "width": 128, "heads": 4, "feed_forward": 512}
    return stack(
        [
            block("conditions", "vector", 0, 0, width=conditions),
            block("decoder_inputs", "token_sequence", 0, 1, length=target[0], symbols=target[1], encoding="ids"),
            block("decoder", "transformer_decoder", 1, 0.5, memories=0, prefix=True, **size, output_units=target[1]),
            block("loss", "loss", 2, 0.5, metrics=["token_accuracy", "perplexity"]),
        ],
        [
            "decoder_inputs.output -> decoder.inputs",
            "conditions.output -> decoder.prefix",
            "decoder.outputs -> loss.predictions",
        ],
        bindings,
        file,
        **training,
    )


def roman() -> Design:
    """Numbers written in digits -> Roman numerals."""
    return stack(
        [
            block("number", "token_sequence", 0, 0, length=4, symbols=11),
            block("decoder_inputs", "token_sequence", 0, 1, length=16, symbols=10),
            block("encoder", "recurrent_encoder", 1, 0, units=[128]),
            block("decoder", "recurrent_decoder", 2, 0.5, units=[128], output_units=10, batch_normalization=False),
            block("loss", "loss", 3, 0.5),
        ],
        [
            "number.output -> encoder.inputs",
            "decoder_inputs.output -> decoder.inputs",
            "encoder.states -> decoder.initial_states",
            "decoder.outputs -> loss.predictions",
        ],
        (
            Binding("number.output", "number", TextCodec(padding="left")),
            Binding("decoder.inputs", "roman", TextCodec()),
        ),
        "data/roman.csv",
        epochs=30,
        batch_size=64,
        learning_rate=4e-3,
        schedule="cosine",
    )


def translator(
    source: tuple[int, int] = (16, 40),
    target: tuple[int, int] = (16, 40),
    size: dict[str, object] | None = None,
    bindings: tuple[Binding, ...] = (),
    file: str = "",
    **training: object,
) -> Design:
    """Sequence -> memory -> sequence by attention; `source` and `target` are lengths and numbers of symbols."""
    both = size or {"layers": 2, "width": 128, "heads": 4, "feed_forward": 512}
    return stack(
        [
            block("source", "token_sequence", 0, 0, length=source[0], symbols=source[1], encoding="ids"),
            block("decoder_inputs", "token_sequence", 0, 1, length=target[0], symbols=target[1], encoding="ids"),
            block("encoder", "transformer_encoder", 1, 0, **both),
            block("decoder", "transformer_decoder", 2, 0.5, **both, output_units=target[1]),
            block("loss", "loss", 3, 0.5),
        ],
        [
            "source.output -> encoder.inputs",
            "decoder_inputs.output -> decoder.inputs",
            "encoder.memory -> decoder.memory",
            "decoder.outputs -> loss.predictions",
        ],
        bindings,
        file,
        **training,
    )


def roman_attention() -> Design:
    """Numbers written in digits -> Roman numerals, by attention."""
    return translator(
        (4, 11),
        (16, 10),
        {"layers": 2, "width": 64, "heads": 4, "feed_forward": 128},
        (Binding("source.output", "number", TextCodec()), Binding("decoder.inputs", "roman", TextCodec())),
        "data/roman.csv",
        epochs=30,
        batch_size=64,
        learning_rate=2e-3,
        schedule="cosine",
    )


def digits() -> Design:
    """8 x 8 images of handwritten digits -> the English word, letter by letter."""
    return stack(
        [
            block("image", "vector", 0, 0, width=64),
            block("decoder_inputs", "token_sequence", 0, 1, length=6, symbols=18),
            block("image_states", "dense_states", 1, 0, units=[128], trunk=[256], dropout=0.3, activation="tanh"),
            block("decoder", "recurrent_decoder", 2, 0.5, units=[128], output_units=18),
            block("loss", "loss", 3, 0.5),
        ],
        [
            "image.output -> image_states.inputs",
            "decoder_inputs.output -> decoder.inputs",
            "image_states.states -> decoder.initial_states",
            "decoder.outputs -> loss.predictions",
        ],
        (
            Binding("image.output", "X", VectorCodec(standardise=False)),
            Binding("decoder.inputs", "words", TextCodec()),
        ),
        "data/digits.npz",
        epochs=60,
        batch_size=32,
        learning_rate=2e-3,
        schedule="exponential",
        schedule_first_epoch=20,
        final_learning_rate=1e-4,
    )


def molecules() -> Design:
    """11 molecular descriptors -> SMILES."""
    return stack(
        [
            block("descriptors", "vector", 0, 0, width=11),
            block("decoder_inputs", "token_sequence", 0, 1, length=33, symbols=27),
            block("model_1", "dense_states", 1, 0, units=[256, 256]),
            block("model_2", "recurrent_decoder", 2, 0.5, units=[256, 256], output_units=27),
            block("loss", "loss", 3, 0.5),
        ],
        [
            "descriptors.output -> model_1.inputs",
            "decoder_inputs.output -> model_2.inputs",
            "model_1.states -> model_2.initial_states",
            "model_2.outputs -> loss.predictions",
        ],
        (
            Binding("descriptors.output", "X", VectorCodec(standardise=True)),
            Binding("model_2.inputs", "smiles", TextCodec()),
        ),
        "data/molecules.npz",
        epochs=20,
        batch_size=64,
        learning_rate=2e-3,
        schedule="exponential",
        schedule_first_epoch=2,
        final_learning_rate=1e-4,
    )


def molecules_by_attention() -> Design:
    """11 molecular descriptors as conditions of a language model of SMILES."""
    return conditional_language_model(
        11,
        (33, 27),
        {"layers": 3, "width": 128, "heads": 4, "feed_forward": 256},
        (
            Binding("conditions.output", "X", VectorCodec(standardise=True)),
            Binding("decoder.inputs", "smiles", TextCodec()),
        ),
        "data/molecules.npz",
        epochs=20,
        batch_size=64,
        learning_rate=1e-3,
        schedule="cosine",
        warmup_steps=100,
    )


def pronunciation() -> Design:
    """Spelling -> phonemes. Reversed and padded on the left: the last letters read are then the first ones spoken."""
    return stack(
        [
            block("word", "token_sequence", 0, 0, length=12, symbols=28),
            block("decoder_inputs", "token_sequence", 0, 1, length=14, symbols=42),
            block("encoder", "recurrent_encoder", 1, 0, units=[256]),
            block("decoder", "recurrent_decoder", 2, 0.5, units=[256], output_units=42, batch_normalization=False),
            block("loss", "loss", 3, 0.5),
        ],
        [
            "word.output -> encoder.inputs",
            "decoder_inputs.output -> decoder.inputs",
            "encoder.states -> decoder.initial_states",
            "decoder.outputs -> loss.predictions",
        ],
        (
            Binding("word.output", "word", TextCodec(padding="left", reverse=True)),
            Binding("decoder.inputs", "phones", TextCodec(tokens="words")),
        ),
        "data/pronunciations.csv",
        epochs=20,
        batch_size=64,
        learning_rate=2e-3,
    )


def pronunciation_with_attention() -> Design:
    """Spelling -> phonemes, attending to the letters: words in their order, padded on the right and masked."""
    blocks, links = _attentive(
        block("word", "token_sequence", 0, 0, length=12, symbols=28, encoding="ids"),
        block("decoder_inputs", "token_sequence", 0, 1, length=14, symbols=42, encoding="ids"),
        units=256,
        embedding=32,
    )
    return stack(
        blocks,
        links,
        (Binding("word.output", "word", TextCodec()), Binding("decoder.inputs", "phones", TextCodec(tokens="words"))),
        "data/pronunciations.csv",
        epochs=20,
        batch_size=64,
        learning_rate=2e-3,
    )


TEMPLATES = {
    "latent-to-sequence": latent_to_sequence,
    "sequence-to-sequence": sequence_to_sequence,
    "translator": translator,
    "sequence-to-sequence-with-attention": sequence_to_sequence_with_attention,
    "sequence-autoencoder": sequence_autoencoder,
    "image-to-sequence": image_to_sequence,
    "language-model": language_model,
    "conditional-language-model": conditional_language_model,
    "blank": Design,
}
EXAMPLES = {
    "roman": roman,
    "roman-attention": roman_attention,
    "digits": digits,
    "molecules": molecules,
    "molecules-by-attention": molecules_by_attention,
    "pronunciation": pronunciation,
    "pronunciation-with-attention": pronunciation_with_attention,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=Path, default=Path(__file__).resolve().parent.parent / "resources")
    resources = parser.parse_args().resources
    for name, make in TEMPLATES.items():
        save(make(), resources / "templates" / f"{name}.seqdec")
    for name, make in EXAMPLES.items():
        save(make(), resources / "examples" / f"{name}.seqdec")


if __name__ == "__main__":
    main()
