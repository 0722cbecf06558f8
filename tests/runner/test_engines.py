"""The registry of engines and their contract, with real engines in children."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.domain import document
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runner import engines, model_device
from seqdec_gui.runner.failures import failure, missing_framework, plain_sentence
from seqdec_gui.runs import process
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.events import Epoch, Started
from seqdec_gui.runs.spec import DeviceChoice, Placement, RunSpec
from seqdec_gui.runs.spec import read as read_spec
from seqdec_gui.runs.spec import write as write_spec
from tests.runner import designs, toy_engine, train_on, without_tensorflow
from tests.runner.real_runs import events, runs_in

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    "exactness_is_what_was_asked_for",
    "questions_are_answered",
    "forward_operations_of_cudnn_are_counted_per_replica",
    "without_reductions_each_device_trains_its_own_rows",
)


@pytest.mark.parametrize("name", ENGINES)
def test_what_a_row_points_to_is_there(name: str) -> None:
    info = ENGINES[name]
    for reference in filter(None, (info.engine, info.begin, info.compiler)):
        module, _, attribute = reference.partition(":")
        source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
        assert f"class {attribute}(" in source or f"def {attribute}(" in source
    assert info.name == name


def test_a_begin_that_fails_leaves_it_to_the_engine_to_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = msgspec.structs.replace(toy_engine.TOY, begin="tests.runner.nowhere:begin")
    monkeypatch.setitem(ENGINES, "toy", broken)
    engines.begin(Placement(DeviceChoice("cpu"), "toy"))
    with pytest.raises(InvalidInput, match="received 'unknown'"):
        engines.begin(Placement(DeviceChoice("cpu"), "unknown"))


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_keeps_its_contract(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.runner.contract_checks", name, str(tmp_path)]
    environment = train_on.environment(name, 2)
    environment.pop("NVIDIA_TF32_OVERRIDE", None)
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert done.stdout.split() == [word for check in CHECKS for word in ("passed", check)]


@pytest.mark.slow
def test_an_engine_of_somebody_else_trains_by_its_row_and_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "toy", toy_engine.TOY)
    with runs_in(tmp_path) as runs:
        spec = runs.spec(designs.stack(units=(6,)), engine="toy", epochs=2)
        run = runs.start("toy", spec, argv=(sys.executable, str(Path(toy_engine.__file__))))
        assert run.wait(120)
        assert process.exit_status(run.run.status()) == 0, run.run.log.read_text()[-2000:]
        usual = runs.finish("usual", msgspec.structs.replace(spec, engine="tensorflow"))
    (started,) = events(run, Started)
    assert started.engine == "toy"
    assert "tensorflow" in started.versions
    losses = [[event.metrics["val_loss"] for event in events(one, Epoch)] for one in (run, usual)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_run_of_an_engine_that_this_version_does_not_know_can_be_read_and_not_started(tmp_path: Path) -> None:
    write_spec(RunSpec(design=document.to_builtins(designs.stack()), engine="torch"), tmp_path / "spec.json")
    spec = read_spec(tmp_path / "spec.json")
    assert spec.engine == "torch"
    with pytest.raises(InvalidInput, match=r"Expected an engine that this version has \(jax, tensorflow\), received 'torch'"):
        process.place(spec)
    with pytest.raises(InvalidInput, match="received 'torch'"):
        child_environment(Placement(DeviceChoice("cpu"), "torch"), {})


# -- a machine without TensorFlow
@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("tensorflow.python", "This needs TensorFlow, which is not installed: pip install tensorflow."),
        ("jaxlib", "This needs JAX, which is not installed: pip install 'seqdec-gui[jax]'."),
        ("yaml", ""),
    ],
)
def test_a_framework_that_is_missing_is_named_with_what_to_install(module: str, sentence: str) -> None:
    error = ModuleNotFoundError(f"No module named {module!r}", name=module)
    assert missing_framework(error) == sentence
    assert (plain_sentence(error, "The training failed") == sentence) == bool(sentence)
    assert failure(error).sentence.startswith(sentence or "The training failed because of a bug")


@pytest.mark.slow
def test_models_are_built_on_the_gpu_that_was_given_and_a_framework_without_one_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with model_device.on_placed_device():
        assert model_device.building_device() == "cpu:0"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(SeqdecError, match="the installed TensorFlow has none that it can use"):
        model_device.on_placed_device().__enter__()
    import keras

    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind: [f"{kind}:0"])
    for backend, device in (("tensorflow", "gpu:0"), ("jax", "cpu:0")):
        monkeypatch.setattr(keras.backend, "backend", lambda backend=backend: backend)
        with model_device.on_placed_device():
            assert model_device.building_device() == device
        assert model_device.building_device() == "cpu:0"


@pytest.mark.slow
@pytest.mark.parametrize(("make", "avoided"), [(designs.translation, 4), (designs.stack, 0)], ids=["masks", "no masks"])
def test_on_a_gpu_a_trained_model_that_masks_leaves_cudnn(
    make: Callable[[], Design], avoided: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There TensorFlow would assert that every row is padded on the right, which nobody knows of rows to come."""
    from seqdec_gui.runner import opened_run as trained
    from seqdec_gui.runner.normalization import all_layers
    from tests.runner.test_task import make_run

    run = make_run(make(), tmp_path)
    on_cpu = trained.open_trained(run.path, "best", tmp_path)
    monkeypatch.setattr(trained, "building_device", lambda: "gpu:0")
    on_gpu = trained.open_trained(run.path, "best", tmp_path)

    def cudnn(opened: trained.OpenedRun) -> list[bool]:
        return [bool(layer.use_cudnn) for layer in all_layers(opened.models["full"]) if hasattr(layer, "use_cudnn")]

    assert cudnn(on_cpu).count(False) == 0
    assert cudnn(on_gpu).count(False) == avoided


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_without_tensorflow_a_trained_run_is_used_on_jax(tmp_path: Path) -> None:
    design = designs.bound(designs.stack(units=(6,)), designs.write_rows(tmp_path), batch_size=8, epochs=1)
    (tmp_path / "a.seqdec").write_bytes(msgspec.json.encode(document.to_builtins(design)))
    environment = without_tensorflow.environment(tmp_path)

    def command(*arguments: object, status: int = 0) -> str:
        line = [sys.executable, "-m", "seqdec_gui", *map(str, arguments)]
        done = subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == status, (done.stdout + done.stderr)[-4000:]
        return done.stdout + done.stderr

    run = tmp_path / "run"
    told = command("train", tmp_path / "a.seqdec", "--run", run)
    assert "TensorFlow cannot be used: tensorflow is not installed (pip install tensorflow)." in told
    for format, name in (("h5", "a.h5"), ("keras", "a.keras"), ("script", "a.py")):
        assert "largest difference" in command("export", run, "--format", format, "-o", tmp_path / name)
        assert (tmp_path / name).stat().st_size > 100
    command("generate", run, "--split", "validation", "-o", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 10
    assert "token_accuracy" in command("evaluate", run, "--split", "validation")
    asked = command("train", tmp_path / "a.seqdec", "--engine", "tensorflow", "--run", tmp_path / "no", status=2)
    assert "pip install tensorflow" in asked
