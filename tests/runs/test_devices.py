import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import devices
from seqdec_gui.runs.devices import Device, list_devices, parse_devices, resolve
from seqdec_gui.runs.spec import DeviceChoice

GIB = 2**30
CPU = Device("cpu", "cpu", "Some CPU", 8, 16 * GIB, GIB, 0.1)
IDLE = Device("gpu:0", "gpu", "H100", None, 80 * GIB, GIB // 2, 0.0)
BUSY = Device("gpu:1", "gpu", "H100", None, 80 * GIB, 20 * GIB, 0.9)
USED = Device("gpu:2", "gpu", "H100", None, 80 * GIB, 0, 0.0, others=2)
ALL = (CPU, IDLE, BUSY, USED)


def test_this_machine_has_a_cpu_with_cores_and_memory():
    cpu, halves = list_devices()[:2]
    assert (cpu.id, halves.id, halves.virtual) == ("cpu", "cpu:2", True)
    assert cpu.cores >= 1
    assert 0 < cpu.memory_used < cpu.memory_total
    assert 0 <= cpu.load <= 1


def test_devices_are_listed_without_a_framework():
    code = "import sys, json; from seqdec_gui.runs import devices; devices.list_devices(); print(json.dumps([*sys.modules]))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout)
    assert not {"tensorflow", "keras", "jax", "torch", "numpy", "PyQt5"} & set(loaded)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("auto", DeviceChoice("auto")),
        ("cpu", DeviceChoice("cpu")),
        ("cpu:2", DeviceChoice("cpu", count=2)),
        ("gpu:0", DeviceChoice("gpu", gpus=(0,))),
        ("gpu:0,gpu:2", DeviceChoice("gpu", gpus=(0, 2))),
        ("gpu:0,2", DeviceChoice("gpu", gpus=(0, 2))),
        (" GPU:2, gpu:0 ", DeviceChoice("gpu", gpus=(2, 0))),
        ("gpu:0,0", DeviceChoice("gpu", gpus=(0,))),
        ("gpu", DeviceChoice("gpu", gpus=(0, 1, 2))),
    ],
)
def test_devices_are_read_as_they_are_written(text, choice):
    assert parse_devices(text, ALL)[0] == choice
    assert parse_devices(str(choice), ALL)[0] == choice


@pytest.mark.parametrize("text", ["", "tpu", "cpu:0", "cpu:1000", "cpu:x", "gpu:", "gpu:0,cpu", "cpu,gpu:0", "gpu:-1", "0"])
def test_what_is_no_device_is_refused_with_examples(text):
    with pytest.raises(InvalidInput, match="cpu"):
        parse_devices(text, ALL)


def test_a_gpu_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(InvalidInput, match=r"gpu:7 does not exist. This machine has gpu:0 \(H100\), gpu:1"):
        parse_devices("gpu:0,gpu:7", ALL)
    with pytest.raises(InvalidInput, match="no GPU that its driver shows; choose cpu"):
        parse_devices("gpu:0", (CPU,))
    with pytest.raises(InvalidInput, match="There is no GPU"):
        parse_devices("gpu", (CPU,))


def test_a_busy_gpu_gives_a_warning_that_says_how_busy():
    warnings = parse_devices("gpu:0,1,2", ALL)[1]
    assert [warning.code for warning in warnings] == ["busy_device"] * 2
    assert "20.0 of 80.0 GiB are in use, its load is 90%" in warnings[0].text
    assert "2 other programs run on it" in warnings[1].text


def test_auto_means_all_idle_gpus_or_the_cpu():
    auto = DeviceChoice("auto")
    assert resolve(auto, ALL) == DeviceChoice("gpu", gpus=(0,))
    assert resolve(auto, (CPU, BUSY)) == DeviceChoice("cpu")
    assert resolve(DeviceChoice("cpu", count=2), ALL) == DeviceChoice("cpu", count=2)


@pytest.mark.parametrize(
    ("variable", "seen"), [(None, True), ("0", False), ("0,1", True), ("", False), ("-1", False), ("GPU-ab", True)]
)
def test_gpus_hidden_from_this_program_are_not_offered(variable, seen):
    variables = {} if variable is None else {"CUDA_VISIBLE_DEVICES": variable}
    assert devices._visible(1, "GPU-abcdef", variables) is seen


class FakeDriver:
    """Stands in for NVML on machines without a GPU: two GPUs, the second of which does not tell its load."""

    def __init__(self):
        import pynvml

        self.real = pynvml

    def __getattr__(self, name):
        getattr(self.real, name)  # only what the real library has may be asked for
        answers = {
            "NVMLError": self.real.NVMLError,
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlSystemGetDriverVersion": lambda: "570.1",
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
            "nvmlDeviceGetName": lambda handle: "H100",
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(total=80 * GIB, used=GIB),
            "nvmlDeviceGetUtilizationRates": self.load,
            "nvmlDeviceGetComputeRunningProcesses": lambda handle: [SimpleNamespace(pid=os.getpid()), SimpleNamespace(pid=1)],
        }
        return answers[name]

    def load(self, handle):
        if handle == 1:
            raise self.real.NVMLError(self.real.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(gpu=42)


def test_gpus_are_described_as_far_as_the_driver_tells(monkeypatch):
    monkeypatch.setattr(devices, "_started_nvml", FakeDriver)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    first, second = list_devices()[2:]
    assert first == Device("gpu:0", "gpu", "H100", None, 80 * GIB, GIB, 0.42, others=1, driver="570.1")
    assert (second.id, second.load) == ("gpu:1", None)
    assert devices.driver_version() == "570.1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [device.id for device in list_devices()[2:]] == ["gpu:1"]
