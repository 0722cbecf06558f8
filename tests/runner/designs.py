"""Small designs with data for the tests of the runner: quick to build, and each with something that goes wrong easily."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.domain import codegen
from seqdec_gui.domain.bindings import Binding, Codec, DataSource, IdsCodec, Split, TextCodec, ValuesCodec, VectorCodec
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.training import Training
from tests.domain.designs import block, design

Arrays = dict[str, npt.NDArray[Any]]
LETTERS = "abcdefg"


def stack(units: tuple[int, ...] = (8, 8), cell: str = "LSTM", squeeze: int = 0, **states: Any) -> Design:
    """The archetype, tiny: a vector to states to a teacher-forced decoder, BatchNormalization throughout."""
    return design(
        [
            block("latent", "vector", width=3),
            block("decoder_inputs", "token_sequence", length=9, symbols=10),
            block("model_1", "dense_states", units=units, cell=cell, **states),
            block("model_2", "recurrent_decoder", units=units, cell=cell, output_units=10, squeeze_units=squeeze),
            block("loss", "loss", metrics=["token_accuracy", "exact_accuracy", "perplexity"]),
        ],
        [
            "latent.output -> model_1.inputs",
            "decoder_inputs.output -> model_2.inputs",
            "model_1.states -> model_2.initial_states",
            "model_2.outputs -> loss.predictions",
        ],
    )


def translation(
    cell: str = "LSTM", bidirectional: bool = False, dropout: float = 0.0, steps: int | None = None, layers: int = 2,
    normalised: bool = True,
) -> Design:  # fmt: skip
    """Ragged text to ragged text with embeddings and masks on both sides, BatchNormalization under the mask."""
    wide = 12 if bidirectional else 6
    return design(
        [
            block("source", "token_sequence", length=steps, symbols=10, encoding="ids"),
            block("target", "token_sequence", length=9, symbols=10, encoding="ids"),
            block(
                "encoder", "recurrent_encoder", units=[6] * layers, cell=cell, bidirectional=bidirectional, embedding=5,
                mask_padding=True, batch_normalization=normalised and layers > 1, dropout=dropout,
            ),
            block(
                "decoder", "recurrent_decoder", units=[wide] * layers, cell=cell, embedding=5, mask_padding=True,
                output_units=10, dropout=dropout, **({} if normalised else {"batch_normalization": False}),
            ),
            block("loss", "loss"),
        ],
        [
            "source.output -> encoder.inputs",
            "target.output -> decoder.inputs",
            "encoder.states -> decoder.initial_states",
            "decoder.outputs -> loss.predictions",
        ],
    )  # fmt: skip


def attentive(
    form: str = "bahdanau",
    cell: str = "LSTM",
    masked: bool = True,
    steps: int | None = 9,
    mode: str = "teacher_forced",
    **decoder: Any,
) -> Design:
    """Ragged text to ragged text: states and a memory from one encoder, if the decoder begins with states."""
    taught = mode == "teacher_forced"
    blocks = [
        block("source", "token_sequence", length=steps, symbols=10, encoding="ids"),
        block("target", "token_sequence", length=9, symbols=10, encoding="ids"),
        block(
            "encoder", "recurrent_encoder", units=[6], cell=cell, embedding=5, mask_padding=masked,
            output=["states", "memory"] if taught else ["memory"],
        ),
        block(
            "decoder", "recurrent_decoder",
            **{
                "mode": mode, "units": [6], "cell": cell, "embedding": 5, "output_units": 10, "batch_normalization": False,
                "attention": form, "attention_units": 8, "attention_heads": 2, "context_units": 7, **decoder,
            },
        ),
        block("loss", "loss"),
    ]  # fmt: skip
    links = ["source.output -> encoder.inputs", "target.output -> decoder.inputs", "encoder.memory -> decoder.memory"]
    links += ["encoder.states -> decoder.initial_states"] if taught else []
    return design(blocks, [*links, "decoder.outputs -> loss.predictions"])


ATTENTION = {"layers": 2, "width": 8, "heads": 2, "feed_forward": 12}


def transformer(encoding: str = "ids", encoder: dict[str, Any] | None = None, decoder: dict[str, Any] | None = None) -> Design:
    """Ragged text to ragged text by attention; a vector where the decoder takes a prefix or a second memory."""
    more = decoder or {}
    blocks = [
        block("source", "token_sequence", length=10, symbols=10, encoding=encoding),
        block("target", "token_sequence", length=9, symbols=10, encoding=encoding),
        block("encoder", "transformer_encoder", **(ATTENTION | (encoder or {}))),
        block("decoder", "transformer_decoder", **(ATTENTION | {"output_units": 10} | more)),
        block("loss", "loss"),
    ]
    links = [
        "source.output -> encoder.inputs",
        "target.output -> decoder.inputs",
        "encoder.memory -> decoder.memory",
        "decoder.outputs -> loss.predictions",
    ]
    ports = ["memory_2"] * (more.get("memories", 1) > 1) + ["prefix"] * bool(more.get("prefix"))
    if ports:
        blocks.insert(2, block("vector", "vector", width=3))
        links += [f"vector.output -> decoder.{port}" for port in ports]
    return design(blocks, links)


def attentive_language(encoding: str = "one_hot", **decoder: Any) -> Design:
    """A language model with attention alone."""
    parameters = ATTENTION | {"memories": 0, "output_units": 10} | decoder
    return design(
        [
            block("text", "token_sequence", length=9, symbols=10, encoding=encoding),
            block("decoder", "transformer_decoder", **parameters),
            block("loss", "loss"),
        ],
        ["text.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )


def every_option_of_attention() -> Design:
    """Learned positions, a prefix and two memories, masks on both sides, normalised after each part."""
    return transformer(
        "one_hot",
        {"positions": "learned", "normalization": "after", "head_width": 3},
        {
            "positions": "learned", "normalization": "after", "head_width": 3, "memories": 2, "prefix": True,
            "mask_padding": True,
        },
    )  # fmt: skip


def variational(units: int = 4) -> Design:
    """A sequence autoencoder with a sampled code, a repeat-vector decoder, and a second loss that regresses the vector."""
    return design(
        [
            block("text", "token_sequence", length=9, symbols=10),
            block("encoder", "recurrent_encoder", cell="GRU", units=[6], output=["code"]),
            block("bottleneck", "bottleneck", units=units, variational=True, kl_weight=0.1, kl_warmup_epochs=2),
            block("decoder", "recurrent_decoder", mode="repeat_vector", cell="GRU", units=[6], length=9, output_units=10),
            block("regression", "layer_stack", layers=[{"layer": "Dense", "units": 3}]),
            block("letters", "loss"),
            block("numbers", "loss", loss="mean_squared_error", weight=0.5, metrics=["mean_absolute_error"]),
        ],
        [
            "text.output -> encoder.inputs",
            "encoder.code -> bottleneck.inputs",
            "bottleneck.code -> decoder.code",
            "bottleneck.mean -> regression.inputs",
            "decoder.outputs -> letters.predictions",
            "regression.outputs -> numbers.predictions",
        ],
    )


def language(dropout: float = 0.0) -> Design:
    """A language model: a decoder without a latent."""
    return design(
        [
            block("text", "token_sequence", length=9, symbols=10),
            block("decoder", "recurrent_decoder", mode="free_running", units=[8], output_units=10, dropout=dropout),
            block("loss", "loss"),
        ],
        ["text.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )


def noisy() -> Design:
    """Every random layer there is: Dropout, GaussianNoise, SpatialDropout1D, dropout and recurrent dropout of an LSTM."""
    return design(
        [
            block("text", "token_sequence", length=9, symbols=10),
            block(
                "noise",
                "layer_stack",
                layers=[
                    {"layer": "SpatialDropout1D", "rate": 0.2},
                    {"layer": "GaussianNoise", "stddev": 0.1},
                    {"layer": "Dropout", "rate": 0.2},
                ],
            ),
            block("encoder", "recurrent_encoder", units=[6], dropout=0.2, recurrent_dropout=0.2, output=["sequence"]),
            block("head", "layer_stack", layers=[{"layer": "Dense", "units": 10, "activation": "softmax"}]),
            block("loss", "loss"),
        ],
        [
            "text.output -> noise.inputs",
            "noise.outputs -> encoder.inputs",
            "encoder.sequence -> head.inputs",
            "head.outputs -> loss.predictions",
        ],
    )


def rows(count: int = 50, seed: int = 0) -> Arrays:
    """`text`: ragged words of 2 to 7 letters; `vector`: three numbers that the word follows from, more or less."""
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(list(LETTERS), size=random.integers(2, 8))) for _ in range(count)]
    vector = np.array([[len(word), word.count("a"), ord(word[0]) - ord("a")] for word in words], np.float32)
    return {"text": np.array(words), "vector": vector}


TEXT = TextCodec(charset=tuple(LETTERS))
"""With begin and end marks and the padding that is 10 symbols."""


def bound(wanted: Design, file: Path | str, split: Split | None = None, **training: Any) -> Design:
    """The design with its ports bound to the columns of `rows`, and this training."""
    bindings = []
    ports = data_ports(wanted)
    taught = {port.taught for port in ports}
    for port in ports:
        if port.name in taught:
            continue
        codec: Codec
        if port.type.dtype == "int32" or port.one_hot or port.classes:
            marks = "both" if port.taught else "none" if port.role == "input" and not port.one_hot else "both"
            padding = "left" if port.name == "left" else "right"
            codec = msgspec.structs.replace(TEXT, marks=marks, padding=padding)
            bindings.append(Binding(port.port, "text", codec))
        else:
            codec = VectorCodec() if port.role == "input" else ValuesCodec()
            bindings.append(Binding(port.port, "vector", codec))
    source = DataSource(str(file), split or Split(validation=0.2), tuple(bindings))
    return wanted.with_data(source).with_training(msgspec.convert(training, Training))


def write_rows(folder: Path, count: int = 50, seed: int = 0) -> Path:
    """`rows` as an npz file."""
    file = folder / f"rows_{count}_{seed}.npz"
    np.savez(file, **rows(count, seed))
    return file


def write_script(wanted: Design, folder: Path) -> Path:
    """The generated script as `model.py` in `folder`."""
    path = folder / "model.py"
    path.write_text(codegen.generate(wanted), encoding="utf-8")
    return path


ALL: dict[str, Callable[[], Design]] = {
    "stack": stack,
    "gru stack": lambda: stack(cell="GRU", squeeze=5),
    "translation": translation,
    "bidirectional": lambda: translation(bidirectional=True),
    "gru translation": lambda: translation(cell="GRU"),
    "variational": variational,
    "language": language,
    "noisy": noisy,
    "transformer": transformer,
}
__all__ = ["ALL", "IdsCodec", "bound", "rows", "write_rows", "write_script"]
