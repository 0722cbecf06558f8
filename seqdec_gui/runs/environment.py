"""The environment of a child: everything that decides engine, devices and memory is set before its Python starts."""

from __future__ import annotations

import re
import site
import sys
import sysconfig
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import seqdec_gui
from seqdec_gui.runs.spec import DeviceChoice, EngineName, Placement

_HOST_DEVICES = "--xla_force_host_platform_device_count"
_TILINGS = "--xla_gpu_experimental_cost_model_gemm_tiling_options"
_FEW_TILINGS = f"{_TILINGS}=top=2,top_from_default=1"
"""XLA compiles and times a dozen kernels for every matrix product, on all cores. These are the two that its model of costs puts
first, nearly as fast (docs/decisions/0017-brief-children-try-few-kernels.md).
"""
_KNOW_TILINGS = ((0, 10, 1), (0, 13))
"""From which version of jaxlib to before which: XLA ends the process at a flag that it does not know."""
_SHARDY_CRASHES = (0, 11, 2)
"""The version of jaxlib whose partitioner ends the process with SIGSEGV, compiling loops for several CPU devices; 0.11.1 and
0.12.0 do not. JAX has another, older one (`JAX_USE_SHARDY_PARTITIONER`).
"""

_DROPPED = (
    "KERAS_BACKEND",
    "CUDA_VISIBLE_DEVICES",
    "JAX_PLATFORMS",
    "JAX_PLATFORM_NAME",
    "JAX_NUM_CPU_DEVICES",
    "TF_CONFIG",
    "TF_USE_LEGACY_KERAS",
    "PYTHONSTARTUP",
    "PYTHONHASHSEED",
    "LC_ALL",
)

_FIXED = {
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the order in which nvidia-ml-py numbers the GPUs
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "LC_NUMERIC": "C",
    "PYTHONUTF8": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONSAFEPATH": "1",  # nothing is imported from the folder in which the child happens to run
}

_UNLESS_GIVEN = {
    "TF_CPP_MIN_LOG_LEVEL": "1",
    "OPENBLAS_NUM_THREADS": "1",  # children share the cores; of BLAS they need small factorizations
    "JAX_TRACEBACK_IN_LOCATIONS_LIMIT": "0",  # XLA would print the Python stack of every operation, for profilers
}

PLACEMENT_ON_CPU = Placement(DeviceChoice("cpu"), "tensorflow")


def child_environment(placement: Placement, base: Mapping[str, str], *, brief: bool = False) -> dict[str, str]:
    """The whole environment of a child that trains as `placement` says; `base` is that of the parent.

    A `brief` one lives for seconds: it compiles fast rather than as well as can be.
    What the user has set of `_UNLESS_GIVEN` and further `XLA_FLAGS` stay; so does the library path.
    """
    devices, engine = placement.devices, placement.engine
    environment = _UNLESS_GIVEN | {name: value for name, value in base.items() if name not in _DROPPED}
    environment.update(_FIXED)
    if base.get("LC_ALL"):
        environment["LANG"] = base["LC_ALL"]
    environment["KERAS_BACKEND"] = engine
    on_gpu = devices.kind == "gpu"
    environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, devices.gpus)) if on_gpu else "-1"
    environment["JAX_PLATFORMS"] = "cuda,cpu" if on_gpu and engine == "jax" else "cpu"
    if engine == "jax" and not on_gpu and _jaxlib_version() == _SHARDY_CRASHES:
        environment.setdefault("JAX_USE_SHARDY_PARTITIONER", "0")
    _set(environment, "XLA_FLAGS", _xla_flags(base.get("XLA_FLAGS", ""), devices, engine, brief))
    _set(environment, "PYTHONPATH", _python_path(base.get("PYTHONPATH", "")))
    return environment


def _set(environment: dict[str, str], name: str, value: str) -> None:
    if value:
        environment[name] = value
    else:
        environment.pop(name, None)


def _xla_flags(before: str, devices: DeviceChoice, engine: EngineName, brief: bool) -> str:
    flags = [flag for flag in before.split() if not flag.startswith(_HOST_DEVICES)]
    if engine == "jax" and devices.kind == "cpu":
        flags.append(f"{_HOST_DEVICES}={devices.count}")
    elif engine == "jax" and brief and _TILINGS not in before and _KNOW_TILINGS[0] <= _jaxlib_version() < _KNOW_TILINGS[1]:
        flags.append(_FEW_TILINGS)
    return " ".join(flags)


def _jaxlib_version() -> tuple[int, ...]:
    """Of the one that children will import; empty without one, and of one that was not released."""
    try:
        found = version("jaxlib")
    except PackageNotFoundError:
        return ()
    return tuple(map(int, found.split("."))) if re.fullmatch(r"[\d.]+", found) else ()


def working_folder() -> Path:
    """Where children work: never in a run, which may come from elsewhere.

    Libraries look into the working folder: XLA runs a compiler at `cuda_sdk_lib/bin/ptxas` if there is one.
    """
    home = Path.home()
    return home if home.is_dir() else Path(home.anchor)


def with_package(base: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child that runs a command of this package."""
    environment = dict(base)
    _set(environment, "PYTHONPATH", _python_path(base.get("PYTHONPATH", "")))
    return environment


def _python_path(before: str) -> str:
    """The path that finds this very package in a bare checkout; an installed one is found anyway."""
    entries = [str(Path(entry).absolute()) for entry in before.split(":") if entry]
    root = Path(seqdec_gui.__file__).resolve().parents[1]
    if str(root) not in entries and root not in _installed_in():
        entries.insert(0, str(root))
    return ":".join(entries)


def _installed_in() -> set[Path]:
    folders = [*site.getsitepackages(), site.getusersitepackages(), *sysconfig.get_paths().values()]
    return {Path(folder).resolve() for folder in folders if folder != sys.prefix}
