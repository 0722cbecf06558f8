"""Lists the devices of this machine and resolves a choice of them. GPUs are queried through NVML, never by a framework."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runs.spec import DeviceChoice

BUSY_LOAD = 0.3
"""Load of a GPU above which it counts as busy."""
BUSY_BYTES = 1 << 30
"""Bytes in use on a GPU above which it counts as busy."""
MAX_CPU_DEVICES = 64
"""Most virtual CPU devices."""


class Device(msgspec.Struct, frozen=True):
    """One entry of the device list. `id` is what `--devices` takes: `cpu`, `cpu:2`, `gpu:0`.

    Memory in bytes, `load` from 0 to 1, both None where unknown; `virtual` says that a CPU is split to try parallel code;
    `others` counts programs that compute on the GPU now.
    """

    id: str
    kind: Literal["cpu", "gpu"]
    name: str
    cores: int | None = None
    memory_total: int | None = None
    memory_used: int | None = None
    load: float | None = None
    virtual: bool = False
    others: int = 0
    driver: str = ""

    @property
    def index(self) -> int:
        """The number of a GPU."""
        return int(self.id.partition(":")[2])

    @property
    def busy(self) -> bool:
        """Whether a GPU is at work for somebody: programs on it, over 1 GiB in use, or a load above 30 %."""
        used = self.memory_used or 0
        return self.kind == "gpu" and (self.others > 0 or used > BUSY_BYTES or (self.load or 0) > BUSY_LOAD)


def list_devices() -> tuple[Device, ...]:
    """Return the CPU, two virtual CPU devices, and every GPU that the driver and CUDA_VISIBLE_DEVICES make visible."""
    return (*_cpus(), *_gpus(os.environ))


def parse_devices(text: str, available: Sequence[Device]) -> tuple[DeviceChoice, tuple[Problem, ...]]:
    """Parse a choice of devices (`auto`, `cpu`, `cpu:2`, `gpu:0,gpu:1`, `gpu:0,1`, `gpu`); returns it with warnings.

    `gpu` alone means all of them. Raises InvalidInput: not understood, or a device that does not exist.
    """
    wish = text.strip().lower().replace(" ", "")
    if wish == "auto":
        return DeviceChoice("auto"), ()
    if match := re.fullmatch(r"cpu(?::(\d+))?", wish):
        return _cpu_choice(int(match.group(1) or 1)), ()
    if re.fullmatch(r"gpu(:\d+(,(gpu:)?\d+)*)?", wish):
        present = [device.index for device in available if device.kind == "gpu"]
        numbers = [int(number) for number in re.findall(r"\d+", wish)] or present
        choice = DeviceChoice("gpu", gpus=tuple(dict.fromkeys(numbers)))
        return choice, check_choice(choice, available)
    raise InvalidInput(
        f"Expected devices as auto, cpu, cpu:2, gpu:0 or gpu:0,gpu:1, received {text!r}.", "devices_syntax", "devices"
    )


def check_choice(choice: DeviceChoice, available: Sequence[Device]) -> tuple[Problem, ...]:
    """Return warnings about busy GPUs. Raises InvalidInput for devices that this machine does not have."""
    if choice.kind != "gpu":
        return ()
    gpus = {device.index: device for device in available if device.kind == "gpu"}
    absent = [f"gpu:{index}" for index in choice.gpus if index not in gpus]
    if absent or not choice.gpus:
        there = ", ".join(f"gpu:{index} ({device.name})" for index, device in gpus.items())
        has = f"This machine has {there}." if there else "This machine has no GPU that its driver shows; choose cpu."
        named = f"{', '.join(absent)} does not exist" if absent else "There is no GPU to choose"
        raise InvalidInput(f"{named}. {has}", "no_such_device", "devices")
    return tuple(_busy(gpus[index]) for index in choice.gpus if gpus[index].busy)


def resolve(choice: DeviceChoice, available: Sequence[Device]) -> DeviceChoice:
    """Return the devices that `auto` means now: all GPUs that are not busy, otherwise the CPU. Other choices stay."""
    if choice.kind != "auto":
        return choice
    idle = tuple(device.index for device in available if device.kind == "gpu" and not device.busy)
    return DeviceChoice("gpu", gpus=idle) if idle else DeviceChoice("cpu")


def driver_version() -> str:
    """Return the version of the NVIDIA driver; empty if there is none."""
    with _nvml() as nvml:
        return str(nvml.nvmlSystemGetDriverVersion()) if nvml else ""


def _cpu_choice(count: int) -> DeviceChoice:
    if not 1 <= count <= MAX_CPU_DEVICES:
        raise InvalidInput(
            f"Expected 1 to {MAX_CPU_DEVICES} virtual CPU devices, received cpu:{count}.", "devices_syntax", "devices"
        )
    return DeviceChoice("cpu", count=count)


def _busy(device: Device) -> Problem:
    facts = []
    if device.others:
        facts.append("1 other program runs on it" if device.others == 1 else f"{device.others} other programs run on it")
    if device.memory_used and device.memory_total:
        facts.append(f"{device.memory_used / 2**30:.1f} of {device.memory_total / 2**30:.1f} GiB are in use")
    if device.load is not None:
        facts.append(f"its load is {device.load:.0%}")
    text = f"{device.id} ({device.name}) is busy: {', '.join(facts)}."
    return Problem("warning", "busy_device", "devices", text, "Training will be slower and may run out of memory.")


def _cpus() -> tuple[Device, ...]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    total, used = _main_memory()
    load = min(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)) if hasattr(os, "getloadavg") else None
    whole = Device("cpu", "cpu", _cpu_name(), cores, total, used, load)
    halves = msgspec.structs.replace(whole, id="cpu:2", name=f"2 virtual devices on {whole.name}", virtual=True)
    return whole, halves


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return "CPU"


def _main_memory() -> tuple[int | None, int | None]:
    """Return the total and the used bytes of main memory; None where unknown."""
    with contextlib.suppress(OSError, ValueError, IndexError, KeyError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        amounts = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines}
        return amounts["MemTotal"], amounts["MemTotal"] - amounts["MemAvailable"]
    return None, None


@contextlib.contextmanager
def _nvml() -> Iterator[Any]:
    """NVML, or None where there is no driver."""
    nvml = _started_nvml()
    try:
        yield nvml
    finally:
        if nvml is not None:
            with contextlib.suppress(nvml.NVMLError):
                nvml.nvmlShutdown()


def _started_nvml() -> Any:
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


def _gpus(environment: Mapping[str, str]) -> list[Device]:
    with _nvml() as nvml:
        if nvml is None:
            return []
        driver = _ask(nvml, nvml.nvmlSystemGetDriverVersion) or ""
        gpus = []
        for index in range(nvml.nvmlDeviceGetCount()):
            with contextlib.suppress(nvml.NVMLError):
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                if _visible(index, str(_ask(nvml, nvml.nvmlDeviceGetUUID, handle)), environment):
                    gpus.append(_gpu(nvml, index, handle, str(driver)))
        return gpus


def _gpu(nvml: Any, index: int, handle: Any, driver: str) -> Device:
    memory = _ask(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
    load = _ask(nvml, nvml.nvmlDeviceGetUtilizationRates, handle)
    programs = _ask(nvml, nvml.nvmlDeviceGetComputeRunningProcesses, handle) or []
    return Device(
        id=f"gpu:{index}",
        kind="gpu",
        name=str(nvml.nvmlDeviceGetName(handle)),
        memory_total=int(memory.total) if memory else None,
        memory_used=int(memory.used) if memory else None,
        load=load.gpu / 100 if load else None,
        others=len({program.pid for program in programs} - {os.getpid()}),
        driver=driver,
    )


def _ask(nvml: Any, question: Any, *about: Any) -> Any:
    """Return the answer of an NVML function; None if the device does not support it."""
    try:
        return question(*about)
    except nvml.NVMLError:
        return None


def _visible(index: int, uuid: str, environment: Mapping[str, str]) -> bool:
    if "CUDA_VISIBLE_DEVICES" not in environment:
        return True
    allowed = [entry.strip() for entry in environment["CUDA_VISIBLE_DEVICES"].split(",") if entry.strip()]
    return any(entry == str(index) or (entry.startswith("GPU-") and uuid.startswith(entry)) for entry in allowed)
