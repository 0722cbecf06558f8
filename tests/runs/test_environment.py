import importlib.metadata
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

import seqdec_gui
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import engine_choice, environment
from seqdec_gui.runs.engine_choice import choose_engine, engine_for_models
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.spec import DeviceChoice, Placement

CPU, CPUS, GPUS = DeviceChoice("cpu"), DeviceChoice("cpu", count=3), DeviceChoice("gpu", gpus=(0, 2))


def made(devices, engine, brief=False, **base):
    return child_environment(Placement(devices, engine), base, brief=brief)


def missing(name):
    raise PackageNotFoundError(name)


def test_gpus_are_chosen_in_the_order_of_the_driver():
    variables = made(GPUS, "tensorflow", CUDA_VISIBLE_DEVICES="5")
    assert variables["CUDA_VISIBLE_DEVICES"] == "0,2"
    assert variables["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert variables["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize("engine", ["tensorflow", "jax"])
def test_a_run_on_the_cpu_sees_no_gpu(engine):
    variables = made(CPUS, engine, CUDA_VISIBLE_DEVICES="0")
    assert variables["CUDA_VISIBLE_DEVICES"] == "-1"
    assert variables["JAX_PLATFORMS"] == "cpu"


def test_jax_fails_rather_than_train_on_the_cpu_when_gpus_were_chosen():
    assert made(GPUS, "jax")["JAX_PLATFORMS"] == "cuda,cpu"


def test_virtual_devices_of_jax_are_flags_and_other_flags_stay():
    flags = "--xla_dump_to=/x --xla_force_host_platform_device_count=8"
    assert made(CPUS, "jax", XLA_FLAGS=flags)["XLA_FLAGS"] == "--xla_dump_to=/x --xla_force_host_platform_device_count=3"
    assert "XLA_FLAGS" not in made(CPUS, "tensorflow", XLA_FLAGS="--xla_force_host_platform_device_count=8")


@pytest.mark.parametrize(
    ("version", "knows"),
    [("0.10.0", False), ("0.10.1", True), ("0.12.0.1", True), ("0.11.0.dev2026", False), ("0.13.0", False)],
)
def test_xla_tries_few_kernels_on_gpus_for_a_brief_child_where_it_knows_how(version, knows, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: version)
    flag = "--xla_gpu_experimental_cost_model_gemm_tiling_options"
    assert made(GPUS, "jax", brief=True).get("XLA_FLAGS", "").startswith(flag) == knows
    assert made(GPUS, "jax", brief=True, XLA_FLAGS=f"{flag}=top=9")["XLA_FLAGS"] == f"{flag}=top=9"
    assert "XLA_FLAGS" not in made(GPUS, "tensorflow", brief=True)
    assert flag not in made(CPUS, "jax", brief=True)["XLA_FLAGS"]
    assert "XLA_FLAGS" not in made(GPUS, "jax")


@pytest.mark.parametrize(("version", "crashes"), [("0.11.1", False), ("0.11.2", True), ("0.12.0", False)])
def test_a_partitioner_that_crashes_on_several_cpus_is_not_used(version, crashes, monkeypatch):
    name = "JAX_USE_SHARDY_PARTITIONER"
    monkeypatch.setattr(importlib.metadata, "version", lambda _: version)
    assert made(CPUS, "jax").get(name) == ("0" if crashes else None)
    assert made(CPUS, "jax", **{name: "1"})[name] == "1"
    assert name not in made(GPUS, "jax")
    assert name not in made(CPUS, "tensorflow")


def test_without_jax_no_flag_is_set(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert "XLA_FLAGS" not in made(GPUS, "jax", brief=True)


def test_memory_of_gpus_is_not_taken_in_advance():
    variables = made(GPUS, "jax")
    assert variables["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert variables["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


def test_children_do_not_each_take_all_cores_for_a_small_factorization():
    assert made(CPU, "jax")["OPENBLAS_NUM_THREADS"] == "1"
    assert made(CPU, "jax", OPENBLAS_NUM_THREADS="4")["OPENBLAS_NUM_THREADS"] == "4"


def test_xla_is_not_told_where_in_python_every_operation_was_made():
    assert made(CPU, "jax")["JAX_TRACEBACK_IN_LOCATIONS_LIMIT"] == "0"
    assert made(CPU, "jax", JAX_TRACEBACK_IN_LOCATIONS_LIMIT="3")["JAX_TRACEBACK_IN_LOCATIONS_LIMIT"] == "3"


def test_the_users_settings_of_frameworks_do_not_leak_into_the_run():
    variables = made(CPU, "tensorflow", KERAS_BACKEND="torch", TF_CONFIG="{}", TF_USE_LEGACY_KERAS="1", HOME="/home/me")
    assert "TF_CONFIG" not in variables
    assert "TF_USE_LEGACY_KERAS" not in variables
    assert variables["HOME"] == "/home/me"
    assert variables["KERAS_BACKEND"] == "tensorflow"


def test_numbers_are_written_with_a_point_whatever_the_locale():
    variables = made(CPU, "tensorflow", LC_ALL="de_DE.UTF-8", LC_NUMERIC="de_DE.UTF-8")
    assert variables["LC_NUMERIC"] == "C"
    assert "LC_ALL" not in variables
    assert variables["LANG"] == "de_DE.UTF-8"


def test_the_base_is_not_changed():
    base = {"KERAS_BACKEND": "torch"}
    child_environment(Placement(CPU, "jax"), base)
    assert base == {"KERAS_BACKEND": "torch"}


def test_a_bare_checkout_is_found_by_the_child_from_anywhere(tmp_path):
    variables = made(CPU, "tensorflow", PATH="/usr/bin:/bin")
    (tmp_path / "msgspec.py").write_text("raise SystemExit('imported from the working folder')")
    code = "import seqdec_gui, msgspec; print(seqdec_gui.__file__)"
    child = subprocess.run(
        [sys.executable, "-c", code], env=variables, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30
    )
    assert child.stdout.strip() == seqdec_gui.__file__


def test_an_installed_package_needs_no_path(monkeypatch, tmp_path):
    monkeypatch.setattr(environment.seqdec_gui, "__file__", str(tmp_path / "site-packages" / "seqdec_gui" / "__init__.py"))
    monkeypatch.setattr(environment.site, "getsitepackages", lambda: [str(tmp_path / "site-packages")])
    assert "PYTHONPATH" not in made(CPU, "tensorflow")


@pytest.fixture
def installed(monkeypatch):
    """Says which modules are to be found, whatever this machine has."""

    def install(*modules):
        monkeypatch.setattr(engine_choice, "find_spec", lambda name: name in modules or None)

    return install


@pytest.mark.parametrize(
    ("modules", "devices", "engine"),
    [
        (("jax", "tensorflow"), CPU, "jax"),
        (("jax", "tensorflow"), DeviceChoice("cpu", count=2), "jax"),
        (("jax",), CPU, "jax"),
        (("tensorflow",), CPU, "tensorflow"),
        (("jax", "tensorflow"), GPUS, "tensorflow"),
        (("jax", "jax_cuda12_plugin", "tensorflow"), GPUS, "jax"),
    ],
)
def test_auto_takes_what_is_installed_and_best_for_the_devices(installed, modules, devices, engine):
    installed(*modules)
    chosen, why = choose_engine("auto", devices)
    assert chosen == engine
    assert why.endswith(".")


def test_an_engine_of_another_version_is_refused_with_those_that_there_are(installed):
    installed("jax", "tensorflow")
    with pytest.raises(InvalidInput, match=r"\(jax, tensorflow\), received 'torch'") as caught:
        choose_engine("torch", CPU)
    assert caught.value.problems[0].code == "unknown_engine"
    with pytest.raises(InvalidInput, match="received 'torch'"):
        made(CPU, "torch")


@pytest.mark.parametrize(
    ("modules", "devices", "engine"),
    [
        (("jax", "tensorflow"), CPU, "tensorflow"),
        (("jax",), CPU, "jax"),
        (("jax", "jax_cuda12_plugin", "tensorflow"), GPUS, "jax"),
        (("jax", "tensorflow"), GPUS, "tensorflow"),
    ],
)
def test_models_are_opened_by_the_framework_that_is_installed(installed, modules, devices, engine):
    installed(*modules)
    assert engine_for_models(devices) == engine


def test_without_a_framework_models_are_refused_with_what_to_install(installed):
    installed("jax")
    with pytest.raises(InvalidInput, match=r"pip install 'seqdec-gui\[gpu\]'.*pip install tensorflow"):
        engine_for_models(GPUS)


def test_products_are_exact_on_gpus_where_a_child_asks_for_it():
    for engine in ("jax", "tensorflow"):
        exact = child_environment(Placement(GPUS, engine), {}, exact=True)
        assert exact["NVIDIA_TF32_OVERRIDE"] == "0"
        assert exact.get("JAX_DEFAULT_MATMUL_PRECISION") == ("highest" if engine == "jax" else None)
        assert "NVIDIA_TF32_OVERRIDE" not in made(GPUS, engine)


def test_an_engine_that_is_not_there_is_refused_with_what_to_install(installed):
    installed("tensorflow")
    with pytest.raises(InvalidInput, match="pip install 'seqdec-gui\\[jax\\]'"):
        choose_engine("jax", CPU)
    installed()
    with pytest.raises(InvalidInput, match="No engine can be used"):
        choose_engine("auto", CPU)
