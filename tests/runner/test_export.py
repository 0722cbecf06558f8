"""Exports: plain Keras opens them in a fresh process, and they predict what was trained, or they are not there."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs.export_formats import EXPORT_FORMATS
from tests.domain.designs import block, design
from tests.runner import designs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
Array = npt.NDArray[Any]


def unmasked() -> Design:
    """Encoder and decoder with the same cells, embeddings, a frozen block; names and weights are where .h5 goes wrong."""
    return design(
        [
            block("source", "token_sequence", length=7, symbols=10, encoding="ids"),
            block("target", "token_sequence", length=9, symbols=10, encoding="ids"),
            block("encoder", "recurrent_encoder", units=[6, 6], bidirectional=True, embedding=5, batch_normalization=True,
                  trainable=False),
            block("decoder", "recurrent_decoder", units=[12, 12], embedding=5, output_units=10, squeeze_units=4),
            block("loss", "loss"),
        ],
        ["source.output -> encoder.inputs", "target.output -> decoder.inputs", "encoder.states -> decoder.initial_states",
         "decoder.outputs -> loss.predictions"],
    )  # fmt: skip


def trained_models(wanted: Design, folder: Path) -> Any:
    """Fresh models whose every weight is random, as `fresh_copy` gives them."""
    from seqdec_gui.runner.export import fresh_copy
    from seqdec_gui.runner.program import load_build

    models = fresh_copy(load_build(designs.write_script(wanted, folder)))
    random = np.random.default_rng(1)
    for name, model in models.items():
        if name != "full":
            model.set_weights([np.abs(random.normal(size=w.shape)) * 0.5 + 0.1 for w in model.get_weights()])
    return models


def export(models: Any, part: str, format: str, output: Path, fresh: Any = None, **source: Any) -> Any:
    """Export a part of these models, compared on `some_inputs`."""
    from seqdec_gui.runner import export
    from seqdec_gui.runner.exports.base import Source

    made = Source(
        models, part, source.pop("inputs", None) or some_inputs(models[part]), **({"design": designs.stack()} | source)
    )
    return export.export(made, format, output, fresh)


def some_inputs(model: Any, rows: int = 5) -> list[Array]:
    random = np.random.default_rng(2)
    return [
        random.integers(0, 10, (rows, *(axis or 7 for axis in tensor.shape[1:]))).astype(np.int32)
        if "int" in str(tensor.dtype)
        else random.normal(size=(rows, *(axis or 7 for axis in tensor.shape[1:]))).astype(np.float32)
        for tensor in model.inputs
    ]


@pytest.fixture(scope="module")
def fresh() -> Iterator[Any]:
    """A process that knows nothing but Keras; starting one takes seconds, so that tests share it."""
    from seqdec_gui.runner.reopen import FreshProcess

    with FreshProcess() as process:
        yield process


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing hidden is left behind."""
    yield tmp_path
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(("format", "part"), [("h5", "full"), ("h5", "encoder"), ("keras", "full"), ("keras", "decoder")])
def test_an_export_is_proved_by_a_fresh_process(format: Any, part: str, folder: Path, fresh: Any) -> None:
    models = trained_models(unmasked(), folder)
    output = folder / f"made.{format}"
    saved = export(models, part, format, output, fresh)

    assert saved.paths == (output,)
    assert saved.rows == 5
    assert 0 <= saved.difference <= 1e-6
    assert output.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(("form", "feeding"), [("bahdanau", "none"), ("multi_head", "none"), ("luong_dot", "luong")])
def test_both_files_of_keras_carry_attention_and_layers_that_are_called_at_every_step(
    form: str, feeding: str, folder: Path, fresh: Any
) -> None:
    models = trained_models(designs.attentive(form, masked=False, input_feeding=feeding), folder)
    for format in ("h5", "keras"):
        saved = export(models, "full", format, folder / f"made.{format}", fresh)
        assert 0 <= saved.difference <= 1e-6


def test_files_hold_no_optimizer_and_no_trace_of_how_they_were_trained(folder: Path, fresh: Any) -> None:
    import keras

    from seqdec_gui.runner.export import fresh_copy
    from seqdec_gui.runner.program import load_build

    script = designs.write_script(unmasked(), folder)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        training = load_build(script)()
        copies = fresh_copy(load_build(script), training)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    training["full"].compile("adam", keras.losses.CategoricalCrossentropy())
    for format in ("h5", "keras"):
        path = folder / f"full.{format}"
        export(copies, "full", format, path, fresh)
        content = path.read_bytes()
        for trace in (b"bfloat16", b"optimizer_weights", b'synchronized": true', b"Adam", b"mirrored"):
            assert trace not in content
        reopened = keras.models.load_model(path, compile=format == "keras")
        assert getattr(reopened, "optimizer", None) is None
        for before, after in zip(training["full"].get_weights(), reopened.get_weights(), strict=True):
            assert np.array_equal(before, after)


def test_a_file_that_predicts_something_else_is_refused_and_removed(
    folder: Path, fresh: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seqdec_gui.runner.exports.keras_file import KerasFile

    models = trained_models(designs.stack(), folder)
    proper_save = KerasFile.save

    def save_something_else(writer: Any, model: Any, path: Path, wanted: Path) -> None:
        before = model.get_weights()
        model.set_weights([weight * 1.01 for weight in before])
        proper_save(writer, model, path, wanted)
        model.set_weights(before)

    monkeypatch.setattr(KerasFile, "save", save_something_else)
    with pytest.raises(SeqdecError, match=r"differs from the trained model by .*at most 1e-05"):
        export(models, "full", "keras", folder / "made.keras", fresh)
    assert not (folder / "made.keras").exists()


def test_weights_that_are_not_numbers_are_not_exported(folder: Path, fresh: Any) -> None:
    models = trained_models(designs.stack(), folder)
    models["model_2"].set_weights([weight * np.nan for weight in models["model_2"].get_weights()])
    with pytest.raises(SeqdecError, match="not finite"):
        export(models, "full", "keras", folder / "made.keras", fresh)


@pytest.mark.parametrize("wanted", ["embedding", "one-hot rows"])
def test_a_mask_is_refused_for_h5_and_keras_is_offered(wanted: str, folder: Path, fresh: Any) -> None:
    made = designs.translation() if wanted == "embedding" else masked_rows()
    models = trained_models(made, folder)
    with pytest.raises(InvalidInput, match=r"An \.h5 file cannot carry full: .*mask_padding.*Export as \.keras"):
        export(models, "full", "h5", folder / "made.h5", fresh)
    assert not (folder / "made.h5").exists()
    assert export(models, "full", "keras", folder / "made.keras", fresh).difference <= 1e-6


def masked_rows() -> Design:
    return design(
        [
            block("source", "token_sequence", length=7, symbols=10),
            block("encoder", "recurrent_encoder", units=[6], mask_padding=True, output=["code"]),
            block("head", "layer_stack", layers=[{"layer": "Dense", "units": 4, "activation": "softmax"}]),
            block("loss", "loss", metrics=["token_accuracy"]),
        ],
        ["source.output -> encoder.inputs", "encoder.code -> head.inputs", "head.outputs -> loss.predictions"],
    )


def test_an_exported_script_is_the_model_and_runs_alone(folder: Path, fresh: Any) -> None:
    wanted = unmasked()
    models = trained_models(wanted, folder)
    target = folder / "handed over"
    saved = export(models, "full", "script", target, fresh, design=wanted)

    assert saved.paths == (target / "model.py",)
    assert saved.difference <= 1e-6
    done = subprocess.run([sys.executable, "model.py"], cwd=target, capture_output=True, text=True, check=True, timeout=120)
    assert f"{models['full'].count_params():,}" in done.stdout
    assert list(target.glob(".*")) == []


def test_a_script_takes_the_keras_files_it_opens_with_it(folder: Path, fresh: Any) -> None:
    import keras
    import msgspec

    from seqdec_gui.runner.export import fresh_copy
    from seqdec_gui.runner.keras_files import inspect
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.script_files import write_script

    inputs = keras.Input((3,), name="vector in")
    made = keras.Model(inputs, keras.layers.Dense(4, activation="softmax", name="head")(inputs), name="mine")
    made.save(folder / "mine.keras")
    found = inspect(folder / "mine.keras")
    assert [tensor.name for tensor in found.inputs] == ["vector_in"]
    imported = block("imported", "keras_model", file="mine.keras", sha256=found.sha256, parameter_count=found.parameters,
                     trainable_count=found.trainable, layer_names=[layer.name for layer in found.layers],
                     model_inputs=msgspec.to_builtins(found.inputs),
                     model_outputs=msgspec.to_builtins(found.outputs))  # fmt: skip
    output = found.outputs[0].name
    wanted = design(
        [block("latent", "vector", width=3), imported, block("loss", "loss", metrics=["token_accuracy"])],
        ["latent.output -> imported.vector_in", f"imported.{output} -> loss.predictions"],
    )
    (folder / "run").mkdir()
    write_script(wanted, folder / "run" / "model.py", (folder,))
    models = fresh_copy(load_build(folder / "run" / "model.py"))
    target = folder / "out"
    target.mkdir()
    saved = export(models, "full", "script", target, fresh, design=wanted, keras_files=(folder / "run", folder))

    assert {path.name for path in saved.paths} == {"model.py", "imported.keras"}
    assert saved.difference <= 1e-6
    made.layers[-1].set_weights([weight + 1 for weight in made.layers[-1].get_weights()])
    made.save(folder / "mine.keras")
    with pytest.raises(InvalidInput, match="has changed"):
        write_script(wanted, folder / "other.py", (folder,))


def test_the_dry_run_says_which_formats_carry_the_model(folder: Path) -> None:
    import random

    import keras  # noqa: F401, draws random numbers of its own when it is imported first

    from seqdec_gui.runner.export import dry_run
    from seqdec_gui.runner.program import load_build

    random.seed(4)
    state = random.getstate()
    assert dry_run(load_build(designs.write_script(designs.stack(), folder)), folder) == (("h5", "keras"), ())
    good, problems = dry_run(load_build(designs.write_script(designs.translation(), folder)), folder)
    assert good == ("keras",)
    assert [(problem.severity, problem.code) for problem in problems] == [("warning", "not_in_h5")]
    assert random.getstate() == state
    with pytest.raises(InvalidInput, match="mask_padding"):
        dry_run(load_build(designs.write_script(designs.translation(), folder)), folder, ("h5",))


def test_paths_that_cannot_be_written_are_refused_at_once(folder: Path) -> None:
    from seqdec_gui.runner.export import checked_output

    (folder / "taken.h5").mkdir()
    for output, why in (
        (folder / "model.pkl", r"ends with \.h5"),
        (folder / "taken.h5", "is a folder"),
        (folder / "nowhere" / "model.h5", "does not exist"),
    ):
        with pytest.raises(InvalidInput, match=why):
            checked_output(output, EXPORT_FORMATS["h5"])
    script = EXPORT_FORMATS["script"]
    assert checked_output(folder, script) == folder / "model.py"
    assert checked_output(folder / "new", script) == folder / "new" / "model.py"
    assert checked_output(folder / "mine.py", script) == folder / "mine.py"
    (folder / "notes").write_text("not a folder")
    with pytest.raises(InvalidInput, match=r"is a file; expected a folder, or a name that ends with \.py"):
        checked_output(folder / "notes", script)


@pytest.mark.parametrize(("format", "given", "written"), [("h5", "A.B.H5", "A.B.h5"), ("script", "X.PY", "X.py")])
def test_an_ending_in_capitals_is_written_as_keras_and_python_look_for_it(
    format: str, given: str, written: str, folder: Path, fresh: Any
) -> None:
    wanted = designs.stack()
    saved = export(trained_models(wanted, folder), "full", format, folder / given, fresh, design=wanted)
    assert saved.paths == (folder / written,)
    assert not (folder / given).exists()


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "jax without tensorflow"])
def test_a_trial_export_tells_the_same_under_every_backend(backend: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    from seqdec_gui.runner.trial_export import TrialExport
    from seqdec_gui.runs import engine_choice

    backend, *without = backend.split(" without ")
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(engine_choice, "find_spec", lambda name: None if name in without else object())
    children: list[dict[str, str]] = []
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **more: children.append(more["env"]) or start(*given, **more))
    with TrialExport(designs.write_script(designs.translation(), folder), folder) as trial:
        assert [problem.code for problem in trial.result()] == ["not_in_h5"]
    expected = [] if backend == "tensorflow" else ["jax" if without else "tensorflow"]
    assert [environment["KERAS_BACKEND"] for environment in children] == expected
    (folder / "model.py").write_text("def build():\n    raise ValueError('no model')\n")
    if backend == "jax":
        with TrialExport(folder / "model.py", folder) as trial:
            (problem,) = trial.result()
        assert problem.severity == "warning"
        assert "no model" in problem.text


@pytest.mark.parametrize(
    ("free", "words"), [(10_000, "No space left on device (0.0 MB are free); make room"), (10**9, "cannot carry")]
)
def test_what_hdf5_says_on_a_full_disk_is_not_taken_for_a_limit_of_the_format(
    free: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from seqdec_gui.runner.exports.keras_file import KerasFile

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Can't destroy cache (slist already enabled?)")

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    monkeypatch.setattr(model, "save", fail)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(SeqdecError) as caught:
        KerasFile(EXPORT_FORMATS["h5"]).save(model, tmp_path / ".a.0123.h5", tmp_path / "a.h5")
    assert words in str(caught.value)
    assert ".a.0123" not in str(caught.value)


def test_a_full_disk_names_the_file_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def fail(path: Path, **_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    monkeypatch.setattr(model, "save", fail)
    with pytest.raises(SeqdecError) as caught:
        export({"full": model}, "full", "h5", tmp_path / "a.h5", inputs=[np.zeros((2, 3), np.float32)])
    assert str(caught.value).startswith(f"{tmp_path / 'a.h5'} could not be written: No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_not_replaced_by_an_export(tmp_path: Path) -> None:
    from seqdec_gui.runner.export import checked_output

    os.mkfifo(tmp_path / "a.h5")
    with pytest.raises(InvalidInput, match="no ordinary file"):
        checked_output(tmp_path / "a.h5", EXPORT_FORMATS["h5"])
