"""A file that standardises its inputs itself predicts, from the numbers of the data, what the run predicts."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from seqdec_gui.domain.bindings import VectorCodec
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.tasks import ExportTask
from tests.runner import designs
from tests.runner.test_task import do, make_run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
PREDICT = """
import importlib.util, json, pathlib, sys
import keras, numpy

folder = pathlib.Path(sys.argv[1])
with numpy.load(folder / "raw.npz") as arrays:
    vector, steps = arrays["vector"], arrays["steps"]
found = {}
for name in ("full.h5", "full.keras"):
    found[name] = keras.models.load_model(folder / name).predict([vector, steps], verbose=0)
found["model_1.h5 0"] = keras.models.load_model(folder / "model_1.h5").predict(vector, verbose=0)[0]
spec = importlib.util.spec_from_file_location("script", folder / "script.py")
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)
full = script.models_with_raw_inputs()["full"]
full.set_weights(keras.models.load_model(folder / "full.keras").get_weights())
found["script.py"] = full.predict([vector, steps], verbose=0)
numpy.savez(folder / "found.npz", **found)
print(json.dumps([layer.name for layer in keras.models.load_model(folder / "full.h5").layers]))
"""


class Exports(NamedTuple):
    run: RunFolder
    folder: Path
    expected: dict[str, npt.NDArray[Any]]
    """What the run predicts: `full`, and the first output of `model_1`."""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    """A run and its exports with raw inputs, as two formats, as a script and of one block."""
    from seqdec_gui.runner.opened_run import open_trained

    folder = tmp_path_factory.mktemp("raw")
    run = make_run(designs.stack(), folder)
    for name, part in (("full.h5", "full"), ("full.keras", "full"), ("model_1.h5", "model_1"), ("script.py", "full")):
        format = "script" if name == "script.py" else name.rpartition(".")[2]
        made = do(ExportTask(run=str(run.path), format=format, output=str(folder / name), part=part, raw_inputs=True))
        assert made.standardised == ()
        assert made.difference <= 1e-4
    trained = open_trained(run.path, "best", folder)
    vector = designs.rows()["vector"]
    dataset = trained.dataset()
    steps = np.eye(10, dtype=np.float32)[np.random.default_rng(0).integers(0, 10, (len(vector), 9))]
    stored = dataset.arrays["latent"]
    assert np.abs(stored - vector).max() > 1  # they are standardised
    np.savez(folder / "raw.npz", vector=vector, steps=steps)
    models = trained.models
    expected = {
        "full": models["full"].predict([stored, steps], verbose=0),
        "model_1": models["model_1"].predict(stored, verbose=0)[0],
    }
    return Exports(run, folder, expected)


def test_plain_keras_predicts_from_the_numbers_of_the_data(exports: Exports) -> None:
    done = subprocess.run([sys.executable, "-c", PREDICT, str(exports.folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(exports.folder / "found.npz") as found:
        for name in ("full.h5", "full.keras", "script.py"):
            np.testing.assert_allclose(found[name], exports.expected["full"], atol=1e-4)
        np.testing.assert_allclose(found["model_1.h5 0"], exports.expected["model_1"], rtol=1e-4, atol=1e-4)
    layers = json.loads(done.stdout.splitlines()[-1])
    assert layers == ["latent", "Standardise_latent", "decoder_inputs", "full"]


def test_a_file_that_wants_standardised_numbers_says_so_with_the_figures(exports: Exports, tmp_path: Path) -> None:
    made = do(ExportTask(run=str(exports.run.path), format="script", output=str(tmp_path / "a.py")))
    (scaling,) = made.standardised
    assert (scaling.name, scaling.role, len(scaling.mean)) == ("latent", "input", 3)
    text = (tmp_path / "a.py").read_text()
    assert f"# latent: mean = {list(scaling.mean)!r}" in text
    assert "models_with_raw_inputs" not in text
    compile(text, "a.py", "exec")
    decoder = do(ExportTask(run=str(exports.run.path), format="keras", output=str(tmp_path / "a.keras"), part="model_2"))
    assert decoder.standardised == ()


def test_a_run_on_numbers_as_they_are_takes_them_with_and_without(tmp_path: Path) -> None:
    run = make_run(designs.language(), tmp_path)
    made = do(ExportTask(run=str(run.path), format="keras", output=str(tmp_path / "a.keras"), raw_inputs=True))
    assert (made.standardised, made.paths) == ((), (str(tmp_path / "a.keras"),))


def test_numbers_that_float32_cannot_hold_are_refused(exports: Exports) -> None:
    from seqdec_gui.runner.opened_run import open_trained
    from seqdec_gui.runner.raw_inputs import fail_unless_equal, raw_of, with_raw_inputs

    model = open_trained(exports.run.path, "best", exports.folder).models["model_1"]
    z = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    far = [Scaling("latent", "input", (1e6,) * 3, (0.1,) * 3)]
    with pytest.raises(SeqdecError, match="float32 cannot hold numbers that are large compared with their deviation"):
        fail_unless_equal(model, [z], with_raw_inputs(model, far), raw_of([z], far)[1])
    with pytest.raises(InvalidInput, match="divides by 1e-07 at least"):
        with_raw_inputs(model, [msgspec.structs.replace(far[0], deviation=(1.0, 1e-9, 1.0))])


def test_a_run_whose_fitted_data_is_gone_is_exported_with_a_warning(tmp_path: Path) -> None:
    from tests.runner.test_task import Here

    run = make_run(designs.stack(), tmp_path)
    run.data.unlink()
    here = Here()
    here.do(ExportTask(run=str(run.path), format="keras", output=str(tmp_path / "a.keras")))
    assert any("standardised numbers is not known" in getattr(line, "text", "") for line in here.heard)


@pytest.mark.parametrize("standardise", [True, False])
def test_principal_components_are_said_and_carried(standardise: bool, tmp_path: Path) -> None:
    import keras

    from seqdec_gui.runner.opened_run import open_trained
    from tests.runner.test_task import Here

    def reduced(design: Design) -> Design:
        codec = VectorCodec(standardise=standardise, components=2)
        bindings = [msgspec.structs.replace(each, codec=codec) if each.port.startswith("latent") else each
                    for each in design.data.bindings]  # fmt: skip
        return design.with_data(msgspec.structs.replace(design.data, bindings=tuple(bindings)))

    wanted = designs.stack()
    run = make_run(set_value(wanted, "latent.width", "2"), tmp_path, edit=reduced)
    told = Here().do(ExportTask(run=str(run.path), format="script", output=str(tmp_path / "told.py")))
    (scaling,) = told.standardised
    assert "expects 2 principal components of 3 numbers x, axes . (" in scaling.sentence()
    text = (tmp_path / "told.py").read_text()
    assert f"# latent: axes = {list(map(list, scaling.axes))!r}" in text
    assert (f"# latent: mean = {list(scaling.mean)!r}" in text) == standardise
    for format, name in (("keras", "a.keras"), ("script", "a.py")):
        made = Here().do(ExportTask(run=str(run.path), format=format, output=str(tmp_path / name), raw_inputs=True))
        assert (made.standardised, made.difference <= 1e-4) == ((), True)

    trained = open_trained(run.path, "best", tmp_path)
    vector, stored = designs.rows()["vector"], trained.dataset().arrays["latent"]
    assert (vector.shape[1], stored.shape[1]) == (3, 2)
    steps = np.eye(10, dtype=np.float32)[np.random.default_rng(0).integers(0, 10, (len(vector), 9))]
    expected = trained.models["full"].predict([stored, steps], verbose=0)
    opened = keras.models.load_model(tmp_path / "a.keras")
    np.testing.assert_allclose(opened.predict([vector, steps], verbose=0), expected, atol=1e-4)
    found = importlib.util.spec_from_file_location("script", tmp_path / "a.py")
    assert found is not None
    assert found.loader is not None
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)
    full = script.models_with_raw_inputs()["full"]
    full.set_weights(opened.get_weights())
    np.testing.assert_allclose(full.predict([vector, steps], verbose=0), expected, atol=1e-4)


def test_the_range_from_0_to_1_is_said_and_carried() -> None:
    scaling = Scaling("latent", "input", (1.0, -2.0), (4.0, 3.0))  # lowest numbers and spans
    z = np.array([[0.0, 1.0], [0.5, 0.25]], np.float32)
    from seqdec_gui.data.scaling import undo

    assert undo(scaling, z).tolist() == [[1.0, 1.0], [3.0, -1.25]]
    assert "(x - mean) / deviation: mean [1, -2], deviation [4, 3]" in scaling.sentence()


@pytest.mark.parametrize("standardise", [True, False])
def test_missing_numbers_are_filled_in_by_the_file_or_it_is_refused(standardise: bool, tmp_path: Path) -> None:
    import keras

    from seqdec_gui.runner.opened_run import open_trained
    from tests.runner.test_task import Here

    def filled(design: Design) -> Design:
        codec = VectorCodec(standardise=standardise, missing="mean")
        bindings = [msgspec.structs.replace(each, codec=codec) if each.port.startswith("latent") else each
                    for each in design.data.bindings]  # fmt: skip
        return design.with_data(msgspec.structs.replace(design.data, bindings=tuple(bindings)))

    run = make_run(designs.stack(), tmp_path, edit=filled)
    told = Here().do(ExportTask(run=str(run.path), format="script", output=str(tmp_path / "told.py")))
    assert "A missing number x of input latent stands for [" in told.standardised[0].sentence()
    names = {"keras": "a.keras", "script": "a.py"}
    for format in names:
        made = Here().do(ExportTask(run=str(run.path), format=format, output=str(tmp_path / names[format]), raw_inputs=True))
        assert made.difference <= 1e-4
    with pytest.raises(InvalidInput, match="cannot fill in missing numbers of input latent"):
        do(ExportTask(run=str(run.path), format="h5", output=str(tmp_path / "a.h5"), raw_inputs=True))

    trained = open_trained(run.path, "best", tmp_path)
    vector = designs.rows()["vector"]
    vector[::3, 1] = np.nan
    stored = trained.fitted().encode_rows({"latent": vector})["latent"]
    steps = np.eye(10, dtype=np.float32)[np.random.default_rng(0).integers(0, 10, (len(vector), 9))]
    expected = trained.models["full"].predict([stored, steps], verbose=0)
    opened = keras.models.load_model(tmp_path / "a.keras")
    found = opened.predict([vector, steps], verbose=0)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected, atol=1e-4)
