"""Where short jobs compute: which device, and with which framework."""

import msgspec
import pytest

from seqdec_gui.domain import document
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import devices, engine_choice
from seqdec_gui.runs.devices import Device
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice, Placement, RunSpec
from seqdec_gui.runs.spec import write as write_spec
from seqdec_gui.runs.task_devices import parse_device, place_task
from tests.runner.designs import stack

CPU, GPU, GPUS = DeviceChoice("cpu"), DeviceChoice("gpu", gpus=(1,)), DeviceChoice("gpu", gpus=(1, 2))
ALL = ("jax", "jax_cuda12_plugin", "tensorflow")


@pytest.fixture
def machine(monkeypatch):
    """A machine with these GPUs and modules."""

    def have(gpus=(), modules=ALL):
        listed = (Device("cpu", "cpu", "a CPU"), *(Device(f"gpu:{i}", "gpu", "a GPU") for i in gpus))
        monkeypatch.setattr(devices, "list_devices", lambda: listed)
        monkeypatch.setattr(engine_choice, "find_spec", lambda name: name in modules or None)

    return have


@pytest.fixture
def trained(tmp_path):
    """The folder of a run that trained there."""

    def make(choice, engine):
        run = RunFolder(tmp_path / "run")
        run.path.mkdir()
        placement = Placement(choice, engine) if choice else None
        write_spec(RunSpec(design=document.to_builtins(stack()), placement=placement), run.spec)
        return str(run.path)

    return make


@pytest.mark.parametrize("engine", ["jax", "tensorflow"])
def test_a_run_is_used_on_the_first_gpu_that_it_trained_on_by_its_engine(machine, trained, engine):
    machine(gpus=(0, 1, 2))
    assert place_task(trained(GPUS, engine)) == Placement(GPU, engine)


@pytest.mark.parametrize(
    ("gpus", "modules", "why"),
    [
        ((0,), ALL, "gpu:1 does not exist. This machine has gpu:0 (a GPU)."),
        ((), ALL, "This machine has no GPU that its driver shows"),
        ((0, 1, 2), ("jax",), "installed without GPU support (pip install 'seqdec-gui[gpu]')"),
    ],
)
def test_where_its_gpu_cannot_be_used_the_cpu_is_taken_and_why_is_said(machine, trained, gpus, modules, why):
    machine(gpus, modules)
    placement = place_task(trained(GPUS, "jax"))
    assert (placement.devices, placement.engine) == (CPU, "tensorflow" if "tensorflow" in modules else "jax")
    assert placement.why.startswith("The run trained on gpu:1, and this is computed on the CPU: ")
    assert why in placement.why


def test_another_framework_takes_the_gpu_where_the_run_s_own_is_gone(machine, trained):
    machine((0, 1, 2), ("tensorflow",))
    assert place_task(trained(GPUS, "jax")) == Placement(GPU, "tensorflow")


@pytest.mark.parametrize("choice", [CPU, DeviceChoice("cpu", count=2), None])
def test_a_run_on_cpus_and_one_that_was_never_started_are_used_on_the_cpu(machine, trained, choice):
    machine(gpus=(0, 1))
    assert place_task(trained(choice, "jax")) == Placement(CPU, "tensorflow")


def test_a_run_that_cannot_be_read_is_left_to_the_child_to_refuse(machine, tmp_path):
    machine(gpus=(0,))
    assert place_task(str(tmp_path / "nowhere")) == Placement(CPU, "tensorflow")


def test_what_the_user_says_comes_first(machine, trained):
    machine(gpus=(0, 1, 2))
    run = trained(GPUS, "jax")
    assert place_task(run, CPU) == Placement(CPU, "tensorflow")
    assert place_task(run, DeviceChoice("gpu", gpus=(0,))) == Placement(DeviceChoice("gpu", gpus=(0,)), "jax")
    assert place_task(run, CPU, "jax") == Placement(CPU, "jax")
    assert place_task("", None, "jax") == Placement(CPU, "jax")
    assert place_task() == Placement(CPU, "tensorflow")


def test_without_any_framework_there_is_a_sentence_with_what_to_install(machine, trained):
    machine(modules=())
    with pytest.raises(InvalidInput, match=r"pip install 'seqdec-gui\[jax\]'.*pip install tensorflow"):
        place_task(trained(CPU, "jax"))


def test_one_device_is_parsed_and_several_are_refused(machine):
    machine(gpus=(0, 1))
    assert parse_device(None) == (None, ())
    assert parse_device("cpu") == (CPU, ())
    assert parse_device("gpu:1") == (GPU, ())
    assert parse_device("auto") == (DeviceChoice("gpu", gpus=(0,)), ())
    for text in ("cpu:2", "gpu:0,gpu:1", "gpu"):
        with pytest.raises(InvalidInput, match=r"Expected one device for this, received .*: choose one"):
            parse_device(text)
    with pytest.raises(InvalidInput, match="gpu:7 does not exist"):
        parse_device("gpu:7")


def test_a_busy_gpu_is_taken_with_a_warning(machine, monkeypatch):
    machine(gpus=(0,))
    busy = tuple(msgspec.structs.replace(device, others=device.kind == "gpu") for device in devices.list_devices())
    monkeypatch.setattr(devices, "list_devices", lambda: busy)
    choice, (warning,) = parse_device("gpu:0")
    assert choice == DeviceChoice("gpu", gpus=(0,))
    assert "is busy" in warning
