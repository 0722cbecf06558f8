"""`check` says that an .h5 file cannot carry a mask exactly where Keras cannot open one again."""

from __future__ import annotations

import inspect
import itertools
from pathlib import Path
from typing import Any

import pytest

from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.layers.specs import LAYERS
from seqdec_gui.domain.validation import check
from tests.domain.designs import block, design
from tests.runner import designs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*destroy the mask information"),
]

IDS = block("source", "token_sequence", length=9, symbols=10, encoding="ids")
LATENT = [block("latent", "vector", width=3), block("states", "dense_states", units=[6])]
DENSE = {"layer": "Dense", "units": 10, "activation": "softmax"}
LSTM = {"layer": "Recurrent", "units": 4}
MASKED = {"layer": "Embedding", "symbols": 10, "units": 4, "mask_padding": True}


def decoder(*after: Block, **parameters: Any) -> Design:
    """A masked decoder that begins with states, and what comes after it."""
    masked = {"embedding": 5, "mask_padding": True, "output_units": 10, "batch_normalization": False} | parameters
    blocks = [IDS, *LATENT, block("decoder", "recurrent_decoder", units=[6], **masked), *after, block("loss", "loss")]
    links = ["latent.output -> states.inputs", "states.states -> decoder.initial_states", "source.output -> decoder.inputs"]
    names = ["decoder", *(each.id for each in after)]
    links += [f"{one}.outputs -> {other}.inputs" for one, other in itertools.pairwise(names)]
    return design(blocks, [*links, f"{names[-1]}.outputs -> loss.predictions"])


def encoder(output: str, *after: Block, **parameters: Any) -> Design:
    masked = {"embedding": 5, "mask_padding": True} | parameters
    blocks = [IDS, block("encoder", "recurrent_encoder", units=[6], output=[output], **masked), *after, block("loss", "loss")]
    last = "top.outputs" if after else f"encoder.{output}"
    through = [f"encoder.{output} -> top.inputs"] if after else []
    return design(blocks, ["source.output -> encoder.inputs", *through, f"{last} -> loss.predictions"])


def stack(*rows: dict[str, Any]) -> Design:
    links = ["source.output -> top.inputs", "top.outputs -> loss.predictions"]
    return design([IDS, block("top", "layer_stack", layers=list(rows)), block("loss", "loss")], links)


TOP = block("top", "layer_stack", layers=[DENSE])
CASES: dict[str, tuple[Design, list[str]]] = {
    "recurrent encoder": (encoder("sequence"), ["encoder"]),
    "bidirectional encoder whose code goes on": (encoder("code", TOP, bidirectional=True), ["encoder"]),
    "decoder that begins with states": (decoder(), []),
    "decoder with BatchNormalization": (decoder(batch_normalization=True), ["decoder"]),
    "decoder with TimeDistributed": (decoder(squeeze_units=4), ["decoder"]),
    "decoder whose output goes to dense layers": (decoder(TOP), []),
    "decoder whose output goes to an LSTM": (decoder(block("top", "layer_stack", layers=[LSTM, DENSE])), []),
    "stack of dense layers": (stack(MASKED, DENSE), []),
    "stack that averages": (stack(MASKED, {"layer": "GlobalPooling1D", "how": "average"}, DENSE), ["top"]),
    "stack that takes the largest": (stack(MASKED, {"layer": "GlobalPooling1D", "how": "max"}, DENSE), []),
    "stack whose convolution drops the mask": (
        stack(MASKED, {"layer": "Conv1D", "filters": 4}, {"layer": "BatchNormalization"}, DENSE), [],
    ),
    "stack with an LSTM": (stack(MASKED, LSTM, DENSE), ["top"]),
    "stack with attention": (stack(MASKED, {"layer": "MultiHeadAttention"}, {"layer": "Residual"}, DENSE), []),
    "transformers with masks on both sides": (
        designs.transformer(decoder={"mask_padding": True, "tie_embeddings": True}), [],
    ),
    "both sides": (designs.translation(), ["encoder", "decoder"]),
    "no mask": (designs.stack(), []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_check_warns_of_h5_where_keras_cannot_open_the_file_again(name: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.export import dry_run
    from seqdec_gui.runner.program import load_build

    wanted, blocks = CASES[name]
    problems = check(wanted).problems
    assert not [problem.text for problem in problems if problem.severity == "error"]
    assert [problem.where for problem in problems if problem.code == "mask_not_in_h5"] == blocks
    good, _ = dry_run(load_build(designs.write_script(wanted, tmp_path)), tmp_path)
    assert good == (("keras",) if blocks else ("h5", "keras"))


def test_the_tables_are_those_of_keras() -> None:
    import keras

    arguments: dict[str, tuple[Any, ...]] = {
        "Bidirectional": (keras.layers.LSTM(1),), "TimeDistributed": (keras.layers.Dense(1),), "Embedding": (3, 2),
        "Conv1D": (1, 1), "Reshape": ((1,),), "Permute": ((2, 1),), "Activation": ("relu",), "Dropout": (0.1,),
        "SpatialDropout1D": (0.1,), "GaussianNoise": (0.1,), "AveragePooling1D": (2,), "MaxPooling1D": (2,), "Rescaling": (2,),
        "Dot": (1,), "EinsumDense": ("bt,te->bte", (2, 3)), "MultiHeadAttention": (1, 1),
        "Dense": (1,), "GRU": (1,), "LSTM": (1,), "RepeatVector": (1,),
        "ReversibleEmbedding": (3, 2),
    }  # fmt: skip
    layers = {name: getattr(keras.layers, name)(*arguments.get(name, ())) for name in LAYERS}
    takes = {name for name, layer in layers.items() if {"mask", "query_mask"} & inspect.signature(layer.call).parameters.keys()}
    assert takes == {name for name, spec in LAYERS.items() if spec.takes_mask}
    keeps = {name for name, layer in layers.items() if layer.supports_masking}
    kept = {name for name, spec in LAYERS.items() if spec.keeps_mask}
    assert keeps == kept | {"Masking", "GlobalAveragePooling1D", "Dot"}  # one makes a mask, the others end it


def test_scripts_leave_out_the_names_of_leading_arguments_alone() -> None:
    import keras

    for name, spec in LAYERS.items():
        leading = list(inspect.signature(getattr(keras.layers, name).__init__).parameters)[1:]
        assert tuple(leading[: len(spec.positional)]) == spec.positional, name


def test_random_arguments_are_arguments_of_keras() -> None:
    import keras

    for name, spec in LAYERS.items():
        assert set(spec.random_arguments) <= set(inspect.signature(getattr(keras.layers, name).__init__).parameters), name
