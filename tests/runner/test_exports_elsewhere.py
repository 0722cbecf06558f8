"""Exports for other libraries: each opens its file in a process of its own and predicts what was trained."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.validation import check
from seqdec_gui.runner.export import writer_of
from seqdec_gui.runs.export_formats import EXPORT_FORMATS
from tests.domain.designs import block, design
from tests.runner import designs
from tests.runner.test_export import export, masked_rows, some_inputs, trained_models, unmasked

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:.*destroy the mask information"),
]
ROOT = Path(__file__).resolve().parents[2]
FORMATS = ("keras2-h5", "savedmodel", "onnx", "tflite")


@pytest.fixture(scope="module")
def processes() -> Iterator[dict[str, Any]]:
    """A process for each library, which has imported nothing else."""
    from seqdec_gui.runner.reopen import FreshProcess

    started = {EXPORT_FORMATS[name].opened_by: FreshProcess(EXPORT_FORMATS[name].opened_by) for name in FORMATS}
    yield started
    for process in started.values():
        process.__exit__(None, None, None)


def every_layer() -> Design:
    """The layers of a table that are not in the other designs, with every activation."""
    activations = [
        "relu",
        "tanh",
        "sigmoid",
        "elu",
        "selu",
        "gelu",
        "silu",
        "softplus",
        "softsign",
        "exponential",
        "leaky_relu",
    ]
    rows = [
        {"layer": "Conv1D", "filters": 6, "kernel_size": 4, "padding": "same"},
        {"layer": "Conv1D", "filters": 6, "kernel_size": 3, "padding": "causal", "activation": "tanh"},
        {"layer": "Conv1D", "filters": 5, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "linear"},
        {"layer": "UpSampling1D", "size": 3},
        {"layer": "Pooling1D", "how": "average", "size": 2},
        {"layer": "Pooling1D", "how": "max", "size": 2},
        {"layer": "LayerNormalization"},
        {"layer": "BatchNormalization"},
        {"layer": "Recurrent", "units": 4, "bidirectional": True},
        {"layer": "Dense", "units": 4, "per_step": True, "activation": "tanh"},
        *({"layer": "Activation", "activation": name} for name in activations),
        {"layer": "Dropout"},
        {"layer": "Flatten"},
        {"layer": "Reshape", "shape": [4, 3]},
        {"layer": "Recurrent", "cell": "GRU", "units": 3, "return_sequences": False},
        {"layer": "Dense", "units": 5, "activation": "softmax"},
    ]
    return design(
        [
            block("text", "token_sequence", length=9, symbols=10),
            block("top", "layer_stack", layers=rows),
            block("loss", "loss"),
        ],
        ["text.output -> top.inputs", "top.outputs -> loss.predictions"],
    )


def every_option_but_two() -> Design:
    """Without what Keras 2 does not have: RMSNormalization, and a mask of padding beside the causal one."""
    made = designs.every_option_of_attention()
    kind = msgspec.structs.replace(made.block("decoder").parameters, mask_padding=False)
    return made.with_parameters("decoder", kind)


DESIGNS = {
    "frozen and bidirectional": unmasked,
    "masks on both sides": designs.translation,
    "GRU, both ways, masked": lambda: designs.translation("GRU", bidirectional=True, steps=7),
    "masked rows": masked_rows,
    "two losses": designs.variational,
    "GRU that resets before": lambda: designs.stack(cell="GRU", squeeze=4),
    "every layer": every_layer,
    "attention": lambda: designs.transformer(encoder={"activation": "gelu"}, decoder={"activation": "gelu"}),
    "attention with tied embeddings": lambda: designs.attentive_language("ids", tie_embeddings=True),
    "attention with a prefix and two memories": every_option_but_two,
    "Bahdanau's attention of a GRU": lambda: designs.attentive("bahdanau", "GRU", head=[5]),
    "Luong's attention, fed to the next step": lambda: designs.attentive("luong_general", input_feeding="luong"),
}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", DESIGNS)
def test_the_library_that_a_format_is_for_predicts_what_was_trained(
    name: str, format: str, tmp_path: Path, processes: dict[str, Any]
) -> None:
    models = trained_models(DESIGNS[name](), tmp_path)
    inputs = some_inputs(models["full"])
    for array in inputs:  # sequences that end early, that begin late, and one without a step
        if array.ndim > 1 and array.shape[1] > 3:
            array[1, 4:], array[2, :2], array[2, 3] = 0, 0, 0
            array[3] = 0
    row = EXPORT_FORMATS[format]
    output = tmp_path / f"made{row.proposed_ending}"
    if format == "keras2-h5" and "layer_not_in_keras2" in {problem.code for problem in check(DESIGNS[name]()).problems}:
        with pytest.raises(InvalidInput, match="keras2-h5 cannot carry full"):
            export(models, "full", format, output, processes[row.opened_by], inputs=inputs)
        return
    saved = export(models, "full", format, output, processes[row.opened_by], inputs=inputs)
    assert saved.paths == (output,)
    assert 0 <= saved.difference <= writer_of(row).tolerance(models["full"])
    assert saved.bytes > 1000
    assert saved.seconds > 0
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_onnx_file_takes_any_number_of_rows_and_steps(tmp_path: Path, processes: dict[str, Any]) -> None:
    import onnxruntime

    models = trained_models(designs.stack(), tmp_path)
    export(models, "full", "onnx", tmp_path / "made.onnx", processes["onnxruntime"])
    session = onnxruntime.InferenceSession(str(tmp_path / "made.onnx"))
    assert [each.name for each in session.get_inputs()] == ["latent", "decoder_inputs"]
    longer = some_inputs(models["full"], rows=3)
    short = session.run(None, {"latent": longer[0], "decoder_inputs": longer[1][:, :4]})[0]
    whole = session.run(None, {"latent": longer[0], "decoder_inputs": longer[1]})[0]
    assert short.shape[:2] == (3, 4)
    assert np.allclose(short, whole[:, :4], atol=1e-6)  # a step does not depend on later ones
    operators = {node.op_type for node in _graph(tmp_path / "made.onnx").node}
    assert "LSTM" in operators
    assert operators.isdisjoint({"Loop", "Scan", "If"})


def _graph(path: Path) -> Any:
    import onnx

    return onnx.load(path).graph


def test_onnx_is_written_from_jax_on_a_machine_without_tensorflow(tmp_path: Path) -> None:
    script = designs.write_script(designs.translation(), tmp_path)
    code = f"""
import sys
sys.modules["tensorflow"] = None
from pathlib import Path
import numpy as np
from seqdec_gui.runner.export import fresh_copy
from seqdec_gui.runner.exports.onnx_model import onnx_model
from seqdec_gui.runner.program import load_build
from seqdec_gui.runner.reopen import predictions
import onnxruntime
model = fresh_copy(load_build(Path({str(script)!r})))["full"]
inputs = [np.array([[3, 4, 0, 0, 0, 0, 0], [0, 0, 5, 6, 7, 0, 0]], np.int32), np.ones((2, 9), np.int32)]
made = onnx_model(model, ["source", "target"], ["decoder"], {{}}, "1").SerializeToString()
found = onnxruntime.InferenceSession(made).run(None, dict(zip(["source", "target"], inputs)))
print(float(np.abs(found[0] - predictions(model, inputs)[0]).max()))
"""
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=200)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.splitlines()[-1]) < 1e-5


def test_a_layer_that_onnx_is_not_written_for_is_named(tmp_path: Path, processes: dict[str, Any]) -> None:
    import keras

    inputs = keras.Input((5, 5, 3), name="image")
    outputs = keras.layers.Flatten()(keras.layers.Conv2D(2, 3, name="convolution")(inputs))
    models = {"full": keras.Model(inputs, outputs, name="full")}
    with pytest.raises(InvalidInput, match=r"onnx cannot carry full: its layer convolution \(Conv2D\) .*not written") as caught:
        export(models, "full", "onnx", tmp_path / "made.onnx", processes["onnxruntime"])
    assert [problem.code for problem in caught.value.problems] == ["not_in_onnx"]
    assert list(tmp_path.iterdir()) == []


def test_an_activation_that_means_another_function_in_keras_2_is_refused_and_said_before(
    tmp_path: Path, processes: dict[str, Any]
) -> None:
    wanted = design(
        [
            block("latent", "vector", width=3),
            block("top", "layer_stack", layers=[{"layer": "Dense", "units": 3, "activation": "hard_sigmoid"}]),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        ["latent.output -> top.inputs", "top.outputs -> loss.predictions"],
    )
    assert "activation_not_in_keras2" in {problem.code for problem in check(wanted).problems}
    assert "activation_not_in_keras2" not in {problem.code for problem in check(designs.stack()).problems}
    models = trained_models(wanted, tmp_path)
    with pytest.raises(InvalidInput, match="hard_sigmoid: Keras 2 computes it as"):
        export(models, "full", "keras2-h5", tmp_path / "made.h5", processes["tf_keras"])


def test_a_folder_with_other_files_is_never_replaced_by_a_saved_model(tmp_path: Path, processes: dict[str, Any]) -> None:
    models = trained_models(designs.stack(), tmp_path)
    process, target = processes["tensorflow"], tmp_path / "made"
    export(models, "full", "savedmodel", target, process)
    before = {path.name for path in target.iterdir()}
    export(models, "full", "savedmodel", target, process)
    assert {path.name for path in target.iterdir()} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(InvalidInput, match="is a folder with other files"):
        export(models, "full", "savedmodel", tmp_path / "mine", process)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_names_of_inputs_and_results_are_those_of_the_model(tmp_path: Path, processes: dict[str, Any]) -> None:
    import tensorflow as tf

    models = trained_models(designs.stack(), tmp_path)
    export(models, "full", "savedmodel", tmp_path / "made", processes["tensorflow"], results=["model_2"])
    loaded = tf.saved_model.load(str(tmp_path / "made"))
    signature = loaded.signatures["serving_default"]
    assert sorted(signature.structured_input_signature[1]) == ["decoder_inputs", "latent"]
    assert list(signature.structured_outputs) == ["model_2"]


@pytest.mark.parametrize("format", FORMATS)
def test_slices_of_an_imported_model_are_written(format: str, tmp_path: Path, processes: dict[str, Any]) -> None:
    import keras

    x = keras.Input((None, 4), name="steps")
    y = keras.layers.LSTM(6, return_sequences=True)(x)
    parts = [y[:, -1, :], keras.layers.GRU(3)(y[:, None, 0, 1::2]), keras.layers.GRU(2)(y[:, 1:3, -2:])]
    model = keras.Model(x, keras.layers.Dense(3)(keras.layers.Concatenate()(parts)))
    row = EXPORT_FORMATS[format]
    inputs = [np.random.default_rng(0).normal(size=(5, 6, 4)).astype("float32")]
    output = tmp_path / f"made{row.proposed_ending}"
    saved = export({"full": model}, "full", format, output, processes[row.opened_by], inputs=inputs)
    assert saved.difference <= row.tolerance
