"""What the domain computes without Keras is what Keras builds: shapes, counts and layer names of every block kind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.layer_stack import AnyStackLayer
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.types import MemoryType, StatesType, TensorType, tensors_of
from tests.domain.designs import archetype, block, design
from tests.runner import designs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

VECTOR = block("source", "vector", width=5)
SEQUENCE = block("source", "float_sequence", length=9, features=4)
ONE_HOT = block("source", "token_sequence", length=9, symbols=6)
IDS = block("source", "token_sequence", length=9, symbols=6, encoding="ids")
RAGGED = block("source", "token_sequence", length=None, symbols=6)

Case = tuple[str, list[Block], list[str]]


def fed(name: str, source: Block, kind: str, port: str = "inputs", **parameters: Any) -> Case:
    """A block `it` with one input."""
    return name, [source, block("it", kind, **parameters)], [f"source.output -> it.{port}"]


def decoder(name: str, source: Block, latent: bool = True, **parameters: Any) -> Case:
    """A decoder `it`, its states made by a `dense_states` block where it takes some."""
    blocks = [source, block("it", "recurrent_decoder", **{"units": [6, 4], "output_units": 7} | parameters)]
    links = [f"source.output -> it.{'code' if parameters.get('mode') == 'repeat_vector' else 'inputs'}"]
    if latent:
        options = {key: parameters[key] for key in ("cell", "split_states") if key in parameters}
        units = parameters.get("units", [6, 4])
        blocks[1:1] = [block("latent", "vector", width=3), block("states", "dense_states", units=units, **options)]
        links.append("latent.output -> states.inputs")
        if parameters.get("split_states"):
            names = [
                f"{letter}_{i}" for i in range(len(units)) for letter in ("hc" if parameters.get("cell") != "GRU" else "h")
            ]
            links += [f"states.{state} -> it.{state}" for state in names]
        else:
            links.append("states.states -> it.initial_states")
    return name, blocks, links


def dense_states() -> Iterator[Case]:
    for cell in ("LSTM", "GRU"):
        yield fed(f"dense states {cell}", VECTOR, "dense_states", cell=cell, units=[3, 5])
        yield fed(f"dense states {cell} split", VECTOR, "dense_states", cell=cell, units=[4], split_states=True)
    options = {"trunk": [7, 3], "dropout": 0.1, "activation": "linear", "batch_normalization": False}
    yield fed("dense states trunk", VECTOR, "dense_states", **options)
    blocks = [ONE_HOT, block("encoder", "recurrent_encoder", units=[4]), block("it", "dense_states", units=[3])]
    yield "dense states from states", blocks, ["source.output -> encoder.inputs", "encoder.states -> it.inputs"]


def recurrent_encoder() -> Iterator[Case]:
    for cell in ("LSTM", "GRU"):
        for bidirectional in (False, True):
            for output in (["states"], ["code"], ["sequence"], ["states", "code", "sequence"], ["code", "sequence"]):
                name = f"encoder {cell} {'two ways ' if bidirectional else ''}{'+'.join(output)}"
                options = {"cell": cell, "bidirectional": bidirectional, "output": output, "units": [3, 5]}
                yield fed(name, ONE_HOT, "recurrent_encoder", **options)
    yield fed("encoder embedding", IDS, "recurrent_encoder", units=[3], embedding=4, mask_padding=True)
    yield fed("encoder masking", SEQUENCE, "recurrent_encoder", units=[3], mask_padding=True)
    yield fed("encoder of any length", RAGGED, "recurrent_encoder", units=[3], output=["sequence"])
    yield fed("encoder split", ONE_HOT, "recurrent_encoder", units=[3, 2], split_states=True)
    options = {"dropout_per_layer": [0.0, 0.2], "output_dropout": 0.3, "units": [3, 2], "output": ["code", "sequence"]}
    yield fed("encoder with dropout of each layer", ONE_HOT, "recurrent_encoder", **options)
    options = {"batch_normalization": True, "dropout": 0.1, "recurrent_dropout": 0.1, "units": [3, 3, 2]}
    yield fed("encoder with all", ONE_HOT, "recurrent_encoder", cell="GRU", reset_after=False, **options)


def conv_encoder() -> Iterator[Case]:
    for padding in ("valid", "same", "causal"):
        for pooling in ("flatten", "max", "average", "none"):
            options = {"padding": padding, "pooling": pooling, "filters": [3, 4], "kernel_sizes": [3, 2], "strides": [2, 1]}
            yield fed(f"convolution {padding} {pooling}", SEQUENCE, "conv_encoder", **options)
    yield fed("convolution dense", IDS, "conv_encoder", embedding=3, dense_units=[5, 4], dropout=0.1, batch_normalization=True)


def bottleneck() -> Iterator[Case]:
    yield fed("bottleneck", VECTOR, "bottleneck", units=3)
    yield fed("bottleneck noisy", VECTOR, "bottleneck", units=3, noise=0.1, batch_normalization=True, activation="tanh")
    yield fed("bottleneck variational", VECTOR, "bottleneck", units=3, variational=True)
    blocks = [ONE_HOT, block("encoder", "recurrent_encoder", units=[4, 2]), block("it", "bottleneck", units=3)]
    yield "bottleneck of states", blocks, ["source.output -> encoder.inputs", "encoder.states -> it.inputs"]
    blocks = [ONE_HOT, block("encoder", "recurrent_encoder", units=[4], cell="GRU"), block("it", "bottleneck", units=3)]
    parameters = {"units": 3, "input_batch_normalization": True, "variational": True}
    several = [ONE_HOT, block("encoder", "recurrent_encoder", units=[4, 2]), block("it", "bottleneck", **parameters)]
    yield "bottleneck of normalised states", several, ["source.output -> encoder.inputs", "encoder.states -> it.inputs"]
    yield "bottleneck of one state", blocks, ["source.output -> encoder.inputs", "encoder.states -> it.inputs"]


def recurrent_decoder() -> Iterator[Case]:
    for cell in ("LSTM", "GRU"):
        yield decoder(f"decoder {cell}", ONE_HOT, cell=cell)
        yield decoder(f"decoder {cell} split", ONE_HOT, cell=cell, split_states=True)
        yield decoder(f"decoder {cell} free", ONE_HOT, latent=False, mode="free_running", cell=cell, units=[5])
        yield decoder(f"decoder {cell} repeat", VECTOR, latent=False, mode="repeat_vector", cell=cell, length=6)
    yield decoder("decoder repeat with states", VECTOR, mode="repeat_vector", length=6)
    yield decoder("decoder squeeze", ONE_HOT, squeeze_units=3)
    yield decoder("decoder embedding", IDS, embedding=4, mask_padding=True)
    yield decoder("decoder masking", SEQUENCE, mask_padding=True)
    yield decoder("decoder of any length", RAGGED, batch_normalization=False)
    head = {"head": [9, 5], "head_activation": "tanh", "head_dropout": 0.1}
    yield decoder("decoder with a head", ONE_HOT, dropout_per_layer=[0.1, 0.2], output_dropout=0.3, **head)
    options = {"reset_after": False, "dropout": 0.1, "recurrent_dropout": 0.1, "output_activation": "linear"}
    yield decoder("decoder with all", SEQUENCE, cell="GRU", momentum=0.8, **options)


def attention() -> Iterator[Case]:
    """Decoders that attend to the memory of an encoder, or to a sequence."""
    forms = ("luong_dot", "luong_general", "bahdanau", "multi_head")
    for form, cell, masked in zip(forms, ("LSTM", "GRU", "LSTM", "GRU"), (True, False, False, True), strict=True):
        for steps, mode in ((9, "teacher_forced"), (None, "free_running")):
            known = designs.attentive(form, cell, masked, steps, mode, **({"context_units": 0} if steps else {}))
            name = f"attention {form} {mode}"
            yield renamed(name, known, "decoder")
    for feeding, mode in (("luong", "free_running"), ("bahdanau", "teacher_forced")):
        fed_steps = designs.attentive("luong_general", "GRU", mode=mode, input_feeding=feeding, units=[6, 5])
        both = [
            msgspec.structs.replace(each, parameters=msgspec.structs.replace(each.parameters, units=(6, 5)))
            if each.id == "encoder" else each
            for each in fed_steps.blocks
        ]  # fmt: skip
        yield renamed(f"input feeding {feeding}", Design(tuple(both), fed_steps.links), "decoder")
    yield renamed("memory of numbers", masked_numbers(), "decoder")
    states = {"units": [6], "split_states": True, "attention": "bahdanau", "squeeze_units": 5, "head": [4]}
    name, blocks, links = decoder("attention to a sequence", ONE_HOT, **states)
    yield name, [*blocks, block("other", "float_sequence", length=None, features=3)], [*links, "other.output -> it.memory"]


def masked_numbers() -> Design:
    """A memory of numbers, whose steps of zeros are padding."""
    known = designs.attentive("luong_general")
    blocks = [block("source", "float_sequence", length=9, features=4) if each.id == "source" else each for each in known.blocks]
    encoder = block(
        "encoder", "recurrent_encoder", units=[6], mask_padding=True, output=["states", "memory"], bidirectional=False
    )
    return Design(tuple(encoder if each.id == "encoder" else each for each in blocks), known.links)


def renamed(name: str, known: Design, tested: str) -> Case:
    """A whole design as a case: without its loss, and with the block under test named `it`."""
    blocks = [
        msgspec.structs.replace(each, id="it") if each.id == tested else each for each in known.blocks if each.id != "loss"
    ]
    links = [str(link).replace(f"{tested}.", "it.") for link in known.links if link.target.block != "loss"]
    return name, blocks, links


def transformer_encoder() -> Iterator[Case]:
    small = {"layers": 2, "width": 6, "heads": 2, "feed_forward": 5}
    for positions in ("sinusoidal", "learned", "none"):
        for source in (IDS, SEQUENCE):
            options = small | {"positions": positions, "output": ["memory", "sequence", "code"]}
            yield fed(f"transformer encoder {positions} of {source.kind}", source, "transformer_encoder", **options)
    options = small | {"normalization": "after", "normalization_layer": "RMSNormalization", "head_width": 5}
    yield fed("transformer encoder after", IDS, "transformer_encoder", output=["code"], mask_padding=False, **options)
    yield fed("transformer encoder first", IDS, "transformer_encoder", output=["code"], pooling="first", **small)
    yield fed("transformer encoder of any length", RAGGED, "transformer_encoder", positions="none", output=["code"], **small)


def transformer_decoder() -> Iterator[Case]:
    small = {"layers": 2, "width": 6, "heads": 2, "feed_forward": 5, "output_units": 7}
    for source in (IDS, SEQUENCE, ONE_HOT):
        options = small | {"memories": 0, "mask_padding": True, "positions": "learned"}
        yield fed(f"transformer language model of {source.kind}", source, "transformer_decoder", **options)
    for activation in ("softmax", "linear"):
        options = small | {"memories": 0, "tie_embeddings": True, "output_activation": activation}
        yield fed(
            f"transformer language model, tied, {activation}", IDS, "transformer_decoder", **options | {"output_units": 6}
        )
    encoder = block("encoder", "transformer_encoder", layers=1, width=4, heads=2, feed_forward=5)
    links = ["source.output -> it.inputs", "source.output -> encoder.inputs", "encoder.memory -> it.memory"]
    for normalization in ("before", "after"):
        options = small | {"normalization": normalization, "attention_dropout": 0.1, "output_activation": "linear"}
        yield f"transformer decoder {normalization}", [IDS, encoder, block("it", "transformer_decoder", **options)], links
    options = small | {"memories": 3, "prefix": True, "mask_padding": True}
    more = ["latent.output -> it.memory_2", "source.output -> it.memory_3", "latent.output -> it.prefix"]
    latent = block("latent", "vector", width=3)
    yield "transformer decoder of all", [SEQUENCE, latent, encoder, block("it", "transformer_decoder", **options)], links + more


STACK_LAYERS: dict[str, tuple[Block, dict[str, Any]]] = {
    "Dense": (VECTOR, {"units": 3}),
    "Conv1D": (SEQUENCE, {"filters": 3, "strides": 2, "padding": "valid"}),
    "Recurrent": (SEQUENCE, {"units": 3, "bidirectional": True}),
    "BatchNormalization": (SEQUENCE, {}),
    "LayerNormalization": (SEQUENCE, {}),
    "RMSNormalization": (SEQUENCE, {}),
    "MultiHeadAttention": (SEQUENCE, {"heads": 2, "head_width": 3, "causal": True}),
    "Residual": (SEQUENCE, {}),
    "Activation": (SEQUENCE, {"activation": "gelu"}),
    "Dropout": (SEQUENCE, {}),
    "SpatialDropout1D": (SEQUENCE, {}),
    "GaussianNoise": (VECTOR, {}),
    "Pooling1D": (SEQUENCE, {"how": "average", "size": 2}),
    "GlobalPooling1D": (SEQUENCE, {"how": "average"}),
    "UpSampling1D": (SEQUENCE, {"size": 3}),
    "Flatten": (SEQUENCE, {}),
    "Reshape": (SEQUENCE, {"shape": [6, 6]}),
    "SwapAxes": (SEQUENCE, {}),
    "RepeatVector": (VECTOR, {"times": 4}),
    "Crop": (SEQUENCE, {"start": 2, "end": 1}),
    "Pad": (SEQUENCE, {"start": 2, "end": 1}),
    "Masking": (SEQUENCE, {}),
    "Embedding": (IDS, {"symbols": 6, "units": 3, "mask_padding": True}),
}


def layer_stack() -> Iterator[Case]:
    for name, (source, options) in STACK_LAYERS.items():
        before = [{"layer": "Activation"}] if name == "Residual" else []
        yield fed(f"stack {name}", source, "layer_stack", layers=[*before, {"layer": name, **options}])
    part = [{"layer": "LayerNormalization"}, {"layer": "MultiHeadAttention", "heads": 2}, {"layer": "Residual", "rows": 2}]
    feed_forward = [{"layer": "RMSNormalization"}, {"layer": "Dense", "units": 4}, {"layer": "Residual", "rows": 2}]
    yield fed("stack of attention", SEQUENCE, "layer_stack", layers=[*part, *feed_forward, *part])
    rows = [
        {"layer": "Dense", "units": 4, "per_step": True},
        {"layer": "Recurrent", "cell": "GRU", "units": 3, "return_sequences": False},
        {"layer": "Dense", "units": 2, "activation": "leaky_relu"},
        {"layer": "Pooling1D"},
    ]
    for cell in ("LSTM", "GRU"):
        encoder = block("encoder", "recurrent_encoder", units=[4], cell=cell)
        states = [ONE_HOT, encoder, block("it", "layer_stack", layers=rows[2:3])]
        yield f"stack of states {cell}", states, ["source.output -> encoder.inputs", "encoder.states -> it.inputs"]
    yield fed("stack of three", SEQUENCE, "layer_stack", layers=rows[:3])
    yield fed("stack pooled", SEQUENCE, "layer_stack", layers=[rows[3], rows[0]])
    yield fed("stack global max", SEQUENCE, "layer_stack", layers=[{"layer": "GlobalPooling1D"}])


def merges() -> Iterator[Case]:
    both = [SEQUENCE, block("other", "float_sequence", length=9, features=4)]
    links = ["source.output -> it.input_0", "other.output -> it.input_1"]
    yield "concatenate", [*both, block("it", "concatenate")], links
    yield "concatenate steps", [*both, block("it", "concatenate", axis=1)], links
    yield "add", [*both, block("it", "add")], links
    for kind, cell in (("add", "LSTM"), ("concatenate", "LSTM"), ("concatenate", "GRU")):
        encoders = [block(name, "recurrent_encoder", cell=cell, units=[3, 5]) for name in ("one", "two")]
        wires = ["source.output -> one.inputs", "other.output -> two.inputs"]
        wires += ["one.states -> it.input_0", "two.states -> it.input_1"]
        yield f"{kind} states {cell}", [*both, *encoders, block("it", kind)], wires


CASES = [case for make in (dense_states, recurrent_encoder, conv_encoder, bottleneck, recurrent_decoder, attention,
         transformer_encoder, transformer_decoder, layer_stack, merges) for case in make()]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")


def built(wanted: Design, folder: Path) -> dict[str, Any]:
    from seqdec_gui.runner.program import load_build

    return load_build(designs.write_script(wanted, folder))()


def judged(blocks: list[Block], links: list[str]) -> Design:
    """The design with a loss after every open tensor of `it`, so that it is complete."""
    known = infer(design(blocks, links))
    losses: list[Block] = []
    for port, type in known.blocks["it"].outputs.items():
        for name, _ in tensors_of(port, type)[:1]:
            if isinstance(type, MemoryType):
                name = port
                decoder = block(f"decode_{name}", "transformer_decoder", layers=1, width=4, output_units=3)
                losses.append(decoder)
                links = [*links, f"source.output -> decode_{name}.inputs", f"it.{port} -> decode_{name}.memory"]
                source = f"decode_{name}.outputs"
            elif isinstance(type, StatesType):
                source, port_of_sum = f"it.{port}", f"gather_{name}"
                losses.append(block(port_of_sum, "bottleneck", units=1))
                links = [*links, f"{source} -> {port_of_sum}.inputs"]
                source = f"{port_of_sum}.code"
            else:
                source = f"it.{port}"
            losses.append(block(f"loss_{name}", "loss", loss="mean_squared_error", metrics=[]))
            links = [*links, f"{source} -> loss_{name}.predictions"]
    return design([*blocks, *losses], links)


def names_in(model: Any) -> list[str]:
    found = []
    for layer in model.layers:
        found.append(layer.name)
        inner = getattr(layer, "layer", None)
        if type(layer).__name__ == "TimeDistributed":
            found.append(inner.name)
        if type(layer).__name__ == "Bidirectional":
            found.append(layer.forward_layer.name.removeprefix("forward_"))
    return found


@pytest.mark.parametrize(("blocks", "links"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_keras_builds_what_the_domain_says(blocks: list[Block], links: list[str], tmp_path: Path) -> None:
    wanted = judged(blocks, links)
    known = infer(wanted)
    models = built(wanted, tmp_path)

    assert known.parameters == models["full"].count_params()
    assert known.trainable == sum(weight.numpy().size for weight in models["full"].trainable_weights)
    for name, inferred in known.blocks.items():
        if inferred.submodel is None:
            continue
        model = models[name]
        assert inferred.parameters == model.count_params()
        assert sorted(inferred.submodel.layer_names()) == sorted(names_in(model))
        types = [tensor for port, type in inferred.outputs.items() for _, tensor in tensors_of(port, type)]
        assert [(None, *tensor.shape) for tensor in types] == [tuple(tensor.shape) for tensor in model.outputs]
        for call in inferred.submodel.calls:
            assert call.parameters == model.get_layer(call.layer.name).count_params(), call.layer.name


def test_every_kind_and_every_layer_of_a_stack_is_in_the_grid() -> None:
    import typing

    used = {each.kind for case in CASES for each in case[1]} | {"loss", "keras_model"}  # the export tests import Keras files
    assert used == set(KINDS)
    assert set(STACK_LAYERS) == {row.type_name() for row in typing.get_args(AnyStackLayer)}


PUBLISHED: dict[str, tuple[Design, int]] = {
    "archetype": (archetype(), 232_214),
    "caption model": (
        design(
            [
                block("image", "vector", width=4096),
                block("words", "token_sequence", length=34, symbols=2539, encoding="ids"),
                block("states", "dense_states", cell="GRU", units=[512], activation="linear", batch_normalization=False),
                block(
                    "decoder", "recurrent_decoder", cell="GRU", units=[512], reset_after=False, embedding=512,
                    batch_normalization=False, output_units=2539,
                ),
                block("loss", "loss"),
            ],
            ["image.output -> states.inputs", "words.output -> decoder.inputs", "states.states -> decoder.initial_states",
             "decoder.outputs -> loss.predictions"],
        ),
        6_274_539,
    ),
    "character translation": (
        design(
            [
                block("source", "token_sequence", length=None, symbols=71),
                block("target", "token_sequence", length=None, symbols=93),
                block("encoder", "recurrent_encoder", units=[256]),
                block("decoder", "recurrent_decoder", units=[256], batch_normalization=False, output_units=93),
                block("loss", "loss"),
            ],
            ["source.output -> encoder.inputs", "target.output -> decoder.inputs",
             "encoder.states -> decoder.initial_states", "decoder.outputs -> loss.predictions"],
        ),
        718_173,
    ),
    "SMILES decoder": (
        design(
            [
                block("descriptors", "vector", width=7),
                block("smiles", "token_sequence", length=142, symbols=35),
                block("states", "dense_states", units=[256, 256, 256]),
                block("decoder", "recurrent_decoder", units=[256, 256, 256], output_units=35),
                block("loss", "loss"),
            ],
            ["descriptors.output -> states.inputs", "smiles.output -> decoder.inputs",
             "states.states -> decoder.initial_states", "decoder.outputs -> loss.predictions"],
        ),
        1_380_131,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models_have_their_published_counts_in_keras(name: str, tmp_path: Path) -> None:
    wanted, count = PUBLISHED[name]
    models = built(wanted, tmp_path)
    assert models["full"].count_params() == infer(wanted).parameters == count


def test_the_archetype_has_the_counts_of_its_submodels_in_keras(tmp_path: Path) -> None:
    models = built(archetype(), tmp_path)
    assert (models["model_1"].count_params(), models["model_2"].count_params()) == (8_192, 224_022)
    assert sum(weight.numpy().size for weight in models["full"].trainable_weights) == 230_678


def test_a_frozen_block_trains_nothing(tmp_path: Path) -> None:
    frozen = archetype(trainable=False)
    models = built(frozen, tmp_path)
    assert infer(frozen).trainable == sum(weight.numpy().size for weight in models["full"].trainable_weights)
    assert models["model_2"].trainable_weights == []


def test_the_training_model_gives_mean_and_log_variance_of_every_variational_bottleneck(tmp_path: Path) -> None:
    import numpy as np

    from seqdec_gui.runner.program import Program, training_model

    wanted = designs.variational()
    script = designs.write_script(wanted, tmp_path)
    program = Program.of(wanted, script)
    models = program.build_models()
    model = training_model(models, program)
    given = np.random.default_rng(0).random((3, 9, 10), np.float32)
    letters, numbers, mean, log_variance = (np.asarray(tensor) for tensor in model([given]))
    code = models["encoder"](given)
    expected = [np.asarray(tensor) for tensor in models["bottleneck"](code)]

    assert [letters.shape, numbers.shape] == [(3, 9, 10), (3, 3)]
    np.testing.assert_allclose(mean, expected[1], atol=1e-6)
    np.testing.assert_allclose(log_variance, expected[2], atol=1e-6)
    np.testing.assert_allclose(mean, expected[0], atol=1e-6)  # no noise at inference
    assert [variable.path for variable in model.trainable_variables] == [
        variable.path for variable in models["full"].trainable_variables
    ]


def test_tensor_types_of_an_input_are_those_of_keras(tmp_path: Path) -> None:
    models = built(designs.translation(), tmp_path)
    known = infer(designs.translation())
    for tensor in models["full"].inputs:
        type = known.blocks[tensor.name].outputs["output"]
        assert isinstance(type, TensorType)
        assert ((None, *type.shape), type.dtype) == (tuple(tensor.shape), tensor.dtype)
